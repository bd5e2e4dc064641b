package filter

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
)

// HTTPDOptions are the options of an HTTPD.
type HTTPDOptions struct {
	MaxHead    int // bytes of a request's lines and headers, and of its trailer; 0 means 64 KiB
	MaxContent int // bytes of a request's content, unless Streaming; 0 means 1 MiB
	MaxBuffer  int // bytes that may wait; 0 means DefaultMaxBuffer, or twice MaxHead and MaxContent

	// Streaming returns a request as soon as its head has come, then its content in pieces, as they
	// come, in Bytes, and then End. Such a request has no Body.
	Streaming bool
}

// An HTTPD is the filter for a server of HTTP: requests come in, responses go out (RFC 9112). A
// client may send requests before the answers to others have come.
//
// The Value of a record is an *http.Request with all its content, or, if the input is no acceptable
// request, an *http.Response that says so and is to be sent. After that one the stream is lost: the
// next call of Next returns ErrMalformed or ErrTooLong.
//
// The fields of a request are as in a server of net/http, but for ContentLength, which is the
// length of the content also where that came in chunks, and for slashes: of several that begin a
// path only one is left in its URL. A request without a protocol is one of HTTP/0.9. A line of the
// head may end in LF alone.
//
// What two servers could understand in two ways is refused: two lengths, a length together with
// chunks, a blank before a colon, a bare CR.
//
// It does not answer Expect: 100-continue, and does not close the connection when Request.Close or
// Response.Close says so. Both are for the program.
//
// POE: POE::Filter::HTTPD, which knows no chunks, and loses the requests after one whose
// Content-Length is 0.
type HTTPD struct {
	opts HTTPDOptions // with the limits filled in
	in   input

	scanned int // the head does not end in rest[:scanned]
	line    int // where its last line begins

	content content // of the request whose head has come
}

// A content is the content of one request, on its way.
type content struct {
	of      *http.Request // nil means that none is on its way
	at      int           // where in the rest of the input it goes on
	left    int           // how much is to come, unless it is chunked
	chunked *chunked
	all     []byte // what came, unless streaming
}

// NewHTTPD returns a filter for a server of HTTP.
func NewHTTPD(opts HTTPDOptions) *HTTPD {
	if opts.MaxHead < 0 || opts.MaxContent < 0 || opts.MaxHead > math.MaxInt-opts.MaxContent {
		panic("filter: HTTPDOptions has a limit that makes no sense")
	}
	if opts.MaxHead == 0 {
		opts.MaxHead = 64 << 10
	}
	if opts.MaxContent == 0 {
		opts.MaxContent = 1 << 20
	}
	one := opts.MaxHead + opts.MaxContent
	limits("HTTPDOptions", &one, &opts.MaxBuffer, one)
	return &HTTPD{opts: opts, in: input{max: opts.MaxBuffer}}
}

// Feed takes a piece of input.
func (h *HTTPD) Feed(p []byte) {
	h.in.add(p)
}

// Next returns the next request, or what there is instead.
func (h *HTTPD) Next() (r Record, ok bool, err error) {
	if h.in.err != nil {
		return Record{}, false, h.in.err
	}
	if h.content.of == nil {
		head, whole, refused := h.head()
		if refused == nil && whole == 0 {
			h.in.settle()
			return Record{}, false, nil
		}
		if refused == nil {
			refused = h.begin(string(head), whole)
		}
		if refused != nil {
			return h.refuse(refused), true, nil
		}
		if h.opts.Streaming {
			return Record{Value: h.content.of}, true, nil
		}
	}
	return h.more()
}

// head returns the head of the next request, and how long it is with the line that ends it. If that
// has not come, whole is 0.
func (h *HTTPD) head() (head []byte, whole int, refused *refusal) {
	if h.scanned == 0 {
		rest := h.in.rest()
		h.in.take(len(rest) - len(bytes.TrimLeft(rest, " \t\r\n")))
	}
	rest := h.in.rest()
	for {
		i := bytes.IndexByte(rest[h.scanned:], '\n')
		if i < 0 {
			h.scanned = len(rest)
		} else {
			h.scanned += i + 1
		}
		if h.scanned > h.opts.MaxHead {
			return nil, 0, &refusal{status: http.StatusRequestHeaderFieldsTooLarge}
		}
		if i < 0 {
			return nil, 0, nil
		}
		line := rest[h.line:h.scanned]
		if len(line) == 1 || len(line) == 2 && line[0] == '\r' {
			return rest[:h.line], h.scanned, nil
		}
		h.line = h.scanned
	}
}

