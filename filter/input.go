package filter

import "fmt"

// idleBuffer is the largest buffer, in bytes, that a filter keeps while it waits for input.
// Programs have thousands of connections, most of them idle.
const idleBuffer = 4 << 10

// An input is what a filter was fed and has not returned yet. All bytes are copied once, into one
// buffer that grows with need, unless they were lent.
type input struct {
	buf  []byte
	off  int // buf[:off] is returned
	max  int // more than this is an error
	err  error
	lent bool // buf is somebody else's
}

// rest returns what is not returned yet.
func (in *input) rest() []byte {
	return in.buf[in.off:]
}

// add takes p, unless the stream is lost.
//
// Bytes move within the buffer only when at least as many were returned since they came, so the
// cost for each byte is constant however small the pieces are.
func (in *input) add(p []byte) {
	if in.err != nil || len(p) == 0 {
		return
	}
	in.reclaim()
	unread := len(in.buf) - in.off
	switch {
	case unread == 0:
		in.buf, in.off = in.buf[:0], 0
	case len(in.buf)+len(p) <= cap(in.buf):
	case unread <= in.off && unread+len(p) <= cap(in.buf):
		in.buf, in.off = in.buf[:copy(in.buf, in.rest())], 0
	default:
		grown := make([]byte, 0, unread+len(p)+unread/2)
		in.buf, in.off = append(grown, in.rest()...), 0
	}
	in.buf = append(in.buf, p...)
	if unread+len(p) > in.max {
		in.err = fmt.Errorf("%w: more than %d bytes", ErrBufferFull, in.max)
	}
}

// lend takes p, which begins with what is not returned yet, and keeps it where it is.
func (in *input) lend(p []byte) {
	if in.err != nil || len(p) == 0 {
		return
	}
	in.buf, in.off, in.lent = p, 0, true
	if len(p) > in.max {
		in.err = fmt.Errorf("%w: more than %d bytes", ErrBufferFull, in.max)
	}
}

// reclaim copies what is not returned yet out of a buffer that was lent.
func (in *input) reclaim() {
	if in.lent {
		in.buf, in.off, in.lent = append([]byte(nil), in.rest()...), 0, false
	}
}

// take returns the next n bytes, which are good until the next call of add or settle.
func (in *input) take(n int) []byte {
	b := in.buf[in.off : in.off+n : in.off+n]
	in.off += n
	return b
}

// settle gives memory back. A filter calls it when it finds no further record.
func (in *input) settle() {
	if in.lent || cap(in.buf) <= idleBuffer || len(in.rest()) > cap(in.buf)/4 {
		return
	}
	in.buf, in.off = append([]byte(nil), in.rest()...), 0
}

// drop forgets the next n bytes, and the memory too if these were all.
func (in *input) drop(n int) {
	in.off += n
	if in.off == len(in.buf) {
		in.buf, in.off = nil, 0
	}
}

// pending is what the filter's Pending returns.
func (in *input) pending() []byte {
	if in.off == len(in.buf) {
		return nil
	}
	return in.buf[in.off:len(in.buf):len(in.buf)]
}

// fail ends the stream with err, and returns it.
func (in *input) fail(err error) error {
	in.err = err
	return err
}
