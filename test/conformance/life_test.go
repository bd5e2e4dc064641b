package conformance

import (
	"os"
	"syscall"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// The ports of the cases about what keeps sessions alive: aliases, reference counts, and the tree.
func init() {
	inBothWorlds("alias-conflict-errno", aliasConflicts)
	inBothWorlds("alias-keepalive", aliasKeeps)
	inBothWorlds("refcount-keepalive", refcountKeeps)
	onSystem("refcount-underflow-bug", refcountUnderflow)
	inBothWorlds("session-child-gain", childGain)
	inBothWorlds("session-child-keeps-parent", childKeepsParent)
	inBothWorlds("session-child-lifecycle", childLifecycle)
	inBothWorlds("session-detach", detach)
	inBothWorlds("session-post-keeps-sender", postKeepsSender)
	inBothWorlds("session-start-order-gc", startOrder)
}

func aliasConflicts(p *program) {
	const one, two, none = kernel.Alias("one"), kernel.Alias("two"), kernel.Alias("none")
	list := func(of kernel.Target) ([]kernel.Alias, error) {
		s, err := p.k.AliasResolve(of)
		if err != nil {
			return nil, err
		}
		return s.AliasList(), nil
	}
	resolved := func(to kernel.Target) string {
		s, _ := p.k.AliasResolve(to)
		return p.who(s)
	}
	a := p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "A")
			s := e.Session
			p.Out("set one", code(s.AliasSet(one)))
			p.Out("set one again", code(s.AliasSet(one)))
			p.Out("set two", code(s.AliasSet(two)))
			p.Out("list", Show(s.AliasList()))
			p.Out("list in scalar context", s.AliasList()[0])
		},
		"check": func(e *kernel.Event) {
			p.Out("A still owns one", resolved(one))
			p.Out("remove two", code(e.Session.AliasRemove(two)))
			p.Out("remove two again", code(e.Session.AliasRemove(two)))
			_, err := p.k.AliasResolve(two)
			p.Out("resolve two", valueOr("found", err))
		},
		"hi": func(e *kernel.Event) { p.Out("A hi via", e.Args[0]) },
	})
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "B")
			s := e.Session
			p.Out("B sets one", code(s.AliasSet(one)))
			p.Out("B removes one", code(s.AliasRemove(one)))
			p.Out("B removes none", code(s.AliasRemove(none)))
			byRef, _ := list(a)
			byAlias, _ := list(one)
			p.Out("list of A", Show(byRef), "by alias", Show(byAlias))
			p.Out("own list", Show(s.AliasList()))
			nobodys, err := list(kernel.Alias("nobody"))
			p.Out("list of nobody", Show(nobodys), Errname(err))
			// every way to name a session
			_ = s.Post(one, "hi", "alias")
			_ = s.Post(a, "hi", "reference")
			_ = s.Post(a.ID(), "hi", "id")
			p.Out("resolve by alias/ref/id", resolved(one), resolved(a), resolved(a.ID()))
			_ = s.Post(a, "check")
		},
	})
	p.run()
}

func aliasKeeps(p *program) {
	const service = kernel.Alias("service")
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "service")
			_ = e.Session.AliasSet(service)
			e.Session.Sig("IDLE", "idle")
			p.Out("service _start")
		},
		"work": func(e *kernel.Event) {
			p.Out("service work", e.Args[0], "for", p.who(e.Sender))
		},
		"idle":      func(e *kernel.Event) { p.Out("service idle", e.Args[0]) },
		kernel.Stop: func(*kernel.Event) { p.Out("service _stop") },
	})
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "client")
			e.Session.Delay("ask", ms(50), 3)
		},
		"ask": session.On(func(e *kernel.Event, n int) {
			_ = e.Session.Post(service, "work", n)
			if n > 1 {
				e.Session.Delay("ask", ms(50), n-1)
			}
		}),
		kernel.Stop: func(*kernel.Event) { p.Out("client _stop") },
	})
	p.Out("run")
	p.run()
	p.Out("run returned")
}

// In POE, whoever counts names the session by its id. Here that is a method of the session.
func refcountKeeps(p *program) {
	var held *kernel.Session
	count := func(what string) func(int, error) {
		return func(n int, err error) { p.Out(what, valueOr(n, err)) }
	}
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "held")
			held = e.Session
			count("inc tagA")(held.RefcountIncrement("tagA"))
			count("inc tagA")(held.RefcountIncrement("tagA"))
			count("inc tagB")(held.RefcountIncrement("tagB"))
			count("dec tagA")(held.RefcountDecrement("tagA"))
		},
		"poke":      func(*kernel.Event) { p.Out("held poke") },
		kernel.Stop: func(*kernel.Event) { p.Out("held _stop") },
	})
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "driver")
			e.Session.Delay("one", ms(50))
		},
		"one": func(e *kernel.Event) {
			count("driver dec tagA")(held.RefcountDecrement("tagA"))
			_ = e.Session.Post(held, "poke")
			e.Session.Delay("two", ms(50))
		},
		"two": func(e *kernel.Event) {
			count("driver dec tagB")(held.RefcountDecrement("tagB"))
			p.Out("driver handler ends")
			e.Session.Delay("three", ms(50))
		},
		"three": func(*kernel.Event) {
			n, err := held.RefcountIncrement("tagC")
			p.result("inc on a dead session", n, err)
			n, err = held.RefcountDecrement("tagB")
			p.result("dec on a dead session", n, err)
		},
	})
	p.run()
}

