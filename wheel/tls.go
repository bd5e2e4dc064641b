package wheel

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/go-poe/poe/kernel"
)

const (
	// tlsChunk is how much plain text a TLS encrypts at once, and how much ciphertext it reads at
	// once. It encrypts no more before the other handle has taken that.
	tlsChunk = 64 << 10

	// maxTLSUnsent is how much a TLS holds of what it was made to send, but not by Write: answers
	// to new keys, of which a peer that never reads could ask for any number.
	maxTLSUnsent = 2 * tlsChunk
)

var (
	// ErrTLSUnread is what ends the output of a TLS whose peer has it send answers, and does not
	// read them.
	ErrTLSUnread = errors.New("wheel: TLS peer asks for answers and does not read them")

	// errTruncated is the end of a stream whose peer did not say that it would end.
	errTruncated = fmt.Errorf("wheel: TLS ended without close_notify: %w", io.ErrUnexpectedEOF)

	// errTLSShut is what Write returns after CloseWrite.
	errTLSShut = fmt.Errorf("wheel: TLS output is shut down: %w", syscall.EPIPE)
)

// TLSOptions are the options of a TLS. Config has no default.
type TLSOptions struct {
	// Config is what crypto/tls goes by: certificates, whom to trust, versions, protocols,
	// resumption. Any number of connections may share one, which nobody changes any more. Its
	// functions are called on the kernel's goroutine, so they do not wait. It must not allow
	// renegotiation. In a simulated world, its Time is kernel.Kernel.Now.
	Config *tls.Config

	// Server says that this end waits for the handshake. The other end begins it, and its Config
	// has a ServerName.
	Server bool
}

// check panics if the programmer made a mistake.
func (o *TLSOptions) check() {
	switch {
	case o.Config == nil:
		panic("wheel: TLSOptions has no Config")
	case o.Config.Renegotiation != tls.RenegotiateNever:
		panic("wheel: TLSOptions has a Config that allows renegotiation")
	}
}

// A TLS is a Handle that speaks TLS over another Handle: unmodified crypto/tls, on the kernel's own
// goroutine. It is a Layer, which a ReadWrite knows how to use. Read and Write return
// kernel.ErrAgain until the handshake is over.
//
// The stream ends with io.EOF only where the peer says that it ends, by close_notify. For one that
// is cut off before that, errors.Is finds io.ErrUnexpectedEOF.
//
// A connection on which nothing happens has no goroutine, no buffer of ours, and what crypto/tls
// keeps: some KiB, and after large records a buffer for one, which is 18 KiB. One in the middle of
// its handshake has a coroutine, which counts as a goroutine; whoever opens a TLS must close it.
type TLS struct {
	under  kernel.Handle
	conn   *tls.Conn
	wire   wire
	server bool

	shake   *handshake // while it is under way
	secured bool       // it is over
	failed  error      // it is over, and this is why

	more     bool  // Read may have something that under has not
	readErr  error // why nothing can be read any more
	broken   bool  // by that: it is an alert, from either end
	writeErr error // why nothing can be written any more
	shut     bool  // CloseWrite was called
	quiet    bool  // and the handle under it was told
	closed   bool
}

// NewTLS returns a TLS over a handle, which it takes over. The handshake begins with the first
// Advance.
func NewTLS(k *kernel.Kernel, under kernel.Handle, opts TLSOptions) *TLS {
	opts.check()
	if _, ok := under.(Layer); ok {
		panic(fmt.Sprintf("wheel: TLS over a %T, which is a Layer itself", under))
	}
	t := &TLS{under: under, server: opts.Server}
	t.wire = wire{kernel: k, under: under, left: recordHeader}
	if opts.Server {
		t.conn = tls.Server(&t.wire, opts.Config)
	} else {
		t.conn = tls.Client(&t.wire, opts.Config)
	}
	return t
}

