package client_test

import (
	"bytes"
	"testing"

	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/filter"
)

// The SIZE that is declared is that of the text as it arrives.
func FuzzWireSize(f *testing.F) {
	for _, text := range []string{
		"", "x", "x\n", "x\r", "x\r\n", "\n", "\r", "\r\n", "\n\r", "a\nb\rc\r\nd", "\r\r\n\n", "a\r\n.b\r\n",
		"a\n\r\r\nb",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		encoder := filter.MessageEncoder{NoDots: true}
		want := len(encoder.Finish(encoder.Append(nil, text)))
		if got := client.WireSize(text); got != int64(want) {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
		if got, want := client.IsASCII(text), !bytes.ContainsFunc(text, func(r rune) bool {
			return r >= 0x80
		}); got != want {
			t.Errorf("%q is ASCII: got %v, want %v", text, got, want)
		}
	})
}
