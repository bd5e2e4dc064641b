package client

import (
	"errors"
	"time"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/wheel"
)

// quitTimeout is how long a server may take to say goodbye, when all else is done.
const quitTimeout = 5 * time.Second

// fail ends the message at hand, and goes on with a server that is there to hear it.
func (c *conn) fail(f *Failure) {
	if c.over() || !c.listens(f) {
		c.brokenOff(f)
		return
	}
	c.cur.conclude(f)
	c.leave()
}

// brokenOff ends the connection, and what was on it.
func (c *conn) brokenOff(f *Failure) {
	cur, behind := c.cur, c.behind.waiting()
	stale := !c.over() && c.stale(f)
	c.behind = fifo[*delivery]{}
	c.close()
	for i := len(behind) - 1; i >= 0; i-- { // each is put before the others
		if d := behind[i]; !d.done && (d.octets == 0 || f.closing()) {
			c.pool.again(d, f) // nothing of its text was sent, or nobody has read it
		}
	}
	switch {
	case cur == nil || cur.done:
	case stale:
		cur.redialled = true
		c.pool.again(cur, f)
	case c.chunks() && cur.finals > 0 && (f.Kind == Lost || f.Kind == TimedOut):
		f.Stage = StageFinal // all of it was sent, with replies to more than its text to come
		cur.conclude(f)
	default:
		cur.conclude(f)
	}
	for _, d := range behind {
		if d.conn == c {
			d.conclude(&Failure{Kind: Lost, Stage: StageFinal, Err: errCutOff})
		}
	}
	if c.pool != nil {
		c.forget()
	}
	if cur != nil && cur.busy && !c.s.Ended() {
		// What reads the text may never return, and must not keep the session alive.
		_ = c.s.Kernel().Signal(c.s, "UIDESTROY")
	}
}

// errCutOff is why nobody knows what became of a message that was sent before its turn.
var errCutOff = &wheel.Error{
	Op: "read", Err: errors.New("the connection ended before the message had an answer"),
}

// stale reports whether f is only the end of a connection that has rested for too long, or of which
// the server has had enough. A message whose text it may have might have been accepted.
func (c *conn) stale(f *Failure) bool {
	d := c.cur
	untouched := f.Kind == Lost && d.octets == 0 || f.closing()
	return untouched && c.pool != nil && c.served > 1 && !d.heard && !d.busy && !d.redialled
}

// closing reports whether the server has said that it does nothing any more.
func (f *Failure) closing() bool {
	return f.Reply != nil && closes(f.Reply, f.Stage)
}

// listens reports whether the server is sure to take what comes next for a command, now that f has
// happened. If any of the text is still to be written, it is better lost: a server that refused it
// halfway must not get the rest.
func (c *conn) listens(f *Failure) bool {
	if c.rw == nil || c.m.Compat || c.cur.stopped || c.writeErr != nil {
		return false
	}
	if c.cur.busy { // what is being read would come when another message is at hand
		return false
	}
	if !c.chunks() && (c.rw.OutOctets() > 0 || c.cur.sending) {
		return false
	}
	switch f.Kind {
	case ServerError:
		return (f.Reply != nil || f.Err != nil) && !f.closing()
	case NotSecure:
		return f.Err == errNoStartTLS || f.Err == errPlaintext || errors.Is(f.Err, errCleartext)
	}
	return f.Kind == Configure
}

// leave does what is left to do before the next command: commands that were sent ahead are still
// answered, and a DATA that is accepted has to be answered with a text.
func (c *conn) leave() {
	failed := c.cur
	failed.sending = false
	c.out.end()
	c.wait(min(c.m.Timeout, quitTimeout))
	c.stray = false
	asked := false
	for i := range c.expected.waiting() {
		waiting := &c.expected.waiting()[i]
		switch {
		case waiting.d != failed:
		case waiting.stage == StageData && !c.chunks():
			asked = true
			waiting.then = (*conn).abandon
		case waiting.stage == StageRcpt:
			waiting.then = (*conn).acceptedAfterAll
		default:
			waiting.then = (*conn).ignore
		}
	}
	c.dirty = c.ready
	if c.pool != nil {
		c.forget()
	}
	if !asked {
		c.goOn()
	}
}

// goOn turns to the next message.
func (c *conn) goOn() {
	if len(c.behind.waiting()) == 0 {
		c.next()
		return
	}
	c.cur = c.behind.take()
	c.m = c.cur.m
	c.dirty = false // its envelope is sent already, and RSET before it where that may matter
	if c.cur.done { // it was given up
		c.leave()
		return
	}
	c.alive()
	if len(c.behind.waiting()) <= maxBehind/2 {
		c.lookAhead()
	}
}

