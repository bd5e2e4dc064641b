package kernel

import (
	"fmt"
	"time"
)

// The names of the kernel's own events.
const (
	Start   = "_start"   // to a new session: the arguments of Create. Result goes to the parent
	Stop    = "_stop"    // to a session that ends; Result goes to the parent
	Child   = "_child"   // to a parent: what happened, the child, and for create and lose a result
	Parent  = "_parent"  // to a child that gets another parent: the old one, the new one
	Default = "_default" // any event that has no handler: its name, and its arguments as []any
)

// What happened is the first argument of a Child event.
const (
	ChildCreate = "create" // the child is new; the result is that of its Start
	ChildGain   = "gain"   // the child comes from one of the session's children, which ends
	ChildLose   = "lose"   // the child ended, and the result is that of its Stop, or was detached
)

// inPlace is the number of arguments that an Event has room for.
const inPlace = 4

// An Event is one delivery of a named event to one session.
//
// The kernel uses the same Event again as soon as the handler returns. A handler that needs
// something of it later copies that; Args too, but not what is in it.
//
// POE: the parameters of a state, @_.
type Event struct {
	Session     *Session // receives it, and owns what the handler takes: alarms, selects, wheels
	Sender      *Session // posted or called it; the kernel's root for the kernel's own
	Name        string
	SenderEvent string // the event that Sender was handling then, if any
	Args        []any

	// The fields up to here, and the next few, are all that a post of one argument touches: two
	// lines of the processor's cache.
	due       time.Duration // on the kernel's clock
	seq       uint64        // breaks ties of due
	next      *Event        // in the queue's line or the pool
	kind      kind
	unhandled bool
	argv      [inPlace]any

	Kernel *Kernel
	Heap   any // the session's own data, if it has any besides the receiver of its handlers
	Result any // what Call returns to the sender; nil unless the handler sets it

	id        uint64 // of an alarm, else 0
	index     int    // of an alarm, in the heap
	prevNamed *Event // alarms of the same session and name
	nextNamed *Event

	_ [2]uint64 // so that an Event begins where a line of the cache does
}

// A kind says what the kernel does with an event of its queue.
type kind uint8

const (
	posted   kind = iota // hand it to its session
	outside              // posted, through a door
	signaled             // hand it to those below and above its session that watch the signal
	fresh                // nothing: a new session lives at least until this event's turn
)

// Arg returns the i-th argument, from 0. A sender that passed another type, or too few, has a bug,
// so Arg panics, and says which event, which argument and which types.
//
// POE: ARG0 to ARG9.
func Arg[T any](e *Event, i int) T {
	var got any
	if i < len(e.Args) {
		got = e.Args[i]
	}
	arg, ok := got.(T)
	if !ok {
		panic(fmt.Sprintf("event %q: argument %d is a %T, and not a %T", e.Name, i, got, arg))
	}
	return arg
}

// ArgOr returns the i-th argument if there is one of that type, and otherwise def.
func ArgOr[T any](e *Event, i int, def T) T {
	if i < len(e.Args) {
		if arg, ok := e.Args[i].(T); ok {
			return arg
		}
	}
	return def
}

// Unhandled tells the kernel that the session has no handler for e. A Handler calls it for a name
// that it does not know; the kernel then gives it the event once more, as Default.
func (e *Event) Unhandled() { e.unhandled = true }

// setArgs gives e its arguments: a few in place, more in a slice of their own.
func (e *Event) setArgs(args []any) {
	if len(args) > inPlace {
		e.Args = append([]any(nil), args...)
		return
	}
	n := copy(e.argv[:], args)
	e.Args = e.argv[:n]
}

// isAlarm reports whether e waits in the heap of alarms.
func (e *Event) isAlarm() bool { return e.id != 0 }

// A pool keeps Events for their next use. How many it keeps while the kernel has nothing to do is
// limited: what a burst needed goes back to the garbage collector.
type pool struct {
	kernel *Kernel
	free   *Event
	n      int
}

const (
	maxPooled = 1 << 18 // at any time
	maxSpare  = 1 << 12 // while the kernel waits
)

func (p *pool) get() *Event {
	e := p.free
	if e == nil {
		return &Event{Kernel: p.kernel}
	}
	p.free, e.next = e.next, nil
	p.n--
	return e
}

// put takes e back. It forgets the arguments, so that the pool keeps nothing of the program's
// alive.
func (p *pool) put(e *Event) {
	if p.n >= maxPooled {
		return
	}
	clear(e.argv[:min(len(e.Args), inPlace)])
	e.Session, e.Sender, e.Args = nil, nil, nil
	e.kind, e.unhandled = posted, false
	if e.Heap != nil || e.Result != nil {
		e.Heap, e.Result = nil, nil
	}
	if e.SenderEvent != "" {
		e.SenderEvent = ""
	}
	e.next = p.free
	p.free = e
	p.n++
}

// trim drops what is too much for a kernel that waits.
func (p *pool) trim() {
	if p.n <= maxSpare {
		return
	}
	e := p.free
	for range maxSpare - 1 {
		e = e.next
	}
	e.next = nil
	p.n = maxSpare
}
