package wheel

import (
	"errors"

	"github.com/go-poe/poe/kernel"
)

// ErrPlaintext is what StartTLS returns if input has come in plain text that would be taken for
// input that came by TLS. Somebody between the two ends may have put it there (CVE-2011-0411).
var ErrPlaintext = errors.New("wheel: plain text came before TLS, and was not handled")

// StartTLS changes from plain text to TLS in the middle of the stream, as STARTTLS does (RFC 3207).
// What was put before leaves in plain text. What is put from now on waits for the handshake, which
// begins at the end of the turn. Its end is SecuredEvent, or ErrorEvent, with "handshake" as the
// operation, after which nothing is read or written any more. How long it may take is for the owner
// to say, by an alarm that closes the wheel. A pause does not keep the handshake waiting.
//
// Of what came in plain text nothing is carried over. If the input filter holds anything, StartTLS
// changes nothing and returns ErrPlaintext: the owner should close the wheel. What is still on its
// way makes the handshake fail. So the input filter must know where a record ends, which a Line
// that takes any newline does not: it may return a line before the second byte of CR LF has come.
//
// The other errors are ErrClosed, also for input that has ended, what
// PutRecord would return, and that of Session.SelectRead. It panics if the wheel has two handles,
// or speaks TLS already.
func (w *ReadWrite) StartTLS(opts TLSOptions) error {
	opts.check()
	switch {
	case w.opts.InputHandle != w.opts.OutputHandle:
		panic("wheel: StartTLS of a ReadWrite that has two handles")
	case w.layer != nil:
		panic("wheel: StartTLS of a ReadWrite on a Layer")
	case w.closed || w.finishing || w.inDone:
		return ErrClosed
	case w.halfClose:
		return ErrOutputShut
	case w.outErr != nil:
		return w.outErr
	case len(w.opts.InputFilter.Pending()) > 0:
		return ErrPlaintext
	}
	t := NewTLS(w.owner.Kernel(), w.opts.InputHandle, opts)
	w.opts.InputHandle, w.opts.OutputHandle = t, t
	w.standOn(t)
	if w.OutOctets() > 0 {
		t.wire.out, t.wire.sent = w.out, w.sent
		w.out, w.sent = nil, 0
		w.wants |= kernel.Write
	}
	w.reading, w.blocked = false, false // of the handle that there was
	return w.watchInput()
}
