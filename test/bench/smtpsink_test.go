package main

import (
	"bytes"
	"fmt"
	"testing"
)

// A text ends at the same place, however it comes in two pieces.
func TestDotFound(t *testing.T) {
	for _, test := range []struct {
		in   string
		want int // where the text ends; 0 means that it does not
	}{
		{".\r\n", 3},
		{".\r\nMAIL", 3},
		{"a\r\n.\r\n", 6},
		{"a\r\n\r\n.\r\nQUIT\r\n", 8},
		{"a\r\n.\r\r\n.\r\n", 10},
		{"\r\n\r\n..\r\n.a\r\n.\r\n", 15},
		{"a.\r\n", 0},
		{"a\n.\n", 0},
		{"a\r\n.\n\r\n.", 0},
		{"a\r\n..\r\n", 0},
	} {
		for cut := range test.in {
			d := atLine
			got, found := d.find([]byte(test.in[:cut]))
			if !found {
				var n int
				n, found = d.find([]byte(test.in[cut:]))
				got += n
			}
			want := test.want
			if want == 0 {
				want = len(test.in)
			}
			if got != want || found != (test.want > 0) {
				t.Errorf("%q, cut at %d: %d, %v, want %d, %v",
					test.in, cut, got, found, want, test.want > 0)
			}
		}
	}
}

// A sink answers what came, however it comes, and counts it.
func TestSink(t *testing.T) {
	const in = "EHLO me\r\nDATA\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\nab\r\n..\r\n.\r\n" +
		"MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nBDAT 3\r\n\r\n.BDAT 2 LAST\r\n\r\nWHAT\r\nBDAT\r\n"
	const want = "250 sink\r\n503 5.5.1 No recipients\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n" +
		"354 End data with <CR><LF>.<CR><LF>\r\n250 2.0.0 Ok: queued\r\n250 2.1.0 Ok\r\n" +
		"250 2.1.5 Ok\r\n250 2.0.0 Ok\r\n250 2.0.0 Ok: queued\r\n500 5.5.2 What?\r\n" +
		"501 5.5.4 Not a size\r\n"
	for size := 1; size <= len(in); size++ {
		c := &sinkConn{sink: &sink{offers: "250 sink\r\n"}}
		var wait []byte
		for at := 0; at < len(in); at += size {
			wait = append(wait, in[at:min(at+size, len(in))]...)
			wait = wait[c.take(wait):]
		}
		if string(c.out) != want || !c.ended {
			t.Errorf("in pieces of %d: %q, ended %v, want %q", size, c.out, c.ended, want)
		}
		if got, want := c.sink.counts, (sinkCounts{messages: 2, octets: 8 + 5}); got != want {
			t.Errorf("in pieces of %d: %+v, want %+v", size, got, want)
		}
	}
}

// A text has the octets that it should have, and lines.
func TestText(t *testing.T) {
	for _, size := range []int{64, 4096, 100_032} {
		var b bytes.Buffer
		if _, err := (&text{size: size}).WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(b.Len(), bytes.Count(b.Bytes(), []byte("\n")),
			bytes.Count(b.Bytes(), []byte("\r\n")), bytes.HasSuffix(b.Bytes(), []byte("\r\n")),
			bytes.Contains(b.Bytes(), []byte("\n.")))
		lines := size/lineSize + 1 // the header has two
		if want := fmt.Sprint(size, lines, lines, true, false); got != want {
			t.Errorf("%d octets: %s, want %s", size, got, want)
		}
		if !bytes.Equal(b.Bytes(), text{size: size}.bytes()) {
			t.Errorf("%d octets: not the same in memory", size)
		}
	}
}
