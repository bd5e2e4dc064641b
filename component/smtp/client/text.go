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
	copy    *bytes.Buffer // for the log, or nil
}

// maxLoggedText is how much of a text a log gets.
const maxLoggedText = 64 << 10

// Append encodes a piece.
func (f *textFilter) Append(dst []byte, r filter.Record) ([]byte, error) {
	n := len(dst)
	if r.Value == filter.End {
		dst = f.encoder.Finish(dst)
	} else {
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
