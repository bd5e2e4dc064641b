package session_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// TestNFAFibonacci is the second half of POE's ses_nfa: a machine that adds up numbers by calling
// the state which does that from within itself.
func TestNFAFibonacci(t *testing.T) {
	var m *session.NFA
	m = session.NewNFA(session.States{
		"listen": {
			"fib": func(e *kernel.Event) { m.CallState("answer", "add", "fib", e.Args...) },
			"answer": session.On(func(e *kernel.Event, sum int) {
				_ = e.Session.Post(kernel.Alias("asker"), "answer", sum)
			}),
		},
		"add": {
			"fib": session.On(func(_ *kernel.Event, n int) {
				if n < 2 {
					m.ReturnState(n, 0)
					return
				}
				m.CallState("before", "add", "fib", n-1)
			}),
			"before": func(e *kernel.Event) {
				last, before := kernel.Arg[int](e, 0), kernel.Arg[int](e, 1)
				m.ReturnState(last+before, last)
			},
		},
	}, session.NFAOptions{Initial: "listen"})
	k := newKernel(t)
	if err := k.Create(m).AliasSet("server"); err != nil {
		t.Fatal(err)
	}
	todo := []int{0, 1, 2, 3, 4, 5, 17, 23, 29, 43}
	var got []int
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			_ = e.Session.AliasSet("asker")
			e.Session.Yield("ask")
		},
		"ask": func(e *kernel.Event) {
			_ = e.Session.Post(kernel.Alias("server"), "fib", todo[len(got)])
		},
		"answer": session.On(func(e *kernel.Event, sum int) {
			got = append(got, sum)
			if len(got) < len(todo) {
				e.Session.Yield("ask")
			}
		}),
	})
	run(t, k)
	want := []int{0, 1, 1, 2, 3, 5, 1597, 28657, 514229, 433494437}
	if !slices.Equal(got, want) {
		t.Errorf("fib of %v is %v, want %v", todo, got, want)
	}
}

// A machine with a diary of all that it does, in three states.
type traveller struct {
	*session.NFA
	diary
}

func newTraveller(k *kernel.Kernel, opts session.NFAOptions) *traveller {
	m := new(traveller)
	table := func() session.Events {
		return session.Events{
			"do":          func(e *kernel.Event) { kernel.Arg[func()](e, 0)() },
			"enter":       func(e *kernel.Event) { m.note(e) },
			"back":        func(e *kernel.Event) { m.note(e) },
			"event":       func(e *kernel.Event) { m.note(e) },
			session.Leave: func(e *kernel.Event) { m.note(e) },
		}
	}
	c := table()
	delete(c, "back")
	m.NFA = session.NewNFA(session.States{"a": table(), "b": table(), "c": c}, opts)
	k.Create(m)
	return m
}

func (m *traveller) note(e *kernel.Event) { m.add("%s: %s %v", m.CurrentState(), e.Name, e.Args) }

// do has f called in a handler, once the kernel runs.
func (m *traveller) do(f func()) { m.Session().Yield("do", f) }

func TestNFAFirstChangeIsAtOnce(t *testing.T) {
	k := newKernel(t)
	m := newTraveller(k, session.NFAOptions{})
	m.Session().State("before", func(*kernel.Event) { m.add("before") })
	m.Session().Yield("before")
	m.GotoState("a", "enter", 1)
	m.GotoState("b", "enter", 2)
	m.add("sent on its way")
	run(t, k)
	m.check(t, "a: enter [1]", "sent on its way", "before", "a: leave []", "b: enter [2]")
}

func TestNFAChangeWaitsForItsTurn(t *testing.T) {
	k := newKernel(t)
	m := newTraveller(k, session.NFAOptions{Initial: "a"})
	m.do(func() {
		m.GotoState("b", "")
		m.Session().Yield("event", "late")
	})
	m.Session().Yield("event", "early")
	run(t, k)
	m.check(t, "a: event [early]", "a: leave []", "b: event [late]")
}

