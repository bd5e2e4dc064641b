package chat

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// Serve plays the server of a conversation, to the first client that connects to the port, and to the
// next after it if there is more to say. It ends when the last client hangs up, or the conversation
// says that the server does.
//
// Lines of the server's that follow each other are sent at once. The conversation has to go as
// written: what the client says besides, and a client that hangs up while there is more to come,
// fails the test.
func Serve(t testing.TB, parent *kernel.Session, port string, c *Chat) *kernel.Session {
	p := &server{TB: t, chat: c, steps: c.Steps}
	return parent.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { p.start(e, port) },
		"connected":  session.On(p.connected),
		"failed":     session.On(p.failed),
		"got_line":   session.On(p.gotLine),
		"go_on":      func(*kernel.Event) { p.goOn() },
	})
}

// A server is the server of a conversation.
type server struct {
	testing.TB
	chat     *Chat
	steps    []Step // what is to come
	heard    []string
	s        *kernel.Session
	listener *wheel.SocketFactory
	rw       *wheel.ReadWrite
	over     bool
	deaf     bool
}

func (p *server) start(e *kernel.Event, port string) {
	p.s = e.Session
	p.listener = wheel.NewSocketFactory(e.Session, wheel.SocketFactoryOptions{
		BindPort: port, Reuse: true, SuccessEvent: "connected", FailureEvent: "failed",
	})
}

func (p *server) connected(e *kernel.Event, c *wheel.Connection) {
	switch {
	case p.rw == nil || p.over:
	case len(p.steps) > 1 && p.steps[0].Kind == ClientHangUp:
		p.steps = p.steps[1:] // it may show later than that another one comes
		p.rw.Close()
	default:
		p.Errorf("%s: another client comes, want %s", p.chat.Name, p.want())
	}
	if !p.more() {
		p.listener.Close()
	}
	p.over, p.deaf = false, false
	var err error
	p.rw, err = wheel.NewReadWrite(e.Session, wheel.ReadWriteOptions{
		Handle:       c.Socket,
		InputFilter:  filter.NewLine(filter.LineOptions{Literal: "\r\n"}),
		OutputFilter: filter.NewStream(filter.StreamOptions{}),
		InputEvent:   "got_line",
		ErrorEvent:   "failed",
	})
	if err != nil {
		p.Error(err)
		return
	}
	p.goOn()
}

// more reports whether there is to be another client after this one.
func (p *server) more() bool {
	ends := 0
	for _, step := range p.steps {
		if step.Kind == ServerHangUp || step.Kind == ClientHangUp {
			ends++
		}
	}
	return ends > 1
}

// goOn does what the server does until it has to wait for the client.
func (p *server) goOn() {
	for len(p.steps) > 0 && !p.over {
		switch next := p.steps[0]; next.Kind {
		case Server:
			_ = p.rw.PutString(next.Text) // a client that is gone shows in what it does not say
		case ServerHangUp:
			p.rw.Finish()
			p.over = true
		case Deaf:
			p.deaf = true
		case StartTLS:
			err := p.rw.StartTLS(wheel.TLSOptions{Config: ServerTLS(p.s.Kernel().Now), Server: true})
			if err != nil {
				p.Errorf("%s: line %d: %v", p.chat.Name, next.Line, err)
			}
		case Time:
			p.steps = p.steps[1:]
			p.s.Delay("go_on", next.Wait)
			return
		default:
			return
		}
		p.steps = p.steps[1:]
	}
}

func (p *server) gotLine(_ *kernel.Event, in *wheel.Input) {
	if p.over || p.deaf {
		return
	}
	got := string(in.Bytes)
	p.heard = append(p.heard, got)
	if len(p.steps) == 0 || p.steps[0].Kind != Client || p.steps[0].Text != got {
		p.Errorf("%s: the client said %q, want %s; it said:\n%s",
			p.chat.Name, got, p.want(), strings.Join(p.heard, "\n"))
		p.close()
		return
	}
	p.steps = p.steps[1:]
	p.goOn()
}

// want says what is to come.
func (p *server) want() string {
	if len(p.steps) == 0 {
		return "nothing"
	}
	next := p.steps[0]
	switch next.Kind {
	case Client:
		return fmt.Sprintf("%q of line %d", next.Text, next.Line)
	case ClientHangUp:
		return fmt.Sprintf("it to hang up, at line %d", next.Line)
	default:
		return fmt.Sprintf("it to wait for line %d", next.Line)
	}
}

// failed is how the client hangs up.
func (p *server) failed(_ *kernel.Event, failed *wheel.Error) {
	switch {
	case p.rw == nil:
		p.Errorf("%s: the server cannot listen: %v", p.chat.Name, failed)
	case failed.Wheel != p.rw.ID():
		return // it is of a client that was there before
	case len(p.steps) > 0 && p.steps[0].Kind != ClientHangUp:
		p.Errorf("%s: the client hung up, want %s; it said:\n%s",
			p.chat.Name, p.want(), strings.Join(p.heard, "\n"))
	case len(p.steps) > 1:
		p.steps = p.steps[1:]
		p.rw.Close()
		p.over = true
		return // for another client
	}
	p.close()
}

func (p *server) close() {
	p.over = true
	p.listener.Close()
	if p.rw != nil {
		p.rw.Close()
	}
	p.s.AlarmRemoveAll()
}
