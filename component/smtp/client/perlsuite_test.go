package client_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// A listServer is the server of the original's tests: it has a list of replies, and says the first
// when a client comes, and the next for each line that looks like a command, or like the end of a
// message, whatever it has said before.
type listServer struct {
	*place
	replies  []string // of each client
	always   string   // is said to each line, if it is not ""
	listener *wheel.SocketFactory
	seen     []string // all lines
}

// listServer starts a server at port 25.
func (p *place) listServer(replies ...string) *listServer {
	l := &listServer{place: p, replies: replies}
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			l.listener = wheel.NewSocketFactory(e.Session, wheel.SocketFactoryOptions{
				BindPort: "25", SuccessEvent: "accepted", FailureEvent: "failed",
			})
		},
		"accepted": session.On(func(e *kernel.Event, c *wheel.Connection) {
			e.Session.Create(l.events(c))
		}),
		"failed": func(e *kernel.Event) { p.Errorf("the server failed: %v", e.Args[0]) },
	})
	return l
}

// events is the session of one client.
func (l *listServer) events(c *wheel.Connection) session.Events {
	var rw *wheel.ReadWrite
	left := l.replies
	say := func() {
		reply := l.always
		if reply == "" && len(left) > 0 {
			reply, left = left[0], left[1:]
		}
		if reply != "" {
			_ = rw.PutString(reply) // a client that is gone has nothing to hear
		}
	}
	return session.Events{
		kernel.Start: func(e *kernel.Event) {
			var err error
			rw, err = wheel.NewReadWrite(e.Session, wheel.ReadWriteOptions{
				Handle: c.Socket, Filter: filter.NewLine(filter.LineOptions{Literal: "\r\n"}),
				InputEvent: "input", ErrorEvent: "gone",
			})
			if err != nil {
				l.Fatal(err)
			}
			say()
		},
		"input": session.On(func(_ *kernel.Event, in *wheel.Input) {
			line := string(in.Bytes)
			l.seen = append(l.seen, line)
			if l.always != "" || looksLikeCommand(line) {
				say()
			}
		}),
		"gone": func(*kernel.Event) { rw.Close() },
	}
}

func looksLikeCommand(line string) bool {
	line = strings.ToLower(line)
	for _, word := range []string{"helo", "ehlo", "mail from:", "rcpt to:", "data", ".", "quit"} {
		if strings.HasPrefix(line, word) {
			return true
		}
	}
	return false
}

// standard is the list of replies with which a message is accepted.
func standard() []string {
	return []string{
		"220 localhost ESMTP Test Server",
		"250-localhost\r\n250-PIPELINING\r\n250-SIZE 250000000\r\n250-VRFY\r\n250-ETRN\r\n" +
			"250 8BITMIME",
		"250 Ok", "250 Ok", "354 End data with <CR><LF>.<CR><LF>",
		"250 Ok: queued as 549B14484F", "221 Bye",
	}
}