// Advance implements Layer. It goes on with the handshake, and writes what is left of the
// ciphertext. Once something went wrong with either, it returns that error each time.
func (t *TLS) Advance() (wants kernel.Mode, err error) {
	if t.closed {
		return 0, net.ErrClosed
	}
	if t.shaking() {
		t.shakeHands()
	}
	err = t.flush()
	if t.shaking() && t.writeErr != nil {
		t.shakeHands() // the peer that is gone may have said why
		if t.shaking() {
			t.failed = t.writeErr
		}
	}
	switch {
	case t.closed: // by a function of the Config
		return 0, net.ErrClosed
	case t.failed != nil:
		return 0, t.failed
	case err == kernel.ErrAgain:
		wants = kernel.Write
	case err != nil:
		return 0, err
	}
	if t.shaking() {
		wants |= kernel.Read
	}
	return wants, nil
}

// shaking reports whether the handshake is not over yet.
func (t *TLS) shaking() bool { return !t.secured && t.failed == nil && !t.closed }

// shakeHands goes on with the handshake as far as it gets with what has arrived. At the server it
// begins when something has: who connects and says nothing costs no more than that.
func (t *TLS) shakeHands() {
	if t.shake != nil && t.shake.running {
		return // a function of the Config has called
	}
	for over := false; !over; {
		waits := t.wire.wait != nil || t.server && t.shake == nil
		if waits && t.wire.empty() && t.fill(0) == kernel.ErrAgain {
			return
		}
		if t.shake == nil {
			t.shake = newHandshake(t.conn, &t.wire)
		}
		over = t.shake.resume()
		if t.closed {
			t.shake.stop()
			return
		}
	}
	if t.failed = t.shake.err; t.failed == nil {
		t.secured, t.more = true, true
	}
	t.shake = nil
	if t.secured && t.shut {
		_ = t.goodbye() // Advance tells
	}
}

// Buffered implements Layer.
func (t *TLS) Buffered() bool { return t.more }

// Read implements kernel.Handle. It reads from the handle under it only if it has nothing left of
// what it read before, and no more often than it takes to return something.
func (t *TLS) Read(p []byte) (n int, err error) {
	switch {
	case t.closed:
		return 0, net.ErrClosed
	case len(p) == 0:
		return 0, nil
	case !t.secured && t.readErr == nil:
		return 0, t.early()
	}
	for n == 0 && t.readErr == nil {
		if !t.more && t.wire.empty() {
			if err := t.fill(len(p)); err != nil {
				return 0, err
			}
		}
		n = t.decrypt(p)
	}
	if n == 0 {
		t.more = false
		return 0, t.readErr
	}
	return n, nil
}

// decrypt reads what crypto/tls makes of the ciphertext that is there.
func (t *TLS) decrypt(p []byte) (n int) {
	var err error
	for n < len(p) && err == nil {
		var m int
		m, err = t.conn.Read(p[n:])
		n += m
	}
	// More may be where nothing was missing: text in crypto/tls, ciphertext, or the end.
	t.more = !errors.Is(err, errEmpty)
	if err != nil && t.more {
		t.readErr = err
		t.broken = err != io.EOF && !errors.Is(err, t.wire.inErr)
	}
	if t.wire.unsent() > 0 {
		t.answer()
	}
	return n
}

// early is what Read and Write return while there is no secret yet.
func (t *TLS) early() error {
	if t.failed != nil {
		return t.failed
	}
	return kernel.ErrAgain
}

// answer sends what crypto/tls has to say to what it read. What goes wrong comes with the next
// Write, or Advance.
func (t *TLS) answer() {
	if err := t.flush(); err == kernel.ErrAgain && t.wire.unsent() > maxTLSUnsent {
		t.stopWriting(ErrTLSUnread)
	}
}

// fill reads ciphertext for a Read of n bytes. There is none left of before.
func (t *TLS) fill(n int) error {
	return t.wire.fill(min(max(n, recordMost), tlsChunk))
}

