package kernel

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// NewHandle returns a Handle on an open file: a terminal, a pipe, a device, a socket. A regular
// file can be read and written with it, but no Loop watches one.
//
// The handle takes f over: it works on a duplicate of the descriptor, and f is closed. Only the
// standard streams stay open, so that no socket gets the number to which the runtime reports a
// crash. If NewHandle fails, f is as it was.
//
// That reading and writing do not wait is a property of the file, for all who share it, also other
// processes. The handle that had to set it takes it back when it is closed. So handles that share a
// file, as those on the standard streams of a terminal do, should be closed together.
func NewHandle(f *os.File) (Handle, error) {
	fd, err := duplicateOf(f, os.ErrClosed)
	if err != nil {
		return nil, err
	}
	d, err := newDescriptor(fd)
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	if f != os.Stdin && f != os.Stdout && f != os.Stderr {
		_ = f.Close() // of what it was, nothing is lost: the duplicate is open
	}
	return d, nil
}

// A descriptor is a Handle on a descriptor of the system.
type descriptor struct {
	fd       int  // -1 once it is closed
	closed   bool // by Close, and not by a CloseRead or CloseWrite that left nothing open
	socket   bool
	datagram bool // reading nothing is not the end
	oneWay   Mode // Read or Write if it goes in that direction only
	restore  bool // it may wait again once it is closed
}

// newDescriptor finds out what fd is, and sees to it that it never waits.
func newDescriptor(fd int) (*descriptor, error) {
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return nil, os.NewSyscallError("fstat", err)
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	d := &descriptor{fd: fd}
	switch {
	case stat.Mode&unix.S_IFMT == unix.S_IFSOCK:
		kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
		if err != nil {
			return nil, os.NewSyscallError("getsockopt", err)
		}
		d.socket, d.datagram = true, kind != unix.SOCK_STREAM
	case flags&unix.O_ACCMODE == unix.O_RDONLY:
		d.oneWay = Read
	case flags&unix.O_ACCMODE == unix.O_WRONLY:
		d.oneWay = Write
	}
	if flags&unix.O_NONBLOCK == 0 {
		d.restore = true
		if err := unix.SetNonblock(fd, true); err != nil {
			return nil, os.NewSyscallError("fcntl", err)
		}
	}
	return d, nil
}

// isStream reports whether it is a socket without bounds between what is written.
func (d *descriptor) isStream() bool { return d.socket && !d.datagram }

// Read implements Handle.
func (d *descriptor) Read(p []byte) (int, error) {
	switch {
	case d.fd < 0:
		return 0, net.ErrClosed
	case len(p) == 0:
		return 0, nil
	}
	for {
		var n int
		var err error
		if d.isStream() {
			n, err = receive(d.fd, p)
		} else {
			n, err = unix.Read(d.fd, p)
		}
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return 0, ErrAgain
		case err != nil:
			return 0, os.NewSyscallError("read", err)
		case n == 0 && !d.datagram:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// Write implements Handle. To write where nobody reads is an error, EPIPE, and no signal ends the
// program for it: the runtime catches it.
func (d *descriptor) Write(p []byte) (int, error) {
	if d.fd < 0 {
		return 0, net.ErrClosed
	}
	for {
		var n int
		var err error
		if d.isStream() {
			n, err = send(d.fd, p)
		} else {
			n, err = unix.Write(d.fd, p)
		}
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return 0, ErrAgain
		case err != nil:
			return 0, os.NewSyscallError("write", err)
		default:
			return n, nil
		}
	}
}

// CloseRead implements Handle. The reading end of a pipe is closed by it, and has no descriptor
// then; with other handles than sockets and those that can only be read there is no way to tell.
func (d *descriptor) CloseRead() error {
	switch {
	case d.closed:
		return net.ErrClosed
	case d.socket:
		return d.shutdown(unix.SHUT_RD)
	case d.oneWay == Read:
		return d.release()
	default:
		return nil
	}
}

// CloseWrite implements Handle. The writing end of a pipe is closed by it, and has no descriptor
// then. A terminal cannot be closed in one direction: errors.ErrUnsupported.
func (d *descriptor) CloseWrite() error {
	switch {
	case d.closed:
		return net.ErrClosed
	case d.socket:
		return d.shutdown(unix.SHUT_WR)
	case d.oneWay == Write:
		return d.release()
	case d.oneWay == Read:
		return nil
	default:
		return fmt.Errorf("kernel: closing for writing alone: %w", errors.ErrUnsupported)
	}
}

// shutdown ends one direction of a socket. One that is not connected, or not any more, has ended.
func (d *descriptor) shutdown(how int) error {
	err := unix.Shutdown(d.fd, how)
	if err == unix.ENOTCONN {
		return nil
	}
	return os.NewSyscallError("shutdown", err)
}

// Close implements Handle.
func (d *descriptor) Close() error {
	if d.closed {
		return net.ErrClosed
	}
	d.closed = true
	return d.release()
}

// release gives the descriptor back to the system, unless that was done.
func (d *descriptor) release() error {
	if d.fd < 0 {
		return nil
	}
	fd := d.fd
	d.fd = -1
	if d.restore {
		_ = unix.SetNonblock(fd, false)
	}
	if err := unix.Close(fd); err != nil && err != unix.EINTR { // which closes it too
		return os.NewSyscallError("close", err)
	}
	return nil
}

// FD implements Handle.
func (d *descriptor) FD() int {
	return d.fd
}

// duplicateOf returns another descriptor for what c has open. If it has nothing open any more, the
// error is closed.
func duplicateOf(c syscall.Conn, closed error) (fd int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	if raw.Control(func(from uintptr) { fd, err = duplicate(int(from)) }) != nil {
		return -1, closed
	}
	return fd, err
}

// duplicate returns another descriptor for what fd is, which no child process inherits, and which
// has not the number of a standard stream.
func duplicate(fd int) (int, error) {
	to, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	return to, os.NewSyscallError("fcntl", err)
}
