package filter_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-poe/poe/filter"
)

// encodeMessage encodes message in chunks of the sizes that next returns.
func encodeMessage(e filter.MessageEncoder, message string, next func() int) string {
	var wire []byte
	for message != "" {
		n := min(len(message), max(0, next()))
		wire = e.Append(wire, []byte(message[:n]))
		message = message[n:]
	}
	return string(e.Finish(wire))
}

var messageCases = []struct{ name, message, wire string }{
	{"empty", "", ".\r\n"},
	{"a line", "hello\r\n", "hello\r\n.\r\n"},
	{"no newline at the end", "hello", "hello\r\n.\r\n"},
	{"CR at the end", "hello\r", "hello\r\n.\r\n"},
	{"LF", "A\nB\n\nC\n", "A\r\nB\r\n\r\nC\r\n.\r\n"},
	{"CR", "A\rB\rC\r", "A\r\nB\r\nC\r\n.\r\n"},
	{"mixed", "A\r\r\nB\n\rC\r\nD\n\n\rE\r\n",
		"A\r\n\r\nB\r\n\r\nC\r\nD\r\n\r\n\r\nE\r\n.\r\n"},
	{"only newlines", "\r\n\n\r", "\r\n\r\n\r\n.\r\n"},
	{"dots", ".\r\n.a\r\n..\r\n..b\r\nc.\r\n .\r\n", "..\r\n..a\r\n...\r\n...b\r\nc.\r\n .\r\n.\r\n"},
	{"lone dot is all", ".", "..\r\n.\r\n"},
	{"dots after LF and CR", "a\n.b\r.c\r.", "a\r\n..b\r\n..c\r\n..\r\n.\r\n"},
	{"dot after LF LF", "\n\n.\n", "\r\n\r\n..\r\n.\r\n"},
	{"almost right", "a\r\nb\r\nc\nd\re\r\n", "a\r\nb\r\nc\r\nd\r\ne\r\n.\r\n"},
	{"CR in a line of CR LF", "a\rb\r\n.c\r\n", "a\r\nb\r\n..c\r\n.\r\n"},
	{"the end of another message", "a\r\n.\r\nMAIL FROM:<>\r\n", "a\r\n..\r\nMAIL FROM:<>\r\n.\r\n"},
}

func TestMessageEncoder(t *testing.T) {
	for _, c := range messageCases {
		t.Run(c.name, func(t *testing.T) {
			for size := 1; size <= len(c.message)+1; size++ {
				got := encodeMessage(filter.MessageEncoder{}, c.message, func() int { return size })
				if got != c.wire {
					t.Errorf("in pieces of %d: got %q, want %q", size, got, c.wire)
				}
			}
		})
	}
}

// What is sent with its length has the same newlines, and no dot more than the message.
func TestMessageEncoderNoDots(t *testing.T) {
	for _, c := range []struct{ message, wire string }{
		{"", ""},
		{".", ".\r\n"},
		{"a\n.b\r..c\r\n", "a\r\n.b\r\n..c\r\n"},
	} {
		for size := 1; size <= len(c.message)+1; size++ {
			e := filter.MessageEncoder{NoDots: true}
			got := encodeMessage(e, c.message, func() int { return size })
			if got != c.wire {
				t.Errorf("%q in pieces of %d: got %q, want %q", c.message, size, got, c.wire)
			}
		}
	}
}

func TestMessageEncoderServesAgain(t *testing.T) {
	var e filter.MessageEncoder
	for range 2 {
		if got, want := string(e.Finish(e.Append(nil, []byte(".a\r")))), "..a\r\n.\r\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// canonicalLines returns the lines of a message, whatever they end in.
func canonicalLines(message string) []string {
	message = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(message)
	return strings.Split(strings.TrimSuffix(message, "\n"), "\n")
}

// TestMessagesOfManyBlocks encodes and decodes messages that are longer than what is worked on at a
// time, with a newline of another kind now and then.
func TestMessagesOfManyBlocks(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, newlines := range [][]string{{"\r\n"}, {"\n"}, {"\r"}, {"\r\n", "\n", "\r", "\r\n.", "."}} {
		var b strings.Builder
		for b.Len() < 200_000 {
			b.WriteString(strings.Repeat("x", random.IntN(200)))
			b.WriteString(newlines[random.IntN(len(newlines))])
		}
		roundTrip(t, b.String(), func() int { return random.IntN(50_000) })
	}
	roundTrip(t, strings.Repeat("x", 100_000), func() int { return 40_000 })
}

// roundTrip encodes message in chunks of the sizes that next returns and decodes it again, as lines
// and as a whole.
func roundTrip(t *testing.T, message string, next func() int) {
	t.Helper()
	wire := encodeMessage(filter.MessageEncoder{}, message, next)
	want := canonicalLines(message)
	if message == "" {
		want = nil
	}

	f := filter.NewSMTP(filter.SMTPOptions{})
	f.Feed([]byte(wire))
	for i, w := range want {
		r, ok, err := f.Next()
		if !ok || r.Value != nil || string(r.Bytes) != w {
			t.Fatalf("line %d: got %q, %v, %v, %v, want %q", i, r.Bytes, r.Value, ok, err, w)
		}
	}
	if r, _, err := f.Next(); r.Value != filter.End || len(f.Pending()) != 0 {
		t.Fatalf("after the lines: got %v, %v, pending %q, want End", r, err, f.Pending())
	}

	text := ""
	if len(want) > 0 {
		text = strings.Join(want, "\r\n") + "\r\n"
	}
	got, used, done, err := decodeMessage(filter.MessageDecoder{}, wire, next)
	if got != text || used != len(wire) || !done || err != nil {
		t.Fatalf("decoded %d of %d bytes to %q, %v, %v, want %q", used, len(wire), got, done, err, text)
	}
	if got := encodeMessage(filter.MessageEncoder{NoDots: true}, message, next); got != text {
		t.Fatalf("without dots: got %q, want %q", got, text)
	}
}

func FuzzMessageEncoder(f *testing.F) {
	for i, c := range messageCases {
		f.Add(c.message, uint64(i))
	}
	f.Fuzz(func(t *testing.T, message string, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 0))
		roundTrip(t, message, func() int { return random.IntN(1 + random.IntN(30)) })
	})
}

func TestMessageEncoderCostsNoMemory(t *testing.T) {
	for _, newline := range []string{"\r\n", "\n", "\r"} {
		text := bytes.Repeat([]byte("a line of a message"+newline+".and one with a dot"+newline), 2000)
		wire := make([]byte, 0, 2*len(text))
		var e filter.MessageEncoder
		noAllocs(t, func() { wire = e.Finish(e.Append(wire[:0], text)) })
	}
}

// mail is a megabyte of mail as it mostly is: lines of 76 bytes, and a dot now and then.
func mail(newline string) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < 1<<20; i++ {
		line := strings.Repeat("abcdefghijklmnop", 5)[:76]
		if i%100 == 0 {
			line = "." + line
		}
		b.WriteString(line + newline)
	}
	return b.Bytes()
}

func BenchmarkMessageEncoder(b *testing.B) {
	for name, newline := range map[string]string{"CRLF": "\r\n", "LF": "\n"} {
		b.Run(name, func(b *testing.B) {
			text := mail(newline)
			b.SetBytes(int64(len(text)))
			wire := make([]byte, 0, 1<<16)
			for b.Loop() {
				var e filter.MessageEncoder
				for p := text; len(p) > 0; {
					n := min(len(p), 32<<10)
					wire = e.Append(wire[:0], p[:n])
					p = p[n:]
				}
				wire = e.Finish(wire)
			}
		})
	}
}
