package kernel

import (
	"errors"
	"fmt"
	"runtime"
)

// An Exception is a panic of a handler. It goes as the signal DIE to the session and its
// ancestors, and if none of them handles it, Run returns it.
//
// POE: the hash that a DIE handler gets.
type Exception struct {
	Value       any      // what the handler panicked with
	Session     *Session // whose handler that was
	Event       string   // which it handled
	Sender      *Session // from whom it had that
	SenderEvent string
	Stack       []byte // where the handler was
}

// Error says what happened in which event.
func (x *Exception) Error() string {
	return fmt.Sprintf("kernel: event %q of %v: panic: %v", x.Event, x.Session, x.Value)
}

// Unwrap returns what the handler panicked with, if it is an error.
func (x *Exception) Unwrap() error {
	err, _ := x.Value.(error)
	return err
}

// caught makes an exception of what the handler of e panicked with, and sees to it that it comes to
// somebody: to the session's family as a signal, or, where there is no session any more to ask, or
// it is in the middle of that very signal, to the caller of Run.
func (k *Kernel) caught(e *Event, p any) error {
	x := &Exception{
		Value:       p,
		Session:     e.Session,
		Event:       e.Name,
		Sender:      e.Sender,
		SenderEvent: e.SenderEvent,
		Stack:       stack(),
	}
	if e.Session.life != alive || e.Session == k.root || k.dying != nil {
		k.fail(x)
	} else {
		k.signal(e.Session, die, x)
	}
	return x
}

// stack returns where the handler was, as far as the first frames tell.
func stack() []byte {
	buf := make([]byte, 16<<10)
	return buf[:runtime.Stack(buf, false)]
}

// fail notes an exception that nobody handled. After the pass, all sessions stop, and Run returns
// it.
func (k *Kernel) fail(x error) {
	if k.exception == nil {
		k.exception = x
	} else {
		k.exception = errors.Join(k.exception, x)
	}
}
