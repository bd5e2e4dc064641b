package looptest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/go-poe/poe/kernel"
)

// lives is the suite for how sessions and kernels begin, go on and end. It follows POE's
// ses_session, k_detach, k_run_returns and k_signals_rerun.
var lives = []test{
	{"RunReturns", runReturns},
	{"RunTwice", runTwice},
	{"ManySessions", manySessions},
	{"Stop", stop},
	{"Detach", detach},
	{"Postbacks", postbacks},
	{"Work", work},
	{"WorkOfEndedSession", workOfEndedSession},
	{"Doors", doors},
	{"ContextIsDone", contextIsDone},
	{"ExceptionHandled", exceptionHandled},
	{"ExceptionNotHandled", exceptionNotHandled},
	{"ExceptionInStop", exceptionInStop},
	{"OneTimeslice", oneTimeslice},
	{"RunWhile", runWhile},
}

func runReturns(t *testing.T, loop kernel.Loop) {
	k := newKernel(t, loop)
	runKernel(t, k)
	runKernel(t, k)
}

// A kernel runs again and again. What goes wrong in one run is told by that one.
func runTwice(t *testing.T, loop kernel.Loop) {
	k := newKernel(t, loop)
	var last kernel.ID
	for i := range 8 {
		bad := i%3 == 1
		yields := 0
		s := k.Create(table{
			kernel.Start: func(e *kernel.Event) { e.Session.Yield("again") },
			"again": func(e *kernel.Event) {
				if yields++; yields < 10 {
					e.Session.Yield("again")
				}
			},
			kernel.Stop: func(*kernel.Event) {
				if bad {
					panic(fmt.Sprintf("bad end %d", i))
				}
			},
		})
		if s.ID() <= last {
			t.Errorf("session %d comes after session %d", s.ID(), last)
		}
		last = s.ID()
		err := tryKernel(t, k)
		var x *kernel.Exception
		switch {
		case bad && (!errors.As(err, &x) || x.Value != fmt.Sprintf("bad end %d", i)):
			t.Errorf("run %d: %v, want its bad end", i, err)
		case !bad && err != nil:
			t.Errorf("run %d: %v", i, err)
		}
		if yields != 10 {
			t.Errorf("run %d: %d events, want 10", i, yields)
		}
	}
}

func manySessions(t *testing.T, loop kernel.Loop) {
	const sessions, events = 10, 5
	k := newKernel(t, loop)
	var handled, byDefault, started, stopped int
	for i := range sessions {
		k.Create(table{
			kernel.Start: func(e *kernel.Event) {
				started++
				e.Session.Yield("count", events)
			},
			"count": func(e *kernel.Event) {
				if e.Sender == e.Session && e.Heap == nil {
					handled++
				}
				e.Session.Yield("unknown", i)
				if left := kernel.Arg[int](e, 0); left > 1 {
					e.Session.Yield("count", left-1)
				}
			},
			kernel.Default: func(e *kernel.Event) {
				if e.Args[0] == "unknown" && slices.Equal(kernel.Arg[[]any](e, 1), []any{i}) {
					byDefault++
				}
			},
			kernel.Stop: func(e *kernel.Event) {
				stopped++
				if e.Kernel.ActiveSession() != e.Session {
					t.Error("a session that stops is not the active one")
				}
			},
		})
	}
	runKernel(t, k)
	for _, test := range []struct {
		what      string
		got, want int
	}{
		{"sessions started", started, sessions},
		{"sessions stopped", stopped, sessions},
		{"events handled", handled, sessions * events},
		{"events unknown", byDefault, sessions * events},
	} {
		if test.got != test.want {
			t.Errorf("%s: got %d, want %d", test.what, test.got, test.want)
		}
	}
	if k.ActiveSession() != k.Root() {
		t.Error("a session is active after Run")
	}
}

