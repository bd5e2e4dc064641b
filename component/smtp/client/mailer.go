package client

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// A mailer sends messages by connections that it keeps. Each connection has a session of its own, a
// child of the client's.
type mailer struct {
	s     *kernel.Session
	opts  Options
	taken error // the alias is another's

	destinations map[route]*destination
	latest       *destination       // where the last message goes, or nil
	numbered     int                // destinations so far
	line         fifo[*destination] // those that wait for room
	conns        int                // with those that rest
	resting      int
	waiting      int // messages that wait for a connection
	later        []*retried

	ending  bool
	ended   bool // the alias is given up
	stopped bool // the session ends: what it posts now would end with it
	turning bool // send_next is in the kernel's queue

	whenDone []func() // after smtp_shutdown
}

// A retried is a message that is sent again after a while.
type retried struct {
	d     *delivery
	alarm kernel.AlarmID
}

func (m *mailer) events() session.Events {
	return session.Events{
		kernel.Start:    m.start,
		kernel.Stop:     m.stop,
		"send":          session.On(m.send),
		"send_next":     m.sendNext,
		"send_again":    session.On(m.sendAgain),
		"pace":          session.On(m.pace),
		"smtp_deadline": session.On(expired),
		"smtp_shutdown": m.shutdown,

		// From another goroutine: see Client.
		"ask":          m.ask,
		"ask_shutdown": session.On(m.askShutdown),
		"cancel":       session.On(m.cancel),
	}
}

func (m *mailer) start(e *kernel.Event) {
	m.s = e.Session
	m.taken = e.Session.AliasSet(m.opts.Alias)
}

// send begins to send a message, or lets it wait.
func (m *mailer) send(e *kernel.Event, msg *Message) {
	if e.Sender == e.Kernel.Root() {
		e.Kernel.Log().Error(ErrNoOwner.Error())
		return
	}
	m.take(e.Sender, msg, nil)
}

// take takes a message on, for owner, or for whom settled is.
func (m *mailer) take(owner *kernel.Session, msg *Message, settled func(*Result)) *delivery {
	d := newDelivery(owner, msg, &m.opts.Defaults)
	d.s, d.settled = m.s, settled
	d.watch(m.s)
	if err := d.m.check(); err != nil {
		d.report(&Failure{Kind: Configure, Stage: StageConfigure, Err: err})
		return d
	}
	if m.ending {
		m.refuse(d, errEnding)
		return d
	}
	t := m.destination(d.m)
	d.pool = t
	t.push(d)
	m.pump(t)
	if d.conn == nil && !d.done && m.waiting+len(m.later) > m.opts.MaxWaiting {
		t.withdraw(d)
		m.refuse(d, errTooMany)
	}
	return d
}

// Why a client that stays does not send a message.
var (
	errEnding  = errors.New("the client is shutting down")
	errTooMany = errors.New("too many messages wait")
)

// refuse tells the sender at once that its message is not sent.
func (m *mailer) refuse(d *delivery, why error) {
	d.report(&Failure{Kind: ShutDown, Stage: StageConfigure, Err: why})
}

// destination returns where m goes.
func (m *mailer) destination(msg *Message) *destination {
	key := routeOf(msg)
	if t := m.latest; t != nil && t.route == key {
		return t
	}
	t := m.destinations[key]
	if t == nil {
		m.numbered++
		t = &destination{mailer: m, route: key, number: m.numbered}
		m.destinations[key] = t
	}
	m.latest = t
	return t
}

// pump has t begin what it can, and lets it wait for room with what it cannot.
func (m *mailer) pump(t *destination) {
	t.pump()
	if len(t.waiting.waiting()) > 0 && t.conns < m.opts.MaxConnections && !t.paced && !t.inLine {
		t.inLine = true
		m.line.add(t)
	}
}

// room reports whether there may be another connection. If not, one of another destination that
// rests makes room.
func (m *mailer) room(t *destination) bool {
	if m.conns < m.opts.MaxDeliveries {
		return true
	}
	if m.resting > 0 {
		m.evict(t)
	}
	return false
}

