package wheel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/go-poe/poe/kernel"
)

// SocketFactoryOptions are the options of a SocketFactory. SuccessEvent and FailureEvent have no default,
// nor has RemotePort where there is a RemoteAddress that is not a path.
type SocketFactoryOptions struct {
	// Network is "tcp", "udp", or either with a 4 or a 6 for one version of IP, or "unix". Empty means
	// "tcp". Without a version, the address decides, and no address means IPv4.
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

// A Connection is a socket that a SocketFactory made. The receiver of the event owns it, and closes it.
type Connection struct {
	Socket kernel.Socket
	Remote net.Addr // the other end; nil for a datagram socket
	Wheel  ID
}

// acceptsPerTurn is how many connections a listener accepts before others get their turn.
const acceptsPerTurn = 16

// acceptPause is how long a listener waits when the process or the system has no descriptors left. The
// connections wait in the listener's queue.
const acceptPause = 100 * time.Millisecond

// A SocketFactory makes sockets. With a RemoteAddress it makes one connection, and is done; it tries all
// addresses of a name in turn. Without, it listens, and makes a connection of whoever calls; or, with
// "udp", it makes one socket for datagrams.
//
// What fails is told by FailureEvent, and never by the constructor. It comes later, like everything that
// the wheel tells. Names are looked up without blocking.
//
// POE: POE::Wheel::SocketFactory.
type SocketFactory struct {
	base
	opts   SocketFactoryOptions
	local  []net.Addr // to bind to
	remote []net.Addr // to connect to, those that are left to try
	socket kernel.Socket
	paused bool // by PauseAccept
	resume string
	event  string // of the wheel's own, for readiness
}

// NewSocketFactory begins to make sockets on behalf of owner. It works until Close, or, when it connects,
// until it succeeds or fails.
func NewSocketFactory(owner *kernel.Session, opts SocketFactoryOptions) *SocketFactory {
	opts.check()
	w := &SocketFactory{base: newBase("SocketFactory", owner), opts: opts}
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
	case o.RemoteAddress == "" && o.Network == "unix" && o.BindAddress == "":
		panic("wheel: SocketFactoryOptions has no BindAddress")
	}
}

// connects reports whether the wheel connects, and does not wait to be called.
func (w *SocketFactory) connects() bool { return w.opts.RemoteAddress != "" }

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
	if w.connects() {
		w.lookUp(w.opts.RemoteAddress, w.opts.RemotePort, w.gotRemote)
		return
	}
	w.open(nil)
}

func (w *SocketFactory) gotRemote(addrs []net.Addr) {
	w.remote = addrs
	w.connectNext()
}

// lookUp finds the addresses for a host and a port, and gives them to then: at once if no name has to be
// looked up for that.
func (w *SocketFactory) lookUp(host, port string, then func([]net.Addr)) {
	if w.opts.Network == "unix" {
		then([]net.Addr{&net.UnixAddr{Name: host, Net: "unix"}})
		return
	}
	number, err := lookUpPort(w.opts.Network, port)
	if err != nil {
		w.fail("getservbyname", err)
		return
	}
	if host == "" {
		host = "0.0.0.0"
		if w.opts.Network[len(w.opts.Network)-1] == '6' {
			host = "::"
		}
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		w.found([]netip.Addr{ip}, number, then)
		return
	}
	answer := w.state("resolve "+host, func(e *kernel.Event) {
		done := kernel.Arg[*kernel.Done](e, 0)
		if done.Err != nil {
			w.fail("inet_aton", addressError{done.Err})
			return
		}
		w.found(done.Value.([]netip.Addr), number, then)
	})
	loop := w.owner.Kernel().Loop()
	err = w.owner.Work(func(ctx context.Context) (any, error) {
		addrs, err := loop.Resolve(ctx, host)
		return addrs, err
	}, answer)
	if err != nil {
		w.fail("inet_aton", addressError{err})
	}
}

// found keeps the addresses that the network can use.
func (w *SocketFactory) found(ips []netip.Addr, port int, then func([]net.Addr)) {
	var addrs []net.Addr
	for _, ip := range ips {
		ip = ip.Unmap()
		switch w.opts.Network[len(w.opts.Network)-1] {
		case '4':
			if !ip.Is4() {
				continue
			}
		case '6':
			if !ip.Is6() {
				continue
			}
		}
		at := netip.AddrPortFrom(ip, uint16(port))
		if w.opts.Network[0] == 'u' {
			addrs = append(addrs, net.UDPAddrFromAddrPort(at))
		} else {
			addrs = append(addrs, net.TCPAddrFromAddrPort(at))
		}
	}
	if len(addrs) == 0 {
		w.fail("inet_aton", addressError{errors.New("no address of the wanted kind")})
		return
	}
	then(addrs)
}

// An addressError is the failure to find an address. It counts as EADDRNOTAVAIL, as in POE.
type addressError struct{ err error }

func (e addressError) Error() string   { return e.err.Error() }
func (e addressError) Unwrap() []error { return []error{e.err, syscall.EADDRNOTAVAIL} }

// lookUpPort returns the number of a port, which may be the name of a service.
func lookUpPort(network, port string) (int, error) {
	if port == "" {
		return 0, nil
	}
	number, err := net.LookupPort(network, port)
	if err != nil {
		return 0, addressError{err}
	}
	return number, nil
}

// connectNext tries the next of the remote addresses.
func (w *SocketFactory) connectNext() {
	addr := w.remote[0]
	w.remote = w.remote[1:]
	w.open(addr)
}

