package client_test

import (
	"bytes"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// A backdrop is a Loop with nothing behind it: each of its sockets is the server, too, and has its
// answer ready as soon as something is written. It takes no memory for that, so all that is measured
// is the client's.
type backdrop struct {
	kernel.Loop // nobody asks for the rest of it
	offers      string
	now         time.Time
	sockets     []*backdropSocket
}

func (b *backdrop) Now() time.Time { return b.now }
func (b *backdrop) Wake()          {}

func (b *backdrop) Socket(string) (kernel.Socket, error) {
	s := &backdropSocket{offers: b.offers, fd: len(b.sockets)}
	s.in = append(s.in, "220 mx.example.org ESMTP\r\n"...)
	b.sockets = append(b.sockets, s)
	return s, nil
}

func (b *backdrop) Watch(fd int, want kernel.Mode) error {
	b.sockets[fd].want = want
	return nil
}

func (b *backdrop) Run(ready func(int, kernel.Mode), pass func() (time.Duration, bool)) error {
	for {
		wait, more := pass()
		if !more {
			return nil
		}
		idle := true
		for _, s := range b.sockets {
			if s.want&kernel.Write != 0 {
				idle = false
				ready(s.fd, kernel.Write)
			}
			if s.want&kernel.Read != 0 && len(s.in) > 0 {
				idle = false
				ready(s.fd, kernel.Read)
			}
		}
		if idle {
			b.now = b.now.Add(max(wait, 0))
		}
	}
}

// A backdropSocket answers what is written to it. It gets whole commands, and whole texts.
type backdropSocket struct {
	kernel.Socket // nobody asks for the rest of it
	offers        string
	fd            int
	want          kernel.Mode
	in            []byte // its answers
	text          bool   // DATA has come
}

func (s *backdropSocket) FD() int                                   { return s.fd }
func (s *backdropSocket) Connect(net.Addr) error                    { return nil }
func (s *backdropSocket) ConnectError() error                       { return nil }
func (s *backdropSocket) LocalAddr() (net.Addr, error)              { return &net.TCPAddr{}, nil }
func (s *backdropSocket) RemoteAddr() (net.Addr, error)             { return &net.TCPAddr{}, nil }
func (s *backdropSocket) SetOption(kernel.SocketOption, bool) error { return nil }
func (s *backdropSocket) CloseRead() error                          { return nil }
func (s *backdropSocket) CloseWrite() error                         { return nil }

func (s *backdropSocket) Close() error {
	s.want = 0
	return nil
}

func (s *backdropSocket) Read(p []byte) (int, error) {
	if len(s.in) == 0 {
		return 0, kernel.ErrAgain
	}
	n := copy(p, s.in)
	s.in = s.in[:copy(s.in, s.in[n:])]
	return n, nil
}

func (s *backdropSocket) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		if s.text {
			_, rest, _ = bytes.Cut(rest, []byte("\r\n.\r\n"))
			s.text = false
			s.in = append(s.in, "250 2.0.0 Queued\r\n"...)
			continue
		}
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		rest = rest[s.command(line):]
	}
	return len(p), nil
}

// command answers a command, and returns the length of the text that follows it.
func (s *backdropSocket) command(line []byte) (text int) {
	answer := "250 2.1.0 Ok\r\n"
	switch string(line[:4]) {
	case "EHLO":
		answer = s.offers
	case "DATA":
		answer = "354 Go ahead\r\n"
		s.text = true
	case "BDAT":
		text, _ = strconv.Atoi(string(bytes.TrimSuffix(line[len("BDAT "):], []byte(" LAST"))))
	case "QUIT":
		answer = "221 2.0.0 Bye\r\n"
	}
	s.in = append(s.in, answer...)
	return text
}

// sendMany sends messages to a server with these offers, over kept connections.
func sendMany(tb testing.TB, offers string, messages, connections int) {
	tb.Helper()
	k, err := kernel.New(kernel.Options{Loop: &backdrop{offers: offers, now: time.Unix(1e9, 0)}})
	if err != nil {
		tb.Fatal(err)
	}
	m := &client.Message{
		From: "from@example.com", To: []string{"to@example.org"}, ResultEvent: "result",
		Body: []byte(strings.Repeat("0123456789 0123456789 0123456789 0123456789 0123456789\r\n", 73)),
	}
	to, err := client.Spawn(k.Root(), client.Options{
		Alias: mail, MaxConnections: connections, MaxDeliveries: connections,
		MessagesPerConnection: messages, MaxWaiting: 32 * connections,
		Defaults: client.Message{Server: "127.0.0.1", Port: "25"},
	})
	if err != nil {
		tb.Fatal(err)
	}
	begun, done := 0, 0
	post := func(e *kernel.Event) {
		if begun++; begun <= messages {
			_ = e.Session.Post(to, "send", m)
		}
	}
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			for range 32 * connections {
				post(e)
			}
		},
		"result": session.On(func(e *kernel.Event, r *client.Result) {
			if !r.OK() {
				tb.Errorf("message %d: %v", done, r.Err)
				e.Kernel.Stop()
			}
			if done++; done == messages {
				_ = e.Session.Post(to, "smtp_shutdown")
			}
			post(e)
		}),
	})
	if err := k.Run(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	if done != messages {
		tb.Fatalf("%d messages are done, want %d", done, messages)
	}
}

// The offers of a server, as its answer to EHLO.
const (
	offersUsual    = "250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 104857600\r\n250 8BITMIME\r\n"
	offersChunking = "250-mx.example.org\r\n250-CHUNKING\r\n250 PIPELINING\r\n"
)

// A message over a kept connection takes two pieces of memory: one for the work, and one that
// whoever posts it gets.
func TestKeptConnectionAllocates(t *testing.T) {
	for _, offers := range []string{offersUsual, offersChunking} {
		run := func(messages int) float64 {
			return testing.AllocsPerRun(1, func() { sendMany(t, offers, messages, 4) })
		}
		const few, many = 1000, 11_000
		per := (run(many) - run(few)) / (many - few)
		if per > 2.1 {
			t.Errorf("%q: a message takes %.2f allocations, want 2 at the most", offers, per)
		}
	}
}

func BenchmarkKeptConnection(b *testing.B) {
	for _, connections := range []int{10, 1000} {
		for name, offers := range map[string]string{"PIPELINING": offersUsual, "CHUNKING": offersChunking} {
			b.Run(fmt.Sprintf("%s/%d", name, connections), func(b *testing.B) {
				b.ReportAllocs()
				sendMany(b, offers, b.N, connections)
			})
		}
	}
}
