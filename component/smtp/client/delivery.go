package client

import (
	"context"
	"errors"
	"syscall"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/wheel"
)

// A delivery is a message on its way: what became of it so far, and who is to be told.
type delivery struct {
	m       *Message
	result  *Result         // as far as it is known
	owner   *kernel.Session // gets the result
	held    bool            // it is kept alive for that
	settled func(*Result)   // gets the result too, if it is set
	pool    *destination    // that sends it again, if that may help; or nil
	began   time.Time
	watched bool // somebody wants to know the lines of the dialogue

	s     *kernel.Session // that sends it, or in whose name the result comes
	conn  *conn           // that sends it; nil if none does
	alarm kernel.AlarmID  // for its deadline
	clock *kernel.Session // which has that alarm

	source  *source
	memory  source // where that is, if the text is in memory
	header  []byte // that comes before the text
	busy    bool   // it is being opened, or read
	sending bool   // the text is being sent
	octets  int64  // of the text, handed over so far

	inMemory bool  // all that is to be sent is there without reading anything
	clean    bool  // and is sent as it is; see size
	wireSize int64 // of the text; 0 means that it is not known yet

	recipients []Recipient
	round      []int    // those who are to get the message at once, by their indices
	rcpts      int      // of the round, those who have a reply
	finals     int      // replies to the text that are to come
	again      bool     // there was a text already
	first      [4]int   // where a short round is
	failure    *Failure // of the last try
	heard      bool     // the server has answered its MAIL
	redialled  bool     // it was given to another connection
	cancelled  bool     // it was given up: it is not to be sent again

	done    bool // the result is out
	stopped bool // its session ends: what it posts now would end with it
}

// A letter is a message and its result: what whoever gets the result may keep, in one piece.
type letter struct {
	Result
	message Message
	one     [1]Recipient // the recipients, if there is only one
}

// newDelivery returns a delivery of m that has not begun. It has a copy of m, where what m leaves
// out is filled in, first from defaults. It keeps owner alive until its result.
func newDelivery(owner *kernel.Session, m, defaults *Message) *delivery {
	l := &letter{message: *m}
	m = &l.message
	defaults.fill(m)
	m.fillIn()
	l.Message, l.Recipients = m, l.one[:]
	if len(m.To) > 1 {
		l.Recipients = make([]Recipient, len(m.To))
	}
	for i, to := range m.To {
		l.Recipients[i].Address = to
	}
	d := &delivery{
		m: m, result: &l.Result, recipients: l.Recipients,
		owner: owner, began: owner.Kernel().Now(),
		watched:  m.TransactionLog || m.Progress != "",
		inMemory: m.Source == nil && m.FileHandle == nil && m.MessageFile == "" && m.DKIM == nil,
	}
	_, err := owner.RefcountIncrement(holdTag)
	d.held = err == nil
	return d
}

// holdTag keeps those alive who wait for a result.
const holdTag = "smtp client"

// watch has s look at the deadline.
func (d *delivery) watch(s *kernel.Session) {
	if d.m.Deadline > 0 {
		d.clock = s
		d.alarm = s.DelaySet("smtp_deadline", d.m.Deadline, d)
	}
}

// expired is when there is no more time for d.
func expired(_ *kernel.Event, d *delivery) {
	f := &Failure{Kind: TimedOut, Stage: StageConfigure, timeout: d.m.Deadline, deadline: true}
	d.clock = nil
	d.cancel(f)
}

// cancel gives d up, wherever it is.
func (d *delivery) cancel(f *Failure) {
	if d.done {
		return
	}
	d.cancelled = true
	switch {
	case d.conn == nil:
		d.pool.withdraw(d)
		d.report(f)
	case d.conn.cur == d:
		f.Stage = d.conn.waitsFor()
		d.conn.fail(f)
	default:
		// Something of it is sent, and another message has the connection, which goes on with it.
		if d.octets > 0 {
			f.Stage = StageFinal
		}
		d.conclude(f)
	}
}

// open finds a text that is in memory.
func (d *delivery) open() {
	if d.source == nil {
		d.memory = source{text: d.m.Body, rest: d.m.Body}
		d.source = &d.memory
	}
}

