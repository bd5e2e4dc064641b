package kernel_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/go-poe/poe/kernel"
)

// dup2 makes to another number of what from has open.
func dup2(from, to int) error {
	return unix.Dup2(from, to)
}

// streams are the ways to get two ends of which the first reads what the second writes.
var streams = []struct {
	name string
	open func() (a, b kernel.Handle, err error)
}{
	{"pipe", kernel.Pipe},
	{"socket pair", kernel.SocketPair},
	{"reversed socket pair", reversed(kernel.SocketPair)},
	{"files", func() (a, b kernel.Handle, err error) {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, nil, err
		}
		if a, err = kernel.NewHandle(r); err != nil {
			return nil, nil, err
		}
		b, err = kernel.NewHandle(w)
		return a, b, err
	}},
}

// wantRead reads once.
func wantRead(t *testing.T, h kernel.Handle, want string, failure error) {
	t.Helper()
	p := make([]byte, 64)
	n, err := h.Read(p)
	if string(p[:n]) != want || err != failure {
		t.Errorf("Read returns %q, %v, want %q, %v", p[:n], err, want, failure)
	}
}

func TestStream(t *testing.T) {
	for _, stream := range streams {
		t.Run(stream.name, func(t *testing.T) {
			keepsDescriptors(t)
			a, b := ends(t, stream.open)
			wantRead(t, a, "", kernel.ErrAgain)
			if n, err := a.Read(nil); n != 0 || err != nil {
				t.Errorf("reading nothing returns %d, %v, want 0, nil", n, err)
			}
			if n, err := b.Write(nil); n != 0 || err != nil {
				t.Errorf("writing nothing returns %d, %v, want 0, nil", n, err)
			}
			put(t, b, "hello")
			wantRead(t, a, "hello", nil)
			put(t, b, "bye")
			if err := b.CloseWrite(); err != nil {
				t.Errorf("CloseWrite returns %v, want nil", err)
			}
			wantRead(t, a, "bye", nil)
			wantRead(t, a, "", io.EOF)
			wantRead(t, a, "", io.EOF)
			if n, err := a.Read(nil); n != 0 || err != nil {
				t.Errorf("reading nothing at the end returns %d, %v, want 0, nil", n, err)
			}
			if n, err := b.Write([]byte("x")); n != 0 || err == nil || err == kernel.ErrAgain {
				t.Errorf("Write after CloseWrite returns %d, %v, want an error", n, err)
			}
		})
	}
}

// What is written in pieces of whatever size fits comes out whole, in order.
func TestStreamWritesWhatFits(t *testing.T) {
	for _, stream := range streams {
		t.Run(stream.name, func(t *testing.T) {
			a, b := ends(t, stream.open)
			var want, got bytes.Buffer
			piece := []byte(strings.Repeat("0123456789abcdef", 16<<10))
			for full := false; !full; {
				n, err := b.Write(piece)
				switch {
				case err == kernel.ErrAgain && n == 0:
					full = true
				case err != nil || n <= 0 || n > len(piece):
					t.Fatalf("Write returns %d, %v", n, err)
				}
				want.Write(piece[:n])
			}
			p := make([]byte, 1000)
			for {
				n, err := a.Read(p)
				if err == kernel.ErrAgain {
					break
				}
				if err != nil || n == 0 {
					t.Fatalf("Read returns %d, %v", n, err)
				}
				got.Write(p[:n])
			}
			if !bytes.Equal(got.Bytes(), want.Bytes()) {
				t.Errorf("of %d bytes %d come out, or others", want.Len(), got.Len())
			}
			put(t, b, "there is room again")
		})
	}
}

func TestStreamClose(t *testing.T) {
	for _, stream := range streams {
		for i, end := range []string{"first", "second"} {
			t.Run(stream.name+", "+end+" end", func(t *testing.T) {
				var handles [2]kernel.Handle
				handles[0], handles[1] = ends(t, stream.open)
				h := handles[i]
				if h.FD() < 3 {
					t.Errorf("FD returns %d, want a number above the standard streams", h.FD())
				}
				if err := h.Close(); err != nil {
					t.Errorf("Close returns %v, want nil", err)
				}
				if h.FD() != -1 {
					t.Errorf("FD returns %d after Close, want -1", h.FD())
				}
				_, read := h.Read(make([]byte, 1))
				_, write := h.Write([]byte("x"))
				for op, err := range map[string]error{
					"Close": h.Close(), "Read": read, "Write": write,
					"CloseRead": h.CloseRead(), "CloseWrite": h.CloseWrite(),
				} {
					if err != net.ErrClosed {
						t.Errorf("%s after Close returns %v, want net.ErrClosed", op, err)
					}
				}
			})
		}
	}
}

// CloseRead and CloseWrite may be asked for in any order, twice, and before Close.
func TestStreamCloseHalves(t *testing.T) {
	for _, stream := range streams {
		t.Run(stream.name, func(t *testing.T) {
			keepsDescriptors(t)
			a, b := ends(t, stream.open)
			for _, h := range []kernel.Handle{a, b} {
				for _, half := range []func() error{
					h.CloseWrite, h.CloseRead, h.CloseRead, h.CloseWrite,
				} {
					if err := half(); err != nil {
						t.Errorf("closing one direction returns %v, want nil", err)
					}
				}
			}
			for _, h := range []kernel.Handle{a, b} {
				if err := h.Close(); err != nil {
					t.Errorf("Close returns %v, want nil", err)
				}
				if err := h.Close(); err != net.ErrClosed {
					t.Errorf("a second Close returns %v, want net.ErrClosed", err)
				}
			}
		})
	}
}

