package kernel_test

import (
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// In timeslices, too, a session that yields for ever does not keep a handle waiting.
func TestTimeslicesLetHandlesIn(t *testing.T) {
	k := newKernel(t)
	r, w := pipe(t)
	n, on := 0, true
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			_ = e.Session.SelectRead(r, "readable")
			e.Session.Yield("again")
		},
		"readable": func(e *kernel.Event) { on = false },
		"again": func(e *kernel.Event) {
			if n++; n == 10_000 {
				write(t, w, "x")
			}
			if n == 1_000_000 {
				t.Error("the handle is not served")
				on = false
			}
			e.Session.Yield("again")
		},
	})
	if err := k.RunWhile(t.Context(), &on); err != nil {
		t.Error(err)
	}
	k.Stop()
}

// A handle that stays ready does not make a timeslice go on for ever, and what waits for the end of
// a turn comes though nothing else does.
func TestTimesliceEnds(t *testing.T) {
	k := newKernel(t)
	r, w := pipe(t)
	write(t, w, "x")
	settled := 0
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			_ = e.Session.SelectRead(r, "readable")
			e.Session.Settle("settled")
		},
		"readable": nothing,
		"settled": func(e *kernel.Event) {
			if settled++; settled == 1 {
				_ = e.Session.SelectRead(r, "")
			}
			if settled < 5 {
				e.Session.Settle("settled")
			}
		},
	})
	for slices := 0; ; slices++ {
		more, err := k.RunOneTimeslice(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			break
		}
		if slices == 100 {
			t.Fatalf("still not at the end:\n%v", k.WhyAlive())
		}
	}
	if settled != 5 {
		t.Errorf("settled %d times, want 5", settled)
	}
}
