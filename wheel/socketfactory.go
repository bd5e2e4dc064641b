package wheel

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/go-poe/poe/kernel"
)

// SocketFactoryOptions are the options of a SocketFactory. SuccessEvent and FailureEvent have no
// default, nor has RemotePort where there is a RemoteAddress that is not a path.
type SocketFactoryOptions struct {
	// Network is "tcp", "udp", or either with a 4 or a 6 for one version of IP, or "unix". Empty
	// means "tcp". Without a version, the address decides, and no address means IPv4.
	Network string

	BindAddress   string // name, IP address or path of this end; empty means any
	BindPort      string // number or name of a service; empty means any
	RemoteAddress string // name, IP address or path of the other end; without it, the wheel listens
	RemotePort    string // number or name of a service

	ListenQueue int  // connections that wait to be accepted; 0 means the system's largest
	Reuse       bool // bind although old connections of the address linger

	// AttemptDelay is how long the wheel waits for one address of a name before it tries the next
	// one, too. 0 means DefaultAttemptDelay, and less that the next is tried only when the one
	// before has failed; so it is, in any case, with a BindPort, which one attempt alone can have.
	AttemptDelay time.Duration

	SuccessEvent string // *Connection: there is a connection
	FailureEvent string // *Error: an operation failed
	ListenEvent  string // *Listening: the wheel listens, and has accepted nobody yet
}

// Listening says where a SocketFactory listens. It is the receiver's to keep.
type Listening struct {
	Addr  net.Addr // with the port that the system has chosen, if it was left to that
	Wheel ID
}

// A SocketFactory makes sockets. With a RemoteAddress it makes one connection, and is done.
// Without, it listens, and makes a connection of whoever calls; or, with "udp", it makes one socket
// for datagrams, and is done.
//
// Of a name with several addresses, the first that connects wins (RFC 8305). The versions of IP
// take turns, beginning with that of the first address; the next address is tried when one has
// failed, or has not answered for AttemptDelay, and eight of them at the same time at most. When
// all have failed, FailureEvent comes once: its operation and number are those of the last one to
// fail, and its text names them all.
//
// What fails is told by FailureEvent, and never by the constructor. It comes later, like everything
// that the wheel tells, and is the end of the wheel; but a listener that cannot accept tries again
// by itself, ten times a second, and does not tell again before it has succeeded. Names are looked
// up without blocking.
//
// A connect may take as long as the system lets it. Who wants it shorter closes the wheel.
//
// POE: POE::Wheel::SocketFactory, which tries one address alone.
type SocketFactory struct {
	listener
	opts   SocketFactoryOptions
	local  []net.Addr // to bind to
	race   race
	late   string // an event of the wheel's own that will come in any case
	cancel context.CancelFunc
}

// NewSocketFactory begins to make sockets on behalf of owner. It works until Close, or, when it
// connects, until it succeeds or fails. For an owner that has ended it does nothing.
func NewSocketFactory(owner *kernel.Session, opts SocketFactoryOptions) *SocketFactory {
	opts.check()
	w := &SocketFactory{opts: opts, listener: listener{
		base:     newBase(socketFactory, owner),
		accepted: opts.SuccessEvent,
		failed:   opts.FailureEvent,
	}}
	w.owner.AtEnd(w)
	if owner.Ended() {
		w.Close()
		return w
	}
	w.hold()
	w.resolveLocal()
	return w
}

// check panics if the programmer made a mistake, and fills in what was left out.
func (o *SocketFactoryOptions) check() {
	if o.Network == "" {
		o.Network = "tcp"
	}
	switch o.Network {
	case "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6", "unix":
	default:
		panic(fmt.Sprintf("wheel: SocketFactoryOptions: unknown Network %q", o.Network))
	}
	switch {
	case o.SuccessEvent == "" || o.FailureEvent == "":
		panic("wheel: SocketFactoryOptions has no SuccessEvent or no FailureEvent")
	case o.RemoteAddress != "" && o.RemotePort == "" && o.Network != "unix":
		panic("wheel: SocketFactoryOptions has no RemotePort")
	case o.RemoteAddress == "" && o.RemotePort != "":
		panic("wheel: SocketFactoryOptions has no RemoteAddress")
	case o.RemoteAddress == "" && o.Network == "unix" && o.BindAddress == "":
		panic("wheel: SocketFactoryOptions has no BindAddress")
	case o.Network == "unix" && (o.BindPort != "" || o.RemotePort != ""):
		panic("wheel: SocketFactoryOptions has a port for a path")
	case o.ListenEvent != "" && (o.RemoteAddress != "" || o.isDatagram()):
		panic("wheel: SocketFactoryOptions has a ListenEvent, and does not listen")
	}
}

// resolveLocal finds the addresses to bind to, then goes on.
func (w *SocketFactory) resolveLocal() {
	if w.opts.BindAddress == "" && w.opts.BindPort == "" {
		w.gotLocal(nil)
		return
	}
	w.lookUp(w.opts.BindAddress, w.opts.BindPort, w.gotLocal)
}

func (w *SocketFactory) gotLocal(addrs []net.Addr) {
	w.local = addrs
	if w.opts.RemoteAddress != "" {
		w.lookUp(w.opts.RemoteAddress, w.opts.RemotePort, w.gotRemote)
		return
	}
	w.serve()
}

// version returns the version of IP that a network has, as a digit, or any other byte.
func version(network string) byte { return network[len(network)-1] }

