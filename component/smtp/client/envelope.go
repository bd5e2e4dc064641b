package client

import (
	"bytes"
	"errors"
	"slices"

	"github.com/go-poe/poe/component/smtp"
)

// greeted says hello to a server that is ready.
func (d *delivery) greeted(r *smtp.Reply) {
	if !d.accepts(r, r.Code == smtp.CodeServiceReady) {
		d.refused(StageGreeting, r)
		return
	}
	verb := smtp.VerbEHLO
	if d.m.Compat && !d.m.Auth.wanted() {
		verb = smtp.VerbHELO
	}
	d.hello(verb)
}

func (d *delivery) hello(verb smtp.Verb) {
	line, err := smtp.AppendHello(nil, verb, d.m.MyHostname)
	if err != nil {
		d.fail(&Failure{Kind: Configure, Stage: StageHello, Err: err})
		return
	}
	d.command(StageHello, line, "", func(r *smtp.Reply) { d.helloed(verb, r) })
}

// helloed learns what the server offers. One that does not know EHLO is greeted again, with HELO
// (RFC 5321, section 3.2).
func (d *delivery) helloed(verb smtp.Verb, r *smtp.Reply) {
	switch {
	case d.accepts(r, r.Positive()):
	case verb == smtp.VerbEHLO && r.Permanent() && !d.m.Compat && !d.m.Auth.wanted():
		d.hello(smtp.VerbHELO)
		return
	default:
		d.refused(StageHello, r)
		return
	}
	if verb == smtp.VerbEHLO {
		d.offered = smtp.ParseExtensions(r)
	}
	if d.m.Auth.wanted() {
		d.authenticate()
		return
	}
	d.mail()
}

// mail sends the envelope: all of it at once, if the server takes that (RFC 2920), else its first
// line. Where one recipient may stop the message, DATA waits for all of them.
func (d *delivery) mail() {
	line, err := smtp.AppendMail(nil, d.m.From, d.mailParams())
	if d.needsUTF8() && !d.offered.Has(smtp.ExtSMTPUTF8) && !d.m.Compat {
		err = errNoUTF8
	}
	if err != nil {
		d.fail(&Failure{Kind: Configure, Stage: StageMail, Err: err})
		return
	}
	d.command(StageMail, line, "", d.mailed)
	if !d.pipelines() {
		return
	}
	for i := range d.recipients {
		d.recipient(i)
	}
	if !d.m.AllOrNothing {
		d.data()
	}
}

var errNoUTF8 = errors.New("an address needs SMTPUTF8, which the server does not offer")

// pipelines reports whether commands may go out before the replies to earlier ones are in.
func (d *delivery) pipelines() bool { return d.offered.Has(smtp.ExtPipelining) && !d.m.Compat }

func (d *delivery) mailParams() smtp.MailParams {
	if d.m.Compat {
		return smtp.MailParams{SpaceAfterColon: true}
	}
	p := smtp.MailParams{UTF8: d.needsUTF8()}
	inMemory := d.m.FileHandle == nil && d.m.MessageFile == ""
	if _, ok := d.offered.Size(); ok && inMemory {
		p.Size = wireSize(d.m.Body)
	}
	if d.offered.Has(smtp.Ext8BitMIME) && (!inMemory || smtp.NeedsUTF8(string(d.m.Body))) {
		p.Body = smtp.Body8BitMIME
	}
	return p
}

// wireSize returns the length of a text with CR LF for each of its newlines, but without the dots
// that are doubled: RFC 1870, section 5.
func wireSize(text []byte) int64 {
	pairs := bytes.Count(text, []byte("\r\n"))
	bare := bytes.Count(text, []byte("\r")) + bytes.Count(text, []byte("\n")) - 2*pairs
	n := len(text) + bare
	if len(text) > 0 && text[len(text)-1] != '\n' && text[len(text)-1] != '\r' {
		n += len("\r\n")
	}
	return int64(n)
}

func (d *delivery) needsUTF8() bool {
	return smtp.NeedsUTF8(d.m.From) || slices.ContainsFunc(d.m.To, smtp.NeedsUTF8)
}

func (d *delivery) mailed(r *smtp.Reply) {
	if !d.accepts(r, r.Positive()) {
		d.refused(StageMail, r)
		return
	}
	if !d.pipelines() {
		d.recipient(0)
	}
}

// recipient sends the i-th recipient.
func (d *delivery) recipient(i int) {
	if d.done {
		return
	}
	p := smtp.RcptParams{SpaceAfterColon: d.m.Compat}
	line, err := smtp.AppendRcpt(nil, d.recipients[i].Address, p)
	if err != nil {
		d.fail(&Failure{Kind: Configure, Stage: StageRcpt, Err: err})
		return
	}
	d.command(StageRcpt, line, "", func(r *smtp.Reply) { d.answeredRecipient(i, r) })
}

func (d *delivery) answeredRecipient(i int, r *smtp.Reply) {
	to := &d.recipients[i]
	to.Reply = r
	to.Accepted = d.accepts(r, r.Positive())
	d.answered++
	last := d.answered == len(d.recipients)
	switch {
	case !to.Accepted && (d.m.AllOrNothing || last && !d.anyAccepted()):
		d.refused(StageRcpt, r)
	case !last && !d.pipelines():
		d.recipient(i + 1)
	case last && (d.m.AllOrNothing || !d.pipelines()):
		d.data()
	}
}

func (d *delivery) anyAccepted() bool {
	return slices.ContainsFunc(d.recipients, func(to Recipient) bool { return to.Accepted })
}

// data asks to send the text.
func (d *delivery) data() {
	if !d.done {
		d.command(StageData, smtp.AppendVerb(nil, smtp.VerbDATA), "", d.dataAnswered)
	}
}
