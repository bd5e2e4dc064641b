package kernel

import (
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// The signals that the kernel itself sends.
const (
	idle   = "IDLE"   // nothing will happen any more
	zombie = "ZOMBIE" // IDLE was handled, but still nothing will
	die    = "DIE"    // a handler has panicked; the first argument is an *Exception
	chld   = "CHLD"   // a child process has ended; process id, syscall.WaitStatus
)

// A fate is what a signal does to the sessions that it reached.
type fate uint8

const (
	benign   fate = iota // nothing
	terminal             // stops them, unless one of them says that it is handled
	fatal                // stops them
)

var fates = map[string]fate{
	"QUIT": terminal, "INT": terminal, "KILL": terminal, "TERM": terminal, "HUP": terminal,
	idle: terminal, die: terminal, zombie: fatal, "UIDESTROY": fatal,
}

// A sigWatch is the event that a session wants for a signal.
type sigWatch struct {
	event string
	args  []any
}

// Sig asks for an event when a signal comes, or, without an event, for none any more. The name is
// without SIG: "INT", or a name of the program's own. The event carries the signal's name, what
// was sent with it, and args. Watching does not keep the session alive. A signal of the operating
// system that nobody watches does what it does to any process.
//
// A signal to a session goes to its descendants first, the deepest first, and to the session last.
// QUIT, INT, KILL, TERM, HUP, IDLE and DIE stop all of them, whether they watch it or not, unless
// one calls SigHandled. ZOMBIE and UIDESTROY stop them in any case, others never. A signal of the
// operating system goes to the root, so to every session.
//
// POE: sig.
func (s *Session) Sig(name, event string, args ...any) {
	if name == "" {
		panic(fmt.Errorf("kernel: Sig without a name: %w", ErrInvalid))
	}
	if s.ended() {
		return
	}
	_, watched := s.takes().signals[name]
	if event == "" {
		if watched {
			delete(s.taken.signals, name)
			s.kernel.osSignals.drop(name)
		}
		return
	}
	if s.taken.signals == nil {
		s.taken.signals = make(map[string]sigWatch)
	}
	s.taken.signals[name] = sigWatch{event, append([]any(nil), args...)}
	if !watched {
		s.kernel.osSignals.keep(s.kernel, name)
	}
}

// Signal sends a signal to a session and its descendants, after all that is in the queue by now. It
// returns ErrNoSession if there is no such session.
//
// POE: signal.
func (k *Kernel) Signal(to Target, name string, args ...any) error {
	t, err := k.resolve(to)
	if err != nil {
		return err
	}
	if name == "" {
		panic(fmt.Errorf("kernel: Signal without a name: %w", ErrInvalid))
	}
	k.signal(t, name, args...)
	return nil
}

// SigHandled says that the signal that is being delivered is handled: it stops nobody. A handler
// calls it before it returns.
//
// POE: sig_handled.
func (k *Kernel) SigHandled() { k.handled++ }

// signal puts a signal into the queue.
func (k *Kernel) signal(to *Session, name string, args ...any) {
	e := k.event(k.root, to, name)
	e.setArgs(args)
	e.kind = signaled
	if k.trace&TraceSignals != 0 {
		k.traceSignal("queued", name, to)
	}
	k.enqueue(e)
}

// deliverSignal tells all whom a signal reaches, and then does to them what the signal does.
func (k *Kernel) deliverSignal(e *Event) {
	name, to := e.Name, e.Session
	reached := to.family()
	var x *Exception
	if name == die {
		x = ArgOr[*Exception](e, 0, nil)
		for s := to.parent; s != nil && s != k.root; s = s.parent {
			reached = append(reached, s)
		}
	}
	outer, outerDying := k.handled, k.dying
	k.handled, k.dying = 0, x
	before := k.exception
	k.exception = nil
	for _, s := range reached {
		k.tellSignal(s, e)
	}
	handled, during := k.handled > 0, k.exception
	k.handled, k.dying, k.exception = outer, outerDying, before
	if k.trace&TraceSignals != 0 {
		k.traceSignal("delivered", name, to)
	}
	if x != nil && (!handled || during != nil) {
		k.fail(x)
	}
	if during != nil {
		k.fail(during)
	}
	if f := fates[name]; f == fatal || f == terminal && !handled {
		for _, s := range reached {
			if s != k.root {
				k.end(s)
			}
		}
		if to == k.root {
			k.Stop()
		}
		return
	}
	if name == idle && to == k.root && k.isIdle() {
		k.signal(k.root, zombie)
	}
}

// tellSignal sends s the event that it wants for a signal, now.
func (k *Kernel) tellSignal(s *Session, sig *Event) {
	if s.taken == nil {
		return
	}
	w, ok := s.taken.signals[sig.Name]
	if !ok {
		return
	}
	e := k.pool.get()
	e.Session, e.Sender, e.Name, e.SenderEvent = s, k.root, w.event, sig.SenderEvent
	e.Args = append(e.argv[:0], sig.Name)
	e.Args = append(e.Args, sig.Args...)
	e.Args = append(e.Args, w.args...)
	_ = k.dispatch(e) // what it panics with is kept by caught
	k.pool.put(e)
}

// osSignals brings the operating system's signals in. Each is caught only while a session watches
// it.
//
// It is one of the doors of the kernel: the goroutines do nothing but pass the names on.
type osSignals struct {
	caught map[string]*osSignal
}

// An osSignal is one signal that is caught.
type osSignal struct {
	watchers int
	c        chan os.Signal
}

// notCaught are signals that a program must not or cannot catch. CHLD comes from SigChild.
var notCaught = map[string]bool{"KILL": true, "STOP": true, "SEGV": true, chld: true, "CLD": true}

// keep counts one more session that watches a signal.
func (o *osSignals) keep(k *Kernel, name string) {
	number := unix.SignalNum("SIG" + name)
	if number == 0 || notCaught[name] {
		return
	}
	sig := o.caught[name]
	if sig == nil {
		sig = &osSignal{c: make(chan os.Signal, 64)}
		if o.caught == nil {
			o.caught = make(map[string]*osSignal)
		}
		o.caught[name] = sig
		signal.Notify(sig.c, number)
		go func() {
			for range sig.c {
				k.doors.do(k, func() { k.signal(k.root, name) })
			}
		}()
	}
	sig.watchers++
}

// drop counts one session less. When nobody watches the signal, the system's own way with it is
// restored.
func (o *osSignals) drop(name string) {
	sig := o.caught[name]
	if sig == nil {
		return
	}
	sig.watchers--
	if sig.watchers == 0 {
		signal.Stop(sig.c)
		close(sig.c)
		delete(o.caught, name)
	}
}
