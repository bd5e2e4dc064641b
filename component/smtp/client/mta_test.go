package client_test

import (
	"bytes"
	"crypto/tls"
	"strconv"
	"strings"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// An mta is a server for any number of clients, that takes whatever message comes.
type mta struct {
	*place
	answer func(c *caller, verb string) string // says something else than usual, if it is not ""
	text   func(c *caller, n int)              // notices n bytes of a text
	tls    *tls.Config                         // for STARTTLS

	secured func(s *wheel.Secured) // notices TLS

	s        *kernel.Session
	listener *wheel.SocketFactory
	messages []string
}

// A caller is one client's connection.
type caller struct {
	*mta
	rw      *wheel.ReadWrite
	lines   []byte
	text    *filter.MessageDecoder // nil while there are commands
	message []byte
	size    int // of the text so far, on the wire
	chunk   int // octets of a chunk that are to come
	last    bool
}

// mta starts a server at port 25.
func (p *place) mta() *mta {
	m := &mta{place: p}
	m.s = p.k.Root().Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			m.listener = wheel.NewSocketFactory(e.Session, wheel.SocketFactoryOptions{
				BindPort: "25", SuccessEvent: "accepted", FailureEvent: "failed",
			})
		},
		"accepted": session.On(func(e *kernel.Event, c *wheel.Connection) {
			e.Session.Create((&caller{mta: m}).events(), c)
		}),
		"failed": session.On(func(_ *kernel.Event, err *wheel.Error) {
			if err.Op != "accept" {
				p.Errorf("the server failed: %v", err)
			}
		}),
	})
	return m
}

// close lets no more clients in.
func (m *mta) close() { m.listener.Close() }

func (c *caller) events() session.Events {
	return session.Events{
		kernel.Start: func(e *kernel.Event) {
			c.rw = nil
			conn := kernel.Arg[*wheel.Connection](e, 0)
			var err error
			c.rw, err = wheel.NewReadWrite(e.Session, wheel.ReadWriteOptions{
				Handle: conn.Socket, InputEvent: "input", ErrorEvent: "gone",
				SecuredEvent: "secured",
				Filter:       filter.NewStream(filter.StreamOptions{}),
			})
			if err != nil {
				c.Error(err)
				return
			}
			c.reply("", "220 mx.example.org ESMTP")
		},
		"input": session.On(func(_ *kernel.Event, in *wheel.Input) { c.input(in.Bytes) }),
		"secured": session.On(func(_ *kernel.Event, s *wheel.Secured) {
			if c.mta.secured != nil {
				c.mta.secured(s)
			}
		}),
		"gone":  func(*kernel.Event) { c.hangUp() },
		"pause": func(e *kernel.Event) { c.rw.ResumeInput() },
	}
}

// hangUp ends the connection.
func (c *caller) hangUp() {
	if c.rw != nil {
		c.rw.Close()
		c.rw = nil
	}
}

// reply says what is usual, or what the test wants.
func (c *caller) reply(verb, usual string) string {
	line := usual
	if c.answer != nil {
		if other := c.answer(c, verb); other != "" {
			line = other
		}
	}
	if c.rw != nil {
		_ = c.rw.PutString(line + "\r\n") // a client that is gone has nothing to hear
	}
	return line
}

func (c *caller) input(p []byte) {
	for len(p) > 0 && c.rw != nil {
		if c.text != nil {
			p = c.gotText(p)
			continue
		}
		if c.chunk > 0 {
			p = c.gotChunk(p)
			continue
		}
		line, rest, ok := bytes.Cut(p, []byte("\n"))
		c.lines = append(c.lines, line...)
		if !ok {
			return
		}
		p = rest
		c.command(strings.TrimSuffix(string(c.lines), "\r"))
		c.lines = c.lines[:0]
	}
}

func (c *caller) command(line string) {
	verb, _, _ := strings.Cut(line, " ")
	verb = strings.ToUpper(verb)
	switch verb {
	case "EHLO":
		c.reply(verb, "250-mx.example.org\r\n250 PIPELINING")
	case "DATA":
		if line := c.reply(verb, "354 Go ahead"); strings.HasPrefix(line, "354") {
			c.text, c.message, c.size = &filter.MessageDecoder{}, nil, 0
		}
	case "STARTTLS":
		c.reply(verb, "220 Go ahead")
		if c.rw == nil || c.mta.tls == nil {
			return
		}
		if err := c.rw.StartTLS(wheel.TLSOptions{Config: c.mta.tls, Server: true}); err != nil {
			c.Error(err)
		}
	case "BDAT":
		_, arg, _ := strings.Cut(line, " ")
		size, last, _ := strings.Cut(arg, " ")
		c.chunk, _ = strconv.Atoi(size)
		c.last = last != ""
		if c.chunk == 0 {
			c.endChunk()
		}
	case "QUIT":
		c.reply(verb, "221 Bye")
	default:
		c.reply(verb, "250 Ok")
	}
}

// gotText takes a piece of a text, and returns what is behind its end.
func (c *caller) gotText(p []byte) (rest []byte) {
	out, used, done, err := c.text.Append(c.message, p)
	if err != nil {
		c.Errorf("the text is malformed: %v", err)
	}
	c.message = out
	c.size += used
	if c.mta.text != nil {
		c.mta.text(c, used)
	}
	if !done || c.rw == nil {
		return nil
	}
	c.text = nil
	c.messages = append(c.messages, string(c.message))
	c.reply(".", "250 Queued")
	return p[used:]
}

// gotChunk takes a piece of a chunk, and returns what is behind its end.
func (c *caller) gotChunk(p []byte) (rest []byte) {
	n := min(len(p), c.chunk)
	c.message = append(c.message, p[:n]...)
	if c.chunk -= n; c.chunk == 0 {
		c.endChunk()
	}
	return p[n:]
}

// endChunk answers a chunk, and after the last has a message, unless the answer is no.
func (c *caller) endChunk() {
	if !c.last {
		c.reply("BDAT", "250 Go on")
		return
	}
	message := string(c.message)
	defer func() { c.message = nil }()
	if line := c.reply(".", "250 Queued"); strings.HasPrefix(line, "250") {
		c.messages = append(c.messages, message)
	}
}
