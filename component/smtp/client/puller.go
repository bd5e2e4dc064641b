package client

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
)

// A puller is a text that writes itself. It runs as a coroutine, on whatever goroutine reads, until
// the piece that is wanted is full, and then it waits for the next read. So it takes no more memory
// than that piece, and no goroutine while nobody reads.
type puller struct {
	from io.WriterTo
	w    *pieceWriter // of the run that has begun; else nil
	next func() (struct{}, bool)
	stop func()
	over bool // that run is to end, and another one to begin
}

// maxRefused is how many writes may fail before a text that takes no notice is cut off.
const maxRefused = 100

// Why a text that writes itself cannot go on.
var (
	errAbandoned = errors.New("smtp client: nobody reads the text any more")
	errIgnored   = errors.New("smtp client: the text is written on although nobody reads it")
)

func (p *puller) read(buf []byte) (n int, eof bool, err error) {
	if p.over {
		p.close()
	}
	if p.w == nil {
		p.begin()
	}
	w := p.w
	w.buf, w.n = buf, 0
	_, more := p.next()
	runtime.KeepAlive(p) // its clean-up must not come while next runs
	if more {
		return w.n, false, nil
	}
	if w.err != nil {
		return 0, false, w.err
	}
	return w.n, true, nil
}

// begin prepares a run. It is the first read that starts it.
func (p *puller) begin() {
	w, from := &pieceWriter{}, p.from
	p.w = w
	p.next, p.stop = iter.Pull(func(yield func(struct{}) bool) {
		w.yield = yield
		w.run(from)
	})
	// A session that ends while a worker reads may leave nobody behind who could close this. The
	// coroutine would wait for ever.
	runtime.AddCleanup(p, func(stop func()) { stop() }, p.stop)
}

// rewind leaves it to the next read to end the run and to begin another: the code of the text runs
// where texts are read, and nowhere else.
func (p *puller) rewind() error {
	p.over = true
	return nil
}

// repeats is false: a text may have the time in it, or a random boundary, each time another one.
func (p *puller) repeats() bool { return false }

func (p *puller) size() (n int64, ok bool) { return 0, false }

func (p *puller) close() {
	if p.w != nil {
		p.stop()
		p.w = nil
	}
	p.over = false
}

// A pieceWriter cuts what a text writes into pieces.
type pieceWriter struct {
	buf      []byte // for the piece that is wanted
	n        int    // octets in it
	yield    func(struct{}) bool
	unwanted bool // nobody reads any more
	refused  int  // writes since then
	returned bool
	err      error // of the whole run
}

// run has the text write itself to its end. A panic is an error like any other.
func (w *pieceWriter) run(from io.WriterTo) {
	defer func() {
		w.returned = true
		if v := recover(); v != nil {
			w.err = fmt.Errorf("smtp client: panic in WriteTo: %v", v)
		}
	}()
	_, err := from.WriteTo(w)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // only a whole text ends without an error
	}
	w.err = err
}

// Write fills the piece. If it is full and there is more, the text waits here for the next one.
func (w *pieceWriter) Write(p []byte) (n int, err error) {
	for {
		if w.unwanted || w.returned {
			return n, w.refuse()
		}
		copied := copy(w.buf[w.n:], p[n:])
		w.n += copied
		n += copied
		if n == len(p) {
			return n, nil
		}
		w.unwanted = !w.yield(struct{}{})
	}
}

// refuse says that it is over. If the text is written on and on, it does not even return.
func (w *pieceWriter) refuse() error {
	if w.refused++; w.refused > maxRefused && !w.returned {
		panic(errIgnored)
	}
	return errAbandoned
}
