package client

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/wheel"
)

// chunkSize is how much of a message is read at once, and highMark how much of it waits at the most
// to be written while no more is read: so much memory a message takes, however long it is.
const (
	chunkSize = 128 << 10
	highMark  = 256 << 10
	lowMark   = 64 << 10
)

// A body is where the text of a message comes from. What is in memory is there at once; what has to
// be read is read elsewhere, since reading may block.
type body struct {
	rest []byte    // of a text in memory
	r    io.Reader // or nil
	file *os.File  // of ours, to be closed
	buf  []byte
	busy bool // it is being opened, or read
}

// A chunk is a piece of the text.
type chunk struct {
	p   []byte
	eof bool
}

// open finds the text, and then goes on to connect.
func (d *delivery) open(*kernel.Event) {
	switch m := d.m; {
	case m.FileHandle != nil:
		d.body.r = m.FileHandle
	case m.MessageFile != "":
		d.work(func(context.Context) (any, error) { return openFile(m.MessageFile) }, "file_opened")
		return
	default:
		d.body.rest = m.Body
	}
	d.s.Yield("smtp_send")
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

// opened goes on to connect, if there is a file.
func (d *delivery) opened(_ *kernel.Event, done *kernel.Done) {
	d.body.busy = false
	switch {
	case errors.Is(done.Err, syscall.EISDIR):
		d.unreadable(done.Err)
		return
	case done.Err != nil:
		d.fail(&Failure{
			Kind:  NoFile,
			Stage: StageConfigure,
			Err:   noFileError{name: d.m.MessageFile, err: done.Err},
		})
		return
	}
	d.body.file = done.Value.(*os.File)
	d.body.r = d.body.file
	if d.done { // it took too long
		d.body.close()
		return
	}
	d.s.Yield("smtp_send")
}

// A noFileError has the text that 0.22 gives it.
type noFileError struct {
	name string
	err  error
}

func (e noFileError) Error() string { return e.name + " not found!" }
func (e noFileError) Unwrap() error { return e.err }

// nextChunk gets the next piece of the text for gotChunk, now or when it is read.
func (d *delivery) nextChunk() {
	b := &d.body
	if b.r == nil {
		n := min(len(b.rest), chunkSize)
		p := b.rest[:n]
		b.rest = b.rest[n:]
		d.gotChunk(chunk{p: p, eof: len(b.rest) == 0})
		return
	}
	if b.buf == nil {
		b.buf = make([]byte, chunkSize)
	}
	r, buf := b.r, b.buf
	d.work(func(context.Context) (any, error) { return readChunk(r, buf) }, "text_read")
}

// readChunk reads what there is: whoever writes the text slowly is heard of with each piece. It runs
// outside the kernel.
func readChunk(r io.Reader, buf []byte) (chunk, error) {
	for range maxEmptyReads {
		n, err := r.Read(buf)
		switch {
		case errors.Is(err, io.EOF):
			return chunk{p: buf[:n], eof: true}, nil
		case n > 0: // an error that came with it comes again
			return chunk{p: buf[:n]}, nil
		case err != nil:
			return chunk{}, err
		}
	}
	return chunk{}, io.ErrNoProgress
}

// maxEmptyReads is how often a reader may return nothing and no error, as in package bufio.
const maxEmptyReads = 100

// chunkRead takes the piece that was read.
func (d *delivery) chunkRead(_ *kernel.Event, done *kernel.Done) {
	d.body.busy = false
	switch {
	case d.done:
	case done.Err != nil:
		d.unreadable(done.Err)
	default:
		d.gotChunk(done.Value.(chunk))
		d.moreText()
	}
}

// unreadable gives up. What was sent of the text so far has no end, so no server takes it for a
// message.
func (d *delivery) unreadable(err error) {
	d.fail(&Failure{Kind: Lost, Stage: d.waitsFor(), Err: &wheel.Error{Op: "read", Err: err}})
}

// close closes the file, if it is ours. If it is being read, that may end by it.
func (b *body) close() {
	if b.file != nil {
		_ = b.file.Close() // it was only read
		b.file = nil
	}
}

// work has f called where it may block.
func (d *delivery) work(f func(context.Context) (any, error), event string) {
	if err := d.s.Work(f, event); err != nil {
		d.unreadable(err)
		return
	}
	d.body.busy = true
}
