package tcp

import (
	"crypto/tls"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// ClientOptions are the options of a Client. RemoteAddress, ServerInput and, for an address that is
// not a path, RemotePort have no default.
type ClientOptions struct {
	Alias kernel.Alias // of the client's session; empty means none

	Network       string // "tcp", "tcp4", "tcp6" or "unix"; empty means "tcp"
	RemoteAddress string // name, IP address or path of the server
	RemotePort    string // number or name of a service
	BindAddress   string // name, IP address or path of this end; empty means any
	BindPort      string // number or name of a service; empty means any

	// ConnectTimeout is how long a connect may take, with looking the name up, and trying all its
	// addresses. Then ConnectError gets ETIMEDOUT. 0 means as long as the system lets it.
	ConnectTimeout time.Duration

	// AttemptDelay is how long one address of a name is waited for before the next one is tried,
	// too; see wheel.SocketFactoryOptions.
	AttemptDelay time.Duration

	// TLS has the connections speak TLS from the first byte on; nil means plain text. It is shared
	// by all, and nobody changes it any more; see wheel.TLSOptions. Without a ServerName, that is
	// RemoteAddress. With a ClientSessionCache, the next connection resumes the session of the
	// last.
	TLS *tls.Config

	// HandshakeTimeout is how long the handshake of a new connection may take, after the connect.
	// Then ConnectError gets ETIMEDOUT. 0 means DefaultHandshakeTimeout, and less that there is no
	// limit.
	HandshakeTimeout time.Duration

	Started func(c *Client) // the session is there, and connecting

	// PreConnect may look at a connection before anything else is done with it, and returns the
	// handle to use: s itself, or one over it, such as a wheel.TLS. nil refuses the connection: the
	// socket is closed, and no further function is called.
	PreConnect func(c *Client, s kernel.Socket) kernel.Handle

	Connected func(c *Client)                   // there is a connection, its handshake is over
	Secured   func(c *Client, s *wheel.Secured) // a handshake is over; with TLS, next

	// ConnectError takes why there is none; if the operation is "handshake", TLS is why. The
	// program may connect again; the session has its alias until then, or until Shutdown. nil means
	// that the kernel's log takes it, and that the client shuts down.
	ConnectError func(c *Client, err *wheel.Error)

	ServerInput   func(c *Client, in *wheel.Input) // a record came
	ServerFlushed func(c *Client)                  // the last of the output is written
	ServerHigh    func(c *Client)                  // more waits to be written than HighMark
	ServerLow     func(c *Client)                  // after that, no more than LowMark is left

	// ServerError takes what went wrong, or io.EOF at the end of the input. After it, the
	// connection ends: at the end of the input, as by Shutdown, else at once. nil means that the
	// kernel's log takes it, unless it is a usual end.
	ServerError func(c *Client, err *wheel.Error)

	// Disconnected is called when the connection is gone. It may connect again, at once by
	// Reconnect, or later by an alarm with the event reconnect. If it does not do so at once, the
	// alias is given up.
	Disconnected func(c *Client)

	// KeepOnError says that an error, or the end of the input, does not end the connection: the
	// program does, by Shutdown or Close.
	KeepOnError bool

	Filter       filter.Filter // cloned for each connection; nil means lines
	InputFilter  filter.Filter // to read with; nil means Filter
	OutputFilter filter.Filter // to write with; nil means Filter

	HighMark  int // bytes of the output; 0 means no marks
	LowMark   int // bytes, less than HighMark
	MaxOutput int // bytes; 0 means wheel.DefaultMaxOutput
	BlockSize int // bytes that are read at once, at most and by default 64 KiB

	// FlushTimeout is how long, after Shutdown, the server may read nothing of what is left. Then
	// ServerError gets ETIMEDOUT. 0 means DefaultFlushTimeout, and less that there is no limit.
	FlushTimeout time.Duration

	// Events are further events of the session. ClientOf gives their handlers the Client. They have
	// no kernel.Start, nor any other name that is taken.
	Events session.Events
}

// check panics if the programmer made a mistake.
func (o *ClientOptions) check() {
	switch {
	case o.ServerInput == nil:
		panic("tcp: ClientOptions has no ServerInput")
	case o.RemoteAddress == "":
		panic("tcp: ClientOptions has no RemoteAddress")
	case o.RemotePort == "" && o.Network != "unix":
		panic("tcp: ClientOptions has no RemotePort")
	case o.Network == "unix" && (o.RemotePort != "" || o.BindPort != ""):
		panic("tcp: ClientOptions has a port for a path")
	case o.Network == "unix" && o.TLS != nil && o.TLS.ServerName == "" &&
		!o.TLS.InsecureSkipVerify:
		panic("tcp: ClientOptions has a TLS without a ServerName, for a path")
	}
	checkTLS("ClientOptions", o.TLS)
	switch o.Network {
	case "", "tcp", "tcp4", "tcp6", "unix":
	default:
		panic("tcp: ClientOptions: Network " + o.Network + " is not one of streams")
	}
}

// A Client is a session that connects to a server, as often as it is told to. It is the Heap of
// that session.
//
// POE: POE::Component::Client::TCP.
type Client struct {
	Conn

	opts       ClientOptions
	connecting *wheel.SocketFactory // nil while it is not
	again      bool                 // connect once the connection is gone
	stopped    bool                 // the session ends
	named      bool                 // it has the alias
	err        error                // why it did not start
}

// SpawnClient makes a session that connects, a child of parent. It takes these events, and those of
// Events:
//
//	connect    string, string: as Connect. Without the second, the port stays.
//	reconnect  no argument: as Reconnect.
//	shutdown   no argument: as Shutdown.
//
// The error is kernel.ErrAliasTaken. What goes wrong with connecting comes to ConnectError.
//
// POE: new.
func SpawnClient(parent *kernel.Session, opts ClientOptions) (*Client, error) {
	opts.check()
	c := &Client{opts: opts}
	c.protocol = c.newProtocol()
	c.protocol.check("ClientOptions")
	parent.CreateWith(session.Join(c.protocol.events(), session.Events{
		kernel.Start:   c.start,
		kernel.Stop:    c.stop,
		eventMade:      session.On(c.made),
		eventNotMade:   session.On(c.notMade),
		eventTimeout:   c.timedOut,
		eventConnect:   c.connectTo,
		eventReconnect: func(*kernel.Event) { c.Reconnect() },
		eventShutdown:  func(*kernel.Event) { c.Shutdown() },
	}, opts.Events), kernel.CreateOptions{Heap: c})
	if c.err != nil {
		return nil, c.err // and nothing keeps the session
	}
	return c, nil
}

// The events of a client, besides those of any connection, and those that others may send.
const (
	eventMade    = "tcp_connected"
	eventNotMade = "tcp_not_connected"
	eventTimeout = "tcp_connect_timeout"
)

// newProtocol returns what the options say about a connection.
func (c *Client) newProtocol() *protocol {
	o := &c.opts
	p := &protocol{
		connected:        c.bind(o.Connected),
		input:            func(_ *Conn, in *wheel.Input) { o.ServerInput(c, in) },
		flushed:          c.bind(o.ServerFlushed),
		high:             c.bind(o.ServerHigh),
		low:              c.bind(o.ServerLow),
		refused:          func(_ *Conn, err *wheel.Error) { c.failed(err) },
		gone:             c.gone,
		keepOnError:      o.KeepOnError,
		flushTimeout:     o.FlushTimeout,
		handshakeTimeout: o.HandshakeTimeout,
		wheel: wheel.ReadWriteOptions{
			Filter:       o.Filter,
			InputFilter:  o.InputFilter,
			OutputFilter: o.OutputFilter,
			HighMark:     o.HighMark,
			LowMark:      o.LowMark,
			MaxOutput:    o.MaxOutput,
			BlockSize:    o.BlockSize,
		},
	}
	if o.PreConnect != nil {
		p.preConnect = func(_ *Conn, s kernel.Socket) kernel.Handle { return o.PreConnect(c, s) }
	}
	if o.TLS != nil {
		p.tls = c.secure
	}
	if o.Secured != nil {
		p.secured = func(_ *Conn, s *wheel.Secured) { o.Secured(c, s) }
	}
	if o.ServerError != nil {
		p.failed = func(_ *Conn, err *wheel.Error) { o.ServerError(c, err) }
	}
	return p
}

// secure returns what the next connection speaks TLS by.
func (c *Client) secure() wheel.TLSOptions {
	config := c.opts.TLS
	if config.ServerName == "" && c.opts.Network != "unix" {
		config = config.Clone()
		config.ServerName = c.opts.RemoteAddress
	}
	return wheel.TLSOptions{Config: config}
}

// bind makes a function of a Client one of its Conn.
func (c *Client) bind(f func(c *Client)) func(*Conn) {
	if f == nil {
		return nil
	}
	return func(*Conn) { f(c) }
}

// ClientOf returns the Client of the session that handles e. It is for the handlers of
// ClientOptions.Events. In any other session it panics.
func ClientOf(e *kernel.Event) *Client { return e.Heap.(*Client) }

func (c *Client) start(e *kernel.Event) {
	c.Session = e.Session
	if c.err = c.name(); c.err != nil {
		return
	}
	c.connect()
	if c.opts.Started != nil {
		c.opts.Started(c)
	}
}

// name takes the alias, unless it has it.
func (c *Client) name() error {
	if c.opts.Alias == "" || c.named {
		return nil
	}
	err := c.Session.AliasSet(c.opts.Alias)
	c.named = err == nil
	return err
}

// forget gives up the alias.
func (c *Client) forget() {
	if c.named {
		c.named = false
		_ = c.Session.AliasRemove(c.opts.Alias) // it is there
	}
}

// connect begins to connect, also if it is about to already.
func (c *Client) connect() {
	c.abort()
	c.again = false
	if c.stopped || c.Session.Ended() {
		return
	}
	c.connecting = wheel.NewSocketFactory(c.Session, wheel.SocketFactoryOptions{
		Network:       c.opts.Network,
		RemoteAddress: c.opts.RemoteAddress,
		RemotePort:    c.opts.RemotePort,
		BindAddress:   c.opts.BindAddress,
		BindPort:      c.opts.BindPort,
		Reuse:         c.opts.BindPort != "",
		AttemptDelay:  c.opts.AttemptDelay,
		SuccessEvent:  eventMade,
		FailureEvent:  eventNotMade,
	})
	if c.opts.ConnectTimeout > 0 {
		c.Session.Delay(eventTimeout, c.opts.ConnectTimeout)
	}
	if err := c.name(); err != nil {
		c.Session.Kernel().Log().Warn("tcp: the client connects without its alias",
			zap.Stringer("session", c.Session), zap.Error(err))
	}
}

// abort ends connecting, and a handshake.
func (c *Client) abort() {
	c.giveUp()
	if c.connecting != nil {
		c.connecting.Close()
		c.connecting = nil
	}
	c.Session.AlarmClear(eventTimeout)
}

// made is when there is a socket.
func (c *Client) made(_ *kernel.Event, made *wheel.Connection) {
	c.abort()
	switch opened, failed := c.open(made.Socket, made.Remote); {
	case failed != nil:
		c.failed(failed)
	case !opened:
		c.rest()
	}
}

// notMade is when there is none.
func (c *Client) notMade(_ *kernel.Event, err *wheel.Error) {
	c.abort()
	c.failed(err)
}

// timedOut is when ConnectTimeout is over.
func (c *Client) timedOut(*kernel.Event) {
	id := c.connecting.ID() // it is there, or abort had cleared the alarm
	c.abort()
	c.failed(&wheel.Error{Op: "connect", Err: syscall.ETIMEDOUT, Wheel: id})
}

// failed tells why there is no connection.
func (c *Client) failed(err *wheel.Error) {
	if c.opts.ConnectError != nil {
		c.opts.ConnectError(c, err)
		return
	}
	c.Session.Kernel().Log().Warn("tcp: cannot connect",
		zap.Stringer("session", c.Session), zap.String("remote", c.opts.RemoteAddress),
		zap.Error(err))
	c.Shutdown()
}

// Connect connects to another server, from now on. See Reconnect.
//
// POE: the event connect.
func (c *Client) Connect(address, port string) {
	c.opts.RemoteAddress, c.opts.RemotePort = address, port
	c.opts.check()
	c.Reconnect()
}

// connectTo is Connect by an event.
func (c *Client) connectTo(e *kernel.Event) {
	port := kernel.ArgOr(e, 1, c.opts.RemotePort)
	c.Connect(kernel.Arg[string](e, 0), port)
}

// Reconnect begins to connect anew, whatever there is by now: a connection ends, as by Close, and
// Disconnected comes before that.
//
// POE: the event reconnect.
func (c *Client) Reconnect() {
	if c.up {
		c.again = true
		c.end()
		return
	}
	c.connect()
}

// Shutdown ends the connection, as Conn.Shutdown does, or the attempt to make one, of which nothing
// comes then. An alarm with the event reconnect is cleared, and the alias is given up, unless
// Disconnected connects again. The session ends when nothing else keeps it.
//
// POE: the event shutdown.
func (c *Client) Shutdown() {
	c.leave()
	c.Conn.Shutdown()
}

// Close is Shutdown without regard for what is not written. See Conn.Close.
func (c *Client) Close() {
	c.leave()
	c.Conn.Close()
}

// leave sees to it that there is no further connection.
func (c *Client) leave() {
	c.again = false
	c.abort()
	c.Session.AlarmClear(eventReconnect)
	if !c.up {
		c.forget()
	}
}

// gone tells that the connection is, and connects again if that is wanted.
func (c *Client) gone(*Conn) {
	defer c.rest()
	if c.opts.Disconnected != nil {
		c.opts.Disconnected(c)
	}
}

// rest connects again if that is wanted, and gives up the alias if nothing is going on.
func (c *Client) rest() {
	switch {
	case c.again:
		c.connect()
	case c.connecting == nil:
		c.forget()
	}
}

func (c *Client) stop(*kernel.Event) {
	c.stopped = true
	c.drop()
	c.abort()
}
