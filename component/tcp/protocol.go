package tcp

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

const (
	// DefaultFlushTimeout is how long, after Shutdown, a peer may read nothing of what is left.
	DefaultFlushTimeout = time.Minute

	// DefaultHandshakeTimeout is how long the TLS handshake of a new connection may take.
	DefaultHandshakeTimeout = 10 * time.Second
)

// A protocol is what the connections of a Server, or of a Client, have in common: how they are
// read and written, and what is done when something happens to one. The functions may be nil,
// except input, refused and gone.
type protocol struct {
	preConnect func(c *Conn, s kernel.Socket) kernel.Handle
	tls        func() wheel.TLSOptions // of a connection that begins; nil means plain text
	connected  func(c *Conn)
	secured    func(c *Conn, s *wheel.Secured)
	input      func(c *Conn, in *wheel.Input)
	flushed    func(c *Conn)
	high, low  func(c *Conn)
	failed     func(c *Conn, err *wheel.Error)
	refused    func(c *Conn, err *wheel.Error) // the handshake has failed
	left       func(c *Conn)                   // the handshake is over without a connection
	gone       func(c *Conn)                   // the wheel is closed

	keepOnError      bool
	flushTimeout     time.Duration          // below 0 means none
	handshakeTimeout time.Duration          // below 0 means none
	wheel            wheel.ReadWriteOptions // without a handle, and with filters to be cloned
}

// check panics if the programmer made a mistake in the options of that name, and fills in what was
// left out.
func (p *protocol) check(options string) {
	o := &p.wheel
	if o.MaxOutput == 0 {
		o.MaxOutput = wheel.DefaultMaxOutput
	}
	switch {
	case o.MaxOutput < 0 || o.BlockSize < 0 || o.HighMark < 0 || o.LowMark < 0:
		panic(fmt.Sprintf("tcp: %s has a size below 0", options))
	case o.HighMark == 0 && (o.LowMark > 0 || p.high != nil || p.low != nil):
		panic(fmt.Sprintf("tcp: %s has no HighMark", options))
	case o.HighMark > 0 && o.LowMark >= o.HighMark:
		panic(fmt.Sprintf("tcp: %s: LowMark is not below HighMark", options))
	case o.HighMark > o.MaxOutput:
		panic(fmt.Sprintf("tcp: %s: HighMark is above MaxOutput", options))
	}
	if p.flushTimeout == 0 {
		p.flushTimeout = DefaultFlushTimeout
	}
	if p.handshakeTimeout == 0 {
		p.handshakeTimeout = DefaultHandshakeTimeout
	}
	o.InputEvent, o.ErrorEvent = eventInput, eventError
	o.SecuredEvent, o.ClosedEvent = eventSecured, eventGone
	o.FlushedEvent = eventIf(p.flushed, eventFlushed)
	o.HighEvent, o.LowEvent = eventIf(p.high, eventHigh), eventIf(p.low, eventLow)
	o.Share()
}

// checkTLS panics if wheel.NewTLS would, with the first connection.
func checkTLS(options string, config *tls.Config) {
	if config != nil && config.Renegotiation != tls.RenegotiateNever {
		panic(fmt.Sprintf("tcp: %s has a TLS that allows renegotiation", options))
	}
}

// eventIf returns the event for a function, or "" for none, so that the wheel does not send it.
func eventIf(f func(c *Conn), event string) string {
	if f == nil {
		return ""
	}
	return event
}

// options returns the options for the wheel of one connection.
func (p *protocol) options(h kernel.Handle) wheel.ReadWriteOptions {
	o := p.wheel
	o.Handle = h
	o.Filter = clone(o.Filter)
	o.InputFilter, o.OutputFilter = clone(o.InputFilter), clone(o.OutputFilter)
	return o
}

func clone(f filter.Filter) filter.Filter {
	if f == nil {
		return nil
	}
	return f.Clone()
}

// tell calls one of the program's functions, if it has that.
func tell(f func(c *Conn), c *Conn) {
	if f != nil {
		f(c)
	}
}

// The events of the session of a connection, besides those of its options.
const (
	eventInput     = "tcp_input"
	eventError     = "tcp_error"
	eventFlushed   = "tcp_flushed"
	eventHigh      = "tcp_high"
	eventLow       = "tcp_low"
	eventSecured   = "tcp_secured"
	eventHandshake = "tcp_handshake_timeout"
	eventGone      = "tcp_gone"    // the wheel is closed; its argument is the wheel's ID
	eventStalled   = "tcp_stalled" // its argument is how much was left to write
	eventShutdown  = "shutdown"
	eventConnect   = "connect"
	eventReconnect = "reconnect"
)

// events returns the table of a connection's session, without its start and its end.
func (p *protocol) events() session.Events {
	return session.Events{
		eventInput:   func(e *kernel.Event) { p.input(ConnOf(e), kernel.Arg[*wheel.Input](e, 0)) },
		eventError:   session.On(p.gotError),
		eventFlushed: func(e *kernel.Event) { tell(p.flushed, ConnOf(e)) },
		eventHigh:    func(e *kernel.Event) { tell(p.high, ConnOf(e)) },
		eventLow:     func(e *kernel.Event) { tell(p.low, ConnOf(e)) },
		eventSecured: session.On(func(e *kernel.Event, s *wheel.Secured) {
			ConnOf(e).gotSecured(s)
		}),
		eventHandshake: func(e *kernel.Event) {
			c := ConnOf(e)
			c.refuse(&wheel.Error{Op: "handshake", Err: syscall.ETIMEDOUT, Wheel: c.rw.ID()})
		},
		eventGone: session.On(func(e *kernel.Event, of wheel.ID) {
			if c := ConnOf(e); c.rw.ID() == of { // and not the next one
				c.drop()
			}
		}),
		eventStalled: func(e *kernel.Event) { ConnOf(e).stalled(e) },
	}
}

// gotError tells what went wrong, and then ends the connection, unless the program wants to.
func (p *protocol) gotError(e *kernel.Event, err *wheel.Error) {
	c := ConnOf(e)
	if c.opening {
		c.refuse(err)
		return
	}
	if !p.keepOnError || c.ending {
		defer c.hangUp(err)
	}
	p.fail(c, err)
}

// fail hands an error to who is there to know.
func (p *protocol) fail(c *Conn, err *wheel.Error) {
	switch {
	case p.failed != nil:
		p.failed(c, err)
	case !quiet(err):
		c.Session.Kernel().Log().Warn("tcp: the connection failed",
			zap.Stringer("session", c.Session), zap.Stringer("remote", c.remote), zap.Error(err))
	}
}

// quiet reports whether err is a way in which connections usually end. One that ends before its
// handshake is mostly somebody's look whether there is a server.
func quiet(err *wheel.Error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE) ||
		err.Op == "handshake" && errors.Is(err, io.ErrUnexpectedEOF)
}
