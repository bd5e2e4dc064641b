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

// A Knower is a Handler that can tell whether it knows an event. It is asked about Default, for
// which the kernel would otherwise have to pack up each event that nobody handles.
type Knower interface {
	Handler

	// Knows reports whether the handler would handle an event of that name.
	Knows(name string) bool
}
