package sim

import (
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"

	"github.com/go-poe/poe/kernel"
)

// A stream is a socket of TCP or of the unix kind, or an end of a pipe.
type stream struct {
	descriptor
	family
	switches
	machine *Machine // as descriptor.m, but from the beginning
	unix    bool     // a unix socket or a pipe
	state   state
	closed  bool

	in, out *flow         // of a connection; an end of a pipe has only one
	err     syscall.Errno // to be returned, once
	broken  bool          // the connection was reset
	mute    bool          // CloseRead was called
	attempt int           // the number of the connect
	asked   net.Addr      // what it is to; nil once ConnectError has told the outcome

	hold          *binding
	local, remote netip.AddrPort
	name, peer    string // of unix sockets

	queue   []*stream // connections to be accepted
	coming  int       // connections on their way into the queue
	backlog int
}

// A state is how far a stream has come.
type state uint8

const (
	fresh state = iota
	listening
	connecting
	connected
)

func (s *stream) poll() kernel.Mode {
	switch s.state {
	case fresh:
		return every
	case listening:
		if len(s.queue) > 0 {
			return kernel.Read
		}
		return 0
	case connecting:
		return 0
	}
	if s.hungUp() {
		return every
	}
	var how kernel.Mode
	if s.in != nil && (s.in.arrived > 0 || s.in.ended || s.mute) {
		how |= kernel.Read
	}
	if s.out != nil && (s.out.shut || s.outBroken() || s.out.writable()) {
		how |= kernel.Write
	}
	return how
}

// hungUp reports whether the connection is over, in both directions, or has an error.
func (s *stream) hungUp() bool {
	over := (s.in == nil || s.in.ended) && (s.out == nil || s.out.shut || s.outBroken())
	return over || s.broken || s.err != 0
}

// outBroken reports whether it can be seen at this end that the other one reads no more.
func (s *stream) outBroken() bool { return s.out.local && s.out.deaf }

// Read reads what has arrived.
func (s *stream) Read(p []byte) (int, error) {
	switch {
	case s.fd < 0:
		return 0, net.ErrClosed
	case s.state == connecting:
		return 0, kernel.ErrAgain
	case s.state != connected:
		return 0, os.NewSyscallError("read", s.pending(syscall.ENOTCONN))
	case s.in == nil:
		return 0, os.NewSyscallError("read", syscall.EBADF)
	case len(p) == 0:
		return 0, nil
	case s.in.arrived > 0 && s.machine.w.chance(s.machine.w.opts.Faults.Again):
		return 0, kernel.ErrAgain
	case s.in.arrived > 0:
		n := s.in.read(p[:s.machine.w.cut(min(len(p), s.in.arrived))])
		s.trace("read", p[:n], len(p))
		return n, nil
	case s.in.ended:
		return 0, io.EOF
	case s.err != 0:
		return 0, os.NewSyscallError("read", s.pending(0))
	case s.mute || s.broken:
		return 0, io.EOF
	}
	return 0, kernel.ErrAgain
}

// Write writes what there is room for.
func (s *stream) Write(p []byte) (int, error) {
	switch {
	case s.fd < 0:
		return 0, net.ErrClosed
	case s.state == connecting:
		return 0, kernel.ErrAgain
	case s.state == connected && s.out == nil:
		return 0, os.NewSyscallError("write", syscall.EBADF)
	case s.state != connected || s.err != 0 || s.broken || s.out.shut || s.outBroken():
		return 0, os.NewSyscallError("write", s.pending(syscall.EPIPE))
	case len(p) == 0:
		return 0, nil
	}
	w, faults := s.machine.w, &s.machine.w.opts.Faults
	room := s.out.room()
	if room == 0 || w.chance(faults.Again) {
		return 0, kernel.ErrAgain
	}
	if !s.unix && faults.ResetAfter > 0 {
		room = min(room, faults.ResetAfter-s.out.total)
	}
	if room <= 0 || !s.unix && w.chance(faults.Reset) {
		s.reset()
		return 0, os.NewSyscallError("write", s.pending(0))
	}
	n := w.cut(min(len(p), room))
	s.trace("write", p[:n], len(p))
	s.out.send(p[:n])
	return n, nil
}

// Reset breaks a connection of TCP, at both ends at once, as a machine in between might. What was
// under way is lost. It returns EINVAL, in a *os.SyscallError, for a handle that is none of the
// world's connections of TCP.
func (w *World) Reset(h kernel.Handle) error {
	s, ok := h.(*stream)
	if !ok || s.machine.w != w || s.unix || s.closed || s.state != connected {
		return os.NewSyscallError("reset", syscall.EINVAL)
	}
	s.reset()
	return nil
}

func (s *stream) reset() {
	s.machine.w.tracef("%v is reset", &s.descriptor)
	peer := s.out.to
	s.in.drop()
	s.out.drop()
	s.onReset()
	peer.onReset()
}

// onReset is what a reset does to the stream that it reaches.
func (s *stream) onReset() {
	if s.closed || s.broken {
		return
	}
	s.broken = true
	s.err = syscall.ECONNRESET
	if s.in.ended {
		s.err = syscall.EPIPE
	}
	if s.state == connecting {
		s.state = connected // the connect is over, and ConnectError says how
	}
	s.out.drop()
	touch(s)
}

