package client

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// A conn is the session that talks to one server. It connects, introduces itself, and sends one
// message, or one after the other as its pool has them.
type conn struct {
	s    *kernel.Session
	pool *destination // where its messages come from; nil if there is only one

	cur    *delivery       // the message at hand: the oldest whose replies are not all in
	behind fifo[*delivery] // those of which something is sent already, before its turn
	m      *Message        // the message at hand, or else the last one: it says how to talk
	last   *delivery       // the one before, if somebody wants to know how the dialogue ends

	sockets *wheel.SocketFactory
	rw      *wheel.ReadWrite
	timer   kernel.AlarmID
	rings   time.Time    // when that alarm comes
	due     time.Time    // when the time-out does, which may be later
	alias   kernel.Alias // the name that the session has, or ""
	local   bool         // the connection does not leave this machine
	plain   bool         // TLS has failed, and there is to be none
	tls     *tls.ConnectionState

	out       wire
	parser    smtp.ReplyParser
	good      smtp.Reply // see reply
	continued int        // lines of a reply, with Compat
	line      []byte     // the last one that came
	expected  fifo[step] // the commands that wait for a reply
	stage     Stage
	put       int64 // octets of all commands and texts so far
	noticed   int64 // of them, those that were written when the time-out was last looked at
	writeErr  error // what went wrong with writing, while there may still be something to read
	scratch   []byte

	offered    smtp.Extensions
	pipelining bool // is offered
	chunking   bool // is offered
	utf8       bool // SMTPUTF8 is offered
	eightBit   bool // 8BITMIME is offered
	size       bool // is offered
	sizeLimit  int64
	limits     smtp.Limits

	xclient   bool // XCLIENT was sent
	exchange  *exchange
	unwelcome *Failure // why EHLO was refused, while HELO is tried
	ready     bool     // it may send messages
	beginning bool     // one is begun right now
	dirty     bool     // the server may still have the beginning of a transaction
	stray     bool     // it has accepted a recipient after the failure
	stuck     bool     // it cannot be made to forget that beginning
	resting   bool     // there is nothing to do
	rested    bool     // it did, and the message at hand has no reply yet
	leaving   bool     // it has said QUIT
	closed    bool
	served    int // messages that were begun
	mails     int // transactions that were begun
}

// newConn returns a connection that has not begun, for the sake of d.
func newConn(pool *destination, d *delivery) *conn {
	return &conn{pool: pool, cur: d, m: d.m, stage: StageConfigure}
}

// connEvents is the table of these sessions. The names are those of version 0.22, as far as it has
// them.
var connEvents = session.Methods[*conn]{
	kernel.Start:             (*conn).start,
	kernel.Stop:              (*conn).stop,
	"open_message":           (*conn).open,
	"file_opened":            session.OnMethod((*conn).opened),
	"smtp_send":              (*conn).send,
	"connection_established": session.OnMethod((*conn).connected),
	"connection_error":       session.OnMethod((*conn).connectFailed),
	"connection_secured":     session.OnMethod((*conn).secured),
	"smtp_session_input":     session.OnMethod((*conn).gotLine),
	"smtp_session_flushed":   func(c *conn, _ *kernel.Event) { c.alive() },
	"smtp_session_error":     session.OnMethod((*conn).connectionLost),
	"text_read":              session.OnMethod((*conn).chunkRead),
	"more_text":              func(c *conn, _ *kernel.Event) { c.moreText() },
	"smtp_timeout_event":     (*conn).timedOut,
	"smtp_deadline":          func(_ *conn, e *kernel.Event) { expired(e, kernel.Arg[*delivery](e, 0)) },
	"smtp_shutdown":          func(*conn, *kernel.Event) {},
	"smtp_progress":          func(*conn, *kernel.Event) {},
}

func (c *conn) start(e *kernel.Event) {
	c.s = e.Session
	c.setAlarm(c.limit())
	if c.pool == nil {
		c.cur.watch(c.s)
		c.takeAlias()
	}
	c.begin(c.cur)
}

// takeAlias takes the name that the message asks for. One that is taken is no reason not to send.
func (c *conn) takeAlias() {
	if name := kernel.Alias(c.m.Alias); name != "" && c.s.AliasSet(name) == nil {
		c.alias = name
	}
}

