package client_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// A loop is a simulated world that counts what is opened and written in it.
type loop struct {
	*sim.World
	opened, writes int
}

func (l *loop) Socket(network string) (kernel.Socket, error) {
	l.opened++
	s, err := l.World.Socket(network)
	return &socket{s, l}, err
}

type socket struct {
	kernel.Socket
	l *loop
}

func (s *socket) Write(p []byte) (int, error) {
	n, err := s.Socket.Write(p)
	if n > 0 {
		s.l.writes++
	}
	return n, err
}

// counted returns a place whose loop counts.
func counted(t *testing.T) (*place, *loop) {
	t.Helper()
	p := newPlace(t, sim.Options{})
	l := &loop{World: p.world}
	var err error
	if p.k, err = kernel.New(kernel.Options{Loop: l, Log: p.k.Log()}); err != nil {
		t.Fatal(err)
	}
	return p, l
}

// A server that pipelines costs four writes, however many the recipients: greeting, envelope, text
// and goodbye.
func TestEnvelopeIsOneWrite(t *testing.T) {
	p, l := counted(t)
	m := message()
	m.To = nil
	for i := range 100 {
		m.To = append(m.To, fmt.Sprintf("to-%d@example.com", i))
	}
	mta := p.mta()
	m.ResultEvent = "result"
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { client.Send(e.Session, m) },
		"result": session.On(func(e *kernel.Event, r *client.Result) {
			p.note("ok %v, %d recipients", r.OK(), len(r.Recipients))
			mta.close()
		}),
	})
	p.run()
	p.want("ok true, 100 recipients")
	// The server's sockets are accepted, so only the client's are counted.
	if l.writes != 4 {
		t.Errorf("%d writes, want 4", l.writes)
	}
}

// The two events of version 0.22 carry what it gave them, and ResultEvent comes beside them.
func TestResultEvents(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer string // to RCPT
		change func(m *client.Message)
		want   []string
	}{
		{"success", "", func(m *client.Message) {}, []string{
			"result true", "success: context, <nil>",
		}},
		{"success, logged", "", func(m *client.Message) { m.TransactionLog = true }, []string{
			"result true", "success: context, 12 lines",
		}},
		{"failure", "550 No", func(m *client.Message) {}, []string{
			"result false",
			"failure: context, map[SMTP_Server_Error:550 No], <nil>, SMTP_Server_Error: 550 No",
		}},
		{"refused", "", func(m *client.Message) { m.Port = "26" }, []string{
			"result false",
			"failure: context, " +
				"map[POE::Wheel::SocketFactory:[connect 111 connection refused 2]], <nil>, " +
				"POE::Wheel::SocketFactory: connect, 111, connection refused, 2",
		}},
		{"only success", "550 No", func(m *client.Message) { m.FailureEvent = "" }, []string{
			"result false",
		}},
		{"only failure", "", func(m *client.Message) { m.SuccessEvent = "" }, []string{
			"result true",
		}},
		{"no such file", "", func(m *client.Message) { m.MessageFile = "/no/such/file" }, []string{
			"result false",
			"failure: context, map[MessageFile_Error:[/no/such/file not found!]], <nil>, " +
				"MessageFile_Error: /no/such/file not found!",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t, sim.Options{})
			mta := p.mta()
			mta.answer = func(_ *caller, verb string) string {
				if verb == "RCPT" {
					return test.answer
				}
				return ""
			}
			log := func(v any) string {
				if lines, ok := v.([]string); ok {
					return fmt.Sprintf("%d lines", len(lines))
				}
				return fmt.Sprint(v)
			}
			m := message()
			m.Context, m.ResultEvent = "context", "result"
			m.SuccessEvent, m.FailureEvent = "success", "failure"
			test.change(&m)
			p.k.Create(session.Events{
				kernel.Start: func(e *kernel.Event) { client.Send(e.Session, m) },
				"result": session.On(func(_ *kernel.Event, r *client.Result) {
					p.note("result %v", r.OK())
					if r.Message.Context != "context" {
						t.Errorf("the result is of %v", r.Message.Context)
					}
					mta.close()
				}),
				"success": func(e *kernel.Event) {
					p.note("success: %v, %v", e.Args[0], log(e.Args[1]))
				},
				"failure": func(e *kernel.Event) {
					p.note("failure: %v, %v, %v, %v",
						e.Args[0], e.Args[1], log(e.Args[2]), e.Args[3])
				},
				kernel.Default: func(e *kernel.Event) {
					if e.Args[0] != kernel.Child && e.Args[0] != kernel.Stop {
						p.note("unknown %v", e.Args[0])
					}
				},
			})
			p.run()
			p.want(test.want...)
		})
	}
}

