package filter_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-poe/poe/filter"
)

// lend decodes input in pieces of a size, each in the same buffer, and returns the records, what is
// pending and the error. What is in the buffer is spoilt as soon as it may be.
func lend(f filter.Filter, in string, size int) (records []string, pending string, err error) {
	buf := make([]byte, 64<<10)
	for len(in) > 0 && err == nil {
		l := filter.LenderOf(f)
		n := l.Carry(buf)
		piece := in[:min(size, len(in), len(buf)-n)]
		in = in[copy(buf[n:], piece):]
		lent := buf[:n+len(piece)]
		l.Lend(lent)
		for ok := true; ok && err == nil; {
			var r filter.Record
			if r, ok, err = f.Next(); ok {
				records = append(records, show(r))
			}
		}
		l.Reclaim()
		for i := range lent {
			lent[i] = '#'
		}
	}
	return records, string(f.Pending()), err
}

// What is lent is decoded as what is fed.
func TestLender(t *testing.T) {
	lines := strings.Repeat("a line\r\n\r\nanother\n\rthe last one\r\nand", 3)
	for name, c := range map[string]struct {
		f  filter.Filter
		in string
	}{
		"any newline": {filter.NewLine(filter.LineOptions{}), lines},
		"net newline": {filter.NewLine(filter.LineOptions{Newline: filter.NetNewline}), lines},
		"detected":    {filter.NewLine(filter.LineOptions{Newline: filter.DetectNewline}), lines},
		"literal":     {filter.NewLine(filter.LineOptions{Literal: "\r\n"}), lines},
		"too long":    {filter.NewLine(filter.LineOptions{MaxLength: 8}), lines},
		"a long line": {filter.NewLine(filter.LineOptions{}), strings.Repeat("x", 150<<10) + "\nrest"},
		"SMTP":        {filter.NewSMTP(filter.SMTPOptions{}), "text\r\n..\r\n.\r\nQUIT\r\n.\r"},
		"Block":       {filter.NewBlock(filter.BlockOptions{}), "2\x00ab0\x003\x00abc4\x00de"},
		"HTTPD":       {newHTTPD(), "GET / HTTP/1.0\r\n\r\nGET /2 HTTP/1.0\r\nHost: a\r\n"},
		"Stackable":   {filter.NewStackable(newline(), pairs()), "a line\nanother\nhalf"},
	} {
		t.Run(name, func(t *testing.T) {
			fed := c.f.Clone()
			fed.Feed([]byte(c.in))
			var want []string
			var wantErr error
			for ok := true; ok; {
				var r filter.Record
				if r, ok, wantErr = fed.Next(); ok {
					want = append(want, show(r))
				}
			}
			for _, size := range []int{1, 2, 3, 7, 4096, 64 << 10} {
				got, pending, err := lend(c.f.Clone(), c.in, size)
				if !slices.Equal(got, want) {
					t.Errorf("pieces of %d: got %.200q, want %.200q", size, got, want)
				}
				if fmt.Sprint(err) != fmt.Sprint(wantErr) {
					t.Errorf("pieces of %d: got error %v, want %v", size, err, wantErr)
				}
				if err == nil && pending != string(fed.Pending()) {
					t.Errorf("pieces of %d: pending %q, want %q", size, pending, fed.Pending())
				}
			}
		})
	}
}

// A Stream returns what is lent at its place, and keeps none of it.
func TestLenderCopiesNothing(t *testing.T) {
	for name, f := range map[string]filter.Filter{
		"Stream": filter.NewStream(filter.StreamOptions{}),
		"Line":   filter.NewLine(filter.LineOptions{Literal: "\n"}),
	} {
		buf := []byte("a line of text\n")
		n := testing.AllocsPerRun(100, func() {
			l := filter.LenderOf(f)
			n := l.Carry(buf)
			l.Lend(buf[:len(buf)-n])
			r, ok, err := f.Next()
			if !ok || err != nil || &r.Bytes[0] != &buf[0] {
				t.Fatalf("%s: Next: %q, %v, %v, want what is in the buffer", name, r.Bytes, ok, err)
			}
			if _, ok, _ = f.Next(); ok {
				t.Fatalf("%s: there is another record", name)
			}
			l.Reclaim()
		})
		if n != 0 || f.Pending() != nil {
			t.Errorf("%s: %v allocations, and %q is pending, want none", name, n, f.Pending())
		}
	}
}

// counting is a filter that counts what it is fed, and has its other methods of a Stream.
type counting struct {
	*filter.Stream
	fed int
}

func (c *counting) Feed(p []byte) {
	c.fed += len(p)
	c.Stream.Feed(p)
}

// A filter that is built around another one is fed: it may want to know.
func TestLenderFeedsOthers(t *testing.T) {
	c := &counting{Stream: filter.NewStream(filter.StreamOptions{})}
	got, pending, err := lend(c, "text", 3)
	if c.fed != 4 || !slices.Equal(got, []string{"tex", "t"}) || pending != "" || err != nil {
		t.Errorf("%d bytes were fed, and came as %q with %q pending, %v", c.fed, got, pending, err)
	}
}

// More than MaxBuffer is an error, lent or fed.
func TestLenderLimit(t *testing.T) {
	f := filter.NewStream(filter.StreamOptions{MaxBuffer: 10})
	_, _, err := lend(f, "eleven byte", 64)
	wantError(t, "Next of too much", err, filter.ErrBufferFull)
	if got, _, again := lend(f, "more", 64); got != nil || again != err {
		t.Errorf("after an error: got %q, %v, want %v again", got, again, err)
	}
}

// What is fed while the buffer is lent comes behind it.
func TestLenderFeedMeanwhile(t *testing.T) {
	f := filter.NewLine(filter.LineOptions{Literal: "\n"})
	buf := bytes.Repeat([]byte("one\ntw"), 1)
	l := filter.LenderOf(f)
	l.Lend(buf[l.Carry(buf):])
	wants(t, "records", one(t, f), "one")
	f.Feed([]byte("o\nthree"))
	copy(buf, "######")
	wants(t, "records", rest(t, f), "two")
	l.Reclaim()
	if p := string(f.Pending()); p != "three" {
		t.Errorf("pending: %q, want three", p)
	}
}
