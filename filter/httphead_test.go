package filter_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/test/filtertest"
)

// What a request may look like, and what may be around it.
func TestHTTPDHead(t *testing.T) {
	const looksLikeOne = "POST / HTTP/1.0\r\n\r\n"
	filtertest.Suite{New: newHTTPD, Show: showHTTP, OneWay: true, Cases: []filtertest.Case{
		{Name: "any method", In: "GeT / HTTP/1.1\r\n\r\n", Want: answers(`GeT / HTTP/1.1 {} ""`)},
		{Name: "tabs", In: "GET\t/ \tHTTP/1.0\r\n\r\n", Want: answers(`GET / HTTP/1.0 {} ""`)},
		{Name: "many slashes", In: "GET ///a//b HTTP/1.0\r\n\r\n",
			Want: answers(`GET /a//b HTTP/1.0 {} ""`)},
		{Name: "GET with content", In: "GET / HTTP/1.1\r\nContent-Length: 19\r\n\r\n" + looksLikeOne,
			Want: answers(`GET / HTTP/1.1 {Content-Length=19} "POST / HTTP/1.0\r\n\r\n"`)},
		{Name: "HEAD with content", In: "HEAD / HTTP/1.1\r\nContent-Length: 19\r\n\r\n" + looksLikeOne,
			Want: answers(`HEAD / HTTP/1.1 {Content-Length=19} "POST / HTTP/1.0\r\n\r\n"`)},
		{Name: "blanks", In: " \r\n\t\r\n"},
		{Name: "blanks after", In: "GET / HTTP/1.0\r\n\r\n \r\n\t",
			Want: answers(`GET / HTTP/1.0 {} ""`)},
		{Name: "nonsense after", In: "GET / HTTP/1.0\r\n\r\nELEPHANT\r\n\r\n",
			Want: answers(`GET / HTTP/1.0 {} ""`, "response 400"), Err: filter.ErrMalformed},
		refused("one word", 400, "ELEPHANT\r\n\r\n"),
		refused("encoding without length, HTTP/1.0", 411,
			"POST / HTTP/1.0\r\nContent-Encoding: gzip\r\n\r\n"),
		refused("encoding without length, HTTP/0.9", 411,
			"POST /\r\nContent-Encoding: gzip\r\n\r\n"),
	}}.Run(t)
}

// A field of many lines costs what they are long, and not the square of that.
func TestHTTPDFoldedLinesCostLittle(t *testing.T) {
	const count = 20_000
	f := newHTTPD()
	f.Feed([]byte("GET / HTTP/1.1\nX: a\n" + strings.Repeat(" b\n", count) + "\n"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, ok, err := f.Next()
	runtime.ReadMemStats(&after)
	if want := "GET / HTTP/1.1 {X=a" + strings.Repeat(" b", count) + "} \"\"\n"; !ok || err != nil {
		t.Fatalf("Next: got %v, %v", ok, err)
	} else if got := showHTTP(r); got != want {
		t.Errorf("got %.40q and so on, %d bytes, want %d", got, len(got), len(want))
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 8<<20 {
		t.Errorf("a head of %d bytes took %d", 3*count, got)
	}
}
