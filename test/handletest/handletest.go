// Package handletest holds every kernel.Handle to one suite: what it reads, what it writes, where
// it would have to wait, and how it ends.
package handletest

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
)

// A Connector makes the two ends of a stream, a and b, and the loop that knows when they are
// ready. The suite closes both.
type Connector func(t *testing.T) (a, b kernel.Handle, loop kernel.Loop)

// Run runs the suite for streams that go both ways. It calls connect once for each case.
func Run(t *testing.T, connect Connector) {
	for _, test := range oneWay {
		t.Run(test.name, func(t *testing.T) { test.run(newPipe(t, connect, false)) })
	}
	for _, test := range twoWay {
		t.Run(test.name, func(t *testing.T) { test.run(newPipe(t, connect, false)) })
	}
	for _, test := range oneWay {
		t.Run(test.name+"/Back", func(t *testing.T) { test.run(newPipe(t, connect, true)) })
	}
}

// RunOneWay runs the suite for streams that go one way: what is written to a is read from b.
func RunOneWay(t *testing.T, connect Connector) {
	for _, test := range oneWay {
		t.Run(test.name, func(t *testing.T) { test.run(newPipe(t, connect, false)) })
	}
}

// RunTerminal runs the suite for a terminal that is raw, of which a is the master. Its two
// directions end together, and what is written to a may be lost when a is closed.
func RunTerminal(t *testing.T, connect Connector) {
	for _, test := range terminal {
		t.Run(test.name, func(t *testing.T) { test.run(newPipe(t, connect, false)) })
		t.Run(test.name+"/Back", func(t *testing.T) { test.run(newPipe(t, connect, true)) })
	}
	for _, test := range masterOnly {
		t.Run(test.name, func(t *testing.T) { test.run(newPipe(t, connect, true)) })
	}
}

// A test is one case of the suite.
type test struct {
	name string
	run  func(p *pipe)
}

var oneWay = []test{
	{"Pieces", pieces},
	{"ReadAgain", readAgain},
	{"WriteAgain", writeAgain},
	{"Large", large},
	{"NoLength", noLength},
	{"Buffers", buffers},
	{"EndOfStream", endOfStream},
	{"EndByClose", endByClose},
	{"ReaderGone", readerGone},
	{"CloseRead", closeRead},
	{"WriteAfterCloseWrite", writeAfterCloseWrite},
	{"Closed", closed},
	{"NoAllocation", noAllocation},
}

var twoWay = []test{
	{"HalfClose", halfClose},
	{"UnreadByPeer", unreadByPeer},
}

// Each runs in both directions.
var terminal = []test{
	{"Pieces", pieces},
	{"ReadAgain", readAgain},
	{"WriteAgain", writeAgain},
	{"Large", large},
	{"NoLength", noLength},
	{"Buffers", buffers},
	{"HangUp", hangUp},
	{"NoHalfClose", noHalfClose},
	{"CloseRead", closeReadOfBoth},
	{"Closed", closed},
	{"NoAllocation", noAllocation},
}

// Each runs with the master to read from.
var masterOnly = []test{
	{"LastWords", lastWords},
}

// A pipe is one direction of a stream under test.
type pipe struct {
	*testing.T
	loop kernel.Loop
	w, r kernel.Handle
}

func newPipe(t *testing.T, connect Connector, back bool) *pipe {
	t.Helper()
	a, b, loop := connect(t)
	t.Cleanup(func() {
		for _, h := range []kernel.Handle{a, b} {
			if err := h.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				t.Errorf("Close: %v", err)
			}
		}
	})
	if back {
		a, b = b, a
	}
	return &pipe{T: t, loop: loop, w: a, r: b}
}

// limit is how long a case may take before it fails.
const limit = 30 * time.Second

