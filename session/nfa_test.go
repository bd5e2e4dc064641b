package session_test

import (
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// A lightSwitch is a machine whose handlers are methods, as those of a component are.
type lightSwitch struct {
	*session.NFA
	presses int
}

func newLightSwitch() *lightSwitch {
	l := new(lightSwitch)
	l.NFA = session.NewNFA(session.States{
		"off": {"pressed": l.turn("on")},
		"on":  {"pressed": l.turn("off")},
	}, session.NFAOptions{Initial: "off"})
	return l
}

func (l *lightSwitch) turn(to string) kernel.HandlerFunc {
	return func(*kernel.Event) {
		l.presses++
		l.GotoState(to, "")
	}
}

// Handle answers what is the same in all states itself.
func (l *lightSwitch) Handle(e *kernel.Event) {
	switch e.Name {
	case "presses":
		e.Result = l.presses
	case "cut":
		l.Stop()
	default:
		l.NFA.Handle(e)
	}
}

// TestNFALightSwitch is the first half of POE's ses_nfa: a switch, pressed ten times.
func TestNFALightSwitch(t *testing.T) {
	k := newKernel(t)
	var d diary
	l := newLightSwitch()
	s := k.Create(l)
	if err := s.AliasSet("switch"); err != nil {
		t.Fatal(err)
	}
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Yield("push", 10) },
		"push": session.On(func(e *kernel.Event, left int) {
			d.add("%s", l.CurrentState())
			if left == 0 {
				_ = e.Session.Post(kernel.Alias("switch"), "cut")
				return
			}
			_ = e.Session.Post(kernel.Alias("switch"), "pressed")
			e.Session.Delay("push", time.Second, left-1)
		}),
	})
	if got, err := k.Call(s, "presses"); got != 0 || err != nil {
		t.Errorf("before the first press: %v, %v, want 0", got, err)
	}
	run(t, k)
	d.check(t, "off", "on", "off", "on", "off", "on", "off", "on", "off", "on", "off")
	if l.presses != 10 {
		t.Errorf("%d presses, want 10", l.presses)
	}
}

func TestNFALooksInStateThenInSession(t *testing.T) {
	k := newKernel(t)
	var d diary
	say := func(who string) kernel.HandlerFunc {
		return func(e *kernel.Event) { d.add("%s: %s %v", who, e.Name, e.Args) }
	}
	m := session.NewNFA(session.States{
		"a": {"x": say("a"), kernel.Default: say("a")},
		"b": {},
	}, session.NFAOptions{Initial: "a", Immediate: true})
	s := k.Create(m)
	s.State("x", say("session"))
	s.State("y", say("session"))
	all := func() {
		for _, name := range []string{"x", "y", "z"} {
			if _, err := k.Call(s, name, 1); err != nil {
				t.Errorf("event %q in state %q: %v", name, m.CurrentState(), err)
			}
		}
	}
	all()
	s.State("y", nil)
	s.State("never was", nil)
	all()
	s.State(kernel.Default, say("session"))
	m.GotoState("b", "")
	all()
	d.check(t,
		"a: x [1]", "session: y [1]", "a: _default [z [1]]",
		"a: x [1]", "a: _default [y [1]]", "a: _default [z [1]]",
		"session: x [1]", "session: _default [y [1]]", "session: _default [z [1]]",
	)
	run(t, k)
}

func TestNFAUnknownEventIsAMistake(t *testing.T) {
	for _, test := range []struct{ initial, want string }{
		{"a", `session: event "nobody" from kernel has no handler in state "a" of the NFA`},
		{"", `session: event "nobody" from kernel came before the NFA was in any state`},
	} {
		k := newKernel(t)
		s := k.Create(session.NewNFA(session.States{"a": {}},
			session.NFAOptions{Initial: test.initial}))
		if err := k.Post(s, "nobody"); err != nil {
			t.Fatal(err)
		}
		fails(t, k, test.want)
	}
}

// In POE, a machine that is a parent, or changes its own, needs handlers for that.
func TestNFAFamilyEventsAreNoMistake(t *testing.T) {
	k := newKernel(t)
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			s := e.Session.Create(session.NewNFA(session.States{"a": {
				kernel.Start: func(e *kernel.Event) {
					e.Session.Create(session.Events{kernel.Start: nothing})
				},
				"detach": func(e *kernel.Event) {
					if err := e.Session.DetachMyself(); err != nil {
						t.Error(err)
					}
				},
			}}, session.NFAOptions{Initial: "a"}))
			e.Session.Create(session.NewNFA(session.States{"a": {}}, session.NFAOptions{}))
			_ = e.Session.Post(s, "detach")
		},
	})
	run(t, k)
}

