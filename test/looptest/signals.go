package looptest

import (
	"fmt"
	"testing"

	"github.com/go-poe/poe/kernel"
)

// signals is the suite for signals that are sent by Kernel.Signal. It follows POE's
// z_kogman_sig_order, z_steinert_signal_integrity and k_aliases.
var signals = []test{
	{"SignalOrder", signalOrder},
	{"SignalArguments", signalArguments},
	{"TerminalSignal", terminalSignal},
	{"HandledSignal", handledSignal},
	{"IdleAndZombie", idleAndZombie},
	{"AliasesUntilIdle", aliasesUntilIdle},
	{"RefcountBeforeIdle", refcountBeforeIdle},
}

// generations creates a session, a child of it and a child of that. Those that are named watch a
// signal.
func generations(k *kernel.Kernel, got *story, signal string, watchers ...string) {
	all := []string{"grandparent", "parent", "child"}
	var make func(parent *kernel.Session, i int)
	make = func(parent *kernel.Session, i int) {
		name := all[i]
		parent.Create(table{
			kernel.Start: func(e *kernel.Event) {
				for _, watcher := range watchers {
					if watcher == name {
						e.Session.Sig(signal, "signal")
					}
				}
				_, _ = e.Session.RefcountIncrement("test")
				if i+1 < len(all) {
					make(e.Session, i+1)
				}
			},
			"signal":    func(e *kernel.Event) { got.tell("%s gets %v", name, e.Args[0]) },
			kernel.Stop: func(*kernel.Event) { got.tell("%s stops", name) },
			kernel.Child: func(e *kernel.Event) {
				if e.Args[0] == kernel.ChildLose {
					got.tell("%s loses a child", name)
				}
			},
		})
	}
	make(k.Root(), 0)
}

func signalOrder(t *testing.T, loop kernel.Loop) {
	for _, test := range []struct {
		signal   string
		watchers []string
		want     []string
	}{
		{"BENIGN", []string{"grandparent", "parent", "child"}, []string{
			"child gets BENIGN", "parent gets BENIGN", "grandparent gets BENIGN",
		}},
		{"BENIGN", []string{"grandparent"}, []string{"grandparent gets BENIGN"}},
		{"TERM", []string{"parent"}, []string{
			"parent gets TERM", "child stops", "parent loses a child", "parent stops",
			"grandparent loses a child", "grandparent stops",
		}},
		{"TERM", nil, []string{
			"child stops", "parent loses a child", "parent stops",
			"grandparent loses a child", "grandparent stops",
		}},
	} {
		k, got := newKernel(t, loop), &story{t: t}
		generations(k, got, test.signal, test.watchers...)
		top := k.Root().Children()[0]
		must(t, k.Signal(top, test.signal))
		if test.signal == "BENIGN" {
			k.Create(table{
				kernel.Start: func(e *kernel.Event) { e.Session.Delay("stop", ms(1)) },
				"stop": func(e *kernel.Event) {
					got.is(test.want...)
					got.lines = got.lines[:0]
					e.Kernel.Stop()
				},
			})
			runKernel(t, k)
			continue
		}
		runKernel(t, k)
		got.is(test.want...)
	}
}

func signalArguments(t *testing.T, loop kernel.Loop) {
	k := newKernel(t, loop)
	got := &story{t: t}
	watcher := func(name string, child func(e *kernel.Event)) table {
		return table{
			kernel.Start: func(e *kernel.Event) {
				e.Session.Sig("NEWS", "news", name)
				_, err := e.Session.RefcountIncrement("test")
				must(t, err)
				child(e)
			},
			"news": func(e *kernel.Event) {
				got.tell("%v from %v", e.Args, e.Sender)
				_, err := e.Session.RefcountDecrement("test")
				must(t, err)
			},
		}
	}
	k.Create(watcher("parent", func(e *kernel.Event) {
		e.Session.Create(watcher("child", nothing))
	}))
	must(t, k.Signal(k.Root(), "NEWS", "good", 1))
	runKernel(t, k)
	got.is("[NEWS good 1 child] from kernel", "[NEWS good 1 parent] from kernel")
}

// One session that watches a terminal signal and does not handle it makes it stop all of them,
// also one that waits for a handle and one that waits for an alarm.
func terminalSignal(t *testing.T, loop kernel.Loop) {
	_, b := pair(t, loop, "tcp4")
	k := newKernel(t, loop)
	stopped := 0
	stop := func(*kernel.Event) { stopped++ }
	k.Create(table{
		kernel.Start: func(e *kernel.Event) { must(t, e.Session.SelectRead(b, "read")) },
		kernel.Stop:  stop,
		"read":       nothing,
	})
	k.Create(table{
		kernel.Start: func(e *kernel.Event) { e.Session.Delay("never", ms(1000000)) },
		kernel.Stop:  stop,
	})
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Sig("TERM", "term")
			e.Session.Delay("send", ms(1))
		},
		"send":      func(e *kernel.Event) { must(t, e.Kernel.Signal(e.Kernel.Root(), "TERM")) },
		"term":      nothing,
		kernel.Stop: stop,
	})
	runKernel(t, k)
	if stopped != 3 {
		t.Errorf("%d sessions have stopped, want 3", stopped)
	}
}