// pending returns the error that the stream has to return, once, or else errno.
func (s *stream) pending(errno syscall.Errno) syscall.Errno {
	if s.err != 0 {
		errno, s.err = s.err, 0
	}
	return errno
}

// CloseRead ends reading: what has arrived can still be read, and after that there is the end. The
// reading end of a pipe is closed by it, and has no descriptor then.
func (s *stream) CloseRead() error {
	switch {
	case s.closed:
		return net.ErrClosed
	case s.out == nil && s.in != nil:
		s.end()
		return nil
	case s.state != connected || s.broken || s.in == nil:
		return nil
	}
	s.mute = true
	if s.unix {
		s.in.deaf = true
		touch(s.in.from)
	}
	touch(s)
	return nil
}

// CloseWrite ends writing. A second one does nothing. The writing end of a pipe is closed by it,
// and has no descriptor then.
func (s *stream) CloseWrite() error {
	switch {
	case s.closed:
		return net.ErrClosed
	case s.in == nil && s.out != nil:
		s.end()
		return nil
	case s.state != connected || s.broken || s.out == nil || s.out.shut:
		return nil
	}
	s.machine.w.tracef("%v closes its output", &s.descriptor)
	s.out.finish()
	touch(s)
	return nil
}

// Close closes the stream. If there is input that was not read, or comes after that, the other
// end's connection is reset.
func (s *stream) Close() error {
	if s.closed {
		return net.ErrClosed
	}
	s.closed = true
	s.end()
	return nil
}

// end gives up all that the stream has, unless that was done.
func (s *stream) end() {
	if s.fd < 0 {
		return
	}
	s.machine.release(s)
	s.machine.unbind(s.hold)
	if s.machine.names[s.name] == s {
		delete(s.machine.names, s.name)
	}
	for _, c := range s.queue {
		c.refuse()
	}
	s.queue = nil
	unread := s.in != nil && s.in.arrived > 0
	if s.in != nil {
		s.in.deaf = true
		s.in.bytes, s.in.arrived = nil, 0
		touch(s.in.from)
	}
	switch {
	case s.out == nil || s.broken:
	case unread:
		s.out.abort()
	case !s.out.shut:
		s.out.finish()
	}
}

// SetOption sets an option.
func (s *stream) SetOption(option kernel.SocketOption, on bool) error {
	if s.closed {
		return s.failed("setsockopt", nil, net.ErrClosed)
	}
	return s.failed("setsockopt", nil, s.switches.set(&s.family, option, on, s.hold != nil))
}

// ReadFrom is not for streams.
func (s *stream) ReadFrom([]byte) (int, net.Addr, error) {
	return 0, nil, s.failed("recvfrom", nil, s.unsupported())
}

// WriteTo is not for streams.
func (s *stream) WriteTo(_ []byte, to net.Addr) (int, error) {
	return 0, s.failed("sendto", to, s.unsupported())
}

// unsupported is the error of what streams do not have.
func (s *stream) unsupported() error {
	if s.closed {
		return net.ErrClosed
	}
	return syscall.EOPNOTSUPP
}

// trace traces a read or a write that moved data, where it might have moved most bytes.
func (s *stream) trace(call string, data []byte, most int) {
	const shown = 64
	if w := s.machine.w; w.opts.Trace != nil {
		w.tracef("%v %s %d of %d: %q", &s.descriptor, call, len(data), most,
			data[:min(len(data), shown)])
	}
}

// Pipe returns the two ends of a pipe on the machine: what is written to w is read from r.
func (m *Machine) Pipe() (r, w kernel.Handle, err error) {
	in, out := m.newStream(family{}, true), m.newStream(family{}, true)
	in.in = m.w.newFlow(out, in, true)
	out.out = in.in
	return m.opened("pipe2", in, out)
}

// SocketPair returns the two ends of a stream on the machine.
func (m *Machine) SocketPair() (a, b kernel.Handle, err error) {
	x, y := m.newStream(family{}, true), m.newStream(family{}, true)
	join(x, y)
	return m.opened("socketpair", x, y)
}

// join connects two streams with each other.
func join(x, y *stream) {
	w := x.machine.w
	x.out = w.newFlow(x, y, x.unix)
	y.out = w.newFlow(y, x, y.unix)
	x.in, y.in = y.out, x.out
}

// opened gives both ends of something a descriptor.
func (m *Machine) opened(call string, x, y *stream) (a, b kernel.Handle, err error) {
	for _, s := range [...]*stream{x, y} {
		s.state = connected
		if err := m.open(s, call); err != nil {
			if x.fd >= 0 {
				m.release(x)
			}
			return nil, nil, os.NewSyscallError(call, err)
		}
	}
	m.w.tracef("%s %v %v", call, &x.descriptor, &y.descriptor)
	return x, y, nil
}

func (m *Machine) newStream(f family, unix bool) *stream {
	return &stream{descriptor: descriptor{m: m, fd: -1}, family: f, machine: m, unix: unix}
}
