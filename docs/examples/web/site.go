package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/go-poe/poe/component/tcp"
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// The limits of the answers that wait for a client to read them. A request is small and its answer
// may be large, so a client that sends many and reads nothing must be made to wait.
const (
	highMark  = 256 << 10 // bytes, from which on no more requests are read
	lowMark   = 64 << 10  // bytes, from which on they are again
	maxUnread = 64 << 20  // bytes, for which a client is shown out
)

// A site is the server, and what it tells of itself.
type site struct {
	options
	log      io.Writer
	kernel   *kernel.Kernel
	server   *tcp.Server
	began    time.Time
	requests int
	err      error // why it cannot listen
}

// A page answers a request.
type page func(s *site, req *http.Request) *http.Response

// pages are what there is, by method and path. What can be had by GET can be had by HEAD.
var pages = map[string]map[string]page{
	"/":       {"GET": (*site).home},
	"/status": {"GET": (*site).status},
	"/echo":   {"POST": (*site).echo},
}

// serve spawns the server. Each client is a session, which has an alarm for when it is too slow.
func serve(k *kernel.Kernel, o options, log io.Writer) (*site, error) {
	s := &site{options: o, log: log, kernel: k, began: k.Now()}
	var err error
	s.server, err = tcp.SpawnServer(k.Root(), tcp.ServerOptions{
		Address:     o.host,
		Port:        o.port,
		Concurrency: o.clients,
		ClientFilter: filter.NewHTTPD(filter.HTTPDOptions{
			MaxHead:    o.head,
			MaxContent: o.content,
		}),
		HighMark:        highMark,
		LowMark:         lowMark,
		MaxOutput:       maxUnread,
		Started:         s.started,
		Error:           s.failed,
		ClientConnected: s.wait,
		ClientInput:     s.got,
		ClientHigh:      (*tcp.Conn).PauseInput,
		ClientLow:       (*tcp.Conn).ResumeInput,
		ClientError:     func(*tcp.Conn, *wheel.Error) {}, // how clients end fills no log
		ClientEvents: session.Events{
			"too_slow": func(e *kernel.Event) { s.tooSlow(tcp.ConnOf(e)) },
		},
	})
	return s, err
}

func (s *site) started(server *tcp.Server) {
	if addr, err := server.Addr(); err == nil {
		fmt.Fprintln(s.log, "listening at", addr)
	}
}

// failed is when the server cannot listen, which is its end, or cannot accept for a while.
func (s *site) failed(_ *tcp.Server, err *wheel.Error) {
	if err.Op != "accept" {
		s.err = err
		return
	}
	fmt.Fprintln(s.log, "web:", err)
}

// wait gives a client so much time for the whole of the next request. To set an alarm is also to
// take back the one of that name. Bytes that come one by one win no time.
func (s *site) wait(c *tcp.Conn) { c.Session.Delay("too_slow", s.patience) }

// tooSlow is when the time is over. Whoever has begun a request is told so; whoever was just idle,
// or does not read what was sent, needs no words.
func (s *site) tooSlow(c *tcp.Conn) {
	begun := c.Wheel().InputFilter().Pending() != nil
	if begun && c.Wheel().OutOctets() == 0 {
		s.answer(c, nil, text(http.StatusRequestTimeout))
		return
	}
	c.Close()
}

// got is when a request is there with all its content, or an answer to what is none. From a client
// that has had its last answer, only bytes come, which are dropped.
func (s *site) got(c *tcp.Conn, in *wheel.Input) {
	switch v := in.Value.(type) {
	case *http.Request:
		s.requests++
		s.answer(c, v, s.respond(v))
	case *http.Response: // the filter understands nothing that comes after it
		s.answer(c, nil, v)
	}
}

// respond finds out who answers a request.
func (s *site) respond(req *http.Request) *http.Response {
	method := req.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	methods, found := pages[req.URL.Path]
	switch {
	case req.ProtoAtLeast(1, 1) && req.Host == "": // RFC 9112, section 3.2
		return text(http.StatusBadRequest)
	case !found:
		return text(http.StatusNotFound)
	case methods[method] == nil:
		res := text(http.StatusMethodNotAllowed)
		res.Header.Set("Allow", allowed(methods))
		return res
	}
	return methods[method](s, req)
}

// answer sends a response. Without a request, or if that was the last on its connection, the
// connection ends when it is written.
func (s *site) answer(c *tcp.Conn, req *http.Request, res *http.Response) {
	last := req == nil || req.Close
	res.Proto = "HTTP/1.1"
	res.Header.Set("Date", s.kernel.Now().UTC().Format(http.TimeFormat))
	res.Header.Set("Content-Length", fmt.Sprint(res.ContentLength))
	res.Header.Set("Connection", map[bool]string{true: "close", false: "keep-alive"}[last])
	if req != nil && req.Method == http.MethodHead {
		res.Body = nil // its length is told all the same
	}
	if err := c.PutRecord(filter.Record{Value: res}); err != nil {
		c.Close() // it sends, and does not read
		return
	}
	if last {
		leave(c)
	}
	s.wait(c)
}

// leave ends a connection whose last answer is on its way: nothing more is sent, but what comes is
// read and dropped until the client hangs up too. To close at once, with input that nobody has
// read, would be a reset, which takes the answer away from the client (RFC 9112, section 9.6).
func leave(c *tcp.Conn) {
	c.Wheel().SetInputFilter(filter.NewStream(filter.StreamOptions{}))
	c.Wheel().ShutdownOutput()
}

// home is a small page.
func (s *site) home(*http.Request) *http.Response {
	return body(http.StatusOK, "text/html; charset=utf-8",
		"<!doctype html>\n<title>web</title>\n<p>This page was served by an event loop.\n")
}

// status is what the server knows of itself.
func (s *site) status(*http.Request) *http.Response {
	state, err := json.Marshal(struct {
		Seconds  int `json:"seconds"`
		Clients  int `json:"clients"`
		Requests int `json:"requests"`
	}{int(s.kernel.Now().Sub(s.began).Seconds()), s.server.Connections(), s.requests})
	if err != nil {
		return text(http.StatusInternalServerError)
	}
	return body(http.StatusOK, "application/json", string(state)+"\n")
}

// echo sends the content of the request back. All of that is there.
func (s *site) echo(req *http.Request) *http.Response {
	res := body(http.StatusOK, "application/octet-stream", "")
	res.Body, res.ContentLength = req.Body, req.ContentLength
	return res
}
