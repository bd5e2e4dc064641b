package wheel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"

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

	SuccessEvent string // *Connection: there is a connection
	FailureEvent string // *Error: an operation failed
}

// A SocketFactory makes sockets. With a RemoteAddress it makes one connection, and is done; it
// tries all addresses of a name in turn, and what fails is the last of them. Without, it listens,
// and makes a connection of whoever calls; or, with "udp", it makes one socket for datagrams.
//
// What fails is told by FailureEvent, and never by the constructor. It comes later, like everything
// that the wheel tells, and is the end of the wheel; but a listener that cannot accept tries again
// by itself. Names are looked up without blocking.
//
// A connect may take as long as the system lets it. Who wants it shorter closes the wheel.
//
// POE: POE::Wheel::SocketFactory.
type SocketFactory struct {
	listener
	opts   SocketFactoryOptions
	local  []net.Addr // to bind to
	remote []net.Addr // to connect to, those that are left to try
	event  string     // an event of the wheel's own, for the outcome of a connect
	late   string     // an event of the wheel's own that will come in any case
	cancel context.CancelFunc
}

// NewSocketFactory begins to make sockets on behalf of owner. It works until Close, or, when it
// connects, until it succeeds or fails. For an owner that has ended it does nothing.
func NewSocketFactory(owner *kernel.Session, opts SocketFactoryOptions) *SocketFactory {
	opts.check()
	w := &SocketFactory{opts: opts, listener: listener{
		base:     newBase("SocketFactory", owner),
		accepted: opts.SuccessEvent,
		failed:   opts.FailureEvent,
	}}
	w.closeAtEnd(w)
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

func (w *SocketFactory) gotRemote(addrs []net.Addr) {
	w.remote = addrs
	w.connectNext(nil)
}

// lookUp finds the addresses for a host and a port, and gives them to then: at once if no name has
// to be looked up for that.
func (w *SocketFactory) lookUp(host, port string, then func([]net.Addr)) {
	network := w.opts.Network
	if network == "unix" {
		then([]net.Addr{&net.UnixAddr{Name: host, Net: network}})
		return
	}
	if port == "" {
		port = "0"
	}
	ips := numeric(host)
	number, err := strconv.ParseUint(port, 10, 16)
	if ips != nil && err == nil {
		w.found(ips, uint16(number), then)
		return
	}
	w.late = w.state("resolve "+host, func(e *kernel.Event) {
		w.late = ""
		w.cancel()
		switch done := kernel.Arg[*kernel.Done](e, 0); v := done.Value.(type) {
		case answer:
			w.found(v.ips, v.port, then)
		case *Error:
			w.fail(v.Op, v.Err)
		default: // the loop has panicked
			w.fail("inet_aton", addressError{done.Err})
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	loop := w.owner.Kernel().Loop()
	work := func(life context.Context) (any, error) {
		defer context.AfterFunc(life, cancel)()
		return ask(ctx, loop, network, host, port), nil
	}
	if err := w.owner.Work(work, w.late); err != nil {
		w.late = ""
		w.fail("inet_aton", addressError{err})
	}
}

// numeric returns the addresses of a host that need not be looked up: no host at all means any
// address, of IPv4 if there is a choice.
func numeric(host string) []netip.Addr {
	if host == "" {
		return []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return nil
	}
	return []netip.Addr{ip}
}

// An answer is what a host and a port stand for.
type answer struct {
	ips  []netip.Addr
	port uint16
}

// ask looks a host and a port up, and blocks. It returns an answer, or an *Error.
func ask(ctx context.Context, loop kernel.Loop, network, host, port string) any {
	number, err := net.DefaultResolver.LookupPort(ctx, network, port)
	if err != nil {
		return &Error{Op: "getservbyname", Err: addressError{err}}
	}
	ips := numeric(host)
	if ips == nil {
		ips, err = loop.Resolve(ctx, host)
	}
	if err != nil {
		return &Error{Op: "inet_aton", Err: addressError{err}}
	}
	return answer{ips, uint16(number)}
}

// found keeps the addresses that the network can use.
func (w *SocketFactory) found(ips []netip.Addr, port uint16, then func([]net.Addr)) {
	var addrs []net.Addr
	for _, ip := range ips {
		ip = ip.Unmap()
		if v := version(w.opts.Network); v == '4' && !ip.Is4() || v == '6' && !ip.Is6() {
			continue
		}
		at := netip.AddrPortFrom(ip, port)
		if w.isDatagram() {
			addrs = append(addrs, net.UDPAddrFromAddrPort(at))
		} else {
			addrs = append(addrs, net.TCPAddrFromAddrPort(at))
		}
	}
	if len(addrs) == 0 {
		w.fail("inet_aton", addressError{errNoAddress})
		return
	}
	then(addrs)
}

var errNoAddress = errors.New("no address of the wanted kind")

// version returns the version of IP that a network has, as a digit, or any other byte.
func version(network string) byte { return network[len(network)-1] }

func (w *SocketFactory) isDatagram() bool { return w.opts.Network[:3] == "udp" }

// An addressError is the failure to find an address. It counts as EADDRNOTAVAIL, as in POE.
type addressError struct{ err error }

func (e addressError) Error() string   { return e.err.Error() }
func (e addressError) Unwrap() []error { return []error{syscall.EADDRNOTAVAIL, e.err} }

// serve makes the socket of a wheel that does not connect.
func (w *SocketFactory) serve() {
	if failed := w.open(nil); failed != nil {
		w.fail(failed.Op, failed.Err)
		return
	}
	if w.isDatagram() {
		w.later(func() { w.succeed(nil) })
		return
	}
	err := w.socket.Listen(w.opts.ListenQueue)
	if err == nil {
		err = w.watch()
	}
	if err != nil {
		w.fail("listen", err)
	}
}

// open makes a socket, to be connected to remote or, for nil, to wait for others.
func (w *SocketFactory) open(remote net.Addr) *Error {
	network, local := w.network(remote)
	s, err := w.owner.Kernel().Loop().Socket(network)
	if err != nil {
		return &Error{Op: "socket", Err: err}
	}
	w.socket = s
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

// connectNext tries the remote addresses that are left, until one of them is a connection or may
// become one. If there is none, it tells how the last one failed.
func (w *SocketFactory) connectNext(failed *Error) {
	for len(w.remote) > 0 {
		addr := w.remote[0]
		w.remote = w.remote[1:]
		if failed = w.connect(addr); failed == nil {
			return
		}
		w.closeSocket()
	}
	w.fail(failed.Op, failed.Err)
}

// connect begins to connect. The outcome comes with the readiness to write, also where it is known
// at once: the constructor may still be running.
func (w *SocketFactory) connect(remote net.Addr) *Error {
	if failed := w.open(remote); failed != nil {
		return failed
	}
	if err := w.socket.Connect(remote); err != nil && err != kernel.ErrAgain {
		return &Error{Op: "connect", Err: err}
	}
	if w.event == "" {
		w.event = w.state("connect", w.connected)
	}
	if err := w.owner.SelectWrite(w.socket, w.event); err != nil {
		return &Error{Op: "connect", Err: err}
	}
	return nil
}

// connected learns the outcome of a connect, if it is known by now.
func (w *SocketFactory) connected(*kernel.Event) {
	err := w.socket.ConnectError()
	if err == kernel.ErrAgain {
		return
	}
	op := "connect"
	var remote net.Addr
	if err == nil {
		op = "getpeername"
		remote, err = w.socket.RemoteAddr()
	}
	if err != nil {
		w.closeSocket()
		w.connectNext(&Error{Op: op, Err: err})
		return
	}
	w.succeed(remote)
}

// succeed ends a wheel that makes one socket, and hands that over.
func (w *SocketFactory) succeed(remote net.Addr) {
	s := w.socket
	_ = w.owner.SelectWrite(s, "")
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

// LocalAddr returns the address of the wheel's socket: the one that it listens at. While there is
// none, because a name is still looked up, or something failed, or the socket was handed over, it
// returns ErrClosed.
//
// POE: getsockname.
func (w *SocketFactory) LocalAddr() (net.Addr, error) {
	if w.socket == nil {
		return nil, ErrClosed
	}
	return w.socket.LocalAddr()
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
	if w.cancel != nil {
		w.cancel()
	}
	w.close(w.late)
}

func (w *SocketFactory) closeSocket() {
	w.unwatch()
	if w.socket == nil {
		return
	}
	_ = w.owner.SelectWrite(w.socket, "")
	_ = w.socket.Close() // nobody waits for what this may say
	w.socket = nil
}
