package client

import (
	"bytes"

	"github.com/go-poe/poe/filter"
)

// A textFilter encodes the text of a message in pieces of any size, and with filter.End the dot
// that ends it. It only writes.
type textFilter struct {
	filter.Stream
	encoder filter.MessageEncoder
	pairs   *pairs        // or nil
	copy    *bytes.Buffer // for the log, or nil
}

func newTextFilter(m *Message) *textFilter {
	f := &textFilter{}
	if m.Compat {
		f.pairs = &pairs{}
	}
	if m.TransactionLog {
		f.copy = new(bytes.Buffer)
	}
	return f
}

// maxLoggedText is how much of a text a log gets.
const maxLoggedText = 64 << 10

// Append encodes a piece.
func (f *textFilter) Append(dst []byte, r filter.Record) ([]byte, error) {
	n := len(dst)
	switch {
	case r.Value == filter.End:
		dst = f.encoder.Finish(dst)
	case f.pairs != nil:
		dst = f.encoder.Append(dst, f.pairs.reduce(r.Bytes))
	default:
		dst = f.encoder.Append(dst, r.Bytes)
	}
	if f.copy != nil {
		f.copy.Write(dst[n:min(len(dst), n+max(0, maxLoggedText-f.copy.Len()))])
	}
	return dst, nil
}

// logged returns the text as it was sent, without the newline after the dot.
func (f *textFilter) logged() string {
	if f.copy.Len() >= maxLoggedText {
		return f.copy.String() + " [...]"
	}
	return string(bytes.TrimSuffix(f.copy.Bytes(), []byte("\r\n")))
}

// pairs makes one newline of LF CR, as version 0.22 does.
type pairs struct {
	last byte // of the text, or 0 where a newline is complete
	buf  []byte
}

// reduce returns p without the second half of such a pair. It is good until the next call.
func (n *pairs) reduce(p []byte) []byte {
	n.buf = n.buf[:0]
	for _, c := range p {
		switch {
		case c == '\r' && n.last == '\n':
			n.last = 0
			continue
		case c == '\n' && n.last == '\r':
			n.last = 0
		default:
			n.last = c
		}
		n.buf = append(n.buf, c)
	}
	return n.buf
}