// The original counts below 0, which keeps the session until the alarm. Here the count is refused
// with an errno, and the session ends long before.
func refcountUnderflow(p *program) {
	count := func(what string) func(int, error) {
		return func(n int, err error) {
			if err != nil {
				p.Out(what, Errname(err))
				return
			}
			p.Out(what, n)
		}
	}
	var alarm *time.Timer
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "S")
			s := e.Session
			count("inc real")(s.RefcountIncrement("real"))
			count("dec real")(s.RefcountDecrement("real"))
			count("dec real again")(s.RefcountDecrement("real"))
			count("dec of a tag never used")(s.RefcountDecrement("never"))
			_ = s.AliasSet("s")
			s.Sig("ALRM", "os_alarm")
			alarm = time.AfterFunc(time.Second, func() {
				_ = syscall.Kill(os.Getpid(), syscall.SIGALRM)
			})
		},
		"os_alarm": func(e *kernel.Event) {
			p.Out("S still alive one second later with an alias only")
			_ = e.Session.AliasRemove("s")
		},
		kernel.Stop: func(*kernel.Event) { p.Out("S _stop") },
	})
	p.run()
	alarm.Stop()
}

// family returns a handler that prints what a parent hears of its children.
func (p *program) family(name string) kernel.HandlerFunc {
	return func(e *kernel.Event) {
		p.Out(name, "_child", e.Args[0], p.whoArg(e, 1), Show(arg(e, 2)))
	}
}

// starts returns a handler that names a session, does what it is given, if anything, and answers
// with the name and -start.
func (p *program) starts(name string, do kernel.HandlerFunc) kernel.HandlerFunc {
	return func(e *kernel.Event) {
		p.name(e, name)
		if do != nil {
			do(e)
		}
		e.Result = name + "-start"
	}
}

// stops returns a handler that tells of a session's end, and answers with its name and -stop.
func (p *program) stops(name string) kernel.HandlerFunc {
	return func(e *kernel.Event) {
		p.Out(name, "_stop")
		e.Result = name + "-stop"
	}
}

func childGain(p *program) {
	var middle *kernel.Session
	late := session.Events{
		kernel.Start: p.starts("late", func(e *kernel.Event) { e.Session.Delay("tick", ms(100)) }),
		kernel.Parent: func(e *kernel.Event) {
			p.Out("late _parent from", p.whoArg(e, 0), "to", p.whoArg(e, 1),
				"sender", p.who(e.Sender))
		},
		"tick":      func(*kernel.Event) { p.Out("late tick") },
		kernel.Stop: p.stops("late"),
	}
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "top")
			middle = e.Session.Create(session.Events{
				kernel.Start: p.starts("middle", func(e *kernel.Event) {
					e.Session.Sig("TERM", "term")
					_ = e.Session.AliasSet("middle")
				}),
				"term": func(e *kernel.Event) {
					p.Out("middle got", e.Args[0], "and starts one more child")
					e.Session.Create(late)
				},
				kernel.Child: p.family("middle"),
				kernel.Stop:  p.stops("middle"),
			})
			e.Session.Delay("kill", ms(50))
		},
		"kill": func(*kernel.Event) {
			p.Out("top signals TERM", valueOr(1, p.k.Signal(middle, "TERM")))
		},
		kernel.Child: p.family("top"),
		kernel.Stop:  p.stops("top"),
	})
	p.run()
	p.Out("done")
}

func childKeepsParent(p *program) {
	bottom := session.Events{
		kernel.Start: p.starts("bottom", func(e *kernel.Event) {
			e.Session.Delay("tick", ms(100))
		}),
		"tick":        func(*kernel.Event) { p.Out("bottom tick") },
		kernel.Parent: func(*kernel.Event) { p.Out("bottom _parent: must not happen") },
		kernel.Stop:   p.stops("bottom"),
	}
	middle := session.Events{
		kernel.Start: p.starts("middle", func(e *kernel.Event) { e.Session.Create(bottom) }),
		kernel.Child: p.family("middle"),
		kernel.Stop:  p.stops("middle"),
	}
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "top")
			e.Session.Create(middle)
			e.Session.Yield("busy")
		},
		"busy":       func(*kernel.Event) { p.Out("top busy") },
		kernel.Child: p.family("top"),
		kernel.Stop:  p.stops("top"),
	})
	p.run()
}

