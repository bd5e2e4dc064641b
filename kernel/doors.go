package kernel

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
)

// A Door takes events for one session from any goroutine, also from another kernel's.
//
// What one goroutine posts arrives in its order. All doors of a kernel together hold a limited
// number of events that are not delivered yet: see Options.MaxOutside.
type Door struct {
	kernel *Kernel
	to     Target
	keeps  *Session // the session that the door keeps alive, or nil
	closed atomic.Bool
	gone   chan struct{} // closed when keeps gives the door up; nil without keeps
}

// Door makes a door to s. The session is kept alive by it, and the program is not idle, until the
// door is closed.
func (s *Session) Door() *Door {
	d := &Door{kernel: s.kernel, to: s, gone: make(chan struct{})}
	if s.ended() {
		d.closed.Store(true)
		close(d.gone)
		return d
	}
	d.keeps = s
	t := s.takes()
	if t.doors == nil {
		t.doors = make(map[*Door]struct{})
	}
	t.doors[d] = struct{}{}
	s.keep(hasDoor)
	return d
}

// Door makes a door to whichever session to names when an event comes in. It keeps nothing alive.
// An event for a session that is not there then is dropped. A session of another kernel is a
// mistake of the programmer, and panics.
func (k *Kernel) Door(to Target) *Door {
	if s, ok := to.(*Session); ok && s.kernel != k {
		panic(fmt.Errorf("kernel: Door: %v belongs to another kernel: %w", s, ErrInvalid))
	}
	return &Door{kernel: k, to: to}
}

// Post sends an event through the door. The sender is the kernel's root. It returns ErrDoorClosed
// after Close or the session's end, and ErrDoorFull when too many events wait; both mean that the
// event is not sent.
func (d *Door) Post(name string, args ...any) error {
	if d.closed.Load() {
		return ErrDoorClosed
	}
	if name == "" {
		panic(fmt.Errorf("kernel: an event without a name: %w", ErrInvalid))
	}
	return d.kernel.doors.post(d.kernel, knock{d: d, name: name, args: append([]any(nil), args...)})
}

// Close closes the door. Events that were posted before still arrive, but nobody waits for their
// answers any more: see Ask. A second Close does nothing.
func (d *Door) Close() {
	if d.closed.CompareAndSwap(false, true) && d.keeps != nil {
		d.kernel.doors.do(d.kernel, func() { d.keeps.closeDoor(d) })
	}
}

func (s *Session) closeDoor(d *Door) {
	if s.taken == nil {
		return
	}
	if _, ok := s.taken.doors[d]; ok {
		delete(s.taken.doors, d)
		close(d.gone)
		s.drop(hasDoor)
	}
}

// doors is where other goroutines leave what they have for the kernel, which takes it in at the
// start of each turn.
type doors struct {
	limit int
	full  atomic.Bool // there is something: the kernel need not lock to see that there is nothing

	mu     sync.Mutex
	knocks []knock
	events atomic.Int64 // that were posted and are not delivered yet
	spare  []knock

	done int // events that are delivered, and of which the senders are not told yet
}

// A knock is an event for a session, or something to do on the kernel's goroutine.
type knock struct {
	d    *Door
	name string
	args []any
	do   func()
}

// post leaves an event, if there is room.
func (d *doors) post(k *Kernel, n knock) error {
	d.mu.Lock()
	if d.events.Load() >= int64(d.limit) {
		d.mu.Unlock()
		return ErrDoorFull
	}
	d.events.Add(1)
	d.leave(k, n)
	return nil
}

// do leaves something to do. The kernel's own are few, and are never refused.
func (d *doors) do(k *Kernel, f func()) {
	d.mu.Lock()
	d.leave(k, knock{do: f})
}

// leave adds n, unlocks, and wakes the kernel if n is the first.
func (d *doors) leave(k *Kernel, n knock) {
	d.knocks = append(d.knocks, n)
	first := len(d.knocks) == 1
	d.full.Store(true)
	d.mu.Unlock()
	if first {
		k.loop.Wake()
	}
}

// waiting reports whether there is anything at the doors.
func (d *doors) waiting() bool { return d.full.Load() }

// delivered counts one event that was taken in and is delivered, or dropped. The senders are told of
// many at once: to tell them of each would cost more than to deliver it.
func (d *doors) delivered() {
	d.done++
	if d.done >= 64 || d.done*4 > d.limit {
		d.giveBack()
	}
}