func TestNFAImmediate(t *testing.T) {
	steps := []string{"a: leave []", "b: enter [1 2 3 4 5]", "b: going on",
		"b: leave []", "c: enter []", "c: leave []", "b: back [x]", "b: event [early]"}
	journey := func(m *traveller) {
		m.GotoState("b", "enter", 1, 2, 3, 4, 5)
		m.add("%s: going on", m.CurrentState())
		m.CallState("back", "c", "enter")
		m.ReturnState("x")
	}
	t.Run("by NFAOptions", func(t *testing.T) {
		k := newKernel(t)
		m := newTraveller(k, session.NFAOptions{Initial: "a", Immediate: true})
		m.do(func() { journey(m) })
		m.Session().Yield("event", "early")
		run(t, k)
		m.check(t, steps...)
	})
	t.Run("by option", func(t *testing.T) {
		k := newKernel(t)
		m := newTraveller(k, session.NFAOptions{Initial: "a"})
		m.do(func() {
			m.Session().SetOption("immediate", "on")
			journey(m)
		})
		m.Session().Yield("event", "early")
		run(t, k)
		m.check(t, steps...)
	})
	t.Run("and no more", func(t *testing.T) {
		k := newKernel(t)
		m := newTraveller(k, session.NFAOptions{Initial: "a", Immediate: true})
		m.do(func() {
			m.Session().SetOption("immediate", false)
			m.GotoState("b", "enter")
		})
		m.Session().Yield("event", "early")
		run(t, k)
		m.check(t, "a: event [early]", "a: leave []", "b: enter []")
	})
}

// An Immediate machine that changed at once while it is left would be left again, for ever.
func TestNFAChangeInLeaveWaits(t *testing.T) {
	k := newKernel(t)
	var m *session.NFA
	var d diary
	m = session.NewNFA(session.States{
		"a": {session.Leave: func(*kernel.Event) {
			d.add("leave %s", m.CurrentState())
			m.GotoState("c", "enter")
		}},
		"b": {"enter": func(*kernel.Event) { d.add("enter %s", m.CurrentState()) }},
		"c": {"enter": func(*kernel.Event) { d.add("enter %s", m.CurrentState()) }},
	}, session.NFAOptions{Initial: "a", Immediate: true})
	k.Create(m)
	m.GotoState("b", "enter")
	run(t, k)
	d.check(t, "leave a", "enter b", "enter c")
}

func TestNFACallsNest(t *testing.T) {
	k := newKernel(t)
	m := newTraveller(k, session.NFAOptions{Initial: "a"})
	depth := func(want int) {
		m.do(func() {
			if got := m.Depth(); got != want {
				t.Errorf("depth %d in %s, want %d", got, m.CurrentState(), want)
			}
		})
	}
	m.CallState("back", "b", "enter", 1)
	depth(1)
	m.CallState("", "c", "enter", 2)
	depth(2)
	m.GotoState("c", "") // the state that returns need not be the one that was called
	m.ReturnState("unheard")
	depth(1)
	m.ReturnState("x", "y")
	depth(0)
	run(t, k)
	m.check(t,
		"a: leave []", "b: enter [1]",
		"b: leave []", "c: enter [2]",
		"c: leave []",
		"c: leave []",
		"b: leave []", "a: back [x y]",
	)
}

func TestNFAMistakesInChangesPanic(t *testing.T) {
	early := session.NewNFA(session.States{"a": {}}, session.NFAOptions{})
	for _, test := range []struct {
		want string
		f    func(m *traveller)
	}{
		{`session: the NFA has no state "nowhere"`,
			func(m *traveller) { m.GotoState("nowhere", "") }},
		{`session: state "a" of the NFA has no event "nothing"`,
			func(m *traveller) { m.GotoState("a", "nothing") }},
		{`session: the NFA has no state "nowhere"`,
			func(m *traveller) { m.CallState("back", "nowhere", "") }},
		{`session: state "a" of the NFA has no event "nothing"`,
			func(m *traveller) { m.CallState("back", "a", "nothing") }},
		{"session: NFA: GotoState before Create",
			func(*traveller) { early.GotoState("a", "") }},
		{"session: NFA: CallState before Create",
			func(*traveller) { early.CallState("", "a", "") }},
		{"session: NFA: ReturnState before Create", func(*traveller) { early.ReturnState() }},
		{"session: NFA: CallState before the first GotoState",
			func(m *traveller) { m.CallState("", "a", "") }},
		{"session: NFA: ReturnState without a CallState",
			func(m *traveller) { m.ReturnState() }},
	} {
		m := newTraveller(newKernel(t), session.NFAOptions{})
		panics(t, test.want, func() { test.f(m) })
	}
}

// What cannot be known before the change is made becomes an exception of the machine.
func TestNFAMistakesInPostedChanges(t *testing.T) {
	for _, test := range []struct {
		want string
		f    func(m *traveller)
	}{
		{"session: NFA: ReturnState without a CallState",
			func(m *traveller) { m.ReturnState() }},
		{`session: state "a" of the NFA has no event "nothing"`,
			func(m *traveller) { m.CallState("nothing", "b", "") }},
		{`session: state "c" of the NFA has no event "back"`, func(m *traveller) {
			m.GotoState("c", "")
			m.CallState("back", "b", "")
		}},
		{`event "poe_nfa_goto_state": argument 0 is a <nil>`,
			func(m *traveller) { m.Session().Yield("poe_nfa_goto_state") }},
	} {
		k := newKernel(t)
		m := newTraveller(k, session.NFAOptions{Initial: "a"})
		test.f(m)
		fails(t, k, test.want)
	}
}

