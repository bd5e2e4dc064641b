package wheel

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"syscall"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
)

// An ID is the number of a wheel. A kernel never uses one twice.
type ID uint64

// ErrClosed is the error of a wheel that was closed.
var ErrClosed = errors.New("wheel: closed")

// Input is one record that came in. It is good until the handler returns.
type Input struct {
	filter.Record
	Wheel ID
}

// An Error is what went wrong with a wheel, and in which operation. At the end of the input, Err is
// io.EOF. The operation that failed has stopped by then.
//
// POE: the operation, the number and the text of the error, and the wheel.
type Error struct {
	Op    string // "read", "write", "connect", "accept", "bind" and so on
	Err   error
	Wheel ID
	Lost  int // bytes of a ReadWrite's output that the handle has not taken, and never will
}

// Error returns the operation and what went wrong with it.
func (e *Error) Error() string { return e.Op + ": " + e.Err.Error() }

// Unwrap returns what went wrong.
func (e *Error) Unwrap() error { return e.Err }

// Errno returns the number of the system's error, or 0 where there is none, as at the end of the
// input.
func (e *Error) Errno() syscall.Errno { return kernel.Errno(e.Err) }

// Text returns the text of the system's error alone, and "" at the end of the input, as POE has it.
func (e *Error) Text() string {
	if errors.Is(e.Err, io.EOF) {
		return ""
	}
	if n := e.Errno(); n != 0 {
		return n.Error()
	}
	return e.Err.Error()
}

// A kind is what a wheel is.
type kind uint8

const (
	readWrite kind = iota
	socketFactory
	listenAccept
	followTail
	run
	readLine
	certificateReloader
)

var kindNames = [...]string{
	"ReadWrite", "SocketFactory", "ListenAccept", "FollowTail", "Run", "ReadLine",
	"CertificateReloader",
}

func (k kind) String() string { return kindNames[k] }

// base is what every wheel has.
type base struct {
	owner  *kernel.Session
	id     ID
	kind   kind
	held   bool
	closed bool
	states []string
}

func newBase(kind kind, owner *kernel.Session) base {
	return base{owner: owner, id: ID(owner.Kernel().NextWheelID()), kind: kind}
}

// ID returns the wheel's number.
func (b *base) ID() ID { return b.id }

// name returns the wheel's name in traces.
func (b *base) name() string { return b.kind.String() + " " + strconv.FormatUint(uint64(b.id), 10) }

// state adds an event of the wheel's own to its owner, and returns its name.
func (b *base) state(what string, f kernel.HandlerFunc) string {
	name := b.name() + " " + what
	b.owner.State(name, f)
	b.states = append(b.states, name)
	return name
}

// tell hands arg to the owner's handler for an event, now, if the wheel was given such an event.
// The error says that nobody got arg; what the handler does wrong is between it and the kernel.
func (b *base) tell(event string, arg any) error {
	if event == "" {
		return kernel.ErrNoHandler
	}
	_, err := b.owner.Call(b.owner, event, arg)
	if errors.Is(err, kernel.ErrNoHandler) || errors.Is(err, kernel.ErrNoSession) {
		return err
	}
	return nil
}

// hold keeps the owner alive where no watch of the wheel does.
func (b *base) hold() {
	if !b.held && !b.closed {
		_, err := b.owner.RefcountIncrement(b.name())
		b.held = err == nil
	}
}

// release takes hold back.
func (b *base) release() {
	if b.held {
		b.held = false
		_, _ = b.owner.RefcountDecrement(b.name()) // the owner may have ended
	}
}

// close takes back what the wheel added to its owner, also that it is closed at the owner's end.
// Those of the wheel's own events that are late, which is in the kernel's queue, find a handler that
// does nothing: to the owner they would be unknown events.
func (b *base) close(wheel interface{ Close() }, late ...string) {
	b.closed = true
	b.release()
	b.owner.NotAtEnd(wheel)
	for _, name := range b.states {
		if slices.Contains(late, name) {
			b.owner.State(name, vanish)
		} else {
			b.owner.RemoveState(name)
		}
	}
}

// vanish handles the last event of a wheel that is closed.
func vanish(e *kernel.Event) { e.Session.RemoveState(e.Name) }
