package sim

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/go-poe/poe/kernel"
)

// mostBacklog is how many connections wait on a listener at most.
const mostBacklog = 4096

// firstRetry is the time after which a connect that found the listener's queue full is tried
// again. Each further try comes after twice that.
const firstRetry = time.Second

// Socket opens a socket of the world. Its errors are those of the system's: a *net.OpError with,
// inside, net.UnknownNetworkError or EMFILE.
func (m *Machine) Socket(network string) (kernel.Socket, error) {
	f, ok := families[network]
	if !ok {
		return nil, &net.OpError{Op: "socket", Net: network, Err: net.UnknownNetworkError(network)}
	}
	var s interface {
		file
		kernel.Socket
	}
	if f.network == "udp" {
		s = m.newDatagram(f)
	} else {
		s = m.newStream(f, network == "unix")
	}
	if err := m.open(s, "socket"); err != nil {
		return nil, f.failed("socket", nil, os.NewSyscallError("socket", err))
	}
	m.w.tracef("%v socket %s", s.base(), network)
	return s, nil
}

// Bind gives the socket its address. The name of a unix socket is free again when that is closed,
// as if its file had been removed.
func (s *stream) Bind(addr net.Addr) error {
	return s.failed("bind", addr, s.bind(addr))
}

func (s *stream) bind(addr net.Addr) error {
	switch {
	case s.closed:
		return net.ErrClosed
	case s.hold != nil || s.name != "" || s.state != fresh:
		return syscall.EINVAL
	case s.unix:
		return s.bindName(addr)
	}
	to, err := s.parse(addr)
	if err != nil {
		return err
	}
	return s.bindTo(to)
}

func (s *stream) bindTo(to netip.AddrPort) error {
	b := s.binding(to, s.reuse)
	b.s = s
	if err := s.machine.bind(b); err != nil {
		return err
	}
	s.hold, s.local = b, netip.AddrPortFrom(to.Addr(), b.port.number)
	s.machine.w.tracef("%v bind %v", &s.descriptor, s.local)
	return nil
}

func (s *stream) bindName(addr net.Addr) error {
	a, ok := addr.(*net.UnixAddr)
	switch {
	case !ok || a == nil:
		return s.foreign(addr)
	case a.Name == "":
		return syscall.EINVAL
	case s.machine.names[a.Name] != nil:
		return syscall.EADDRINUSE
	}
	s.name = a.Name
	s.machine.names[s.name] = s
	s.machine.w.tracef("%v bind %q", &s.descriptor, s.name)
	return nil
}

// Listen begins to take connections.
func (s *stream) Listen(backlog int) error {
	return s.failed("listen", nil, s.listen(backlog))
}

func (s *stream) listen(backlog int) error {
	switch {
	case s.closed:
		return net.ErrClosed
	case s.state == connecting || s.state == connected || s.unix && s.name == "":
		return syscall.EINVAL
	}
	if s.hold == nil && !s.unix {
		if err := s.bindTo(s.any()); err != nil {
			return err
		}
	}
	was := s.state
	s.state = listening
	if s.hold != nil && s.machine.taken(s.hold) {
		s.state = was
		return syscall.EADDRINUSE
	}
	s.backlog = backlog
	if backlog <= 0 || backlog > mostBacklog {
		s.backlog = mostBacklog
	}
	s.machine.w.tracef("%v listen", &s.descriptor)
	touch(s)
	return nil
}

// Accept takes the oldest connection that waits.
func (s *stream) Accept() (kernel.Socket, error) {
	w := s.machine.w
	switch {
	case s.closed:
		return nil, s.failed("accept", nil, net.ErrClosed)
	case s.state != listening:
		return nil, s.failed("accept", nil, syscall.EINVAL)
	case len(s.queue) == 0 || w.chance(w.opts.Faults.Again):
		return nil, kernel.ErrAgain
	}
	c := s.queue[0]
	if err := s.machine.open(c, "accept"); err != nil {
		return nil, s.failed("accept", nil, err)
	}
	s.queue = slices.Delete(s.queue, 0, 1)
	w.tracef("%v accept %v", &s.descriptor, &c.descriptor)
	return c, nil
}

// full reports whether the listener has no place for one more connection.
func (s *stream) full() bool { return len(s.queue)+s.coming >= s.backlog }

// Connect begins to connect.
func (s *stream) Connect(addr net.Addr) error {
	err := s.connect(addr)
	if err == nil && !s.unix {
		return kernel.ErrAgain
	}
	return s.failed("connect", addr, err)
}

func (s *stream) connect(addr net.Addr) error {
	switch {
	case s.closed:
		return net.ErrClosed
	case s.state == connecting:
		return nil // and it goes on
	case s.state != fresh:
		return syscall.EISCONN
	case s.unix:
		return s.connectName(addr)
	}
	to, err := s.destination(addr)
	if err != nil {
		return err
	}
	source := s.machine.source(to.Addr())
	if s.hold == nil {
		if err := s.bindTo(netip.AddrPortFrom(source, 0)); err != nil {
			return err
		}
	} else if s.hold.ip.IsUnspecified() {
		s.local = netip.AddrPortFrom(source, s.local.Port())
	}
	s.state, s.err, s.remote, s.asked = connecting, 0, to, addr
	s.attempt++
	s.machine.w.tracef("%v connect %v from %v", &s.descriptor, to, s.local)
	s.knock(s.machine.w.now, firstRetry)
	return nil
}

