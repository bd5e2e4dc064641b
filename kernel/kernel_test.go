package kernel_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// noEnv is an environment without anything, so that a test does not depend on the developer's.
func noEnv(string) string { return "" }

// newKernel returns a kernel whose warnings fail the test.
func newKernel(t testing.TB) *kernel.Kernel {
	t.Helper()
	k, logs := watchedKernel(t, kernel.Options{})
	t.Cleanup(func() {
		for _, l := range logs.All() {
			t.Errorf("logged: %s %v", l.Message, l.ContextMap())
		}
	})
	return k
}

// watchedKernel returns a kernel and what it logs, from warnings up.
func watchedKernel(t testing.TB, opts kernel.Options) (*kernel.Kernel, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zapcore.WarnLevel)
	opts.Log, opts.Getenv = zap.New(core), noEnv
	k, err := kernel.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return k, logs
}

// run runs k to its end.
func run(t testing.TB, k *kernel.Kernel) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := k.Run(ctx); err != nil {
		t.Fatalf("Run: %v", err)
	}
}

// A journal is what handlers note in their order.
type journal struct{ lines []string }

func (j *journal) add(format string, args ...any) {
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

// note returns a handler that notes what.
func (j *journal) note(what string) kernel.HandlerFunc {
	return func(*kernel.Event) { j.add("%s", what) }
}

func (j *journal) want(t testing.TB, want ...string) {
	t.Helper()
	if !slices.Equal(j.lines, want) {
		t.Errorf("got:\n  %s\nwant:\n  %s",
			strings.Join(j.lines, "\n  "), strings.Join(want, "\n  "))
	}
}

func nothing(*kernel.Event) {}

func TestRunWithoutSessionsReturns(t *testing.T) {
	run(t, newKernel(t))
}

func TestRunInsideRunIsRefused(t *testing.T) {
	k := newKernel(t)
	var inner error
	k.Create(session.Events{kernel.Start: func(e *kernel.Event) { e.Session.Yield("again") },
		"again": func(e *kernel.Event) { inner = k.Run(context.Background()) }})
	run(t, k)
	if !errors.Is(inner, kernel.ErrRunning) {
		t.Errorf("got %v, want ErrRunning", inner)
	}
}

func TestCancelledContextStopsAllSessions(t *testing.T) {
	k := newKernel(t)
	var j journal
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Delay("never", time.Hour)
			e.Session.Create(session.Events{
				kernel.Start: func(e *kernel.Event) { e.Session.Delay("never", time.Hour) },
				kernel.Stop:  j.note("child stops"),
			})
			e.Session.Yield("cancel")
		},
		"cancel":    func(*kernel.Event) { cancel(cause) },
		kernel.Stop: j.note("parent stops"),
	})
	if err := k.Run(ctx); !errors.Is(err, cause) {
		t.Errorf("got %v, want the cause", err)
	}
	j.want(t, "child stops", "parent stops")
}

func TestCancelFromOutsideWakesAnIdleKernel(t *testing.T) {
	k := newKernel(t)
	ctx, cancel := context.WithCancel(t.Context())
	k.Create(session.Events{kernel.Start: func(e *kernel.Event) {
		e.Session.Delay("never", time.Hour)
		go cancel()
	}})
	if err := k.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestStopInsideHandler(t *testing.T) {
	k := newKernel(t)
	var j journal
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Yield("halt") },
		"halt": func(e *kernel.Event) {
			e.Session.Yield("lost")
			k.Stop()
			j.add("ended %v", e.Session.Ended())
			j.add("post %v", errors.Is(e.Session.Post(e.Session, "x"), kernel.ErrNoSession))
			e.Session.Delay("lost", 0) // does nothing
			if id := e.Session.DelaySet("lost", 0); id != (kernel.AlarmID{}) {
				t.Errorf("got an alarm, %v, for a session that has ended", id)
			}
			k.Create(session.Events{kernel.Start: j.note("another starts")})
		},
		"lost":      j.note("lost"),
		kernel.Stop: j.note("stops"),
	})
	run(t, k)
	j.want(t, "stops", "ended true", "post true", "another starts")
}

// A handler that posts a million events, and one that yields for ever, do not keep a handle
// waiting.
func TestManyEventsDoNotStarveOthers(t *testing.T) {
	k := newKernel(t)
	got, busy := 0, true
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			for range 1_000_000 {
				e.Session.Yield("one")
			}
			e.Session.Delay("alarm", time.Millisecond)
			e.Session.Yield("forever")
		},
		"one": func(*kernel.Event) { got++ },
		"forever": func(e *kernel.Event) {
			if busy {
				e.Session.Yield("forever")
			}
		},
		"alarm": func(*kernel.Event) { busy = false },
	})
	run(t, k)
	if got != 1_000_000 {
		t.Errorf("got %d events, want a million", got)
	}
}

// An alarm that sets itself again in the past goes ahead of all that waits, but not for ever:
// handles, doors and the context get their turn (P-12).
func TestAlarmInThePastDoesNotStarveOthers(t *testing.T) {
	k := newKernel(t)
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Delay("past", -time.Second) },
		"past": func(e *kernel.Event) {
			if n++; n == 10_000 {
				cancel()
			}
			e.Session.Delay("past", -time.Second)
		},
	})
	if err := k.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestRunOneTimesliceAndRunWhile(t *testing.T) {
	k := newKernel(t)
	n, on := 0, true
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Yield("tick") },
		"tick": func(e *kernel.Event) {
			n++
			on = n != 3
			if n < 5 {
				e.Session.Delay("tick", time.Millisecond)
			}
		},
	})
	more, err := k.RunOneTimeslice(t.Context())
	if n != 1 || !more || err != nil {
		t.Errorf("after a slice: n %d, more %v, error %v; want 1, true, nil", n, more, err)
	}
	if err := k.RunWhile(t.Context(), &on); err != nil || n != 3 {
		t.Errorf("after RunWhile: n %d, error %v; want 3, nil", n, err)
	}
	run(t, k)
	if n != 5 {
		t.Errorf("at the end: n %d, want 5", n)
	}
}