// Write implements kernel.Handle. What it has taken may still wait, as ciphertext, for Advance.
func (t *TLS) Write(p []byte) (n int, err error) {
	switch {
	case t.closed:
		return 0, net.ErrClosed
	case len(p) == 0:
		return 0, nil
	case t.writeErr != nil:
		return 0, t.writeErr
	case t.broken:
		return 0, t.readErr
	case t.shut:
		return 0, errTLSShut
	case !t.secured:
		return 0, t.early()
	}
	if err := t.flush(); err != nil {
		return 0, err
	}
	p = p[:min(len(p), tlsChunk)]
	t.wire.expect(len(p))
	n, err = t.conn.Write(p)
	if err != nil {
		t.stopWriting(err)
		return 0, err
	}
	if err := t.flush(); err != nil && err != kernel.ErrAgain {
		return 0, err
	}
	return n, nil
}

// flush writes ciphertext until nothing is left: then it returns nil.
func (t *TLS) flush() error {
	if t.writeErr != nil {
		return t.writeErr
	}
	err := t.wire.flush()
	switch {
	case err == kernel.ErrAgain:
		return err
	case err != nil && t.broken: // it was an alert for a peer that is gone
		t.wire.mute()
	case err != nil:
		t.stopWriting(err)
		return err
	}
	if t.shut && t.secured && !t.quiet {
		t.quiet = true
		return t.under.CloseWrite()
	}
	return nil
}

// stopWriting gives the output up. Reading goes on.
func (t *TLS) stopWriting(err error) {
	t.writeErr = err
	t.wire.mute()
}

// CloseRead implements kernel.Handle. What has come is dropped.
func (t *TLS) CloseRead() error {
	if t.closed {
		return net.ErrClosed
	}
	if t.secured {
		t.wire.drop()
	}
	if t.readErr == nil {
		t.readErr = io.EOF
	}
	t.more = false
	if t.shaking() {
		return nil // the handshake still has to read
	}
	return t.under.CloseRead()
}

// CloseWrite implements kernel.Handle: it sends close_notify after all that was written, and the
// handle under it is closed for writing after that, if need be by Advance. Before the end of the
// handshake it waits for that. The peer may go on writing, as TLS 1.3 has it; those who keep to
// TLS 1.2 will not (RFC 8446, section 6.1).
func (t *TLS) CloseWrite() error {
	switch {
	case t.closed:
		return net.ErrClosed
	case t.shut:
		return nil
	}
	t.shut = true
	switch {
	case t.failed != nil:
		return t.under.CloseWrite()
	case !t.secured:
		return nil
	}
	return t.goodbye()
}

// goodbye sends close_notify, and nothing after it.
func (t *TLS) goodbye() error {
	_ = t.conn.CloseWrite() // after an alert, which crypto/tls remembers, there is no more to say
	t.wire.deaf = true
	if err := t.flush(); err != kernel.ErrAgain {
		return err
	}
	return nil
}

// Close implements kernel.Handle. It sends close_notify, and what is left of the ciphertext, as far
// as the handle under it takes that at once.
func (t *TLS) Close() error {
	if t.closed {
		return net.ErrClosed
	}
	if t.secured && !t.shut {
		_ = t.conn.CloseWrite()
	}
	_ = t.flush()
	t.drain()
	t.closed = true
	if t.shake != nil && !t.shake.running {
		t.shake.stop()
	}
	t.wire.drop()
	t.wire.mute()
	return t.under.Close()
}

// drain reads what nobody will want any more, for instance the close_notify of the peer: a socket
// that is closed with such input resets the connection, and then what was written last, which may
// be an alert that tells the peer what is wrong, may be lost.
func (t *TLS) drain() {
	t.wire.drop()
	_ = t.fill(tlsChunk)
}

// FD implements kernel.Handle. It is that of the handle under it.
func (t *TLS) FD() int { return t.under.FD() }

// ConnectionState returns what the handshake has settled: the version, the protocol, the peer's
// certificates. Before its end that is nothing.
func (t *TLS) ConnectionState() tls.ConnectionState {
	if !t.secured {
		return tls.ConnectionState{} // while crypto/tls shakes hands, it would wait for the end
	}
	return t.conn.ConnectionState()
}

// Under returns the handle under it. It is the TLS's.
func (t *TLS) Under() kernel.Handle { return t.under }
