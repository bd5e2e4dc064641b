package conformance

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// The ports of the cases about exceptions and signals.
func init() {
	inBothWorlds("exception-die-signal", exceptionDieSignal)
	inBothWorlds("exception-object-lost-bug", exceptionObject)
	inBothWorlds("exception-uncaught", exceptionUncaught)
	onSystem("signal-child-fork", signalChild)
	inBothWorlds("signal-idle-zombie", signalIdleZombie)
	onSystem("signal-os-kill", signalFromSystem)
	inBothWorlds("signal-terminal", signalTerminal)
	inBothWorlds("signal-tree-order", signalTreeOrder)
	inBothWorlds("signal-underscore-event", signalUnderscoreEvent)
}

// unhurried is how many times as long as the recorded program a port waits for something outside of
// itself. On a busy machine that may be late.
const unhurried = 4

// place finds, in the stack of a panic, where the function was that panicked.
var place = regexp.MustCompile(`(?s)\npanic\(.*?\n\t.*?\n.*?\n\t(\S+):(\d+)`)

// exceptionTable returns the parts of an Exception under the names that they have in POE. The file
// and the line are those of the handler; in POE they are where the event was sent.
func exceptionTable(x *kernel.Exception) map[string]any {
	table := map[string]any{
		"source_session": x.Sender,
		"dest_session":   x.Session,
		"event":          x.Event,
		"from_state":     x.SenderEvent,
		"error_str":      x.Value,
	}
	if at := place.FindSubmatch(x.Stack); at != nil {
		table["file"], table["line"] = string(at[1]), string(at[2])
	}
	return table
}

func exceptionDieSignal(p *program) {
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "S")
			e.Session.Sig("DIE", "on_die", "given")
			e.Session.Yield("bad", 1)
			e.Session.Yield("good", 2)
			e.Session.Delay("later", ms(100))
		},
		"bad": func(e *kernel.Event) {
			p.Out("bad", e.Args[0])
			panic("oops in bad\n")
		},
		"good": func(e *kernel.Event) { p.Out("good", e.Args[0]) },
		"on_die": func(e *kernel.Event) {
			x := kernel.Arg[*kernel.Exception](e, 1)
			p.Out("on_die", e.Args[0], Show(e.Args[2:]))
			p.Out("  keys", strings.Join(slices.Sorted(maps.Keys(exceptionTable(x))), " "))
			p.Out("  event", x.Event, "from_state", x.SenderEvent, "error", Show(x.Value))
			p.Out("  dest", p.who(x.Session), "source", p.who(x.Sender))
			p.k.SigHandled()
		},
		"later":     func(*kernel.Event) { p.Out("later: still running") },
		kernel.Stop: p.stops("S"),
	})
	p.run()
	p.Out("run returned")
}

// outcome runs the kernel. It returns how that ended, and what a handler panicked with, if one did.
func (p *program) outcome() (how string, thrown any) {
	err := p.k.Run(p.Context())
	if err == nil {
		return "returned", nil
	}
	if x, ok := errors.AsType[*kernel.Exception](err); ok {
		return "died", x.Value
	}
	return "died", err
}

// In the original what run throws is the text of the address of the table.
func exceptionObject(p *program) {
	kind := func(v any) string {
		if table, ok := v.(map[string]int); ok {
			return "a " + ref(table) + " with code " + Show(table["code"])
		}
		return Show(v)
	}
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Sig("DIE", "on_die")
			e.Session.Yield("bad")
		},
		"bad": func(*kernel.Event) { panic(map[string]int{"code": 42}) },
		"on_die": func(e *kernel.Event) {
			p.Out("DIE handler gets", kind(kernel.Arg[*kernel.Exception](e, 1).Value))
		},
	})
	how, thrown := p.outcome()
	p.Out("run", how)
	p.Out("run gives", kind(thrown))
}

func exceptionUncaught(p *program) {
	mk := func(name string, below func()) {
		p.k.Create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				p.name(e, name)
				if name == "child" {
					e.Session.Delay("boom", ms(50))
				}
				e.Session.Delay("never", time.Minute)
				if below != nil {
					below()
				}
			},
			"boom": func(e *kernel.Event) {
				p.Out(name, "boom")
				e.Session.Yield("queued")
				panic("child failed\n")
			},
			"queued": func(*kernel.Event) { p.Out(name, "queued event") },
			"never":  func(*kernel.Event) { p.Out(name, "never") },
			kernel.Child: func(e *kernel.Event) {
				p.Out(name, "_child", e.Args[0], p.whoArg(e, 1))
			},
			kernel.Stop: p.stops(name),
		})
	}
	run := func() {
		how, thrown := p.outcome()
		p.Out("run", how, Show(thrown))
	}
	mk("parent", func() { mk("child", nil) })
	run()

	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.Out("new session runs after the failure")
			e.Session.Yield("fail")
		},
		"fail": func(*kernel.Event) { panic("plain text\n") },
	})
	run()
}

