package tcp

import (
	"crypto/tls"
	"net"
	"time"

	"go.uber.org/zap"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// ServerOptions are the options of a Server. ClientInput, or Acceptor in its place, has no default.
type ServerOptions struct {
	Alias kernel.Alias // of the server's session; empty means none

	Network     string // "tcp", "tcp4", "tcp6" or "unix"; empty means "tcp"
	Address     string // name, IP address or path to listen at; empty means any
	Port        string // number or name of a service; empty means one that is free
	ListenQueue int    // clients that wait to be accepted; 0 means the system's largest

	// Listener is a socket that listens already, in place of Network, Address and Port; see
	// kernel.FromListener. The server closes it.
	Listener kernel.Socket

	// Concurrency is how many clients are served at the same time. Others wait to be accepted. 0,
	// or less, means as many as the process may have descriptors.
	Concurrency int

	Started func(s *Server) // it listens, and Addr has its address; nobody is accepted yet
	Stopped func(s *Server) // it does not listen, and the last client is gone

	// Error takes what went wrong with listening. If the operation is "accept", the server tries
	// again by itself, and tells once until it has accepted a client; after any other it shuts
	// down. nil means that the kernel's log takes it.
	Error func(s *Server, err *wheel.Error)

	// Acceptor takes each connection, and owns it. It stands for all functions for clients: there
	// are no sessions for them then, and it says by Disconnected when one is gone.
	Acceptor func(s *Server, made *wheel.Connection)

	// TLS has the clients speak TLS from the first byte on; nil means plain text. It is shared by
	// all, and nobody changes it any more; see wheel.TLSOptions. A wheel.CertificateReloader has
	// its GetCertificate.
	TLS *tls.Config

	// HandshakeTimeout is how long the handshake of a new client may take. Then ClientError gets
	// ETIMEDOUT. 0 means DefaultHandshakeTimeout, and less that there is no limit.
	HandshakeTimeout time.Duration

	// ClientPreConnect may look at a client before anything else is done with it, and returns the
	// handle to use: s itself, or one over it, such as a wheel.TLS. nil refuses the client: the
	// socket is closed, and no further function is called.
	ClientPreConnect func(c *Conn, s kernel.Socket) kernel.Handle

	ClientConnected func(c *Conn)                   // a client is there, and its handshake is over
	ClientSecured   func(c *Conn, s *wheel.Secured) // a handshake is over; with TLS, next
	ClientInput     func(c *Conn, in *wheel.Input)  // a record came
	ClientFlushed   func(c *Conn)                   // the last of the output is written
	ClientHigh      func(c *Conn)                   // more waits to be written than HighMark
	ClientLow       func(c *Conn)                   // after that, no more than LowMark is left

	// ClientError takes what went wrong, or io.EOF at the end of the input; RemoteAddr says with
	// whom. After it, the connection ends: at the end of the input, as by Shutdown, else at once.
	// If the operation is "handshake", there never was one, so that it comes without
	// ClientConnected. nil means that the kernel's log takes it, unless it is a usual end.
	ClientError func(c *Conn, err *wheel.Error)

	ClientDisconnected func(c *Conn) // the connection is gone

	// KeepOnError says that an error, or the end of the input, does not end a connection: the
	// program does, by Shutdown or Close.
	KeepOnError bool

	ClientFilter       filter.Filter // cloned for each client; nil means lines
	ClientInputFilter  filter.Filter // to read with; nil means ClientFilter
	ClientOutputFilter filter.Filter // to write with; nil means ClientFilter

	HighMark  int // bytes of a client's output; 0 means no marks
	LowMark   int // bytes, less than HighMark
	MaxOutput int // bytes; 0 means wheel.DefaultMaxOutput
	BlockSize int // bytes that are read at once, at most and by default 64 KiB

	// FlushTimeout is how long, after Shutdown, a client may read nothing of what is left. Then
	// ClientError gets ETIMEDOUT. 0 means DefaultFlushTimeout, and less that there is no limit.
	FlushTimeout time.Duration

	// ClientEvents are further events of the clients' sessions. All share the table: ConnOf gives
	// their handlers the Conn. It has no kernel.Start, nor any other name that is taken.
	ClientEvents session.Events
}

// check panics if the programmer made a mistake.
func (o *ServerOptions) check() {
	switch {
	case o.ClientInput == nil && o.Acceptor == nil:
		panic("tcp: ServerOptions has neither ClientInput nor Acceptor")
	case o.Acceptor != nil && o.hasClients():
		panic("tcp: ServerOptions has an Acceptor, and functions for clients")
	case o.Listener != nil && (o.Network != "" || o.Address != "" || o.Port != ""):
		panic("tcp: ServerOptions has a Listener, and what to listen at")
	case o.TLS != nil && len(o.TLS.Certificates) == 0 && o.TLS.GetCertificate == nil &&
		o.TLS.GetConfigForClient == nil:
		panic("tcp: ServerOptions has a TLS without a certificate")
	}
	checkTLS("ServerOptions", o.TLS)
	switch o.Network {
	case "", "tcp", "tcp4", "tcp6", "unix":
	default:
		panic("tcp: ServerOptions: Network " + o.Network + " is not one of streams")
	}
}

// hasClients reports whether there is anything to be done for clients.
func (o *ServerOptions) hasClients() bool {
	return o.ClientInput != nil || o.ClientPreConnect != nil || o.ClientConnected != nil ||
		o.ClientSecured != nil || o.ClientFlushed != nil || o.ClientHigh != nil ||
		o.ClientLow != nil || o.ClientError != nil || o.ClientDisconnected != nil ||
		o.TLS != nil || len(o.ClientEvents) > 0
}

// A Server listens, and gives each client a session of its own, a child of the server's. It is the
// Heap of its session.
//
// Only the kernel's goroutine may use it.
//
// POE: POE::Component::Server::TCP.
type Server struct {
	Session *kernel.Session
	Heap    any // the program's own

	opts     ServerOptions
	protocol *protocol      // of all clients
	clients  session.Events // the table of all clients' sessions
	listener listener       // nil once it does not listen
	factory  *wheel.SocketFactory
	named    bool // it has the alias
	waiting  bool // clients have to wait to be accepted
	paused   bool // by PauseAccept
	count    int
	err      error // why it did not start
}

// A listener is either of the wheels that accept connections.
type listener interface {
	PauseAccept()
	ResumeAccept()
	Close()
}

// SpawnServer makes a session that listens, a child of parent. It takes these events:
//
//	shutdown         no argument: as Shutdown.
//	set_concurrency  int: as SetConcurrency.
//	disconnected     no argument: as Disconnected.
//
// The sessions of the clients take shutdown, as Conn.Shutdown, and those of ClientEvents. They live
// on after the shutdown of the server, which ends when the last of them has.
//
// The error is kernel.ErrAliasTaken, or that of Session.SelectRead for a Listener, which is closed
// then. What goes wrong with an address comes later, to Error. The file of a unix socket is the
// program's to remove, before and afterwards.
//
// POE: new.
func SpawnServer(parent *kernel.Session, opts ServerOptions) (*Server, error) {
	opts.check()
	s := &Server{opts: opts}
	if opts.ClientInput != nil {
		s.protocol = opts.protocol()
		s.protocol.refused, s.protocol.left, s.protocol.gone = s.protocol.fail, s.left, s.clientGone
		s.protocol.check("ServerOptions")
		s.clients = session.Join(s.protocol.events(), session.Events{
			kernel.Start:  s.startClient,
			kernel.Stop:   s.stopClient,
			eventShutdown: func(e *kernel.Event) { ConnOf(e).Shutdown() },
		}, opts.ClientEvents)
	}
	parent.CreateWith(session.Events{
		kernel.Start:      s.start,
		kernel.Stop:       s.stop,
		eventListens:      func(*kernel.Event) { s.started() },
		eventAccepted:     session.On(s.accepted),
		eventFailed:       session.On(s.failed),
		eventShutdown:     func(*kernel.Event) { s.Shutdown() },
		"set_concurrency": session.On(func(_ *kernel.Event, n int) { s.SetConcurrency(n) }),
		"disconnected":    func(*kernel.Event) { s.Disconnected() },
	}, kernel.CreateOptions{Heap: s})
	if s.err != nil {
		return nil, s.err // and nothing keeps the session
	}
	return s, nil
}

// The events of a server's own session, besides those that others may send.
const (
	eventListens  = "tcp_listens"
	eventAccepted = "tcp_accepted"
	eventFailed   = "tcp_failed"
)

// protocol returns what the options say about clients.
func (o *ServerOptions) protocol() *protocol {
	p := &protocol{
		preConnect:       o.ClientPreConnect,
		connected:        o.ClientConnected,
		secured:          o.ClientSecured,
		input:            o.ClientInput,
		flushed:          o.ClientFlushed,
		high:             o.ClientHigh,
		low:              o.ClientLow,
		failed:           o.ClientError,
		keepOnError:      o.KeepOnError,
		flushTimeout:     o.FlushTimeout,
		handshakeTimeout: o.HandshakeTimeout,
		wheel: wheel.ReadWriteOptions{
			Filter:       o.ClientFilter,
			InputFilter:  o.ClientInputFilter,
			OutputFilter: o.ClientOutputFilter,
			HighMark:     o.HighMark,
			LowMark:      o.LowMark,
			MaxOutput:    o.MaxOutput,
			BlockSize:    o.BlockSize,
		},
	}
	if o.TLS != nil {
		secure := wheel.TLSOptions{Config: o.TLS, Server: true}
		p.tls = func() wheel.TLSOptions { return secure }
	}
	return p
}

func (s *Server) start(e *kernel.Event) {
	s.Session = e.Session
	if s.opts.Alias != "" {
		s.err = e.Session.AliasSet(s.opts.Alias)
		s.named = s.err == nil
	}
	if s.err == nil {
		s.err = s.listen()
	}
	if s.err != nil {
		s.closeListener()
		s.forget()
		return
	}
	if s.factory == nil {
		s.started()
	}
}

// started tells that the server listens.
func (s *Server) started() {
	if s.opts.Started != nil {
		s.opts.Started(s)
	}
}

// listen makes the wheel that accepts.
func (s *Server) listen() error {
	if s.opts.Listener != nil {
		w, err := wheel.NewListenAccept(s.Session, wheel.ListenAcceptOptions{
			Handle:      s.opts.Listener,
			AcceptEvent: eventAccepted,
			ErrorEvent:  eventFailed,
		})
		if err == nil {
			s.listener = w
		}
		return err
	}
	s.factory = wheel.NewSocketFactory(s.Session, wheel.SocketFactoryOptions{
		Network:      s.opts.Network,
		BindAddress:  s.opts.Address,
		BindPort:     s.opts.Port,
		ListenQueue:  s.opts.ListenQueue,
		Reuse:        true,
		SuccessEvent: eventAccepted,
		FailureEvent: eventFailed,
		ListenEvent:  eventListens,
	})
	s.listener = s.factory
	return nil
}

// accepted gives a client its session, or the connection to Acceptor.
func (s *Server) accepted(_ *kernel.Event, made *wheel.Connection) {
	s.count++
	s.update()
	if s.opts.Acceptor != nil {
		s.opts.Acceptor(s, made)
		return
	}
	c := &Conn{protocol: s.protocol, counted: true}
	s.Session.CreateWith(s.clients, kernel.CreateOptions{Heap: c, Args: []any{made}})
}

// startClient begins to serve a client, in its own session.
func (s *Server) startClient(e *kernel.Event) {
	c, made := e.Heap.(*Conn), kernel.Arg[*wheel.Connection](e, 0)
	c.Session = e.Session
	if _, failed := c.open(made.Socket, made.Remote); failed != nil {
		s.protocol.fail(c, failed)
	}
}

// clientGone makes room for the next client, and tells that this one is gone.
func (s *Server) clientGone(c *Conn) {
	s.left(c)
	tell(s.opts.ClientDisconnected, c)
}

// stopClient ends a connection whose session ends first.
func (s *Server) stopClient(e *kernel.Event) {
	c := e.Heap.(*Conn)
	c.giveUp()
	c.drop()
	s.left(c) // one that was refused is counted still
}

// left notes that a client is gone, once.
func (s *Server) left(c *Conn) {
	if c.counted {
		c.counted = false
		s.count--
		s.update()
	}
}

// failed tells that nobody can be accepted.
func (s *Server) failed(_ *kernel.Event, err *wheel.Error) {
	if err.Op != "accept" {
		defer s.Shutdown()
	}
	if s.opts.Error != nil {
		s.opts.Error(s, err)
		return
	}
	s.Session.Kernel().Log().Warn("tcp: the server failed",
		zap.Stringer("session", s.Session), zap.Error(err))
}

// Addr returns the address that the server listens at. It returns wheel.ErrClosed where it does
// not: while a name is still looked up, if something went wrong, and after Shutdown.
//
// POE: getsockname of listener in the heap.
func (s *Server) Addr() (net.Addr, error) {
	switch {
	case s.listener == nil:
		return nil, wheel.ErrClosed
	case s.factory == nil:
		return s.opts.Listener.LocalAddr()
	}
	return s.factory.LocalAddr()
}

// Connections returns how many clients are connected, with those whose handshake is under way.
//
// POE: connections in the heap.
func (s *Server) Connections() int { return s.count }

// SetConcurrency changes how many clients are served at the same time; see ServerOptions. If there
// are more already, they stay.
//
// POE: the event set_concurrency.
func (s *Server) SetConcurrency(n int) {
	s.opts.Concurrency = n
	s.update()
}

// PauseAccept leaves further clients waiting to be accepted.
func (s *Server) PauseAccept() {
	s.paused = true
	s.update()
}

// ResumeAccept accepts clients again, as far as Concurrency allows.
func (s *Server) ResumeAccept() {
	s.paused = false
	s.update()
}

// Disconnected says that one of the connections that Acceptor took is gone. Without Acceptor, the
// server knows by itself, and Disconnected does nothing.
//
// POE: the event disconnected.
func (s *Server) Disconnected() {
	if s.opts.Acceptor == nil {
		return
	}
	if s.count > 0 {
		s.count--
	}
	s.update()
}

// update accepts clients, or lets them wait.
func (s *Server) update() {
	n := s.opts.Concurrency
	waiting := s.paused || n > 0 && s.count >= n
	if s.listener == nil || waiting == s.waiting {
		return
	}
	s.waiting = waiting
	if waiting {
		s.listener.PauseAccept()
	} else {
		s.listener.ResumeAccept()
	}
}

// Shutdown ends listening, and gives up the alias. The clients that there are stay, and the
// session with them. A second Shutdown does nothing.
//
// POE: the event shutdown.
func (s *Server) Shutdown() {
	s.closeListener()
	s.forget()
}

func (s *Server) closeListener() {
	if s.listener != nil {
		s.listener.Close()
		s.listener = nil
	}
	if s.opts.Listener != nil {
		_ = s.opts.Listener.Close() // which may be closed already
	}
}

// forget gives up the alias.
func (s *Server) forget() {
	if s.named {
		s.named = false
		_ = s.Session.AliasRemove(s.opts.Alias) // it is there
	}
}

func (s *Server) stop(*kernel.Event) {
	s.closeListener()
	if s.opts.Stopped != nil && s.err == nil {
		s.opts.Stopped(s)
	}
}
