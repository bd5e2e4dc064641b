package kernel

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxNoWait is how many bytes a socket takes or gives at once: some microseconds' worth. As long as
// that lasts, the collector of garbage may have to wait.
const maxNoWait = 64 << 10

// receive reads from a stream socket. It never waits, whatever the flags of the socket are, and so
// it does not tell Go's scheduler that the thread may be away: that would cost more than the handler
// does.
func receive(fd int, p []byte) (int, error) {
	n, _, err := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(min(len(p), maxNoWait)),
		unix.MSG_DONTWAIT, 0, 0)
	if err != 0 {
		return 0, err
	}
	return int(n), nil
}

// send writes to a stream socket, and never waits either.
func send(fd int, p []byte) (int, error) {
	n, _, err := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(min(len(p), maxNoWait)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	if err != 0 {
		return 0, err
	}
	return int(n), nil
}