// begin begins the request of a head of so many bytes.
func (h *HTTPD) begin(head string, whole int) *refusal {
	h.scanned, h.line = 0, 0
	req, refused := parseHead(head)
	if refused != nil {
		return refused
	}
	length, refused := contentLength(req)
	if refused == nil && length > int64(h.opts.MaxContent) && !h.opts.Streaming {
		refused = &refusal{status: http.StatusRequestEntityTooLarge}
	}
	if refused != nil {
		refused.of = req
		return refused
	}
	req.ContentLength = length
	h.content = content{of: req, at: whole, left: int(length)}
	if length < 0 {
		h.content.chunked = &chunked{max: h.opts.MaxHead}
	}
	if h.opts.Streaming {
		h.in.take(whole)
		h.content.at = 0
	}
	return nil
}

// more returns what can be returned now that the head of a request has come: the whole of it, or,
// streaming, a piece of its content or End.
func (h *HTTPD) more() (r Record, ok bool, err error) {
	c := &h.content
	for {
		p, used, done, err := c.next(h.in.rest()[c.at:])
		if err != nil {
			return h.refuse(&refusal{status: http.StatusBadRequest, of: c.of}), true, nil
		}
		if h.opts.Streaming {
			h.in.take(used)
		} else {
			c.at += used
			c.all = append(c.all, p...)
		}
		switch {
		case !h.opts.Streaming && len(c.all) > h.opts.MaxContent:
			return h.refuse(&refusal{status: http.StatusRequestEntityTooLarge, of: c.of}), true, nil
		case h.opts.Streaming && len(p) > 0:
			return Record{Bytes: p}, true, nil
		case done && h.opts.Streaming:
			h.content = content{}
			return Record{Value: End}, true, nil
		case done:
			h.in.take(c.at)
			return Record{Value: h.complete()}, true, nil
		case used == 0:
			h.in.settle()
			return Record{}, false, nil
		}
	}
}

// next returns the content that p begins with, how much of p that is with what is around it, and
// whether the content is complete.
func (c *content) next(p []byte) (piece []byte, used int, done bool, err error) {
	if c.chunked != nil {
		piece, used, done, err = c.chunked.next(p)
		if done {
			c.of.Trailer = c.chunked.trailer
		}
		return piece, used, done, err
	}
	used = min(c.left, len(p))
	c.left -= used
	return p[:used:used], used, c.left == 0, nil
}

// complete returns the request with its content.
func (h *HTTPD) complete() *http.Request {
	req := h.content.of
	req.ContentLength = int64(len(h.content.all))
	if len(h.content.all) > 0 {
		req.Body = io.NopCloser(bytes.NewReader(h.content.all))
	}
	h.content = content{}
	return req
}

// A refusal is the reason why input is not accepted.
type refusal struct {
	status int
	of     *http.Request // nil if there is not even that
}

// refuse ends the stream, and returns the response that says why.
func (h *HTTPD) refuse(why *refusal) Record {
	reason := ErrMalformed
	switch why.status {
	case http.StatusRequestEntityTooLarge, http.StatusRequestHeaderFieldsTooLarge:
		reason = ErrTooLong
	}
	text := http.StatusText(why.status)
	h.in.err = fmt.Errorf("%w: refused an HTTP request: %s", reason, text)
	h.in.drop(len(h.in.rest()))
	h.content = content{}
	text += "\n"
	return Record{Value: &http.Response{
		Status:     fmt.Sprintf("%d %s", why.status, http.StatusText(why.status)),
		StatusCode: why.status,
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
		Header: http.Header{
			"Connection":   {"close"},
			"Content-Type": {"text/plain; charset=utf-8"},
		},
		Body:          io.NopCloser(strings.NewReader(text)),
		ContentLength: int64(len(text)),
		Close:         true,
		Request:       why.of,
	}}
}

// Append appends a response, or bytes as they are, for content that is sent in pieces.
func (h *HTTPD) Append(dst []byte, r Record) ([]byte, error) {
	res, ok := r.Value.(*http.Response)
	if !ok {
		return appendText(dst, r, "HTTPD")
	}
	return appendResponse(dst, res)
}

// Pending returns the input that Next has not returned. That of a request that is not complete is
// there from its beginning, unless Streaming.
func (h *HTTPD) Pending() []byte {
	return h.in.pending()
}

// Clone returns an HTTPD with the same options and no input.
func (h *HTTPD) Clone() Filter {
	return NewHTTPD(h.opts)
}
