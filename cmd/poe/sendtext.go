package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"time"

	"github.com/go-poe/poe/component/smtp/client"
)

// A text is where a message is.
type text interface {
	// open returns the message from its beginning.
	open() (io.ReadCloser, error)

	// fill says in m where the message is.
	fill(m *client.Message)
}

// An opener is a text that can be opened more than once. It is the Source of a message.
type opener func() (io.ReadCloser, error)

func (o opener) open() (io.ReadCloser, error) { return o() }
func (o opener) fill(m *client.Message)       { m.Source = o }

// WriteTo implements io.WriterTo.
func (o opener) WriteTo(w io.Writer) (int64, error) {
	r, err := o()
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(w, r)
	return n, errors.Join(err, r.Close())
}

// A fileText is a message that is a file.
type fileText string

func (f fileText) open() (io.ReadCloser, error) { return os.Open(string(f)) }
func (f fileText) fill(m *client.Message)       { m.MessageFile = string(f) }

// A memoryText is a message in memory.
type memoryText []byte

func (t memoryText) open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(t)), nil }
func (t memoryText) fill(m *client.Message)       { m.Body = t }

// A streamText is a message that can be read once.
type streamText struct{ io.Reader }

func (t streamText) open() (io.ReadCloser, error) { return io.NopCloser(t.Reader), nil }
func (t streamText) fill(m *client.Message)       { m.FileHandle = t.Reader }

// spool copies a stream into a file that has no name, so that it can be read again. The file is
// gone when the program ends.
func spool(r io.Reader) (text, error) {
	f, err := os.CreateTemp("", "poe-send-")
	if err != nil {
		return nil, err
	}
	n, err := io.Copy(f, r)
	if err = errors.Join(err, os.Remove(f.Name())); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return opener(func() (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(f, 0, n)), nil
	}), nil
}

// An edit is what is done to the header of a message. The zero value is nothing.
type edit struct {
	recipients bool    // those in the header get the message too
	complete   bool    // what is missing is added
	from       mailbox // is its author, if it does not say who is
	domain     string  // of addresses without one
	now        time.Time
}

// prepare makes a message of a text, for those who are to get it and perhaps others. It may block.
func (e edit) prepare(w *wayFlags, m *client.Message, t text, from string, to []string) error {
	if e == (edit{}) {
		t.fill(m)
		return w.address(m, from, to)
	}
	r, err := t.open()
	if err != nil {
		return err
	}
	in := bufio.NewReader(r)
	h, err := readHeader(in)
	if err != nil {
		return errors.Join(err, r.Close())
	}
	if e.recipients {
		to = append(to[:len(to):len(to)], h.takeRecipients(e.domain)...)
	}
	if len(to) == 0 {
		_ = r.Close() // nothing is wrong with it
		return errNoRecipients
	}
	if e.complete {
		h.complete(e.from, e.domain, e.now)
	}
	top := h.bytes()
	if _, once := t.(streamText); once {
		m.FileHandle = io.MultiReader(bytes.NewReader(top), in)
	} else {
		m.Source = edited(top, t)
		err = r.Close()
	}
	return errors.Join(err, w.address(m, from, to))
}

var errNoRecipients = errors.New(
	"there is no recipient: none is named, and none is in To, Cc or Bcc")

// edited is a text with another header.
func edited(top []byte, t text) opener {
	return func() (io.ReadCloser, error) {
		r, err := t.open()
		if err != nil {
			return nil, err
		}
		in := bufio.NewReader(r)
		if _, err := readHeader(in); err != nil {
			return nil, errors.Join(err, r.Close())
		}
		return readCloser{io.MultiReader(bytes.NewReader(top), in), r}, nil
	}
}

// A readCloser reads from the one, and closes the other.
type readCloser struct {
	io.Reader
	io.Closer
}

// untilDot ends with a line that has only a dot: what a message on standard input may end with, in
// programs that know nothing better.
type untilDot struct {
	r     *bufio.Reader
	rest  []byte // of the line
	begun bool   // the next octets go on with a line
	err   error
}

func newUntilDot(r io.Reader) *untilDot { return &untilDot{r: bufio.NewReader(r)} }

// Read implements io.Reader.
func (u *untilDot) Read(p []byte) (int, error) {
	for len(u.rest) == 0 {
		if u.err != nil {
			return 0, u.err
		}
		u.rest, u.err = u.r.ReadSlice('\n')
		if errors.Is(u.err, bufio.ErrBufferFull) {
			u.err = nil
		}
		line := bytes.TrimRight(u.rest, "\r\n")
		if !u.begun && len(line) == 1 && line[0] == '.' {
			u.rest, u.err = nil, io.EOF
		}
		u.begun = len(u.rest) > 0 && u.rest[len(u.rest)-1] != '\n'
	}
	n := copy(p, u.rest)
	u.rest = u.rest[n:]
	return n, nil
}

// An outgoing is one message that is to be sent.
type outgoing struct {
	name   string // of the file, for people
	octets int64  // its length; 0 if that is not known
	text   text

	shown dialogue
	sent  int64 // octets so far
}
