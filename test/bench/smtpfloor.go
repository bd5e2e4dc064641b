package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
)

// floorSend is the least that a sender can do: it writes what it has ready, and counts the lines
// that come back. Where the connection is kept, the end of one message and the envelope of the next
// are one write.
func floorSend(j job) error {
	f := floor{
		hello: []byte("EHLO " + ourName + "\r\n"),
		envelope: fmt.Appendf(nil, "MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n",
			fromAddress, j.recipient()),
		quit: []byte("QUIT\r\n"),
	}
	f.next = make([]byte, j.Size, j.Size+len(".\r\n")+len(f.envelope))
	_, _ = io.ReadFull(&text{size: j.Size}, f.next) // it is that long
	f.next = append(f.next, ".\r\n"...)
	f.text = f.next
	if j.Kept {
		f.next = append(f.next, f.envelope...)
		return f.keep(j)
	}
	f.last = append(f.next, f.quit...)
	return j.share(func(messages int) error {
		for range messages {
			if err := f.send(j.Addr); err != nil {
				return err
			}
		}
		return nil
	})
}

// A floor has all writes of a dialogue.
type floor struct {
	hello, envelope, text, quit []byte
	next                        []byte // text and envelope
	last                        []byte // text and quit
}

// send sends a message over a connection of its own.
func (f *floor) send(addr string) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	c := floorConn{Conn: conn, in: make([]byte, 4096)}
	for _, step := range []struct {
		out   []byte
		lines int
	}{{nil, 1}, {f.hello, offeredLines}, {f.envelope, 3}, {f.last, 2}} {
		if err := c.exchange(step.out, step.lines); err != nil {
			return err
		}
	}
	return nil
}

type floorConn struct {
	net.Conn
	in []byte
}

// exchange writes, and waits for so many lines.
func (c *floorConn) exchange(out []byte, lines int) error {
	if len(out) > 0 {
		if _, err := c.Write(out); err != nil {
			return err
		}
	}
	for lines > 0 {
		n, err := c.Read(c.in)
		if err != nil {
			return err
		}
		if c.in[0] > '3' {
			return fmt.Errorf("%q came back", c.in[:n])
		}
		lines -= bytes.Count(c.in[:n], []byte("\n"))
	}
	if lines < 0 {
		return fmt.Errorf("%d lines more came back", -lines)
	}
	return nil
}

// share divides the messages among as many goroutines as send at once.
func (j job) share(f func(messages int) error) error {
	failed := make(chan error, j.AtOnce)
	for i := range j.AtOnce {
		go func() { failed <- f(j.part(i)) }()
	}
	for range j.AtOnce {
		if err := <-failed; err != nil {
			return err
		}
	}
	return nil
}

// part returns how many of the messages the i-th of them sends.
func (j job) part(i int) int {
	n := j.Messages / j.AtOnce
	if i < j.Messages%j.AtOnce {
		n++
	}
	return n
}