// ignore is for replies that nobody waits for any more.
func (c *conn) ignore(step, *smtp.Reply) {}

// acceptedAfterAll learns of a recipient that was sent ahead of a MAIL that is refused.
func (c *conn) acceptedAfterAll(_ step, r *smtp.Reply) { c.stray = c.stray || r.Positive() }

// abandon ends a transaction without recipients: an empty text goes to nobody (RFC 2920, section
// 3.1). If it would go to somebody after all, it is not sent.
func (c *conn) abandon(_ step, r *smtp.Reply) {
	switch {
	case r.Code != smtp.CodeStartMail:
		c.goOn()
	case c.stray:
		c.brokenOff(&Failure{Kind: Lost, Stage: StageData, Err: errStray})
	case c.write(filter.Record{Bytes: []byte(".\r\n")}):
		c.expect(step{stage: StageFinal, then: (*conn).abandoned})
	}
}

var errStray = errors.New("the server would send the message to a recipient that is not to get it")

func (c *conn) abandoned(step, *smtp.Reply) { c.goOn() }

// quit says goodbye. With Compat, the answer to that decides.
func (c *conn) quit() {
	if c.leaving {
		return
	}
	c.leaving = true
	line := smtp.AppendVerb(c.scratch[:0], smtp.VerbQUIT)
	if c.command(step{stage: StageQuit, d: c.last, then: (*conn).goodbye}, line, "") && c.over() {
		c.wait(c.m.quitLimit())
	}
}

func (c *conn) goodbye(_ step, r *smtp.Reply) {
	if !c.over() {
		if !c.accepts(r, true) {
			c.refused(StageQuit, r)
			return
		}
		c.cur.accept()
		c.cur.conclude(nil)
	}
	c.close()
}

// conclude notes what the round has come to. Unless the rest is tried again, that is the result.
func (d *delivery) conclude(f *Failure) {
	if d.done {
		return
	}
	d.result.Tries++
	if f != nil {
		d.failure = f
		d.settle(f)
	}
	d.conn = nil
	if d.pool != nil && !d.stopped && d.pool.retry(d) {
		return
	}
	d.report(d.failure)
}

// settle gives all those a verdict who have none, because of f.
func (d *delivery) settle(f *Failure) {
	decided := f.Reply
	if f.Stage == StageRcpt && d.m.AllOrNothing || f.Kind != ServerError {
		decided = nil // for others there was no reply
	}
	for i := range d.recipients {
		to := &d.recipients[i]
		switch {
		case to.Stage != "":
		case f.Stage == StageRcpt && to.Reply != nil && to.Reply == f.Reply:
			to.decide(StageRcpt, f.Reply)
		default:
			to.decide(f.Stage, decided)
			if !f.Temporary() && f.Kind != ServerError {
				to.Verdict = Refused
			}
		}
	}
}

// report sends the owner the result, once.
func (d *delivery) report(f *Failure) {
	if d.done {
		return
	}
	d.done = true
	d.conn = nil
	d.release()
	if d.clock != nil {
		_, _ = d.clock.AlarmRemove(d.alarm) // it may be gone
	}
	if f != nil {
		d.settle(f)
	}
	r := d.complete(f)
	if d.settled != nil {
		d.settled(r)
	}
	d.tell(d.m.ResultEvent, r)
	switch {
	case r.OK():
		d.tell(d.m.SuccessEvent, d.m.Context, d.logArg())
	case f != nil:
		d.tell(d.m.FailureEvent, d.m.Context, f.Reason(), d.logArg(), f.ReasonLine())
	}
	if d.held && !d.owner.Ended() {
		_, _ = d.owner.RefcountDecrement(holdTag) // it was counted
	}
}

// complete returns what became of the message. A failure counts only if nobody has it.
func (d *delivery) complete(f *Failure) *Result {
	r := d.result
	r.Took = d.owner.Kernel().Now().Sub(d.began)
	if !r.reached() {
		r.Err = f
	}
	if f != nil && f.Stage == StageFinal && f.Reply != nil && r.Err != nil {
		r.Reply = f.Reply
	}
	return r
}

// logArg is the log as an argument: nil if there is none.
func (d *delivery) logArg() any {
	if d.result.Log == nil {
		return nil
	}
	return d.result.Log
}
