package conformance

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strings"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// The ports of the cases about the order of events, calls, files, and running the kernel.
func init() {
	inBothWorlds("kernel-alarm-same-time", alarmSameTime)
	inBothWorlds("kernel-call-return", callReturn)
	inBothWorlds("kernel-delay-zero-vs-yield", delayZeroVersusYield)
	inBothWorlds("kernel-fifo-order", fifoOrder)
	inBothWorlds("kernel-post-priority-sleeping", postToSleeper)
	onSystem("kernel-select-files", selectFiles)
	inBothWorlds("kernel-stop", kernelStop)
	inBothWorlds("post-dead-session", postDeadSession)
	inBothWorlds("run-return-and-rerun", runAgain)
}

func alarmSameTime(p *program) {
	t := p.k.Now().Add(ms(250))
	tell := func(e *kernel.Event) { p.Out(p.who(e.Session), e.Name, arg(e, 0)) }
	maker := func(name string, events ...string) {
		table := session.Events{
			kernel.Start: func(e *kernel.Event) {
				p.name(e, name)
				for _, event := range events {
					e.Session.AlarmAdd(event, t, name+"-"+event)
				}
			},
		}
		for _, event := range events {
			table[event] = tell
		}
		p.k.Create(table)
	}
	maker("A", "e1", "e2")
	maker("B", "e1", "e3")
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "C")
			s := e.Session
			late := s.AlarmSet("moved_earlier", t.Add(ms(125)), 1)  // moved before t
			early := s.AlarmSet("moved_to_tie", t.Add(-ms(125)), 2) // moved to t: joins behind
			s.AlarmSet("plain", t, 3)
			_, err := s.AlarmAdjust(late, -ms(375)/2)
			_, err2 := s.AlarmAdjust(early, ms(125))
			if err := errors.Join(err, err2); err != nil {
				p.T.Error(err)
			}
			s.AlarmSet("after", t.Add(ms(50)), 4)
		},
		"moved_earlier": tell,
		"moved_to_tie":  tell,
		"plain":         tell,
		"after":         tell,
	})
	p.run()
}

// In Perl, call gives a list or one value, whichever the caller wants. Here a handler answers with
// one value, which may be a slice.
func callReturn(p *program) {
	const target = kernel.Alias("target")
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "T")
			_ = e.Session.AliasSet(target)
		},
		"one": func(e *kernel.Event) {
			p.Out("T one", "sender="+p.who(e.Sender), "from="+e.SenderEvent)
			e.Result = "uno"
		},
		"list":  func(e *kernel.Event) { e.Result = []any{10, 20, 30} },
		"empty": func(*kernel.Event) {},
		"args":  func(e *kernel.Event) { e.Result = fmt.Sprintf("%v|%v|%v", e.Args...) },
		"nested": session.On(func(e *kernel.Event, n int) {
			r, _ := e.Session.Call(e.Sender, "back", n*2)
			e.Result = fmt.Sprintf("nested(%v) in %s", r, e.Name)
		}),
	})
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "C")
			s := e.Session
			scalar := func(to kernel.Target, name string, args ...any) any {
				list, _ := inList(s.Call(to, name, args...))
				return list[len(list)-1]
			}
			p.Out("scalar", scalar(target, "one"))
			_, _ = s.Call(target, "one")
			list, _ := inList(s.Call(target, "list"))
			p.Out("list values", Show(list))
			p.Out("scalar of list", scalar(target, "list"))
			list, _ = inList(s.Call(target, "empty"))
			p.Out("empty list count", len(list))
			p.Out("args", scalar(target, "args", 1, "b", 3))
			p.Out("self", scalar(s, "own", 5))
			p.Out("nested", scalar(target, "nested", 21))
			p.Out("active", p.who(p.k.ActiveSession()), p.k.ActiveEvent())
			list, err := inList(s.Call(target, "no_such_state"))
			p.Out("unknown state count", len(list), "value", list[0], "errno", Errname(err))
			list, err = inList(s.Call(kernel.Alias("nobody"), "one"))
			p.Out("unknown session count", len(list), "errno", Errname(err))
		},
		"own": func(e *kernel.Event) {
			e.Result = fmt.Sprintf("own %v sender=%s from=%s",
				e.Args[0], p.who(e.Sender), e.SenderEvent)
		},
		"back": func(e *kernel.Event) {
			e.Result = fmt.Sprintf("back %v sender=%s active=%s",
				e.Args[0], p.who(e.Sender), p.k.ActiveEvent())
		},
	})
	p.run()
}

