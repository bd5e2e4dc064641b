package filter_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-poe/poe/filter"
)

// Where there are no dots, a Transparent does what a Line does: the original's test
// 020-filter_line_compat.
func TestTransparentIsALineFilter(t *testing.T) {
	const text = "line one\nline two\nline tree\nline four\n"
	for _, newline := range []string{"\r\n", "\r", "\n"} {
		f := filter.NewTransparent(filter.TransparentOptions{
			InputLiteral: newline, OutputLiteral: newline,
		})
		l := filter.NewLine(filter.LineOptions{Literal: newline})
		for _, g := range []filter.Filter{f, l} {
			g.Feed([]byte(text))
		}
		wants(t, "the first", next(t, f), next(t, l)...)
		wants(t, "the rest", get(t, f, text), get(t, l, text)...)
		wants(t, "pending", []string{string(f.Pending())}, string(l.Pending()))
		lines := records("first thing(no new line)", "second thing (with new line)\n",
			"third thing (no new line")
		wants(t, "put", put(t, f, lines...), put(t, l, lines...)...)
	}
}

// next returns the next record, if there is one.
func next(t *testing.T, f filter.Filter) []string {
	t.Helper()
	r, ok, err := f.Next()
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		return nil
	}
	return showAll([]filter.Record{r})
}

// What was read off the original beside its own tests.
func TestTransparentGet(t *testing.T) {
	for _, test := range []struct {
		in   string
		want []string
	}{
		{"x\r\ny\r\n", []string{"x", "y"}},
		{"a\nb\rc\r\n", []string{"a\nb\rc"}},
		{"..\r\n.\r\n...\r\n..a\r\n.a\r\n....\r\n", []string{".", ".", "..", ".a", ".a", "..."}},
	} {
		for n := 1; n <= len(test.in); n++ {
			f := filter.NewTransparent(filter.TransparentOptions{InputLiteral: "\r\n"})
			got := append(get(t, f, test.in[:n]), get(t, f, test.in[n:])...)
			wants(t, fmt.Sprintf("%q, cut at %d", test.in, n), got, test.want...)
		}
	}
}

// What waits is shown as it came, and stays.
func TestTransparentPending(t *testing.T) {
	f := filter.NewTransparent(filter.TransparentOptions{})
	if p := f.Pending(); p != nil {
		t.Errorf("got %q of nothing, want nil", p)
	}
	f.Feed([]byte("..half"))
	for range 2 {
		wants(t, "pending", []string{string(f.Pending())}, "..half")
	}
	wants(t, "get", get(t, f, " a line\r\n"), ".half a line")
}

// A line that is too long is an error, and so is too much that waits, for a Transparent too.
func TestTransparentLimits(t *testing.T) {
	f := filter.NewTransparent(filter.TransparentOptions{MaxLength: 5})
	f.Feed([]byte("..345\r\n..3456\r\n"))
	wants(t, "a line of 5 bytes", next(t, f), ".345")
	_, _, err := f.Next()
	wantError(t, "a line of 6 bytes", err, filter.ErrTooLong)

	f = filter.NewTransparent(filter.TransparentOptions{MaxLength: 5, MaxBuffer: 10})
	f.Feed([]byte(strings.Repeat("x", 11)))
	_, _, err = f.Next()
	wantError(t, "11 bytes that wait", err, filter.ErrBufferFull)
}

// A message that goes through a reader and a writer loses no dots in the filters that others take:
// what MessageEncoder doubles, MessageDecoder takes away, and the end is no line (TF-B1, TF-B6,
// TF-B7).
func TestMessagesSurviveWhatTransparentDoesNot(t *testing.T) {
	const text = "..two dots\r\n.\r\n..\r\nx\r\n.\r\ny\r\n"
	encoder := new(filter.MessageEncoder)
	wire := encoder.Finish(encoder.Append(nil, []byte(text)))
	got, used, done, err := new(filter.MessageDecoder).Append(nil, wire)
	if string(got) != text || used != len(wire) || !done || err != nil {
		t.Errorf("got %q, %d of %d, done %v, %v, want %q", got, used, len(wire), done, err, text)
	}
}
