package kernel

import (
	"time"

	"go.uber.org/zap"
)

// A turn ends after so many events, or after so long, though more are due: handles must get theirs.
const (
	eventsPerTurn = 4096
	turnTime      = 500 * time.Microsecond
	maxJumps      = 1024 // alarms in the past, set during a pass, that go ahead of what waits
	clockInterval = 64   // events between two looks at the clock, which costs as much as an event
)

// turn is the kernel's answer to a loop that has nothing more to hand over: it passes through the
// queue until nothing is due, or the turn is over. It reports how long the loop may wait for the
// next event, and whether there is anything left to wait for.
func (k *Kernel) turn() (wait time.Duration, more bool) {
	if k.doors.waiting() {
		k.doors.admit(k)
	}
	began := k.now
	if k.queue.len() > 0 { // otherwise nobody asks, and to look at the clock takes its time
		began = k.tick()
	}
	for n, looked := 0, 0; n < eventsPerTurn; n++ {
		if k.queue.len() > 0 {
			n += k.pass(eventsPerTurn - n)
		}
		if len(k.marked) > 0 {
			k.sweep()
		}
		if k.exception != nil || k.ctx.Err() != nil {
			k.Stop()
		}
		switch {
		case len(k.sessions) == 0:
			return 0, false
		case k.queue.isDue(k.now):
		case len(k.settling) > 0:
			n += k.settle()
		case k.isIdle():
			k.signal(k.root, idle)
			continue // it is told in this turn: what comes later is not idle any more
		case len(k.marked) == 0 && k.exception == nil:
			return k.wait(), true
		}
		if n-looked < clockInterval {
			continue
		}
		if looked = n; k.tick()-began > turnTime {
			break
		}
	}
	k.settle()
	return k.wait(), true
}

// pass delivers the events that were due when it began, oldest first, but no more than limit. It
// returns their number.
//
// An event that a handler posts waits for the next pass, even one that is due at once: a session
// that yields to itself must not starve the descriptors. Only an alarm for a time before that of
// the pass goes ahead of what waits, as it does in POE, but not for ever.
func (k *Kernel) pass(limit int) int {
	now, last := k.now, k.seq
	for n, jumps := 0, 0; n < limit; n++ {
		newest := last
		if jumps < maxJumps {
			newest = k.seq
		}
		e := k.queue.next(now, last, newest)
		if e == nil {
			return n
		}
		if e.seq > last {
			jumps++
		}
		k.deliver(e)
		if k.exception != nil {
			return n + 1
		}
		if n%clockInterval == clockInterval-1 && k.tick()-now > turnTime {
			return n + 1
		}
	}
	return limit
}

// deliver hands one event of the queue over. It gives back what the event kept alive before that,
// so that a session may end with its last event; the sweep comes later.
func (k *Kernel) deliver(e *Event) {
	if e.cancelled() {
		k.cancel(e)
		return
	}
	if e.isAlarm() {
		e.Session.forgetAlarm(e)
	}
	k.release(e)
	switch e.kind {
	case posted, outside:
		_ = k.dispatch(e) // what it panics with becomes a signal
	case signaled:
		k.deliverSignal(e)
	}
	k.pool.put(e)
}

// cancel drops an event to or from a session that has ended. One of the two may still be alive.
func (k *Kernel) cancel(e *Event) {
	if e.Session.ended() {
		k.dead--
	}
	if e.Sender != e.Session && e.Sender.ended() {
		k.dead--
	}
	k.release(e)
	if x, ok := ArgOr[*Exception](e, 0, nil), e.kind == signaled; ok && x != nil {
		k.log.Error("kernel: a session that failed ended before it could handle that", zap.Error(x))
	}
	k.pool.put(e)
}

// release gives back what e held while it was in the queue: its sessions, and room at the doors.
func (k *Kernel) release(e *Event) {
	e.Session.drop(hasEvents)
	if e.Sender != e.Session {
		e.Sender.drop(hasSent)
	}
	if e.kind == outside {
		k.doors.delivered()
	}
}