// inList returns what call returns in Perl where a list is wanted: nothing from a handler that does
// not answer; one undefined value, and no errno, for an event that has no handler, which Call
// reports; and nothing, with an errno, where there is no session.
func inList(result any, err error) ([]any, error) {
	switch result := result.(type) {
	case []any:
		return result, err
	case nil:
		if errors.Is(err, kernel.ErrNoHandler) {
			return []any{nil}, nil
		}
		return nil, err
	default:
		return []any{result}, err
	}
}

func delayZeroVersusYield(p *program) {
	tell := func(e *kernel.Event) { p.Out(e.Name) }
	table := session.Events{
		kernel.Start: func(e *kernel.Event) {
			s, now := e.Session, p.k.Now()
			s.Yield("y1")
			s.Delay("d0", 0)
			s.Yield("y2")
			s.Alarm("past10", now.Add(-10*time.Second))
			s.Yield("y3")
			s.Alarm("past20", now.Add(-20*time.Second))
			s.AlarmAdd("past10b", now.Add(-10*time.Second))
			s.DelayAdd("neg5", -5*time.Second)
			s.Delay("later", ms(100))
			s.Yield("y4")
			p.Out("_start done")
		},
		"y1": func(e *kernel.Event) {
			p.Out("y1")
			// What is older than this event still waits; an alarm in the past jumps the line.
			e.Session.Yield("y5")
			e.Session.Alarm("jump", p.k.Now().Add(-time.Second))
		},
	}
	for name := range strings.FieldsSeq("y2 y3 y4 y5 past10 past10b past20 neg5 d0 jump later") {
		table[name] = tell
	}
	p.k.Create(table)
	p.run()
}

func fifoOrder(p *program) {
	step := func(e *kernel.Event) {
		from := e.SenderEvent
		if from == "" {
			from = "undef"
		}
		p.Out(p.who(e.Session), e.Name, "sender="+p.who(e.Sender), "from="+from,
			"args="+Show(e.Args))
	}
	const a, b = kernel.Alias("a"), kernel.Alias("b")
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "A")
			step(e)
			_ = e.Session.AliasSet(a)
			e.Session.Yield("one", 1)
			e.Session.Yield("two", 2)
		},
		"one": func(e *kernel.Event) {
			step(e)
			e.Session.Yield("four", "x", "y")
			_ = e.Session.Post(b, "ping", "from-one")
			p.Out("A one returns")
		},
		"two": func(e *kernel.Event) {
			step(e)
			_ = e.Session.Post(b, "ping", "from-two")
		},
		"three": step,
		"four":  step,
		"pong":  step,
	})
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "B")
			step(e)
			_ = e.Session.AliasSet(b)
			e.Session.Yield("own")
			_ = e.Session.Post(a, "three", 3)
		},
		"own": step,
		"ping": session.On(func(e *kernel.Event, text string) {
			step(e)
			_ = e.Session.Post(e.Sender, "pong", text)
			e.Session.Yield("after_" + text)
		}),
		"after_from-one": step,
		"after_from-two": step,
	})
	p.Out("run")
	p.run()
	p.Out("done")
}

