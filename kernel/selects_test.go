package kernel_test

import (
	"errors"
	"net"
	"os/exec"
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
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

// A handle that is closed while it is watched, and never forgotten, does not keep whoever gets its
// number from being told; its own session hears no more of it.
func TestHandleClosedWhileWatched(t *testing.T) {
	k := newKernel(t)
	var j journal
	r1, w1 := pipe(t)
	old := k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { _ = e.Session.SelectRead(r1, "old") },
		"old":        j.note("old"),
	})
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			fd := r1.FD()
			_, _ = r1.Close(), w1.Close()
			r2, w2 := pipe(t)
			if r2.FD() != fd {
				t.Fatalf("the system gave number %d, and not %d, again", r2.FD(), fd)
			}
			_ = e.Session.SelectRead(r2, "new")
			write(t, w2, "x")
		},
		"new": func(e *kernel.Event) {
			j.add("new")
			_ = e.Session.SelectRead(kernel.Arg[kernel.Handle](e, 0), "")
		},
	})
	run(t, k)
	if !old.Ended() {
		t.Error("the first session still waits")
	}
	j.want(t, "new")
}

// What a handler does to the arguments of a select event is not there the next time.
func TestArgumentsOfASelectEventAreItsOwn(t *testing.T) {
	k := newKernel(t)
	r, w := pipe(t)
	n := 0
	write(t, w, "x")
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { _ = e.Session.SelectRead(r, "readable", "mine") },
		"readable": func(e *kernel.Event) {
			if e.Args[2] != "mine" {
				t.Errorf("got %v", e.Args[2])
			}
			e.Args[2] = "spoilt"
			if n++; n == 2 {
				_ = e.Session.SelectRead(r, "")
			}
		},
	})
	run(t, k)
}

// A wait for a process that the loop cannot watch fails, and leaves nothing behind.
func TestSigChildThatCannotBeWatched(t *testing.T) {
	k, logs := watchedKernel(t, kernel.Options{Loop: sim.NewWorld()})
	cmd := exec.Command("true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	k.Create(session.Events{kernel.Start: func(e *kernel.Event) {
		if err := e.Session.SigChild(cmd.Process.Pid, "ended"); err == nil {
			t.Error("no error from a loop without processes")
		}
	}})
	run(t, k)
	_ = cmd.Wait()
	if logs.Len() != 0 {
		t.Errorf("logged: %v", logs.All())
	}
}