// An opened is a text that is ready to be sent.
type opened struct {
	source *source
	header []byte
}

// openMessage finds the text of a message and signs it. It may block.
func openMessage(ctx context.Context, m *Message) (any, error) {
	source, err := openSource(m)
	if err != nil {
		return nil, err
	}
	text := opened{source: source}
	if m.DKIM != nil {
		if text.header, err = m.DKIM.sign(ctx, source); err != nil {
			source.close()
			return nil, signError{err}
		}
	}
	return text, nil
}

// A signError is why a message could not be signed.
type signError struct{ error }

func (e signError) Unwrap() error { return e.error }

// open finds the text of the message at hand, and then goes on to send it.
func (c *conn) open(*kernel.Event) {
	switch d := c.cur; {
	case c.over():
	case d.source != nil || d.inMemory:
		d.open()
		c.s.Yield("smtp_send")
	case d.m.DKIM == nil && (d.m.Source != nil || d.m.FileHandle != nil):
		d.source, _ = openSource(d.m) // what is open already is only adopted
		c.s.Yield("smtp_send")
	default:
		m := d.m
		c.work(func(ctx context.Context) (any, error) { return openMessage(ctx, m) }, "file_opened")
	}
}

// opened goes on to send, if there is a text.
func (c *conn) opened(_ *kernel.Event, done *kernel.Done) {
	d := c.cur
	text, ok := done.Value.(opened)
	if c.over() { // it took too long
		if ok {
			text.source.close()
		}
		return
	}
	d.busy = false
	var unsigned signError
	switch {
	case errors.As(done.Err, &unsigned):
		c.fail(&Failure{Kind: Configure, Stage: StageConfigure, Err: unsigned})
	case done.Err != nil && d.m.MessageFile != "" && !errors.Is(done.Err, syscall.EISDIR):
		c.fail(&Failure{
			Kind:  NoFile,
			Stage: StageConfigure,
			Err:   noFileError{name: d.m.MessageFile, err: done.Err},
		})
	case done.Err != nil:
		c.unreadable(done.Err)
	default:
		d.source, d.header = text.source, text.header
		c.s.Yield("smtp_send")
	}
}

// A noFileError has the text that 0.22 gives it.
type noFileError struct {
	name string
	err  error
}

func (e noFileError) Error() string { return e.name + " not found!" }
func (e noFileError) Unwrap() error { return e.err }

// work has f called where it may block.
func (c *conn) work(f func(context.Context) (any, error), event string) {
	if err := c.s.Work(f, event); err != nil {
		c.unreadable(err)
		return
	}
	c.cur.busy = true
}

// unreadable gives up. What was sent of the text so far has no end, so no server takes it for a
// message.
func (c *conn) unreadable(err error) {
	c.fail(&Failure{Kind: Lost, Stage: c.waitsFor(), Err: &wheel.Error{Op: "read", Err: err}})
}

// release closes the text. One that is being read is closed by whoever reads it: see readText.
func (d *delivery) release() {
	d.sending = false
	switch {
	case d.source == nil:
	case d.busy:
		d.source.interrupt()
	default:
		d.source.close()
	}
	d.source = nil
}

// answered counts the recipients of whom the server has said something.
func (d *delivery) answered() (n int) {
	for i := range d.recipients {
		if to := &d.recipients[i]; to.Reply != nil || to.Stage != "" {
			n++
		}
	}
	return n
}

// record adds a line to the log.
func (d *delivery) record(arrow, line string) {
	if d.m.TransactionLog && !d.done && len(d.result.Log) < maxLogLines {
		d.result.Log = append(d.result.Log, arrow+line)
	}
}

// tell posts an event to the owner, if the message names one, and it has not ended.
func (d *delivery) tell(event string, args ...any) {
	switch {
	case event == "" || d.owner.Ended():
	case d.stopped || d.s == nil:
		d.owner.Yield(event, args...)
	default:
		_ = d.s.Post(d.owner, event, args...) // neither has ended
	}
}
