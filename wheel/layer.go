package wheel

import (
	"crypto/tls"

	"github.com/go-poe/poe/kernel"
)

// A Layer is a Handle over another one that has to deal with the other end by itself, and keeps
// data of its own, as TLS does. So what its descriptor is ready for is not what it is ready for.
// Whoever uses a Layer, as ReadWrite does, calls Advance when it begins, whenever the descriptor
// is ready, and after each Write, CloseWrite, and Read that may have had something to answer.
type Layer interface {
	kernel.Handle

	// Advance does what the layer has to do by itself, as far as it can, and returns the ways in
	// which its descriptor must be ready before it can do more of that; none if there is no more.
	// While it wants to read, which is at the beginning, it neither gives nor takes data. When
	// Write is among them, it still holds what it has taken; only then, and at the beginning, does
	// its Write return ErrAgain. After an error nothing can be written any more, and after one at
	// the beginning, nothing read.
	Advance() (wants kernel.Mode, err error)

	// Buffered reports whether Read may have something to return though the descriptor is not
	// ready to read.
	Buffered() bool
}

// Secured says that the handshake of a TLS is over, and what it has settled. It is the receiver's
// to keep.
type Secured struct {
	tls.ConnectionState
	Wheel ID
}

// checkOneWay panics if a handle for one direction is a Layer, which needs both.
func checkOneWay(h kernel.Handle) {
	if _, ok := h.(Layer); ok {
		panic("wheel: ReadWriteOptions has a Layer as InputHandle or OutputHandle")
	}
}

// standOn has the wheel read and write by a layer.
func (w *ReadWrite) standOn(l Layer) {
	w.layer, w.opening, w.wants = l, true, kernel.Read
	w.rare().again = w.state("again", w.readAgain)
	w.settleOutput()
}

// advance lets the layer do its own work, watches the handle as that needs it, and tells what has
// come of it. It reports whether the wheel may read.
func (w *ReadWrite) advance() bool {
	broken := w.opening
	defer func() {
		if broken {
			w.settleOutput() // a function of a tls.Config has panicked, as the next Advance says
		}
	}()
	wants, err := w.layer.Advance()
	broken = false
	if w.closed { // by a function of a tls.Config
		return false
	}
	w.want(wants)
	switch {
	case err != nil:
		if w.outErr == nil || w.opening {
			w.outputFailed(err)
		}
	case w.opening && wants&kernel.Read == 0:
		w.opening = false
		w.opened()
	}
	return w.mayRead() && !w.opening
}

// advanceOut is advance for the output. If the layer has refused to take more, and now gets rid of
// what it held, it takes more, and nothing else will tell.
func (w *ReadWrite) advanceOut() {
	w.advance()
	for !w.closed && w.outErr == nil && w.OutOctets() > 0 && w.wants == 0 {
		w.writeOut()
		w.advance()
	}
}

// mayRead reports whether the owner wants to have what comes in.
func (w *ReadWrite) mayRead() bool { return !w.closed && w.wantsInput() && !w.inPaused }

// want watches the handle in the ways that the layer needs, besides those that the wheel does.
func (w *ReadWrite) want(wants kernel.Mode) {
	if wants == w.wants {
		return
	}
	if w.wants&^wants&kernel.Write != 0 {
		w.settleOutput() // which may be all written by that
	}
	w.wants = wants
	if err := w.watchInput(); err != nil {
		w.outputFailed(err)
		return
	}
	w.pauseInput(w.inPaused)
	w.watchOutput(wants&kernel.Write != 0)
}

// opened is when the layer begins to give and to take data.
func (w *ReadWrite) opened() {
	s := &Secured{Wheel: w.id}
	if t, ok := w.layer.(interface{ ConnectionState() tls.ConnectionState }); ok {
		s.ConnectionState = t.ConnectionState()
	}
	_ = w.tell(w.opts.SecuredEvent, s)
	if w.OutOctets() > 0 {
		w.settleOutput()
	}
	w.readOn()
}

// readOn has the wheel read once more if the layer may have something for which the descriptor
// will not become ready. Others get their turn before that.
func (w *ReadWrite) readOn() {
	if w.layer != nil && w.mayRead() && !w.readingOn && w.layer.Buffered() {
		w.readingOn = true
		w.owner.Yield(w.few.again)
	}
}

// readAgain is when that turn has come.
func (w *ReadWrite) readAgain(e *kernel.Event) {
	w.readingOn = false
	w.readable(e)
}