// run runs the loop until a descriptor is ready or, unless it is kernel.Forever, a wait is over.
func (p *pipe) run(wait time.Duration) {
	p.Helper()
	var late atomic.Bool
	watchdog := time.AfterFunc(limit, func() {
		late.Store(true)
		p.loop.Wake()
	})
	defer watchdog.Stop()
	end := p.loop.Now().Add(wait)
	ready := false
	err := p.loop.Run(
		func(int, kernel.Mode) { ready = true },
		func() (time.Duration, bool) {
			more := !ready && !late.Load()
			if wait == kernel.Forever {
				return wait, more
			}
			left := end.Sub(p.loop.Now())
			return left, more && left > 0
		})
	if err != nil {
		p.Fatalf("Run: %v", err)
	}
	if late.Load() {
		p.Fatalf("nothing is ready after %v", limit)
	}
}

// await waits until h is ready.
func (p *pipe) await(h kernel.Handle, way kernel.Mode) {
	p.Helper()
	p.watch(h, way)
	p.run(kernel.Forever)
	p.watch(h, 0)
}

func (p *pipe) watch(h kernel.Handle, want kernel.Mode) {
	p.Helper()
	if err := p.loop.Watch(h.FD(), want); err != nil {
		p.Fatalf("Watch(%d, %v): %v", h.FD(), want, err)
	}
}

// write writes to h once, and checks what every Write must keep to.
func (p *pipe) write(h kernel.Handle, data []byte) (int, error) {
	p.Helper()
	n, err := h.Write(data)
	switch {
	case n < 0 || n > len(data):
		p.Fatalf("Write of %d bytes wrote %d", len(data), n)
	case err != nil && n != 0:
		p.Fatalf("Write wrote %d bytes and has the error %v", n, err)
	case err == nil && n == 0 && len(data) > 0:
		p.Fatalf("Write of %d bytes wrote none, and has no error", len(data))
	case err != kernel.ErrAgain && errors.Is(err, kernel.ErrAgain):
		p.Fatalf("Write hides ErrAgain: %v", err)
	}
	return n, err
}

// read reads from h once, and checks what every Read must keep to.
func (p *pipe) read(h kernel.Handle, data []byte) (int, error) {
	p.Helper()
	n, err := h.Read(data)
	switch {
	case n < 0 || n > len(data):
		p.Fatalf("Read of up to %d bytes read %d", len(data), n)
	case err != nil && n != 0:
		p.Fatalf("Read read %d bytes and has the error %v", n, err)
	case err == nil && n == 0 && len(data) > 0:
		p.Fatalf("Read of up to %d bytes read none, and has no error", len(data))
	case err != kernel.ErrAgain && errors.Is(err, kernel.ErrAgain):
		p.Fatalf("Read hides ErrAgain: %v", err)
	}
	return n, err
}

// send writes all of data.
func (p *pipe) send(h kernel.Handle, data string) {
	p.Helper()
	for len(data) > 0 {
		n, err := p.write(h, []byte(data))
		data = data[n:]
		switch {
		case err == kernel.ErrAgain:
			p.await(h, kernel.Write)
		case err != nil:
			p.Fatalf("Write: %v", err)
		}
	}
}

// expect reads until it has as much as want, and compares.
func (p *pipe) expect(h kernel.Handle, want string) {
	p.Helper()
	got := make([]byte, 0, len(want))
	for len(got) < len(want) {
		n, err := p.read(h, got[len(got):len(want)])
		got = got[:len(got)+n]
		switch {
		case err == kernel.ErrAgain:
			p.await(h, kernel.Read)
		case err != nil:
			p.Fatalf("Read: %v, after %q", err, got)
		}
	}
	if string(got) != want {
		p.Fatalf("read %q, want %q", got, want)
	}
}

// end reads until there is an error, and returns that. There must be nothing left to read.
func (p *pipe) end(h kernel.Handle) error {
	p.Helper()
	for {
		n, err := p.read(h, make([]byte, 64))
		switch {
		case err == kernel.ErrAgain:
			p.await(h, kernel.Read)
		case err != nil:
			return err
		default:
			p.Fatalf("read %d bytes that nobody wrote", n)
		}
	}
}

