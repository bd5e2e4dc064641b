package session

import (
	"math"
	"slices"
)

// Up moves a handler n places up, nearer to the first, but not beyond that. The others keep their
// order. With n below 0 it moves the handler down. It returns an error that is
// kernel.ErrNoHandler if the event has no such handler.
//
// POE: up, which exchanges it with the handler that is in that place.
func (m *Multi) Up(event, name string, n int) error { return m.move(event, name, -n) }

// Down moves a handler n places down, nearer to the last. See Up.
//
// POE: down, which exchanges.
func (m *Multi) Down(event, name string, n int) error { return m.move(event, name, n) }

// First moves a handler ahead of all others of the event. See Up.
//
// POE: first, which exchanges.
func (m *Multi) First(event, name string) error { return m.move(event, name, -math.MaxInt) }

// Last moves a handler behind all others of the event. See Up.
//
// POE: last, which exchanges.
func (m *Multi) Last(event, name string) error { return m.move(event, name, math.MaxInt) }

// Swap exchanges two handlers of an event. See Up.
//
// POE: swap.
func (m *Multi) Swap(event, one, other string) error {
	i, err := m.place(event, one)
	if err != nil {
		return err
	}
	j, err := m.place(event, other)
	if err != nil {
		return err
	}
	list := slices.Clone(m.handlers[event])
	list[i], list[j] = list[j], list[i]
	m.set(event, list)
	return nil
}

// move moves a handler down by n places, or up if n is below 0, as far as there are any.
func (m *Multi) move(event, name string, n int) error {
	from, err := m.place(event, name)
	if err != nil {
		return err
	}
	list := slices.Clone(m.handlers[event])
	to := from + max(-from, min(n, len(list)-1-from))
	h := list[from]
	list = slices.Delete(list, from, from+1)
	m.set(event, slices.Insert(list, to, h))
	return nil
}
