package filter_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/test/filtertest"
)

// message returns the lines and then End.
func message(text ...string) []filter.Record {
	return append(lines(text...), filter.Record{Value: filter.End})
}

var smtpSuite = filtertest.Suite{
	New: func() filter.Filter { return filter.NewSMTP(filter.SMTPOptions{}) },
	Cases: []filtertest.Case{
		{Name: "empty", In: ".\r\n", Want: message(), Wire: ".\r\n"},
		{Name: "text", In: "a\r\n\r\nb\r\n.\r\n", Want: message("a", "", "b")},
		{Name: "lone dot is not the end", In: "..\r\n.\r\n", Want: message("."), Wire: "..\r\n.\r\n"},
		{Name: "dots", In: "...\r\n..x\r\na.\r\n .\r\n.\r\n", Want: message("..", ".x", "a.", " ."),
			Wire: "...\r\n..x\r\na.\r\n .\r\n.\r\n"},
		{Name: "dot that was not doubled", In: ".x\r\n.\r\n", Want: message("x")},
		{Name: "commands after it", In: "a\r\n.\r\nQUIT\r", Want: message("a"), Pending: "QUIT\r"},
		{Name: "two messages", In: "a\r\n.\r\nb\r\n.\r\n", Want: append(message("a"), message("b")...)},
		{Name: "smuggled by LF", In: "a\n.\nb\r\n.\r\n", Err: filter.ErrBareNewline},
		{Name: "smuggled by LF and CR LF", In: "a\r\nb\n.\r\nc\r\n.\r\n", Want: lines("a"),
			Err: filter.ErrBareNewline},
		{Name: "smuggled by CR", In: "a\r.\r\n", Err: filter.ErrBareNewline},
		{Name: "CR CR LF", In: "a\r\r\n", Err: filter.ErrBareNewline},
	},
}

func TestSMTP(t *testing.T) { smtpSuite.Run(t) }
func FuzzSMTP(f *testing.F) { smtpSuite.Fuzz(f) }

func TestSMTPLimit(t *testing.T) {
	filtertest.Suite{
		New: func() filter.Filter { return filter.NewSMTP(filter.SMTPOptions{MaxLength: 5}) },
		Cases: []filtertest.Case{
			{Name: "fits", In: "12345\r\n", Want: lines("12345")},
			{Name: "too long", In: "123456\r\n", Err: filter.ErrTooLong},
		},
	}.Run(t)
}

func TestSMTPRefusesNewlines(t *testing.T) {
	f := filter.NewSMTP(filter.SMTPOptions{})
	for _, text := range []string{"a\nb", "a\rb", "a\r\n.\r\n", "\n", "a\r"} {
		got, err := f.Append([]byte("x"), filter.Record{Bytes: []byte(text)})
		if string(got) != "x" || !errors.Is(err, filter.ErrBareNewline) {
			t.Errorf("Append of %q: got %q, %v, want x, %v", text, got, err, filter.ErrBareNewline)
		}
	}
	got, err := f.Append([]byte("x"), filter.Record{Value: 1})
	if string(got) != "x" || !errors.Is(err, filter.ErrRecord) {
		t.Errorf("Append of a number: got %q, %v, want x, %v", got, err, filter.ErrRecord)
	}
}

func TestSMTPCostsNoMemory(t *testing.T) {
	f := filter.NewSMTP(filter.SMTPOptions{})
	in := append(bytes.Repeat([]byte("a line of text\r\n..with a dot\r\n"), 50), ".\r\n"...)
	out := make([]byte, 0, 2*len(in))
	noAllocs(t, func() {
		out = out[:0]
		f.Feed(in)
		for {
			r, ok, _ := f.Next()
			if !ok {
				break
			}
			out, _ = f.Append(out, r)
		}
		if !bytes.Equal(out, in) {
			t.Fatalf("got %q, want %q", out, in)
		}
	})
}
