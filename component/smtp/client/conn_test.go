package client_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
)

// With LMTP the queue ID is that of the first who was accepted, whatever the last reply was.
func TestQueueIDOfLMTP(t *testing.T) {
	p := newPlace(t, sim.Options{})
	p.serve(`S: 220 mx.example.org LMTP
C: LHLO client.example.com
S: 250-mx.example.org
S: 250 PIPELINING
C: MAIL FROM:<a@example.com>
C: RCPT TO:<b@example.com>
C: RCPT TO:<c@example.com>
C: DATA
S: 250 2.1.0 Sender ok
S: 250 2.1.5 b ok
S: 250 2.1.5 c ok
S: 354 Go ahead
C: Subject: test
C: 
C: hello
C: .
S: 250 2.0.0 <b@example.com> AbC123 Saved
S: 452 4.2.2 c is full
C: QUIT
S: 221 2.0.0 Bye
X: C
`)
	m := message()
	m.Protocol, m.Port, m.To = client.LMTP, "25", []string{"b@example.com", "c@example.com"}
	m.ResultEvent = "result"
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { client.Send(e.Session, m) },
		"result":     session.On(func(_ *kernel.Event, r *client.Result) { p.note("%s", r.QueueID()) }),
	})
	p.run()
	p.want("AbC123")
}

// A connection that ends while the file of the next message is opened is not taken for one that
// ended at the stage of the message before.
func TestConnectionEndsWhileAFileIsOpened(t *testing.T) {
	p := newPlace(t, sim.Options{WorkTime: time.Second})
	mta := p.mta()
	p.spawn(client.Options{MaxConnections: 1})
	mta.answer = func(c *caller, verb string) string {
		if verb == "." {
			s := p.k.ActiveSession()
			s.State("hang up", func(*kernel.Event) { c.hangUp() })
			s.Delay("hang up", 100*time.Millisecond)
		}
		return ""
	}
	name := filepath.Join(t.TempDir(), "message")
	if err := os.WriteFile(name, []byte("from a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	results := 0
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.post(e, 0)
			for i := range 2 {
				m := message()
				m.MessageFile, m.Context, m.ResultEvent = name, i+1, "result"
				e.Session.Post(mail, "send", &m)
			}
		},
		"result": session.On(func(_ *kernel.Event, r *client.Result) {
			p.noted(r)
			if results++; results == 3 {
				mta.close()
			}
		}),
	})
	p.run()
	p.want("0: ok", "1: configure: the server closed the connection", "2: ok")
}

// A message that the caller has given up is not tried again.
func TestCancelledMessageIsNotTriedAgain(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	c, err := client.New(client.Options{
		Retry:    client.Retry{Times: 3, First: time.Millisecond},
		Defaults: client.Message{Server: "127.0.0.1", Port: port},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	calls := make(chan struct{}, 10)
	gone := make(chan struct{})
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				close(gone)
				return
			}
			calls <- struct{}{}
			cancel()
			conn.Read(make([]byte, 1)) // until the client hangs up
			conn.Close()
		}
	}()
	if _, err := c.Send(ctx, client.Message{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	// What the client does after the cancellation comes before the result of another message, which
	// takes longer than the pause until the next try.
	if _, err := c.Send(t.Context(), client.Message{Timeout: 50 * time.Millisecond}); err == nil {
		t.Error("the second message was accepted")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	listener.Close()
	<-gone
	if n := len(calls); n > 1+4 {
		t.Errorf("%d calls, want the first and 4 of the other message", n)
	}
}

// What of a message goes into a command is refused before a byte is written, if it would be more
// than one.
func TestCommandsCannotBeInjected(t *testing.T) {
	for _, evil := range []string{"a\r\nRSET", "a\nb", "a\rb", "a\x00b"} {
		for name, change := range map[string]func(m *client.Message){
			"From": func(m *client.Message) { m.From = evil + "@example.com" },
			"To": func(m *client.Message) {
				m.To = []string{"b@example.com", evil + "@example.com"}
			},
			"MyHostname":   func(m *client.Message) { m.MyHostname = evil },
			"Server":       func(m *client.Message) { m.Server = evil },
			"EnvelopeID":   func(m *client.Message) { m.EnvelopeID = evil },
			"Return":       func(m *client.Message) { m.Return = "FULL\r\nRSET" },
			"XClient":      func(m *client.Message) { m.XClient = []string{"NAME=" + evil} },
			"XClient name": func(m *client.Message) { m.XClient = []string{evil + "=x"} },
			"mechanism": func(m *client.Message) {
				m.Auth = &client.Auth{Mechanism: evil, User: "u", Password: "p"}
			},
			"MailParams": func(m *client.Message) { m.MailParams = params(evil, "x") },
			"renegotiation": func(m *client.Message) {
				m.TLSConfig = &tls.Config{Renegotiation: tls.RenegotiateOnceAsClient}
			},
			"MailParams value": func(m *client.Message) { m.MailParams = params("X", evil) },
			"RcptParams":       func(m *client.Message) { m.RcptParams = rcptParams(evil, "x") },
			"RcptParams value": func(m *client.Message) { m.RcptParams = rcptParams("X", evil) },
			"ORCPT": func(m *client.Message) {
				m.RcptParams = rcptParams("X", "x")
				m.RcptParams[0].Original.Address = evil
			},
		} {
			p := newPlace(t, sim.Options{})
			m := message()
			change(&m)
			p.sender(m) // there is no server: a call would be another failure
			p.run()
			last := p.lines[len(p.lines)-1]
			if !strings.HasPrefix(last, "failed for good: Configure: configure: ") {
				t.Errorf("%s %q: got %s", name, evil, last)
			}
		}
	}
}

func params(keyword, value string) []smtp.Param {
	return []smtp.Param{{Keyword: keyword, Value: value}}
}

func rcptParams(keyword, value string) []smtp.RcptParams {
	return []smtp.RcptParams{{Other: params(keyword, value)}}
}