func childLifecycle(p *program) {
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "parent")
			p.Out("parent _start begins")
			child := e.Session.CreateWith(session.Events{
				kernel.Start: func(e *kernel.Event) {
					p.name(e, "child")
					p.Out("child _start", Show(e.Args), "heap", Show(e.Heap),
						"sender", p.who(e.Sender))
					e.Session.Yield("work")
					e.Result = "child started"
				},
				"work": func(e *kernel.Event) {
					heap := e.Heap.(map[string]int)
					heap["counter"]++
					p.Out("child work", heap["counter"])
				},
				kernel.Stop: func(e *kernel.Event) {
					p.Out("child _stop args", Show(e.Args), "sender", p.who(e.Sender))
					e.Result = "child stopped"
				},
			}, kernel.CreateOptions{
				Args: []any{"arg0", 42},
				Heap: map[string]int{"counter": 5},
			})
			p.Out("create returned", p.who(child))
			e.Session.Yield("check")
			p.Out("parent _start ends")
		},
		"check": func(*kernel.Event) { p.Out("parent check") },
		kernel.Child: func(e *kernel.Event) {
			p.Out("parent _child", e.Args[0], p.whoArg(e, 1), Show(e.Args[2]), "args", len(e.Args),
				"sender", p.who(e.Sender))
		},
		kernel.Stop: func(*kernel.Event) { p.Out("parent _stop") },
	})
	p.Out("run")
	p.run()
}

func detach(p *program) {
	sessions := map[string]*kernel.Session{}
	// res prints what POE returns: 1, or undef with an errno.
	res := func(what string, err error) {
		if err != nil {
			p.Out(what, nil, Errname(err))
			return
		}
		p.Out(what, 1)
	}
	child := func(name string, life time.Duration) {
		sessions[name] = p.k.Create(session.Events{
			kernel.Start: p.starts(name, func(e *kernel.Event) { e.Session.Delay("end", life) }),
			"leave": func(e *kernel.Event) {
				res(name+" detach_myself", e.Session.DetachMyself())
				res(name+" detach_myself again", e.Session.DetachMyself())
			},
			"end": func(*kernel.Event) { p.Out(name, "end") },
			kernel.Parent: func(e *kernel.Event) {
				p.Out(name, "_parent from", p.whoArg(e, 0), "to", p.whoArg(e, 1))
			},
			kernel.Stop: p.stops(name),
		})
	}
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "P")
			child("one", ms(200))
			child("two", ms(300))
			_ = e.Session.Post(sessions["one"], "leave")
			e.Session.Yield("cut")
		},
		"cut": func(e *kernel.Event) {
			s := e.Session
			res("P detach_child two", s.DetachChild(sessions["two"]))
			res("P detach_child two again", s.DetachChild(sessions["two"]))
			res("P detach_child one", s.DetachChild(sessions["one"]))
			res("P detach_child nobody", s.DetachChild(kernel.Alias("nobody")))
			res("P detach_myself", s.DetachMyself())
		},
		kernel.Child: p.family("P"),
		kernel.Stop:  p.stops("P"),
	})
	p.run()
}

func postKeepsSender(p *program) {
	const r = kernel.Alias("R")
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "R")
			_ = e.Session.AliasSet(r)
			e.Session.Delay("alive", ms(200))
		},
		"alive": func(*kernel.Event) { p.Out("R alive") },
		"hello": func(e *kernel.Event) {
			p.Out("R hello from", p.who(e.Sender))
			// The sender has nothing left but this event; it still can be answered.
			p.Out("post back", valueOr(1, e.Session.Post(e.Sender, "answer")))
		},
		"bye": func(e *kernel.Event) {
			p.Out("R bye from", p.who(e.Sender))
			answer, err := e.Session.Call(e.Sender, "answer")
			p.Out("call back", valueOr(answer, err))
		},
		kernel.Stop: p.stops("R"),
	})
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "S1")
			_ = e.Session.Post(r, "hello")
		},
		"answer": func(e *kernel.Event) {
			p.Out("S1 answer")
			e.Result = "yes"
		},
		kernel.Stop: p.stops("S1"),
	})
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "S2")
			e.Session.Delay("send", ms(50))
		},
		"send": func(e *kernel.Event) {
			p.Out("S2 sends")
			_ = e.Session.Post(r, "bye")
		},
		"answer": func(e *kernel.Event) {
			p.Out("S2 answer")
			e.Result = "yes2"
		},
		kernel.Stop: p.stops("S2"),
	})
	p.run()
}

func startOrder(p *program) {
	mk := func(name string, start kernel.HandlerFunc) *kernel.Session {
		return p.k.Create(session.Events{
			kernel.Start: p.starts(name, func(e *kernel.Event) {
				p.Out(name, "_start")
				if start != nil {
					start(e)
				}
			}),
			"ev":         func(e *kernel.Event) { p.Out(name, "ev", e.Args[0]) },
			kernel.Child: p.family(name),
			kernel.Stop:  p.stops(name),
		})
	}
	mk("root", func(e *kernel.Event) {
		mk("idle", nil) // nothing to do at all
		mk("posted", nil)
		e.Session.Yield("ev", 1)
	})
	// The event reaches a session that had nothing to do after its start.
	outside := mk("outside", nil)
	_ = p.k.Post(outside, "ev", "from main")
	p.Out("run")
	p.run()
}
