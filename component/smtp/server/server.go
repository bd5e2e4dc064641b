package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// The defaults of Options.
const (
	DefaultPort            = "25"
	DefaultHostname        = "localhost"
	DefaultMaxClients      = 1000
	DefaultMaxRecipients   = 1000
	DefaultMaxSize         = 64 << 20 // octets
	DefaultMaxErrors       = 20
	DefaultIdleTimeout     = 5 * time.Minute // RFC 5321, section 4.5.3.2.7
	DefaultShutdownTimeout = 30 * time.Second
)

// Options are the options of a server. Sink has no default.
//
// A check, or the Sink, refuses with an error. If that is, or wraps, a *smtp.Reply of 4yz or 5yz,
// the client is told just that; of any other error it learns only that something went wrong for
// now, and the kernel's log gets the rest.
type Options struct {
	Alias kernel.Alias // a name for the session that listens; empty means none

	Address  string // name or IP address to listen at; empty means all of IPv4
	Port     string // number or name of a service; "0" means a free one; empty means DefaultPort
	Hostname string // what the server calls itself; empty means DefaultHostname

	Sink        Sink // where messages go
	AddReceived bool // put a Received line before each message: RFC 5321, section 4.4

	// The checks refuse with an error; nil means that all are accepted. They must not block. The
	// envelope, with what is known by then, is good until they return.
	CheckClient    func(client net.Addr) error             // is asked before the greeting
	CheckSender    func(env *Envelope) error               // for each MAIL
	CheckRecipient func(env *Envelope, to smtp.Rcpt) error // for each RCPT

	MaxClients    int   // connections at once; 0 means DefaultMaxClients. Others get 421
	MaxPerAddress int   // of one address, or IPv6 /64; 0 means half of MaxClients. Others get 421
	MaxRecipients int   // of one message; 0 means DefaultMaxRecipients. Others get 452
	MaxSize       int64 // octets of the text; 0 means DefaultMaxSize. A longer message gets 552

	// MaxErrors is how many 5yz replies a client may get before the first message that is accepted,
	// and between two. 0 means DefaultMaxErrors. After one more it gets 421.
	MaxErrors int

	// MaxCommands is how many commands a client may give in the same time. 0 means twice
	// MaxRecipients and 100 more. One more is answered with 421.
	MaxCommands int

	// IdleTimeout is how long a client may take for a command, or for each 16 KiB of text; 0 means
	// DefaultIdleTimeout. After that it gets 421. It is counted anew after each reply.
	IdleTimeout time.Duration

	// The session that Spawn was told about gets these events. An empty name means no event.
	ListenEvent  string // *Listening: the server listens
	FailureEvent string // *wheel.Error: it cannot listen, and ends; with Op "accept", it goes on
	MessageEvent string // *Received: a message is stored
}

// Listening says where a server listens.
type Listening struct {
	Server *kernel.Session
	Addr   net.Addr
}

// Spawn makes a session, a child of parent, that listens and serves clients. Parent gets the events
// that Options names; whether it can listen is one of them. The error is about Hostname, or is
// kernel.ErrAliasTaken.
//
// The session takes these events:
//
//	drain     no argument: accept no more clients and no more messages. Clients go on until they
//	          quit; one that wants to send another message gets 421. With the last of them the
//	          session ends.
//	shutdown  optionally a time.Duration: as drain, but a client that is not about to send a
//	          message gets 421 now, one that is gets it after that, and after this time, or
//	          DefaultShutdownTimeout, all get it.
//
// POE: spawn, and the event shutdown.
func Spawn(parent *kernel.Session, opts Options) (*kernel.Session, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	if opts.Alias != "" {
		if _, err := parent.Kernel().AliasResolve(opts.Alias); err == nil {
			return nil, fmt.Errorf("server: alias %q: %w", opts.Alias, kernel.ErrAliasTaken)
		}
	}
	v := &server{opts: opts, owner: parent, perAddress: make(map[netip.Prefix]int)}
	v.offer()
	return parent.Create(session.Events{
		kernel.Start:    v.start,
		kernel.Stop:     v.drain,
		"resolved":      session.On(v.resolved),
		"connected":     session.On(v.accept),
		"failed":        session.On(v.failed),
		"drain":         v.drain,
		"shutdown":      v.shutdown,
		"shutdown_over": v.shutdownOver,
	}), nil
}

// check returns what is wrong with values that may come from a user, panics for what is the
// programmer's mistake, and fills in what was left out.
func (o *Options) check() error {
	switch {
	case o.Sink == nil:
		panic("server: Options has no Sink")
	case o.MaxClients < 0 || o.MaxPerAddress < 0 || o.MaxRecipients < 0 || o.MaxSize < 0 ||
		o.MaxErrors < 0 || o.MaxCommands < 0 || o.IdleTimeout < 0:
		panic("server: Options has a limit below 0")
	}
	orDefault(&o.Port, DefaultPort)
	orDefault(&o.Hostname, DefaultHostname)
	orDefault(&o.MaxClients, DefaultMaxClients)
	orDefault(&o.MaxPerAddress, (o.MaxClients+1)/2)
	orDefault(&o.MaxRecipients, DefaultMaxRecipients)
	orDefault(&o.MaxSize, DefaultMaxSize)
	orDefault(&o.MaxErrors, DefaultMaxErrors)
	orDefault(&o.MaxCommands, 2*o.MaxRecipients+100)
	orDefault(&o.IdleTimeout, DefaultIdleTimeout)
	return smtp.CheckHost("Hostname", o.Hostname)
}

func orDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// A server is the session that listens.
type server struct {
	opts  Options
	owner *kernel.Session
	s     *kernel.Session

	offered smtp.Extensions
	hello   *smtp.Reply // to EHLO

	sockets    *wheel.SocketFactory
	clients    int
	perAddress map[netip.Prefix]int
	draining   bool
}

// offer says what EHLO is answered.
func (v *server) offer() {
	v.offered = smtp.Extensions{
		smtp.Ext8BitMIME:   nil,
		smtp.ExtEnhanced:   nil,
		smtp.ExtPipelining: nil,
		smtp.ExtSMTPUTF8:   nil,
		smtp.ExtSize:       {strconv.FormatInt(v.opts.MaxSize, 10)},
	}
	v.hello = v.offered.Reply(v.opts.Hostname)
}

// start begins to listen. A name is looked up first, so that the server knows when it listens.
func (v *server) start(e *kernel.Event) {
	v.s = e.Session
	if v.opts.Alias != "" {
		if err := v.s.AliasSet(v.opts.Alias); err != nil {
			panic(err) // Spawn has looked
		}
	}
	if _, err := netip.ParseAddr(v.opts.Address); err == nil || v.opts.Address == "" {
		v.listen(v.opts.Address)
		return
	}
	loop, host := e.Kernel.Loop(), v.opts.Address
	resolve := func(ctx context.Context) (any, error) { return loop.Resolve(ctx, host) }
	err := v.s.Work(resolve, "resolved")
	if err != nil {
		v.s.Yield("failed", &wheel.Error{Op: "resolve", Err: err})
	}
}

// resolved listens at the first address of the name, or the first of IPv4 where there is one: that
// of localhost should be the one that most clients try.
func (v *server) resolved(e *kernel.Event, done *kernel.Done) {
	addrs, _ := done.Value.([]netip.Addr)
	switch {
	case v.draining:
		return
	case done.Err == nil && len(addrs) == 0:
		done.Err = errors.New("the name has no address")
	}
	if done.Err != nil {
		v.failed(e, &wheel.Error{Op: "resolve", Err: done.Err})
		return
	}
	i := max(0, slices.IndexFunc(addrs, netip.Addr.Is4))
	v.listen(addrs[i].String())
}

func (v *server) listen(address string) {
	v.sockets = wheel.NewSocketFactory(v.s, wheel.SocketFactoryOptions{
		BindAddress:  address,
		BindPort:     v.opts.Port,
		Reuse:        true,
		SuccessEvent: "connected",
		FailureEvent: "failed",
	})
	if addr, err := v.sockets.LocalAddr(); err == nil {
		v.tell(v.s, v.opts.ListenEvent, &Listening{Server: v.s, Addr: addr})
	}
}

// failed tells the owner. A server that cannot listen has nothing left to do.
func (v *server) failed(_ *kernel.Event, failed *wheel.Error) {
	v.tell(v.s, v.opts.FailureEvent, failed)
	if failed.Op != "accept" {
		v.drain(nil)
	}
}

// tell posts an event to the owner, in the name of from, if the owner wants it.
func (v *server) tell(from *kernel.Session, event string, arg any) {
	if event != "" {
		_ = from.Post(v.owner, event, arg) // an owner that has ended does not want it
	}
}

// accept serves a client, if there is room for one more.
func (v *server) accept(_ *kernel.Event, in *wheel.Connection) {
	from := addressOf(in.Remote)
	switch {
	case v.draining:
		sendAway(in.Socket, shuttingDown)
	case v.clients >= v.opts.MaxClients || v.perAddress[from] >= v.opts.MaxPerAddress:
		sendAway(in.Socket, tooManyClients)
	default:
		v.clients++
		v.perAddress[from]++
		spawnConn(v, in.Socket, in.Remote)
	}
}

// sendAway says why and closes the connection. A new connection has room for one line.
func sendAway(h kernel.Handle, why *smtp.Reply) {
	_, _ = h.Write(why.Append(nil)) // whoever is gone already does not miss it
	_ = h.Close()
}

// left forgets a client.
func (v *server) left(remote net.Addr) {
	from := addressOf(remote)
	v.clients--
	v.perAddress[from]--
	if v.perAddress[from] == 0 {
		delete(v.perAddress, from)
	}
	if v.clients == 0 {
		v.s.AlarmClear("shutdown_over")
	}
}

// addressOf returns what counts as one address: for IPv6 it is what a single site has at the least.
func addressOf(remote net.Addr) netip.Prefix {
	tcp, ok := remote.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	ip, _ := netip.AddrFromSlice(tcp.IP)
	ip = ip.Unmap()
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	site, _ := ip.Prefix(bits) // no address at all is one, too
	return site
}

// drain listens no more. What keeps the session after that is its clients.
func (v *server) drain(*kernel.Event) {
	v.draining = true
	if v.sockets != nil {
		v.sockets.Close()
	}
	if v.opts.Alias != "" {
		_ = v.s.AliasRemove(v.opts.Alias) // the second time it is gone
	}
}

// shutdown hurries the clients.
func (v *server) shutdown(e *kernel.Event) {
	v.drain(e)
	clients := v.s.Children()
	if len(clients) == 0 {
		return
	}
	for _, c := range clients {
		_ = v.s.Post(c, "shutdown")
	}
	v.s.Delay("shutdown_over", kernel.ArgOr(e, 0, DefaultShutdownTimeout))
}

func (v *server) shutdownOver(*kernel.Event) {
	for _, c := range v.s.Children() {
		_ = v.s.Post(c, "shutdown_over")
	}
}