// Writing where nobody reads is an error that the program survives.
func TestStreamNobodyReads(t *testing.T) {
	for _, stream := range streams {
		for name, end := range map[string]func(h kernel.Handle) error{
			"Close": kernel.Handle.Close, "CloseRead": kernel.Handle.CloseRead,
		} {
			t.Run(stream.name+", "+name, func(t *testing.T) {
				a, b := ends(t, stream.open)
				if err := end(a); err != nil {
					t.Fatal(err)
				}
				n, err := b.Write([]byte("x"))
				var number syscall.Errno
				if n != 0 || !errors.As(err, &number) || number != syscall.EPIPE {
					t.Errorf("Write returns %d, %v, want EPIPE", n, err)
				}
			})
		}
	}
}

// No child process inherits a handle, and none waits.
func TestStreamFlags(t *testing.T) {
	for _, stream := range streams {
		t.Run(stream.name, func(t *testing.T) {
			a, b := ends(t, stream.open)
			wantFlags(t, a)
			wantFlags(t, b)
		})
	}
}

func wantFlags(t *testing.T, h kernel.Handle) {
	t.Helper()
	if f := fcntl(t, h.FD(), unix.F_GETFL); f&unix.O_NONBLOCK == 0 {
		t.Errorf("descriptor %d waits", h.FD())
	}
	if f := fcntl(t, h.FD(), unix.F_GETFD); f&unix.FD_CLOEXEC == 0 {
		t.Errorf("descriptor %d is inherited", h.FD())
	}
}

func fcntl(t *testing.T, fd, command int) int {
	t.Helper()
	flags, err := unix.FcntlInt(uintptr(fd), command, 0)
	if err != nil {
		t.Fatal(err)
	}
	return flags
}

func TestStreamAllocations(t *testing.T) {
	for _, stream := range streams {
		t.Run(stream.name, func(t *testing.T) {
			a, b := ends(t, stream.open)
			p := make([]byte, 64)
			n := testing.AllocsPerRun(1000, func() {
				_, write := b.Write(p)
				_, read := a.Read(p)
				_, again := a.Read(p)
				if write != nil || read != nil || again != kernel.ErrAgain {
					t.Fatalf("%v, %v, %v", write, read, again)
				}
			})
			if n != 0 {
				t.Errorf("writing and reading costs %v allocations, want 0", n)
			}
			fill(t, b)
			n = testing.AllocsPerRun(1000, func() {
				if _, err := b.Write(p); err != kernel.ErrAgain {
					t.Fatal(err)
				}
			})
			if n != 0 {
				t.Errorf("writing what does not fit costs %v allocations, want 0", n)
			}
		})
	}
}

// NewHandle takes over the file, but for the standard streams, and gives back the mode in which
// others share it.
func TestNewHandle(t *testing.T) {
	keepsDescriptors(t)
	var fds [2]int
	if err := unix.Pipe(fds[:]); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[0])
	defer unix.Close(fds[1])
	shared, err := unix.Dup(fds[0])
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(shared), "shared")
	h, err := kernel.NewHandle(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Close of the file returns %v, want os.ErrClosed: the handle has it", err)
	}
	wantFlags(t, h)
	wantRead(t, h, "", kernel.ErrAgain)
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if fcntl(t, fds[0], unix.F_GETFL)&unix.O_NONBLOCK != 0 {
		t.Error("the file does not wait any more, for those who have it still")
	}
}

func TestNewHandleStandardStream(t *testing.T) {
	keepsDescriptors(t)
	h, err := kernel.NewHandle(os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stderr.Stat(); err != nil {
		t.Errorf("the standard stream is gone: %v", err)
	}
}

func TestNewHandleErrors(t *testing.T) {
	keepsDescriptors(t)
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	if h, err := kernel.NewHandle(f); !errors.Is(err, os.ErrClosed) {
		t.Errorf("NewHandle returns %v, %v for a closed file, want os.ErrClosed", h, err)
	}
	if h, err := kernel.NewHandle(nil); !errors.Is(err, os.ErrInvalid) {
		t.Errorf("NewHandle returns %v, %v for no file, want os.ErrInvalid", h, err)
	}
}

func TestNewHandleRegularFile(t *testing.T) {
	keepsDescriptors(t)
	path := filepath.Join(t.TempDir(), "regular")
	if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	h, err := kernel.NewHandle(f)
	if err != nil {
		t.Fatal(err)
	}
	wantRead(t, h, "hello", nil)
	wantRead(t, h, "", io.EOF)
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}

// A device that goes both ways and is no socket has no half to close.
func TestNewHandleBothWays(t *testing.T) {
	f, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	h, err := kernel.NewHandle(f)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	put(t, h, "hello")
	wantRead(t, h, "", io.EOF)
	if err := h.CloseRead(); err != nil {
		t.Errorf("CloseRead returns %v, want nil", err)
	}
	if err := h.CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("CloseWrite returns %v, want errors.ErrUnsupported", err)
	}
	put(t, h, "hello")
}
