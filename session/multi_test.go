package session_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// A chorus is a Multi whose handlers write their names into a diary.
type chorus struct {
	session.Multi
	diary
}

// newChorus makes a session with one handler for "sing" of each name, and one for Start.
func newChorus(k *kernel.Kernel, names ...string) (*chorus, *kernel.Session) {
	m := new(chorus)
	m.Add(kernel.Start, "inline", nothing)
	for _, name := range names {
		m.Add("sing", name, m.voice(name, nil))
	}
	return m, k.Create(m)
}

// voice returns a handler that writes its name and then does more.
func (m *chorus) voice(name string, more func()) kernel.HandlerFunc {
	return func(*kernel.Event) {
		m.add("%s", name)
		if more != nil {
			more()
		}
	}
}

// sing calls the handlers of "sing", and checks who they were.
func (m *chorus) sing(t testing.TB, s *kernel.Session, want ...string) {
	t.Helper()
	m.diary = nil
	if _, err := s.Call(s, "sing"); err != nil {
		t.Errorf("sing: %v", err)
	}
	m.check(t, want...)
}

// TestMultiKinds is the test of POE's MultiDispatch: handlers of all three kinds for one event,
// and a change of their order.
func TestMultiKinds(t *testing.T) {
	var d diary
	say := func(what string) kernel.HandlerFunc {
		return func(e *kernel.Event) { d.add("%s %s", what, e.Name) }
	}
	object, pkg := session.Events{}, session.Events{}
	for _, event := range []string{kernel.Start, "count", kernel.Stop} {
		object[event], pkg[event] = say("object"), say("package")
	}
	var m session.Multi
	m.Add(kernel.Start, "inline", say("inline"))
	m.AddAll("package", pkg)
	m.AddAll("object", object)
	m.Add(kernel.Start, "last", func(e *kernel.Event) {
		if err := m.Swap("count", "package", "object"); err != nil {
			t.Error(err)
		}
		e.Session.Yield("count")
	})
	k := newKernel(t)
	k.Create(&m)
	run(t, k)
	d.check(t,
		"inline _start", "package _start", "object _start",
		"object count", "package count",
		"package _stop", "object _stop",
	)
}

func TestMultiResult(t *testing.T) {
	for _, test := range []struct {
		name    string
		results []any // what each handler sets; nil for one that sets nothing
		want    any
	}{
		{"none", []any{nil, nil}, nil},
		{"first", []any{"one", nil}, "one"},
		{"last", []any{"one", "two"}, "two"},
		{"middle", []any{"one", "two", nil}, "two"},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := newKernel(t)
			var m session.Multi
			m.Add(kernel.Start, "inline", nothing)
			var before any
			for i, result := range test.results {
				m.Add("ask", string(rune('a'+i)), func(e *kernel.Event) {
					if e.Result != before {
						t.Errorf("handler %d sees %v, want %v", i, e.Result, before)
					}
					if result != nil {
						e.Result, before = result, result
					}
				})
			}
			if got, err := k.Call(k.Create(&m), "ask"); got != test.want || err != nil {
				t.Errorf("Call = %v, %v, want %v", got, err, test.want)
			}
		})
	}
}

func TestMultiStopIsForOneEvent(t *testing.T) {
	k := newKernel(t)
	m, s := newChorus(k, "a")
	m.Add("sing", "stop", m.voice("stop", m.Stop))
	m.Add("sing", "b", m.voice("b", nil))
	m.sing(t, s, "a", "stop")
	m.sing(t, s, "a", "stop")

	// In POE, a Stop in the last handler stops the next event.
	if err := m.Last("sing", "stop"); err != nil {
		t.Error(err)
	}
	m.sing(t, s, "a", "b", "stop")
	m.sing(t, s, "a", "b", "stop")

	m.Stop() // while nothing is being handled
	m.sing(t, s, "a", "b", "stop")
}

