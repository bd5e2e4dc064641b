package filter_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/test/filtertest"
)

// showHTTP returns a request or a response as the recorded case prints it.
func showHTTP(r filter.Record) string {
	switch v := r.Value.(type) {
	case *http.Request:
		return fmt.Sprintf("%s %s %s {%s} %q\n",
			v.Method, v.URL, v.Proto, showHeader(v), content(v.Body))
	case *http.Response:
		return fmt.Sprintf("response %d\n", v.StatusCode)
	case string:
		return v
	case nil:
		return string(r.Bytes)
	default:
		return fmt.Sprintf("<%v>", v)
	}
}

// showHeader returns the header of a request, with what net/http takes out of it.
func showHeader(req *http.Request) string {
	var all []string
	header := maps.Clone(req.Header)
	if req.Host != "" {
		header["Host"] = []string{req.Host}
	}
	if req.TransferEncoding != nil {
		header["Transfer-Encoding"] = req.TransferEncoding
	}
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			all = append(all, name+"="+value)
		}
	}
	return strings.Join(all, ",")
}

// content reads and puts back what a body has.
func content(body io.ReadCloser) string {
	text, err := io.ReadAll(body)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// answers returns a record for each text that showHTTP would return.
func answers(texts ...string) []filter.Record {
	list := make([]filter.Record, len(texts))
	for i, text := range texts {
		list[i].Value = text + "\n"
	}
	return list
}

func newHTTPD() filter.Filter { return filter.NewHTTPD(filter.HTTPDOptions{}) }

// chunkedHead is the head of a request whose content comes in chunks.
const chunkedHead = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"

var httpdCases = []filtertest.Case{
	{Name: "GET", In: "GET /index.html HTTP/1.1\r\nHost: example.org\r\nX-A: 1\r\nX-A: 2\r\n\r\n",
		Want: answers(`GET /index.html HTTP/1.1 {Host=example.org,X-A=1,X-A=2} ""`)},
	{Name: "in pieces", In: "GET /x HTTP/1.0\r\nHost: h\r\n\r\n",
		Want: answers(`GET /x HTTP/1.0 {Host=h} ""`)},
	{Name: "POST with body", In: "POST /f HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
		Want: answers(`POST /f HTTP/1.1 {Content-Length=5} "hello"`)},
	{Name: "bare LF", In: "GET /lf HTTP/1.0\nA: b\n\n", Want: answers(`GET /lf HTTP/1.0 {A=b} ""`)},
	{Name: "HTTP 0.9", In: "GET /old\r\n\r\n", Want: answers(`GET /old HTTP/0.9 {} ""`)},
	{Name: "folded header", In: "GET / HTTP/1.0\r\nX: a\r\n  b\r\n\r\n",
		Want: answers(`GET / HTTP/1.0 {X=a b} ""`)},
	{Name: "leading blank lines, double slash", In: "\r\n\r\nGET //a//b HTTP/1.0\r\n\r\n",
		Want: answers(`GET /a//b HTTP/1.0 {} ""`)},
	{Name: "two requests", In: "GET /1 HTTP/1.0\r\n\r\nGET /2 HTTP/1.0\r\n\r\nGET /3",
		Want:    answers(`GET /1 HTTP/1.0 {} ""`, `GET /2 HTTP/1.0 {} ""`),
		Pending: "GET /3"},
	{Name: "length zero", In: "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\nGET /2\n\n",
		Want: answers(`POST / HTTP/1.1 {Content-Length=0} ""`, `GET /2 HTTP/0.9 {} ""`)},
	{Name: "content not complete", In: "POST /f HTTP/1.1\r\nContent-Length: 5\r\n\r\nhell",
		Pending: "POST /f HTTP/1.1\r\nContent-Length: 5\r\n\r\nhell"},
	{Name: "the same length twice", In: "POST / HTTP/1.1\r\nContent-Length: 2, 2\r\n\r\nab",
		Want: answers(`POST / HTTP/1.1 {Content-Length=2, 2} "ab"`)},
	{Name: "options of all", In: "OPTIONS * HTTP/1.1\r\n\r\n",
		Want: answers(`OPTIONS * HTTP/1.1 {} ""`)},
	{Name: "connect", In: "CONNECT h:25 HTTP/1.1\r\n\r\n",
		Want: answers(`CONNECT //h:25 HTTP/1.1 {Host=h:25} ""`)},
	{Name: "absolute", In: "GET http://h/p HTTP/1.1\r\nHost: i\r\n\r\n",
		Want: answers(`GET http://h/p HTTP/1.1 {Host=h} ""`)},
	{Name: "chunks", In: chunkedHead +
		"5\r\nhello\r\n00a ;x=y\r\n, 0 worlds\r\n0\r\n\r\nGET /2\n\n",
		Want: answers(`POST / HTTP/1.1 {Transfer-Encoding=chunked} "hello, 0 worlds"`,
			`GET /2 HTTP/0.9 {} ""`)},
	{Name: "chunks not complete", In: chunkedHead + "1\r\nx\r\n0\r\n",
		Pending: chunkedHead + "1\r\nx\r\n0\r\n"},
	refused("bad request line", 400, "nonsense\r\n\r\n"),
	refused("bad length", 400, "POST / HTTP/1.1\r\nContent-Length: abc\r\n\r\n"),
	refused("no length", 400, "POST / HTTP/1.1\r\nContent-Length:\r\n\r\n"),
	refused("negative length", 400, "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"),
	refused("length with a sign", 400, "POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n"),
	refused("two lengths", 400,
		"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
	refused("length and chunks", 400,
		"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
	refused("chunks too early", 400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
	refused("unknown coding", 501, "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
	refused("encoding without length", 411, "POST / HTTP/1.1\r\nContent-Encoding: gzip\r\n\r\n"),
	refused("far too large", 413,
		"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n"),
	refused("blank before colon", 400, "GET / HTTP/1.1\r\nA : b\r\n\r\n"),
	refused("no colon", 400, "GET / HTTP/1.1\r\nA\r\n\r\n"),
	refused("no name", 400, "GET / HTTP/1.1\r\n: b\r\n\r\n"),
	refused("fold of nothing", 400, "GET / HTTP/1.1\r\n b\r\n\r\n"),
	refused("bare CR", 400, "GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n"),
	refused("CR CR LF", 400, "GET / HTTP/1.1\r\r\n\r\n"),
	refused("NUL", 400, "GET / HTTP/1.1\r\nA: \x00\r\n\r\n"),
	refused("two hosts", 400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
	refused("four words", 400, "GET / HTTP/1.1 x\r\n\r\n"),
	refused("no path", 400, "GET x HTTP/1.1\r\n\r\n"),
	refused("no version", 400, "GET / HTTP/1.x\r\n\r\n"),
	refused("next version", 505, "GET / HTTP/2.0\r\n\r\n"),
	refusedChunk("no size", "\r\n"),
	refusedChunk("no hexadecimal", "x\r\n"),
	refusedChunk("negative", "-1\r\n"),
	refusedChunk("far too large", "10000000000000000\r\n"),
	refusedChunk("LF after size", "1\nx\r\n"),
	refusedChunk("CR in extension", "1;a\rb\r\nx\r\n"),
	refusedChunk("more than its size", "1\r\nxy\r\n"),
	refusedChunk("LF after chunk", "1\r\nx\n"),
	refusedChunk("LF after trailer", "0\r\n\n"),
	refusedChunk("bad trailer", "0\r\nno colon\r\n\r\n"),
	refusedChunk("endless extension", "1;"+strings.Repeat("x", 4<<10)),
}

// refused is a case of input that is answered with an error.
func refused(name string, status int, in string) filtertest.Case {
	c := filtertest.Case{Name: name, In: in, Err: filter.ErrMalformed}
	if status == 413 || status == 431 {
		c.Err = filter.ErrTooLong
	}
	c.Want = answers(fmt.Sprintf("response %d", status))
	return c
}

// refusedChunk is a case of a chunk that is answered with an error.
func refusedChunk(name, chunk string) filtertest.Case {
	return refused("chunk: "+name, 400, chunkedHead+chunk)
}

func TestHTTPD(t *testing.T) {
	filtertest.Suite{New: newHTTPD, Show: showHTTP, OneWay: true, Cases: httpdCases}.Run(t)
}

func FuzzHTTPD(f *testing.F) {
	filtertest.Suite{New: newHTTPD, Show: showHTTP, OneWay: true, Cases: httpdCases}.Fuzz(f)
}

func TestHTTPDLimits(t *testing.T) {
	filtertest.Suite{
		New: func() filter.Filter {
			return filter.NewHTTPD(filter.HTTPDOptions{MaxHead: 60, MaxContent: 10})
		},
		Show:   showHTTP,
		OneWay: true,
		Cases: []filtertest.Case{
			refused("too large", 413, "POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n"),
			refused("too large in chunks", 413,
				chunkedHead+"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"),
			refused("endless line", 431, "GET /"+strings.Repeat("x", 61)),
			refused("too many fields", 431,
				"GET / HTTP/1.1\r\n"+strings.Repeat("A: b\r\n", 10)+"\r\n"),
			refused("too long a trailer", 400, chunkedHead+"0\r\n"+
				strings.Repeat("A: b\r\n", 11)),
			{Name: "just fits", In: "GET /23456789012345678901234567890123456789012345678901 X\n\n",
				Err: filter.ErrMalformed, Want: answers("response 400")},
		},
	}.Run(t)
}

func TestHTTPDStreaming(t *testing.T) {
	end := filter.Record{Value: filter.End}
	filtertest.Suite{
		New: func() filter.Filter {
			return filter.NewHTTPD(filter.HTTPDOptions{Streaming: true, MaxContent: 1})
		},
		Show:   showHTTP,
		OneWay: true,
		Loose:  true,
		Learns: true,
		Cases: []filtertest.Case{
			{Name: "leolo", In: "POST /1 HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloGET /2\n\n",
				Want: slices.Concat(answers(`POST /1 HTTP/1.1 {Content-Length=5} ""`), lines("hello"),
					[]filter.Record{end}, answers(`GET /2 HTTP/0.9 {} ""`), []filter.Record{end})},
			{Name: "chunks", In: chunkedHead +
				"2\r\nhe\r\n3\r\nllo\r\n0\r\nA: b\r\n\r\n",
				Want: slices.Concat(answers(`POST / HTTP/1.1 {Transfer-Encoding=chunked} ""`),
					lines("hello"), []filter.Record{end})},
			{Name: "content not complete", In: "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhell",
				Want: append(answers(`POST / HTTP/1.1 {Content-Length=5} ""`), lines("hell")...)},
			{Name: "bad chunk", In: chunkedHead + "x\r\n",
				Want: answers(`POST / HTTP/1.1 {Transfer-Encoding=chunked} ""`, "response 400"),
				Err:  filter.ErrMalformed},
		},
	}.Run(t)
}

// request returns the request that in is.
func request(t *testing.T, in string) *http.Request {
	t.Helper()
	f := newHTTPD()
	f.Feed([]byte(in))
	r, _, err := f.Next()
	req, ok := r.Value.(*http.Request)
	if !ok {
		t.Fatalf("got %v, %v, want a request", r.Value, err)
	}
	return req
}

func TestHTTPDFields(t *testing.T) {
	req := request(t, "PUT /a?b=c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"1\r\nx\r\n0\r\nSum: 7\r\n\r\n")
	if req.URL.RawQuery != "b=c" || req.RequestURI != "/a?b=c" || req.ContentLength != 1 ||
		req.Trailer.Get("Sum") != "7" || !req.ProtoAtLeast(1, 1) || req.Close {
		t.Errorf("got %+v", req)
	}
	for in, want := range map[string]bool{
		"GET / HTTP/1.1\n\n":                         false,
		"GET / HTTP/1.1\nConnection: x, Close\n\n":   true,
		"GET / HTTP/1.0\n\n":                         true,
		"GET / HTTP/1.0\nConnection: keep-alive\n\n": false,
		"GET /\n\n": true,
	} {
		if got := request(t, in).Close; got != want {
			t.Errorf("%q: got Close %v, want %v", in, got, want)
		}
	}
}

// The response to a bad request can be sent as it is, and knows the request as far as there is one.
func TestHTTPDRefusalIsAResponse(t *testing.T) {
	f := newHTTPD()
	f.Feed([]byte("POST /x HTTP/1.1\r\nContent-Encoding: gzip\r\n\r\nmore"))
	r, _, _ := f.Next()
	if p := f.Pending(); p != nil {
		t.Errorf("pending: got %q, want nil", p)
	}
	if res := r.Value.(*http.Response); res.Request == nil || res.Request.URL.Path != "/x" {
		t.Errorf("the response has the request %v", res.Request)
	}
	out, err := f.Append(nil, r)
	want := "HTTP/1.1 411 Length Required\r\nConnection: close\r\n" +
		"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 16\r\n\r\nLength Required\n"
	if string(out) != want || err != nil {
		t.Errorf("got %q, %v, want %q", out, err, want)
	}
}

func TestHTTPDPut(t *testing.T) {
	body := func(text string) io.ReadCloser { return io.NopCloser(strings.NewReader(text)) }
	for _, c := range []struct {
		name string
		res  http.Response
		want string
	}{
		{"a page", http.Response{StatusCode: 200, Status: "200 OK", Proto: "HTTP/1.1",
			Header: http.Header{"Content-Type": {"text/plain"}}, Body: body("body\n")},
			"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nbody\n"},
		{"another text", http.Response{StatusCode: 404, Status: "Gone fishing",
			Header: http.Header{"X-Multi": {"line one\nline two\n"}}},
			"HTTP/1.0 404 (Not Found) Gone fishing\r\nX-Multi: line one\r\n line two\r\n\r\n"},
		{"no text", http.Response{StatusCode: 204}, "HTTP/1.0 204 No Content\r\n\r\n"},
		{"unknown code", http.Response{StatusCode: 599, Status: "599 Odd"}, "HTTP/1.0 599 Odd\r\n\r\n"},
		{"sorted, with length", http.Response{StatusCode: 200, ContentLength: 2, Body: body("ab"),
			Header: http.Header{"B": {"1", "2"}, "A": {"0"}}},
			"HTTP/1.0 200 OK\r\nA: 0\r\nB: 1\r\nB: 2\r\nContent-Length: 2\r\n\r\nab"},
		{"length is there", http.Response{StatusCode: 200, ContentLength: 2, Body: body("ab"),
			Header: http.Header{"Content-Length": {"2"}}},
			"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab"},
		{"no header of another", http.Response{StatusCode: 200,
			Header: http.Header{"A": {"b\r\n\r\nC: d"}}}, "HTTP/1.0 200 OK\r\nA: b\r\n C: d\r\n\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := newHTTPD().Append(nil, filter.Record{Value: &c.res})
			if string(got) != c.want || err != nil {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
	wants(t, "put of a piece", put(t, newHTTPD(), records("piece")...), "piece")
}

// failing is a body that cannot be read.
type failing struct{ io.Reader }

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestHTTPDRefusesResponses(t *testing.T) {
	for name, c := range map[string]struct {
		r    filter.Record
		want error
	}{
		"a request":  {filter.Record{Value: &http.Request{}}, filter.ErrRecord},
		"status":     {response(http.Response{Status: "a\r\nB: c"}), filter.ErrRecord},
		"protocol":   {response(http.Response{Proto: "a\r\nB: c"}), filter.ErrRecord},
		"name":       {response(http.Response{Header: http.Header{"A\r\nB": {"c"}}}), filter.ErrRecord},
		"empty name": {response(http.Response{Header: http.Header{"": {"c"}}}), filter.ErrRecord},
		"value":      {response(http.Response{Header: http.Header{"A": {"b\x00"}}}), filter.ErrRecord},
		"codings":    {response(http.Response{TransferEncoding: []string{"x"}}), filter.ErrRecord},
		"body":       {response(http.Response{Body: io.NopCloser(failing{})}), io.ErrUnexpectedEOF},
	} {
		out, err := newHTTPD().Append([]byte("x"), c.r)
		wantError(t, name, err, c.want)
		wants(t, name, []string{string(out)}, "x")
	}
}

// response returns a record of a response.
func response(res http.Response) filter.Record {
	return filter.Record{Value: &res}
}

func TestHTTPDRefusesOptions(t *testing.T) {
	for name, opts := range map[string]filter.HTTPDOptions{
		"negative MaxHead":    {MaxHead: -1},
		"negative MaxContent": {MaxContent: -1},
		"negative MaxBuffer":  {MaxBuffer: -1},
		"MaxBuffer too small": {MaxHead: 10, MaxContent: 10, MaxBuffer: 19},
	} {
		t.Run(name, func(t *testing.T) {
			mustPanic(t, func() { filter.NewHTTPD(opts) })
		})
	}
}

// Content may come with more around it than there is room for.
func TestHTTPDChunksAreBounded(t *testing.T) {
	f := filter.NewHTTPD(filter.HTTPDOptions{MaxHead: 100, MaxContent: 1000, MaxBuffer: 2000})
	f.Feed([]byte(chunkedHead))
	for range 100 {
		f.Feed([]byte("1;xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\ny\r\n"))
		if _, ok, err := f.Next(); ok {
			t.Fatal("got a record")
		} else if err != nil {
			wantError(t, "Next", err, filter.ErrBufferFull)
			return
		}
	}
	t.Error("no error")
}
