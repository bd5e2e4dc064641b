package client_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
)

// writeFile writes a file.
func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Send returns before anything is done: nothing is opened, and the result is for later.
func TestNothingHappensInSend(t *testing.T) {
	p, l := counted(t)
	m := message()
	m.ResultEvent = "result"
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			s, err := client.Send(e.Session, m)
			p.note("a child %v, %v, %d sockets", s.Parent() == e.Session, err, l.opened)
		},
		"result": session.On(func(e *kernel.Event, r *client.Result) {
			p.note("%s from the child %v, %d sockets", r.Err.Kind,
				e.Sender.Parent() == e.Session, l.opened)
		}),
		kernel.Stop: func(*kernel.Event) { p.note("the owner waited") },
	})
	p.run()
	p.want("a child true, <nil>, 0 sockets",
		"POE::Wheel::SocketFactory from the child true, 1 sockets", "the owner waited")
}

// Where more than one thing is wrong, the file comes first, then what the message says, and the
// network last; of Auth the mechanism is first.
func TestFirstOfSeveralFailures(t *testing.T) {
	const (
		noFile      = "MessageFile_Error: /no/such/file not found!"
		noUser      = "Configure: ERROR: You want AUTH but no USER/PASS given!"
		noMechanism = "Configure: ERROR: Method unsupported by Component version: 0.22"
	)
	for _, test := range []struct {
		name   string
		want   string // the failure, without the wheel's number
		change func(m *client.Message)
	}{
		{"a file and a mechanism", noFile, func(m *client.Message) {
			m.MessageFile, m.Auth = "/no/such/file", &client.Auth{Mechanism: "PLAIN1"}
		}},
		{"a mechanism, a user and a host", noMechanism, func(m *client.Message) {
			m.Auth, m.Server = &client.Auth{Mechanism: "PLAIN1"}, "nowhere.example"
		}},
		{"a password and a port", noUser, func(m *client.Message) {
			m.Auth = &client.Auth{Mechanism: "PLAIN", User: "me"}
		}},
		{"a user and a host", noUser, func(m *client.Message) {
			m.Auth = &client.Auth{Mechanism: "PLAIN", Password: "x"}
			m.Server = "nowhere.example"
		}},
		{"a host", "POE::Wheel::SocketFactory: inet_aton, 99, cannot assign requested address, ",
			func(m *client.Message) {
				m.Auth = &client.Auth{Mechanism: "PLAIN", User: "me", Password: "x"}
				m.Server = "nowhere.example"
			}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t, sim.Options{})
			m := message()
			m.Port, m.Compat, m.ResultEvent = "26", true, "result"
			test.change(&m)
			p.k.Create(session.Events{
				kernel.Start: func(e *kernel.Event) { _, _ = client.Send(e.Session, m) },
				"result": session.On(func(_ *kernel.Event, r *client.Result) {
					p.note("%s", r.Err.ReasonLine())
				}),
			})
			p.run()
			if len(p.lines) != 1 || !strings.HasPrefix(p.lines[0], test.want) {
				t.Errorf("got %q, want %q", p.lines, test.want)
			}
		})
	}
}

// What a delivery does not know does nothing to it, and neither do the two events that version 0.22
// has a handler for that does nothing.
func TestEventsWithoutEffect(t *testing.T) {
	p := newPlace(t, sim.Options{})
	mta := p.mta()
	m := message()
	m.ResultEvent = "result"
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			s, _ := client.Send(e.Session, m)
			for _, name := range []string{"smtp_shutdown", "smtp_progress", "no_such_event"} {
				_ = e.Session.Post(s, name)
			}
		},
		"result": session.On(func(_ *kernel.Event, r *client.Result) {
			p.note("ok %v", r.OK())
			mta.close()
		}),
	})
	p.run()
	p.want("ok true")
}

// A file is gone before it is read, and another is there: what counts is the one at that time.
func TestFileIsReadLate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "message")
	p := newPlace(t, sim.Options{})
	mta := p.mta()
	m := message()
	m.MessageFile, m.ResultEvent = file, "result"
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			_, _ = client.Send(e.Session, m)
			writeFile(t, file, "late\n")
		},
		"result": func(*kernel.Event) { mta.close() },
	})
	p.run()
	for _, text := range mta.messages {
		p.note("got %q", text)
	}
	p.want(`got "late\r\n"`)
}