// What would be a command of its own on the wire is refused before anything is opened.
func TestInjection(t *testing.T) {
	for name, change := range map[string]func(m *client.Message, evil string){
		"From": func(m *client.Message, evil string) { m.From = "a" + evil + "@example.com" },
		"To": func(m *client.Message, evil string) {
			m.To = []string{"b@x", "c@x>" + evil + "RSET"}
		},
		"MyHostname": func(m *client.Message, evil string) {
			m.MyHostname = "client" + evil + "NOOP"
		},
		"User": func(m *client.Message, evil string) {
			m.Auth = &client.Auth{Mechanism: "PLAIN", User: "me\x00" + evil, Password: "x"}
		},
		"Password": func(m *client.Message, evil string) {
			m.Auth = &client.Auth{Mechanism: "PLAIN", User: "me", Password: evil + "\x00"}
		},
		"Timeout":  func(m *client.Message, _ string) { m.Timeout = -time.Second },
		"empty To": func(m *client.Message, _ string) { m.To = []string{"b@example.com", ""} },
		"Mechanism": func(m *client.Message, evil string) {
			m.Auth = &client.Auth{Mechanism: evil}
		},
	} {
		for _, evil := range []string{"\r\n", "\r", "\n", "\x00", "\x1b", "\x7f"} {
			for _, compat := range []bool{false, true} {
				p, l := counted(t)
				m := message()
				m.Compat, m.ResultEvent = compat, "result"
				change(&m, evil)
				p.k.Create(session.Events{
					kernel.Start: func(e *kernel.Event) { client.Send(e.Session, m) },
					"result": session.On(func(_ *kernel.Event, r *client.Result) {
						p.note("%s at %s, temporary %v, recipients %d", r.Err.Kind, r.Err.Stage,
							r.Err.Temporary(), len(r.Recipients))
						if line := r.Err.ReasonLine(); strings.ContainsAny(line, "\r\n\x00\x1b") {
							t.Errorf("%s with %q: the reason is %q", name, evil, line)
						}
					}),
				})
				p.run()
				p.want(fmt.Sprintf("Configure at configure, temporary false, recipients %d",
					len(m.To)))
				if l.opened != 0 {
					t.Errorf("%s with %q: %d sockets were opened", name, evil, l.opened)
				}
			}
		}
	}
}

// There is no connection, for one reason or another, and none is left behind.
func TestNoConnection(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(m *client.Message)
		want   string
	}{
		{"refused", func(m *client.Message) {},
			"failed for now: POE::Wheel::SocketFactory: connect: " +
				"connect tcp4 127.0.0.1:25: connection refused"},
		{"nobody there", func(m *client.Message) { m.Server = "192.0.2.1" },
			"failed for now: Timeout: connect: nothing happened for 10s"},
		{"unknown host", func(m *client.Message) { m.Server = "nowhere.example" },
			"failed for now: POE::Wheel::SocketFactory: connect: " +
				"lookup nowhere.example: no such host"},
		{"slow lookup", func(m *client.Message) { m.Server, m.Timeout = "localhost", time.Second },
			"failed for now: Timeout: connect: nothing happened for 1s"},
		{"foreign address", func(m *client.Message) { m.BindAddress = "10.0.0.2" },
			"failed for now: POE::Wheel::SocketFactory: connect: " +
				"bind tcp4 10.0.0.2:0: cannot assign requested address"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t, sim.Options{WorkTime: 5 * time.Second})
			p.world.NewMachine() // which has 10.0.0.2
			p.world.BlackHole(netip.MustParsePrefix("192.0.2.0/24"))
			m := message()
			test.change(&m)
			p.sender(m)
			p.run()
			p.want("b@example.com deferred", test.want)
		})
	}
}