func handledSignal(t *testing.T, loop kernel.Loop) {
	k := newKernel(t, loop)
	got := &story{t: t}
	for i := range 3 {
		k.Create(table{
			kernel.Start: func(e *kernel.Event) {
				e.Session.Sig("INT", "int")
				e.Session.Delay("later", ms(2))
			},
			"int": func(e *kernel.Event) {
				if i == 1 {
					e.Kernel.SigHandled()
				}
			},
			"later": func(*kernel.Event) { got.tell("%d lives", i) },
		})
	}
	must(t, k.Signal(k.Root(), "INT"))
	runKernel(t, k)
	got.is("0 lives", "1 lives", "2 lives")
}

// Sessions that hold nothing but an alias get IDLE when all else is over. One that says that it is
// handled, and then does nothing, gets ZOMBIE.
func idleAndZombie(t *testing.T, loop kernel.Loop) {
	k := newKernel(t, loop)
	got := &story{t: t}
	for i := range 2 {
		k.Create(table{
			kernel.Start: func(e *kernel.Event) {
				must(t, e.Session.AliasSet(kernel.Alias(fmt.Sprintf("daemon %d", i))))
				e.Session.Sig("IDLE", "signal")
				e.Session.Sig("ZOMBIE", "signal")
			},
			"signal": func(e *kernel.Event) {
				got.tell("%d gets %v", i, e.Args[0])
				e.Kernel.SigHandled()
			},
			kernel.Stop: func(*kernel.Event) { got.tell("%d stops", i) },
		})
	}
	runKernel(t, k)
	got.is("1 gets IDLE", "0 gets IDLE", "1 gets ZOMBIE", "0 gets ZOMBIE", "1 stops", "0 stops")
}

func aliasesUntilIdle(t *testing.T, loop kernel.Loop) {
	k := newKernel(t, loop)
	got := &story{t: t}
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			s := e.Session
			must(t, s.AliasSet("daemon"))
			must(t, s.AliasSet("daemon"))
			for _, to := range []kernel.Target{s, s.ID(), kernel.Alias("daemon")} {
				if found, err := e.Kernel.AliasResolve(to); found != s || err != nil {
					t.Errorf("AliasResolve(%v): %v, %v", to, found, err)
				}
			}
			_, err := e.Kernel.AliasResolve(kernel.Alias("nobody"))
			wants(t, err, kernel.ErrNoSession)
		},
		"serve":     func(e *kernel.Event) { got.tell("serves %v", e.Args[0]) },
		kernel.Stop: func(*kernel.Event) { got.tell("daemon stops") },
	})
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			wants(t, e.Session.AliasSet("daemon"), kernel.ErrAliasTaken)
			wants(t, e.Session.AliasRemove("daemon"), kernel.ErrNotOwner)
			e.Session.Delay("ask", ms(2), 3)
		},
		"ask": func(e *kernel.Event) {
			left := kernel.Arg[int](e, 0)
			must(t, e.Session.Post(kernel.Alias("daemon"), "serve", left))
			if left > 1 {
				e.Session.Delay("ask", ms(1), left-1)
			}
		},
		kernel.Stop: func(*kernel.Event) { got.tell("client stops") },
	})
	runKernel(t, k)
	got.is("serves 3", "serves 2", "serves 1", "client stops", "daemon stops")
}

// A session that only a reference count keeps stops before the program is found idle, when the
// count is given up by one that stops.
func refcountBeforeIdle(t *testing.T, loop kernel.Loop) {
	k := newKernel(t, loop)
	got := &story{t: t}
	kept := k.Create(table{
		kernel.Start: nothing,
		kernel.Stop:  func(*kernel.Event) { got.tell("kept stops") },
	})
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			must(t, e.Session.AliasSet("daemon"))
			e.Session.Sig("IDLE", "idle")
		},
		"idle": func(*kernel.Event) { got.tell("idle") },
	})
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			for want := 1; want <= 2; want++ {
				if n, err := kept.RefcountIncrement("keeper"); n != want || err != nil {
					t.Errorf("RefcountIncrement: %d, %v, want %d", n, err, want)
				}
			}
			e.Session.Delay("release", ms(1))
		},
		"release": func(*kernel.Event) {
			_, err := kept.RefcountDecrement("keeper")
			must(t, err)
		},
		kernel.Stop: func(*kernel.Event) {
			got.tell("keeper stops")
			_, err := kept.RefcountDecrement("keeper")
			must(t, err)
			_, err = kept.RefcountDecrement("keeper")
			wants(t, err, kernel.ErrNoRefcount)
		},
	})
	runKernel(t, k)
	got.is("keeper stops", "kept stops", "idle")
}
