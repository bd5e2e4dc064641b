package session

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/go-poe/poe/kernel"
)

// Events is a session as a table: for each event's name, the function that handles it.
//
// A function literal makes what POE calls an inline state, a method value an object state, and a
// function of a package a package state. A table may mix them. It must have kernel.Start, and is
// not changed once a session uses it; Session.State adds to the session, not to the table.
//
// POE: inline_states, object_states, package_states.
type Events map[string]kernel.HandlerFunc

// Handle calls the function for the event's name.
func (t Events) Handle(e *kernel.Event) {
	if f := t[e.Name]; f != nil {
		f(e)
		return
	}
	e.Unhandled()
}

// Find returns the function for the name, or nil.
func (t Events) Find(name string) kernel.HandlerFunc { return t[name] }

// Check reports a table without kernel.Start, a name without a function, and the name _signal,
// which POE has given up in favour of Session.Sig.
func (t Events) Check() error {
	wrong := t[kernel.Start] == nil
	for name, f := range t {
		wrong = wrong || f == nil || name == "_signal"
	}
	if !wrong {
		return nil
	}
	var errs []error
	if t[kernel.Start] == nil {
		errs = append(errs, fmt.Errorf("session: the table has no %q", kernel.Start))
	}
	for _, name := range slices.Sorted(maps.Keys(t)) {
		switch {
		case name == "_signal":
			errs = append(errs, errors.New("session: no handler is named _signal; see Sig"))
		case t[name] == nil:
			errs = append(errs, fmt.Errorf("session: event %q has no function", name))
		}
	}
	return errors.Join(errs...)
}

// Join makes one table of several. A name that is in two of them is a mistake of the programmer,
// and panics.
func Join(tables ...Events) Events {
	all := make(Events)
	for _, t := range tables {
		for _, name := range slices.Sorted(maps.Keys(t)) {
			if all[name] != nil {
				panic(fmt.Sprintf("session: Join: event %q has two handlers", name))
			}
			all[name] = t[name]
		}
	}
	return all
}

// On makes a handler of a function that takes the event's first argument with its type.
func On[T any](f func(e *kernel.Event, arg T)) kernel.HandlerFunc {
	return func(e *kernel.Event) { f(e, kernel.Arg[T](e, 0)) }
}