// Go has no fork: the children are programs.
func signalChild(p *program) {
	names := map[int]string{}
	spawn := func(name, program string, args ...string) int {
		cmd := exec.Command(program, args...)
		if err := cmd.Start(); err != nil {
			p.T.Fatal(err)
		}
		pid := cmd.Process.Pid
		names[pid] = name
		_ = cmd.Process.Release() // the kernel waits for it
		return pid
	}
	desc := func(status syscall.WaitStatus) string {
		exit, signal := 0, 0
		switch {
		case status.Exited():
			exit = status.ExitStatus()
		case status.Signaled():
			signal = int(status.Signal())
		}
		return "exit=" + Show(exit) + " signal=" + Show(signal)
	}
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "S")
			exits := spawn("exits7", "sh", "-c", "sleep 0.1; exit 7")
			killed := spawn("killed", "sleep", "60")
			for _, pid := range []int{exits, killed} {
				if err := e.Session.SigChild(pid, "reaped", names[pid], "tag"); err != nil {
					p.T.Error(err)
				}
			}
			e.Session.Delay("kill_it", unhurried*ms(250), killed)
		},
		"kill_it": session.On(func(_ *kernel.Event, pid int) {
			killed := 1
			if syscall.Kill(pid, syscall.SIGTERM) != nil {
				killed = 0
			}
			p.Out("kill returns", killed)
		}),
		"reaped": func(e *kernel.Event) {
			name, ok := names[kernel.Arg[int](e, 1)]
			if !ok {
				name = "unknown pid"
			}
			p.Out("reaped", e.Args[0], name, desc(kernel.Arg[syscall.WaitStatus](e, 2)),
				Show(e.Args[3:]), "sender", p.who(e.Sender))
		},
		kernel.Stop: p.stops("S"),
	})
	p.run()
	p.Out("run returned")
}

func signalIdleZombie(p *program) {
	idle := 0
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "S")
			_ = e.Session.AliasSet("s")
			e.Session.Sig("IDLE", "idle")
			e.Session.Sig("ZOMBIE", "zombie")
			e.Session.Yield("work")
		},
		"work": func(*kernel.Event) { p.Out("work") },
		"idle": func(e *kernel.Event) {
			idle++
			p.Out("IDLE", idle)
			switch idle {
			case 1: // more to do, and handled
				e.Session.Yield("work")
				p.k.SigHandled()
			case 2: // handled, nothing to do
				p.k.SigHandled()
			}
		},
		"zombie": func(*kernel.Event) {
			p.Out("ZOMBIE")
			p.k.SigHandled()
		},
		kernel.Stop: func(*kernel.Event) { p.Out("_stop") },
	})
	p.run()
	p.Out("run returned")
}

func signalFromSystem(p *program) {
	kill := func(sig syscall.Signal) {
		if err := syscall.Kill(os.Getpid(), sig); err != nil {
			p.T.Error(err)
		}
	}
	count := 0
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "S")
			_ = e.Session.AliasSet("s")
			e.Session.Sig("USR1", "usr", "x")
			e.Session.Sig("TERM", "term")
			e.Session.Delay("one", ms(50))
		},
		"one": func(e *kernel.Event) {
			kill(syscall.SIGUSR1)
			p.Out("sent USR1")
			e.Session.Delay("two", unhurried*ms(100))
		},
		"usr": func(e *kernel.Event) { p.Out("usr", Show(e.Args), "sender", p.who(e.Sender)) },
		"two": func(e *kernel.Event) {
			e.Session.Sig("USR1", "usr_second") // replaces the handler
			kill(syscall.SIGUSR1)
			e.Session.Delay("three", unhurried*ms(100))
		},
		"usr_second": func(e *kernel.Event) {
			p.Out("usr_second", Show(e.Args))
			e.Session.Sig("USR1", "")
		},
		"three": func(e *kernel.Event) {
			kill(syscall.SIGTERM)
			p.Out("sent TERM")
			e.Session.Delay("four", unhurried*ms(100))
		},
		"term": func(*kernel.Event) {
			count++
			p.Out("term", count)
			if count == 1 {
				p.k.SigHandled()
			}
		},
		"four": func(e *kernel.Event) {
			p.Out("still here")
			kill(syscall.SIGTERM)
			e.Session.Delay("five", unhurried*ms(100))
		},
		"five":      func(*kernel.Event) { p.Out("five: must not happen") },
		kernel.Stop: p.stops("S"),
	})
	p.run()
	p.Out("run returned")
}

