package client

import (
	"crypto/tls"
	"slices"
	"strings"
	"time"
)

// A route is all of a message by which a connection differs from another: two with the same may
// share one.
type route struct {
	server, port, hostname string
	bindAddress, bindPort  string
	protocol               Protocol
	tls                    TLSMode
	config                 *tls.Config
	careful, compat        bool
	auth                   Auth
	proxy                  Proxy
	xclient, without       string
}

func routeOf(m *Message) route {
	r := route{
		server: m.Server, port: m.Port, hostname: m.MyHostname,
		bindAddress: m.BindAddress, bindPort: m.BindPort,
		protocol: m.Protocol, tls: m.TLS, config: m.TLSConfig,
		careful: m.careful(), compat: m.Compat,
		xclient: strings.Join(m.XClient, "\n"), without: strings.Join(m.Without, "\n"),
	}
	if m.Auth != nil {
		r.auth = *m.Auth
	}
	if m.Proxy != nil {
		r.proxy = *m.Proxy
	}
	return r
}

// A destination is where messages of one route go: those that wait, and the connections.
type destination struct {
	mailer  *mailer
	route   route
	number  int // in the order in which they came
	waiting fifo[*delivery]
	resting []*conn // the last one rests for the shortest time
	conns   int     // with those that rest
	tls     *tls.Config
	free    time.Time // when the next message may begin: see Options.Rate
	paced   bool      // an alarm comes then
	inLine  bool      // it waits for room
}

// push adds a message to those that wait.
func (t *destination) push(d *delivery) {
	d.s, d.conn = t.mailer.s, nil
	t.waiting.add(d)
	t.mailer.waiting++
}

// again takes a message back whose connection has ended before it was sent, because of f.
func (t *destination) again(d *delivery, f *Failure) {
	d.heard, d.octets = false, 0
	d.conn, d.s = nil, t.mailer.s
	switch {
	case t.mailer.stopped:
		d.conclude(f)
	default:
		t.putBack(d)
	}
}

// putBack lets a message that is not done be the next.
func (t *destination) putBack(d *delivery) {
	d.conn, d.s = nil, t.mailer.s
	t.waiting.addFirst(d)
	t.mailer.waiting++
	t.mailer.lineUp(t)
}

// take returns the message that waits longest, if there is one and it may begin now.
func (t *destination) take() *delivery {
	if len(t.waiting.waiting()) == 0 || !t.pace() {
		return nil
	}
	t.mailer.waiting--
	return t.waiting.take()
}

// pace reports whether a message may begin now, and sees to it that the next one does not come too
// early.
func (t *destination) pace() bool {
	if !t.mayBegin() {
		return false
	}
	if rate := t.mailer.opts.Rate; rate > 0 {
		t.free = t.mailer.s.Kernel().Now().Add(time.Second / time.Duration(rate))
	}
	return true
}

// mayBegin reports whether a message would not come too early now. If it would, the event pace
// comes as soon as it would not.
func (t *destination) mayBegin() bool {
	if t.mailer.opts.Rate == 0 {
		return true
	}
	wait := t.free.Sub(t.mailer.s.Kernel().Now())
	if wait > 0 && !t.paced {
		t.paced = true
		t.mailer.s.DelayAdd("pace", wait, t)
	}
	return wait <= 0
}

// nextFor returns the next message if c can send it before its turn.
func (t *destination) nextFor(c *conn) *delivery {
	if waiting := t.waiting.waiting(); len(waiting) == 0 || !c.sendsAhead(waiting[0]) {
		return nil
	}
	return t.take()
}

// pump begins to send what waits, as far as there are connections or room for others.
func (t *destination) pump() {
	for len(t.waiting.waiting()) > 0 {
		idle := len(t.resting) > 0
		if !idle && (t.conns >= t.mailer.opts.MaxConnections || !t.mailer.room(t)) {
			return
		}
		d := t.take()
		if d == nil {
			return
		}
		if idle {
			c := t.resting[len(t.resting)-1]
			t.wakes(c)
			c.begin(d)
			continue
		}
		t.conns++
		t.mailer.conns++
		t.mailer.s.Create(connEvents.Of(newConn(t, d)))
	}
}

// rests notes that a connection has nothing to do.
func (t *destination) rests(c *conn) {
	t.resting = append(t.resting, c)
	t.mailer.resting++
	t.mailer.lineUp(nil)
}

// wakes notes that it has.
func (t *destination) wakes(c *conn) {
	if i := slices.Index(t.resting, c); i >= 0 {
		t.resting = slices.Delete(t.resting, i, i+1)
		t.mailer.resting--
	}
}

// gone notes that a connection has ended.
func (t *destination) gone(c *conn) {
	t.wakes(c)
	t.conns--
	t.mailer.conns--
	t.mailer.lineUp(t)
}

// withdraw takes a message back that waits.
func (t *destination) withdraw(d *delivery) {
	if i := slices.Index(t.waiting.waiting(), d); i >= 0 {
		t.waiting.remove(i)
		t.mailer.waiting--
	}
	t.mailer.forget(d)
	t.mailer.lineUp(t)
}

// retry sends d again after a while, if it is not done and that may help.
func (t *destination) retry(d *delivery) bool {
	opts := t.mailer.opts.Retry
	if d.result.Tries > opts.Times || !d.mayHelp() || !t.mailer.mayRetry() {
		return false
	}
	for i := range d.recipients {
		if to := &d.recipients[i]; to.Verdict == Deferred {
			to.Stage, to.taken = "", false
		}
	}
	d.heard, d.redialled, d.octets = false, false, 0
	d.s = t.mailer.s
	t.mailer.retryLater(d, opts.wait(d.result.Tries))
	return true
}

// mayHelp reports whether to send d again may have another outcome.
func (d *delivery) mayHelp() bool {
	deferred := slices.ContainsFunc(d.recipients, func(to Recipient) bool {
		return to.Verdict == Deferred
	})
	switch {
	case !deferred || d.busy || d.cancelled:
		return false
	case d.m.AllOrNothing && d.failure != nil && !d.failure.Temporary():
		return false
	}
	return !d.again || d.source.rewind() == nil // what was read can be read again
}
