package looptest

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
)

// contract is the suite for the methods of Loop.
var contract = []test{
	{"PassComesFirst", passComesFirst},
	{"LastPassEndsRun", lastPassEndsRun},
	{"NoWait", noWait},
	{"Waits", waits},
	{"WaitIsReplaced", waitIsReplaced},
	{"ForeverIsUntilWake", foreverIsUntilWake},
	{"WakeInPass", wakeInPass},
	{"WakeInReady", wakeInReady},
	{"WakeBeforeRun", wakeBeforeRun},
	{"WakeFromGoroutines", wakeFromGoroutines},
	{"WorkRuns", workRuns},
	{"ReadinessIsALevel", readinessIsALevel},
	{"OnlyTheWaysAskedFor", onlyTheWaysAskedFor},
	{"WatchChanges", watchChanges},
	{"PauseKeepsReadiness", pauseKeepsReadiness},
	{"PassFollowsReadiness", passFollowsReadiness},
	{"WaitEndsWhileBusy", waitEndsWhileBusy},
	{"ForgottenByReady", forgottenByReady},
	{"ClosedByReady", closedByReady},
	{"ClosedWhileWatched", closedWhileWatched},
	{"NotADescriptor", notADescriptor},
	{"HangUp", hangUp},
	{"HangUpWhileNotWatched", hangUpWhileNotWatched},
	{"EndOfStreamIsRead", endOfStreamIsRead},
	{"ManyDescriptors", manyDescriptors},
	{"RunAgain", runAgain},
	{"TimeDoesNotGoBack", timeDoesNotGoBack},
}

