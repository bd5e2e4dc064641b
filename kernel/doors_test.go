package kernel_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// Many goroutines post; what each posts arrives in its order, and nothing is lost.
func TestDoorFromManyGoroutines(t *testing.T) {
	const senders, each = 8, 2000
	k := newKernel(t)
	next := make([]int, senders)
	total := 0
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			door := e.Session.Door()
			e.Session.State("done", func(*kernel.Event) { door.Close() })
			var wg sync.WaitGroup
			for s := range senders {
				wg.Go(func() {
					for i := range each {
						for errors.Is(door.Post("number", s, i), kernel.ErrDoorFull) {
							runtime.Gosched() // the kernel is behind; a sender may wait
						}
					}
				})
			}
			go func() {
				wg.Wait()
				if err := door.Post("done"); err != nil {
					t.Error(err)
				}
			}()
		},
		"number": func(e *kernel.Event) {
			s, i := kernel.Arg[int](e, 0), kernel.Arg[int](e, 1)
			if i != next[s] {
				t.Errorf("sender %d: got %d, want %d", s, i, next[s])
			}
			next[s]++
			total++
		},
	})
	run(t, k)
	if total != senders*each {
		t.Errorf("got %d events, want %d", total, senders*each)
	}
}

func TestDoorIsBounded(t *testing.T) {
	k, _ := watchedKernel(t, kernel.Options{MaxOutside: 3})
	n := 0
	var door *kernel.Door
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { door = e.Session.Door() },
		"x":          func(*kernel.Event) { n++ },
	})
	var errs []error
	for range 5 {
		errs = append(errs, door.Post("x"))
	}
	door.Close()
	door.Close()
	for i, err := range errs {
		if want := i >= 3; errors.Is(err, kernel.ErrDoorFull) != want {
			t.Errorf("post %d: got %v; full: want %v", i, err, want)
		}
	}
	if err := door.Post("x"); !errors.Is(err, kernel.ErrDoorClosed) {
		t.Errorf("got %v, want ErrDoorClosed", err)
	}
	run(t, k)
	if n != 3 {
		t.Errorf("got %d events, want those 3 that were taken", n)
	}
}

func TestDoorOfASessionThatHasEnded(t *testing.T) {
	k := newKernel(t)
	var door *kernel.Door
	s := k.Create(session.Events{kernel.Start: func(e *kernel.Event) {
		door = e.Session.Door()
		e.Session.End()
	}})
	if err := door.Post("x"); !errors.Is(err, kernel.ErrDoorClosed) {
		t.Errorf("got %v, want ErrDoorClosed", err)
	}
	door.Close()
	if err := s.Door().Post("x"); !errors.Is(err, kernel.ErrDoorClosed) {
		t.Errorf("got %v, want ErrDoorClosed", err)
	}
	run(t, k)
}

// A door to an alias finds whoever has it when an event comes in, and keeps nobody alive.
func TestDoorToAnAlias(t *testing.T) {
	k := newKernel(t)
	door := k.Door(kernel.Alias("late"))
	var j journal
	if err := door.Post("x"); err != nil {
		t.Error(err)
	}
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { _ = e.Session.AliasSet("late") },
		"x":          j.note("x"),
	})
	run(t, k)
	if err := door.Post("x"); err != nil { // for nobody, and dropped
		t.Error(err)
	}
	run(t, k)
	j.want(t, "x")
}

