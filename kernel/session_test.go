package kernel_test

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// family notes what a session hears of its family.
func (j *journal) family(who string) kernel.HandlerFunc {
	return func(e *kernel.Event) { j.add("%s %s %v", who, e.Name, e.Args[0]) }
}

// A session that is created while its creator ends becomes a child of the next one up, which hears
// of it like of any other (P-14).
func TestCreateInsideStop(t *testing.T) {
	k := newKernel(t)
	var j journal
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Create(session.Events{
				kernel.Start: nothing,
				kernel.Stop: func(e *kernel.Event) {
					late := e.Session.Create(session.Events{
						kernel.Start: func(e *kernel.Event) { e.Session.Delay("tick", time.Millisecond) },
						"tick":       j.note("late ticks"),
					})
					if late.Parent() != e.Session.Parent() {
						t.Errorf("the parent is %v, want %v", late.Parent(), e.Session.Parent())
					}
				},
			})
		},
		kernel.Child: j.family("top"),
		kernel.Stop:  j.note("top stops"),
	})
	run(t, k)
	j.want(t, "top _child create", "top _child create", "top _child lose", "late ticks",
		"top _child lose", "top stops")
}

// In one sweep, what the stop of one session gives to another saves that one (P-13).
func TestSweepLooksAtEachSessionAnew(t *testing.T) {
	k := newKernel(t)
	var j journal
	saved := k.Create(session.Events{
		kernel.Start: nothing,
		"work":       j.note("saved works"),
		kernel.Stop:  j.note("saved stops"),
	})
	k.Create(session.Events{
		kernel.Start: nothing,
		kernel.Stop: func(e *kernel.Event) {
			j.add("saviour stops")
			if _, err := saved.RefcountIncrement("saved"); err != nil {
				t.Error(err)
			}
			saved.Yield("work")
			saved.Yield("drop")
		},
	})
	saved.State("drop", func(*kernel.Event) {
		if _, err := saved.RefcountDecrement("saved"); err != nil {
			t.Error(err)
		}
	})
	run(t, k)
	j.want(t, "saviour stops", "saved works", "saved stops")
}

func TestEndInsideItsOwnHandler(t *testing.T) {
	k := newKernel(t)
	var j journal
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Delay("never", time.Hour)
			if err := e.Session.AliasSet("me"); err != nil {
				t.Error(err)
			}
			e.Session.Yield("end")
			e.Session.Yield("lost")
		},
		"end": func(e *kernel.Event) {
			e.Session.End()
			j.add("ended: %v", e.Session.Ended())
			e.Session.End()
			if _, err := k.AliasResolve(kernel.Alias("me")); err == nil {
				t.Error("the alias is still there")
			}
		},
		"lost":      j.note("lost"),
		kernel.Stop: j.note("stops"),
	})
	run(t, k)
	j.want(t, "stops", "ended: true")
}

// What a session has posted goes with it; whom it was for does not stay for it.
func TestEndDropsWhatItSent(t *testing.T) {
	k := newKernel(t)
	var j journal
	to := k.Create(session.Events{kernel.Start: nothing, "hello": j.note("hello"),
		kernel.Stop: j.note("receiver stops")})
	k.Create(session.Events{kernel.Start: func(e *kernel.Event) {
		if err := e.Session.Post(to, "hello"); err != nil {
			t.Error(err)
		}
		e.Session.End()
		if n := k.EventCount(); n != 1 { // the receiver's first turn
			t.Errorf("got %d events, want 1", n)
		}
	}})
	run(t, k)
	j.want(t, "receiver stops")
}

func TestCreateMistakesPanic(t *testing.T) {
	k := newKernel(t)
	for what, h := range map[string]kernel.Handler{
		"nil":           nil,
		"no start":      session.Events{},
		"nil function":  session.Events{kernel.Start: nothing, "x": nil},
		"_signal":       session.Events{kernel.Start: nothing, "_signal": nothing},
		"unknown start": kernel.HandlerFunc(func(e *kernel.Event) { e.Unhandled() }),
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", what)
				}
			}()
			k.Create(h)
		}()
	}
	run(t, k)
}

