package wheel

import "github.com/go-poe/poe/kernel"

// ListenAcceptOptions are the options of a ListenAccept. Handle and AcceptEvent have no default.
type ListenAcceptOptions struct {
	Handle kernel.Socket // listens already, see kernel.FromListener; the wheel does not close it

	AcceptEvent string // *Connection: somebody has connected

	// ErrorEvent: *Error. Nobody can be accepted, mostly because no descriptor is left. The wheel
	// tries again by itself, ten times a second, and does not tell again before it has succeeded.
	ErrorEvent string
}

// A ListenAccept accepts connections at a socket that somebody else opened, and that stays open
// when the wheel is closed.
//
// POE: POE::Wheel::ListenAccept.
type ListenAccept struct {
	listener
}

// NewListenAccept begins to accept connections on behalf of owner. It works until Close. The error
// is that of Session.SelectRead.
func NewListenAccept(owner *kernel.Session, opts ListenAcceptOptions) (*ListenAccept, error) {
	switch {
	case opts.Handle == nil:
		panic("wheel: ListenAcceptOptions has no Handle")
	case opts.AcceptEvent == "":
		panic("wheel: ListenAcceptOptions has no AcceptEvent")
	}
	w := &ListenAccept{listener{
		base:     newBase(listenAccept, owner),
		socket:   opts.Handle,
		accepted: opts.AcceptEvent,
		failed:   opts.ErrorEvent,
	}}
	w.owner.AtEnd(w)
	if err := w.watch(); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// SetAcceptEvent changes the event for connections. It panics without a name.
//
// POE: event, which ignores that.
func (w *ListenAccept) SetAcceptEvent(name string) {
	if name == "" {
		panic("wheel: SetAcceptEvent without a name")
	}
	w.accepted = name
}

// SetErrorEvent changes the event for what goes wrong.
//
// POE: event.
func (w *ListenAccept) SetErrorEvent(name string) { w.failed = name }

// Handle returns the socket, which is not the wheel's, and after Close nil.
func (w *ListenAccept) Handle() kernel.Socket { return w.socket }

// Close ends the wheel. The socket stays open, and goes on listening. A second Close does nothing.
//
// POE: the end of the wheel's last reference.
func (w *ListenAccept) Close() {
	if w.closed {
		return
	}
	w.unwatch()
	w.socket = nil
	w.close(w)
}