func TestNFADefaultGetsFamilyEventsButNotStartAndStop(t *testing.T) {
	k := newKernel(t)
	var d diary
	k.Create(session.NewNFA(session.States{"a": {
		"child": func(e *kernel.Event) {
			e.Session.Create(session.Events{kernel.Start: nothing})
		},
		kernel.Default: func(e *kernel.Event) { d.add("%v", e.Args[0]) },
	}}, session.NFAOptions{Initial: "a"}))
	if err := k.Post(kernel.ID(1), "child"); err != nil {
		t.Fatal(err)
	}
	run(t, k)
	d.check(t, "_child", "_child")
}

func TestNFAInitialStateHandlesStart(t *testing.T) {
	k := newKernel(t)
	var d diary
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			var m *session.NFA
			m = session.NewNFA(session.States{
				"a": {kernel.Start: func(e *kernel.Event) {
					d.add("start %v in %q", e.Args, m.CurrentState())
					e.Result = "started"
					m.GotoState("b", "")
					d.add("still in %q", m.CurrentState())
				}},
				"b": {kernel.Stop: func(e *kernel.Event) {
					d.add("stop in %q", m.CurrentState())
					e.Result = "stopped"
				}},
			}, session.NFAOptions{Initial: "a"})
			if m.CurrentState() != "" || m.Session() != nil {
				t.Errorf("before Create: in %q of %v", m.CurrentState(), m.Session())
			}
			if s := e.Session.Create(m, 1, "two"); m.Session() != s {
				t.Errorf("the session is %v, want %v", m.Session(), s)
			}
		},
		kernel.Child: func(e *kernel.Event) { d.add("%v %v", e.Args[0], e.Args[2]) },
	})
	run(t, k)
	d.check(t,
		`start [1 two] in "a"`, `still in "a"`, "create started",
		`stop in "b"`, "lose stopped",
	)
}

func TestNFARunstateIsTheHeap(t *testing.T) {
	var got any
	states := session.States{"a": {"x": func(e *kernel.Event) { got = e.Heap }}}
	for _, test := range []struct {
		runstate, heap, want any
	}{
		{"runstate", "heap", "runstate"},
		{"runstate", nil, "runstate"},
		{nil, "heap", "heap"},
		{nil, nil, nil},
	} {
		k := newKernel(t)
		m := session.NewNFA(states, session.NFAOptions{Initial: "a", Runstate: test.runstate})
		s := k.CreateWith(m, kernel.CreateOptions{Heap: test.heap})
		if _, err := k.Call(s, "x"); err != nil {
			t.Fatal(err)
		}
		if got != test.want || m.Runstate() != test.runstate {
			t.Errorf("Heap is %v with Runstate %v, want %v and %v",
				got, m.Runstate(), test.want, test.runstate)
		}
	}
}

// A callback is for the state of the moment, a postback for the one in which it arrives.
func TestNFACallbackAndPostback(t *testing.T) {
	k := newKernel(t)
	var d diary
	var m *session.NFA
	var back *kernel.Postback
	hear := func(e *kernel.Event) { d.add("%s %v in %q", e.Name, e.Args, m.CurrentState()) }
	m = session.NewNFA(session.States{
		"a": {
			"back": hear,
			kernel.Start: func(e *kernel.Event) {
				back = e.Session.Postback("back", 1)
				call := e.Session.Callback("back", 2)
				m.GotoState("b", "")
				if err := back.Post("posted"); err != nil {
					t.Error(err)
				}
				if _, err := call.Call("called"); err != nil {
					t.Error(err)
				}
				call.Close()
			},
		},
		"b": {"back": func(e *kernel.Event) {
			hear(e)
			back.Close()
		}},
	}, session.NFAOptions{Initial: "a"})
	k.Create(m)
	run(t, k)
	d.check(t, `back [[2] [called]] in "a"`, `back [[1] [posted]] in "b"`)
}

