package client

import (
	"bytes"

	"github.com/go-poe/poe/filter"
)

// A wire is the filter for what a connection sends: commands as they are, and the text of a message
// encoded, in pieces of any size, and with filter.End what ends it. It only writes.
type wire struct {
	filter.Stream
	text    bool // a text is being sent, without its length
	asIs    bool // the text needs no encoding
	encoder filter.MessageEncoder
	pairs   *pairs        // or nil
	copy    *bytes.Buffer // for the log, or nil
	buf     []byte        // what is read of a text
	scratch []byte        // what is sent of one with its length
}

// begin prepares for the text of d, with its length or without.
func (w *wire) begin(d *delivery, chunks bool) {
	m := d.m
	w.text = !chunks
	w.asIs = m.Binary || d.clean
	w.encoder = filter.MessageEncoder{NoDots: chunks}
	w.pairs, w.copy = nil, nil
	if m.Compat {
		w.pairs = &pairs{}
	}
	if m.TransactionLog {
		w.copy = new(bytes.Buffer)
	}
}

// end is after the text. What a long one needed is given back.
func (w *wire) end() {
	w.text, w.copy, w.pairs, w.buf = false, nil, nil, nil
	if cap(w.scratch) > keptScratch {
		w.scratch = nil
	}
}

// maxLoggedText is how much of a text a log gets.
const maxLoggedText = 64 << 10

// Append encodes a piece of the text, if there is one, or appends what is none.
func (w *wire) Append(dst []byte, r filter.Record) ([]byte, error) {
	if !w.text {
		return append(dst, r.Bytes...), nil
	}
	return w.encode(dst, r.Bytes, r.Value == filter.End), nil
}

// encoded returns a piece of the text as it is sent with its length. It is good until the next
// call.
func (w *wire) encoded(p []byte, last bool) []byte {
	if w.asIs && w.pairs == nil && w.copy == nil {
		return p
	}
	w.scratch = w.encode(w.scratch[:0], p, last)
	return w.scratch
}

// encode appends the encoding of a piece of the text to dst, and returns the extended slice.
func (w *wire) encode(dst, p []byte, last bool) []byte {
	n := len(dst)
	if w.pairs != nil {
		p = w.pairs.reduce(p)
	}
	if w.asIs {
		dst = append(dst, p...)
	} else {
		dst = w.encoder.Append(dst, p)
	}
	if last {
		dst = w.encoder.Finish(dst)
	}
	if w.copy != nil {
		w.copy.Write(dst[n:min(len(dst), n+max(0, maxLoggedText-w.copy.Len()))])
	}
	return dst
}

// logged returns the text as it was sent, without the newline at its end.
func (w *wire) logged() string {
	if w.copy.Len() >= maxLoggedText {
		return w.copy.String() + " [...]"
	}
	return string(bytes.TrimSuffix(w.copy.Bytes(), []byte("\r\n")))
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
