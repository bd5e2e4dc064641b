package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/panjf2000/gnet/v2"
	"go.uber.org/zap"
)

// The roles of the sinks.
const (
	plainSink    = "SMTP sink"
	chunkingSink = "SMTP sink with CHUNKING"
)

// holdAddress is a recipient whose messages the sink takes, and never answers.
const holdAddress = "hold@example.org"

// A sink takes messages by SMTP, and only counts them. What it has to say to all that came in one
// read, it says in one write. HELP tells the counts.
type sink struct {
	gnet.BuiltinEventEngine
	listening func(addr string)
	addr      string
	offers    string // the reply to EHLO
	counts    sinkCounts
}

// sinkCounts are what a sink got: whole messages, the octets of all, with the dots that were
// doubled, and the messages that it holds.
type sinkCounts struct{ messages, octets, held int }

func smtpSink(listening func(addr string)) error { return serveSink(listening, "") }

func smtpChunkingSink(listening func(addr string)) error {
	return serveSink(listening, "250-CHUNKING\r\n")
}

func serveSink(listening func(addr string), more string) error {
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	s := &sink{listening: listening, addr: addr, offers: "250-sink.example.org\r\n" +
		"250-PIPELINING\r\n250-SIZE 104857600\r\n250-8BITMIME\r\n" + more +
		"250 ENHANCEDSTATUSCODES\r\n"}
	// With ReusePort, the loop that serves a connection is the one that has accepted it. Of what
	// goes wrong with a connection, its client tells.
	return gnet.Run(s, "tcp://"+addr, gnet.WithReusePort(true), gnet.WithNumEventLoop(1),
		gnet.WithReadBufferCap(256<<10), gnet.WithLogger(zap.NewNop().Sugar()))
}

// OnBoot tells that the sink listens.
func (s *sink) OnBoot(gnet.Engine) gnet.Action {
	s.listening(s.addr)
	return gnet.None
}

// OnOpen greets a client.
func (s *sink) OnOpen(c gnet.Conn) (out []byte, action gnet.Action) {
	c.SetContext(&sinkConn{sink: s})
	return []byte("220 sink.example.org ESMTP\r\n"), gnet.None
}

// OnTraffic answers all that came.
func (s *sink) OnTraffic(c gnet.Conn) gnet.Action {
	in, err := c.Peek(-1)
	if err != nil {
		return gnet.Close
	}
	conn := c.Context().(*sinkConn)
	conn.out = conn.out[:0]
	used := conn.take(in)
	if used > 0 { // for 0, Discard takes all
		_, _ = c.Discard(used) // there is so much
	}
	if len(conn.out) > 0 {
		if _, err := c.Write(conn.out); err != nil {
			return gnet.Close
		}
	}
	if conn.ended {
		return gnet.Close
	}
	return gnet.None
}

// offeredLines is how many lines the reply to EHLO has, without CHUNKING.
const offeredLines = 5

// A sinkConn is one client of a sink.
type sinkConn struct {
	sink  *sink
	out   []byte // the replies to what came in one read
	ended bool   // when they are written, so is all

	recipients int
	hold       bool     // the message is not answered
	held       bool     // nor is anything after it
	text       bool     // what comes is a text, up to a dot
	dot        dotFound // of that text
	chunk      int      // octets that are to come of a chunk
	last       bool     // it is the message's last
}

// maxCommand is how long a command may be.
const maxCommand = 4096

// take takes what came, and returns how much of it is done with: not a command that is not whole.
func (c *sinkConn) take(in []byte) (used int) {
	for used < len(in) && !c.ended {
		rest := in[used:]
		switch {
		case c.held:
			used = len(in)
		case c.text:
			n, found := c.dot.find(rest)
			used += n
			c.sink.counts.octets += n
			if found {
				c.sink.counts.octets -= len(".\r\n")
				c.text = false
				c.message()
			}
		case c.chunk > 0:
			n := min(c.chunk, len(rest))
			used += n
			c.sink.counts.octets += n
			if c.chunk -= n; c.chunk == 0 {
				c.chunked()
			}
		default:
			n := bytes.IndexByte(rest, '\n')
			if n < 0 {
				c.ended = len(rest) > maxCommand
				return used
			}
			used += n + 1
			c.command(rest[:n])
		}
	}
	return used
}