// Each step is told, in order, and nothing after the result but the goodbye.
func TestProgress(t *testing.T) {
	p := newPlace(t, sim.Options{})
	p.serve(`
S: 220 mx.example.org ESMTP
C: EHLO client.example.com
S: 250-mx.example.org
S: 250 AUTH PLAIN
C: AUTH PLAIN AG1lAHMzY3JldA==
S: 235 Welcome
C: MAIL FROM:<a@example.com>
S: 250 Ok
C: RCPT TO:<b@example.com>
S: 250 Ok
C: DATA
S: 354 Go ahead
C: Subject: test
C: 
C: hello
C: .
S: 250 Queued
C: QUIT
S: 221 Bye
`)
	m := message()
	m.Auth = &client.Auth{Mechanism: "plain", User: "me", Password: "s3cret"}
	m.ResultEvent, m.Progress, m.TransactionLog = "result", "progress", true
	m.Context = 42
	var log []string
	answered := make(map[string]int)
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { client.Send(e.Session, m) },
		"progress": session.On(func(_ *kernel.Event, step *client.Progress) {
			p.note("%s %q %q %d", step.Stage, step.Sent, step.Got, step.Octets)
			if step.Sent != "" {
				answered[step.Sent] = step.Answered
			}
			if step.Context != 42 {
				t.Errorf("the step is of %v", step.Context)
			}
		}),
		"result": session.On(func(_ *kernel.Event, r *client.Result) {
			p.note("result %v", r.OK())
			log = r.Log
		}),
	})
	p.run()
	p.want(
		`connect "" "" 0`,
		`greeting "" "220 mx.example.org ESMTP" 0`,
		`hello "EHLO client.example.com" "" 0`,
		`hello "" "250-mx.example.org" 0`,
		`hello "" "250 AUTH PLAIN" 0`,
		`auth "AUTH PLAIN ********" "" 0`,
		`auth "" "235 Welcome" 0`,
		`mail "MAIL FROM:<a@example.com>" "" 0`,
		`mail "" "250 Ok" 0`,
		`rcpt "RCPT TO:<b@example.com>" "" 0`,
		`rcpt "" "250 Ok" 0`,
		`data "DATA" "" 0`,
		`data "" "354 Go ahead" 0`,
		`final "" "" 24`,
		`final "" "250 Queued" 24`,
		`result true`,
		`quit "QUIT" "" 24`,
		`quit "" "221 Bye" 24`,
	)
	for command, want := range map[string]int{"EHLO client.example.com": 0, "DATA": 1, "QUIT": 1} {
		if answered[command] != want {
			t.Errorf("at %s %d recipients are answered, want %d", command, answered[command], want)
		}
	}
	want := []string{
		"<- 220 mx.example.org ESMTP", "-> EHLO client.example.com",
		"<- 250-mx.example.org", "<- 250 AUTH PLAIN",
		"-> AUTH PLAIN ********", "<- 235 Welcome",
		"-> MAIL FROM:<a@example.com>", "<- 250 Ok",
		"-> RCPT TO:<b@example.com>", "<- 250 Ok",
		"-> DATA", "<- 354 Go ahead",
		"-> Subject: test\r\n\r\nhello\r\n.", "<- 250 Queued",
	}
	if !slices.Equal(log, want) {
		t.Errorf("log\n\t%s\nwant\n\t%s", strings.Join(log, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// Of a long text, a log has the beginning.
func TestLogOfLongText(t *testing.T) {
	p := newPlace(t, sim.Options{})
	mta := p.mta()
	m := message()
	m.Body = bytes.Repeat([]byte("0123456789\r\n"), 100_000)
	m.TransactionLog, m.ResultEvent = true, "result"
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { client.Send(e.Session, m) },
		"result": session.On(func(_ *kernel.Event, r *client.Result) {
			text := r.Log[len(r.Log)-2]
			p.note("%d bytes, %q", len(text), text[len(text)-15:])
			mta.close()
		}),
	})
	p.run()
	p.want(`65545 bytes, "789\r\n0123 [...]"`)
}

// When too much slow work waits, a file cannot be read, for now.
func TestTooMuchWork(t *testing.T) {
	p := newPlace(t, sim.Options{WorkTime: time.Second})
	var err error
	p.k, err = kernel.New(kernel.Options{Loop: p.world, Log: p.k.Log(), Workers: 1, MaxWork: 1})
	if err != nil {
		t.Fatal(err)
	}
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			for range 2 {
				e.Session.Work(func(context.Context) (any, error) { return nil, nil }, "worked")
			}
		},
		"worked": func(*kernel.Event) {},
	})
	m := message()
	m.MessageFile = os.DevNull
	p.sender(m)
	p.run()
	p.want("b@example.com deferred", "failed for now: POE::Wheel::ReadWrite: configure: "+
		"kernel: too much slow work waits")
}

