package wheel

import (
	"bytes"
	"errors"
	"io"
	"os"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/go-poe/poe/kernel"
)

// A Winsize is the size of a terminal's window. The zero value is an unknown size, for which
// programs assume what they like, mostly 24 by 80.
type Winsize struct {
	Rows, Cols       uint16 // in characters
	XPixels, YPixels uint16 // the same in pixels; 0 and 0 mean 9 by 16 for each character
}

// ErrNoTerminal is the error of SetWinsize for a program that has no terminal.
var ErrNoTerminal = errors.New("wheel: the program has no terminal")

// SetWinsize tells a terminal its size, and the programs on it that the size has changed. Without a
// terminal, the error is ErrNoTerminal, and when the wheel is closed, ErrClosed.
func (w *Run) SetWinsize(size Winsize) error {
	switch {
	case w.opts.Conduit == Pipe:
		return ErrNoTerminal
	case w.closed || w.terminal == nil:
		return ErrClosed
	}
	return setWinsize(w.terminal.FD(), size)
}

// system returns the size as the system takes it.
func (z Winsize) system() *unix.Winsize {
	if z.XPixels == 0 && z.YPixels == 0 {
		z.XPixels, z.YPixels = z.Cols*9, z.Rows*16
	}
	return &unix.Winsize{Row: z.Rows, Col: z.Cols, Xpixel: z.XPixels, Ypixel: z.YPixels}
}

// A terminal is the wheel's side of a pseudo-terminal. The program has the other one.
type terminal struct {
	kernel.Handle
}

// openTerminal opens a pseudo-terminal. The caller closes both sides.
func openTerminal(size Winsize, cooked bool) (near *terminal, far *os.File, err error) {
	master, far, err := pty.Open()
	if err != nil {
		return nil, nil, err
	}
	err = configure(int(far.Fd()), size, cooked)
	if err == nil {
		var h kernel.Handle
		if h, err = kernel.NewHandle(master); err == nil {
			return &terminal{h}, far, nil
		}
	}
	_ = master.Close()
	_ = far.Close()
	return nil, nil, err
}

// configure sets a terminal up before a program sees it.
func configure(fd int, size Winsize, cooked bool) error {
	if size != (Winsize{}) {
		if err := setWinsize(fd, size); err != nil {
			return err
		}
	}
	if cooked {
		return nil
	}
	t, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return os.NewSyscallError("ioctl", err)
	}
	makeRaw(t)
	return os.NewSyscallError("ioctl", unix.IoctlSetTermios(fd, setTermios, t))
}

func setWinsize(fd int, size Winsize) error {
	return os.NewSyscallError("ioctl", unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, size.system()))
}

// makeRaw lets every byte pass in both directions, unchanged and at once.
func makeRaw(t *unix.Termios) {
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR |
		unix.ICRNL | unix.IXON
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Cflag &^= unix.CSIZE | unix.PARENB
	t.Cflag |= unix.CS8
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
}

// Read implements kernel.Handle. When no process has the other side open any more, Linux says EIO.
func (t *terminal) Read(p []byte) (int, error) {
	n, err := t.Handle.Read(p)
	if errors.Is(err, unix.EIO) {
		err = io.EOF
	}
	return n, err
}

// endOfInput returns what tells a program on the other side that no more will come. In the first
// place it may only end a line that has no end. It returns nothing while the terminal is raw: then
// no byte has such a meaning.
func (t *terminal) endOfInput() []byte {
	state, err := unix.IoctlGetTermios(t.FD(), getTermios)
	if err != nil || state.Lflag&unix.ICANON == 0 {
		return nil
	}
	return bytes.Repeat([]byte{state.Cc[unix.VEOF]}, 2)
}
