package kernel

import (
	"encoding/binary"
	"os"

	"golang.org/x/sys/unix"
)

// A bell is a descriptor that is readable from when it is rung until it is silenced: an eventfd.
type bell struct {
	event int
	one   [8]byte // what ring adds, once for all: a local one would be allocated
	count [8]byte // what silence reads
}

func newBell() (*bell, error) {
	fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("eventfd", err)
	}
	b := &bell{event: fd}
	binary.NativeEndian.PutUint64(b.one[:], 1)
	return b, nil
}

// fd returns the descriptor to watch for reading.
func (b *bell) fd() int {
	return b.event
}

// ring makes the bell readable. It fails only when the counter is full, and then it is readable.
func (b *bell) ring() {
	_, _ = unix.Write(b.event, b.one[:])
}

// silence undoes every ring that was before it. It is for one goroutine only.
func (b *bell) silence() {
	_, _ = unix.Read(b.event, b.count[:])
}

func (b *bell) close() {
	_ = unix.Close(b.event)
}