func TestNFAStop(t *testing.T) {
	k := newKernel(t)
	var d diary
	var m *session.NFA
	var child *kernel.Session
	m = session.NewNFA(session.States{"a": {
		kernel.Start: func(e *kernel.Event) {
			_ = e.Session.AliasSet("machine")
			e.Session.Delay("late", time.Hour)
			child = e.Session.Create(session.Events{
				kernel.Start: func(e *kernel.Event) { e.Session.Delay("tick", time.Minute) },
				"tick":       func(*kernel.Event) { d.add("the child lives") },
			})
			e.Session.Yield("before")
			m.Stop()
			m.Stop()
			e.Session.Yield("after")
			m.GotoState("b", "enter")
		},
		"before":      func(*kernel.Event) { d.add("before") },
		"after":       func(*kernel.Event) { d.add("after") },
		"late":        func(*kernel.Event) { d.add("late") },
		session.Leave: func(*kernel.Event) { d.add("leave") },
		kernel.Stop: func(e *kernel.Event) {
			d.add("stop in %q", m.CurrentState())
		},
	}, "b": {"enter": func(*kernel.Event) { d.add("enter") }}}, session.NFAOptions{Initial: "a"})
	s := k.Create(m)
	run(t, k)
	d.check(t, "before", `stop in "a"`, "the child lives")
	if !s.Ended() || !child.Ended() {
		t.Errorf("ended: machine %v, child %v, want both", s.Ended(), child.Ended())
	}
	s.SetOption("immediate", true)
	m.Stop()
	m.GotoState("b", "enter")
	if got := m.CurrentState(); got != "a" {
		t.Errorf("after the end it went to state %q", got)
	}
}

func TestNewNFARefuses(t *testing.T) {
	good := session.States{"a": {}}
	for _, test := range []struct {
		name   string
		states session.States
		opts   session.NFAOptions
		want   string
	}{
		{"nothing", nil, session.NFAOptions{}, "session: States has no state"},
		{"no name", session.States{"": {}}, session.NFAOptions{},
			"session: States has a state without a name"},
		{
			"events", session.States{
				"b": {"x": nil, "": nothing},
				"a": {"poe_nfa_stop": nothing, "_signal": nothing, "good": nothing},
			}, session.NFAOptions{},
			`session: state "a": event "_signal" cannot have a handler; see Sig
session: state "a": event "poe_nfa_stop" is the machine's own
session: state "b": event "" has no name
session: state "b": event "x" has no function`,
		},
		{"initial", good, session.NFAOptions{Initial: "b"},
			`session: NFAOptions: Initial is "b", which is no state`},
		{"depth", good, session.NFAOptions{MaxDepth: -1},
			"session: NFAOptions: MaxDepth is below 0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			panics(t, test.want, func() { session.NewNFA(test.states, test.opts) })
		})
	}
}

func TestNFAIsOneSession(t *testing.T) {
	k := newKernel(t)
	m := session.NewNFA(session.States{"a": {}}, session.NFAOptions{Initial: "a"})
	panics(t, "session: NFA: Stop before Create", func() { m.Stop() })
	k.Create(m)
	const want = "session: the NFA is session 1 already, and cannot be another"
	panics(t, want, func() { k.Create(m) })
	panics(t, `session: event "poe_nfa_pop_state" is the NFA's own`, func() {
		m.Session().State("poe_nfa_pop_state", nothing)
	})
	run(t, k)
	panics(t, want, func() { k.Create(m) })

	// A Handler that hides the machine from Create does not change that.
	k = newKernel(t)
	k.Create(kernel.HandlerFunc(m.Handle))
	fails(t, k, "session: the NFA is ")
}

func TestNFADoesNotAllocate(t *testing.T) {
	k := newKernel(t)
	type ball struct{ n int }
	var m *session.NFA
	play := func(to string) kernel.HandlerFunc {
		return session.On(func(_ *kernel.Event, b *ball) {
			b.n++
			m.GotoState(to, "got", b)
		})
	}
	m = session.NewNFA(session.States{
		"ping": {"ball": play("pong"), "got": nothing, session.Leave: nothing},
		"pong": {"ball": play("ping"), "got": nothing},
	}, session.NFAOptions{Initial: "ping", Immediate: true})
	s := k.Create(m)
	s.State("added", nothing)
	b := new(ball)
	for _, name := range []string{"got", "added", "ball"} {
		e := &kernel.Event{Session: s, Name: name, Args: []any{b}}
		if n := testing.AllocsPerRun(100, func() { m.Handle(e) }); n != 0 {
			t.Errorf("event %q: %v allocations, want 0", name, n)
		}
	}
	if b.n == 0 {
		t.Error("the ball was not played")
	}
	run(t, k)
}