// cancelled reports whether one of the event's sessions has ended while the event was in the queue.
func (e *Event) cancelled() bool { return e.Session.ended() || e.Sender.ended() }

// dispatch calls the handler for e, and makes what it panics with an exception.
func (k *Kernel) dispatch(e *Event) (failed error) { return k.dispatchTo(e, nil) }

// dispatchTo is dispatch, with f in place of the session's own handler, unless f is nil.
func (k *Kernel) dispatchTo(e *Event, f HandlerFunc) (failed error) {
	outer := k.active
	k.active = e
	k.depth++
	defer func() {
		k.active = outer
		k.depth--
		if p := recover(); p != nil {
			failed = k.caught(e, p)
		}
	}()
	if e.Session.heap != nil {
		e.Heap = e.Session.heap
	}
	if k.depth > maxDepth {
		panic(ErrTooDeep)
	}
	if f == nil {
		e.Session.handle(e)
		return nil
	}
	if k.trace&TraceEvents != 0 || e.Session.flags&traces != 0 {
		k.traceDispatch(e)
	}
	f(e)
	return nil
}

// CallWhile has the handler of s for an event called again and again, each time with the same
// argument, as long as more returns true, which is asked before each time. It is for those who have
// much to hand over, one after the other, and costs less than as many Calls. What a handler panics
// with ends that one call. If s has ended, or ends, CallWhile returns.
func (s *Session) CallWhile(name string, arg any, more func() bool) {
	k := s.kernel
	if s.ended() {
		return
	}
	e := k.event(s, s, name)
	for !k.callWhile(e, arg, more) {
		continue // after a panic
	}
	k.pool.put(e)
}

// callWhile is CallWhile until the end, which it reports, or until a handler panics.
func (k *Kernel) callWhile(e *Event, arg any, more func() bool) (done bool) {
	outer, calling := k.active, false
	defer func() {
		if !calling {
			return // and what more panics with goes through
		}
		k.active = outer
		k.depth--
		if p := recover(); p != nil {
			_ = k.caught(e, p)
		}
	}()
	s := e.Session
	var f HandlerFunc
	for n := 0; !s.ended() && more(); n++ {
		if n == 1 { // to look it up pays
			f = s.find(e.Name)
		}
		e.argv[0], e.Args = arg, e.argv[:1]
		e.Heap, e.Result, e.unhandled = s.heap, nil, false
		k.active = e
		k.depth++
		calling = true
		if k.depth > maxDepth {
			panic(ErrTooDeep)
		}
		s.handleBy(e, f)
		calling = false
		k.depth--
		k.active = outer
		if e.unhandled {
			_ = k.failed(ErrNoHandler)
		}
	}
	return true
}

// maxDepth is how many handlers may call each other. The stack of a goroutine has room for many
// more, but when it has none left, the whole process ends.
const maxDepth = 10_000

// isDue reports whether the next turn has something to do.
func (k *Kernel) isDue() bool { return k.queue.isDue(k.tick()) || k.doors.waiting() }

// wait returns how long the loop may wait.
func (k *Kernel) wait() time.Duration {
	k.doors.giveBack()
	if k.doors.waiting() || len(k.settling) > 0 || len(k.marked) > 0 || k.exception != nil {
		return 0
	}
	due, ok := k.queue.head()
	if ok && due > k.now && due <= k.tick() || ok && due <= k.now {
		return 0
	}
	k.pool.trim()
	if !ok {
		return Forever
	}
	return due - k.now
}

// isIdle reports whether nothing can happen any more: no event waits, and nothing outside is
// expected.
func (k *Kernel) isIdle() bool {
	return k.queue.len() == 0 && k.busy == 0 && len(k.sessions) > 0 && !k.doors.waiting() &&
		len(k.settling) == 0
}
