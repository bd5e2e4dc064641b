package sim_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/test/sim"
)

// A table is a session for these tests: its handlers by the names of their events.
type table map[string]kernel.HandlerFunc

func (t table) Handle(e *kernel.Event) {
	if f := t[e.Name]; f != nil {
		f(e)
		return
	}
	e.Unhandled()
}

func newKernel(t testing.TB, loop kernel.Loop) *kernel.Kernel {
	t.Helper()
	k, err := kernel.New(kernel.Options{
		Loop:   loop,
		Log:    zap.NewNop(),
		Getenv: func(string) string { return "" },
	})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// must fails the test if a request does.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// wants fails the test if err is not want.
func wants(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got the error %v, want %v", err, want)
	}
}

// The clock jumps from one alarm to the next, and shows the very time for which that was set.
func TestClockJumps(t *testing.T) {
	world := sim.NewWorld()
	k := newKernel(t, world)
	began := world.Now()
	var tries []time.Duration
	k.Create(table{
		kernel.Start: func(e *kernel.Event) { e.Session.Yield("try", time.Minute) },
		"try": func(e *kernel.Event) {
			tries = append(tries, world.Now().Sub(began))
			if wait := kernel.Arg[time.Duration](e, 0); len(tries) < 4 {
				e.Session.Delay("try", wait, 2*wait)
			}
		},
	})
	must(t, k.Run(t.Context()))
	want := []time.Duration{0, 1 * time.Minute, 3 * time.Minute, 7 * time.Minute}
	if !slices.Equal(tries, want) {
		t.Errorf("tried at %v, want %v", tries, want)
	}
	if got := world.Elapsed(); got != 7*time.Minute {
		t.Errorf("elapsed: %v, want %v", got, 7*time.Minute)
	}
}

// rings has sessions that each have an alarm ring at an interval, for a day, and returns how many
// did.
func rings(t testing.TB, world *sim.World, sessions int, interval time.Duration) int {
	t.Helper()
	k := newKernel(t, world)
	end := world.Now().Add(24 * time.Hour)
	rung := 0
	for range sessions {
		k.Create(table{
			kernel.Start: func(e *kernel.Event) { e.Session.Delay("ring", interval) },
			"ring": func(e *kernel.Event) {
				rung++
				if world.Now().Before(end) {
					e.Session.Delay("ring", interval)
				}
			},
		})
	}
	must(t, k.Run(t.Context()))
	return rung
}

func TestDayOfAlarms(t *testing.T) {
	for _, test := range []struct {
		sessions int
		interval time.Duration
	}{
		{1, time.Second}, {100, 10 * time.Minute}, {5000, 6 * time.Hour},
	} {
		world := sim.NewWorld()
		got := rings(t, world, test.sessions, test.interval)
		if want := test.sessions * int(24*time.Hour/test.interval); got != want {
			t.Errorf("%d sessions, every %v: %d alarms, want %d",
				test.sessions, test.interval, got, want)
		}
		if got := world.Elapsed(); got != 24*time.Hour {
			t.Errorf("%d sessions, every %v: a day took %v", test.sessions, test.interval, got)
		}
	}
}

// A million alarms in a day: 5,000 sessions, 200 each.
func BenchmarkMillionAlarms(b *testing.B) {
	for b.Loop() {
		if got := rings(b, sim.NewWorld(), 5000, 24*time.Hour/200); got != 1_000_000 {
			b.Fatalf("%d alarms", got)
		}
	}
}

func TestDeadlock(t *testing.T) {
	world := sim.NewWorld()
	a, b := overTCP(t, world)
	k := newKernel(t, world)
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			must(t, e.Session.SelectRead(a, "read"))
			must(t, e.Session.SelectRead(b, "read"))
		},
		"read": func(*kernel.Event) { t.Error("nobody has written") },
	})
	err := k.Run(t.Context())
	wants(t, err, sim.ErrDeadlock)
	want := fmt.Sprintf("watched: %d read, %d read",
		min(a.FD(), b.FD()), max(a.FD(), b.FD()))
	if err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %q, want %q in it", err, want)
	}
}