func TestNestedCallsWithoutEndFail(t *testing.T) {
	k := newKernel(t)
	var err error
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Sig("DIE", "died")
			e.Session.Yield("first")
		},
		"first": func(e *kernel.Event) { _, _ = e.Session.Call(e.Session, "deep") },
		"deep": func(e *kernel.Event) {
			if _, failed := e.Session.Call(e.Session, "deep"); failed != nil {
				err = failed
			}
		},
		"died": func(e *kernel.Event) { k.SigHandled() },
	})
	run(t, k)
	if err == nil || !strings.Contains(err.Error(), "without end") {
		t.Errorf("got %.200v, want an error that tells", err)
	}
}

func TestDefaultSeesTheEventAndItsNameStaysActive(t *testing.T) {
	k := newKernel(t)
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			got, err := e.Session.Call(e.Session, "odd", 1, "two")
			if got != "default" || err != nil {
				t.Errorf("got %v, %v", got, err)
			}
		},
		kernel.Default: func(e *kernel.Event) {
			if e.Args[0] == kernel.Stop {
				return
			}
			if e.Name != kernel.Default || k.ActiveEvent() != "odd" || e.Args[0] != "odd" {
				t.Errorf("name %q, active %q, event %v", e.Name, k.ActiveEvent(), e.Args[0])
			}
			if !slices.Equal(kernel.Arg[[]any](e, 1), []any{1, "two"}) {
				t.Errorf("arguments %v", e.Args[1])
			}
			e.Result = "default"
		},
	})
	run(t, k)
}

func TestStateIsLookedUpOnDelivery(t *testing.T) {
	k := newKernel(t)
	var j journal
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Yield("x")
			e.Session.State("x", j.note("added"))
			e.Session.Yield("again")
		},
		"x": j.note("table"),
		"again": func(e *kernel.Event) {
			e.Session.RemoveState("x")
			_, _ = e.Session.Call(e.Session, "x")
			e.Session.State("x", nil)
			if _, err := e.Session.Call(e.Session, "x"); err == nil {
				t.Error("a state that was taken away is still there")
			}
		},
	})
	run(t, k)
	j.want(t, "added", "table")
}

func TestOptions(t *testing.T) {
	k, logs := watchedKernel(t, kernel.Options{})
	k.Create(session.Events{kernel.Start: func(e *kernel.Event) {
		s := e.Session
		for _, step := range []struct{ set, old, now any }{
			{"yes", nil, 1}, {false, 1, 0}, {"other", 0, "other"}, {7, "other", 7}, {nil, 7, nil},
		} {
			if old := s.SetOption("Default", step.set); old != step.old {
				t.Errorf("SetOption(%v): got %v, want %v", step.set, old, step.old)
			}
			if now := s.Option("default"); now != step.now {
				t.Errorf("after SetOption(%v): got %v, want %v", step.set, now, step.now)
			}
		}
		s.SetOption("default", true)
		s.Yield("nobody knows this")
	}})
	run(t, k)
	if n := logs.FilterMessageSnippet("nobody knows this").Len(); n != 1 {
		t.Errorf("got %d warnings, want 1: %v", n, logs.All())
	}
}

// A parent with many children costs no more for each than one with few: this would take minutes.
func TestManySessions(t *testing.T) {
	k := newKernel(t)
	const n = 100_000
	started, stopped := 0, 0
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			for range n {
				e.Session.Create(session.Events{
					kernel.Start: func(e *kernel.Event) {
						started++
						e.Session.Yield("tick")
					},
					"tick":      nothing,
					kernel.Stop: func(*kernel.Event) { stopped++ },
				})
			}
		},
	})
	run(t, k)
	if started != n || stopped != n {
		t.Errorf("%d started, %d stopped; want %d of both", started, stopped, n)
	}
}

// What a session takes in its Stop is given back with all else that it has (L-20), its data too
// (L-25).
func TestWhatIsTakenInStopIsGivenBack(t *testing.T) {
	k := newKernel(t)
	s := k.CreateWith(session.Events{
		kernel.Start: nothing,
		kernel.Stop: func(e *kernel.Event) {
			s := e.Session
			if err := s.AliasSet("late"); err != nil {
				t.Error(err)
			}
			if _, err := s.RefcountIncrement("late"); err != nil {
				t.Error(err)
			}
			s.Delay("late", time.Hour)
			s.Yield("late")
			if e.Heap != "data" {
				t.Errorf("the data is gone: %v", e.Heap)
			}
		},
		"late": func(*kernel.Event) { t.Error("an event after Stop") },
	}, kernel.CreateOptions{Heap: "data"})
	run(t, k)
	if _, err := k.AliasResolve(kernel.Alias("late")); err == nil || s.Heap() != nil {
		t.Errorf("the alias is still there: %v; the data: %v", err == nil, s.Heap())
	}
}