// giveBack makes room for as many events as are delivered.
func (d *doors) giveBack() {
	if d.done > 0 {
		d.events.Add(-int64(d.done))
		d.done = 0
	}
}

// admit takes in what was left, in the order in which it came.
func (d *doors) admit(k *Kernel) {
	if !d.full.Load() {
		return
	}
	d.mu.Lock()
	knocks := d.knocks
	d.knocks, d.spare = d.spare[:0], nil
	d.full.Store(false)
	d.mu.Unlock()
	for i := range knocks {
		n := &knocks[i]
		if n.do != nil {
			n.do()
		} else if to := k.lookup(n.d.to); to != nil && to != k.root {
			e := k.event(k.root, to, n.name)
			e.setArgs(n.args)
			e.kind = outside
			k.enqueue(e)
		} else {
			d.delivered()
		}
		*n = knock{}
	}
	if cap(knocks) <= maxSpareKnocks {
		d.spare = knocks[:0]
	}
}

// errGoexit is the result of work that has none.
var errGoexit = errors.New("kernel: slow work ended its goroutine")

const maxSpareKnocks = 4096

// Done is the first argument of the event that Work sends.
type Done struct {
	Value any
	Err   error
}

// A job is slow work that a session waits for.
type job struct {
	s      *Session
	f      func(ctx context.Context) (any, error)
	event  string
	args   []any
	cancel context.CancelFunc
	ctx    context.Context
	begun  bool
}

// slowWork runs jobs on other goroutines, so many at once, and keeps the rest in a line.
type slowWork struct {
	workers int
	limit   int
	busy    int
	line    []*job // with those of sessions that have ended
	waiting int    // of line, those of others
}

// Work has f called on another goroutine, and then sends s an event with what it returned: a
// *Done, and args. Until then it keeps s alive. A limited number of them run at once, and others
// wait for their turn. It returns ErrTooMuchWork when too many wait, and ErrNoSession if s has
// ended.
//
// When s ends, the context of f is done, and no event is sent. A panic of f is its error.
func (s *Session) Work(f func(ctx context.Context) (any, error), event string, args ...any) error {
	k := s.kernel
	if s.ended() {
		return k.noSession(s)
	}
	if event == "" {
		panic(fmt.Errorf("kernel: Work without an event: %w", ErrInvalid))
	}
	if k.slow.waiting >= k.slow.limit {
		return k.failed(ErrTooMuchWork)
	}
	j := &job{s: s, f: f, event: event, args: append([]any(nil), args...)}
	j.ctx, j.cancel = context.WithCancel(context.Background())
	t := s.takes()
	if t.work == nil {
		t.work = make(map[*job]struct{})
	}
	t.work[j] = struct{}{}
	s.keep(hasWork)
	if dead := len(k.slow.line) - k.slow.waiting; dead > k.slow.waiting+64 {
		gone := func(j *job) bool { return j.ctx.Err() != nil }
		k.slow.line = slices.DeleteFunc(k.slow.line, gone)
	}
	k.slow.line = append(k.slow.line, j)
	k.slow.waiting++
	k.slow.begin(k)
	return nil
}

// begin starts as many jobs as may run.
func (w *slowWork) begin(k *Kernel) {
	for w.busy < w.workers && len(w.line) > 0 {
		j := w.line[0]
		w.line[0] = nil
		w.line = w.line[1:]
		if j.ctx.Err() != nil {
			continue
		}
		j.begun = true
		w.waiting--
		w.busy++
		k.loop.Go(func() {
			done := &Done{Err: errGoexit}
			defer func() { k.doors.do(k, func() { w.finished(k, j, done) }) }()
			done = j.run()
		})
	}
	if len(w.line) == 0 {
		w.line = nil
	}
}

func (j *job) run() (d *Done) {
	d = new(Done)
	defer func() {
		if p := recover(); p != nil {
			d.Err = fmt.Errorf("kernel: panic in slow work for %q: %v\n%s",
				j.event, p, debug.Stack())
		}
	}()
	d.Value, d.Err = j.f(j.ctx)
	return d
}

// finished takes the result of a job in, on the kernel's goroutine.
func (w *slowWork) finished(k *Kernel, j *job, d *Done) {
	w.busy--
	j.cancel()
	if s := j.s; !s.ended() {
		k.post(s, s, j.event, append([]any{d}, j.args...))
		delete(s.taken.work, j)
		s.drop(hasWork)
	}
	w.begin(k)
}
