package main

import (
	"crypto/tls"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/component/smtp/client"
)

// A sendResult is what became of a message, as JSON.
type sendResult struct {
	OK         bool              `json:"ok"`
	Reply      string            `json:"reply,omitempty"`
	QueueID    string            `json:"queue_id,omitempty"`
	File       string            `json:"file"`
	From       string            `json:"from"`
	Recipients []recipientResult `json:"recipients"`
	Error      *failureResult    `json:"error,omitempty"`
	Tries      int               `json:"tries"`
	Octets     int64             `json:"octets"`
	TLS        *tlsResult        `json:"tls,omitempty"`
	Seconds    float64           `json:"seconds"`
}

// A recipientResult is what became of it for one recipient.
type recipientResult struct {
	Address  string   `json:"address"`
	Verdict  string   `json:"verdict"`
	Accepted bool     `json:"accepted"`
	Stage    string   `json:"stage,omitempty"`
	Code     int      `json:"code,omitempty"`
	Enhanced string   `json:"enhanced,omitempty"`
	Lines    []string `json:"lines,omitempty"`
	Reply    string   `json:"reply,omitempty"`
}

// A failureResult is why nobody has it.
type failureResult struct {
	Kind      string   `json:"kind"`
	Stage     string   `json:"stage"`
	Temporary bool     `json:"temporary"`
	Text      string   `json:"text"`
	Code      int      `json:"code,omitempty"`
	Enhanced  string   `json:"enhanced,omitempty"`
	Lines     []string `json:"lines,omitempty"`
}

// A tlsResult is how the connection was protected, as far as that is known.
type tlsResult struct {
	Version string `json:"version,omitempty"`
	Cipher  string `json:"cipher,omitempty"`
}

// newSendResult makes JSON's view of a result.
func newSendResult(o *outgoing, r *client.Result) sendResult {
	v := sendResult{
		OK: r.OK(), QueueID: r.QueueID(), File: o.name, Recipients: []recipientResult{},
		Tries: r.Tries, Octets: o.sent, Seconds: r.Took.Seconds(),
	}
	if r.Message != nil {
		v.From = r.Message.From
	}
	v.Reply, _, _, _ = replyParts(r.Reply)
	for _, to := range r.Recipients {
		one := recipientResult{
			Address: to.Address, Verdict: to.Verdict.String(),
			Accepted: to.Verdict == client.Accepted, Stage: string(to.Stage),
		}
		one.Reply, one.Code, one.Enhanced, one.Lines = replyParts(to.Reply)
		v.Recipients = append(v.Recipients, one)
	}
	if f := r.Err; f != nil {
		v.Error = &failureResult{
			Kind: string(f.Kind), Stage: string(f.Stage), Temporary: f.Temporary(),
			Text: printable(f.Error()),
		}
		_, v.Error.Code, v.Error.Enhanced, v.Error.Lines = replyParts(f.Reply)
	}
	return v
}

// replyParts takes a reply apart. What could do harm to a terminal is taken out.
func replyParts(r *smtp.Reply) (all string, code int, enhanced string, lines []string) {
	if r == nil {
		return "", 0, "", nil
	}
	for _, line := range r.Lines {
		lines = append(lines, printable(line))
	}
	return printable(r.String()), r.Code, r.Enhanced.String(), lines
}

// A protection learns how connections are protected, since a result does not say it. All messages
// of a run go the same way, so what is true of one connection is taken for true of all.
type protection struct {
	asked bool
	is    *tlsResult
}

// watch has a configuration, if there is one, tell of the handshake.
func (p *protection) watch(config *tls.Config) {
	if config != nil {
		config.VerifyConnection = func(s tls.ConnectionState) error {
			p.is = &tlsResult{tls.VersionName(s.Version), tls.CipherSuiteName(s.CipherSuite)}
			return nil
		}
	}
}

// step looks at a step of a dialogue: whoever is greeted again after STARTTLS has agreed to it.
func (p *protection) step(s *client.Progress) {
	switch {
	case s.Sent == string(smtp.VerbSTARTTLS):
		p.asked = true
	case s.Stage == client.StageConnect:
		p.asked = false
	case p.asked && s.Stage == client.StageHello && s.Sent != "" && p.is == nil:
		p.is = &tlsResult{}
	}
}
