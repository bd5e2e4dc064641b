package server

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
	"go.uber.org/zap"
)

// A conn is the session of one client.
type conn struct {
	server *server
	s      *kernel.Session
	socket kernel.Socket
	remote net.Addr
	rw     *wheel.ReadWrite
	buf    []byte // to make replies in

	phase   phase
	offered smtp.Extensions // after EHLO
	env     Envelope
	refused bool  // a recipient of this message was
	text    *text // the message that is coming in, or nil

	idPrefix string // of the messages of this connection
	messages int    // that were begun
	commands int    // since the last message that was accepted
	mistakes int    // likewise

	held    bool // no command is obeyed before the client has read its replies
	ending  bool // no more messages
	leaving bool // the last reply is given: what still comes in is dropped
	closed  bool
}

// A phase is how far the dialogue has come. Each includes those before it.
type phase uint8

const (
	connected phase = iota
	greeted         // after HELO or EHLO
	mailing         // there is a sender
	addressed       // there is a recipient
)

const (
	// lingerTime is how long what a client sends is read and dropped after the last reply. Closing
	// a connection while something comes in destroys the reply on its way.
	lingerTime = 5 * time.Second

	// textPerTimeout is how much text counts as progress, in octets. An octet at a time does not.
	textPerTimeout = 16 << 10

	// A client that does not read its replies gets no more of them, and is not read, above
	// highMark.
	highMark = 16 << 10
	lowMark  = 4 << 10

	// maxOutput has room for highMark, and for what one command may be answered.
	maxOutput = 64 << 10
)

// spawnConn serves a client in a new child of the server's session.
func spawnConn(v *server, socket kernel.Socket, remote net.Addr) {
	c := &conn{server: v, socket: socket, remote: remote}
	v.s.Create(session.Events{
		kernel.Start:    c.start,
		kernel.Stop:     c.stop,
		"got_command":   session.On(c.gotCommand),
		"got_text":      session.On(c.gotText),
		"got_rest":      func(*kernel.Event) {},
		"got_error":     session.On(c.gotError),
		"replies_read":  c.repliesRead,
		"idle":          c.idle,
		"shutdown":      c.shutdown,
		"shutdown_over": c.shutdownOver,
		"flushed":       func(*kernel.Event) { c.close() },
	})
}

// start greets the client.
func (c *conn) start(e *kernel.Event) {
	c.s = e.Session
	c.idPrefix = fmt.Sprintf("%s.%d", strconv.FormatInt(e.Kernel.Now().UnixMilli(), 36), c.s.ID())
	rw, err := wheel.NewReadWrite(c.s, wheel.ReadWriteOptions{
		Handle:       c.socket,
		InputFilter:  newCommands(),
		OutputFilter: filter.NewStream(filter.StreamOptions{}),
		InputEvent:   "got_command",
		ErrorEvent:   "got_error",
		LowEvent:     "replies_read",
		HighMark:     highMark,
		LowMark:      lowMark,
		MaxOutput:    maxOutput,
	})
	if err != nil {
		c.closed = true
		c.log("cannot serve a client", err)
		return
	}
	c.rw = rw
	c.hurry(c.server.opts.IdleTimeout)
	if check := c.server.opts.CheckClient; check != nil {
		if err := check(c.remote); err != nil {
			c.sayGoodbye(c.replyFor(err))
			return
		}
	}
	c.put(reply(smtp.CodeServiceReady, none, c.server.opts.Hostname+" ESMTP"))
}

// newCommands returns a filter for command lines. A line that ends in LF alone has no CR at its
// end, which is how gotCommand knows.
func newCommands() filter.Filter {
	return filter.NewLine(filter.LineOptions{
		Literal:   "\n",
		MaxLength: smtp.MaxPathLine - len("\n"),
	})
}

// read has what comes in cut by f from now on, and handed to an event. There is none while the
// filter changes, so that nothing of one goes to the handler of the other.
func (c *conn) read(event string, f filter.Filter) {
	c.hold()
	c.rw.SetInputFilter(f)
	c.release(event)
}

// hold leaves what comes in, and what has come in already, where it is.
func (c *conn) hold() { _ = c.rw.SetInputEvent("") } // to watch nothing cannot fail

// release ends hold.
func (c *conn) release(event string) {
	if err := c.rw.SetInputEvent(event); err != nil {
		c.close()
	}
}

// gotCommand obeys one command.
func (c *conn) gotCommand(_ *kernel.Event, in *wheel.Input) {
	c.hurry(c.server.opts.IdleTimeout)
	c.commands++
	if c.commands > c.server.opts.MaxCommands {
		c.sayGoodbye(tooManyCommands)
		return
	}
	if r := c.obey(in.Bytes); r != nil {
		c.answer(r)
	}
	if !c.closed && !c.leaving && c.text == nil && c.rw.High() {
		c.held = true
		c.hold()
	}
}

