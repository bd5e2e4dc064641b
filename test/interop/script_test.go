//go:build interop

package interop

import (
	"bufio"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A stage is a moment of the dialogue at which the server speaks.
type stage string

// The stages, in their order. A greeting by EHLO counts as HELO.
const (
	banner stage = "banner"
	helo   stage = "HELO"
	mail   stage = "MAIL"
	rcpt   stage = "RCPT"
	data   stage = "DATA"
	dot    stage = "dot"
	quit   stage = "QUIT"
)

var stages = []stage{banner, helo, mail, rcpt, data, dot, quit}

// afterwards says whether the message has been accepted when the stage is reached, so that nothing
// that happens there makes the delivery a failure.
func (s stage) afterwards() bool { return s == quit }

// An answer is what a server does at a stage: it sends the reply, if there is one, and then may
// hang up. With neither it falls silent: it reads on and says nothing more.
type answer struct {
	reply  string
	hangUp bool
}

// fine is how a server answers that has nothing against the message.
func fine(s stage) answer {
	switch s {
	case banner:
		return answer{reply: "220 scripted server"}
	case data:
		return answer{reply: "354 go ahead"}
	case quit:
		return answer{reply: "221 bye", hangUp: true}
	default:
		return answer{reply: "250 fine"}
	}
}

// fineBut returns a script that does something else at one stage.
func fineBut(at stage, does answer) func(stage) answer {
	return func(s stage) answer {
		if s == at {
			return does
		}
		return fine(s)
	}
}

// A server plays a script to each client, and keeps what they say.
type server struct {
	addr     string
	listener net.Listener
	script   func(stage) answer
	clients  sync.WaitGroup

	mu       sync.Mutex
	count    int      // of clients
	commands []string // the command lines, in their order
	stuck    bool     // a client did not hang up in time
}

// serve starts a server that ends with the test.
func serve(t *testing.T, script func(stage) answer) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{addr: l.Addr().String(), listener: l, script: script}
	s.clients.Go(s.accept)
	t.Cleanup(func() { s.close() })
	return s
}

// accept takes the clients until the server is closed.
func (s *server) accept() {
	for {
		client, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.count++
		s.mu.Unlock()
		s.clients.Go(func() { s.play(client) })
	}
}

// close ends the server and waits until its clients have gone.
func (s *server) close() {
	_ = s.listener.Close() // a second time it fails, which is as well
	s.clients.Wait()
}

// play answers one client until one side hangs up.
func (s *server) play(client net.Conn) {
	defer client.Close()
	if err := client.SetDeadline(time.Now().Add(patience)); err != nil {
		return
	}
	in := bufio.NewReader(client)
	for reached := banner; ; {
		a := s.script(reached)
		if a.reply != "" {
			if _, err := io.WriteString(client, a.reply+"\r\n"); err != nil {
				return
			}
		}
		var err error
		switch {
		case a.hangUp:
			return
		case a.reply == "":
			_, err = io.Copy(io.Discard, in)
			s.lost(err)
			return
		case reached == data && strings.HasPrefix(a.reply, "354"):
			reached, err = dot, readText(in)
		default:
			reached, err = s.hear(in)
		}
		if err != nil {
			s.lost(err)
			return
		}
	}
}

// lost notes a client that is still there when the test has waited long enough.
func (s *server) lost(err error) {
	if failed, ok := errors.AsType[net.Error](err); ok && failed.Timeout() {
		s.mu.Lock()
		s.stuck = true
		s.mu.Unlock()
	}
}

// hear reads one command and returns the stage that it leads to.
func (s *server) hear(in *bufio.Reader) (stage, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimSuffix(line, "\r\n")
	s.mu.Lock()
	s.commands = append(s.commands, line)
	s.mu.Unlock()
	verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
	if verb == "EHLO" {
		return helo, nil
	}
	return stage(verb), nil
}

// readText reads the text of a message and its end.
func readText(in *bufio.Reader) error {
	for begins := true; ; {
		piece, err := in.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull {
			return err
		}
		if begins && string(piece) == ".\r\n" {
			return nil
		}
		begins = err == nil
	}
}

// heard waits until all clients have gone and returns how many there were and what they said.
func (s *server) heard(t *testing.T) (clients int, commands []string) {
	t.Helper()
	s.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stuck {
		t.Error("a client did not hang up")
	}
	return s.count, slices.Clone(s.commands)
}