// Four sessions, each the child of the one before, wait for an alarm. The last stops them all.
func stop(t *testing.T, loop kernel.Loop) {
	k := newKernel(t, loop)
	got := &story{t: t}
	var make func(parent *kernel.Session, i int)
	make = func(parent *kernel.Session, i int) {
		parent.Create(table{
			kernel.Start: func(e *kernel.Event) {
				e.Session.Delay("stop", ms(1000000))
				if i < 4 {
					make(e.Session, i+1)
					return
				}
				e.Session.Delay("stop", ms(1))
			},
			"stop": func(e *kernel.Event) {
				e.Session.Yield("never")
				e.Kernel.Stop()
				got.tell("stopped")
				e.Kernel.Create(table{
					kernel.Start: func(*kernel.Event) { got.tell("a new one") },
				})
			},
			"never": func(*kernel.Event) { t.Error("an event comes after Stop") },
			kernel.Child: func(e *kernel.Event) {
				if e.Args[0] == kernel.ChildLose {
					got.tell("%d loses %v", i, e.Args[2])
				}
			},
			kernel.Parent: func(*kernel.Event) { t.Error("a session changes its parent") },
			kernel.Stop: func(e *kernel.Event) {
				got.tell("%d stops", i)
				e.Result = i
			},
		})
	}
	make(k.Root(), 1)
	runKernel(t, k)
	got.is("4 stops", "3 loses 4", "3 stops", "2 loses 3", "2 stops", "1 loses 2", "1 stops",
		"stopped", "a new one")
}

func detach(t *testing.T, loop kernel.Loop) {
	k := newKernel(t, loop)
	got := &story{t: t}
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			child := func(name string, self bool) *kernel.Session {
				return e.Session.Create(table{
					kernel.Start: func(e *kernel.Event) {
						e.Session.Delay("rest", ms(3))
						if self {
							e.Session.Yield("leave")
						}
					},
					"leave": func(e *kernel.Event) {
						must(t, e.Session.DetachMyself())
						wants(t, e.Session.DetachMyself(), kernel.ErrNotChild)
					},
					"rest": nothing,
					kernel.Parent: func(e *kernel.Event) {
						got.tell("%s gets %v for a parent", name, e.Args[1])
					},
					kernel.Stop: func(*kernel.Event) { got.tell("%s stops", name) },
				})
			}
			child("one", true)
			e.Session.Yield("detach", child("two", false))
		},
		"detach": func(e *kernel.Event) {
			two := kernel.Arg[*kernel.Session](e, 0)
			must(t, e.Session.DetachChild(two))
			wants(t, e.Session.DetachChild(two), kernel.ErrNotChild)
		},
		kernel.Child: func(e *kernel.Event) { got.tell("parent: %v", e.Args[0]) },
		kernel.Stop:  func(*kernel.Event) { got.tell("parent stops") },
	})
	runKernel(t, k)
	got.is("parent: create", "parent: create",
		"parent: lose", "one gets kernel for a parent",
		"parent: lose", "two gets kernel for a parent",
		"parent stops", "two stops", "one stops")
}

func postbacks(t *testing.T, loop kernel.Loop) {
	k := newKernel(t, loop)
	got := &story{t: t}
	var post *kernel.Postback
	var call *kernel.Callback
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			post = e.Session.Postback("posted", 1, 2)
			call = e.Session.Callback("called", 3)
		},
		"posted": func(e *kernel.Event) {
			got.tell("%v %v by %s", e.Args[0], e.Args[1], e.SenderEvent)
		},
		"called": func(e *kernel.Event) {
			got.tell("%v %v by %s", e.Args[0], e.Args[1], e.SenderEvent)
			e.Result = "result"
		},
		kernel.Stop: func(*kernel.Event) { got.tell("stop") },
	})
	k.Create(table{
		kernel.Start: func(e *kernel.Event) { e.Session.Delay("use", ms(1)) },
		"use": func(e *kernel.Event) {
			must(t, post.Post("x"))
			result, err := call.Call("y")
			must(t, err)
			got.tell("%v", result)
			post.Close()
			call.Close()
			call.Close()
		},
		kernel.Stop: func(*kernel.Event) { got.tell("user stops") },
	})
	runKernel(t, k)
	got.is("[3] [y] by use", "result", "[1 2] [x] by use", "user stops", "stop")
	wants(t, post.Post(), kernel.ErrNoSession)
	_, err := call.Call()
	wants(t, err, kernel.ErrNoSession)
}

