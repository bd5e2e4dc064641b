package kernel_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// Each call is one of its own: with the argument, without what the last one has left behind, and
// not harmed by a panic of another.
func TestCallWhile(t *testing.T) {
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	note := func(format string, args ...any) { got = append(got, fmt.Sprintf(format, args...)) }
	n := 0
	more := func() bool {
		n++
		note("more %d in %q", n, k.ActiveEvent())
		return n < 7
	}
	s := k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Sig("DIE", "died")
			e.Session.Yield("go")
		},
		"died": func(e *kernel.Event) { e.Kernel.SigHandled() },
		"go": func(e *kernel.Event) {
			e.Session.CallWhile("one", &n, more)
			note("over in %q", k.ActiveEvent())
			e.Session.End()
			e.Session.CallWhile("one", &n, more)
		},
		"one": func(e *kernel.Event) {
			note("%s of %d, %v, %v, from %q", e.Name, *kernel.Arg[*int](e, 0), e.Args[1:], e.Result,
				e.SenderEvent)
			e.Result = n
			switch n {
			case 2:
				e.Args = nil
			case 3:
				panic("enough")
			case 4:
				e.Session.Yield("never")
			case 5:
				if _, err := e.Session.Call(e.Session, "inner"); err != nil {
					t.Error(err)
				}
			case 6:
				e.Session.End()
			}
		},
		"inner": func(e *kernel.Event) { note("inner from %q", e.SenderEvent) },
	})
	if err := k.Run(t.Context()); err != nil {
		t.Error(err)
	}
	if !s.Ended() {
		t.Error("the session has not ended")
	}
	var want []string
	for i := 1; i <= 6; i++ {
		want = append(want, fmt.Sprintf(`more %d in "go"`, i),
			fmt.Sprintf(`one of %d, [], <nil>, from "go"`, i))
		if i == 5 {
			want = append(want, `inner from "one"`)
		}
	}
	want = append(want, `over in "go"`)
	if !slices.Equal(got, want) {
		t.Errorf("got\n\t%q\nwant\n\t%q", got, want)
	}
}

// A panic of what asks for more is not the handler's, and goes through to the caller.
func TestCallWhileMorePanics(t *testing.T) {
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Yield("go") },
		"go": func(e *kernel.Event) {
			defer func() {
				if got := recover(); got != "no more" || k.ActiveEvent() != "go" {
					t.Errorf("recovered %v in %q", got, k.ActiveEvent())
				}
			}()
			e.Session.CallWhile("one", nil, func() bool { panic("no more") })
		},
	})
	if err := k.Run(t.Context()); err != nil {
		t.Error(err)
	}
}

// However many calls there are, they cost no memory.
func TestCallWhileAllocatesNothing(t *testing.T) {
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Yield("go") },
		"one":        func(*kernel.Event) { calls++ },
		"go": func(e *kernel.Event) {
			arg := new(int)
			if n := testing.AllocsPerRun(100, func() {
				left := 10
				e.Session.CallWhile("one", arg, func() bool { left--; return left >= 0 })
			}); n != 0 {
				t.Errorf("ten calls cost %v allocations, want none", n)
			}
		},
	})
	if err := k.Run(t.Context()); err != nil {
		t.Error(err)
	}
	if calls != 1010 {
		t.Errorf("%d calls, want 1010", calls)
	}
}

// Who handles an event may change from one call to the next.
func TestCallWhileAsksState(t *testing.T) {
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	handles := func(who string) kernel.HandlerFunc {
		return func(e *kernel.Event) {
			got = append(got, who)
			if len(got) == 3 {
				e.Session.State("one", func(*kernel.Event) { got = append(got, "added") })
			}
		}
	}
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			n := 0
			e.Session.CallWhile("one", nil, func() bool {
				if n == 5 {
					e.Session.RemoveState("one")
				}
				n++
				return n <= 6
			})
		},
		"one":          handles("table"),
		kernel.Default: handles("default"),
	})
	if want := []string{"table", "table", "table", "added", "added", "table"}; !slices.Equal(got, want) {
		t.Errorf("handled by %q, want %q", got, want)
	}
}
