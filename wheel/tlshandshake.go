package wheel

import (
	"crypto/tls"
	"errors"
	"iter"
)

// errHandshakeBroken is the outcome of a handshake in which a function of the Config panicked.
var errHandshakeBroken = errors.New("wheel: TLS handshake was broken off by a panic")

// A handshake is crypto/tls shaking hands in a coroutine. It cannot be told to come back later, as
// reading and writing after it can: what stops it once stops it for good. So where it has to wait
// for the peer, the coroutine is left, and is resumed when there is something to read.
type handshake struct {
	next    func() (struct{}, bool)
	stop    func() // gives it up; it is over then
	running bool   // by resume
	err     error  // its outcome, once it is over
}

// newHandshake begins a handshake, which does nothing before it is resumed. It must come to its
// end, or be stopped, lest its coroutine stay for ever.
func newHandshake(conn *tls.Conn, w *wire) *handshake {
	h := &handshake{err: errHandshakeBroken}
	h.next, h.stop = iter.Pull(func(yield func(struct{}) bool) {
		w.wait = func() bool { return yield(struct{}{}) }
		defer func() { w.wait = nil }()
		h.err = conn.Handshake()
	})
	return h
}

// resume shakes hands until there is nothing left to read, or nothing left to do. A panic in the
// coroutine goes through to the caller.
func (h *handshake) resume() (over bool) {
	h.running = true
	defer func() { h.running = false }()
	_, waits := h.next()
	return !waits
}