func TestMultiGo(t *testing.T) {
	k := newKernel(t)
	m, s := newChorus(k)
	m.Add("sing", "a", m.voice("a", func() {
		for _, step := range []struct {
			do   func()
			want bool
		}{{func() {}, true}, {m.Stop, false}, {m.Stop, false}, {m.Go, true}, {m.Go, true}} {
			step.do()
			if got := m.Status(); got != step.want {
				t.Errorf("Status is %v, want %v", got, step.want)
			}
		}
	}))
	m.Add("sing", "b", m.voice("b", nil))
	m.Stop()
	m.Go()
	if m.Status() {
		t.Error("Status is true before any event")
	}
	m.sing(t, s, "a", "b")
	if m.Status() {
		t.Error("Status is true after the event")
	}
}

// An event inside an event has a Stop of its own, whichever of the two it is in.
func TestMultiStopInNestedEvents(t *testing.T) {
	k := newKernel(t)
	m, s := newChorus(k)
	inner := func() {
		if _, err := s.Call(s, "inner"); err != nil {
			t.Error(err)
		}
	}
	m.Add("inner", "x", m.voice("x", m.Stop))
	m.Add("inner", "y", m.voice("y", nil))
	m.Add("sing", "a", m.voice("a", inner))
	m.Add("sing", "b", m.voice("b", func() {
		m.Stop()
		inner()
	}))
	m.Add("sing", "c", m.voice("c", nil))
	m.sing(t, s, "a", "x", "b", "x")
}

// A handler that panics ends its event, and no other, and leaves no Stop behind.
func TestMultiHandlerPanics(t *testing.T) {
	k := newKernel(t)
	m, s := newChorus(k)
	s.Sig("DIE", "caught")
	m.Add("caught", "inline", func(e *kernel.Event) { e.Kernel.SigHandled() })
	bad := true
	m.Add("inner", "x", func(*kernel.Event) {
		m.Stop()
		if bad {
			panic("as ordered")
		}
	})
	m.Add("sing", "a", m.voice("a", func() {
		if _, err := s.Call(s, "inner"); (err != nil) != bad {
			t.Errorf("inner: %v", err)
		}
	}))
	m.Add("sing", "b", m.voice("b", nil))
	m.sing(t, s, "a", "b")
	bad = false
	m.sing(t, s, "a", "b")
	run(t, k)
}

func TestMultiUnknownEvent(t *testing.T) {
	k := newKernel(t)
	m, s := newChorus(k)
	for range 2 {
		if _, err := k.Call(s, "nobody"); !errors.Is(err, kernel.ErrNoHandler) {
			t.Errorf("Call of an unknown event: %v, want %v", err, kernel.ErrNoHandler)
		}
	}
	for _, name := range []string{"one", "two"} {
		m.Add(kernel.Default, name, func(e *kernel.Event) {
			m.add("%s: %s %v", name, e.Name, e.Args)
		})
	}
	for range 2 {
		if _, err := k.Call(s, "nobody", 1, 2); err != nil {
			t.Error(err)
		}
	}
	const one, two = "one: _default [nobody [1 2]]", "two: _default [nobody [1 2]]"
	m.check(t, one, two, one, two)
	if got := m.Names("nobody"); len(got) != 0 {
		t.Errorf("the unknown event has handlers now: %q", got)
	}
}

func TestMultiState(t *testing.T) {
	k := newKernel(t)
	m, s := newChorus(k, "a", "b")
	s.State("sing", m.voice("state", nil))
	m.sing(t, s, "a", "b", "state")
	s.State("sing", m.voice("another", nil))
	m.sing(t, s, "a", "b", "another")
	if err := m.First("sing", ""); err != nil {
		t.Error(err)
	}
	s.State("sing", m.voice("third", nil))
	m.sing(t, s, "third", "a", "b")

	s.State("sing", nil)
	if _, err := k.Call(s, "sing"); !errors.Is(err, kernel.ErrNoHandler) {
		t.Errorf("after State(nil): %v, want %v", err, kernel.ErrNoHandler)
	}
	s.State("sing", m.voice("alone", nil))
	m.sing(t, s, "alone")
	s.State("never was", nil)
}

