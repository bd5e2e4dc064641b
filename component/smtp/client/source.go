package client

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
)

// A source is the text of a message, which is read piece by piece and, where that is possible, more
// than once. What is in memory is there at once. Of all else, next and close may block, and run the
// code of others: they are for workers.
//
// Only one goroutine at a time may use a source, but for interrupt. When it is over, close has to
// be called, by the worker if it comes back too late for anybody else to do it.
type source struct {
	text []byte // of a text in memory
	rest []byte // of it, what was not read yet
	from origin // of all others; else nil

	file   *os.File // MessageFile, which is ours to close
	binary bool     // the text goes out as it is
	compat bool
}

// An origin is where a text comes from that is not in memory.
type origin interface {
	// read reads the next piece of the text into buf, which is not empty. After an error, or the
	// end, it is not called again before rewind.
	read(buf []byte) (n int, eof bool, err error)

	// rewind goes back to where the text begins, and does not block. It returns errNotTwice if
	// there is no way back.
	rewind() error

	// repeats reports whether what is read after rewind is sure to be what was read before.
	repeats() bool

	// size returns the octets of the whole text, if that is known without reading it.
	size() (n int64, ok bool)

	close()
}

// errNotTwice is why a message is not sent again: a pipe, say, has given away what it had.
var errNotTwice = errors.New("the text cannot be read a second time")

// maxEmptyReads is how often a reader may return nothing and no error, as in package bufio.
const maxEmptyReads = 100

// textOf returns the text of m if it is in memory. So is that of a buffer: writing or reading it
// would only empty it, and then it could not be sent twice.
func textOf(m *Message) (text []byte, ok bool) {
	switch {
	case m.Source != nil:
		b, ok := m.Source.(*bytes.Buffer)
		return bufferText(b), ok
	case m.FileHandle != nil:
		b, ok := m.FileHandle.(*bytes.Buffer)
		return bufferText(b), ok
	}
	return m.Body, m.MessageFile == ""
}

func bufferText(b *bytes.Buffer) []byte {
	if b == nil {
		return nil
	}
	return b.Bytes()
}

// openSource finds the text of m: Source, or else FileHandle, MessageFile, or Body. Only
// MessageFile is opened, which may block; it alone can fail, and if it is a directory, the error is
// EISDIR.
func openSource(m *Message) (*source, error) {
	s := &source{binary: m.Binary, compat: m.Compat}
	if text, ok := textOf(m); ok {
		s.text, s.rest = text, text
		return s, nil
	}
	switch r, ok := m.Source.(io.Reader); {
	case ok:
		s.from = &stream{r: r} // what it writes would be gone just as if it were read
	case m.Source != nil:
		s.from = &puller{from: m.Source}
	case m.FileHandle != nil:
		s.from = &stream{r: m.FileHandle}
	default:
		f, err := openFile(m.MessageFile)
		if err != nil {
			return nil, err
		}
		s.file, s.from = f, &stream{r: f}
	}
	return s, nil
}

func openFile(name string) (*os.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		_ = f.Close() // it was not even read
		return nil, &os.PathError{Op: "read", Path: name, Err: syscall.EISDIR}
	}
	return f, nil
}

// inMemory reports whether nothing that s does blocks. sign may make it so.
func (s *source) inMemory() bool { return s.from == nil }

// next returns the next piece of the text, and whether it is the last, which may be empty. It is in
// buf, unless the text is in memory, and good until the next call. A text in memory needs no buf.
func (s *source) next(buf []byte) (p []byte, eof bool, err error) {
	if s.from == nil {
		p = s.rest[:min(len(s.rest), chunkSize)]
		s.rest = s.rest[len(p):]
		return p, len(s.rest) == 0, nil
	}
	n, eof, err := s.from.read(buf)
	return buf[:n], eof, err
}

// rewind goes back to the beginning of the text, for it to be sent once more. It returns
// errNotTwice if there is no way back.
func (s *source) rewind() error {
	if s.from == nil {
		s.rest = s.text
		return nil
	}
	return s.from.rewind()
}

// repeats reports whether, after rewind, s is sure to have the same text again.
func (s *source) repeats() bool { return s.from == nil || s.from.repeats() }

// size returns the octets of the whole text as it is read, if that is known without reading it. A
// file may still change.
func (s *source) size() (n int64, ok bool) {
	if s.from == nil {
		return int64(len(s.text)), true
	}
	return s.from.size()
}

// keep lets s have the same text from somewhere else: in memory, or in a file of its own.
func (s *source) keep(text []byte, file origin) {
	s.from.close()
	s.text, s.rest, s.from = text, text, file
}

// interrupt ends, if it can, a read of MessageFile that goes on elsewhere. It never blocks.
func (s *source) interrupt() {
	if s.file != nil {
		_ = s.file.Close() // it was only read
	}
}

// close gives back what s has taken. It may be called twice. A Source whose text was not read to
// its end learns that nobody wants the rest; what it does then is its own affair, and may take
// time.
func (s *source) close() {
	if s.from != nil {
		s.from.close()
	}
	s.interrupt()
}

// A stream is a text that is read. The reader is not closed.
type stream struct {
	r      io.Reader
	known  bool      // the rest is
	seeker io.Seeker // nil if there is no way back
	start  int64     // where the text begins
	length int64     // of the text, or -1
	begun  bool      // something may have been read
}

// know finds out what is known of the reader. The text begins where it stands.
func (f *stream) know() {
	if f.known {
		return
	}
	f.known = true
	if seeker, ok := f.r.(io.Seeker); ok {
		// A pipe has a Seek as well, which fails.
		if start, err := seeker.Seek(0, io.SeekCurrent); err == nil {
			f.seeker, f.start = seeker, start
		}
	}
	f.length = lengthOf(f.r, f.start)
}

// lengthOf returns how much r has to give, and -1 if that is not known. Files that the system makes
// up while they are read say that they are empty.
func lengthOf(r io.Reader, start int64) int64 {
	switch r := r.(type) {
	case *bytes.Reader:
		return int64(r.Len())
	case *strings.Reader:
		return int64(r.Len())
	case *os.File:
		info, err := r.Stat()
		if err == nil && info.Mode().IsRegular() && info.Size() > 0 {
			return max(0, info.Size()-start)
		}
	}
	return -1
}

// read reads what there is: whoever writes the text slowly is heard of with each piece.
func (f *stream) read(buf []byte) (n int, eof bool, err error) {
	f.know()
	f.begun = true
	for range maxEmptyReads {
		n, err := f.r.Read(buf)
		switch {
		case errors.Is(err, io.EOF):
			return n, true, nil
		case n > 0: // an error that came with it comes again
			return n, false, nil
		case err != nil:
			return 0, false, err
		}
	}
	return 0, false, io.ErrNoProgress
}

func (f *stream) rewind() error {
	switch {
	case !f.begun:
		return nil
	case f.seeker == nil:
		return errNotTwice
	}
	_, err := f.seeker.Seek(f.start, io.SeekStart)
	return err
}

func (f *stream) repeats() bool {
	f.know()
	return f.seeker != nil
}

func (f *stream) size() (n int64, ok bool) {
	f.know()
	return max(0, f.length), f.length >= 0
}

func (f *stream) close() {}
