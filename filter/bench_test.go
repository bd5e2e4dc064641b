package filter_test

import (
	"testing"

	"github.com/go-poe/poe/filter"
)

// BenchmarkNext reads a megabyte of lines, fed in pieces as a socket gives them.
func BenchmarkNext(b *testing.B) {
	var e filter.MessageEncoder
	wire := e.Finish(e.Append(nil, mail("\r\n")))
	for _, c := range []struct {
		name string
		f    filter.Filter
	}{
		{"any newline", filter.NewLine(filter.LineOptions{})},
		{"net newline", filter.NewLine(filter.LineOptions{Newline: filter.NetNewline})},
		{"CR LF", filter.NewLine(filter.LineOptions{Literal: "\r\n"})},
		{"SMTP", filter.NewSMTP(filter.SMTPOptions{})},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				for p := wire; len(p) > 0; {
					n := min(len(p), 2<<10)
					c.f.Feed(p[:n])
					p = p[n:]
					for ok := true; ok; {
						_, ok, _ = c.f.Next()
					}
				}
			}
		})
	}
}