func TestWork(t *testing.T) {
	k, _ := watchedKernel(t, kernel.Options{Workers: 2, MaxWork: 3})
	failed := errors.New("no")
	got := map[string]*kernel.Done{}
	var mu sync.Mutex
	busy, most := 0, 0
	slow := func(d *kernel.Done) func(context.Context) (any, error) {
		return func(context.Context) (any, error) {
			mu.Lock()
			busy++
			most = max(most, busy)
			mu.Unlock()
			defer func() { mu.Lock(); busy--; mu.Unlock() }()
			if d == nil {
				panic("in work")
			}
			return d.Value, d.Err
		}
	}
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			s := e.Session
			for name, d := range map[string]*kernel.Done{
				"value": {Value: 7}, "error": {Err: failed}, "panic": nil,
				"a": {Value: 1}, "b": {Value: 2},
			} {
				if err := s.Work(slow(d), "done", name); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			if err := s.Work(slow(nil), "done", "x"); !errors.Is(err, kernel.ErrTooMuchWork) {
				t.Errorf("got %v, want ErrTooMuchWork", err)
			}
		},
		"done": func(e *kernel.Event) { got[kernel.Arg[string](e, 1)] = kernel.Arg[*kernel.Done](e, 0) },
	})
	run(t, k)
	if len(got) != 5 || most > 2 {
		t.Fatalf("got %d results, %d at once at the most; want 5, 2", len(got), most)
	}
	if got["value"].Value != 7 || got["error"].Err != failed {
		t.Errorf("got %+v, %+v", got["value"], got["error"])
	}
	if err := got["panic"].Err; err == nil || !strings.Contains(err.Error(), "in work") {
		t.Errorf("got %v, want the panic", err)
	}
}

// Work for a session that ends is told so, and leaves nothing behind.
func TestWorkOfASessionThatEnds(t *testing.T) {
	k := newKernel(t)
	told := make(chan error, 1)
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			started := make(chan bool)
			err := e.Session.Work(func(ctx context.Context) (any, error) {
				close(started)
				<-ctx.Done()
				told <- ctx.Err()
				return nil, nil
			}, "done")
			if err != nil {
				t.Error(err)
			}
			<-started
			e.Session.End()
		},
	})
	run(t, k)
	if err := <-told; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want Canceled", err)
	}
}

// Work of a session that has ended takes no place in the line from that of others.
func TestWorkOfTheDeadDoesNotCount(t *testing.T) {
	k, _ := watchedKernel(t, kernel.Options{Workers: 1, MaxWork: 1})
	release := make(chan bool)
	wait := func(context.Context) (any, error) { <-release; return nil, nil }
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Create(session.Events{kernel.Start: func(e *kernel.Event) {
				for range 2 { // one runs, one waits
					if err := e.Session.Work(wait, "done"); err != nil {
						t.Error(err)
					}
				}
				e.Session.End()
			}})
			if err := e.Session.Work(wait, "done"); err != nil {
				t.Errorf("got %v, want the place of the dead", err)
			}
			close(release)
		},
		"done": nothing,
	})
	run(t, k)
}

// The limit counts what waits in the kernel, too: senders that are faster than a handler are told.
func TestDoorIsBoundedInsideTheKernel(t *testing.T) {
	k, _ := watchedKernel(t, kernel.Options{MaxOutside: 100})
	most, n := 0, 0
	var door *kernel.Door
	ctx, cancel := context.WithCancel(t.Context())
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { door = e.Session.Door() },
		"x": func(*kernel.Event) {
			most = max(most, k.EventCount())
			if n++; n == 20_000 {
				cancel()
			}
		},
	})
	go func() {
		for ctx.Err() == nil {
			if errors.Is(door.Post("x"), kernel.ErrDoorFull) {
				runtime.Gosched()
			}
		}
	}()
	if err := k.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if most > 101 { // and the session's first turn
		t.Errorf("%d events waited, want no more than 100", most)
	}
}

func TestDoorToAnotherKernelsSessionPanics(t *testing.T) {
	k, other := newKernel(t), newKernel(t)
	s := other.Create(session.Events{kernel.Start: nothing})
	if err := panicOf(func() { k.Door(s) }); !errors.Is(err, kernel.ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid", err)
	}
	run(t, other)
}

// Work that ends its goroutine, as a failing test does, has an error for a result.
func TestWorkThatEndsItsGoroutine(t *testing.T) {
	k := newKernel(t)
	var got *kernel.Done
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			err := e.Session.Work(func(context.Context) (any, error) {
				runtime.Goexit()
				return nil, nil
			}, "done")
			if err != nil {
				t.Error(err)
			}
		},
		"done": session.On(func(_ *kernel.Event, d *kernel.Done) { got = d }),
	})
	run(t, k)
	if got == nil || got.Err == nil {
		t.Errorf("got %+v, want an error", got)
	}
}