// The root takes what is sent to it, and handles nothing. It sets no alarms.
func TestRootHandlesNothing(t *testing.T) {
	k := newKernel(t)
	k.Create(session.Events{kernel.Start: func(e *kernel.Event) {
		if err := e.Session.Post(k.Root(), "x"); err != nil {
			t.Error(err)
		}
		if got, err := e.Session.Call(k.Root(), "x"); got != nil || err != nil {
			t.Errorf("got %v, %v; want nothing", got, err)
		}
	}})
	if err := panicOf(func() { k.Root().Delay("x", 0) }); !errors.Is(err, kernel.ErrInvalid) {
		t.Errorf("an alarm for the root: got %v, want ErrInvalid (P-46)", err)
	}
	run(t, k)
}

// Who keeps a session that has ended keeps none of its data in memory (P-24).
func TestEndedSessionHoldsNoData(t *testing.T) {
	k := newKernel(t)
	var held weak.Pointer[[1 << 10]byte]
	create := func() *kernel.Session {
		data := new([1 << 10]byte)
		held = weak.Make(data)
		return k.CreateWith(session.Events{
			kernel.Start: func(e *kernel.Event) { e.Session.Yield("use", e.Heap) },
			"use":        nothing,
		}, kernel.CreateOptions{Heap: data})
	}
	s := create()
	run(t, k)
	runtime.GC()
	if held.Value() != nil {
		t.Error("the data is still in memory")
	}
	runtime.KeepAlive(s)
	runtime.KeepAlive(k)
}

// A session that ends because it gains a child leaves that child, too, to the next one up.
func TestParentEndsAsItGainsAChild(t *testing.T) {
	k := newKernel(t)
	var child, grandchild *kernel.Session
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			child = k.Create(session.Events{kernel.Start: func(e *kernel.Event) {
				grandchild = k.Create(session.Events{
					kernel.Start: func(e *kernel.Event) { e.Session.Delay("end", time.Millisecond) },
					"end":        nothing,
				})
			}})
			e.Session.Yield("go")
		},
		"go": func(*kernel.Event) { child.End() },
		kernel.Child: func(e *kernel.Event) {
			if e.Args[0] == kernel.ChildGain {
				e.Session.End()
			}
		},
	})
	run(t, k)
	if !grandchild.Ended() {
		t.Error("the grandchild is still there")
	}
}

func TestCreateByASessionThatHasEnded(t *testing.T) {
	k := newKernel(t)
	s := k.Create(session.Events{kernel.Start: nothing})
	s.End()
	if c := s.Create(session.Events{kernel.Start: nothing}); c.Parent() != k.Root() {
		t.Errorf("the parent is %v, want the root", c.Parent())
	}
	run(t, k)
}

// badCloser is something whose Close panics.
type badCloser struct{ err error }

func (c badCloser) Close() { panic(c.err) }

// What is closed with a session may panic: Run returns that, and everything ends.
func TestCloserThatPanics(t *testing.T) {
	k := newKernel(t)
	failed := errors.New("close")
	s := k.Create(session.Events{kernel.Start: func(e *kernel.Event) {
		e.Session.AtEnd(badCloser{failed})
		e.Session.Delay("never", time.Hour)
	}})
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Yield("go") },
		"go":         func(*kernel.Event) { s.End() },
	})
	if err := k.Run(t.Context()); !errors.Is(err, failed) {
		t.Errorf("got %v, want the panic", err)
	}
	if !s.Ended() {
		t.Error("the session has not ended")
	}
}

// What is counted for the root keeps no program from its end.
func TestRootKeepsNothingAlive(t *testing.T) {
	k := newKernel(t)
	if _, err := k.Root().RefcountIncrement("x"); err != nil {
		t.Error(err)
	}
	k.Create(session.Events{kernel.Start: func(e *kernel.Event) { _ = e.Session.AliasSet("a") }})
	run(t, k)
}