func (o *SocketFactoryOptions) isDatagram() bool { return o.Network[:3] == "udp" }

// serve makes the socket of a wheel that does not connect.
func (w *SocketFactory) serve() {
	s, failed := w.open(nil)
	if failed != nil {
		w.fail(failed.Op, failed.Err)
		return
	}
	w.socket = s
	if w.opts.isDatagram() {
		w.later(func() { w.handOver(s, nil) })
		return
	}
	if err := s.Listen(w.opts.ListenQueue); err != nil {
		w.fail("listen", err)
		return
	}
	if w.opts.ListenEvent == "" {
		w.accept()
		return
	}
	w.later(w.listens)
}

// listens tells where the wheel listens, and then begins to accept.
func (w *SocketFactory) listens() {
	addr, err := w.socket.LocalAddr()
	if err != nil {
		w.fail("getsockname", err)
		return
	}
	_ = w.tell(w.opts.ListenEvent, &Listening{Addr: addr, Wheel: w.id})
	if !w.closed {
		w.accept()
	}
}

func (w *SocketFactory) accept() {
	if err := w.watch(); err != nil {
		w.fail("listen", err)
	}
}

// open makes a socket, to be connected to remote or, for nil, to wait for others.
func (w *SocketFactory) open(remote net.Addr) (kernel.Socket, *Error) {
	network, local := w.network(remote)
	s, err := w.owner.Kernel().Loop().Socket(network)
	if err != nil {
		return nil, &Error{Op: "socket", Err: err}
	}
	if failed := w.prepare(s, local); failed != nil {
		_ = s.Close()
		return nil, failed
	}
	return s, nil
}

// prepare gives a socket its options and, unless it is nil, its address.
func (w *SocketFactory) prepare(s kernel.Socket, local net.Addr) *Error {
	if w.opts.Reuse {
		if err := s.SetOption(kernel.ReuseAddr, true); err != nil {
			return &Error{Op: "setsockopt", Err: err}
		}
	}
	if local != nil {
		if err := s.Bind(local); err != nil {
			return &Error{Op: "bind", Err: err}
		}
	}
	return nil
}

// network returns the network for an address, and the address to bind to that goes with it.
func (w *SocketFactory) network(remote net.Addr) (network string, local net.Addr) {
	if len(w.local) > 0 {
		local = w.local[0]
	}
	if w.opts.Network != "tcp" && w.opts.Network != "udp" {
		return w.opts.Network, local
	}
	for _, addr := range w.local {
		if remote == nil || isIPv6(addr) == isIPv6(remote) {
			local = addr
			break
		}
	}
	decides := remote
	if decides == nil {
		decides = local
	}
	if isIPv6(decides) {
		return w.opts.Network + "6", local
	}
	return w.opts.Network + "4", local
}

func isIPv6(addr net.Addr) bool {
	switch addr := addr.(type) {
	case *net.TCPAddr:
		return addr.IP.To4() == nil && addr.IP != nil
	case *net.UDPAddr:
		return addr.IP.To4() == nil && addr.IP != nil
	}
	return false
}

// handOver ends a wheel that makes one socket.
func (w *SocketFactory) handOver(s kernel.Socket, remote net.Addr) {
	w.socket = nil
	w.Close()
	w.give(&Connection{Socket: s, Remote: remote, Wheel: w.id})
}

// fail ends the wheel, and tells that it failed, when the constructor has returned.
func (w *SocketFactory) fail(op string, err error) {
	w.closeSocket()
	w.later(func() {
		w.Close()
		_ = w.tell(w.failed, &Error{Op: op, Err: err, Wheel: w.id})
	})
}

// later does what the constructor must not.
func (w *SocketFactory) later(do func()) {
	w.late = w.state("outcome", func(*kernel.Event) {
		w.late = ""
		do()
	})
	w.owner.Yield(w.late)
}

// LocalAddr returns the address that the wheel listens at. If it does not, because a name is still
// looked up, or something failed, or it connects, LocalAddr returns ErrClosed. ListenEvent says
// when there is an address.
//
// POE: getsockname.
func (w *SocketFactory) LocalAddr() (net.Addr, error) {
	if w.socket == nil {
		return nil, ErrClosed
	}
	return w.socket.LocalAddr()
}

// SetSuccessEvent changes the event for connections. It panics without a name.
//
// POE: event.
func (w *SocketFactory) SetSuccessEvent(name string) {
	if name == "" {
		panic("wheel: SetSuccessEvent without a name")
	}
	w.accepted = name
}

// SetFailureEvent changes the event for what goes wrong. It panics without a name.
//
// POE: event.
func (w *SocketFactory) SetFailureEvent(name string) {
	if name == "" {
		panic("wheel: SetFailureEvent without a name")
	}
	w.failed = name
}

// Close ends the wheel: it neither connects nor listens any more, and tells nothing. Sockets that
// it has handed over stay as they are. A second Close does nothing.
//
// POE: the end of the wheel's last reference.
func (w *SocketFactory) Close() {
	if w.closed {
		return
	}
	w.closeSocket()
	w.giveUp()
	if w.cancel != nil {
		w.cancel()
	}
	w.close(w, w.late)
}

func (w *SocketFactory) closeSocket() {
	w.unwatch()
	if w.socket != nil {
		_ = w.socket.Close() // nobody waits for what this may say
		w.socket = nil
	}
}