// answer gives a reply. A client that makes too many mistakes has to bear the consequences.
func (c *conn) answer(r *smtp.Reply) {
	c.put(r)
	if r.Permanent() {
		c.mistakes++
	}
	switch {
	case c.leaving || c.closed:
	case c.mistakes > c.server.opts.MaxErrors:
		c.sayGoodbye(tooManyErrors)
	case c.ending && c.phase < mailing && c.text == nil:
		c.sayGoodbye(shuttingDown)
	}
}

// put sends a reply.
func (c *conn) put(r *smtp.Reply) {
	if c.closed {
		return
	}
	if c.env.From.Params.UTF8 {
		c.buf = r.AppendUTF8(c.buf[:0])
	} else {
		c.buf = r.Append(c.buf[:0])
	}
	if err := c.rw.Put(c.buf); err != nil {
		c.close()
	}
}

// repliesRead goes on with a client that has read its replies at last.
func (c *conn) repliesRead(*kernel.Event) {
	if c.held && !c.leaving && !c.closed {
		c.held = false
		c.release("got_command")
	}
}

// reset forgets the message whose envelope was under way.
func (c *conn) reset() {
	c.phase = min(c.phase, greeted)
	c.refused = false
	c.env = Envelope{Client: c.remote, Hello: c.env.Hello, Extended: c.env.Extended}
}

// newID returns a name for a message.
func (c *conn) newID() string {
	c.messages++
	return fmt.Sprintf("%s.%d", c.idPrefix, c.messages)
}

// hurry gives the client so much time from now on.
func (c *conn) hurry(d time.Duration) {
	if !c.leaving && !c.closed {
		c.s.Delay("idle", d)
	}
}

// idle is when the client's time is over.
func (c *conn) idle(*kernel.Event) {
	switch {
	case c.leaving:
		c.close()
	case c.text != nil && c.text.busy: // it is the sink that takes its time
		c.hurry(c.server.opts.IdleTimeout)
	default:
		c.sayGoodbye(idleTooLong)
	}
}

// shutdown sends the client away, at once if it is not about to send a message.
func (c *conn) shutdown(*kernel.Event) {
	c.ending = true
	if c.phase < mailing && c.text == nil {
		c.sayGoodbye(shuttingDown)
	}
}

// shutdownOver sends the client away. Only a message that is being stored is waited for: the client
// would send it again.
func (c *conn) shutdownOver(*kernel.Event) {
	c.ending = true
	if c.text == nil || !c.text.committing {
		c.sayGoodbye(shuttingDown)
	}
}

// sayGoodbye gives the last reply, to whatever it may be, and closes the connection when the client
// has done so, or after a while.
func (c *conn) sayGoodbye(r *smtp.Reply) {
	if c.leaving || c.closed {
		return
	}
	c.put(r)
	if c.closed {
		return
	}
	c.dropText()
	c.hurry(lingerTime)
	c.leaving = true
	c.rw.ShutdownOutput()
	c.rw.ResumeInput()
	c.read("got_rest", filter.NewStream(filter.StreamOptions{}))
}

// quit gives the last reply to a client that sends nothing more, and closes the connection as soon
// as it is on its way.
func (c *conn) quit(r *smtp.Reply) {
	c.put(r)
	c.finish()
}

func (c *conn) finish() {
	if c.closed {
		return
	}
	c.dropText()
	c.hurry(lingerTime)
	c.leaving = true
	if c.rw.OutOctets() == 0 {
		c.close()
		return
	}
	c.rw.SetFlushedEvent("flushed")
	c.rw.Finish()
}

// gotError is when nothing more comes from the client, or nothing can be sent to it any more. One
// that has only sent all it has may still read the replies.
func (c *conn) gotError(_ *kernel.Event, failed *wheel.Error) {
	switch {
	case errors.Is(failed, filter.ErrTooLong) && !c.leaving:
		c.put(lineTooLong)
		c.sayGoodbye(cannotGoOn)
	case errors.Is(failed, io.EOF):
		c.finish()
	default:
		c.close()
	}
}

// dropText gives up the message that is coming in.
func (c *conn) dropText() {
	if c.text != nil {
		c.text.drop()
		c.text = nil
	}
}

// close ends the connection, and with it all that keeps the session, but for the work of a sink.
func (c *conn) close() {
	if c.closed {
		return
	}
	c.closed = true
	c.dropText()
	c.s.AlarmClear("idle")
	c.rw.Close()
}

// stop is the end, also of a connection that somebody else has ended.
func (c *conn) stop(*kernel.Event) {
	c.close()
	c.server.left(c.remote)
}

func (c *conn) log(what string, err error) {
	c.s.Kernel().Log().Warn("smtp server: "+what, zap.Stringer("client", c.remote), zap.Error(err))
}
