package kernel_test

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// pipe returns a pipe that the test closes, if nobody else has.
func pipe(t *testing.T) (r, w kernel.Handle) {
	t.Helper()
	r, w, err := kernel.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = r.Close()
		_ = w.Close()
	})
	return r, w
}

func write(t *testing.T, h kernel.Handle, s string) {
	t.Helper()
	if _, err := h.Write([]byte(s)); err != nil {
		t.Error(err)
	}
}

func TestSelectOfAClosedHandle(t *testing.T) {
	k := newKernel(t)
	r, _ := pipe(t)
	_ = r.Close()
	k.Create(session.Events{kernel.Start: func(e *kernel.Event) {
		err := e.Session.SelectRead(r, "readable")
		if !errors.Is(err, net.ErrClosed) || !errors.Is(err, kernel.ErrInvalid) {
			t.Errorf("got %v, want ErrClosed and ErrInvalid", err)
		}
		if err := e.Session.SelectRead(nil, "readable"); !errors.Is(err, kernel.ErrInvalid) {
			t.Errorf("got %v, want ErrInvalid", err)
		}
		if err := e.Session.SelectPauseRead(r); !errors.Is(err, kernel.ErrNotWatched) {
			t.Errorf("got %v, want ErrNotWatched", err)
		}
	}})
	run(t, k)
}

// A second watch of the same handle takes the place of the first (P-6).
func TestSecondSelectReplacesTheFirst(t *testing.T) {
	k := newKernel(t)
	r, w := pipe(t)
	var j journal
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			write(t, w, "x")
			_ = e.Session.SelectRead(r, "first", 1)
			_ = e.Session.SelectRead(r, "second", 2)
		},
		"first": j.note("first"),
		"second": func(e *kernel.Event) {
			j.add("second %v", e.Args[2])
			_ = e.Session.SelectRead(r, "")
		},
	})
	run(t, k)
	j.want(t, "second 2")
}

// A paused watch keeps its session alive, and nobody else's is paused by it.
func TestPauseIsTheSessionsOwn(t *testing.T) {
	k := newKernel(t)
	r, w := pipe(t)
	var j journal
	reads := func(name string, pause bool) {
		k.Create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				_ = e.Session.SelectRead(r, "readable")
				if pause {
					_ = e.Session.SelectPauseRead(r)
					e.Session.Delay("give up", 20*time.Millisecond)
				}
			},
			"readable": func(e *kernel.Event) {
				j.add("%s reads", name)
				var b [10]byte
				_, _ = r.Read(b[:])
				_ = e.Session.SelectRead(r, "")
			},
			"give up": func(e *kernel.Event) {
				why := e.Session.WhyAlive()
				if len(why.Reasons) != 1 || why.Reasons[0].What != "handles" {
					t.Errorf("got %v", why)
				}
				_ = e.Session.SelectRead(r, "")
			},
			kernel.Stop: j.note(name + " stops"),
		})
	}
	write(t, w, "x")
	reads("paused", true)
	reads("other", false)
	run(t, k)
	j.want(t, "other reads", "other stops", "paused stops")
}

// What a handler ends or pauses while the readiness of a descriptor is handed over gets nothing
// (P-19).
func TestReadinessIsAskedForAnew(t *testing.T) {
	k := newKernel(t)
	a, b, err := kernel.SocketPair()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var j journal
	write(t, b, "x")
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { _ = e.Session.Select(a, "read", "write", "") },
		"read": func(e *kernel.Event) {
			j.add("read")
			_ = e.Session.SelectPauseWrite(a)
			_ = e.Session.SelectRead(a, "")
			e.Session.Delay("close", 5*time.Millisecond)
		},
		"write": j.note("write"),
		"close": func(e *kernel.Event) {
			_ = e.Session.SelectWrite(a, "")
			_ = a.Close()
		},
	})
	run(t, k)
	j.want(t, "read")
}

// A handle that is closed while it is watched, against the rules, does no harm to who gets its
// number.
func TestDescriptorUsedAgain(t *testing.T) {
	k := newKernel(t)
	r1, w1 := pipe(t)
	var j journal
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			_ = e.Session.SelectRead(r1, "old")
			_ = r1.Close()
			_ = e.Session.SelectRead(r1, "") // known by the handle, though it has no number any more
			r2, w2 := pipe(t)
			_ = e.Session.SelectRead(r2, "new")
			write(t, w2, "x")
			_ = w1
		},
		"old": j.note("old"),
		"new": func(e *kernel.Event) {
			j.add("new")
			_ = e.Session.SelectRead(kernel.Arg[kernel.Handle](e, 0), "")
		},
	})
	run(t, k)
	j.want(t, "new")
}

func TestSettleComesOnceAtTheEndOfTheTurn(t *testing.T) {
	k := newKernel(t)
	var j journal
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Settle("settled")
			e.Session.Yield("one")
			e.Session.Yield("two")
		},
		"one":     func(e *kernel.Event) { j.add("one"); e.Session.Yield("three") },
		"two":     j.note("two"),
		"three":   j.note("three"),
		"settled": j.note("settled"),
	})
	run(t, k)
	j.want(t, "one", "two", "three", "settled")
}
