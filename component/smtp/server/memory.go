package server

import (
	"fmt"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/kernel"
)

// DefaultMaxHeld is how much a Memory holds, in octets.
const DefaultMaxHeld = 256 << 20

// MemoryOptions are the options of a Memory. To and Event have no default.
type MemoryOptions struct {
	To    kernel.Target // gets the messages
	Event string        // *Mail: a message is complete

	// MaxHeld is how many octets of text all messages together may have that are not complete. 0
	// means DefaultMaxHeld. What would exceed it is refused for now.
	MaxHeld int64
}

// A Mail is a message in memory. It is the receiver's.
type Mail struct {
	Envelope
	Text []byte
}

// A Memory is the Sink that holds messages in memory, and posts each to a session when it is
// complete. It counts as stored when it is posted. A Memory belongs to one kernel.
type Memory struct {
	opts MemoryOptions
	held int64
}

// NewMemory returns a Memory that holds nothing.
func NewMemory(opts MemoryOptions) *Memory {
	switch {
	case opts.To == nil || opts.Event == "":
		panic("server: MemoryOptions has no To or no Event")
	case opts.MaxHeld < 0:
		panic("server: MemoryOptions has a limit below 0")
	case opts.MaxHeld == 0:
		opts.MaxHeld = DefaultMaxHeld
	}
	return &Memory{opts: opts}
}

// errNoRoom refuses a message for now: there will be room when others are complete.
var errNoRoom error = reply(smtp.CodeNoStorage, smtp.EnhancedCode{4, 3, 1},
	"Too many messages at once")

// Begin begins to hold a message.
func (m *Memory) Begin(s *kernel.Session, env *Envelope) (Message, error) {
	return &letter{memory: m, s: s, mail: &Mail{Envelope: *env}}, nil
}

// A letter is a message that a Memory holds.
type letter struct {
	memory *Memory
	s      *kernel.Session
	mail   *Mail
}

func (l *letter) Write(p []byte, done func(error)) {
	if l.memory.held+int64(len(p)) > l.memory.opts.MaxHeld {
		done(errNoRoom)
		return
	}
	l.memory.held += int64(len(p))
	l.mail.Text = append(l.mail.Text, p...)
	done(nil)
}

func (l *letter) Commit(done func(error)) {
	err := l.s.Post(l.memory.opts.To, l.memory.opts.Event, l.mail)
	if err != nil {
		err = fmt.Errorf("nobody takes the message: %w", err)
	}
	l.Abort()
	done(err)
}

func (l *letter) Abort() {
	l.memory.held -= int64(len(l.mail.Text))
	l.mail = nil
}