func TestEndless(t *testing.T) {
	world := sim.New(sim.Options{MaxTurns: 1000})
	k := newKernel(t, world)
	k.Create(table{
		kernel.Start: func(e *kernel.Event) { e.Session.Delay("ring", time.Second) },
		"ring":       func(e *kernel.Event) { e.Session.Delay("ring", time.Second) },
	})
	wants(t, k.Run(t.Context()), sim.ErrEndless)
}

// With External, Run waits for a goroutine of which the world knows nothing.
func TestExternal(t *testing.T) {
	world := sim.New(sim.Options{External: true})
	k := newKernel(t, world)
	opened := make(chan *kernel.Door)
	go func() {
		if err := (<-opened).Post("knock"); err != nil {
			t.Error(err)
		}
	}()
	knocked := false
	k.Create(table{
		kernel.Start: func(e *kernel.Event) { e.Session.Yield("open", e.Session.Door()) },
		"open":       func(e *kernel.Event) { opened <- kernel.Arg[*kernel.Door](e, 0) },
		"knock": func(e *kernel.Event) {
			knocked = true
			e.Kernel.Stop()
		},
	})
	must(t, k.Run(t.Context()))
	if !knocked {
		t.Error("nobody has knocked")
	}
}

func TestAfter(t *testing.T) {
	world := sim.NewWorld()
	ctx, cancel := context.WithCancel(t.Context())
	world.After(time.Hour, cancel)
	k := newKernel(t, world)
	k.Create(table{
		kernel.Start: func(e *kernel.Event) { e.Session.Delay("never", 2*time.Hour) },
		"never":      func(*kernel.Event) { t.Error("the context is done, and an alarm rings") },
	})
	wants(t, k.Run(ctx), context.Canceled)
	if got := world.Elapsed(); got != time.Hour {
		t.Errorf("Run ended after %v, want %v", got, time.Hour)
	}
}

// What is due at the same time is done in the order in which it was asked for.
func TestAfterKeepsOrder(t *testing.T) {
	world := sim.NewWorld()
	var got, want []int
	for i := range 100 {
		d := time.Duration(i%3) * time.Second
		world.After(d, func() { got = append(got, i) })
	}
	for rest := range 3 {
		for i := rest; i < 100; i += 3 {
			want = append(want, i)
		}
	}
	pass(t, world, time.Minute)
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Slow work takes its time, but not that of whoever waits.
func TestWorkTime(t *testing.T) {
	world := sim.New(sim.Options{WorkTime: time.Minute})
	k := newKernel(t, world)
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			must(t, e.Session.Work(func(ctx context.Context) (any, error) {
				return world.Resolve(ctx, "localhost")
			}, "done"))
		},
		"done": func(e *kernel.Event) {
			must(t, kernel.Arg[*kernel.Done](e, 0).Err)
			if got := world.Elapsed(); got != time.Minute {
				t.Errorf("the work took %v, want %v", got, time.Minute)
			}
		},
	})
	must(t, k.Run(t.Context()))
}

func TestOptionsAreChecked(t *testing.T) {
	for _, opts := range []sim.Options{
		{Latency: -1}, {MaxTurns: -1}, {Faults: sim.Faults{Split: 1.1}},
		{Faults: sim.Faults{Drop: -0.1}}, {Faults: sim.Faults{ResetAfter: -1}},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("New(%+v) does not panic", opts)
				}
			}()
			sim.New(opts)
		}()
	}
}

func TestResolve(t *testing.T) {
	world := sim.NewWorld()
	six, four := addr("2001:db8::1"), addr("192.0.2.1")
	world.AddHost("mx.example.com", six, four)
	broken := errors.New("the server is down")
	world.FailHost("broken.example.com.", broken)
	for _, name := range []string{"mx.example.com", "MX.Example.com."} {
		got, err := world.Resolve(t.Context(), name)
		if err != nil || len(got) != 2 || got[0] != six || got[1] != four {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	_, err := world.Resolve(t.Context(), "Broken.example.com")
	wants(t, err, broken)
	world.AddHost("empty.example.com")
	for _, name := range []string{"nobody.example.com", "empty.example.com", ""} {
		_, err := world.Resolve(t.Context(), name)
		if !isNotFound(err) {
			t.Errorf("%q: %v, want that it is not found", name, err)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = world.Resolve(gone, "mx.example.com")
	wants(t, err, context.Canceled)
}
