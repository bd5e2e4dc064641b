//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package kernel

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// The functions of this file open descriptors that never wait and that no child process inherits.
// Where the system cannot open them so, ForkLock keeps children from being made before they are.

func openSocket(domain, kind int) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := unix.Socket(domain, kind, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	return fd, tame(fd)
}

func openPair() (a, b int, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return -1, -1, os.NewSyscallError("socketpair", err)
	}
	return fds[0], fds[1], tame(fds[0], fds[1])
}

func openPipe() (r, w int, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	var fds [2]int
	if err := unix.Pipe(fds[:]); err != nil {
		return -1, -1, os.NewSyscallError("pipe", err)
	}
	return fds[0], fds[1], tame(fds[0], fds[1])
}

// acceptOn returns a bare Errno, for whoever calls it to look at. It does not wait, so ForkLock may
// be held.
func acceptOn(fd int) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	conn, _, err := unix.Accept(fd)
	if err != nil {
		return -1, err
	}
	if err := tame(conn); err != nil {
		return -1, unix.ECONNABORTED // it went away before it could be told anything
	}
	return conn, nil
}

// tame keeps descriptors from waiting and from being inherited. If it cannot, it closes them.
func tame(fds ...int) error {
	for _, fd := range fds {
		unix.CloseOnExec(fd)
		if err := unix.SetNonblock(fd, true); err != nil {
			for _, fd := range fds {
				_ = unix.Close(fd)
			}
			return os.NewSyscallError("fcntl", err)
		}
	}
	return nil
}