// knock sends the first packet of a connection, for a connect that began at a time.
func (s *stream) knock(began, retry time.Duration) {
	w, attempt := s.machine.w, s.attempt
	timeout := later(began, w.opts.ConnectTimeout)
	if w.swallows(s.remote.Addr()) {
		w.at(timeout, func() { s.refused(attempt, syscall.ETIMEDOUT) })
		return
	}
	w.at(later(w.now, w.delay(w.opts.Latency)), func() {
		if s.fd < 0 || s.attempt != attempt {
			return
		}
		l := s.listener()
		switch {
		case l == nil || w.chance(w.opts.Faults.Refuse):
			w.at(later(w.now, w.delay(w.opts.Latency)), func() {
				s.refused(attempt, syscall.ECONNREFUSED)
			})
		case !l.full():
			l.meet(s)
		default:
			w.at(min(timeout, later(w.now, retry)), func() {
				if w.now >= timeout {
					s.refused(attempt, syscall.ETIMEDOUT)
				} else if s.fd >= 0 && s.attempt == attempt {
					s.knock(began, 2*retry)
				}
			})
		}
	})
}

// listener returns the socket that listens where s connects to.
func (s *stream) listener() *stream {
	m := s.machine.route(s.remote.Addr())
	if m == nil {
		return nil
	}
	b := m.bound("tcp", s.remote, (*binding).listens)
	if b == nil {
		return nil
	}
	return b.s
}

// meet makes the listener's end of a connection with c, and tells c.
func (s *stream) meet(c *stream) {
	w := s.machine.w
	x := s.machine.newStream(s.family, false)
	x.state, x.local, x.remote = connected, c.remote, c.local
	join(x, c)
	s.coming++
	if late := w.opts.Faults.SlowAccept; late > 0 {
		w.at(later(w.now, time.Duration(w.random.Int64N(int64(late)+1))), func() { s.enqueue(x) })
	} else {
		s.enqueue(x)
	}
	x.out.inTurn(func() {
		if c.state == connecting {
			c.state = connected
			w.tracef("%v is connected", &c.descriptor)
			touch(c)
		}
	})
}

// enqueue puts a connection into the queue of the listener, or breaks it, if that listens no more.
func (s *stream) enqueue(c *stream) {
	s.coming--
	if s.fd < 0 {
		c.refuse()
		return
	}
	s.queue = append(s.queue, c)
	touch(s)
}

// refuse breaks a connection that nobody will accept.
func (s *stream) refuse() {
	s.closed = true
	s.in.deaf = true
	s.out.abort()
}

// refused ends a connect without a connection.
func (s *stream) refused(attempt int, errno syscall.Errno) {
	if s.fd < 0 || s.attempt != attempt || s.state != connecting {
		return
	}
	s.state, s.err, s.remote = fresh, errno, netip.AddrPort{}
	s.machine.w.tracef("%v connect: %v", &s.descriptor, errno)
	touch(s)
}

// connectName connects a unix socket, which takes no time.
func (s *stream) connectName(addr net.Addr) error {
	a, ok := addr.(*net.UnixAddr)
	if !ok || a == nil {
		return s.foreign(addr)
	}
	s.machine.w.tracef("%v connect %q", &s.descriptor, a.Name)
	l := s.machine.names[a.Name]
	switch {
	case l == nil:
		return syscall.ENOENT
	case l.state != listening:
		return syscall.ECONNREFUSED
	case l.full():
		return syscall.EAGAIN
	}
	x := s.machine.newStream(s.family, true)
	x.state, x.name, x.peer = connected, l.name, s.name
	s.state, s.peer = connected, l.name
	join(x, s)
	l.coming++
	l.enqueue(x)
	touch(s)
	return nil
}

// ConnectError returns the outcome of a connect, or ErrAgain while there is none yet.
func (s *stream) ConnectError() error {
	asked := s.asked
	switch {
	case s.closed:
		return s.failed("connect", asked, net.ErrClosed)
	case s.state == connecting:
		return kernel.ErrAgain
	case asked == nil:
		return nil
	}
	s.asked = nil
	if s.err == 0 {
		return nil
	}
	return s.failed("connect", asked, s.pending(0))
}

// LocalAddr returns the socket's address.
func (s *stream) LocalAddr() (net.Addr, error) {
	switch {
	case s.closed:
		return nil, s.failed("getsockname", nil, net.ErrClosed)
	case s.unix:
		return &net.UnixAddr{Name: s.name, Net: "unix"}, nil
	case !s.local.IsValid():
		return s.addr(s.any()), nil
	}
	return s.addr(s.local), nil
}

// RemoteAddr returns the address of the other end.
func (s *stream) RemoteAddr() (net.Addr, error) {
	switch {
	case s.closed:
		return nil, s.failed("getpeername", nil, net.ErrClosed)
	case s.state != connected || s.broken:
		return nil, s.failed("getpeername", nil, syscall.ENOTCONN)
	case s.unix:
		return &net.UnixAddr{Name: s.peer, Net: "unix"}, nil
	}
	return s.addr(s.remote), nil
}
