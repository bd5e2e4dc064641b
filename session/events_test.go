package session_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

func nothing(*kernel.Event) {}

// A counter has a handler that is a method: an object state.
type counter struct{ n int }

func (c *counter) count(e *kernel.Event) {
	c.n++
	e.Result = c.n
}

// double is a handler that is a function of the package: a package state.
func double(e *kernel.Event, n int) { e.Result = 2 * n }

func TestEventsMixesKindsOfHandlers(t *testing.T) {
	k := newKernel(t)
	c := new(counter)
	s := k.Create(session.Events{
		kernel.Start: nothing,
		"inline":     func(e *kernel.Event) { e.Result = e.Name },
		"object":     c.count,
		"package":    session.On(double),
	})
	for _, test := range []struct {
		event string
		args  []any
		want  any
	}{
		{"inline", nil, "inline"},
		{"object", nil, 1},
		{"object", nil, 2},
		{"package", []any{21}, 42},
	} {
		got, err := k.Call(s, test.event, test.args...)
		if got != test.want || err != nil {
			t.Errorf("Call(%q, %v) = %v, %v, want %v", test.event, test.args, got, err, test.want)
		}
	}
	run(t, k)
}

func TestEventsUnknownEvent(t *testing.T) {
	k := newKernel(t)
	var d diary
	table := session.Events{kernel.Start: nothing}
	s := k.Create(table)
	if _, err := k.Call(s, "nobody"); !errors.Is(err, kernel.ErrNoHandler) {
		t.Errorf("Call of an unknown event: %v, want %v", err, kernel.ErrNoHandler)
	}
	table = session.Join(table, session.Events{
		kernel.Default: func(e *kernel.Event) { d.add("%s %v", e.Name, e.Args) },
	})
	s = k.Create(table)
	if _, err := k.Call(s, "nobody", 1, "a"); err != nil {
		t.Errorf("Call of an event for Default: %v", err)
	}
	d.check(t, "_default [nobody [1 a]]")
}

// Session.State adds to the session, and not to a table that others may share.
func TestEventsStateLeavesTheTable(t *testing.T) {
	k := newKernel(t)
	table := session.Events{
		kernel.Start: nothing,
		"who":        func(e *kernel.Event) { e.Result = "table" },
	}
	one, other := k.Create(table), k.Create(table)
	one.State("who", func(e *kernel.Event) { e.Result = "state" })
	one.State("new", nothing)
	for _, test := range []struct {
		s    *kernel.Session
		want string
	}{{one, "state"}, {other, "table"}} {
		if got, err := k.Call(test.s, "who"); got != test.want || err != nil {
			t.Errorf("%v: who is %v, %v, want %v", test.s, got, err, test.want)
		}
	}
	if len(table) != 2 {
		t.Errorf("the table has %d events, want 2", len(table))
	}
}

func TestOnRefusesOtherTypes(t *testing.T) {
	for _, test := range []struct {
		args []any
		want string
	}{
		{[]any{"text"}, `event "double": argument 0 is a string, and not a int`},
		{nil, `event "double": argument 0 is a <nil>, and not a int`},
	} {
		e := kernel.Event{Name: "double", Args: test.args}
		panics(t, test.want, func() { session.On(double)(&e) })
	}
	e := kernel.Event{Name: "double", Args: []any{4, "more"}}
	if session.On(double)(&e); e.Result != 8 {
		t.Errorf("double(4) = %v, want 8", e.Result)
	}
}

func TestJoin(t *testing.T) {
	f := func(name string) kernel.HandlerFunc {
		return func(e *kernel.Event) { e.Result = name }
	}
	left := session.Events{"a": f("a"), "b": f("b")}
	all := session.Join(left, session.Events{"c": f("c")}, nil)
	if len(all) != 3 || len(left) != 2 {
		t.Errorf("Join has %d events and left %d, want 3 and 2", len(all), len(left))
	}
	for _, name := range []string{"a", "b", "c"} {
		e := kernel.Event{Name: name}
		if all.Handle(&e); e.Result != name {
			t.Errorf("event %q went to the handler of %v", name, e.Result)
		}
	}
	if got := session.Join(); got == nil || len(got) != 0 {
		t.Errorf("Join() = %v, want an empty table", got)
	}
	panics(t, `session: Join: event "b" has two handlers`, func() {
		session.Join(left, session.Events{"b": nothing})
	})
}

func TestEventsCheck(t *testing.T) {
	for _, test := range []struct {
		name  string
		table session.Events
		want  string
	}{
		{"good", session.Events{kernel.Start: nothing}, "<nil>"},
		{"nil", nil, `session: the table has no "_start"`},
		{"no start", session.Events{"a": nothing}, `session: the table has no "_start"`},
		{
			"no function", session.Events{kernel.Start: nothing, "b": nil, "a": nil},
			"session: event \"a\" has no function\nsession: event \"b\" has no function",
		},
		{
			"signal", session.Events{kernel.Start: nothing, "_signal": nothing},
			"session: no handler is named _signal; see Sig",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := fmt.Sprint(test.table.Check())
			if got != test.want {
				t.Errorf("Check() = %q, want %q", got, test.want)
			}
			if got != "<nil>" {
				panics(t, test.want, func() { newKernel(t).Create(test.table) })
			}
		})
	}
}

func TestEventsDoNotAllocate(t *testing.T) {
	c := new(counter)
	table := session.Events{
		"count":   func(*kernel.Event) { c.n++ },
		"pointer": session.On(func(_ *kernel.Event, c *counter) { c.n++ }),
	}
	for _, e := range []*kernel.Event{
		{Name: "count"}, {Name: "pointer", Args: []any{c}}, {Name: "unknown"},
	} {
		if n := testing.AllocsPerRun(100, func() { table.Handle(e) }); n != 0 {
			t.Errorf("event %q: %v allocations, want 0", e.Name, n)
		}
	}
}
