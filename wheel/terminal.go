package wheel

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/go-poe/poe/kernel"
)

// A console is a terminal that the user types at, and how it was before we came.
type console struct {
	h     kernel.Handle
	saved unix.Termios
	raw   bool
}

// newConsole returns the terminal of two handles, or nil if they are not both terminals.
func newConsole(in, out kernel.Handle) *console {
	for _, h := range []kernel.Handle{out, in} {
		if _, err := unix.IoctlGetTermios(h.FD(), getTermios); err != nil {
			return nil
		}
	}
	return &console{h: in}
}

// enter has the terminal hand over each key as it is, and show nothing by itself. What is written
// to it by others still looks as ever.
func (c *console) enter() error {
	t, err := unix.IoctlGetTermios(c.h.FD(), getTermios)
	if err != nil {
		return os.NewSyscallError("ioctl", err)
	}
	if !c.raw || t.Lflag&(unix.ICANON|unix.ECHO) != 0 { // it may have changed while we were stopped
		c.saved = *t
	}
	makeRaw(t)
	t.Oflag = c.saved.Oflag
	if err := c.set(t); err != nil {
		return err
	}
	c.raw = true
	return nil
}

// leave makes the terminal what it was.
func (c *console) leave() {
	if c.raw {
		c.raw = false
		_ = c.set(&c.saved) // a terminal that is gone needs nothing
	}
}

func (c *console) set(t *unix.Termios) error {
	for {
		err := unix.IoctlSetTermios(c.h.FD(), setTermios, t)
		if !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("ioctl", err)
		}
	}
}

// size returns the size of the terminal's window; 0 and 0 if that is unknown.
func (c *console) size() (cols, rows int) {
	z, err := unix.IoctlGetWinsize(c.h.FD(), unix.TIOCGWINSZ)
	if err != nil {
		return 0, 0
	}
	return int(z.Col), int(z.Row)
}