func postToSleeper(p *program) {
	began := p.k.Now()
	elapsed := func() time.Duration { return p.k.Now().Sub(began) }
	const sleeper = kernel.Alias("sleeper")
	stop := func(e *kernel.Event) { p.Out(p.who(e.Session), "_stop") }
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "sleeper")
			_ = e.Session.AliasSet(sleeper)
			e.Session.Delay("wake", ms(300), "slept")
			p.Out("sleeper sleeping")
		},
		"wake": func(e *kernel.Event) {
			when := "early"
			if elapsed() >= ms(290) {
				when = "on time"
			}
			p.Out("sleeper wake", e.Args[0], when)
		},
		"poke": func(e *kernel.Event) {
			when := "late"
			if elapsed() < ms(250) {
				when = "while asleep"
			}
			p.Out("sleeper poke", e.Args[0], "sender="+p.who(e.Sender), when)
			_ = e.Session.Post(e.Sender, "ack", e.Args[0])
		},
		kernel.Stop: stop,
	})
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "poker")
			e.Session.Delay("go", ms(100))
		},
		"go": func(e *kernel.Event) {
			p.Out("poker posts two")
			_ = e.Session.Post(sleeper, "poke", 1)
			_ = e.Session.Post(sleeper, "poke", 2)
			_, _ = e.Session.Call(sleeper, "poke", "called")
			p.Out("poker handler ends")
		},
		"ack":       func(e *kernel.Event) { p.Out("poker ack", e.Args[0]) },
		kernel.Stop: stop,
	})
	p.run()
}

func selectFiles(p *program) {
	rd, wr, err := kernel.Pipe()
	if err != nil {
		p.T.Fatal(err)
	}
	defer rd.Close()
	defer wr.Close()
	put := func(line string) {
		if _, err := io.WriteString(wr, line); err != nil {
			p.T.Error(err)
		}
	}
	// success is what these methods of POE return.
	success := func(err error) int {
		if err != nil {
			return 0
		}
		return 1
	}
	// mode is the number that POE has for a way to be ready.
	mode := func(e *kernel.Event) int {
		return bits.TrailingZeros8(uint8(kernel.Arg[kernel.Mode](e, 1)))
	}
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "S")
			put("one\n")
			p.Out("select_read", code(e.Session.SelectRead(rd, "readable", "extra", 7)))
			e.Session.Yield("posted")
		},
		"posted": func(*kernel.Event) { p.Out("posted event") },
		"readable": session.On(func(e *kernel.Event, h kernel.Handle) {
			var buf [100]byte
			n, err := h.Read(buf[:])
			if err != nil {
				p.T.Error(err)
			}
			line, which := string(buf[:n]), "other"
			if h == rd {
				which = "same"
			}
			p.Out("readable", Show(line), "handle", which, "mode", mode(e),
				"args", Show(e.Args[2:]), "sender", p.who(e.Sender))
			switch line {
			case "one\n":
				p.Out("pause", success(e.Session.SelectPauseRead(rd)))
				put("two\n")
				e.Session.Delay("resume", ms(100))
			case "two\n":
				_ = e.Session.SelectRead(rd, "") // stop watching
				put("three\n")
				e.Session.Delay("quiet", ms(100))
			}
		}),
		"resume": func(e *kernel.Event) {
			p.Out("resume", success(e.Session.SelectResumeRead(rd)))
		},
		"quiet": func(e *kernel.Event) {
			p.Out("nothing read while not watching")
			p.Out("pause when not watching", success(e.Session.SelectPauseRead(rd)))
			_ = e.Session.SelectWrite(wr, "writable", "w")
		},
		"writable": func(e *kernel.Event) {
			p.Out("writable mode", mode(e), "args", Show(e.Args[2:]))
			_ = e.Session.SelectWrite(wr, "")
		},
		kernel.Stop: func(*kernel.Event) { p.Out("S _stop") },
	})
	p.run()
}

