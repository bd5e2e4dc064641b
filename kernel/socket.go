package kernel

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// maxAborted is how many connections Accept passes over that their clients gave up while they
	// waited, before it lets others have a turn.
	maxAborted = 16

	// largestBacklog is more than any system allows by default. It is cut down to what this one
	// allows.
	largestBacklog = 1<<16 - 1
)

// FromConn returns a Socket on the connection of c, which is a *net.TCPConn, *net.UnixConn,
// *net.UDPConn or another that lends its descriptor; errors.ErrUnsupported says that it is not.
//
// The socket takes c over: it works on a duplicate of the descriptor, and c is closed. If FromConn
// fails, c is as it was.
func FromConn(c net.Conn) (Socket, error) {
	s, err := borrow(c)
	if err != nil {
		return nil, err
	}
	_ = c.Close() // of what it was, nothing is lost: the duplicate is open
	return s, nil
}

// FromListener returns a Socket that listens where l does, which is a *net.TCPListener,
// *net.UnixListener or another that lends its descriptor; errors.ErrUnsupported says that it is
// not. A descriptor that the process has inherited, for instance from systemd, becomes such a
// listener by net.FileListener.
//
// The socket takes l over: it works on a duplicate of the descriptor, and l is closed. The file of
// a "unix" socket stays, as with Bind. If FromListener fails, l is as it was.
func FromListener(l net.Listener) (Socket, error) {
	s, err := borrow(l)
	if err != nil {
		return nil, err
	}
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	_ = l.Close() // nobody is turned away: the duplicate listens
	return s, nil
}

// borrow returns a Socket on a duplicate of the descriptor that a connection or a listener lends.
func borrow(from any) (Socket, error) {
	lender, ok := from.(syscall.Conn)
	if !ok {
		return nil, fmt.Errorf("kernel: socket from a %T: %w", from, errors.ErrUnsupported)
	}
	fd, err := duplicateOf(lender, net.ErrClosed)
	if err != nil {
		return nil, err
	}
	s, err := adopt(fd)
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return s, nil
}

// A socket is a Socket of the system.
type socket struct {
	descriptor
	network string
	peer    net.Addr // whom it is connecting to; nil when no connect is under way
}

// newSocket opens a socket. One for a stream over IP sends small packets at once, since whatever
// writes to it has gathered what belongs together; see NoDelay. IPv6 sockets take IPv4 connections
// too where the system's default says so; see V6Only.
func newSocket(network string) (Socket, error) {
	domain, kind, err := family(network)
	if err != nil {
		return nil, &net.OpError{Op: "socket", Net: network, Err: err}
	}
	fd, err := openSocket(domain, kind)
	if err != nil {
		return nil, &net.OpError{Op: "socket", Net: network, Err: err}
	}
	s := socketOn(fd, network)
	s.hurry()
	return s, nil
}

// socketOn returns a socket on a descriptor that does not wait.
func socketOn(fd int, network string) *socket {
	_, kind, _ := family(network)
	d := descriptor{fd: fd, socket: true, datagram: kind == unix.SOCK_DGRAM}
	return &socket{descriptor: d, network: network}
}

// hurry switches NoDelay on. That it fails means that there is no such switch, or no connection any
// more, which the next operation tells better.
func (s *socket) hurry() {
	if s.network == "tcp4" || s.network == "tcp6" {
		_ = s.SetOption(NoDelay, true)
	}
}

// adopt returns a socket on a descriptor of which nothing is known.
func adopt(fd int) (*socket, error) {
	d, err := newDescriptor(fd)
	if err != nil {
		return nil, err
	}
	if !d.socket {
		return nil, os.NewSyscallError("getsockopt", unix.ENOTSOCK)
	}
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return nil, os.NewSyscallError("getsockopt", err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return nil, os.NewSyscallError("getsockname", err)
	}
	network := networkOf(name, kind)
	if network == "" {
		return nil, fmt.Errorf("kernel: socket of family %T: %w", name, errors.ErrUnsupported)
	}
	s := &socket{descriptor: *d, network: network}
	s.hurry()
	return s, nil
}

// Bind implements Socket. The file that it makes for a "unix" socket stays when the socket is
// closed.
func (s *socket) Bind(addr net.Addr) error {
	if s.fd < 0 {
		return s.failed("bind", addr, net.ErrClosed)
	}
	to, err := sockaddrOf(s.network, addr)
	if err == nil {
		err = unix.Bind(s.fd, to)
	}
	return s.failed("bind", addr, err)
}

// Connect implements Socket.
//
// A "unix" socket never has a connect under way: if the other side has no room for it, the error is
// EAGAIN of the system, which is not ErrAgain.
func (s *socket) Connect(addr net.Addr) error {
	if s.fd < 0 {
		return s.failed("connect", addr, net.ErrClosed)
	}
	to, err := sockaddrOf(s.network, addr)
	if err == nil {
		err = unix.Connect(s.fd, to)
	}
	switch err {
	case unix.EINPROGRESS, unix.EALREADY, unix.EINTR: // after which it goes on just so
		s.peer = addr
		return ErrAgain
	}
	return s.failed("connect", addr, err)
}

// ConnectError implements Socket. If the connect is still under way, it returns ErrAgain. When none
// was, it returns nil.
func (s *socket) ConnectError() error {
	peer := s.peer
	switch {
	case s.fd < 0:
		return s.failed("connect", peer, net.ErrClosed)
	case peer == nil:
		return nil
	}
	err := s.outcome()
	if err == ErrAgain {
		return err
	}
	s.peer = nil
	return s.failed("connect", peer, err)
}