// stop sees to it that each message has a result even if the session is stopped from outside.
func (c *conn) stop(*kernel.Event) {
	f := &Failure{Kind: ShutDown, Stage: c.waitsFor(), Err: errStopped}
	for _, d := range append([]*delivery{c.cur}, c.behind.waiting()...) {
		if d != nil {
			d.stopped = true
			d.conclude(f)
		}
	}
	c.behind = fifo[*delivery]{}
	c.close()
}

var errStopped = errors.New("the session was stopped")

// begin turns to a message. What has to be opened or signed is not in memory yet.
func (c *conn) begin(d *delivery) {
	c.turnTo(d)
	c.rested, c.resting = c.resting, false
	if c.ready && d.inMemory && !c.beginning {
		c.beginning = true
		d.open()
		c.send(nil) // which may fail at once, and then it is the next one's turn
		c.beginning = false
		return
	}
	c.s.Yield("open_message")
}

// turnTo makes d the message at hand.
func (c *conn) turnTo(d *delivery) {
	c.cur, c.m = d, d.m
	c.stage = StageConfigure
	c.served++
	d.conn, d.s, d.result.TLS = c, c.s, c.tls
}

// send sends the message at hand, and connects first if that is still to be done.
func (c *conn) send(*kernel.Event) {
	if c.over() {
		return
	}
	if c.pool == nil { // else the client has looked already
		if err := c.m.check(); err != nil {
			c.fail(&Failure{Kind: Configure, Stage: StageConfigure, Err: err})
			return
		}
	}
	if c.ready {
		c.alive()
		c.envelope(c.cur)
		return
	}
	c.dial()
}

// over reports whether there is no message at hand without a result.
func (c *conn) over() bool { return c.closed || c.cur == nil || c.cur.done }

// dial begins to connect.
func (c *conn) dial() {
	c.stage = StageConnect
	c.progress(c.cur, StageConnect, "", "")
	c.alive()
	opts := wheel.SocketFactoryOptions{
		RemoteAddress: c.m.Server,
		SuccessEvent:  "connection_established",
		FailureEvent:  "connection_error",
	}
	if isPath(c.m.Server) {
		opts.Network = "unix"
	} else {
		opts.RemoteAddress, _ = asciiHost(c.m.Server) // check has found nothing against it
		opts.RemotePort = c.m.Port
		opts.BindAddress, opts.BindPort = c.m.BindAddress, c.m.BindPort
	}
	c.sockets = wheel.NewSocketFactory(c.s, opts)
}

// isPath reports whether a server is a unix socket.
func isPath(server string) bool { return strings.HasPrefix(server, "/") }

func (c *conn) connectFailed(_ *kernel.Event, failed *wheel.Error) {
	c.fail(&Failure{Kind: NoConnect, Stage: StageConnect, Err: failed})
}

// connected waits for the greeting: the client never speaks first, but to a proxy, and for TLS.
func (c *conn) connected(_ *kernel.Event, made *wheel.Connection) {
	c.local = isLocal(made.Remote)
	rw, err := wheel.NewReadWrite(c.s, wheel.ReadWriteOptions{
		Handle: made.Socket,
		InputFilter: filter.NewLine(filter.LineOptions{
			Newline: filter.NetNewline, MaxLength: smtp.DefaultReplyLine,
		}),
		OutputFilter: &c.out,
		InputEvent:   "smtp_session_input",
		FlushedEvent: "smtp_session_flushed",
		ErrorEvent:   "smtp_session_error",
		SecuredEvent: "connection_secured",
		LowEvent:     "more_text",
		HighMark:     highMark,
		LowMark:      lowMark,
	})
	if err != nil {
		c.connectFailed(nil, &wheel.Error{Op: "select", Err: err})
		return
	}
	c.rw = rw
	if c.m.Proxy != nil && !c.announceProxy() {
		return
	}
	if c.m.TLS == Implicit {
		c.beginTLS()
		return
	}
	c.expect(step{stage: StageGreeting, then: (*conn).greeted})
	c.alive()
}

// announceProxy sends the header of the PROXY protocol, which comes before all else.
func (c *conn) announceProxy() bool {
	header, err := c.m.Proxy.append(nil)
	if err != nil {
		c.fail(&Failure{Kind: Configure, Stage: StageConnect, Err: err})
		return false
	}
	return c.write(filter.Record{Bytes: header})
}

