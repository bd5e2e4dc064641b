package session_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/conformance"
)

// TestRecorded does what the recorded programs of these names do, and compares what they print.
func TestRecorded(t *testing.T) {
	for _, test := range []struct {
		name string
		port func(c *conformance.Case, k *kernel.Kernel)
		want []string // nil for what was recorded
	}{
		{"nfa-goto-state", nfaGotoState, nil},
		{"nfa-push-pop", nfaPushPop, nil},
		{"multidispatch-order", multiOrder, nil},

		// POE has a bug here. This is what its case says that a port prints.
		{"multidispatch-default-bug", multiDefault, []string{
			`_default as _default ["unknown",["a","b"]]`,
			"_default removed",
			"unknown event, no _default, time 1: ignored",
			"unknown event, no _default, time 2: ignored",
			"rec 1",
			"rec 0",
			"rec 0",
			"recursive event fine",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := test.want
			if want == nil {
				want = recorded(t, test.name)
			}
			c := conformance.NewCase(t)
			test.port(c, newKernel(t))
			diary(c.Lines()).check(t, want...)
		})
	}
}

// recorded returns the lines that the recorded program has printed.
func recorded(t *testing.T, name string) []string {
	text, err := os.ReadFile("../test/conformance/testdata/" + name + ".out")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

func nfaGotoState(c *conformance.Case, k *kernel.Kernel) {
	visits := 0
	var m *session.NFA
	current := func() string {
		if m.CurrentState() == "" {
			return "(undef)"
		}
		return m.CurrentState()
	}
	tell := func(e *kernel.Event) {
		sender := "other"
		switch e.Sender {
		case e.Session:
			sender = "machine"
		case e.Kernel.Root():
			sender = "kernel"
		}
		c.Out("["+current()+"]", e.Name, show(e.Args), "sender", sender)
	}
	m = session.NewNFA(session.States{
		"initial": {
			"setup": func(e *kernel.Event) {
				tell(e)
				visits++
				m.GotoState("red", "enter", "from", "initial")
				e.Session.Yield("tick", 1)
				c.Out("setup ends in", current())
			},
			session.Leave: tell,
		},
		"red": {
			"enter": func(e *kernel.Event) {
				tell(e)
				visits++
			},
			"tick": session.On(func(e *kernel.Event, n int) {
				tell(e)
				e.Session.Yield("tick", n+1)
				m.GotoState("green", "")
			}),
			session.Leave: tell,
		},
		"green": {
			"tick": func(e *kernel.Event) {
				tell(e)
				m.GotoState("blue", "arrive", e.Args[0])
				e.Session.Yield("after")
			},
		},
		"blue": {
			"arrive": tell,
			"after": func(e *kernel.Event) {
				tell(e)
				c.Out("visits", visits, "state", current())
				m.Stop()
			},
			kernel.Default: func(e *kernel.Event) {
				c.Out("["+current()+"]", "_default got", e.Args[0], show(e.Args[1]))
			},
			session.Leave: tell,
		},
	}, session.NFAOptions{})
	k.Create(m)
	c.Out("spawned in", current())
	m.GotoState("initial", "setup", "hello")
	c.Out("after first goto", current())
	run(c.T, k)
	c.Out("run returned")
}

func nfaPushPop(c *conformance.Case, k *kernel.Kernel) {
	var log []string
	var m *session.NFA
	left := func(state string) kernel.HandlerFunc {
		return func(*kernel.Event) { c.Out("["+state+"]", "leave") }
	}
	m = session.NewNFA(session.States{
		"main": {
			"begin": func(*kernel.Event) {
				c.Out("[main] begin")
				m.CallState("got_name", "ask", "question", "name?")
			},
			"got_name": func(e *kernel.Event) {
				c.Out("[main] got_name", show(e.Args))
				m.CallState("got_all", "ask", "question", "nested?")
			},
			"got_all": func(e *kernel.Event) {
				c.Out("[main] got_all", show(e.Args), "state", m.CurrentState())
				m.CallState("", "ask", "question", "last")
				e.Session.Delay("finish", 50*time.Millisecond)
			},
			"finish": func(*kernel.Event) {
				c.Out("[main] finish", strings.Join(log, ","))
				m.Stop()
			},
			session.Leave: left("main"),
		},
		"ask": {
			"question": session.On(func(_ *kernel.Event, question string) {
				c.Out("[ask] question", question)
				log = append(log, question)
				if question == "nested?" {
					m.CallState("inner_done", "inner", "work", 1, 2)
				} else {
					m.ReturnState("answer to "+question, "second value")
				}
			}),
			"inner_done": func(e *kernel.Event) {
				c.Out("[ask] inner_done", show(e.Args))
				m.ReturnState("from nested")
			},
			session.Leave: left("ask"),
		},
		"inner": {
			"work": func(e *kernel.Event) {
				c.Out("[inner] work", show(e.Args))
				m.ReturnState(kernel.Arg[int](e, 0) + kernel.Arg[int](e, 1))
			},
		},
	}, session.NFAOptions{})
	k.Create(m)
	m.GotoState("main", "begin")
	run(c.T, k)
}

// In Perl each of these handlers returns a text, whether it wants to or not, and the session drops
// them. Here a handler answers if it sets a Result, and none of these does.
func multiOrder(c *conformance.Case, k *kernel.Kernel) {
	var m session.Multi
	object := func(name string, halt kernel.HandlerFunc) session.Events {
		return session.Events{
			"work": func(e *kernel.Event) {
				c.Out(name+"::work", e.Name, show(e.Args[0]))
			},
			"halt": halt,
		}
	}
	one := object("One", func(*kernel.Event) {
		c.Out("One::halt stops the rest")
		m.Stop()
	})
	m.AddAll("Two", object("Two", func(*kernel.Event) { c.Out("Two::halt") }))
	m.AddAll("One", one)
	m.AddAll("Three", object("Three", func(*kernel.Event) {
		c.Out("Three::halt: must not happen")
	}))
	m.Add("single", "One", one["work"])
	m.AddAll("inline", session.Events{
		kernel.Start: func(e *kernel.Event) {
			s := e.Session
			s.Yield("work", 1)
			s.Yield("halt")
			s.Yield("work", 2)
			s.Yield("single", 3)
			result, err := s.Call(s, "work", 4)
			if err != nil {
				c.T.Errorf("Call: %v", err)
			}
			c.Out("call returns", result)
		},
		kernel.Stop: func(*kernel.Event) { c.Out("M _stop") },
	})
	k.Create(&m)
	run(c.T, k)
}

func multiDefault(c *conformance.Case, k *kernel.Kernel) {
	call := func(e *kernel.Event, name string, args ...any) error {
		_, err := e.Session.Call(e.Session, name, args...)
		return err
	}
	create := func(t session.Events) {
		m := new(session.Multi)
		m.AddAll("inline", t)
		k.Create(m)
	}
	create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			_ = call(e, "unknown", "a", "b")
			e.Session.State(kernel.Default, nil)
			c.Out("_default removed")
			_ = call(e, "unknown", "c")
		},
		kernel.Default: func(e *kernel.Event) {
			if !slices.Contains([]string{kernel.Child, kernel.Parent, kernel.Stop}, e.Name) {
				c.Out("_default as", e.Name, show(e.Args))
			}
		},
	})
	create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			for n := 1; n <= 2; n++ {
				outcome := "ignored"
				if err := call(e, "nobody"); !errors.Is(err, kernel.ErrNoHandler) {
					outcome = "died"
				}
				c.Out("unknown event, no _default, time", show(n)+":", outcome)
			}
		},
		kernel.Child: nothing,
		kernel.Stop:  nothing,
	})
	create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			outcome := "fine"
			if err := errors.Join(call(e, "rec", 1), call(e, "rec", 0)); err != nil {
				outcome = "died"
			}
			c.Out("recursive event", outcome)
		},
		"rec": session.On(func(e *kernel.Event, n int) {
			c.Out("rec", n)
			if n > 0 {
				_ = call(e, "rec", 0)
			}
		}),
		kernel.Stop: nothing,
	})
	run(c.T, k)
}

func show(v any) string { return conformance.Show(v) }
