package wheel

import (
	"io"
	"net"
	"slices"
	"time"

	"github.com/go-poe/poe/kernel"
)

// The sizes of a record (RFC 5246, section 6.2.3; those of RFC 8446 are smaller).
const (
	recordHeader = 5
	recordMost   = recordHeader + 16384 + 2048
)

// errEmpty is what crypto/tls gets when there is nothing to read for now. It is temporary, so
// crypto/tls forgets it, and goes on where it was when it is asked again.
var errEmpty net.Error = emptyError{}

type emptyError struct{}

func (emptyError) Error() string   { return "wheel: no ciphertext for now" }
func (emptyError) Timeout() bool   { return true }
func (emptyError) Temporary() bool { return true }

// A wire is the net.Conn under crypto/tls: it reads from one buffer and writes to another. The
// buffers are the kernel's, and go back to it when they are empty.
type wire struct {
	kernel *kernel.Kernel
	under  kernel.Handle
	wait   func() bool // waits for input, in a handshake; false means that there will be none

	in    []byte // ciphertext that has come; what is before given is gone
	given int
	inErr error // what comes after it

	body   bool // what is read now is a record's body, and not its header
	left   int  // bytes of that
	header [recordHeader]byte

	out  []byte // ciphertext that is to leave; what is before sent has left
	sent int
	deaf bool // what crypto/tls writes does not leave any more
}

// Read implements net.Conn. It reads no further than to the end of a record's header or body, so
// that crypto/tls, which reads into a buffer that it keeps, needs it for one record only.
func (w *wire) Read(p []byte) (int, error) {
	for w.empty() {
		switch {
		case w.inErr != nil:
			return 0, w.inErr
		case w.wait == nil:
			return 0, errEmpty
		case !w.wait():
			return 0, net.ErrClosed
		}
	}
	n := copy(p, w.in[w.given:min(len(w.in), w.given+w.left)])
	w.follow(w.in[w.given : w.given+n])
	if w.given += n; w.empty() {
		w.drop()
	}
	return n, nil
}

// follow finds the headers and bodies of the records in what is read.
func (w *wire) follow(p []byte) {
	if !w.body {
		copy(w.header[recordHeader-w.left:], p)
	}
	if w.left -= len(p); w.left > 0 {
		return
	}
	w.body = !w.body
	if w.body {
		w.left = int(w.header[3])<<8 | int(w.header[4])
	}
	if w.left == 0 {
		w.body, w.left = false, recordHeader
	}
}

// empty reports whether all that has come is gone.
func (w *wire) empty() bool { return w.given == len(w.in) }

// fill reads up to n bytes from the handle, when all is gone. What goes wrong, other than ErrAgain,
// is for crypto/tls to find.
func (w *wire) fill(n int) error {
	if w.inErr != nil {
		return nil
	}
	buf := slices.Grow(w.kernel.TakeBuffer(), n)
	n, err := w.under.Read(buf[:n])
	w.in, w.given = buf[:n], 0
	if n == 0 {
		w.drop()
	}
	switch {
	case err == io.EOF:
		err = errTruncated
	case err == kernel.ErrAgain && n > 0:
		err = nil
	case err == kernel.ErrAgain:
		return err
	}
	w.inErr = err
	return nil
}

// drop forgets what has come.
func (w *wire) drop() {
	w.kernel.GiveBuffer(w.in)
	w.in, w.given = nil, 0
}

// expect makes room for n bytes of text, with what their records take besides, when all that was to
// leave has left.
func (w *wire) expect(n int) {
	w.out = slices.Grow(w.kernel.TakeBuffer(), n+n/32+512)
}

// Write implements net.Conn. It never fails: crypto/tls would remember that, and could not even
// read any more.
func (w *wire) Write(p []byte) (int, error) {
	switch {
	case w.deaf:
		return len(p), nil
	case w.out == nil:
		w.out = w.kernel.TakeBuffer()
	case w.sent > 0 && w.sent >= w.unsent():
		w.out, w.sent = w.out[:copy(w.out, w.out[w.sent:])], 0
	}
	w.out = append(w.out, p...)
	return len(p), nil
}

// unsent returns how many bytes are to leave.
func (w *wire) unsent() int { return len(w.out) - w.sent }

// flush writes to the handle until nothing is left: then it returns nil.
func (w *wire) flush() error {
	for w.unsent() > 0 {
		n, err := w.under.Write(w.out[w.sent:])
		w.sent += n
		if err != nil {
			return err
		}
	}
	w.dropOut()
	return nil
}

// mute has nothing leave any more.
func (w *wire) mute() {
	w.deaf = true
	w.dropOut()
}

func (w *wire) dropOut() {
	w.kernel.GiveBuffer(w.out)
	w.out, w.sent = nil, 0
}

// Close implements net.Conn. The handle has an owner.
func (w *wire) Close() error { return nil }

// LocalAddr implements net.Conn.
func (w *wire) LocalAddr() net.Addr {
	if s, ok := w.under.(kernel.Socket); ok {
		if addr, err := s.LocalAddr(); err == nil {
			return addr
		}
	}
	return &net.UnixAddr{Net: "unix"}
}

// RemoteAddr implements net.Conn.
func (w *wire) RemoteAddr() net.Addr {
	if s, ok := w.under.(kernel.Socket); ok {
		if addr, err := s.RemoteAddr(); err == nil {
			return addr
		}
	}
	return &net.UnixAddr{Net: "unix"}
}

// SetDeadline implements net.Conn. Nothing waits.
func (w *wire) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn.
func (w *wire) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn.
func (w *wire) SetWriteDeadline(time.Time) error { return nil }
