package session

import (
	"fmt"
	"maps"
	"slices"

	"github.com/go-poe/poe/kernel"
)

// A Multi is a session in which an event may have several handlers. They are called in the order
// in which they were added, unless Up, Down, First, Last or Swap has changed that, each with the
// same Event.
//
// So they share its Result: each handler sees what those before it have set, and what is there
// after the last one is the answer. An event without any handler goes to those of kernel.Default.
//
// A change of the handlers, which is allowed at any time, counts from the next event on: the one
// that is being handled goes on with the handlers that it began with.
//
// The zero value has no handlers. It becomes a session by Kernel.Create once it has some for
// kernel.Start. A Multi is not copied after that, and is one session.
//
// POE: POE::Session::MultiDispatch, where no result comes back, and a change of order disturbs
// the event that is being handled.
type Multi struct {
	handlers map[string][]handler // none is changed in its place: it may be under way
	progress progress             // of the innermost event that is being handled
}

// A handler is a function with a name, by which it can be told from others for the same event.
type handler struct {
	name string
	call kernel.HandlerFunc
}

// A progress is how far the handlers of one event have come.
type progress uint8

const (
	idle    progress = iota // no event is being handled
	going                   // the next handler will be called
	stopped                 // it will not
)

// Add adds a handler behind those that the event has. Its name, and the event's, are not empty,
// and no other handler for that event has the name; otherwise, or without a function, Add panics.
func (m *Multi) Add(event, name string, f kernel.HandlerFunc) {
	switch {
	case event == "" || name == "":
		panic(fmt.Sprintf("session: Multi: event %q, handler %q: a name is missing", event, name))
	case event == "_signal":
		panic("session: Multi: no event is named _signal; see Sig")
	case f == nil:
		panic(fmt.Sprintf("session: Multi: handler %q for event %q has no function", name, event))
	case m.find(event, name) >= 0:
		panic(fmt.Sprintf("session: Multi: event %q has a handler %q already", event, name))
	}
	m.add(event, handler{name, f})
}

// AddAll adds the handlers of a table, all under the same name: that of the object or the package
// which they belong to. See Add.
//
// POE: object_states, package_states.
func (m *Multi) AddAll(name string, t Events) {
	for _, event := range slices.Sorted(maps.Keys(t)) {
		m.Add(event, name, t[event])
	}
}

// Remove takes a handler away. It returns an error that is kernel.ErrNoHandler if there is no
// such one.
func (m *Multi) Remove(event, name string) error {
	at, err := m.place(event, name)
	if err != nil {
		return err
	}
	m.set(event, slices.Delete(slices.Clone(m.handlers[event]), at, at+1))
	return nil
}

// State is for Session.State: it adds a handler behind the others, or puts it in the place of the
// one that State has added before. That one, alone, has the empty name. With nil it takes all
// handlers of the event away.
//
// POE: state, which adds another one each time, unless the event's only handler came from there.
func (m *Multi) State(event string, f kernel.HandlerFunc) {
	if f == nil {
		delete(m.handlers, event)
		return
	}
	at := m.find(event, "")
	if at < 0 {
		m.add(event, handler{"", f})
		return
	}
	list := slices.Clone(m.handlers[event])
	list[at].call = f
	m.set(event, list)
}

// Names returns the names of the handlers of an event, in the order in which they are called. The
// one that State has added is "".
func (m *Multi) Names(event string) []string {
	names := make([]string, len(m.handlers[event]))
	for i, h := range m.handlers[event] {
		names[i] = h.name
	}
	return names
}

// Check is for Create: it reports that there is no handler for kernel.Start.
func (m *Multi) Check() error {
	if len(m.handlers[kernel.Start]) == 0 {
		return fmt.Errorf("session: Multi has no handler for %q", kernel.Start)
	}
	return nil
}

// Handle calls the handlers of e, one after the other.
func (m *Multi) Handle(e *kernel.Event) {
	list := m.handlers[e.Name]
	if len(list) == 0 {
		e.Unhandled()
		return
	}
	outer := m.progress
	m.progress = going
	defer func() { m.progress = outer }() // a handler may panic
	for _, h := range list {
		h.call(e)
		if m.progress == stopped {
			return
		}
	}
}

// Stop keeps the other handlers of the event that is being handled from being called. The next
// event has all of its handlers again, and so has one that a handler calls meanwhile. When no
// event is being handled, Stop does nothing.
//
// POE: stop, which in the last handler hits the next event.
func (m *Multi) Stop() {
	if m.progress == going {
		m.progress = stopped
	}
}

// Go takes back a Stop of the same handler.
//
// POE: go.
func (m *Multi) Go() {
	if m.progress == stopped {
		m.progress = going
	}
}

// Status reports whether an event is being handled and its next handler, if there is one, will be
// called.
//
// POE: status.
func (m *Multi) Status() bool { return m.progress == going }

// add puts h behind the other handlers of an event.
func (m *Multi) add(event string, h handler) {
	m.set(event, append(m.handlers[event], h))
}

// set replaces the handlers of an event.
func (m *Multi) set(event string, list []handler) {
	if m.handlers == nil {
		m.handlers = make(map[string][]handler)
	}
	if len(list) == 0 {
		delete(m.handlers, event)
		return
	}
	m.handlers[event] = list
}

// find returns the place of a handler of an event, or -1.
func (m *Multi) find(event, name string) int {
	return slices.IndexFunc(m.handlers[event], func(h handler) bool { return h.name == name })
}

// place is find with an error.
func (m *Multi) place(event, name string) (int, error) {
	at := m.find(event, name)
	if at < 0 {
		return 0, fmt.Errorf("session: event %q, handler %q: %w", event, name, kernel.ErrNoHandler)
	}
	return at, nil
}

var _ kernel.Stater = (*Multi)(nil)
