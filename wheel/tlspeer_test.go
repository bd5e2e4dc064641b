package wheel_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// connected returns the two ends of a TCP connection, one of them as a handle.
func connected(t testing.TB) (kernel.Handle, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	far, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	near, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	h, err := kernel.FromConn(near)
	if err != nil {
		t.Fatal(err)
	}
	if err := far.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return h, far
}

// aConn is a net.Conn that is read and written in pieces.
type aConn struct {
	net.Conn
	size int
}

func (c *aConn) Read(p []byte) (int, error) { return c.Conn.Read(p[:min(len(p), c.size)]) }

func (c *aConn) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = c.Conn.Write(p[n:min(len(p), n+c.size)])
		n += m
	}
	return n, err
}

// A ReadWrite on a TLS and crypto/tls on a net.Conn understand each other, whoever is the server.
func TestTLSWithNetConn(t *testing.T) {
	text := bytes.Repeat([]byte("This is the text that goes to and fro. "), 20_000)
	versions(t, func(t *testing.T, version uint16) {
		for _, server := range []bool{true, false} {
			for _, size := range []int{1, 100, 1 << 20} {
				t.Run(fmt.Sprintf("server %v, pieces of %d", server, size), func(t *testing.T) {
					text := text[:min(len(text), 10_000*size)]
					p := newPlace(t, kernel.NewLoop())
					mine, peers := configs(t, version)
					open := tls.Client
					if !server {
						mine, peers = peers, mine
						open = tls.Server
					}
					near, far := connected(t)
					done := make(chan error)
					go func() {
						done <- exchange(open(&aConn{far, size}, peers), text)
					}()
					echo(p, near, mine, server)
					if err := <-done; err != nil {
						t.Error(err)
					}
					p.want("secured", "error read: EOF")
				})
			}
		}
	})
}

// exchange sends text and reads it back, and shuts down one direction after the other.
func exchange(c *tls.Conn, text []byte) error {
	defer c.Close()
	sent := make(chan error)
	go func() {
		_, err := c.Write(text)
		if err == nil {
			err = c.CloseWrite()
		}
		sent <- err
	}()
	got, err := io.ReadAll(c)
	if err == nil {
		err = <-sent
	}
	if err == nil && !bytes.Equal(got, text) {
		err = fmt.Errorf("got back %d bytes, want %d, or they are others", len(got), len(text))
	}
	return err
}

// echo returns what comes in on a handle, by TLS, until the peer says that it ends.
func echo(p *place, h kernel.Handle, config *tls.Config, server bool) {
	p.Helper()
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			opts := p.secure(h, config, server)
			opts.Filter = filter.NewStream(filter.StreamOptions{})
			w := p.readWrite(e.Session, opts)
			e.Session.State("line", session.On(func(e *kernel.Event, in *wheel.Input) {
				if err := w.Put(in.Bytes); err != nil {
					p.Error(err)
				}
			}))
			e.Session.State("error", func(e *kernel.Event) {
				p.failed(e)
				w.Finish()
			})
		},
		"secured": p.said,
		"flushed": func(*kernel.Event) {},
	})
	p.run()
}

// A peer that has gone away without a word is told from one that has said goodbye.
func TestTLSNetConnGone(t *testing.T) {
	p := newPlace(t, kernel.NewLoop())
	forServer, forClient := configs(t, tls.VersionTLS13)
	near, far := connected(t)
	done := make(chan error)
	go func() {
		c := tls.Client(far, forClient)
		_, err := c.Write([]byte("the line\n"))
		far.Close()
		done <- err
	}()
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w := p.readWrite(e.Session, p.secure(near, forServer, true))
			e.Session.State("error", func(e *kernel.Event) {
				p.failed(e)
				w.Close()
			})
		},
		"secured": p.said, "line": p.input,
	})
	p.run()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := len(p.lines); n != 3 || p.lines[1] != `line "the line"` ||
		!strings.HasSuffix(p.lines[2], "unexpected EOF") &&
			!strings.HasSuffix(p.lines[2], "connection reset by peer") {
		t.Errorf("got %q", p.lines)
	}
}
