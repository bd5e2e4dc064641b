package main

import (
	"bytes"
	"io"
	"strings"
)

// lineSize is how long each line of a text is, with its CR LF.
const lineSize = 64

// A text is a message of size octets, which must be a multiple of lineSize. It has CR LF at the end
// of its lines, and none begins with a dot.
type text struct {
	size int
	at   int // so much of it is read
}

var (
	textHeader = []byte("Subject: " + strings.Repeat("bench ", 8) + "ok!\r\n\r\n")
	textLines  = bytes.Repeat([]byte(strings.Repeat("1234567 ", 7)+"123456\r\n"), 512)
)

// Read reads on.
func (t *text) Read(p []byte) (n int, err error) {
	for n < len(p) && t.at < t.size {
		from := textLines[t.at%len(textLines):]
		if t.at < len(textHeader) {
			from = textHeader[t.at:]
		}
		from = from[:min(len(from), t.size-t.at)]
		copied := copy(p[n:], from)
		n += copied
		t.at += copied
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// WriteTo writes what is not read yet.
func (t *text) WriteTo(w io.Writer) (n int64, err error) {
	return io.Copy(w, struct{ io.Reader }{t})
}

// bytes returns all of it.
func (t text) bytes() []byte {
	t.at = 0
	all := make([]byte, t.size)
	_, _ = io.ReadFull(&t, all) // it is that long
	return all
}