// The original's own tests, by their names, in the old dialogue and in the new one. Each has one
// result.
func TestPerlSuite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "message")
	text := "Subject: x\n\nfirst line\nsecond line\n.\nlast line\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name    string
		at      int // of the reply that is not the standard one
		reply   string
		change  func(m *client.Message)
		want    string   // "ok", or the failure as the original has it
		seen    []string // lines that the server must get
		notSeen []string // and lines that it must not
	}{
		{name: "010-send-simple", want: "ok"},
		{name: "015-receive-5XY-code", at: 3, reply: "500 w00t",
			want: "SMTP_Server_Error: 500 w00t"},
		{name: "015-receive-DATA-5XY-code", at: 4, reply: "500 no",
			want: "SMTP_Server_Error: 500 no"},
		{name: "017-unknown-code", at: 4, reply: "700 what is this",
			want: "SMTP_Server_Error: 700 what is this"},
		{name: "018-consolidated_error_message, 070-test-error-return",
			change: func(m *client.Message) { m.Port, m.Timeout = "26", 3*time.Second },
			want:   "POE::Wheel::SocketFactory: connect, 111, connection refused, "},
		{name: "020-send-using-all-params", change: func(m *client.Message) {
			m.From, m.To = "george@localhost", []string{"root@localhost"}
			m.Timeout, m.MyHostname, m.Alias = 20*time.Second, "george", "mailer"
			m.Context = "context"
		}, want: "ok", seen: []string{"george"}},
		{name: "025-timeout", reply: " ",
			change: func(m *client.Message) { m.Timeout = 3 * time.Second }, want: "Timeout: 3"},
		{name: "045-messagefile-filehandle", change: func(m *client.Message) {
			m.MessageFile, m.Body = file, []byte("not used")
		}, want: "ok", seen: []string{"first line", "last line"}, notSeen: []string{"not used"}},
		{name: "060-send-defaults", change: func(m *client.Message) {
			*m = client.Message{Server: "127.0.0.1", Compat: m.Compat}
		}, want: "ok", seen: []string{"LO localhost", "<root@localhost>"}},
		{name: "080-transparent", change: func(m *client.Message) {
			m.Body = []byte("Subject: x\n\n.Line to be translated\n")
		}, want: "ok", seen: []string{"..Line to be translated"}},
		{name: "085-transparent_file", change: func(m *client.Message) { m.MessageFile = file },
			want: "ok", seen: []string{".."}},
	} {
		for _, compat := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, compat %v", test.name, compat), func(t *testing.T) {
				p := newPlace(t, sim.Options{})
				replies := standard()
				switch {
				case test.reply == " ":
					replies = nil
				case test.reply != "":
					replies[test.at] = test.reply
				}
				l := p.listServer(replies...)
				m := message()
				m.Compat = compat
				if test.change != nil {
					test.change(&m)
				}
				p.noteReason(m, func() { l.listener.Close() })
				p.run()
				if len(p.lines) != 1 || !strings.HasPrefix(p.lines[0], test.want) {
					t.Errorf("got %q, want %q", p.lines, test.want)
				}
				all := strings.Join(l.seen, "\n")
				for _, line := range test.seen {
					if !strings.Contains(all, line) {
						t.Errorf("the server did not see %q in\n%s", line, all)
					}
				}
				for _, line := range test.notSeen {
					if strings.Contains(all, line) {
						t.Errorf("the server saw %q in\n%s", line, all)
					}
				}
				if replies == nil && len(l.seen) > 0 {
					t.Errorf("the client said %q to a server that has not greeted", l.seen)
				}
			})
		}
	}
}

// A server that says yes to each line, also within a message, and never asks for one, costs one
// result and no more: 090-server_drops_data.
func TestServerThatSaysYesToAll(t *testing.T) {
	for _, compat := range []bool{true, false} {
		p := newPlace(t, sim.Options{})
		l := p.listServer()
		l.always = "250 Yes"
		m := message()
		m.Compat = compat
		p.noteReason(m, func() { l.listener.Close() })
		p.run()
		if len(p.lines) != 1 {
			t.Errorf("compat %v: got %q, want one result", compat, p.lines)
		}
		if !compat && (p.lines[0] == "ok" || slices.Contains(l.seen, "hello")) {
			t.Errorf("got %q, and the server saw %q", p.lines, l.seen)
		}
	}
}

// All recipients get the message in one go, whether their addresses are in the header or not:
// 050-send-with-bcc-cc.
func TestThreeRecipients(t *testing.T) {
	for _, compat := range []bool{true, false} {
		p := newPlace(t, sim.Options{})
		l := p.listServer(slices.Insert(standard(), 3, "250 Ok", "250 Ok")...)
		m := message()
		m.To, m.Compat = []string{"to@example.com", "cc@example.com", "bcc@example.com"}, compat
		p.noteReason(m, func() { l.listener.Close() })
		p.run()
		p.want("ok")
		var rcpts []string
		for _, line := range l.seen {
			if _, to, ok := strings.Cut(line, "RCPT TO:"); ok {
				rcpts = append(rcpts, strings.Trim(to, " <>"))
			}
		}
		if !slices.Equal(rcpts, m.To) {
			t.Errorf("compat %v: the server saw %q, want %q", compat, rcpts, m.To)
		}
	}
}