// isLocal reports whether an address is this machine's.
func isLocal(addr net.Addr) bool {
	switch a := addr.(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return false
}

// alive pushes the time-out forward: something has happened.
func (c *conn) alive() {
	if !c.over() && !c.resting {
		c.wait(c.limit())
	}
}

// limit is the longest time that may pass until something happens.
func (c *conn) limit() time.Duration { return c.m.limit(c.waitsFor()) }

// wait lets the time-out come in so long from now. Mostly that is later than it was, and then the
// alarm is left alone: see timedOut.
func (c *conn) wait(timeout time.Duration) {
	c.due = c.s.Kernel().Now().Add(timeout)
	if c.due.Before(c.rings) {
		c.rings = c.due
		_, _ = c.s.DelayAdjust(c.timer, timeout) // it is there, unless all is over
	}
}

// setAlarm sets the alarm for a time-out in so long from now.
func (c *conn) setAlarm(timeout time.Duration) {
	c.due = c.s.Kernel().Now().Add(timeout)
	c.rings = c.due
	c.timer = c.s.DelaySet("smtp_timeout_event", timeout)
}

// timedOut gives up, unless the server has at least taken something of what waits to be written, or
// the time-out is later by now than when the alarm was set.
func (c *conn) timedOut(*kernel.Event) {
	if left := c.due.Sub(c.s.Kernel().Now()); left > 0 {
		c.setAlarm(left)
		return
	}
	if c.resting {
		c.setAlarm(quitTimeout)
		c.dismiss()
		return
	}
	if written := c.written(); !c.over() && written > c.noticed && written < c.put {
		c.noticed = written
		c.setAlarm(c.limit())
		return
	}
	at := c.waitsFor()
	f := &Failure{Kind: TimedOut, Stage: at, timeout: c.limit()}
	if c.cur != nil && c.cur.busy && (c.cur.sending || at == StageConfigure) {
		f.Err = errNoText
	}
	c.fail(f)
}

var errNoText = errors.New("nothing more of the message could be read")

// next is when a message is over, and the server is ready for another.
func (c *conn) next() {
	if c.pool != nil && !c.m.Compat {
		c.forget()
	}
	if c.pool == nil || !c.ready || c.leaving || c.m.Compat || c.spent() {
		c.quit()
		return
	}
	if d := c.pool.take(); d != nil {
		c.begin(d)
		return
	}
	c.rest()
}

// forget lets go of the message at hand: it has its result, or another connection gets it. Whoever
// follows the dialogue may still hear of its end.
func (c *conn) forget() {
	if c.cur != nil && c.cur.done && c.cur.watched {
		c.last = c.cur
	}
	c.cur = nil
}

// spent reports whether the connection may send no more messages.
func (c *conn) spent() bool {
	return c.stuck || c.fullUp() || c.served >= c.pool.mailer.opts.MessagesPerConnection || c.writeErr != nil
}

// fullUp reports whether the server takes no more transactions on this connection (RFC 9422).
func (c *conn) fullUp() bool { return c.limits.MailMax > 0 && c.mails >= c.limits.MailMax }

// rest waits for a message.
func (c *conn) rest() {
	if c.pool.mailer.ending {
		c.quit()
		return
	}
	c.resting = true
	c.shrink()
	c.wait(c.pool.mailer.opts.IdleTime)
	c.pool.rests(c)
}

// dismiss ends a connection that rests.
func (c *conn) dismiss() {
	c.resting = false
	c.pool.wakes(c)
	c.quit()
}

// shrink gives back what a connection does not need while it rests.
func (c *conn) shrink() {
	if cap(c.scratch) > keptScratch {
		c.scratch = nil
	}
}

// keptScratch is how much memory for commands a connection keeps, in octets.
const keptScratch = 4 << 10

// close ends the session by giving up all that keeps it.
func (c *conn) close() {
	if c.closed {
		return
	}
	c.closed = true
	c.s.AlarmRemoveAll()
	if c.alias != "" {
		_ = c.s.AliasRemove(c.alias) // it is there
	}
	if c.sockets != nil {
		c.sockets.Close()
	}
	if c.rw != nil {
		c.rw.Close()
	}
	if c.pool != nil {
		c.pool.gone(c)
	}
}
