package sim

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"

	"github.com/go-poe/poe/kernel"
)

// mostDatagram is the size of the largest datagram.
const mostDatagram = 65507

// A datagram is a socket of UDP.
type datagram struct {
	descriptor
	family
	switches
	machine *Machine
	closed  bool
	err     syscall.Errno // to be returned, once

	hold   *binding
	local  netip.AddrPort
	remote netip.AddrPort // of Connect

	queue []packet
	held  int // bytes in the queue
}

// A packet is a datagram that has arrived.
type packet struct {
	from netip.AddrPort
	data []byte
}

func (m *Machine) newDatagram(f family) *datagram {
	return &datagram{descriptor: descriptor{m: m, fd: -1}, family: f, machine: m}
}

func (d *datagram) poll() kernel.Mode {
	switch {
	case d.err != 0:
		return every
	case len(d.queue) > 0:
		return kernel.Read | kernel.Write
	}
	return kernel.Write
}

// Bind gives the socket its address.
func (d *datagram) Bind(addr net.Addr) error {
	return d.failed("bind", addr, d.bind(addr))
}

func (d *datagram) bind(addr net.Addr) error {
	switch {
	case d.closed:
		return net.ErrClosed
	case d.hold != nil:
		return syscall.EINVAL
	}
	to, err := d.parse(addr)
	if err != nil {
		return err
	}
	return d.bindTo(to)
}

func (d *datagram) bindTo(to netip.AddrPort) error {
	b := d.binding(to, d.reuse)
	b.d = d
	if err := d.machine.bind(b); err != nil {
		return err
	}
	d.hold, d.local = b, netip.AddrPortFrom(to.Addr(), b.port.number)
	d.machine.w.tracef("%v bind %v", &d.descriptor, d.local)
	return nil
}

// begin binds a socket that has no address yet.
func (d *datagram) begin() error {
	if d.hold != nil {
		return nil
	}
	return d.bindTo(d.any())
}

// Connect says where Write sends to, and from where alone the socket takes datagrams.
func (d *datagram) Connect(addr net.Addr) error {
	return d.failed("connect", addr, d.connect(addr))
}

func (d *datagram) connect(addr net.Addr) error {
	if d.closed {
		return net.ErrClosed
	}
	to, err := d.destination(addr)
	if err != nil {
		return err
	}
	if err := d.begin(); err != nil {
		return err
	}
	d.remote = to
	if d.local.Addr().IsUnspecified() {
		d.local = netip.AddrPortFrom(d.machine.source(to.Addr()), d.local.Port())
	}
	d.machine.w.tracef("%v connect %v from %v", &d.descriptor, to, d.local)
	return nil
}

// ConnectError returns nil: a connect of a datagram socket is never under way.
func (d *datagram) ConnectError() error {
	if d.closed {
		return d.failed("connect", nil, net.ErrClosed)
	}
	return nil
}

// pending returns the error that the socket has to return, once.
func (d *datagram) pending() syscall.Errno {
	errno := d.err
	d.err = 0
	return errno
}

// Listen is not for datagrams.
func (d *datagram) Listen(int) error { return d.failed("listen", nil, d.unsupported()) }

// Accept is not for datagrams.
func (d *datagram) Accept() (kernel.Socket, error) {
	return nil, d.failed("accept", nil, d.unsupported())
}

// unsupported is the error of what datagram sockets do not have.
func (d *datagram) unsupported() error {
	if d.closed {
		return net.ErrClosed
	}
	return syscall.EOPNOTSUPP
}

// LocalAddr returns the socket's address.
func (d *datagram) LocalAddr() (net.Addr, error) {
	switch {
	case d.closed:
		return nil, d.failed("getsockname", nil, net.ErrClosed)
	case !d.local.IsValid():
		return d.addr(d.any()), nil
	}
	return d.addr(d.local), nil
}

// RemoteAddr returns the address that Connect was given.
func (d *datagram) RemoteAddr() (net.Addr, error) {
	switch {
	case d.closed:
		return nil, d.failed("getpeername", nil, net.ErrClosed)
	case !d.remote.IsValid():
		return nil, d.failed("getpeername", nil, syscall.ENOTCONN)
	}
	return d.addr(d.remote), nil
}

// SetOption sets an option.
func (d *datagram) SetOption(option kernel.SocketOption, on bool) error {
	if d.closed {
		return d.failed("setsockopt", nil, net.ErrClosed)
	}
	return d.failed("setsockopt", nil, d.switches.set(&d.family, option, on, d.hold != nil))
}

// Read reads one datagram, as much of it as there is room for.
func (d *datagram) Read(p []byte) (int, error) {
	n, _, err := d.receive(p)
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		err = os.NewSyscallError("read", errno)
	}
	return n, err
}

// ReadFrom reads one datagram, as much of it as there is room for, and returns where it is from.
func (d *datagram) ReadFrom(p []byte) (int, net.Addr, error) {
	n, from, err := d.receive(p)
	switch err {
	case nil:
		return n, d.addr(from), nil
	case kernel.ErrAgain:
		return 0, nil, err
	}
	return 0, nil, d.failed("recvfrom", nil, err)
}