func TestMultiRemove(t *testing.T) {
	k := newKernel(t)
	m, s := newChorus(k, "a", "b", "c")
	for _, test := range []struct {
		name string
		want []string
	}{{"b", []string{"a", "c"}}, {"a", []string{"c"}}} {
		if err := m.Remove("sing", test.name); err != nil {
			t.Error(err)
		}
		m.sing(t, s, test.want...)
	}
	if err := m.Remove("sing", "c"); err != nil {
		t.Error(err)
	}
	if _, err := k.Call(s, "sing"); !errors.Is(err, kernel.ErrNoHandler) {
		t.Errorf("after the last is removed: %v, want %v", err, kernel.ErrNoHandler)
	}
}

// An event goes on with the handlers with which it began. In POE, one that moves down runs again.
func TestMultiChangesWhileHandling(t *testing.T) {
	k := newKernel(t)
	m, s := newChorus(k)
	m.Add("sing", "a", m.voice("a", func() {
		for _, err := range []error{m.Last("sing", "a"), m.Remove("sing", "b")} {
			if err != nil {
				t.Error(err)
			}
		}
		m.Add("sing", "d", m.voice("d", func() { s.State("sing", nil) }))
	}))
	m.Add("sing", "b", m.voice("b", nil))
	m.Add("sing", "c", m.voice("c", nil))
	m.sing(t, s, "a", "b", "c")
	if got, want := m.Names("sing"), []string{"c", "a", "d"}; !slices.Equal(got, want) {
		t.Errorf("the handlers are %q, want %q", got, want)
	}
}

// The same goes for the handler that Session.State has set.
func TestMultiStateWhileHandling(t *testing.T) {
	k := newKernel(t)
	m, s := newChorus(k)
	m.Add("sing", "a", m.voice("a", func() { s.State("sing", m.voice("new", nil)) }))
	s.State("sing", m.voice("old", nil))
	m.sing(t, s, "a", "old")
	m.sing(t, s, "a", "new")
}

func TestMultiRefuses(t *testing.T) {
	var m session.Multi
	m.Add("x", "taken", nothing)
	for _, test := range []struct {
		event, name string
		f           kernel.HandlerFunc
		want        string
	}{
		{"", "a", nothing, `session: Multi: event "", handler "a": a name is missing`},
		{"x", "", nothing, `session: Multi: event "x", handler "": a name is missing`},
		{"x", "a", nil, `session: Multi: handler "a" for event "x" has no function`},
		{"x", "taken", nothing, `session: Multi: event "x" has a handler "taken" already`},
		{"_signal", "a", nothing, "session: Multi: no event is named _signal; see Sig"},
	} {
		panics(t, test.want, func() { m.Add(test.event, test.name, test.f) })
	}
	panics(t, `session: Multi: event "x" has a handler "taken" already`, func() {
		m.AddAll("taken", session.Events{"x": nothing})
	})
	panics(t, `session: Multi has no handler for "_start"`, func() { newKernel(t).Create(&m) })
}

func TestMultiDoesNotAllocate(t *testing.T) {
	var m session.Multi
	n := 0
	for _, name := range []string{"a", "b", "c"} {
		m.Add("count", name, func(*kernel.Event) { n++ })
	}
	m.Add("stop", "a", func(*kernel.Event) { m.Stop() })
	for _, e := range []*kernel.Event{{Name: "count"}, {Name: "stop"}, {Name: "unknown"}} {
		if n := testing.AllocsPerRun(100, func() { m.Handle(e) }); n != 0 {
			t.Errorf("event %q: %v allocations, want 0", e.Name, n)
		}
	}
	if n == 0 {
		t.Error("nothing was counted")
	}
}
