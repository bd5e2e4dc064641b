package kernel

// A Handler handles the events of a session. Package session has several kinds of them.
//
// Handle is called for each event, on the kernel's goroutine. It calls e.Unhandled for an event
// that it does not know.
type Handler interface {
	Handle(e *Event)
}

// A HandlerFunc handles one event, or, as a Handler, all events of a session.
type HandlerFunc func(e *Event)

// Handle calls f.
func (f HandlerFunc) Handle(e *Event) { f(e) }

// A Stater is a Handler that keeps the handlers itself that Session.State adds and removes. For any
// other Handler, the kernel keeps them, and asks them first.
type Stater interface {
	Handler

	// State sets the handler for an event, or with nil removes it.
	State(name string, f HandlerFunc)
}

// A Checker is a Handler that can tell before it is used that the programmer made a mistake.
// Create asks it, and panics with the error.
type Checker interface {
	Handler

	// Check returns what is wrong with the handler, or nil.
	Check() error
}

// A Finder is a Handler that always calls the same function for an event, and can tell which. It is
// asked about an event that comes again and again, and about Default, for which the kernel would
// otherwise have to pack up each event that nobody handles.
type Finder interface {
	Handler

	// Find returns what Handle calls for an event of that name, or nil if it calls nothing.
	Find(name string) HandlerFunc
}
