package kernel

import (
	"os"

	"golang.org/x/sys/unix"
)

// The functions of this file open descriptors that never wait and that no child process inherits.

func openSocket(domain, kind int) (int, error) {
	fd, err := unix.Socket(domain, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	return fd, os.NewSyscallError("socket", err)
}

func openPair() (a, b int, err error) {
	fds, err := unix.Socketpair(
		unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	return fds[0], fds[1], os.NewSyscallError("socketpair", err)
}

func openPipe() (r, w int, err error) {
	var fds [2]int
	err = unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC)
	return fds[0], fds[1], os.NewSyscallError("pipe2", err)
}

// acceptOn returns a bare Errno, for whoever calls it to look at.
func acceptOn(fd int) (int, error) {
	// unix.Accept4 allocates an address, for which nobody has asked.
	const flags = unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC
	conn, _, err := unix.Syscall6(unix.SYS_ACCEPT4, uintptr(fd), 0, 0, flags, 0, 0)
	if err != 0 {
		return -1, err
	}
	return int(conn), nil
}
