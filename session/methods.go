package session

import (
	"fmt"

	"github.com/go-poe/poe/kernel"
)

// Methods is a table that all sessions of one kind share: for each event's name, a method
// expression of T. Of makes a session's handler of it. That takes less than a table of each
// session's own, which counts where there are many, or where they come and go.
//
//	var connEvents = session.Methods[*conn]{
//		kernel.Start: (*conn).start,
//		"got_line":   session.OnMethod((*conn).gotLine),
//	}
//
//	parent.Create(connEvents.Of(&conn{...}))
//
// It must have kernel.Start, and is not changed once a session uses it.
//
// POE: package_states, and object_states with many objects of one class.
type Methods[T any] map[string]func(T, *kernel.Event)

// Of returns a handler that calls the methods of object.
func (t Methods[T]) Of(object T) kernel.Handler { return &methods[T]{table: t, object: object} }

// OnMethod makes an entry of a Methods of a method that takes the event's first argument with its
// type.
func OnMethod[T, A any](f func(T, *kernel.Event, A)) func(T, *kernel.Event) {
	return func(object T, e *kernel.Event) { f(object, e, kernel.Arg[A](e, 0)) }
}

// methods are the Methods of one object.
type methods[T any] struct {
	table  Methods[T]
	object T

	name  string // of the event that Find was asked for last
	found kernel.HandlerFunc
}

// Handle calls the method for the event's name.
func (m *methods[T]) Handle(e *kernel.Event) {
	if f := m.table[e.Name]; f != nil {
		f(m.object, e)
		return
	}
	e.Unhandled()
}

// Find returns the object's method for the name, or nil.
func (m *methods[T]) Find(name string) kernel.HandlerFunc {
	if m.found != nil && m.name == name {
		return m.found
	}
	f := m.table[name]
	if f == nil {
		return nil
	}
	m.name, m.found = name, func(e *kernel.Event) { f(m.object, e) }
	return m.found
}

// Check reports a table without kernel.Start.
func (m *methods[T]) Check() error {
	if m.table[kernel.Start] == nil {
		return fmt.Errorf("session: the table has no %q", kernel.Start)
	}
	return nil
}
