package server

import (
	"context"
	"fmt"

	"github.com/go-poe/poe/kernel"
)

// A storer stores one message, and may block. It is used on goroutines other than the kernel's, by
// one at a time: write any number of times, then commit. After an error, or instead of commit,
// comes abort, perhaps twice; after a commit that succeeded, abort does nothing.
type storer interface {
	write(p []byte) error
	commit() error
	abort()
}

// slowPiece is how much text is gathered before it is worth a trip to another goroutine, in octets.
// A message that is no longer takes one trip.
const slowPiece = 64 << 10

// A slow is a Message whose storer works elsewhere: each piece of its work is one of the session's.
type slow struct {
	s       *kernel.Session
	storer  storer
	event   string // of its own: a piece of work is done
	pending []byte // text that the storer has not been given
	done    func(error)
	working bool
	begun   bool // the storer may have something to clean up
	aborted bool
}

// newSlow returns a Message on behalf of s. The kind is a word for traces.
func newSlow(s *kernel.Session, kind string, st storer) *slow {
	m := &slow{s: s, storer: st}
	m.event = fmt.Sprintf("%s %d worked", kind, s.Kernel().NextWheelID())
	s.State(m.event, m.worked)
	return m
}

// Write gathers p, or has what was gathered written, and p too.
func (m *slow) Write(p []byte, done func(error)) {
	if len(m.pending)+len(p) <= slowPiece {
		m.pending = append(m.pending, p...)
		done(nil)
		return
	}
	first := m.pending
	m.pending = first[:0] // nobody appends to it before the work is done
	m.work(done, func() error {
		if err := m.storer.write(first); err != nil {
			return err
		}
		return m.storer.write(p)
	})
}

// Commit has the rest written, and all of it stored.
func (m *slow) Commit(done func(error)) {
	last := m.pending
	m.pending = nil
	stored := func(err error) {
		m.begun = err != nil
		m.cleanUp()
		done(err)
	}
	m.work(stored, func() error {
		if err := m.storer.write(last); err != nil {
			return err
		}
		return m.storer.commit()
	})
}

// Abort has the storer clean up when what it does now is done.
func (m *slow) Abort() {
	m.aborted = true
	if !m.working {
		m.cleanUp()
	}
}

// cleanUp ends the message, and before that what the storer has begun.
func (m *slow) cleanUp() {
	if !m.begun {
		m.s.RemoveState(m.event)
		return
	}
	m.aborted, m.begun, m.working = true, false, true
	err := m.run(func() error {
		m.storer.abort()
		return nil
	})
	if err != nil { // better here than never
		m.storer.abort()
		m.finished(nil)
	}
}

// work has f called elsewhere, and then done here, unless the message was aborted meanwhile.
func (m *slow) work(done func(error), f func() error) {
	m.done, m.begun, m.working = done, true, true
	if err := m.run(f); err != nil {
		m.finished(err)
	}
}

// run has f called elsewhere. If the session ends before that is done, nobody is left to go on, so
// the storer cleans up at once.
func (m *slow) run(f func() error) error {
	return m.s.Work(func(ctx context.Context) (any, error) {
		err := f()
		if ctx.Err() != nil {
			m.storer.abort()
		}
		return nil, err
	}, m.event)
}

func (m *slow) worked(e *kernel.Event) { m.finished(kernel.Arg[*kernel.Done](e, 0).Err) }

func (m *slow) finished(err error) {
	m.working = false
	if m.aborted {
		m.cleanUp()
		return
	}
	done := m.done
	m.done = nil
	done(err)
}
