package v002_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-poe/poe/component/smtp/client/v002"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/chat"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// A place is a kernel in a simulated world, and what happened there, line by line.
type place struct {
	*testing.T
	world *sim.World
	k     *kernel.Kernel
	lines []string
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{T: t, world: sim.NewWorld()}
	var err error
	if p.k, err = kernel.New(kernel.Options{Loop: p.world}); err != nil {
		t.Fatal(err)
	}
	return p
}

// serve plays the server of a conversation.
func (p *place) serve(text string) {
	p.Helper()
	chat.Serve(p.T, p.k.Root(), "25", chat.Parse(p.T, p.Name(), text))
}

// send sends a message, and notes the events that come of it.
func (p *place) send(m v002.Message) {
	p.Helper()
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			if _, err := v002.Send(e.Session, m); err != nil {
				p.Error(err)
			}
		},
		"sent":     p.noteEvent,
		"not_sent": p.noteEvent,
	})
	if err := p.k.Run(p.Context()); err != nil {
		p.Errorf("Run: %v\n%v", err, p.k.WhyAlive())
	}
}

// noteEvent notes an event with its arguments. Of a wheel's number, it notes that there is one.
func (p *place) noteEvent(e *kernel.Event) {
	line := e.Name
	for _, arg := range e.Args {
		switch arg := arg.(type) {
		case wheel.ID:
			line += " wheel"
		case string:
			line += fmt.Sprintf(" %q", arg)
		default:
			line += fmt.Sprint(" ", arg)
		}
	}
	p.note("%s", line)
}

// note keeps one line.
func (p *place) note(format string, args ...any) {
	p.lines = append(p.lines, fmt.Sprintf(format, args...))
}

// want checks what was noted.
func (p *place) want(lines ...string) {
	p.Helper()
	if !slices.Equal(p.lines, lines) {
		p.Errorf("got\n\t%s\nwant\n\t%s",
			strings.Join(p.lines, "\n\t"), strings.Join(lines, "\n\t"))
	}
}

// message returns a message to the server of the test.
func message() v002.Message {
	return v002.Message{
		Server: "127.0.0.1", EHLO: "client.example.com",
		Sender: "a@example.com", Recipient: "b@example.com",
		Data:         "hello\n",
		SuccessEvent: "sent", FailureEvent: "not_sent",
	}
}