// command answers a command.
func (c *sinkConn) command(line []byte) {
	line = bytes.TrimSuffix(line, []byte("\r"))
	verb := line[:min(len(line), len("MAIL"))]
	switch string(verb) {
	case "MAIL":
		c.reset()
		c.reply("250 2.1.0 Ok\r\n")
	case "RCPT":
		c.recipients++
		c.hold = c.hold || bytes.Contains(line, []byte(holdAddress))
		c.reply("250 2.1.5 Ok\r\n")
	case "DATA":
		if c.recipients == 0 {
			c.reply("503 5.5.1 No recipients\r\n")
			return
		}
		c.text, c.dot = true, atLine
		c.reply("354 End data with <CR><LF>.<CR><LF>\r\n")
	case "BDAT":
		c.bdat(strings.Fields(string(line)))
	case "EHLO":
		c.reply(c.sink.offers)
	case "HELO":
		c.reply("250 sink.example.org\r\n")
	case "RSET":
		c.reset()
		c.reply("250 2.0.0 Ok\r\n")
	case "NOOP":
		c.reply("250 2.0.0 Ok\r\n")
	case "HELP":
		n := c.sink.counts
		c.reply(fmt.Sprintf("214 %d %d %d\r\n", n.messages, n.octets, n.held))
	case "QUIT":
		c.ended = true
		c.reply("221 2.0.0 Bye\r\n")
	default:
		c.reply("500 5.5.2 What?\r\n")
	}
}

// bdat begins a chunk.
func (c *sinkConn) bdat(words []string) {
	c.last = len(words) > 2
	n, err := strconv.Atoi(words[min(1, len(words)-1)])
	switch {
	case err != nil || n < 0:
		c.ended = true
		c.reply("501 5.5.4 Not a size\r\n")
	case n == 0:
		c.chunked()
	default:
		c.chunk = n
	}
}

// chunked answers a chunk.
func (c *sinkConn) chunked() {
	switch {
	case c.recipients == 0:
		c.reply("503 5.5.1 No recipients\r\n")
	case c.last:
		c.message()
	default:
		c.reply("250 2.0.0 Ok\r\n")
	}
}

// message answers a message.
func (c *sinkConn) message() {
	if c.hold {
		c.held = true
		c.sink.counts.held++
		return
	}
	c.reset()
	c.sink.counts.messages++
	c.reply("250 2.0.0 Ok: queued\r\n")
}

func (c *sinkConn) reset() { c.recipients, c.hold = 0, false }

func (c *sinkConn) reply(text string) { c.out = append(c.out, text...) }

// endOfText ends a text.
const endOfText = "\r\n.\r\n"

// A dotFound is how much of endOfText is found.
type dotFound int

// atLine is what is found where a line begins.
const atLine = dotFound(len("\r\n"))

// find returns how much of p belongs to a text, and whether that is its end.
func (d *dotFound) find(p []byte) (n int, found bool) {
	for ; *d > 0 && n < len(p); n++ {
		if *d = d.next(p[n]); *d == dotFound(len(endOfText)) {
			return n + 1, true
		}
	}
	if i := bytes.Index(p[n:], []byte(endOfText)); i >= 0 {
		return n + i + len(endOfText), true
	}
	if *d == 0 {
		for _, b := range p[max(n, len(p)-len(endOfText)+1):] {
			*d = d.next(b)
		}
	}
	return len(p), false
}

// next returns what is found after one more octet.
func (d dotFound) next(b byte) dotFound {
	switch {
	case b == endOfText[d]:
		return d + 1
	case b == '\r':
		return 1
	}
	return 0
}

// askSink returns what a sink has counted.
func askSink(addr string) (n sinkCounts, err error) {
	c, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return n, err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return n, err
	}
	if _, err := c.Write([]byte("HELP\r\nQUIT\r\n")); err != nil {
		return n, err
	}
	in := bufio.NewReader(c)
	if _, err := in.ReadString('\n'); err != nil { // the greeting
		return n, err
	}
	help, err := in.ReadString('\n')
	if err != nil {
		return n, err
	}
	_, err = fmt.Sscanf(help, "214 %d %d %d", &n.messages, &n.octets, &n.held)
	return n, err
}

// waitHeld waits until a sink holds so many messages.
func waitHeld(addr string, messages int) error {
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		got, err := askSink(addr)
		switch {
		case err != nil || got.held == messages:
			return err
		case time.Now().After(end):
			return fmt.Errorf("the sink holds %d messages, and no more come", got.held)
		}
	}
}