// evict ends one connection that rests, elsewhere than at t.
func (m *mailer) evict(t *destination) {
	for _, other := range m.sorted() {
		if other != t && len(other.resting) > 0 {
			other.resting[0].dismiss()
			return
		}
	}
}

// lineUp has the client look at t, or at whoever waits, in a turn of its own: if the client is
// being stopped, its children are first, and it must not have others then.
func (m *mailer) lineUp(t *destination) {
	if m.stopped {
		return
	}
	if t != nil && !t.inLine {
		t.inLine = true
		m.line.add(t)
	}
	if !m.turning && (len(m.line.waiting()) > 0 || m.ending) {
		m.turning = true
		m.s.Yield("send_next")
	}
}

// sendNext begins to send what waits, as far as there is room.
func (m *mailer) sendNext(*kernel.Event) {
	m.turning = false
	for range len(m.line.waiting()) {
		t := m.line.take()
		t.inLine = false
		m.pump(t)
		m.drop(t)
	}
	m.end()
}

// drop forgets a destination to which nothing goes, unless a message would be too early now.
func (m *mailer) drop(t *destination) {
	if t.conns > 0 || len(t.waiting.waiting()) > 0 || m.destinations[t.route] != t {
		return
	}
	if m.ending || t.mayBegin() {
		delete(m.destinations, t.route)
		m.latest = nil
	}
}

// pace is when the next message to t may begin.
func (m *mailer) pace(_ *kernel.Event, t *destination) {
	t.paced = false
	m.pump(t)
	m.drop(t)
}

// mayRetry reports whether there is room for one more message that waits.
func (m *mailer) mayRetry() bool {
	return !m.ending && !m.stopped && m.waiting+len(m.later) < m.opts.MaxWaiting
}

// retryLater sends d again after a while.
func (m *mailer) retryLater(d *delivery, wait time.Duration) {
	r := &retried{d: d}
	r.alarm = m.s.DelaySet("send_again", wait, r)
	m.later = append(m.later, r)
}

func (m *mailer) sendAgain(_ *kernel.Event, r *retried) {
	m.forget(r.d)
	t := m.destination(r.d.m)
	r.d.pool = t
	t.push(r.d)
	m.pump(t)
}

// forget takes d off those that are sent again later.
func (m *mailer) forget(d *delivery) {
	if i := slices.IndexFunc(m.later, func(r *retried) bool { return r.d == d }); i >= 0 {
		_, _ = m.s.AlarmRemove(m.later[i].alarm) // it may have come
		m.later = slices.Delete(m.later, i, i+1)
	}
}

// shutdown takes no more messages. Those that wait for a second chance have none.
func (m *mailer) shutdown(*kernel.Event) {
	m.ending = true
	m.giveUp()
	for _, t := range m.sorted() {
		for len(t.resting) > 0 {
			t.resting[0].dismiss()
		}
	}
	m.end()
}

// sorted returns the destinations in an order that does not change from run to run.
func (m *mailer) sorted() []*destination {
	all := slices.Collect(maps.Values(m.destinations))
	slices.SortFunc(all, func(a, b *destination) int { return cmp.Compare(a.number, b.number) })
	return all
}

// giveUp reports what is not sent again.
func (m *mailer) giveUp() {
	for len(m.later) > 0 {
		d := m.later[0].d
		m.forget(d)
		d.stopped = m.stopped
		d.report(d.failure)
	}
}

// end gives the alias up when there is nothing left to do, and with it the last that keeps the
// session.
func (m *mailer) end() {
	if m.ending && !m.ended && m.conns == 0 && m.waiting == 0 {
		m.ended = true
		m.s.AlarmRemoveAll() // nothing is left that could be too early
		for _, f := range m.whenDone {
			f()
		}
		_ = m.s.AliasRemove(m.opts.Alias) // it is there
	}
}

// stop sees to it that each message that waits gets its result, also if the session is stopped from
// outside.
func (m *mailer) stop(*kernel.Event) {
	m.stopped = true
	m.giveUp()
	for len(m.line.waiting()) > 0 {
		m.line.take()
	}
	for _, t := range m.sorted() {
		for len(t.waiting.waiting()) > 0 {
			d := t.waiting.take()
			d.stopped = true
			m.refuse(d, errStopped)
		}
	}
}