func TestIntrospection(t *testing.T) {
	k := newKernel(t)
	if k.ActiveSession() != k.Root() || k.ActiveEvent() != "" {
		t.Error("a kernel that does not run has an active session or event")
	}
	if _, ok := k.NextEventTime(); ok || k.EventCount() != 0 {
		t.Error("a new kernel has events")
	}
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Delay("later", time.Minute)
			e.Session.Delay("now", time.Millisecond)
			if n := k.EventCount(); n != 2 {
				t.Errorf("got %d events, want 2", n)
			}
		},
		"now": func(e *kernel.Event) {
			if k.ActiveSession() != e.Session || k.ActiveEvent() != "now" {
				t.Errorf("active: %v, %q", k.ActiveSession(), k.ActiveEvent())
			}
			due, ok := k.NextEventTime()
			if d := due.Sub(k.Now()); !ok || d > time.Minute || d < 50*time.Second {
				t.Errorf("next event in %v, %v; want about a minute", d, ok)
			}
			k.Stop()
		},
	})
	run(t, k)
}

func TestErrorsAreTheSystemsToo(t *testing.T) {
	for err, want := range map[error]syscall.Errno{
		kernel.ErrNoSession:  syscall.ESRCH,
		kernel.ErrAliasTaken: syscall.EEXIST,
		kernel.ErrNotOwner:   syscall.EPERM,
		kernel.ErrInvalid:    syscall.EINVAL,
		kernel.ErrNoHandler:  syscall.ENOSYS,
	} {
		if got := kernel.Errno(err); got != want || !errors.Is(err, want) {
			t.Errorf("%v: got %v, want %v", err, got, want)
		}
	}
}

func TestOptionsBelowZeroAreRefused(t *testing.T) {
	for _, opts := range []kernel.Options{{Workers: -1}, {MaxWork: -1}, {MaxOutside: -1}} {
		if _, err := kernel.New(opts); !errors.Is(err, kernel.ErrInvalid) {
			t.Errorf("%+v: got %v, want ErrInvalid", opts, err)
		}
	}
}

func TestTwoKernelsShareNothing(t *testing.T) {
	const n = 1000
	a, b := newKernel(t), newKernel(t)
	inA := a.Create(session.Events{kernel.Start: nothing})
	if err := inA.Post(b.Root(), "x"); !errors.Is(err, kernel.ErrInvalid) {
		t.Errorf("post to another kernel's session: got %v, want ErrInvalid", err)
	}
	var got []int
	var toB *kernel.Door
	sb := b.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { toB = e.Session.Door() },
		"number": session.On(func(e *kernel.Event, i int) {
			if got = append(got, i); len(got) == n {
				toB.Close()
			}
		}),
	})
	a.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			for i := range n {
				e.Session.Yield("send", i)
			}
		},
		"send": session.On(func(e *kernel.Event, i int) {
			if err := toB.Post("number", i); err != nil {
				t.Error(err)
			}
		}),
	})
	done := make(chan error)
	go func() { done <- b.Run(context.Background()) }()
	run(t, a)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if len(got) != n || !slices.IsSorted(got) {
		t.Errorf("got %d numbers, in order %v; want %d, true", len(got), slices.IsSorted(got), n)
	}
	if !sb.Ended() {
		t.Error("the receiver has not ended")
	}
}

// A context that a handler cancels stops the sessions with that pass, and not when the next event
// is due.
func TestCancelInsideAHandler(t *testing.T) {
	world := sim.NewWorld()
	k, _ := watchedKernel(t, kernel.Options{Loop: world})
	ctx, cancel := context.WithCancel(t.Context())
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Delay("never", time.Hour)
			e.Session.Yield("cancel")
		},
		"cancel": func(*kernel.Event) { cancel() },
	})
	if err := k.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want Canceled", err)
	}
	if d := world.Elapsed(); d != 0 {
		t.Errorf("it took %v of the world's time, want none", d)
	}
}

// A session that sets an alarm in the past again and again does not keep others from what was
// posted to them (P-12).
func TestAlarmsInThePastLeavePostsTheirTurn(t *testing.T) {
	k := newKernel(t)
	got := false
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Delay("past", -time.Second) },
		"past": func(e *kernel.Event) {
			if !got {
				e.Session.Delay("past", -time.Second)
			}
		},
	})
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Yield("post") },
		"post":       func(*kernel.Event) { got = true },
	})
	run(t, k)
}

// Also in a handler that no Run called, another Run is refused (P-20).
func TestRunInsideACallIsRefused(t *testing.T) {
	k := newKernel(t)
	var inner error
	s := k.Create(session.Events{
		kernel.Start: nothing,
		"x":          func(*kernel.Event) { inner = k.Run(context.Background()) },
	})
	if _, err := k.Call(s, "x"); err != nil {
		t.Error(err)
	}
	if !errors.Is(inner, kernel.ErrRunning) {
		t.Errorf("got %v, want ErrRunning", inner)
	}
	run(t, k)
}

func TestNextEventTimeSkipsWhatIsCancelled(t *testing.T) {
	k := newKernel(t)
	s := k.Create(session.Events{kernel.Start: nothing})
	s.Yield("x")
	s.End()
	if at, ok := k.NextEventTime(); ok {
		t.Errorf("the next event is due at %v, but there is none", at)
	}
	if n := k.EventCount(); n != 0 {
		t.Errorf("got %d events, want 0", n)
	}
}
