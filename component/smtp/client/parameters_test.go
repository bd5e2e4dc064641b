package client_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// noteReason sends a message, and notes each result: "ok", or the failure in the original's words.
// Then it calls done, if it is not nil.
func (p *place) noteReason(m client.Message, done func()) {
	m.ResultEvent = "result"
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			if _, err := client.Send(e.Session, m); err != nil {
				p.Error(err)
			}
		},
		"result": session.On(func(_ *kernel.Event, r *client.Result) {
			if r.Err == nil {
				p.note("ok")
			} else {
				p.note("%s", r.Err.ReasonLine())
			}
			if done != nil {
				done()
			}
		}),
	})
}

// What a message leaves out has the value that it has in version 0.22, and no message at all is an
// empty one from root to root.
func TestZeroMessage(t *testing.T) {
	p := newPlace(t, sim.Options{})
	p.serve(`
S: 220 mx.example.org
C: HELO localhost
S: 250 mx.example.org
C: MAIL FROM: <root@localhost>
S: 250 Ok
C: RCPT TO: <root@localhost>
S: 250 Ok
C: DATA
S: 354 Go ahead
C: .
S: 250 Queued
C: QUIT
S: 221 Bye
`)
	p.noteReason(client.Message{Compat: true}, nil)
	p.run()
	p.want("ok")
}

// Without a Timeout of its own, a message has 30 seconds.
func TestDefaultTimeout(t *testing.T) {
	p := newPlace(t, sim.Options{})
	p.serve("T: 29s\nX: C")
	m := message()
	m.Timeout = 0
	p.noteReason(m, nil)
	p.run()
	p.want("Timeout: 30")
}

// A Timeout need not be whole seconds, and the reason has it as it was given.
func TestTimeoutAsItWasGiven(t *testing.T) {
	p := newPlace(t, sim.Options{})
	p.serve("T: 1s\nX: C")
	m := message()
	m.Timeout = 1500 * time.Millisecond
	p.noteReason(m, func() { p.note("after %v", p.world.Elapsed()) })
	p.run()
	p.want("Timeout: 1.5", "after 1.5s")
}

// sayGoAway refuses a client, and hangs up.
func sayGoAway(c *wheel.Connection) {
	_, _ = c.Socket.Write([]byte("421 Go away\r\n")) // it has room for that
	_ = c.Socket.Close()
}

// This end of the connection is as BindAddress and BindPort say.
func TestBind(t *testing.T) {
	p := newPlace(t, sim.Options{})
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			listener := wheel.NewSocketFactory(e.Session, wheel.SocketFactoryOptions{
				BindPort: "25", SuccessEvent: "accepted", FailureEvent: "failed",
			})
			e.Session.State("accepted", session.On(func(_ *kernel.Event, c *wheel.Connection) {
				p.note("from %v", c.Remote)
				sayGoAway(c)
				listener.Close()
			}))
		},
	})
	m := message()
	m.BindAddress, m.BindPort = "10.0.0.1", "2525"
	p.noteReason(m, nil)
	p.run()
	p.want("from 10.0.0.1:2525", "SMTP_Server_Error: 421 Go away")
}

// A server is a name, or an address of either family.
func TestServer(t *testing.T) {
	for _, test := range []struct{ server, bind string }{
		{"localhost", "127.0.0.1"}, {"127.0.0.1", "127.0.0.1"}, {"mx.example.org", "127.0.0.1"},
		{"::1", "::1"}, {"six.example.org", "::1"},
	} {
		t.Run(test.server, func(t *testing.T) {
			p := newPlace(t, sim.Options{})
			p.world.AddHost("mx.example.org", netip.MustParseAddr("127.0.0.1"))
			p.world.AddHost("six.example.org", netip.MustParseAddr("::1"))
			p.k.Create(session.Events{
				kernel.Start: func(e *kernel.Event) {
					listener := wheel.NewSocketFactory(e.Session, wheel.SocketFactoryOptions{
						BindAddress: test.bind, BindPort: "25",
						SuccessEvent: "accepted", FailureEvent: "failed",
					})
					e.Session.State("accepted",
						session.On(func(_ *kernel.Event, c *wheel.Connection) {
							p.note("connected")
							sayGoAway(c)
							listener.Close()
						}))
				},
			})
			m := message()
			m.Server = test.server
			p.noteReason(m, nil)
			p.run()
			p.want("connected", "SMTP_Server_Error: 421 Go away")
		})
	}
}

// A port may be the name of a service. Who knows the names may use a goroutine of its own, so that
// this test does not count them.
func TestPortByName(t *testing.T) {
	p := newPlace(t, sim.Options{})
	p.serve("S: 421 Go away\nX: C")
	m := message()
	m.Port = "smtp"
	p.noteReason(m, nil)
	if err := p.k.Run(t.Context()); err != nil {
		t.Error(err)
	}
	p.want("SMTP_Server_Error: 421 Go away")
}

// The text has one of several sources, and the message says which has precedence.
func TestPrecedenceOfTexts(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(m *client.Message)
		want   string
	}{
		{"handle, file and body", func(m *client.Message) {
			m.FileHandle, m.MessageFile = &lines{left: 3}, "/no/such/file"
		}, "The"},
		{"body alone", func(m *client.Message) {}, "body"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t, sim.Options{})
			p.serve(fmt.Sprintf(`
S: 220 mx.example.org
C: EHLO client.example.com
S: 250 mx.example.org
C: MAIL FROM:<a@example.com>
S: 250 Ok
C: RCPT TO:<b@example.com>
S: 250 Ok
C: DATA
S: 354 Go ahead
C: %s
C: .
S: 250 Queued
C: QUIT
S: 221 Bye
`, test.want))
			m := message()
			m.Body = []byte("body")
			test.change(&m)
			p.noteReason(m, nil)
			p.run()
			p.want("ok")
		})
	}
}

// A file whose name is 0 is a file like any other.
func TestFileNamedZero(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "0", "one\n..two\nthree\n")
	p := newPlace(t, sim.Options{})
	mta := p.mta()
	m := message()
	m.MessageFile, m.ResultEvent = "0", "result"
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { _, _ = client.Send(e.Session, m) },
		"result":     func(*kernel.Event) { mta.close() },
	})
	p.run()
	for _, text := range mta.messages {
		p.note("got %q", text)
	}
	p.want(`got "one\r\n..two\r\nthree\r\n"`)
}

// A reply may hold a bare CR, which ends no line.
func TestBareCRInReply(t *testing.T) {
	p := newPlace(t, sim.Options{})
	p.serve(`
S= "220 mx\r500 example\r\n"
C: EHLO client.example.com
S: 451 Later
C: QUIT
S: 221 Bye
`)
	p.noteReason(message(), nil)
	p.run()
	p.want("SMTP_Server_Error: 451 Later")
}