func work(t *testing.T, loop kernel.Loop) {
	const jobs = 40
	failure := errors.New("no luck")
	k := newKernel(t, loop)
	var atOnce, most atomic.Int64
	results := make(map[int]int)
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			for i := range jobs {
				must(t, e.Session.Work(func(context.Context) (any, error) {
					most.Store(max(most.Load(), atOnce.Add(1)))
					defer atOnce.Add(-1)
					switch i {
					case 1:
						return nil, failure
					case 2:
						panic("in slow work")
					}
					return i * i, nil
				}, "done", i))
			}
		},
		"done": func(e *kernel.Event) {
			done, i := kernel.Arg[*kernel.Done](e, 0), kernel.Arg[int](e, 1)
			switch i {
			case 1:
				wants(t, done.Err, failure)
			case 2:
				if done.Err == nil {
					t.Error("a panic of slow work is no error")
				}
			default:
				must(t, done.Err)
				results[i], _ = done.Value.(int)
			}
		},
	})
	runKernel(t, k)
	if len(results) != jobs-2 {
		t.Errorf("%d results, want %d", len(results), jobs-2)
	}
	for i, got := range results {
		if got != i*i {
			t.Errorf("job %d: got %d, want %d", i, got, i*i)
		}
	}
	if most.Load() > 16 {
		t.Errorf("%d jobs at once, want 16 at most", most.Load())
	}
}

// A session ends before its slow work does. Nobody gets the result, and the kernel does not wait
// for it.
func workOfEndedSession(t *testing.T, loop kernel.Loop) {
	k := newKernel(t, loop)
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			must(t, e.Session.Work(func(context.Context) (any, error) { return nil, nil }, "done"))
			e.Session.Yield("stop")
		},
		"stop": func(e *kernel.Event) { e.Kernel.Stop() },
		"done": func(*kernel.Event) { t.Error("a session that has ended gets a result") },
	})
	runKernel(t, k)
	runKernel(t, k)
}

// What one goroutine posts arrives in order.
func doors(t *testing.T, loop kernel.Loop) {
	const posters, each = 3, 200
	k := newKernel(t, loop)
	var next [posters]int
	left := posters
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			for i := range posters {
				door := e.Session.Door()
				loop.Go(func() {
					for n := range each {
						if err := door.Post("knock", i, n); err != nil {
							t.Errorf("Post: %v", err)
						}
					}
					if err := door.Post("last", door); err != nil {
						t.Errorf("Post: %v", err)
					}
				})
			}
		},
		"knock": func(e *kernel.Event) {
			i, n := kernel.Arg[int](e, 0), kernel.Arg[int](e, 1)
			if n != next[i] {
				t.Errorf("poster %d: got %d, want %d", i, n, next[i])
			}
			next[i]++
		},
		"last": func(e *kernel.Event) {
			door := kernel.Arg[*kernel.Door](e, 0)
			door.Close()
			wants(t, door.Post("knock"), kernel.ErrDoorClosed)
			left--
		},
	})
	runKernel(t, k)
	if left != 0 || next != [posters]int{each, each, each} {
		t.Errorf("%d posters are left, and %v events came, want %d each", left, next, each)
	}
}

// A context that is done, by the hand of somebody outside, stops all sessions.
func contextIsDone(t *testing.T, loop kernel.Loop) {
	enough := errors.New("that is enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	k := newKernel(t, loop)
	got := &story{t: t}
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			must(t, e.Session.Work(func(context.Context) (any, error) {
				cancel(enough)
				return nil, nil
			}, "done"))
			e.Session.Delay("never", ms(1000000))
		},
		"done":      nothing,
		"never":     func(*kernel.Event) { t.Error("an alarm rings that is far away") },
		kernel.Stop: func(*kernel.Event) { got.tell("stop") },
	})
	wants(t, k.Run(ctx), enough)
	got.is("stop")
	runKernel(t, k)
}

func exceptionHandled(t *testing.T, loop kernel.Loop) {
	k := newKernel(t, loop)
	got := &story{t: t}
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Sig("DIE", "die")
			e.Session.Create(table{
				kernel.Start: func(e *kernel.Event) {
					e.Session.Delay("later", ms(2))
					panic("oops")
				},
				"later": func(*kernel.Event) { got.tell("the child goes on") },
			})
		},
		"die": func(e *kernel.Event) {
			x := kernel.Arg[*kernel.Exception](e, 1)
			got.tell("%v in %s", x.Value, x.Event)
			e.Session.Sig("DIE", "")
			e.Kernel.SigHandled()
		},
	})
	runKernel(t, k)
	got.is("oops in _start", "the child goes on")
}