func kernelStop(p *program) {
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "A")
			_ = e.Session.AliasSet("a")
			e.Session.Delay("never", time.Minute)
			e.Session.Delay("halt", ms(50))
			e.Session.Create(session.Events{
				kernel.Start: func(e *kernel.Event) {
					p.name(e, "B")
					e.Session.Delay("never", time.Minute)
					e.Result = "b-start"
				},
				"never": func(*kernel.Event) { p.Out("B never") },
				kernel.Parent: func(e *kernel.Event) {
					p.Out("B _parent", p.whoArg(e, 0), p.whoArg(e, 1))
				},
				kernel.Stop: func(e *kernel.Event) {
					p.Out("B _stop")
					e.Result = "b-stop"
				},
			})
		},
		"halt": func(e *kernel.Event) {
			p.Out("A halt")
			e.Session.Yield("after")
			p.k.Stop()
			p.Out("A halt: stop returned; active session is", p.who(p.k.ActiveSession()))
		},
		"after": func(*kernel.Event) { p.Out("A after: must not happen") },
		"never": func(*kernel.Event) { p.Out("A never: must not happen") },
		kernel.Child: func(e *kernel.Event) {
			p.Out("A _child", e.Args[0], p.whoArg(e, 1), Show(arg(e, 2)))
		},
		kernel.Stop: func(*kernel.Event) { p.Out("A _stop") },
	})
	p.run()
	p.Out("run returned")
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.Out("new session after stop, sender", p.who(e.Sender))
			e.Session.Yield("x")
		},
		"x": func(*kernel.Event) { p.Out("x") },
	})
	p.run()
	p.Out("second run returned")
}

// A *Session always knows its id, so where POE is asked for the id of a reference, the kernel is
// asked for the session first.
func postDeadSession(p *program) {
	const short = kernel.Alias("short")
	var id kernel.ID
	gone := p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "short")
			id = e.Session.ID()
			_ = e.Session.AliasSet(short)
			e.Session.Yield("bye")
		},
		"bye": func(e *kernel.Event) {
			_ = e.Session.AliasRemove(short)
			p.Out("short leaves")
		},
		"late":      func(*kernel.Event) { p.Out("short late: must not happen") },
		kernel.Stop: func(*kernel.Event) { p.Out("short _stop") },
	})
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "D")
			e.Session.Delay("try", ms(100))
		},
		"try": func(e *kernel.Event) {
			s := e.Session
			for _, t := range []struct {
				how string
				to  kernel.Target
			}{
				{"alias", short}, {"id", id}, {"reference", gone},
				{"unknown alias", kernel.Alias("nobody")},
			} {
				p.result("post by "+t.how+":", 1, s.Post(t.to, "late"))
				r, err := s.Call(t.to, "late")
				p.result("call by "+t.how+":", r, err)
				p.result("signal by "+t.how+":", 1, p.k.Signal(t.to, "HELLO"))
			}
			_, err := p.k.AliasResolve(id)
			p.result("ID_id_to_session", "found", err)
			_, err = p.k.AliasResolve(gone)
			p.result("ID_session_to_id", "found", err)
			_, err = p.k.AliasResolve(short)
			p.Out("alias_resolve", valueOr("found", err))
			own, _ := p.k.AliasResolve(s.ID())
			matches := "differs"
			if own == s {
				matches = "matches"
			}
			p.Out("own id", matches, p.who(own))
			p.result("post of an event nobody handles", 1, s.Post(s, "unhandled"))
		},
	})
	p.run()
	p.Out("done")
}

func runAgain(p *program) {
	once := func(tag string, wait time.Duration) {
		p.k.Create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				p.Out(tag, "_start sender", p.who(e.Sender))
				e.Session.Delay("go", wait)
				e.Session.Yield("now")
			},
			"now":       func(*kernel.Event) { p.Out(tag, "now") },
			"go":        func(*kernel.Event) { p.Out(tag, "go") },
			kernel.Stop: func(*kernel.Event) { p.Out(tag, "_stop") },
		})
	}
	p.run()
	p.Out("run without sessions returned")
	once("first", ms(30))
	p.run()
	p.Out("first run returned")
	p.run()
	p.Out("empty run returned")
	once("second", ms(50))
	once("third", ms(150))
	p.run()
	p.Out("second run returned")
	count := 0
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Yield("tick") },
		"tick": func(e *kernel.Event) {
			count++
			if count < 3 {
				e.Session.Yield("tick")
			}
		},
	})
	p.Out("count before run", count)
	p.run()
	p.Out("count after run", count)
}