func passComesFirst(t *testing.T, loop kernel.Loop) {
	a, b := pair(t, loop, "tcp4")
	send(t, loop, a, "x")
	await(t, loop, b, kernel.Read)
	watch(t, loop, b, kernel.Read)
	var order []string
	run(t, loop,
		func(int, kernel.Mode) {
			order = append(order, "ready")
			watch(t, loop, b, 0)
		},
		func() (time.Duration, bool) {
			order = append(order, "pass")
			return kernel.Forever, !slices.Contains(order, "ready")
		})
	got, want := slices.Compact(order), []string{"pass", "ready", "pass"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func lastPassEndsRun(t *testing.T, loop kernel.Loop) {
	a, _ := pair(t, loop, "tcp4")
	watch(t, loop, a, kernel.Write)
	passes := 0
	run(t, loop,
		func(fd int, how kernel.Mode) { t.Errorf("descriptor %d is ready: %v", fd, how) },
		func() (time.Duration, bool) {
			passes++
			return kernel.Forever, false
		})
	if passes != 1 {
		t.Errorf("got %d passes, want 1", passes)
	}
}

func noWait(t *testing.T, loop kernel.Loop) {
	const want = 1000
	passes := 0
	run(t, loop, nil, func() (time.Duration, bool) {
		passes++
		return 0, passes < want
	})
	if passes != want {
		t.Errorf("got %d passes, want %d", passes, want)
	}
}

// A few passes more than were asked for are allowed: a timer that was set for an earlier wait may
// still ring. But a loop that is idle sleeps.
const spare = 10

func waits(t *testing.T, loop kernel.Loop) {
	for _, d := range []time.Duration{time.Millisecond, 7 * time.Millisecond, time.Nanosecond,
		3 * time.Millisecond} {
		began := loop.Now()
		passes := rest(t, loop, d, nil)
		if got := loop.Now().Sub(began); got < d {
			t.Errorf("a wait of %v took %v", d, got)
		}
		if passes > 2+spare {
			t.Errorf("a wait of %v took %d passes", d, passes)
		}
	}
}

func waitIsReplaced(t *testing.T, loop kernel.Loop) {
	const long = 8 * time.Millisecond
	var began, ended time.Time
	passes := 0
	run(t, loop, nil, func() (time.Duration, bool) {
		passes++
		if passes == 1 {
			loop.Wake()
			return time.Millisecond, true
		}
		if passes == 2 {
			began = loop.Now()
		}
		ended = loop.Now()
		left := long - ended.Sub(began)
		return left, left > 0
	})
	if ended.Sub(began) < long || passes > 3+spare {
		t.Errorf("the wait ended after %v and %d passes, want %v", ended.Sub(began), passes, long)
	}
}

func foreverIsUntilWake(t *testing.T, loop kernel.Loop) {
	var woken atomic.Bool
	passes := 0
	run(t, loop, nil, func() (time.Duration, bool) {
		passes++
		if passes == 1 {
			loop.Go(func() {
				woken.Store(true)
				loop.Wake()
			})
		}
		return kernel.Forever, !woken.Load()
	})
	if passes > 2+spare {
		t.Errorf("got %d passes", passes)
	}
}

func wakeInPass(t *testing.T, loop kernel.Loop) {
	const want = 100
	passes := 0
	run(t, loop, nil, func() (time.Duration, bool) {
		passes++
		loop.Wake()
		loop.Wake()
		return kernel.Forever, passes < want
	})
	if passes != want {
		t.Errorf("got %d passes, want %d", passes, want)
	}
}

// A pass that follows ready does not use up the Wake of one that came too late for it.
func wakeInReady(t *testing.T, loop kernel.Loop) {
	a, _ := pair(t, loop, "tcp4")
	watch(t, loop, a, kernel.Write)
	wakes := 0
	run(t, loop,
		func(int, kernel.Mode) {
			watch(t, loop, a, 0)
			wakes++
			loop.Wake()
		},
		func() (time.Duration, bool) {
			if wakes == 1 {
				wakes++
				loop.Wake()
				return kernel.Forever, true
			}
			return kernel.Forever, wakes == 0
		})
}

func wakeBeforeRun(t *testing.T, loop kernel.Loop) {
	for range 3 {
		loop.Wake()
		run(t, loop, nil, nil)
	}
	loop.Wake()
	foreverIsUntilWake(t, loop)
}

func wakeFromGoroutines(t *testing.T, loop kernel.Loop) {
	const goroutines, each = 4, 500
	var mu sync.Mutex
	var left []int
	var all sync.WaitGroup
	defer all.Wait()
	for range goroutines {
		all.Go(func() {
			for i := range each {
				mu.Lock()
				left = append(left, i)
				mu.Unlock()
				loop.Wake()
			}
		})
	}
	taken := 0
	run(t, loop, nil, func() (time.Duration, bool) {
		mu.Lock()
		taken += len(left)
		left = left[:0]
		mu.Unlock()
		return kernel.Forever, taken < goroutines*each
	})
}

func workRuns(t *testing.T, loop kernel.Loop) {
	const want = 50
	var done atomic.Int64
	begun := false
	run(t, loop, nil, func() (time.Duration, bool) {
		if !begun {
			begun = true
			for range want {
				loop.Go(func() {
					done.Add(1)
					loop.Wake()
				})
			}
		}
		return kernel.Forever, done.Load() < want
	})
}

func readinessIsALevel(t *testing.T, loop kernel.Loop) {
	a, b := pair(t, loop, "tcp4")
	watch(t, loop, b, kernel.Read)
	send(t, loop, a, "unread")
	reports := 0
	run(t, loop,
		func(int, kernel.Mode) { reports++ },
		func() (time.Duration, bool) { return kernel.Forever, reports < 5 })
	if got := receive(t, loop, b, 6); got != "unread" {
		t.Errorf("got %q, want %q", got, "unread")
	}
	watch(t, loop, b, kernel.Read)
	rest(t, loop, 2*time.Millisecond, func(_ int, how kernel.Mode) {
		t.Errorf("ready to %v, though all was read", how)
	})
}

func onlyTheWaysAskedFor(t *testing.T, loop kernel.Loop) {
	a, b := pair(t, loop, "tcp4")
	send(t, loop, a, "x")
	await(t, loop, b, kernel.Read) // from here on, b is ready to read and to write
	for _, want := range []kernel.Mode{kernel.Read, kernel.Write, kernel.Read | kernel.Write} {
		watch(t, loop, b, want)
		var got kernel.Mode
		run(t, loop,
			func(fd int, how kernel.Mode) {
				got |= how
				if fd != b.FD() {
					t.Errorf("descriptor %d is ready, want %d", fd, b.FD())
				}
			},
			func() (time.Duration, bool) { return kernel.Forever, got&want != want })
		if got != want {
			t.Errorf("watched for %v: ready to %v", want, got)
		}
	}
	watch(t, loop, b, kernel.Expedite)
	rest(t, loop, 2*time.Millisecond, func(_ int, how kernel.Mode) {
		t.Errorf("watched for out-of-band data: ready to %v", how)
	})
}

func watchChanges(t *testing.T, loop kernel.Loop) {
	a, b := pair(t, loop, "tcp4")
	send(t, loop, a, "x")
	await(t, loop, b, kernel.Read)
	all := []kernel.Mode{0, kernel.Read, kernel.Write, kernel.Read | kernel.Write}
	for _, from := range all {
		for _, to := range all {
			watch(t, loop, b, from)
			watch(t, loop, b, to)
			var got kernel.Mode
			ready := func(_ int, how kernel.Mode) { got |= how }
			if to == 0 {
				rest(t, loop, time.Millisecond, ready)
			} else {
				run(t, loop, ready, func() (time.Duration, bool) {
					return kernel.Forever, got&to != to
				})
			}
			if got != to {
				t.Errorf("watched for %v and then for %v: ready to %v", from, to, got)
			}
		}
	}
}

func pauseKeepsReadiness(t *testing.T, loop kernel.Loop) {
	a, b := pair(t, loop, "tcp4")
	watch(t, loop, b, kernel.Read)
	watch(t, loop, b, 0)
	send(t, loop, a, "x")
	rest(t, loop, 2*time.Millisecond, func(_ int, how kernel.Mode) {
		t.Errorf("ready to %v during the pause", how)
	})
	await(t, loop, b, kernel.Read)
}

func passFollowsReadiness(t *testing.T, loop kernel.Loop) {
	a, _ := pair(t, loop, "tcp4")
	watch(t, loop, a, kernel.Write)
	reports, passes, alone := 0, 0, 0
	fresh := true
	run(t, loop,
		func(int, kernel.Mode) {
			reports++
			fresh = true
		},
		func() (time.Duration, bool) {
			passes++
			if !fresh {
				alone++
			}
			fresh = false
			return kernel.Forever, passes < 100
		})
	if reports != passes-1-alone || alone > spare {
		t.Errorf("%d passes, %d of them without a reason, for %d reports", passes, alone, reports)
	}
}

func waitEndsWhileBusy(t *testing.T, loop kernel.Loop) {
	a, _ := pair(t, loop, "tcp4")
	watch(t, loop, a, kernel.Write)
	rest(t, loop, 5*time.Millisecond, nil)
}

// Two descriptors are ready at once. The first that is told has the loop forget the other.
func forgottenByReady(t *testing.T, loop kernel.Loop) {
	a1, b1 := pair(t, loop, "tcp4")
	a2, b2 := pair(t, loop, "tcp4")
	for _, a := range []kernel.Handle{a1, a2} {
		send(t, loop, a, "x")
	}
	await(t, loop, b1, kernel.Read)
	await(t, loop, b2, kernel.Read)
	watch(t, loop, b1, kernel.Read)
	watch(t, loop, b2, kernel.Read|kernel.Write)
	kept := 0
	run(t, loop,
		func(fd int, _ kernel.Mode) {
			kept++
			if kept > 1 {
				t.Errorf("descriptor %d is ready, and is watched no more", fd)
			}
			watch(t, loop, b1, 0)
			watch(t, loop, b2, 0)
			loop.Wake()
		},
		func() (time.Duration, bool) { return kernel.Forever, kept == 0 })
	rest(t, loop, 2*time.Millisecond, func(fd int, _ kernel.Mode) {
		t.Errorf("descriptor %d is ready later, and is watched no more", fd)
	})
}

// Two descriptors are ready at once. The first that is told has the other closed, and another
// opened, which gets its number. It is not ready, and what is said of it later is true.
func closedByReady(t *testing.T, loop kernel.Loop) {
	a1, b1 := pair(t, loop, "tcp4")
	a2, b2 := pair(t, loop, "tcp4")
	for _, a := range []kernel.Handle{a1, a2} {
		send(t, loop, a, "x")
	}
	await(t, loop, b1, kernel.Read)
	await(t, loop, b2, kernel.Read)
	watch(t, loop, b1, kernel.Read)
	watch(t, loop, b2, kernel.Read)
	var successor kernel.Socket
	run(t, loop,
		func(fd int, _ kernel.Mode) {
			if successor != nil {
				t.Errorf("descriptor %d is ready, and is new", fd)
				return
			}
			other := b1
			if fd == b1.FD() {
				other = b2
			}
			watch(t, loop, b1, 0)
			watch(t, loop, b2, 0)
			if err := other.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
			successor = socket(t, loop, "udp4")
			if err := successor.Bind(anyAddr(t, "udp4")); err != nil {
				t.Errorf("Bind: %v", err)
			}
			watch(t, loop, successor, kernel.Read)
			loop.Wake()
		},
		func() (time.Duration, bool) { return kernel.Forever, successor == nil })
	rest(t, loop, 2*time.Millisecond, func(fd int, _ kernel.Mode) {
		t.Errorf("descriptor %d is ready, and nothing was sent to it", fd)
	})
	exchange(t, loop, socket(t, loop, "udp4"), successor)
}

// A program closes a descriptor without a word to the loop, and opens another with the same number.
func closedWhileWatched(t *testing.T, loop kernel.Loop) {
	for _, want := range []kernel.Mode{kernel.Read, kernel.Write, kernel.Read | kernel.Write} {
		_, b := pair(t, loop, "tcp4")
		watch(t, loop, b, want)
		if err := b.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		rest(t, loop, time.Millisecond, func(fd int, how kernel.Mode) {
			t.Errorf("descriptor %d is ready to %v, and is closed", fd, how)
		})
		successor := socket(t, loop, "udp4")
		if err := successor.Bind(anyAddr(t, "udp4")); err != nil {
			t.Fatalf("Bind: %v", err)
		}
		await(t, loop, successor, kernel.Write)
		exchange(t, loop, socket(t, loop, "udp4"), successor)
	}
}

func notADescriptor(t *testing.T, loop kernel.Loop) {
	s := socket(t, loop, "tcp4")
	fd := s.FD()
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	for _, fd := range []int{-1, fd, 1 << 20} {
		if err := loop.Watch(fd, kernel.Read); err == nil {
			t.Errorf("Watch(%d, read) has no error", fd)
		}
		if err := loop.Watch(fd, 0); err != nil {
			t.Errorf("Watch(%d, none): %v", fd, err)
		}
	}
	foreverIsUntilWake(t, loop)
}

func hangUp(t *testing.T, loop kernel.Loop) {
	for _, want := range []kernel.Mode{kernel.Read, kernel.Write, kernel.Expedite} {
		a, b := pair(t, loop, "unix")
		watch(t, loop, b, want)
		if err := a.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		reports := 0
		run(t, loop,
			func(fd int, how kernel.Mode) {
				reports++
				if fd != b.FD() || how != want {
					t.Errorf("descriptor %d is ready to %v, want %d and %v", fd, how, b.FD(), want)
				}
			},
			func() (time.Duration, bool) { return kernel.Forever, reports < 3 })
		if err := b.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
}

// Poll and epoll report a hang-up for a descriptor of which nothing is wanted. The loop must not,
// and must not be busy with it either.
func hangUpWhileNotWatched(t *testing.T, loop kernel.Loop) {
	a, b := pair(t, loop, "unix")
	watch(t, loop, b, kernel.Read)
	watch(t, loop, b, 0)
	if err := a.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	passes := rest(t, loop, 5*time.Millisecond, func(_ int, how kernel.Mode) {
		t.Errorf("ready to %v, and not watched", how)
	})
	if passes > 2+spare {
		t.Errorf("got %d passes in a loop that should sleep", passes)
	}
	await(t, loop, b, kernel.Read)
}

func endOfStreamIsRead(t *testing.T, loop kernel.Loop) {
	a, b := pair(t, loop, "tcp4")
	if err := a.CloseWrite(); err != nil {
		t.Fatalf("CloseWrite: %v", err)
	}
	await(t, loop, b, kernel.Read)
}

func manyDescriptors(t *testing.T, loop kernel.Loop) {
	const pairs = 64
	senders := make(map[int]kernel.Socket)
	receivers := make(map[int]kernel.Socket)
	for range pairs {
		a, b := pair(t, loop, "tcp4")
		senders[b.FD()], receivers[b.FD()] = a, b
		watch(t, loop, b, kernel.Read)
	}
	for fd, a := range senders {
		send(t, loop, a, fmt.Sprintf("%08d", fd))
	}
	for fd, b := range receivers { // that of every other one is not wanted
		if fd%2 == 0 {
			watch(t, loop, b, 0)
			delete(receivers, fd)
		}
	}
	run(t, loop,
		func(fd int, _ kernel.Mode) {
			b := receivers[fd]
			if b == nil {
				t.Errorf("descriptor %d is ready, and not watched", fd)
				return
			}
			var p [8]byte
			n, err := b.Read(p[:])
			want := fmt.Sprintf("%08d", fd)[:n]
			if err != kernel.ErrAgain && string(p[:n]) != want {
				t.Errorf("descriptor %d reads %q and %v, want %q", fd, p[:n], err, want)
			}
			if n > 0 {
				watch(t, loop, b, 0)
				delete(receivers, fd)
			}
		},
		func() (time.Duration, bool) { return kernel.Forever, len(receivers) > 0 })
}

func runAgain(t *testing.T, loop kernel.Loop) {
	a, b := pair(t, loop, "tcp4")
	watch(t, loop, b, kernel.Read)
	for i := range 5 {
		send(t, loop, a, "x")
		read := false
		run(t, loop,
			func(fd int, how kernel.Mode) {
				if fd != b.FD() || how != kernel.Read {
					t.Errorf("run %d: descriptor %d is ready to %v", i, fd, how)
				}
				drain(t, b)
				read = true
			},
			func() (time.Duration, bool) { return kernel.Forever, !read })
	}
}

func timeDoesNotGoBack(t *testing.T, loop kernel.Loop) {
	last, passes := loop.Now(), 0
	run(t, loop, nil, func() (time.Duration, bool) {
		now := loop.Now()
		if now.Before(last) {
			t.Errorf("the time is %v, and was %v before", now, last)
		}
		last = now
		passes++
		return time.Duration(passes%3) * 10 * time.Microsecond, passes < 300
	})
}