// transfer writes data in pieces of one size, while it reads in pieces of another. It checks that
// the stream holds no more than most bytes, unless that is 0.
func (p *pipe) transfer(data []byte, writes, reads func() int, most int) {
	p.Helper()
	sent, got := 0, 0
	buf := make([]byte, 1<<16)
	for got < len(data) {
		moved := false
		if sent < len(data) {
			n, err := p.write(p.w, data[sent:min(len(data), sent+writes())])
			if err != nil && err != kernel.ErrAgain {
				p.Fatalf("Write: %v", err)
			}
			sent += n
			moved = n > 0
		}
		if most > 0 && sent-got > most {
			p.Fatalf("the stream holds %d bytes", sent-got)
		}
		n, err := p.read(p.r, buf[:min(len(buf), reads())])
		if err != nil && err != kernel.ErrAgain {
			p.Fatalf("Read: %v", err)
		}
		if !bytes.Equal(buf[:n], data[got:got+n]) {
			p.Fatalf("what was read is not what was written, from byte %d on", got)
		}
		got += n
		if !moved && n == 0 {
			p.watch(p.r, kernel.Read)
			if sent < len(data) {
				p.watch(p.w, kernel.Write)
			}
			p.run(kernel.Forever)
			p.watch(p.r, 0)
			p.watch(p.w, 0)
		}
	}
}

func always(n int) func() int { return func() int { return n } }

// noise returns bytes that are the same each time.
func noise(n int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	return data
}

func pieces(p *pipe) {
	for _, writes := range []int{1, 3, 64, 1000} {
		for _, reads := range []int{1, 2, 7, 64, 1000} {
			p.transfer(noise(700), always(writes), always(reads), 0)
		}
	}
}

func readAgain(p *pipe) {
	for range 3 {
		if _, err := p.read(p.r, make([]byte, 16)); err != kernel.ErrAgain {
			p.Errorf("Read of nothing: %v, want %v", err, kernel.ErrAgain)
		}
	}
	p.send(p.w, "x")
	p.expect(p.r, "x")
	if _, err := p.read(p.r, make([]byte, 16)); err != kernel.ErrAgain {
		p.Errorf("Read of nothing more: %v, want %v", err, kernel.ErrAgain)
	}
}

// mostHeld is more than any stream should hold that nobody reads.
const mostHeld = 64 << 20

// fill writes until the stream is full, and returns what it has written.
func (p *pipe) fill() []byte {
	p.Helper()
	data := noise(1 << 16)
	var sent []byte
	for refusals := 0; refusals < 100; { // a simulated stream may refuse without being full
		n, err := p.write(p.w, data)
		sent = append(sent, data[:n]...)
		switch {
		case err == kernel.ErrAgain:
			refusals++
		case err != nil:
			p.Fatalf("Write: %v", err)
		case len(sent) > mostHeld:
			p.Fatalf("a stream that nobody reads has taken %d bytes", len(sent))
		}
	}
	return sent
}

func writeAgain(p *pipe) {
	sent := p.fill()
	p.expect(p.r, string(sent))
	p.await(p.w, kernel.Write)
	p.send(p.w, "there is room again")
	p.expect(p.r, "there is room again")
}

func large(p *pipe) {
	random := rand.New(rand.NewPCG(3, 4))
	size := func() int { return 1 + random.IntN(1<<random.IntN(17)) }
	p.transfer(noise(1<<20), size, size, mostHeld)
}

// To write nothing, or to read into nothing, is no error, and no end, and does not wait.
func noLength(p *pipe) {
	for _, nothing := range [][]byte{nil, {}} {
		if n, err := p.write(p.w, nothing); n != 0 || err != nil {
			p.Errorf("Write of nothing: %d, %v", n, err)
		}
		if n, err := p.read(p.r, nothing); n != 0 || err != nil {
			p.Errorf("Read into nothing: %d, %v", n, err)
		}
	}
	p.send(p.w, "x")
	p.await(p.r, kernel.Read)
	if n, err := p.read(p.r, nil); n != 0 || err != nil {
		p.Errorf("Read into nothing, with something to read: %d, %v", n, err)
	}
	p.expect(p.r, "x")
}

