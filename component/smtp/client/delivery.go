package client

import (
	"errors"
	"time"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// A delivery is the session that sends one message: its dialogue with the server, one method a
// step.
type delivery struct {
	m     *Message
	owner *kernel.Session // gets the result
	held  bool            // it is kept alive for that
	s     *kernel.Session
	began time.Time

	sockets *wheel.SocketFactory
	rw      *wheel.ReadWrite
	timer   kernel.AlarmID
	aliased bool // the session has the name that the message asks for

	parser    smtp.ReplyParser
	continued int    // lines of a reply, with Compat
	line      string // the last one that came
	expected  []step // the commands that wait for a reply, oldest first
	stage     Stage
	put       int64 // octets of all commands and the text so far
	noticed   int64 // of them, those that were written when the time-out was last looked at
	writeErr  error // what went wrong with writing, while there may still be something to read

	offered    smtp.Extensions
	recipients []Recipient
	answered   int         // recipients that have a reply
	stray      bool        // one was accepted after the failure
	reply      *smtp.Reply // to the message

	body    body
	text    *textFilter
	sending bool // the text is being sent
	octets  int64

	log     []string
	done    bool // the result is out
	stopped bool // the session ends: what it posts now would end with it
}

// newDelivery returns a delivery of m that has not begun.
func newDelivery(owner *kernel.Session, m *Message) *delivery {
	d := &delivery{owner: owner, m: m.withDefaults(), stage: StageConfigure}
	d.recipients = make([]Recipient, len(d.m.To))
	for i, to := range d.m.To {
		d.recipients[i].Address = to
	}
	return d
}

// events is the session's table. The names are those of version 0.22, as far as it has them.
func (d *delivery) events() session.Events {
	return session.Events{
		kernel.Start:             d.start,
		kernel.Stop:              d.stop,
		"open_message":           d.open,
		"file_opened":            session.On(d.opened),
		"smtp_send":              d.connect,
		"connection_established": session.On(d.connected),
		"connection_error":       session.On(d.connectFailed),
		"smtp_session_input":     session.On(d.gotLine),
		"smtp_session_flushed":   func(*kernel.Event) { d.alive() },
		"smtp_session_error":     session.On(d.connectionLost),
		"text_read":              session.On(d.chunkRead),
		"more_text":              func(*kernel.Event) { d.moreText() },
		"smtp_timeout_event":     d.timedOut,
		"smtp_shutdown":          func(*kernel.Event) {},
		"smtp_progress":          func(*kernel.Event) {},
	}
}

func (d *delivery) start(e *kernel.Event) {
	d.s = e.Session
	d.began = e.Kernel.Now()
	_, err := d.owner.RefcountIncrement(holdTag)
	d.held = err == nil // it may have ended, if it had to wait for its turn
	if d.m.Alias != "" {
		// A name that is taken is no reason not to send.
		d.aliased = d.s.AliasSet(kernel.Alias(d.m.Alias)) == nil
	}
	timeout := d.m.Timeout
	if timeout < 0 {
		timeout = DefaultTimeout // until check says what it has against it
	}
	d.timer = d.s.DelaySet("smtp_timeout_event", timeout)
	d.s.Yield("open_message")
}

// stop sees to it that the owner gets a result even if the session is stopped from outside.
func (d *delivery) stop(*kernel.Event) {
	d.stopped = true
	d.fail(&Failure{Kind: ShutDown, Stage: d.waitsFor(), Err: errStopped})
}

var errNoText = errors.New("nothing more of the message could be read")

var errStopped = errors.New("the session was stopped")

// connect begins to connect, unless something is wrong with the message.
func (d *delivery) connect(*kernel.Event) {
	if d.done {
		return
	}
	if err := d.m.check(); err != nil {
		d.fail(&Failure{Kind: Configure, Stage: StageConfigure, Err: err})
		return
	}
	d.stage = StageConnect
	d.progress(StageConnect, "", "")
	d.alive()
	d.sockets = wheel.NewSocketFactory(d.s, wheel.SocketFactoryOptions{
		RemoteAddress: d.m.Server,
		RemotePort:    d.m.Port,
		BindAddress:   d.m.BindAddress,
		BindPort:      d.m.BindPort,
		SuccessEvent:  "connection_established",
		FailureEvent:  "connection_error",
	})
}

func (d *delivery) connectFailed(_ *kernel.Event, failed *wheel.Error) {
	d.fail(&Failure{Kind: NoConnect, Stage: StageConnect, Err: failed})
}

// connected waits for the greeting: the client never speaks first.
func (d *delivery) connected(_ *kernel.Event, c *wheel.Connection) {
	rw, err := wheel.NewReadWrite(d.s, wheel.ReadWriteOptions{
		Handle: c.Socket,
		InputFilter: filter.NewLine(filter.LineOptions{
			Newline: filter.NetNewline, MaxLength: smtp.DefaultReplyLine,
		}),
		OutputFilter: filter.NewStream(filter.StreamOptions{}),
		InputEvent:   "smtp_session_input",
		FlushedEvent: "smtp_session_flushed",
		ErrorEvent:   "smtp_session_error",
		LowEvent:     "more_text",
		HighMark:     highMark,
		LowMark:      lowMark,
	})
	if err != nil {
		failed := &wheel.Error{Op: "select", Err: err}
		d.fail(&Failure{Kind: NoConnect, Stage: StageConnect, Err: failed})
		return
	}
	d.rw = rw
	d.expect(StageGreeting, d.greeted)
	d.alive()
}

// alive pushes the time-out forward: something has happened.
func (d *delivery) alive() {
	if !d.done {
		d.wait(d.m.Timeout)
	}
}

// wait lets the time-out come in so long from now.
func (d *delivery) wait(timeout time.Duration) { _, _ = d.s.DelayAdjust(d.timer, timeout) }

// timedOut gives up, unless the server has at least taken something of what waits to be written.
func (d *delivery) timedOut(*kernel.Event) {
	if written := d.written(); !d.done && written > d.noticed && written < d.put {
		d.noticed = written
		d.timer = d.s.DelaySet("smtp_timeout_event", d.m.Timeout)
		return
	}
	f := &Failure{Kind: TimedOut, Stage: d.waitsFor(), timeout: d.m.Timeout}
	if d.body.busy && (d.sending || f.Stage == StageConfigure) {
		f.Err = errNoText
	}
	d.fail(f)
}
