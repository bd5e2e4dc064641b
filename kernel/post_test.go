package kernel_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

func TestPostToWhoIsNotThere(t *testing.T) {
	k := newKernel(t)
	gone := k.Create(session.Events{kernel.Start: nothing})
	run(t, k)
	k.Create(session.Events{kernel.Start: func(e *kernel.Event) {
		nobody := []kernel.Target{gone, gone.ID(), kernel.Alias("nobody"), kernel.ID(99), nil}
		for _, to := range nobody {
			if err := e.Session.Post(to, "x"); !errors.Is(err, kernel.ErrNoSession) {
				t.Errorf("Post to %v: got %v, want ErrNoSession", to, err)
			}
			if _, err := e.Session.Call(to, "x"); !errors.Is(err, kernel.ErrNoSession) {
				t.Errorf("Call of %v: got %v, want ErrNoSession", to, err)
			}
			if err := k.Signal(to, "X"); !errors.Is(err, kernel.ErrNoSession) {
				t.Errorf("Signal to %v: got %v, want ErrNoSession", to, err)
			}
		}
	}})
	run(t, k)
}

func TestArgumentsOfAnyNumber(t *testing.T) {
	k := newKernel(t)
	var got []any
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Yield("many", 0, 1, 2, 3, 4, 5, 6, 7, 8) },
		"many":       func(e *kernel.Event) { got = append(got, e.Args...) },
	})
	run(t, k)
	for i, arg := range got {
		if arg != i {
			t.Errorf("argument %d is %v", i, arg)
		}
	}
	if len(got) != 9 {
		t.Errorf("got %d arguments, want 9", len(got))
	}
}

// An argument of the wrong type is the sender's mistake. The panic names the event, the position
// and both types.
func TestArgOfTheWrongType(t *testing.T) {
	k := newKernel(t)
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Yield("count", "three") },
		"count":      session.On(func(*kernel.Event, int) {}),
	})
	err := k.Run(t.Context())
	var x *kernel.Exception
	if !errors.As(err, &x) {
		t.Fatalf("got %v, want an Exception", err)
	}
	for _, want := range []string{`"count"`, "argument 0", "string", "int"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %s", err, want)
		}
	}
}

func TestCallReturnsWhatTheHandlerSets(t *testing.T) {
	k := newKernel(t)
	failed := errors.New("no such luck")
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			if got, err := e.Session.Call(e.Session, "double", 21); got != 42 || err != nil {
				t.Errorf("got %v, %v; want 42, nil", got, err)
			}
			_, err := e.Session.Call(e.Session, "unknown")
			if !errors.Is(err, kernel.ErrNoHandler) {
				t.Errorf("got %v, want ErrNoHandler", err)
			}
			if _, err := e.Session.Call(e.Session, "bad"); !errors.Is(err, failed) {
				t.Errorf("got %v, want what the handler panicked with", err)
			}
			e.Session.Sig("DIE", "died")
		},
		"double": session.On(func(e *kernel.Event, n int) { e.Result = 2 * n }),
		"bad":    func(*kernel.Event) { panic(failed) },
		"died":   func(*kernel.Event) { k.SigHandled() },
	})
	run(t, k)
}

func TestEventWithoutANamePanics(t *testing.T) {
	k := newKernel(t)
	s := k.Create(session.Events{kernel.Start: nothing})
	for what, f := range map[string]func(){
		"Post":     func() { _ = s.Post(s, "") },
		"Yield":    func() { s.Yield("") },
		"Delay":    func() { s.Delay("", 0) },
		"Sig":      func() { s.Sig("", "x") },
		"State":    func() { s.State("", nothing) },
		"DelaySet": func() { s.DelaySet("", 0) },
	} {
		if err := panicOf(f); !errors.Is(err, kernel.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", what, err)
		}
	}
	run(t, k)
}

// panicOf returns the error that f panics with, or nil.
func panicOf(f func()) (err error) {
	defer func() { err, _ = recover().(error) }()
	f()
	return nil
}

// Neither a post nor a call allocates, with an argument that is a pointer.
func TestPostAndCallDoNotAllocate(t *testing.T) {
	k := newKernel(t)
	var per [2]float64
	arg := new(int)
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Yield("measure") },
		"measure": func(e *kernel.Event) {
			s := e.Session
			per[0] = testing.AllocsPerRun(100, func() { _, _ = s.Call(s, "nothing", arg) })
			for range 200 {
				s.Yield("nothing", arg)
			}
			s.Yield("post")
		},
		"post": func(e *kernel.Event) {
			s := e.Session
			per[1] = testing.AllocsPerRun(100, func() { s.Yield("nothing", arg) })
		},
		"nothing": nothing,
	})
	run(t, k)
	if per != [2]float64{} {
		t.Errorf("a call and a post allocate %v times, want 0", per)
	}
}

// The handler of an event does not see what the handler of another one did with the same Event.
func TestEventsAreUsedAgainClean(t *testing.T) {
	k := newKernel(t)
	k.CreateWith(session.Events{
		kernel.Start: func(e *kernel.Event) {
			_, _ = e.Session.Call(e.Session, "first", 1, 2, 3)
			got, err := e.Session.Call(e.Session, "second")
			if got != nil || err != nil {
				t.Errorf("got %v, %v; want nil, nil", got, err)
			}
		},
		"first": func(e *kernel.Event) { e.Result = "mine" },
		"second": func(e *kernel.Event) {
			if len(e.Args) != 0 || e.Result != nil || e.Heap != "heap" || e.Kernel != k {
				t.Errorf("got %+v", e)
			}
		},
	}, kernel.CreateOptions{Heap: "heap"})
	k.Create(session.Events{kernel.Start: func(e *kernel.Event) {
		if e.Heap != nil {
			t.Errorf("a session without a heap gets %v", e.Heap)
		}
	}})
	run(t, k)
}