func exceptionNotHandled(t *testing.T, loop kernel.Loop) {
	failure := errors.New("the value of a panic")
	_, b := pair(t, loop, "tcp4")
	k := newKernel(t, loop)
	stopped := 0
	bystander := func(begin func(e *kernel.Event)) table {
		return table{
			kernel.Start: begin,
			"never":      func(*kernel.Event) { t.Error("a bystander goes on") },
			"read":       nothing,
			kernel.Stop:  func(*kernel.Event) { stopped++ },
		}
	}
	k.Create(bystander(func(e *kernel.Event) { e.Session.Delay("never", ms(1000000)) }))
	k.Create(bystander(func(e *kernel.Event) { must(t, e.Session.SelectRead(b, "read")) }))
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Sig("DIE", "die")
			e.Session.Delay("fail", ms(1))
		},
		"fail":      func(*kernel.Event) { panic(failure) },
		"die":       nothing,
		kernel.Stop: func(*kernel.Event) { stopped++ },
	})
	err := tryKernel(t, k)
	wants(t, err, failure)
	var x *kernel.Exception
	if !errors.As(err, &x) || x.Event != "fail" {
		t.Errorf("Run: %#v", err)
	}
	if stopped != 3 {
		t.Errorf("%d sessions have stopped, want 3", stopped)
	}
	runKernel(t, k)
}

// A panic in a Stop brings the rest down at once, and not when something else happens to wake the
// kernel.
func exceptionInStop(t *testing.T, loop kernel.Loop) {
	failure := errors.New("the value of a panic")
	k := newKernel(t, loop)
	stops := 0
	k.Create(table{
		kernel.Start: func(e *kernel.Event) { e.Session.Delay("never", ms(1000000)) },
		"never":      func(*kernel.Event) { t.Error("a bystander goes on") },
	})
	k.Create(table{
		kernel.Start: nothing,
		kernel.Stop: func(*kernel.Event) {
			stops++
			panic(failure)
		},
	})
	wants(t, tryKernel(t, k), failure)
	if stops != 1 {
		t.Errorf("%d calls of Stop, want 1", stops)
	}
}

func oneTimeslice(t *testing.T, loop kernel.Loop) {
	a, b := pair(t, loop, "tcp4")
	k := newKernel(t, loop)
	got := &story{t: t}
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			must(t, e.Session.SelectRead(b, "read"))
			e.Session.Yield("write")
			e.Session.Delay("ring", ms(3))
		},
		"write": func(*kernel.Event) {
			got.tell("write")
			if n, err := a.Write([]byte("x")); n != 1 && err != kernel.ErrAgain {
				t.Errorf("Write: %v", err)
			}
			must(t, a.CloseWrite())
		},
		"read": func(e *kernel.Event) {
			if _, err := b.Read(make([]byte, 8)); err != kernel.ErrAgain {
				got.tell("read")
				must(t, e.Session.SelectRead(b, ""))
			}
		},
		"ring":      func(*kernel.Event) { got.tell("ring") },
		kernel.Stop: func(*kernel.Event) { got.tell("stop") },
	})
	for slices := 0; ; slices++ {
		more, err := k.RunOneTimeslice(t.Context())
		if err != nil {
			t.Fatalf("RunOneTimeslice: %v", err)
		}
		if !more {
			break
		}
		if slices == 1000 {
			t.Fatalf("still not at the end:\n%v", k.WhyAlive())
		}
	}
	slices.Sort(got.lines[1:3]) // the network may be slow
	got.is("write", "read", "ring", "stop")
	if more, err := k.RunOneTimeslice(t.Context()); more || err != nil {
		t.Errorf("RunOneTimeslice at the end: %v, %v", more, err)
	}
}

func runWhile(t *testing.T, loop kernel.Loop) {
	k := newKernel(t, loop)
	going, rung := true, 0
	k.Create(table{
		kernel.Start: func(e *kernel.Event) { e.Session.Delay("ring", ms(1)) },
		"ring": func(e *kernel.Event) {
			rung++
			going = rung < 3
			e.Session.Delay("ring", ms(1))
		},
	})
	must(t, k.RunWhile(t.Context(), &going))
	if rung != 3 {
		t.Errorf("rung %d times, want 3", rung)
	}
	k.Stop()
	runKernel(t, k)
}
