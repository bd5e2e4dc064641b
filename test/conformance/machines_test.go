package conformance

import (
	"errors"
	"slices"
	"strings"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// The ports of the cases about state machines and MultiDispatch.
func init() {
	inBothWorlds("nfa-goto-state", nfaGotoState)
	inBothWorlds("nfa-push-pop", nfaPushPop)
	inBothWorlds("multidispatch-order", multiOrder)
	inBothWorlds("multidispatch-default-bug", multiDefault)
}

// A machine without a state has none, where POE has one that it calls (undef).
func nfaGotoState(p *program) {
	var m *session.NFA
	state := func() string {
		if m.CurrentState() == "" {
			return "(undef)"
		}
		return m.CurrentState()
	}
	tell := func(e *kernel.Event) {
		sender := "other"
		switch e.Sender {
		case p.k.Root():
			sender = "kernel"
		case e.Session:
			sender = "machine"
		}
		p.Out("["+state()+"]", e.Name, Show(e.Args), "sender", sender)
	}
	visits := func() map[string]int { return m.Runstate().(map[string]int) }
	m = session.NewNFA(session.States{
		"initial": {
			"setup": func(e *kernel.Event) {
				tell(e)
				visits()["visits"]++
				m.GotoState("red", "enter", "from", "initial")
				e.Session.Yield("tick", 1)
				p.Out("setup ends in", state())
			},
			session.Leave: tell,
		},
		"red": {
			"enter": func(e *kernel.Event) {
				tell(e)
				visits()["visits"]++
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
				p.Out("visits", visits()["visits"], "state", state())
				m.Stop()
			},
			kernel.Default: func(e *kernel.Event) {
				p.Out("["+state()+"]", "_default got", e.Args[0], Show(e.Args[1]))
			},
			session.Leave: tell,
		},
	}, session.NFAOptions{Runstate: map[string]int{"visits": 0}})
	p.k.Create(m)
	p.Out("spawned in", state())
	m.GotoState("initial", "setup", "hello")
	p.Out("after first goto", state())
	p.run()
	p.Out("run returned")
}

func nfaPushPop(p *program) {
	type runstate struct{ log []string }
	var m *session.NFA
	leave := func(state string) kernel.HandlerFunc {
		return func(*kernel.Event) { p.Out("["+state+"]", "leave") }
	}
	m = session.NewNFA(session.States{
		"main": {
			"begin": func(*kernel.Event) {
				p.Out("[main] begin")
				m.CallState("got_name", "ask", "question", "name?")
			},
			"got_name": func(e *kernel.Event) {
				p.Out("[main] got_name", Show(e.Args))
				m.CallState("got_all", "ask", "question", "nested?")
			},
			"got_all": func(e *kernel.Event) {
				p.Out("[main] got_all", Show(e.Args), "state", m.CurrentState())
				m.CallState("", "ask", "question", "last")
				e.Session.Delay("finish", ms(50))
			},
			"finish": func(e *kernel.Event) {
				p.Out("[main] finish", strings.Join(e.Heap.(*runstate).log, ","))
				m.Stop()
			},
			session.Leave: leave("main"),
		},
		"ask": {
			"question": session.On(func(e *kernel.Event, q string) {
				p.Out("[ask] question", q)
				r := e.Heap.(*runstate)
				r.log = append(r.log, q)
				if q == "nested?" {
					m.CallState("inner_done", "inner", "work", 1, 2)
				} else {
					m.ReturnState("answer to "+q, "second value")
				}
			}),
			"inner_done": func(e *kernel.Event) {
				p.Out("[ask] inner_done", Show(e.Args))
				m.ReturnState("from nested")
			},
			session.Leave: leave("ask"),
		},
		"inner": {
			"work": func(e *kernel.Event) {
				p.Out("[inner] work", Show(e.Args))
				m.ReturnState(kernel.Arg[int](e, 0) + kernel.Arg[int](e, 1))
			},
		},
	}, session.NFAOptions{Runstate: new(runstate)})
	p.k.Create(m)
	m.GotoState("main", "begin")
	p.run()
}

// In Perl, what these handlers return is dropped. A handler of Multi that sets Result does answer;
// so these set none.
func multiOrder(p *program) {
	var m session.Multi
	work := func(object string) kernel.HandlerFunc {
		return func(e *kernel.Event) { p.Out(object+"::work", e.Name, Show(e.Args[0])) }
	}
	m.AddAll("Two", session.Events{
		"work": work("Two"),
		"halt": func(*kernel.Event) { p.Out("Two::halt") },
	})
	m.AddAll("One", session.Events{
		"work": work("One"),
		"halt": func(*kernel.Event) {
			p.Out("One::halt stops the rest")
			m.Stop()
		},
	})
	m.AddAll("Three", session.Events{
		"work": work("Three"),
		"halt": func(*kernel.Event) { p.Out("Three::halt: must not happen") },
	})
	m.AddAll("One", session.Events{"single": work("One")})
	m.AddAll("inline_state", session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "M")
			s := e.Session
			s.Yield("work", 1)
			s.Yield("halt")
			s.Yield("work", 2)
			s.Yield("single", 3)
			p.Out("call returns", valueOr(s.Call(s, "work", 4)))
		},
		kernel.Stop: func(*kernel.Event) { p.Out("M _stop") },
	})
	p.k.Create(&m)
	p.run()
}

func multiDefault(p *program) {
	create := func(table session.Events) {
		var m session.Multi
		m.AddAll("inline_state", table)
		p.k.Create(&m)
	}
	// call calls the session's own handlers. Of an event that has none it says so, which is not the
	// death that the original may die of it.
	call := func(e *kernel.Event, name string, args ...any) error {
		_, err := e.Session.Call(e.Session, name, args...)
		if errors.Is(err, kernel.ErrNoHandler) {
			return nil
		}
		return err
	}
	outcome := func(fine string, errs ...error) string {
		if err := errors.Join(errs...); err != nil {
			return "died: " + err.Error()
		}
		return fine
	}
	create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			_ = call(e, "unknown", "a", "b")
			e.Session.State(kernel.Default, nil)
			p.Out("_default removed")
			_ = call(e, "unknown", "c")
		},
		kernel.Default: func(e *kernel.Event) {
			if !slices.Contains([]string{kernel.Child, kernel.Parent, kernel.Stop}, e.Name) {
				p.Out("_default as", e.Name, Show(e.Args))
			}
		},
	})
	nothing := func(*kernel.Event) {}
	create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			for n := 1; n <= 2; n++ {
				p.Out("unknown event, no _default, time", Show(n)+":",
					outcome("ignored", call(e, "nobody")))
			}
		},
		kernel.Child: nothing,
		kernel.Stop:  nothing,
	})
	create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.Out("recursive event", outcome("fine", call(e, "rec", 1), call(e, "rec", 0)))
		},
		"rec": session.On(func(e *kernel.Event, n int) {
			p.Out("rec", n)
			if n != 0 {
				_ = call(e, "rec", 0)
			}
		}),
		kernel.Stop: nothing,
	})
	p.run()
}
