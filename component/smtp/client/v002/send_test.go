package v002_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/component/smtp/client/v002"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// The parts of a conversation in which all goes well.
const (
	hello = `
S: 220 mx.example.org ESMTP
C: EHLO client.example.com
S: 250 mx.example.org
`
	envelope = `
C: MAIL FROM:<a@example.com>
S: 250 Ok
C: RCPT TO:<b@example.com>
S: 250 Ok
`
	header = `
C: DATA
S: 354 Go ahead
C: To: b@example.com
C: From: a@example.com
C: Subject: (none)
C: Date: Tue, 01 Jan 2030 00:00:00 +0000
C: User-Agent: POE for Go
C: 
`
	goodbye = `
C: QUIT
S: 221 Bye
`
)

// Each conversation goes as it is written, and has one event.
func TestConversations(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(m *v002.Message)
		chat   []string
		want   string
	}{
		{"no empty line before the dot, and a date of two digits (C2-B8)", nil, []string{
			hello, envelope, header, "C: hello", "C: .", "S: 250 Queued", goodbye,
		}, "sent"},
		{"the name for EHLO (C2-B7)", func(m *v002.Message) { m.EHLO = "" }, []string{`
S: 220 mx.example.org ESMTP
C: EHLO localhost
S: 250 mx.example.org
`, envelope, header, "C: hello", "C: .", "S: 250 Queued", goodbye,
		}, "sent"},
		{"a recipient that is forwarded (C2-B2)", nil, []string{hello, `
C: MAIL FROM:<a@example.com>
S: 250 Ok
C: RCPT TO:<b@example.com>
S: 251 Will forward
`, header, "C: hello", "C: .", "S: 250 Queued", goodbye,
		}, "sent"},
		{"dots (C2-B3)", func(m *v002.Message) {
			m.Data, m.Lines = "", []string{"one", ".", ".two", ""}
		}, []string{hello, envelope, header, `
C: one
C: ..
C: ..two
C: 
C: .
S: 250 Queued
`, goodbye,
		}, "sent"},
		{"newlines of all kinds", func(m *v002.Message) {
			m.Data = "one\r\ntwo\nthree\rfour"
		}, []string{hello, envelope, header, `
C: one
C: two
C: three
C: four
C: .
S: 250 Queued
`, goodbye,
		}, "sent"},
		{"no text", func(m *v002.Message) { m.Data, m.Lines = "", []string{} }, []string{
			hello, envelope, header, "C: .", "S: 250 Queued", goodbye,
		}, "sent"},
		{"a whole message (0.04)", func(m *v002.Message) {
			m.Data, m.Complete = "", "Subject: mine\r\n\r\nhello\r\n"
			m.Sender = client.NullSender
		}, []string{hello, `
C: MAIL FROM:<>
S: 250 Ok
C: RCPT TO:<b@example.com>
S: 250 Ok
C: DATA
S: 354 Go ahead
C: Subject: mine
C: 
C: hello
C: .
S: 250 Queued
`, goodbye,
		}, "sent"},
		{"replies without text (C2-B6)", nil, []string{`
S: 220
C: EHLO client.example.com
S: 250
C: MAIL FROM:<a@example.com>
S: 250
C: RCPT TO:<b@example.com>
S: 250
C: DATA
S: 354
C: To: b@example.com
C: From: a@example.com
C: Subject: (none)
C: Date: Tue, 01 Jan 2030 00:00:00 +0000
C: User-Agent: POE for Go
C: 
C: hello
C: .
S: 250
C: QUIT
S: 221
`}, "sent"},
		{"a server without EHLO", nil, []string{`
S: 220 mx.example.org
C: EHLO client.example.com
S: 500 What?
C: HELO client.example.com
S: 421 Not now
X: S
`}, `not_sent 1 421 "Not now"`},

		{"code and text (C2-B1)", nil, []string{hello, `
C: MAIL FROM:<a@example.com>
S: 250 Ok
C: RCPT TO:<b@example.com>
S: 550-Nobody
S: 550 of that name
`, goodbye,
		}, `not_sent 1 550 "Nobody\nof that name"`},
		{"500 to MAIL (C2-B5)", nil, []string{hello, `
C: MAIL FROM:<a@example.com>
S: 500 What?
`, goodbye,
		}, `not_sent 1 500 "What?"`},
		{"refused at the end", nil, []string{
			hello, envelope, header, "C: hello", "C: .", "S: 452 Full", goodbye,
		}, `not_sent 1 452 "Full"`},
		{"nonsense", nil, []string{"S: 220 mx.example.org", "C: EHLO client.example.com", `
S: hello yourself
X: C
`}, `not_sent 1 0 "hello yourself"`},
		{"an address that the server cannot take",
			func(m *v002.Message) { m.Recipient = "bö@example.com" }, []string{hello, goodbye},
			`not_sent 1 0 "mail: an address needs SMTPUTF8, which the server does not offer"`},

		{"lost (0.02's own test)", func(m *v002.Message) { m.Timeout = 100 * time.Second },
			[]string{"T: 4s", "X: S"}, `not_sent 3 "read" 0 "" wheel`},

		{"silent greeting", func(m *v002.Message) { m.Timeout = 2 * time.Second },
			[]string{"T: 1s", "X: C"}, `not_sent 4 conn_accepted`},
		{"silent EHLO", nil, []string{
			"S: 220 mx.example.org", "C: EHLO client.example.com", "T: 29s", "X: C",
		}, `not_sent 4 ehlo`},
		{"silent MAIL", nil, []string{hello, "C: MAIL FROM:<a@example.com>", "T: 29s", "X: C"},
			`not_sent 4 mail_from`},
		{"silent RCPT", nil, []string{hello, "C: MAIL FROM:<a@example.com>", "S: 250 Ok",
			"C: RCPT TO:<b@example.com>", "T: 29s", "X: C"}, `not_sent 4 rcpt_to`},
		{"silent DATA", nil, []string{hello, envelope, "C: DATA", "T: 29s", "X: C"},
			`not_sent 4 data`},
		{"silent end", nil, []string{hello, envelope, header, "C: hello", "C: .", "T: 29s", "X: C"},
			`not_sent 4 data`},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t)
			p.serve(strings.Join(test.chat, "\n"))
			m := message()
			if test.change != nil {
				test.change(&m)
			}
			p.send(m)
			p.want(test.want)
		})
	}
}

