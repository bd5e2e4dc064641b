package client_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/test/chat"
	"github.com/go-poe/poe/test/sim"
)

// The notes of a conversation.
const (
	option = 'O' // a change to the message: see change
	result = 'R' // a line of the result, as describe has it
	calm   = 'N' // the network neither cuts nor delays anything: how things fall together matters
)

// worlds are those in which each conversation is played: the network cuts and delays what is sent.
func worlds(c *chat.Chat) map[string]sim.Options {
	all := map[string]sim.Options{"calm": {}}
	if len(c.Note(calm)) > 0 {
		return all
	}
	all["byte by byte"] = sim.Options{Buffer: 1}
	for seed := range uint64(5) {
		all[fmt.Sprint("rough ", seed)] = sim.Options{
			Seed:    seed,
			Latency: time.Millisecond, Jitter: time.Millisecond, WorkTime: time.Millisecond,
			Faults: sim.Faults{Split: 0.7, Again: 0.2, Spurious: 0.1, Shuffle: true},
		}
	}
	return all
}

// Each conversation goes as its file says, however the network cuts it, and each has one result.
func TestConversations(t *testing.T) {
	for _, c := range chat.ReadAll(t, "testdata/*.chat") {
		for name, world := range worlds(c) {
			t.Run(c.Name+"/"+name, func(t *testing.T) {
				m := message()
				for _, text := range c.Note(option) {
					if err := change(&m, text); err != nil {
						t.Fatalf("%s: option %q: %v", c.Name, text, err)
					}
				}
				p := newPlace(t, world)
				chat.Serve(t, p.k.Root(), "25", c)
				p.sender(m)
				p.run()
				p.want(c.Note(result)...)
			})
		}
	}
}

// change changes a message as an option says.
func change(m *client.Message, text string) (err error) {
	name, value, _ := strings.Cut(text, " ")
	switch name {
	case "from":
		m.From = value
	case "to":
		m.To = strings.Split(value, " ")
	case "body":
		value, err = strconv.Unquote(value)
		m.Body = []byte(value)
	case "read": // it is not in memory, and comes line by line
		var lines []io.Reader
		for line := range bytes.Lines(m.Body) {
			lines = append(lines, bytes.NewReader(line))
		}
		m.FileHandle = io.MultiReader(lines...)
	case "auth":
		user, password, _ := strings.Cut(value, " ")
		m.Auth = &client.Auth{Mechanism: "PLAIN", User: user, Password: password}
	case "tls":
		m.TLS = client.TLSMode(value)
		m.TLSConfig = &tls.Config{RootCAs: chat.Roots()}
	case "tls-unknown":
		m.TLS = client.TLSMode(value)
	case "require-tls":
		m.RequireTLS = true
	case "mechanism":
		m.Auth.Mechanism = value
	case "token":
		m.Auth = &client.Auth{User: "me", Token: value}
	case "lmtp":
		m.Protocol, m.Port = client.LMTP, "25"
	case "without":
		m.Without = strings.Split(value, " ")
	case "binary":
		m.Binary = true
	case "return":
		m.Return, m.EnvelopeID = smtp.Return(value), "QQ 314159"
	case "notify":
		m.RcptParams = []smtp.RcptParams{{
			Notify:   smtp.NotifySuccess | smtp.NotifyFailure,
			Original: smtp.OriginalRecipient{Type: "rfc822", Address: value},
		}}
	case "proxy":
		m.Proxy = &client.Proxy{
			Source:      netip.MustParseAddrPort(value),
			Destination: netip.MustParseAddrPort("192.0.2.9:25"),
		}
	case "xclient":
		m.XClient = strings.Split(value, " ")
	case "deadline":
		m.Deadline, err = time.ParseDuration(value)
	case "phase":
		name, value, _ = strings.Cut(value, " ")
		at := map[string]*time.Duration{
			"greeting": &m.Timeouts.Greeting, "hello": &m.Timeouts.Hello, "mail": &m.Timeouts.Mail,
			"rcpt": &m.Timeouts.Rcpt, "data": &m.Timeouts.Data, "final": &m.Timeouts.Final,
			"quit": &m.Timeouts.Quit,
		}[name]
		*at, err = time.ParseDuration(value)
	case "timeout":
		m.Timeout, err = time.ParseDuration(value)
	case "all-or-nothing":
		m.AllOrNothing = true
	case "compat":
		m.Compat = true
	default:
		err = strconv.ErrSyntax
	}
	return err
}

// There is a conversation for each stage at which a server may refuse, for good or for now, say that
// it ends, hang up, and fall silent.
func TestConversationsAreComplete(t *testing.T) {
	var names []string
	for _, c := range chat.ReadAll(t, "testdata/*.chat") {
		names = append(names, c.Name)
	}
	for _, c := range chat.ReadAll(t, "testdata/kept/*.chat") {
		names = append(names, c.Name)
	}
	stages := []string{
		"greeting", "hello", "tls", "xclient", "auth", "challenge", "mail", "rcpt", "data", "chunk",
		"middle_chunk", "last_chunk", "final", "lmtp_final", "rset", "quit",
	}
	want := []string{"closed_at_handshake", "silent_at_handshake"} // where there are no replies
	for _, what := range []string{
		"refused_at_", "deferred_at_", "421_at_", "closed_at_", "silent_at_",
	} {
		for _, stage := range stages {
			want = append(want, what+stage)
		}
	}
	for _, name := range want {
		if !slices.Contains(names, name) {
			t.Errorf("there is no conversation named %s", name)
		}
	}
}