func signalTerminal(p *program) {
	sessions := map[string]*kernel.Session{}
	type options struct {
		watch  []string
		handle bool
		below  func()
	}
	mk := func(name string, o options) {
		stop := p.stops(name)
		sessions[name] = p.k.Create(session.Events{
			kernel.Start: p.starts(name, func(e *kernel.Event) {
				_ = e.Session.AliasSet(kernel.Alias(name))
				for _, sig := range o.watch {
					e.Session.Sig(sig, "on_sig")
				}
				if o.below != nil {
					o.below()
				}
			}),
			"on_sig": func(e *kernel.Event) {
				p.Out(name, "on_sig", e.Args[0])
				if o.handle {
					p.k.SigHandled()
				}
			},
			kernel.Child: func(e *kernel.Event) {
				if e.Args[0] != kernel.ChildCreate {
					p.family(name)(e)
				}
			},
			kernel.Stop: func(e *kernel.Event) {
				stop(e)
				delete(sessions, name)
			},
		})
	}
	mk("plain", options{})                                               // does not watch
	mk("watcher", options{watch: []string{"INT", "TERM"}})               // watches, does not handle
	mk("handler", options{watch: []string{"INT", "TERM"}, handle: true}) // watches and handles
	mk("above", options{below: func() {                                  // the child handles
		mk("below", options{watch: []string{"INT"}, handle: true})
	}})
	mk("top", options{watch: []string{"TERM"}, below: func() {
		mk("leaf", options{watch: []string{"TERM"}})
	}})

	plan := [][2]string{
		{"plain", "INT"}, {"watcher", "INT"}, {"handler", "INT"}, {"above", "INT"},
		{"top", "TERM"}, {"handler", "USR1"}, {"handler", "KILL"}, {"above", "QUIT"},
	}
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "driver")
			e.Session.Yield("send", 0)
		},
		"send": session.On(func(e *kernel.Event, n int) {
			if n == len(plan) {
				return
			}
			to, sig := plan[n][0], plan[n][1]
			p.Out("--", sig, "to", to)
			_ = p.k.Signal(sessions[to], sig)
			e.Session.Yield("send", n+1)
		}),
	})
	p.run()
}

func signalTreeOrder(p *program) {
	sessions := map[string]*kernel.Session{}
	mk := func(name string, below func(), handled bool) {
		sessions[name] = p.k.Create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				p.name(e, name)
				_ = e.Session.AliasSet(kernel.Alias(name))
				e.Session.Sig("PING", "on_ping", name+"-extra")
				if below != nil {
					below()
				}
			},
			"on_ping": func(e *kernel.Event) {
				p.Out(name, "on_ping", Show(e.Args), "sender", p.who(e.Sender), "state", e.Name)
				if handled {
					p.k.SigHandled()
				}
			},
			"bye":       func(e *kernel.Event) { _ = e.Session.AliasRemove(kernel.Alias(name)) },
			kernel.Stop: p.stops(name),
		})
	}
	// a chain g > p > c
	mk("g", func() { mk("p", func() { mk("c", nil, false) }, true) }, false)
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "driver")
			e.Session.Yield("go")
		},
		"go": func(e *kernel.Event) {
			p.Out("signal g", valueOr(1, p.k.Signal(sessions["g"], "PING", "a1", 2)))
			e.Session.Yield("go2")
		},
		"go2": func(e *kernel.Event) {
			p.Out("signal p", valueOr(1, p.k.Signal(sessions["p"], "PING")))
			e.Session.Yield("go3")
		},
		"go3": func(e *kernel.Event) {
			for _, name := range []string{"g", "p", "c"} {
				_ = e.Session.Post(sessions[name], "bye")
			}
		},
	})
	p.run()
}

func signalUnderscoreEvent(p *program) {
	refused := func(what string, f func()) {
		outcome := "accepted"
		if err := refusal(f); err != nil {
			outcome = "refused"
			if strings.Contains(err.Error(), "no handler is named _signal; see Sig") {
				outcome = "refused: deprecated"
			}
		}
		p.Out(what, outcome)
	}
	nothing := func(*kernel.Event) {}
	refused("create with a _signal handler:", func() {
		p.k.Create(session.Events{kernel.Start: nothing, "_signal": nothing})
	})
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "S")
			s := e.Session
			_ = s.AliasSet("s")
			refused("state(_signal):", func() { s.State("_signal", nothing) })
			s.Sig("KNOWN", "on_known")
			p.Out("signal known", valueOr(1, p.k.Signal(s, "KNOWN", 1)))
			p.Out("signal unknown", valueOr(1, p.k.Signal(s, "STRANGE", 2)))
			p.Out("post of _signal", valueOr(1, s.Post(s, "_signal", "BY_HAND", 3)))
			s.Yield("rename")
		},
		"rename": func(e *kernel.Event) {
			e.Session.Sig("KNOWN", "no_such_state") // a signal handler that does not exist
			_ = p.k.Signal(e.Session, "KNOWN", 4)
			e.Session.Yield("off")
		},
		"off": func(e *kernel.Event) {
			e.Session.Sig("KNOWN", "")
			e.Session.Sig("NEVER_WATCHED", "")
			_ = p.k.Signal(e.Session, "KNOWN", 5)
			e.Session.Yield("end")
		},
		"end":      func(*kernel.Event) { p.Out("end") },
		"on_known": func(e *kernel.Event) { p.Out("on_known", Show(e.Args)) },
		kernel.Default: func(e *kernel.Event) {
			if e.Args[0] != kernel.Stop {
				p.Out("_default", e.Args[0], Show(e.Args[1]))
			}
		},
	})
	p.run()
}