func (d *datagram) receive(p []byte) (n int, from netip.AddrPort, err error) {
	w := d.machine.w
	switch {
	case d.closed:
		return 0, netip.AddrPort{}, net.ErrClosed
	case d.err != 0:
		return 0, netip.AddrPort{}, d.pending()
	case len(d.queue) == 0 || w.chance(w.opts.Faults.Again):
		return 0, netip.AddrPort{}, kernel.ErrAgain
	}
	first := d.queue[0]
	d.queue[0] = packet{}
	d.queue = d.queue[1:]
	d.held -= len(first.data)
	w.tracef("%v read a datagram of %d from %v", &d.descriptor, len(first.data), first.from)
	return copy(p, first.data), first.from, nil
}

// Write sends one datagram to where the socket is connected.
func (d *datagram) Write(p []byte) (int, error) {
	if d.closed {
		return 0, net.ErrClosed
	}
	err := error(syscall.EDESTADDRREQ)
	if d.remote.IsValid() || d.err != 0 {
		err = d.send(p, d.remote)
	}
	if err != nil {
		return 0, os.NewSyscallError("write", err)
	}
	return len(p), nil
}

// WriteTo sends one datagram.
func (d *datagram) WriteTo(p []byte, to net.Addr) (int, error) {
	if d.closed {
		return 0, d.failed("sendto", to, net.ErrClosed)
	}
	addr, err := d.destination(to)
	if err == nil {
		err = d.send(p, addr)
	}
	if err != nil {
		return 0, d.failed("sendto", to, err)
	}
	return len(p), nil
}

var everybody = netip.AddrFrom4([4]byte{255, 255, 255, 255})

func (d *datagram) send(p []byte, to netip.AddrPort) error {
	w, faults := d.machine.w, &d.machine.w.opts.Faults
	switch {
	case d.err != 0:
		return d.pending()
	case len(p) > mostDatagram:
		return syscall.EMSGSIZE
	case to.Port() == 0:
		return syscall.EINVAL
	case to.Addr() == everybody && !d.broadcast:
		return syscall.EACCES
	}
	if err := d.begin(); err != nil {
		return err
	}
	from := d.local
	if from.Addr().IsUnspecified() {
		from = netip.AddrPortFrom(d.machine.source(to.Addr()), from.Port())
	}
	w.tracef("%v write a datagram of %d to %v", &d.descriptor, len(p), to)
	copies := 1
	if w.chance(faults.Drop) || w.swallows(to.Addr()) {
		w.tracef("the datagram is lost")
		copies = 0
	} else if w.chance(faults.Duplicate) {
		copies = 2
	}
	sent := packet{from, append([]byte(nil), p...)}
	for range copies {
		w.at(later(w.now, w.delay(w.opts.Latency)), func() { d.arrive(sent, to) })
	}
	return nil
}

// arrive brings a datagram to whom it is for. Where that is nobody, a sender that is connected
// hears of it.
func (d *datagram) arrive(sent packet, to netip.AddrPort) {
	w := d.machine.w
	if to.Addr() == everybody {
		for _, m := range w.machines {
			for _, b := range m.ports[port{"udp", to.Port()}] {
				if b.ip.IsUnspecified() && b.covers(netip.IPv4Unspecified()) {
					b.d.take(sent)
				}
			}
		}
		return
	}
	if m := d.machine.route(to.Addr()); m != nil {
		hears := func(b *binding) bool {
			return !b.d.remote.IsValid() || b.d.remote == sent.from
		}
		if b := m.bound("udp", to, hears); b != nil {
			b.d.take(sent)
			return
		}
	}
	if d.remote == to {
		w.at(later(w.now, w.delay(w.opts.Latency)), func() {
			if !d.closed {
				d.err = syscall.ECONNREFUSED
				touch(d)
			}
		})
	}
}

// take puts a datagram into the queue, or, if that is full, drops it.
func (d *datagram) take(sent packet) {
	if d.held+len(sent.data) > d.machine.w.opts.Buffer || len(d.queue) >= mostBacklog {
		d.machine.w.tracef("%v has no room for a datagram", &d.descriptor)
		return
	}
	d.queue = append(d.queue, sent)
	d.held += len(sent.data)
	touch(d)
}

// CloseRead does nothing: a datagram socket has no ends.
func (d *datagram) CloseRead() error { return d.closeHalf() }

// CloseWrite does nothing: a datagram socket has no ends.
func (d *datagram) CloseWrite() error { return d.closeHalf() }

func (d *datagram) closeHalf() error {
	if d.closed {
		return net.ErrClosed
	}
	return nil
}

// Close closes the socket.
func (d *datagram) Close() error {
	if d.closed {
		return net.ErrClosed
	}
	d.closed = true
	d.machine.release(d)
	d.machine.unbind(d.hold)
	d.queue = nil
	return nil
}