// A Write keeps nothing of its argument, and a Read writes only to what it says.
func buffers(p *pipe) {
	data := []byte("mine again as soon as Write returns")
	n, err := p.write(p.w, data)
	for err == kernel.ErrAgain {
		p.await(p.w, kernel.Write)
		n, err = p.write(p.w, data)
	}
	if err != nil {
		p.Fatalf("Write: %v", err)
	}
	want := string(data[:n])
	clear(data)
	p.expect(p.r, want)

	p.send(p.w, "abc")
	buf := []byte("........")
	n, err = p.read(p.r, buf)
	for err == kernel.ErrAgain {
		p.await(p.r, kernel.Read)
		n, err = p.read(p.r, buf)
	}
	if got, want := string(buf), ("abc"[:n] + "........")[:8]; got != want || err != nil {
		p.Errorf("Read of %d bytes leaves %q, %v, want %q", n, got, err, want)
	}
}

func endOfStream(p *pipe) {
	p.send(p.w, "the last words")
	if err := p.w.CloseWrite(); err != nil {
		p.Fatalf("CloseWrite: %v", err)
	}
	p.expect(p.r, "the last words")
	for range 3 {
		if err := p.end(p.r); err != io.EOF {
			p.Errorf("Read at the end: %v, want %v", err, io.EOF)
		}
	}
	p.await(p.r, kernel.Read) // the end is a readiness, too
}

func endByClose(p *pipe) {
	p.send(p.w, "the last words")
	if err := p.w.Close(); err != nil {
		p.Fatalf("Close: %v", err)
	}
	p.expect(p.r, "the last words")
	for range 3 {
		if err := p.end(p.r); err != io.EOF {
			p.Errorf("Read at the end: %v, want %v", err, io.EOF)
		}
	}
}

// isBroken reports whether err says that the other end is gone.
func isBroken(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}

// The first Write after the other end is gone may still succeed: it may not have been heard of yet.
func readerGone(p *pipe) {
	if err := p.r.Close(); err != nil {
		p.Fatalf("Close: %v", err)
	}
	for range 1000 {
		_, err := p.write(p.w, []byte("x"))
		if err == nil || err == kernel.ErrAgain {
			p.run(time.Millisecond)
			continue
		}
		if !isBroken(err) {
			p.Errorf("Write to nobody: %v", err)
		}
		if _, err := p.write(p.w, []byte("x")); !isBroken(err) {
			p.Errorf("a second Write to nobody: %v", err)
		}
		p.await(p.w, kernel.Write) // so that who waits to write hears of it
		return
	}
	p.Errorf("Write to nobody goes on")
}

func closeRead(p *pipe) {
	if err := p.r.CloseRead(); err != nil {
		p.Fatalf("CloseRead: %v", err)
	}
	if n, err := p.r.Read(make([]byte, 16)); n != 0 || err == nil {
		p.Errorf("Read after CloseRead: %d, %v", n, err)
	}
	if err := p.r.Close(); err != nil {
		p.Errorf("Close: %v", err)
	}
}

func writeAfterCloseWrite(p *pipe) {
	if err := p.w.CloseWrite(); err != nil {
		p.Fatalf("CloseWrite: %v", err)
	}
	for range 2 {
		_, err := p.write(p.w, []byte("x"))
		if !isBroken(err) && !errors.Is(err, net.ErrClosed) {
			p.Errorf("Write after CloseWrite: %v", err)
		}
	}
	if err := p.w.Close(); err != nil {
		p.Errorf("Close: %v", err)
	}
}

