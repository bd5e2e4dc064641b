package kernel_test

import (
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/test/handletest"
)

// TestTerminalHandle holds handles on a pseudo-terminal to the suite for all handles.
func TestTerminalHandle(t *testing.T) {
	handletest.RunTerminal(t, func(t *testing.T) (master, slave kernel.Handle, loop kernel.Loop) {
		near, far, err := pty.Open()
		if err != nil {
			t.Skip(err)
		}
		makeRaw(t, int(far.Fd()))
		if master, err = kernel.NewHandle(near); err != nil {
			t.Fatal(err)
		}
		if slave, err = kernel.NewHandle(far); err != nil {
			t.Fatal(err)
		}
		return master, slave, kernel.NewLoop()
	})
}

// makeRaw has a terminal pass every byte as it is.
func makeRaw(t *testing.T, fd int) {
	t.Helper()
	state, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	state.Iflag, state.Oflag, state.Lflag = 0, 0, 0
	state.Cc[unix.VMIN], state.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, state); err != nil {
		t.Fatal(err)
	}
}