func TestNFACallsHaveALimit(t *testing.T) {
	for _, test := range []struct{ max, want int }{{0, 1024}, {3, 3}} {
		k := newKernel(t)
		var m *session.NFA
		m = session.NewNFA(session.States{"a": {
			"again": func(*kernel.Event) { m.CallState("", "a", "again") },
		}}, session.NFAOptions{Initial: "a", MaxDepth: test.max})
		s := k.Create(m)
		s.Yield("again")
		if err := k.Run(t.Context()); !errors.Is(err, session.ErrTooDeep) {
			t.Errorf("Run: %v, want %v", err, session.ErrTooDeep)
		}
		if got := m.Depth(); got != test.want {
			t.Errorf("the machine went %d states deep, want %d", got, test.want)
		}
	}
}

// A machine that cannot leave its state stays there, with its way back, and works.
func TestNFAStaysWhenLeaveFails(t *testing.T) {
	k := newKernel(t)
	var d diary
	var m *session.NFA
	fail := true
	m = session.NewNFA(session.States{
		"a": {"back": func(*kernel.Event) { d.add("back in %s", m.CurrentState()) }},
		"b": {
			session.Leave: func(*kernel.Event) {
				if fail {
					panic("cannot leave")
				}
				d.add("leave %s", m.CurrentState())
			},
			"try": func(*kernel.Event) {
				m.ReturnState()
				m.CallState("", "a", "")
				m.GotoState("a", "")
			},
		},
	}, session.NFAOptions{Initial: "a", Immediate: true})
	s := k.Create(m)
	s.Sig("DIE", "caught")
	s.State("caught", func(e *kernel.Event) {
		d.add("caught in %s, depth %d", m.CurrentState(), m.Depth())
		e.Kernel.SigHandled()
	})
	s.State("again", func(*kernel.Event) {
		fail = false
		m.ReturnState()
	})
	m.CallState("back", "b", "try")
	s.Yield("again")
	run(t, k)
	const caught = "caught in b, depth 1"
	d.check(t, caught, caught, caught, "leave b", "back in a")
}

// The end of the session ends a change that is under way.
func TestNFAEndsInLeave(t *testing.T) {
	k := newKernel(t)
	m := session.NewNFA(session.States{
		"a": {session.Leave: func(e *kernel.Event) { e.Kernel.Stop() }},
		"b": {"enter": func(*kernel.Event) { t.Error("entered another state") }},
	}, session.NFAOptions{Initial: "a"})
	k.Create(m)
	m.GotoState("b", "enter")
	run(t, k)
	if got := m.CurrentState(); got != "a" {
		t.Errorf("in state %q, want a", got)
	}
}

// A handler that panics when a state is entered does not undo the change.
func TestNFAPanicOnEntry(t *testing.T) {
	k := newKernel(t)
	m := session.NewNFA(session.States{
		"a": {"enter": func(*kernel.Event) { panic("cannot enter") }},
	}, session.NFAOptions{})
	k.Create(m)
	m.GotoState("a", "enter")
	if got := m.CurrentState(); got != "a" {
		t.Errorf("in state %q, want a", got)
	}
	fails(t, k, "cannot enter")
}

// A change that waits costs nothing: the machine uses what carries it again.
func TestNFAPostedChangeDoesNotAllocate(t *testing.T) {
	allocs := func(rounds int) float64 {
		return testing.AllocsPerRun(3, func() {
			k := newKernel(t)
			n := 0
			var m *session.NFA
			m = session.NewNFA(session.States{"a": {
				"next": func(*kernel.Event) {
					if n++; n < rounds {
						m.CallState("back", "b", "enter", m, m, m)
					}
				},
				"back": func(*kernel.Event) { m.GotoState("a", "next") },
			}, "b": {
				"enter": func(*kernel.Event) { m.ReturnState(m) },
			}}, session.NFAOptions{Initial: "a"})
			k.Create(m).Yield("next")
			run(t, k)
			if n != rounds {
				t.Errorf("%d rounds, want %d", n, rounds)
			}
		})
	}
	if few, many := allocs(10), allocs(1000); many > few+10 {
		t.Errorf("1000 rounds: %v allocations, and 10 rounds: %v", many, few)
	}
}

// A machine that nobody has sent on its way in time has ended, and stays where it is.
func TestNFAGotoStateAfterTheEnd(t *testing.T) {
	k := newKernel(t)
	m := newTraveller(k, session.NFAOptions{})
	run(t, k)
	m.GotoState("a", "enter")
	if got := m.CurrentState(); got != "" {
		t.Errorf("in state %q, want none", got)
	}
	m.check(t)
}