// After a failure nobody waits for the server's goodbye for long, and the owner not at all (C2-B4).
func TestSilenceAfterFailure(t *testing.T) {
	p := newPlace(t)
	p.serve(hello + `
C: MAIL FROM:<a@example.com>
S: 250 Ok
C: RCPT TO:<b@example.com>
S: 550 No
C: QUIT
T: 4s
X: C
`)
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { _, _ = v002.Send(e.Session, message()) },
		"not_sent":   func(e *kernel.Event) { p.note("told after %v", p.world.Elapsed()) },
		kernel.Stop:  func(*kernel.Event) { p.note("over after %v", p.world.Elapsed()) },
	})
	if err := p.k.Run(t.Context()); err != nil {
		t.Error(err)
	}
	p.want("told after 0s", "over after 5s")
}

// There is no connection: the operation, the errno and its text say why.
func TestNotConnected(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(m *v002.Message)
		want   string
	}{
		{"refused", func(m *v002.Message) {}, `not_sent 2 "connect" 111 "connection refused" wheel`},
		{"unknown host", func(m *v002.Message) { m.Server = "nowhere.example" },
			`not_sent 2 "inet_aton" 99 "cannot assign requested address" wheel`},
		{"foreign address", func(m *v002.Message) { m.BindAddress = "10.0.0.2" },
			`not_sent 2 "bind" 99 "cannot assign requested address" wheel`},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t)
			p.world.NewMachine() // which has 10.0.0.2
			m := message()
			test.change(&m)
			p.send(m)
			p.want(test.want)
		})
	}
}

// smtp_bind_address is the address that the server sees.
func TestBindAddress(t *testing.T) {
	p := newPlace(t)
	p.serve(hello + envelope + header + "C: hello\nC: .\nS: 250 Queued" + goodbye)
	m := message()
	m.BindAddress = "10.0.0.1"
	p.send(m)
	p.want("sent")
}

// With Debug a failure brings the dialogue, as the last argument.
func TestDebug(t *testing.T) {
	p := newPlace(t)
	p.serve("S: 554 Go away" + goodbye)
	m := message()
	m.Debug = true
	p.send(m)
	m.Port = "26"
	p.send(m)
	p.want(`not_sent 1 554 "Go away" [<- 554 Go away]`,
		`not_sent 2 "connect" 111 "connection refused" wheel <nil>`)
}