func closed(p *pipe) {
	for _, h := range []kernel.Handle{p.w, p.r} {
		if fd := h.FD(); fd < 0 {
			p.Errorf("FD is %d", fd)
		}
		if err := h.Close(); err != nil {
			p.Errorf("Close: %v", err)
		}
		_, read := h.Read(make([]byte, 1))
		_, written := h.Write([]byte("x"))
		for _, test := range []struct {
			what string
			err  error
		}{
			{"Close", h.Close()}, {"Read", read}, {"Write", written},
			{"CloseRead", h.CloseRead()}, {"CloseWrite", h.CloseWrite()}, {"Close", h.Close()},
		} {
			if !errors.Is(test.err, net.ErrClosed) {
				p.Errorf("%s after Close: %v, want %v", test.what, test.err, net.ErrClosed)
			}
		}
		if fd := h.FD(); fd != -1 {
			p.Errorf("FD is %d after Close, want -1", fd)
		}
	}
}

// To be told to wait costs nothing: a wheel tries, and is told so, all the time.
func noAllocation(p *pipe) {
	buf := make([]byte, 16)
	if n := testing.AllocsPerRun(100, func() { _, _ = p.r.Read(buf) }); n != 0 {
		p.Errorf("Read allocates %v times where it would have to wait", n)
	}
	p.fill()
	if n := testing.AllocsPerRun(100, func() { _, _ = p.w.Write(buf) }); n != 0 {
		p.Errorf("Write allocates %v times where it would have to wait", n)
	}
}

func halfClose(p *pipe) {
	p.send(p.w, "question")
	if err := p.w.CloseWrite(); err != nil {
		p.Fatalf("CloseWrite: %v", err)
	}
	p.expect(p.r, "question")
	if err := p.end(p.r); err != io.EOF {
		p.Errorf("Read at the end: %v, want %v", err, io.EOF)
	}
	p.send(p.r, "answer")
	p.expect(p.w, "answer")
	if err := p.r.CloseWrite(); err != nil {
		p.Fatalf("CloseWrite: %v", err)
	}
	if err := p.end(p.w); err != io.EOF {
		p.Errorf("Read at the other end: %v, want %v", err, io.EOF)
	}
}

// The other end is closed with input that it has not read. Whoever reads must come to an end, be
// it a quiet one.
func unreadByPeer(p *pipe) {
	p.send(p.w, "nobody reads this")
	p.await(p.r, kernel.Read)
	if err := p.r.Close(); err != nil {
		p.Fatalf("Close: %v", err)
	}
	if err := p.end(p.w); err != io.EOF && !isBroken(err) {
		p.Errorf("Read: %v", err)
	}
	for range 3 {
		if err := p.end(p.w); err != io.EOF && !isBroken(err) {
			p.Errorf("Read again: %v", err)
		}
	}
}

// isHangup reports whether err is what a terminal says when its other side is gone.
func isHangup(err error) bool { return err == io.EOF || errors.Is(err, syscall.EIO) }

// Whoever reads hears of it when the other side is gone, also if it waits.
func hangUp(p *pipe) {
	if err := p.w.Close(); err != nil {
		p.Fatalf("Close: %v", err)
	}
	p.await(p.r, kernel.Read)
	for range 3 {
		if err := p.end(p.r); !isHangup(err) {
			p.Errorf("Read after the other side is gone: %v", err)
		}
	}
}

// What was written before the other side was closed is still there.
func lastWords(p *pipe) {
	p.send(p.w, "the last words")
	if err := p.w.Close(); err != nil {
		p.Fatalf("Close: %v", err)
	}
	p.expect(p.r, "the last words")
	for range 3 {
		if err := p.end(p.r); !isHangup(err) {
			p.Errorf("Read at the end: %v", err)
		}
	}
}

// To close one direction is refused, and changes nothing.
func noHalfClose(p *pipe) {
	for range 2 {
		if err := p.w.CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
			p.Errorf("CloseWrite: %v, want %v", err, errors.ErrUnsupported)
		}
	}
	p.send(p.w, "as before")
	p.expect(p.r, "as before")
}

// That nobody will read cannot be told, and is no error.
func closeReadOfBoth(p *pipe) {
	for range 2 {
		if err := p.r.CloseRead(); err != nil {
			p.Errorf("CloseRead: %v", err)
		}
	}
	p.send(p.r, "as before")
	p.expect(p.w, "as before")
}