// outcome returns what became of a connect. That the socket has no error is not enough: it may not
// have one yet.
func (s *socket) outcome() error {
	code, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return err
	}
	if code != 0 {
		return unix.Errno(code)
	}
	_, err = unix.Getpeername(s.fd)
	if err == nil {
		return nil
	}
	p := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLOUT}}
	if n, _ := unix.Poll(p, 0); n <= 0 {
		return ErrAgain
	}
	return err
}

// Listen implements Socket.
func (s *socket) Listen(backlog int) error {
	if s.fd < 0 {
		return s.failed("listen", nil, net.ErrClosed)
	}
	if backlog <= 0 {
		backlog = largestBacklog
	}
	return s.failed("listen", nil, unix.Listen(s.fd, backlog))
}

// Accept implements Socket. An error leaves the connection waiting, and the socket ready to read:
// who gets EMFILE should not come back before a descriptor is free.
func (s *socket) Accept() (Socket, error) {
	if s.fd < 0 {
		return nil, s.failed("accept", nil, net.ErrClosed)
	}
	for range maxAborted {
		fd, err := acceptOn(s.fd)
		switch err {
		case nil:
			conn := socketOn(fd, s.network)
			conn.hurry()
			return conn, nil
		case unix.EINTR, unix.ECONNABORTED, unix.EPROTO:
		case unix.EAGAIN:
			return nil, ErrAgain
		default:
			return nil, s.failed("accept", nil, err)
		}
	}
	return nil, ErrAgain
}

// LocalAddr implements Socket. Before a Bind or a Connect it is the address of nobody.
func (s *socket) LocalAddr() (net.Addr, error) {
	return s.name("getsockname", unix.Getsockname)
}

// RemoteAddr implements Socket. Without another end the error is ENOTCONN.
func (s *socket) RemoteAddr() (net.Addr, error) {
	return s.name("getpeername", unix.Getpeername)
}

// name returns an address of the socket.
func (s *socket) name(op string, get func(fd int) (unix.Sockaddr, error)) (net.Addr, error) {
	if s.fd < 0 {
		return nil, s.failed(op, nil, net.ErrClosed)
	}
	name, err := get(s.fd)
	if err != nil {
		return nil, s.failed(op, nil, err)
	}
	return addrOf(s.network, name), nil
}

// socketOptions says how the system calls a SocketOption.
var socketOptions = [...]struct{ level, name int }{
	ReuseAddr: {unix.SOL_SOCKET, unix.SO_REUSEADDR},
	NoDelay:   {unix.IPPROTO_TCP, unix.TCP_NODELAY},
	KeepAlive: {unix.SOL_SOCKET, unix.SO_KEEPALIVE},
	Broadcast: {unix.SOL_SOCKET, unix.SO_BROADCAST},
	V6Only:    {unix.IPPROTO_IPV6, unix.IPV6_V6ONLY},
}

// SetOption implements Socket. An option that the socket does not have is an error of the system,
// for instance ENOPROTOOPT.
func (s *socket) SetOption(option SocketOption, on bool) error {
	switch {
	case s.fd < 0:
		return s.failed("setsockopt", nil, net.ErrClosed)
	case int(option) >= len(socketOptions):
		return s.failed("setsockopt", nil, unix.ENOPROTOOPT)
	}
	value := 0
	if on {
		value = 1
	}
	o := socketOptions[option]
	return s.failed("setsockopt", nil, unix.SetsockoptInt(s.fd, o.level, o.name, value))
}

// ReadFrom implements Socket. What does not fit in p is lost. A stream has no datagrams:
// EOPNOTSUPP.
func (s *socket) ReadFrom(p []byte) (int, net.Addr, error) {
	switch {
	case s.fd < 0:
		return 0, nil, s.failed("recvfrom", nil, net.ErrClosed)
	case !s.datagram:
		return 0, nil, s.failed("recvfrom", nil, unix.EOPNOTSUPP)
	}
	for {
		n, from, err := unix.Recvfrom(s.fd, p, 0)
		switch err {
		case nil:
			return n, addrOf(s.network, from), nil
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, nil, ErrAgain
		default:
			return 0, nil, s.failed("recvfrom", nil, err)
		}
	}
}

// WriteTo implements Socket. A stream has no datagrams: EOPNOTSUPP.
func (s *socket) WriteTo(p []byte, to net.Addr) (int, error) {
	switch {
	case s.fd < 0:
		return 0, s.failed("sendto", to, net.ErrClosed)
	case !s.datagram:
		return 0, s.failed("sendto", to, unix.EOPNOTSUPP)
	}
	sa, err := sockaddrOf(s.network, to)
	if err != nil {
		return 0, s.failed("sendto", to, err)
	}
	for {
		switch err := unix.Sendto(s.fd, p, 0, sa); err {
		case nil:
			return len(p), nil
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, ErrAgain
		default:
			return 0, s.failed("sendto", to, err)
		}
	}
}

// failed says what failed, and with whom. It returns nil for nil.
func (s *socket) failed(op string, addr net.Addr, err error) error {
	if err == nil {
		return nil
	}
	return &net.OpError{Op: op, Net: s.network, Addr: addr, Err: err}
}