// Send returns the session, which has the alias until the result is there, and keeps its owner
// alive.
func TestSessionAndAlias(t *testing.T) {
	p := newPlace(t)
	p.serve(hello + envelope + header + "C: hello\nC: .\nT: 5s\nS: 250 Queued" + goodbye)
	m := message()
	m.Alias = "mailer"
	look := func(s *kernel.Session) bool {
		found, err := p.k.AliasResolve(kernel.Alias("mailer"))
		return err == nil && found == s
	}
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			s, err := v002.Send(e.Session, m)
			p.note("a child %v, named %v, %v", s.Parent() == e.Session, look(s), err)
			other, err := v002.Send(e.Session, m) // the name is taken, and nobody is at port 25
			p.note("another %v, named %v, %v", other != s, look(other), err)
		},
		"sent":     func(*kernel.Event) { p.note("sent, named %v", look(nil)) },
		"not_sent": func(*kernel.Event) { p.note("not sent") },
	})
	if err := p.k.Run(t.Context()); err != nil {
		t.Error(err)
	}
	p.want("a child true, named true, <nil>", "another true, named false, <nil>",
		"not sent", "sent, named false")
	if _, err := p.k.AliasResolve(kernel.Alias("mailer")); !errors.Is(err, kernel.ErrNoSession) {
		t.Errorf("the alias is left: %v", err)
	}
}

// Whichever of the two sessions is stopped from outside, the owner is told, once.
func TestStopped(t *testing.T) {
	for _, test := range []struct {
		name string
		who  func(s *kernel.Session) *kernel.Session
	}{
		{"sender", func(s *kernel.Session) *kernel.Session { return s }},
		{"delivery", func(s *kernel.Session) *kernel.Session { return s.Children()[0] }},
	} {
		for _, debug := range []bool{false, true} {
			t.Run(test.name, func(t *testing.T) {
				p := newPlace(t)
				p.serve("T: 1s\nX: C")
				m := message()
				m.Debug = debug
				var s *kernel.Session
				p.k.Create(session.Events{
					kernel.Start: func(e *kernel.Event) {
						s, _ = v002.Send(e.Session, m)
						e.Session.Delay("stop", 2*time.Second)
					},
					"stop": func(*kernel.Event) { _ = p.k.Signal(test.who(s), "UIDESTROY") },
					"not_sent": func(e *kernel.Event) {
						p.note("%v %v, %d arguments", e.Args[0], e.Args[1], len(e.Args))
					},
				})
				if err := p.k.Run(t.Context()); err != nil {
					t.Error(err)
				}
				want := "1 0, 3 arguments"
				if debug {
					want = "1 0, 4 arguments"
				}
				p.want(want)
			})
		}
	}
}

// What is missing is an error that names it as 0.02 does, and nothing is sent.
func TestRequired(t *testing.T) {
	for _, test := range []struct {
		want   string // part of the error
		change func(m *v002.Message)
	}{
		{`requires "smtp_sender"`, func(m *v002.Message) { m.Sender = "" }},
		{`requires "smtp_recipient"`, func(m *v002.Message) { m.Recipient = "" }},
		{`requires "smtp_data"`, func(m *v002.Message) { m.Data = "" }},
		{`requires "SMTPSendSuccessEvent"`, func(m *v002.Message) { m.SuccessEvent = "" }},
		{`requires "SMTPSendFailureEvent"`, func(m *v002.Message) { m.FailureEvent = "" }},
		{"more than one of Data", func(m *v002.Message) { m.Lines = []string{} }},
		{"more than one of Data", func(m *v002.Message) { m.Complete = "x" }},
		{"Complete, and To", func(m *v002.Message) { m.Data, m.Complete, m.To = "", "x", "B" }},
		{"Complete, and To", func(m *v002.Message) { m.Data, m.Complete, m.Subject = "", "x", "B" }},
		{"needs Complete", func(m *v002.Message) { m.Sender = client.NullSender }},
		{"below 0", func(m *v002.Message) { m.Timeout = -1 }},
		{"Subject has more", func(m *v002.Message) { m.Subject = strings.Repeat("x", 481) }},
	} {
		p := newPlace(t)
		m := message()
		test.change(&m)
		p.k.Create(session.Events{kernel.Start: func(e *kernel.Event) {
			s, err := v002.Send(e.Session, m)
			if s != nil || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, %v, want no session and an error with %q", s, err, test.want)
			}
			p.note("%d children", len(e.Session.Children()))
		}})
		if err := p.k.Run(t.Context()); err != nil {
			t.Error(err)
		}
		p.want("0 children")
	}
}

// The root has no use for a result.
func TestSendOutsideOfAnySession(t *testing.T) {
	p := newPlace(t)
	if s, err := v002.Send(p.k.Root(), message()); s != nil || err != client.ErrNoOwner {
		t.Errorf("got %v, %v, want %v", s, err, client.ErrNoOwner)
	}
}
