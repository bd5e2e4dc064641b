package sim

import "time"

// A flow is one direction of a stream.
type flow struct {
	w        *World
	from, to *stream
	local    bool // takes no time, and shows the writer what the reader does

	bytes   []byte // written, and not read
	arrived int    // of them, those that the reader can have
	total   int    // written ever
	limit   int    // of bytes

	last    time.Duration // when all will have arrived; nothing overtakes it
	flights int           // things that are under way

	shut  bool // the writer will write no more
	ended bool // the reader has been told
	deaf  bool // the reader will read no more
}

func (w *World) newFlow(from, to *stream, local bool) *flow {
	return &flow{w: w, from: from, to: to, local: local, limit: w.opts.Buffer}
}

// inTurn does something at the reader's end when all that was sent before has arrived.
func (f *flow) inTurn(do func()) {
	w := f.w
	if !f.local {
		f.last = max(f.last, later(w.now, w.delay(w.opts.Latency)))
	}
	if f.flights == 0 && f.last <= w.now {
		do()
		return
	}
	f.flights++
	w.at(f.last, func() {
		f.flights--
		do()
	})
}

// room returns how many bytes can be written.
func (f *flow) room() int { return f.limit - len(f.bytes) }

// writable reports whether it is worth telling the writer that there is room. As in a real system
// that is more than one byte, so that no data moves byte by byte.
func (f *flow) writable() bool { return len(f.bytes) <= f.limit/2 }

// send takes what p holds, for which there is room, on its way, perhaps in pieces.
func (f *flow) send(p []byte) {
	f.total += len(p)
	f.bytes = append(f.bytes, p...)
	for left := len(p); left > 0; {
		n := left
		if !f.local {
			n = f.w.cut(left)
		}
		left -= n
		f.inTurn(func() { f.arrive(n) })
	}
}

func (f *flow) arrive(n int) {
	if f.deaf {
		f.from.out.drop()
		f.from.in.inTurn(f.from.onReset)
		return
	}
	f.arrived = min(f.arrived+n, len(f.bytes)) // a reset may have dropped them
	touch(f.to)
}

// read moves what has arrived to p.
func (f *flow) read(p []byte) int {
	n := copy(p, f.bytes[:f.arrived])
	f.arrived -= n
	f.bytes = f.bytes[n:]
	if len(f.bytes) == 0 {
		f.bytes = nil
	}
	touch(f.from)
	return n
}

// finish tells the reader that no more will come.
func (f *flow) finish() {
	f.shut = true
	f.inTurn(func() {
		f.ended = true
		touch(f.to)
	})
}

// abort tells the reader that the writer has broken the connection.
func (f *flow) abort() {
	f.shut = true
	f.inTurn(f.to.onReset)
}

// drop forgets what the reader has not been given yet.
func (f *flow) drop() {
	f.bytes = f.bytes[:f.arrived]
}