// A reply that never ends costs no more than its limit, and is a failure.
func TestEndlessReply(t *testing.T) {
	for _, test := range []struct {
		name   string
		piece  string
		compat bool
		want   string
	}{
		{"lines", "220-and so on\r\n", false,
			`failed for now: SMTP_Server_Error: greeting: the server said "220-and so on"`},
		{"lines, compat", "220-and so on\r\n", true,
			`failed for now: SMTP_Server_Error: greeting: the server said "220-and so on"`},
		{"one line", "220 and so on", false,
			`failed for now: SMTP_Server_Error: greeting: the server said "(a line without end)"`},
		{"one line, compat", "220 and so on", true,
			`failed for now: SMTP_Server_Error: greeting: the server said "(a line without end)"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t, sim.Options{})
			mta := p.mta()
			sent := 0
			mta.answer = func(c *caller, _ string) string {
				s := p.k.ActiveSession()
				s.State("more", func(e *kernel.Event) {
					if c.rw != nil && sent < 10<<20 {
						sent += len(test.piece)
						c.rw.PutString(test.piece)
						e.Session.Delay("more", time.Millisecond)
					}
				})
				s.Yield("more")
				mta.close()
				return "220-mx.example.org"
			}
			m := message()
			m.Compat = test.compat
			p.sender(m)
			p.run()
			p.want("b@example.com deferred", test.want)
			if sent > 64<<10 {
				t.Errorf("the server could send %d bytes", sent)
			}
		})
	}
}

// A message of any length is read no faster than it is sent, and arrives whole.
func TestLargeMessage(t *testing.T) {
	const size = 20 << 20
	p := newPlace(t, sim.Options{Latency: time.Millisecond})
	mta := p.mta()
	source := &lines{left: size}
	received, most := 0, 0
	mta.text = func(c *caller, n int) {
		received += n
		most = max(most, source.given-received)
		c.message = c.message[max(0, len(c.message)-100):] // the server has no room for all of it
	}
	m := message()
	m.FileHandle, m.ResultEvent = source, "result"
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { client.Send(e.Session, m) },
		"result": session.On(func(_ *kernel.Event, r *client.Result) {
			p.note("ok %v", r.OK())
			mta.close()
		}),
	})
	p.run()
	p.want("ok true")
	if received < size {
		t.Errorf("the server received %d bytes, want at least %d", received, size)
	}
	if most > 1<<20 {
		t.Errorf("%d bytes were read that had not arrived", most)
	}
}

// A lines reads lines of text.
type lines struct {
	left  int   // bytes
	given int   // bytes
	err   error // at the end, instead of io.EOF
}

func (l *lines) Read(p []byte) (int, error) {
	const line = "The quick brown fox jumps over the lazy dog.\n"
	n := 0
	for n < len(p) && l.left > 0 {
		m := copy(p[n:min(len(p), n+l.left)], line[l.given%len(line):])
		n, l.given, l.left = n+m, l.given+m, l.left-m
	}
	if n == 0 {
		return 0, cmp.Or(l.err, io.EOF)
	}
	return n, nil
}

// A text that cannot be read to its end is not sent to its end: no server takes it for a message.
func TestReaderFails(t *testing.T) {
	for _, size := range []int{0, 1000, 300_000, 1_000_000} {
		p := newPlace(t, sim.Options{})
		mta := p.mta()
		m := message()
		m.FileHandle, m.ResultEvent = &lines{left: size, err: syscall.EIO}, "result"
		p.k.Create(session.Events{
			kernel.Start: func(e *kernel.Event) { client.Send(e.Session, m) },
			"result": session.On(func(_ *kernel.Event, r *client.Result) {
				p.note("%s at %s: %v", r.Err.Kind, r.Err.Stage, errors.Is(r.Err, syscall.EIO))
				p.note("%s", r.Err.ReasonLine())
				mta.close()
			}),
		})
		p.run()
		p.want("POE::Wheel::ReadWrite at text: true",
			"POE::Wheel::ReadWrite: read, 5, input/output error, 0")
		if len(mta.messages) > 0 {
			t.Errorf("after %d bytes: the server got a message of %d", size, len(mta.messages[0]))
		}
	}
}

// A reader that panics is one that fails.
func TestReaderPanics(t *testing.T) {
	p := newPlace(t, sim.Options{})
	mta := p.mta()
	m := message()
	m.FileHandle, m.ResultEvent = panicking{}, "result"
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { client.Send(e.Session, m) },
		"result": session.On(func(_ *kernel.Event, r *client.Result) {
			p.note("%s at %s", r.Err.Kind, r.Err.Stage)
			mta.close()
		}),
	})
	p.run()
	p.want("POE::Wheel::ReadWrite at text")
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("as ordered") }

// A text that takes too long to read, or a file to open, is given up, and does not keep the
// session.
func TestSlowReader(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(m *client.Message)
		stage  client.Stage
	}{
		{"handle", func(m *client.Message) { m.FileHandle = &lines{left: 10} }, client.StageText},
		{"file", func(m *client.Message) { m.MessageFile = os.DevNull }, client.StageConfigure},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t, sim.Options{WorkTime: time.Hour})
			mta := p.mta()
			m := message()
			m.ResultEvent = "result"
			test.change(&m)
			p.k.Create(session.Events{
				kernel.Start: func(e *kernel.Event) { client.Send(e.Session, m) },
				"result": session.On(func(_ *kernel.Event, r *client.Result) {
					p.note("%s at %s", r.Err.Kind, r.Err.Stage)
					mta.close()
				}),
				kernel.Child: func(e *kernel.Event) {
					p.note("child %v at %v", e.Args[0], p.world.Elapsed())
				},
			})
			p.run()
			p.want("child create at 0s", fmt.Sprintf("Timeout at %s", test.stage),
				"child lose at 10s")
		})
	}
}

// The text comes from a file as it does from memory.
func TestMessageFile(t *testing.T) {
	dir := t.TempDir()
	unreadable := filepath.Join(dir, "unreadable")
	if err := os.WriteFile(unreadable, []byte("x"), 0o000); err != nil {
		t.Fatal(err)
	}
	_, err := os.ReadFile(unreadable)
	isRoot := err == nil
	for _, test := range []struct {
		name string
		path string
		text string
		want []string
	}{
		{name: "text", text: "one\n.two\nlast", want: []string{`got "one\r\n.two\r\nlast\r\n"`}},
		{name: "empty", text: "", want: []string{`got ""`}},
		{name: "missing", path: filepath.Join(dir, "none"), want: []string{
			"failed for good: MessageFile_Error: configure: " + dir + "/none not found!",
		}},
		{name: "unreadable", path: unreadable, want: []string{
			"failed for good: MessageFile_Error: configure: " + dir + "/unreadable not found!",
		}},
		{name: "directory", path: dir, want: []string{
			"failed for now: POE::Wheel::ReadWrite: configure: read " + dir + ": is a directory",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.path == unreadable && isRoot {
				t.Skip("this user can read all files")
			}
			p := newPlace(t, sim.Options{})
			mta := p.mta()
			m := message()
			m.ResultEvent = "result"
			if m.MessageFile = test.path; test.path == "" {
				m.MessageFile = filepath.Join(dir, test.name)
				if err := os.WriteFile(m.MessageFile, []byte(test.text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			p.k.Create(session.Events{
				kernel.Start: func(e *kernel.Event) { client.Send(e.Session, m) },
				"result": session.On(func(_ *kernel.Event, r *client.Result) {
					if r.Err != nil {
						p.note("%s", describe(r)[1])
					}
					mta.close()
				}),
			})
			p.run()
			for _, text := range mta.messages {
				p.note("got %q", text)
			}
			p.want(test.want...)
		})
	}
}

// A server may have enough of a text before its end. It gets no more of it then, least of all the
// end.
func TestRefusedHalfway(t *testing.T) {
	for _, test := range []struct {
		reply string
		want  string
	}{
		{"552 5.3.4 Too large", "final for good"},
		{"421 4.3.2 Shutting down", "final for now"},
		{"250 2.0.0 Queued", "text for now"}, // what a lie
	} {
		for _, inMemory := range []bool{false, true} {
			p := newPlace(t, sim.Options{Latency: time.Millisecond})
			mta := p.mta()
			said := false
			mta.text = func(c *caller, _ int) {
				if c.size > 100_000 && !said {
					said = true
					c.rw.PutString(test.reply + "\r\n")
					c.rw.PauseInput()
					p.k.ActiveSession().Delay("pause", time.Second)
				}
			}
			m := message()
			m.ResultEvent = "result"
			if inMemory {
				m.Body = bytes.Repeat([]byte("0123456789\n"), 100_000)
			} else {
				m.FileHandle = &lines{left: 1_000_000}
			}
			p.k.Create(session.Events{
				kernel.Start: func(e *kernel.Event) { client.Send(e.Session, m) },
				"result": session.On(func(_ *kernel.Event, r *client.Result) {
					often := "for good"
					if r.Err.Temporary() {
						often = "for now"
					}
					p.note("%s %s", r.Err.Stage, often)
					mta.close()
				}),
			})
			p.run()
			p.want(test.want)
			if len(mta.messages) > 0 {
				t.Errorf("%s: the server got a whole message", test.reply)
			}
		}
	}
}

// A server that takes a text slowly is not given up as long as it takes something. One that takes
// nothing is.
func TestSlowServer(t *testing.T) {
	for _, test := range []struct {
		pause time.Duration
		want  string
	}{
		{9 * time.Second, "ok true"},
		{21 * time.Second, "Timeout at text"},
	} {
		p := newPlace(t, sim.Options{Buffer: 10_000})
		mta := p.mta()
		mta.text = func(c *caller, n int) {
			c.rw.PauseInput()
			p.k.ActiveSession().Delay("pause", test.pause)
		}
		m := message()
		m.Body = bytes.Repeat([]byte("0123456789\n"), 30_000)
		m.ResultEvent = "result"
		p.k.Create(session.Events{
			kernel.Start: func(e *kernel.Event) { client.Send(e.Session, m) },
			"result": session.On(func(_ *kernel.Event, r *client.Result) {
				if r.Err == nil {
					p.note("ok %v", r.OK())
				} else {
					p.note("%s at %s", r.Err.Kind, r.Err.Stage)
				}
				mta.close()
			}),
		})
		p.run()
		p.want(test.want)
	}
}

// When the connection breaks while the text is being sent, what the server said before counts.
func TestResetWhileSending(t *testing.T) {
	for _, test := range []struct {
		name  string
		reply string
		want  string
	}{
		{"silent", "", "POE::Wheel::ReadWrite at text"},
		{"refused before", "552 Too large", "SMTP_Server_Error at final"},
		{"lied before", "250 Queued", "SMTP_Server_Error at text"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t, sim.Options{})
			mta := p.mta()
			mta.text = func(c *caller, _ int) {
				if c.size < 100_000 {
					return
				}
				if test.reply != "" {
					c.rw.PutString(test.reply + "\r\n")
					c.rw.Flush()
				}
				c.hangUp() // with input that it has not read, which resets the connection
			}
			m := message()
			m.Body = bytes.Repeat([]byte("0123456789\n"), 100_000)
			m.ResultEvent = "result"
			p.k.Create(session.Events{
				kernel.Start: func(e *kernel.Event) { client.Send(e.Session, m) },
				"result": session.On(func(_ *kernel.Event, r *client.Result) {
					p.note("%s at %s", r.Err.Kind, r.Err.Stage)
					mta.close()
				}),
			})
			p.run()
			p.want(test.want)
		})
	}
}

// A delivery that is stopped from outside has a result like any other, if there is anybody left to
// get it.
func TestStopped(t *testing.T) {
	for _, test := range []struct {
		name string
		stop func(p *place, owner, delivery *kernel.Session)
		want []string
	}{
		{"the delivery", func(p *place, _, delivery *kernel.Session) {
			p.k.Signal(delivery, "UIDESTROY")
		}, []string{
			"b@example.com deferred",
			"failed for now: Shutdown: hello: the session was stopped",
		}},
		{"the owner, with its child", func(p *place, owner, _ *kernel.Session) {
			p.k.Signal(owner, "UIDESTROY")
		}, nil},
		{"all", func(p *place, _, _ *kernel.Session) { p.k.Stop() }, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t, sim.Options{})
			mta := p.mta()
			var owner, delivery *kernel.Session
			mta.answer = func(c *caller, verb string) string {
				if verb == "EHLO" {
					test.stop(p, owner, delivery)
					mta.close()
				}
				return ""
			}
			m := message()
			m.ResultEvent, m.Alias = "result", "mailer"
			owner = p.k.Create(session.Events{
				kernel.Start: func(e *kernel.Event) { delivery, _ = client.Send(e.Session, m) },
				"result":     session.On(p.gotResult),
			})
			p.k.Create(session.Events{ // closes what the world's end leaves open
				kernel.Start: func(e *kernel.Event) { e.Session.Delay("over", time.Minute) },
				"over":       func(*kernel.Event) {},
			})
			if err := p.k.Run(t.Context()); err != nil {
				t.Error(err)
			}
			p.want(test.want...)
			if !delivery.Ended() {
				t.Error("the delivery goes on")
			}
		})
	}
}

// A name that is taken does not matter, and one that is free is taken until the end.
func TestAlias(t *testing.T) {
	p := newPlace(t, sim.Options{Latency: time.Millisecond})
	mta := p.mta()
	m := message()
	m.Alias, m.ResultEvent = "mailer", "result"
	left := 2
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			first, _ := client.Send(e.Session, m)
			client.Send(e.Session, m)
			who, err := p.k.AliasResolve(kernel.Alias("mailer"))
			p.note("the first has it %v %v", who == first, err)
		},
		"result": session.On(func(e *kernel.Event, r *client.Result) {
			p.note("ok %v", r.OK())
			if left--; left == 0 {
				mta.close()
				e.Session.Delay("look", time.Second)
			}
		}),
		"look": func(*kernel.Event) {
			_, err := p.k.AliasResolve(kernel.Alias("mailer"))
			p.note("nobody has it %v", errors.Is(err, kernel.ErrNoSession))
		},
	})
	p.run()
	p.want("the first has it true <nil>", "ok true", "ok true", "nobody has it true")
}

// The root has no use for a result.
func TestSendOutsideOfAnySession(t *testing.T) {
	p := newPlace(t, sim.Options{})
	if s, err := client.Send(p.k.Root(), message()); s != nil || err != client.ErrNoOwner {
		t.Errorf("got %v, %v, want %v", s, err, client.ErrNoOwner)
	}
	p.run()
}

// Whatever the world does, a message that is accepted has arrived, each has one result, and
// everything ends.
func TestVerdictSurvivesFaults(t *testing.T) {
	const messages = 10
	for seed := range uint64(60) {
		p := newPlace(t, sim.Options{
			Seed: seed, Latency: time.Millisecond, Jitter: 10 * time.Millisecond, Buffer: 2000,
			Faults: sim.Faults{
				Split: 0.5, Again: 0.2, Spurious: 0.2, Shuffle: true, Refuse: 0.1,
				SlowAccept: time.Second, Reset: 0.02,
			},
		})
		mta := p.mta()
		results := make(map[int]*client.Result)
		body := func(i int) string { return strings.Repeat(fmt.Sprintf("message %d\r\n", i), 500) }
		p.k.Create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				for i := range messages {
					m := message()
					m.Body, m.Context, m.ResultEvent = []byte(body(i)), i, "result"
					client.Send(e.Session, m)
				}
			},
			"result": session.On(func(_ *kernel.Event, r *client.Result) {
				i := r.Message.Context.(int)
				if results[i] != nil {
					t.Errorf("seed %d: message %d has two results", seed, i)
				}
				if results[i] = r; len(results) == messages {
					mta.close()
				}
			}),
		})
		p.run()
		if len(results) != messages {
			t.Errorf("seed %d: %d results, want %d", seed, len(results), messages)
		}
		for i, r := range results {
			arrived := slices.Contains(mta.messages, body(i))
			if r.OK() && !arrived {
				t.Errorf("seed %d: message %d was accepted, and has not arrived", seed, i)
			}
			var w *wheel.Error
			if r.Err != nil && !errors.As(r.Err, &w) {
				t.Errorf("seed %d: message %d: %v", seed, i, r.Err)
			}
		}
	}
}
