//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package kernel

import (
	"golang.org/x/sys/unix"
)

// A bell is a descriptor that is readable from when it is rung until it is silenced: a pipe.
type bell struct {
	r, w  int
	one   [1]byte  // what ring writes: a local one would be allocated
	rings [64]byte // what silence reads
}

func newBell() (*bell, error) {
	r, w, err := openPipe()
	if err != nil {
		return nil, err
	}
	return &bell{r: r, w: w}, nil
}

// fd returns the descriptor to watch for reading.
func (b *bell) fd() int {
	return b.r
}

// ring makes the bell readable. It fails only when the pipe is full, and then it is readable.
func (b *bell) ring() {
	for {
		if _, err := unix.Write(b.w, b.one[:]); err != unix.EINTR {
			return
		}
	}
}

// silence undoes every ring that was before it. It is for one goroutine only.
func (b *bell) silence() {
	for {
		n, err := unix.Read(b.r, b.rings[:])
		if err != unix.EINTR && n < len(b.rings) {
			return
		}
	}
}

func (b *bell) close() {
	_ = unix.Close(b.r)
	_ = unix.Close(b.w)
}
