package client_test

import (
	"bytes"
	"testing"

	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/filter"
)

// The SIZE that is declared is that of the text as it arrives, and what is clean arrives as it is.
func FuzzSurvey(f *testing.F) {
	for _, text := range []string{
		"", "x", "x\n", "x\r", "x\r\n", "\n", "\r", "\r\n", "\n\r", "a\nb\rc\r\nd", "\r\r\n\n", "a\r\n.b\r\n",
		"a\n\r\r\nb", ".", ".a\r\n", "a\r\nb\r\n", "a\r\nb", "a\r\n.", "a\r\n\r",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		size, clean := client.Survey(text)
		encoder := filter.MessageEncoder{NoDots: true}
		if want := len(encoder.Finish(encoder.Append(nil, text))); size != int64(want) {
			t.Errorf("%q: got %d octets, want %d", text, size, want)
		}
		encoder = filter.MessageEncoder{}
		arrives := encoder.Finish(encoder.Append(nil, text))
		if want := string(arrives) == string(text)+".\r\n"; clean != want {
			t.Errorf("%q is clean: got %v, want %v", text, clean, want)
		}
		if got, want := client.IsASCII(text), !bytes.ContainsFunc(text, func(r rune) bool {
			return r >= 0x80
		}); got != want {
			t.Errorf("%q is ASCII: got %v, want %v", text, got, want)
		}
	})
}