// open makes the socket, and begins to connect it to remote or, for nil, to listen.
func (w *SocketFactory) open(remote net.Addr) {
	network, local := w.network(remote)
	s, err := w.owner.Kernel().Loop().Socket(network)
	if err != nil {
		w.fail("socket", err)
		return
	}
	w.socket = s
	if w.opts.Reuse {
		if err := s.SetOption(kernel.ReuseAddr, true); err != nil {
			w.fail("setsockopt", err)
			return
		}
	}
	if local != nil {
		if err := s.Bind(local); err != nil {
			w.fail("bind", err)
			return
		}
	}
	switch {
	case remote != nil:
		w.connect(remote)
	case network[0] == 'u' && network != "unix":
		w.succeedLater()
	default:
		w.listen()
	}
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

// connect begins to connect. The outcome comes with the readiness to write, also where it is known at
// once: the constructor may still be running.
func (w *SocketFactory) connect(remote net.Addr) {
	err := w.socket.Connect(remote)
	if err != nil && err != kernel.ErrAgain {
		w.connectFailed(err)
		return
	}
	if w.event == "" {
		w.event = w.state("connect", w.connected)
	}
	if err := w.owner.SelectWrite(w.socket, w.event); err != nil {
		w.fail("connect", err)
	}
}

// connected learns the outcome of a connect.
func (w *SocketFactory) connected(*kernel.Event) {
	s := w.socket
	_ = w.owner.SelectWrite(s, "")
	if err := s.ConnectError(); err != nil {
		w.connectFailed(err)
		return
	}
	remote, err := s.RemoteAddr()
	if err != nil {
		w.fail("getpeername", err)
		return
	}
	w.socket = nil
	w.Close()
	w.tell(w.opts.SuccessEvent, &Connection{Socket: s, Remote: remote, Wheel: w.id})
}

// connectFailed tries the next address, if there is one.
func (w *SocketFactory) connectFailed(err error) {
	if len(w.remote) == 0 {
		w.fail("connect", err)
		return
	}
	w.closeSocket()
	w.connectNext()
}

// succeedLater hands the socket for datagrams over, when the constructor has returned.
func (w *SocketFactory) succeedLater() {
	w.owner.Yield(w.state("bound", func(*kernel.Event) {
		s := w.socket
		w.socket = nil
		w.Close()
		w.tell(w.opts.SuccessEvent, &Connection{Socket: s, Wheel: w.id})
	}))
}

func (w *SocketFactory) listen() {
	if err := w.socket.Listen(w.opts.ListenQueue); err != nil {
		w.fail("listen", err)
		return
	}
	w.event = w.state("accept", w.acceptable)
	w.resume = w.state("resume", func(*kernel.Event) { w.watchAccept(w.paused) })
	if err := w.owner.SelectRead(w.socket, w.event); err != nil {
		w.fail("listen", err)
	}
	if w.paused {
		w.watchAccept(true)
	}
}

// acceptable accepts the connections that wait, but not so many that others have to wait for it.
func (w *SocketFactory) acceptable(*kernel.Event) {
	for i := 0; i < acceptsPerTurn && !w.closed && !w.paused; i++ {
		s, err := w.socket.Accept()
		if err == kernel.ErrAgain {
			return
		}
		if err != nil {
			w.acceptFailed(err)
			return
		}
		remote, err := s.RemoteAddr()
		if err != nil { // it is gone again
			_ = s.Close()
			continue
		}
		w.tell(w.opts.SuccessEvent, &Connection{Socket: s, Remote: remote, Wheel: w.id})
	}
}

// acceptFailed goes on listening. When there are no descriptors left, trying again at once would keep the
// kernel busy with nothing else.
func (w *SocketFactory) acceptFailed(err error) {
	w.watchAccept(true)
	w.owner.Delay(w.resume, acceptPause)
	w.tell(w.opts.FailureEvent, &Error{Op: "accept", Err: err, Wheel: w.id})
}

func (w *SocketFactory) watchAccept(paused bool) {
	if w.closed || w.socket == nil || w.resume == "" {
		return
	}
	if paused {
		_ = w.owner.SelectPauseRead(w.socket)
	} else {
		_ = w.owner.SelectResumeRead(w.socket)
	}
}

// PauseAccept leaves those who call waiting.
//
// POE: pause_accept.
func (w *SocketFactory) PauseAccept() {
	w.paused = true
	w.watchAccept(true)
}

// ResumeAccept accepts again.
//
// POE: resume_accept.
func (w *SocketFactory) ResumeAccept() {
	w.paused = false
	w.watchAccept(false)
}

// LocalAddr returns the address that the wheel listens at. While there is none, because a name is
// still looked up, or something failed, it returns ErrClosed.
//
// POE: getsockname.
func (w *SocketFactory) LocalAddr() (net.Addr, error) {
	if w.socket == nil {
		return nil, ErrClosed
	}
	return w.socket.LocalAddr()
}

// fail ends the wheel, and tells later what failed.
func (w *SocketFactory) fail(op string, err error) {
	failed := &Error{Op: op, Err: err, Wheel: w.id}
	w.owner.Yield(w.opts.FailureEvent, failed)
	w.Close()
}

// Close ends the wheel: it neither connects nor listens any more. Sockets that it has handed over stay as
// they are. A second Close does nothing.
//
// POE: the end of the wheel's last reference.
func (w *SocketFactory) Close() {
	if w.closed {
		return
	}
	w.closeSocket()
	if w.resume != "" {
		w.owner.AlarmClear(w.resume)
	}
	w.close()
}

func (w *SocketFactory) closeSocket() {
	if w.socket == nil {
		return
	}
	_ = w.owner.SelectRead(w.socket, "")
	_ = w.owner.SelectWrite(w.socket, "")
	_ = w.socket.Close() // nobody waits for what this may say
	w.socket = nil
}
