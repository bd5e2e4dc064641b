package kernel

import "time"

// A queue holds the events that are not delivered yet.
//
// Those that are due at once stand in a line. Alarms are in a heap with four branches, by the time
// at which they are due. Both carry that time and a sequence number, so next can merge them.
//
// POE: POE::Queue::Array, which keeps both in one sorted array.
type queue struct {
	first, last *Event
	line        int // events in the line
	alarms      []alarmAt
}

// An alarmAt is an alarm's place in the heap. The time stands beside the pointer, so that comparing
// touches no Event.
type alarmAt struct {
	due time.Duration
	seq uint64
	e   *Event
}

func (a alarmAt) before(b alarmAt) bool {
	return a.due < b.due || a.due == b.due && a.seq < b.seq
}

// len returns the number of events in the queue.
func (q *queue) len() int { return q.line + len(q.alarms) }

// push puts e at the end of the line.
func (q *queue) push(e *Event) {
	if q.last == nil {
		q.first = e
	} else {
		q.last.next = e
	}
	q.last = e
	q.line++
}

// next takes the first event that is due at now. Of the line it takes only events up to the
// sequence number last, and of the alarms up to newest. It returns nil when there is none.
func (q *queue) next(now time.Duration, last, newest uint64) *Event {
	f := q.first
	if len(q.alarms) > 0 {
		a := q.alarms[0]
		if a.due <= now && a.seq <= newest && (f == nil || a.before(alarmAt{due: f.due, seq: f.seq})) {
			q.remove(a.e)
			return a.e
		}
	}
	if f == nil || f.seq > last {
		return nil
	}
	q.first = f.next
	if q.first == nil {
		q.last = nil
	}
	f.next = nil
	q.line--
	return f
}

// isDue reports whether an event is due at now.
func (q *queue) isDue(now time.Duration) bool {
	return q.first != nil || len(q.alarms) > 0 && q.alarms[0].due <= now
}

// head returns the time at which the first event is due, and false if there is none.
func (q *queue) head() (time.Duration, bool) {
	switch {
	case q.first == nil && len(q.alarms) == 0:
		return 0, false
	case q.first == nil:
		return q.alarms[0].due, true
	case len(q.alarms) == 0:
		return q.first.due, true
	}
	return min(q.first.due, q.alarms[0].due), true
}

// add puts an alarm into the heap.
func (q *queue) add(e *Event) {
	q.alarms = append(q.alarms, alarmAt{})
	q.up(len(q.alarms)-1, alarmAt{e.due, e.seq, e})
}

// remove takes an alarm out of the heap, wherever it is.
func (q *queue) remove(e *Event) {
	n := len(q.alarms) - 1
	moved := q.alarms[n]
	q.alarms[n] = alarmAt{}
	q.alarms = q.alarms[:n]
	if e.index != n {
		q.fix(e.index, moved)
	}
	q.shrink()
}

// moved puts an alarm whose time has changed where it belongs.
func (q *queue) moved(e *Event) { q.fix(e.index, alarmAt{e.due, e.seq, e}) }

// fix puts a at i or, where that is out of order, above or below it.
func (q *queue) fix(i int, a alarmAt) {
	if i > 0 && a.before(q.alarms[(i-1)/4]) {
		q.up(i, a)
	} else {
		q.down(i, a)
	}
}

func (q *queue) up(i int, a alarmAt) {
	for i > 0 {
		above := (i - 1) / 4
		if !a.before(q.alarms[above]) {
			break
		}
		q.set(i, q.alarms[above])
		i = above
	}
	q.set(i, a)
}

func (q *queue) down(i int, a alarmAt) {
	n := len(q.alarms)
	for {
		least := 4*i + 1
		if least >= n {
			break
		}
		for c, end := least+1, min(least+4, n); c < end; c++ {
			if q.alarms[c].before(q.alarms[least]) {
				least = c
			}
		}
		if !q.alarms[least].before(a) {
			break
		}
		q.set(i, q.alarms[least])
		i = least
	}
	q.set(i, a)
}

func (q *queue) set(i int, a alarmAt) {
	q.alarms[i] = a
	a.e.index = i
}

// shrink gives memory back after a time of many alarms.
func (q *queue) shrink() {
	if n := len(q.alarms); cap(q.alarms) > 4096 && n < cap(q.alarms)/8 {
		q.alarms = append(make([]alarmAt, 0, cap(q.alarms)/4), q.alarms...)
	}
}
