package kernel_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-poe/poe/kernel"
)

// A rig is as little of a kernel as can drive a loop: what a pass and a readiness do is up to the
// test. A test that would wait for ever is failed instead.
type rig struct {
	t      *testing.T
	loop   kernel.Loop
	passes int // how many began
	ready  func(fd int, how kernel.Mode)
	pass   func() (wait time.Duration, more bool)
}

const hang = 20 * time.Second

func newRig(t *testing.T) *rig {
	t.Helper()
	return &rig{
		t:     t,
		loop:  kernel.NewLoop(),
		ready: func(fd int, how kernel.Mode) { t.Errorf("descriptor %d is ready to %v", fd, how) },
	}
}

// run runs the loop until a pass says that there is no more.
func (r *rig) run() {
	r.t.Helper()
	var late atomic.Bool
	watchdog := time.AfterFunc(hang, func() {
		late.Store(true)
		r.loop.Wake()
	})
	defer watchdog.Stop()
	err := r.loop.Run(
		func(fd int, how kernel.Mode) {
			if !late.Load() {
				r.ready(fd, how)
			}
		},
		func() (time.Duration, bool) {
			if late.Load() {
				r.t.Errorf("the loop hangs after %d passes", r.passes)
				return 0, false
			}
			r.passes++
			return r.pass()
		})
	if err != nil {
		r.t.Errorf("Run returns %v, want nil", err)
	}
}

// runUntil runs the loop until done says so or the time is over, which begins with the first pass.
func (r *rig) runUntil(d time.Duration, done func() bool) {
	r.t.Helper()
	var end time.Time
	r.pass = func() (time.Duration, bool) {
		if end.IsZero() {
			end = r.loop.Now().Add(d)
		}
		left := end.Sub(r.loop.Now())
		return left, left > 0 && !done()
	}
	r.run()
}

func never() bool { return false }

// idle runs the loop for a while, in which it must do nothing: neither make a pass nor turn round
// and round for what nobody wants.
func (r *rig) idle() {
	r.t.Helper()
	const while = 40 * time.Millisecond
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r.passes = 0
	before := cpuTime(r.t)
	r.runUntil(while, never)
	if r.passes != 2 {
		r.t.Errorf("an idle loop makes %d passes, want the first and the last", r.passes)
	}
	if busy := cpuTime(r.t) - before; busy > while/2 {
		r.t.Errorf("in %v an idle loop is busy for %v", while, busy)
	}
}

// cpuTime returns the processor time of the thread, or, where threads are not told apart,
// of the program.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	who := unix.RUSAGE_SELF
	if runtime.GOOS == "linux" {
		who = 1 // RUSAGE_THREAD
	}
	var usage unix.Rusage
	if err := unix.Getrusage(who, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func (r *rig) watch(fd int, want kernel.Mode) {
	r.t.Helper()
	if err := r.loop.Watch(fd, want); err != nil {
		r.t.Fatalf("Watch(%d, %v) returns %v, want nil", fd, want, err)
	}
}

// newPipe returns the ends of a pipe that are closed with the test, if they are not before.
func newPipe(t *testing.T) (r, w kernel.Handle) {
	t.Helper()
	return ends(t, kernel.Pipe)
}

func ends(t *testing.T, open func() (a, b kernel.Handle, err error)) (a, b kernel.Handle) {
	t.Helper()
	a, b, err := open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = a.Close()
		_ = b.Close()
	})
	return a, b
}

// put writes all of s.
func put(t *testing.T, h kernel.Handle, s string) {
	t.Helper()
	if n, err := h.Write([]byte(s)); n != len(s) || err != nil {
		t.Fatalf("Write(%q) returns %d, %v, want %d, nil", s, n, err, len(s))
	}
}

// fill writes until nothing fits any more, and returns how much did.
func fill(t *testing.T, h kernel.Handle) int {
	t.Helper()
	piece, sum := make([]byte, 4096), 0
	for {
		n, err := h.Write(piece)
		if err == kernel.ErrAgain && n == 0 && sum > 0 {
			return sum
		}
		if err != nil || n <= 0 || n > len(piece) {
			t.Fatalf("after %d bytes Write returns %d, %v, want ErrAgain in the end", sum, n, err)
		}
		sum += n
	}
}

// openDescriptors returns how many descriptors the process has open.
func openDescriptors(t *testing.T) int {
	t.Helper()
	time.AfterFunc(time.Hour, func() {}).Stop() // the first timer makes the runtime open some
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("the system does not tell which descriptors are open: %v", err)
	}
	return len(names)
}

// keepsDescriptors fails a test that ends with more or fewer descriptors open than it began with.
// Its handles are closed by then.
func keepsDescriptors(t *testing.T) {
	t.Helper()
	before := openDescriptors(t)
	t.Cleanup(func() {
		if after := openDescriptors(t); after != before {
			t.Errorf("%d descriptors are open after the test, want %d as before", after, before)
		}
	})
}

func TestLoopPassesFirst(t *testing.T) {
	keepsDescriptors(t)
	r := newRig(t)
	r.pass = func() (time.Duration, bool) { return kernel.Forever, false }
	r.run()
	r.run()
	if r.passes != 2 {
		t.Errorf("two runs of one pass each make %d passes, want 2", r.passes)
	}
}

func TestLoopTellsReadiness(t *testing.T) {
	const r, w, x = kernel.Read, kernel.Write, kernel.Expedite
	tests := []struct {
		name string
		open func() (a, b kernel.Handle, err error)
		b    func(t *testing.T, a, b kernel.Handle) // what happens to the other end
		want kernel.Mode                            // of a
		told []kernel.Mode
	}{
		{"nothing to read", kernel.SocketPair, nil, r, nil},
		{"something to read", kernel.SocketPair, talk, r, []kernel.Mode{r}},
		{"room to write", kernel.SocketPair, nil, w, []kernel.Mode{w}},
		{"no room to write", kernel.SocketPair, full, w, nil},
		{"both, in order", kernel.SocketPair, talk, r | w, []kernel.Mode{r, w}},
		{"only one of both", kernel.SocketPair, nil, r | w, []kernel.Mode{w}},
		{"something to read, but it is not wanted", kernel.SocketPair, talk, x, nil},
		{"end of a stream", kernel.SocketPair, halfClose, r, []kernel.Mode{r}},
		{"end of a stream is no end of writing", kernel.SocketPair, fullHalfClose, r | w,
			[]kernel.Mode{r}},
		{"hang-up while reading", kernel.SocketPair, shut, r, []kernel.Mode{r}},
		{"hang-up while writing", kernel.SocketPair, shut, w, []kernel.Mode{w}},
		{"hang-up while doing both", kernel.SocketPair, shut, r | w, []kernel.Mode{r, w}},
		{"hang-up while expediting", kernel.SocketPair, shut, x, []kernel.Mode{x}},
		{"hang-up while doing all", kernel.SocketPair, shut, r | w | x, []kernel.Mode{r, w, x}},
		{"end of a pipe", kernel.Pipe, shut, r, []kernel.Mode{r}},
		{"something in a pipe", kernel.Pipe, talk, r, []kernel.Mode{r}},
		{"nobody reads a pipe", reversed(kernel.Pipe), shut, w, []kernel.Mode{w}},
		{"nobody reads a full pipe", reversed(kernel.Pipe), fullShut, w, []kernel.Mode{w}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.want&x != 0 && runtime.GOOS != "linux" {
				t.Skip("out-of-band data is told on Linux only")
			}
			keepsDescriptors(t)
			a, b := ends(t, test.open)
			if test.b != nil {
				test.b(t, a, b)
			}
			rig := newRig(t)
			rig.watch(a.FD(), test.want)
			var told []kernel.Mode
			rig.ready = func(fd int, how kernel.Mode) {
				if fd != a.FD() {
					t.Errorf("descriptor %d is ready, want %d", fd, a.FD())
				}
				told = append(told, how)
			}
			rig.runUntil(30*time.Millisecond, func() bool { return len(told) > 0 })
			if !slices.Equal(told, test.told) {
				t.Errorf("the descriptor is ready to %v, want %v", told, test.told)
			}
			if told == nil && rig.passes > 3 {
				t.Errorf("telling nothing takes %d passes, want 2", rig.passes)
			}
			rig.watch(a.FD(), 0)
		})
	}
}

func talk(t *testing.T, _, b kernel.Handle)      { put(t, b, "hello") }
func full(t *testing.T, a, _ kernel.Handle)      { fill(t, a) }
func shut(_ *testing.T, _, b kernel.Handle)      { _ = b.Close() }
func halfClose(_ *testing.T, _, b kernel.Handle) { _ = b.CloseWrite() }

func fullShut(t *testing.T, a, b kernel.Handle) {
	fill(t, a)
	_ = b.Close()
}

func fullHalfClose(t *testing.T, a, b kernel.Handle) {
	fill(t, a)
	_ = b.CloseWrite()
}

func reversed(open func() (a, b kernel.Handle, err error)) func() (b, a kernel.Handle, err error) {
	return func() (b, a kernel.Handle, err error) {
		a, b, err = open()
		return b, a, err
	}
}

// What is not read is reported again, and there is a pass after each report.
func TestLoopReadinessIsALevel(t *testing.T) {
	a, b := newPipe(t)
	put(t, b, "hello")
	r := newRig(t)
	r.watch(a.FD(), kernel.Read)
	defer r.watch(a.FD(), 0)
	var at []int
	r.ready = func(int, kernel.Mode) { at = append(at, r.passes) }
	r.pass = func() (time.Duration, bool) { return kernel.Forever, len(at) < 4 }
	r.run()
	if want := []int{1, 2, 3, 4}; !slices.Equal(at, want) {
		t.Errorf("the descriptor is ready after passes %v, want %v", at, want)
	}
}

// Pausing and resuming goes through every change from one set of ways to another.
func TestLoopWatchChanges(t *testing.T) {
	const all = kernel.Read | kernel.Write
	a, b := ends(t, kernel.SocketPair)
	put(t, b, "hello")
	r := newRig(t)
	r.watch(a.FD(), all)
	for from := kernel.Mode(0); from <= all; from++ {
		for to := kernel.Mode(0); to <= all; to++ {
			t.Run(fmt.Sprintf("%v to %v", from, to), func(t *testing.T) {
				r.t, r.passes = t, 0
				r.watch(a.FD(), from)
				r.watch(a.FD(), to)
				var told kernel.Mode
				r.ready = func(_ int, how kernel.Mode) { told |= how }
				r.runUntil(10*time.Millisecond, func() bool { return told != 0 })
				if told != to {
					t.Errorf("the descriptor is ready to %v, want %v", told, to)
				}
			})
		}
	}
	r.t = t
	r.watch(a.FD(), 0)
}

// The same within a run, where what a handler changes is at once what the next report is about.
func TestLoopWatchChangesInRun(t *testing.T) {
	a, b := ends(t, kernel.SocketPair)
	put(t, b, "hello")
	r := newRig(t)
	steps := []kernel.Mode{
		kernel.Read, kernel.Write, kernel.Read | kernel.Write, kernel.Write, kernel.Read,
		kernel.Read | kernel.Write, kernel.Read, kernel.Write,
	}
	var told []kernel.Mode
	r.watch(a.FD(), steps[0])
	r.ready = func(_ int, how kernel.Mode) {
		if n := len(told); n > 0 && r.passes == n {
			told[n-1] |= how // the second way of the same report
		} else {
			told = append(told, how)
		}
	}
	r.pass = func() (time.Duration, bool) {
		n := len(told)
		if n == len(steps) {
			return 0, false
		}
		r.watch(a.FD(), 0)
		r.watch(a.FD(), steps[n])
		return kernel.Forever, true
	}
	r.run()
	if !slices.Equal(told, steps) {
		t.Errorf("the descriptor is ready to %v, want %v", told, steps)
	}
	r.watch(a.FD(), 0)
}

// A pause is silent: neither what waits to be read nor a hang-up makes the loop turn.
func TestLoopPauseDoesNotSpin(t *testing.T) {
	for _, b := range []func(t *testing.T, a, b kernel.Handle){talk, shut} {
		a, other := ends(t, kernel.SocketPair)
		b(t, a, other)
		r := newRig(t)
		r.watch(a.FD(), kernel.Read|kernel.Write)
		r.watch(a.FD(), 0)
		r.idle()
	}
}

// What a handler does not want any more is not told, though it is in the same report.
func TestLoopWatchRemovedInReport(t *testing.T) {
	a, b := ends(t, kernel.SocketPair)
	put(t, b, "hello")
	r := newRig(t)
	r.watch(a.FD(), kernel.Read|kernel.Write)
	told := 0
	r.ready = func(fd int, how kernel.Mode) {
		if how != kernel.Read {
			t.Errorf("the descriptor is ready to %v, want %v", how, kernel.Read)
		}
		told++
		r.watch(fd, kernel.Read)
	}
	r.pass = func() (time.Duration, bool) { return kernel.Forever, told < 3 }
	r.run()
	r.watch(a.FD(), 0)
}

func TestLoopWatchErrors(t *testing.T) {
	keepsDescriptors(t)
	regular, err := os.Create(filepath.Join(t.TempDir(), "regular"))
	if err != nil {
		t.Fatal(err)
	}
	defer regular.Close()

	loop := kernel.NewLoop()
	open, other := newPipe(t)
	number := other.FD()
	if err := loop.Watch(open.FD(), kernel.Read); err != nil {
		t.Fatal(err)
	}
	_ = other.Close() // and no descriptor of the loop gets its number

	tests := []struct {
		name string
		fd   int
		mode kernel.Mode
		want error
	}{
		{"closed", number, kernel.Read, unix.EBADF},
		{"closed, for writing", number, kernel.Write, unix.EBADF},
		{"negative", -1, kernel.Read, unix.EBADF},
		{"huge", 1 << 30, kernel.Read | kernel.Write, unix.EBADF},
		{"closed, not to watch", number, 0, nil},
		{"negative, not to watch", -1, 0, nil},
	}
	if runtime.GOOS == "linux" {
		tests = append(tests, struct {
			name string
			fd   int
			mode kernel.Mode
			want error
		}{"regular file", int(regular.Fd()), kernel.Read, unix.EPERM})
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := loop.Watch(test.fd, test.mode); !errors.Is(err, test.want) {
				t.Errorf("Watch returns %v, want %v", err, test.want)
			}
		})
	}
	err = loop.Run(func(int, kernel.Mode) {}, func() (time.Duration, bool) {
		for _, test := range tests {
			if err := loop.Watch(test.fd, test.mode); !errors.Is(err, test.want) {
				t.Errorf("within a run, Watch of %s returns %v, want %v", test.name, err, test.want)
			}
		}
		return 0, false
	})
	if err != nil {
		t.Error(err)
	}
	if err := loop.Watch(open.FD(), 0); err != nil {
		t.Error(err)
	}
	if err := loop.Watch(1<<30, kernel.Read); !errors.Is(err, unix.EBADF) {
		t.Errorf("Watch of a closed loop returns %v, want %v", err, unix.EBADF)
	}
}

// It is no error to forget what is gone.
func TestLoopForgetAfterClose(t *testing.T) {
	keepsDescriptors(t)
	loop := kernel.NewLoop()
	a, b := newPipe(t)
	for _, h := range []kernel.Handle{a, b} {
		fd := h.FD()
		if err := loop.Watch(fd, kernel.Read); err != nil {
			t.Fatal(err)
		}
		_ = h.Close()
		if err := loop.Watch(fd, 0); err != nil {
			t.Errorf("Watch returns %v, want nil", err)
		}
	}
}

// A descriptor that was closed while it was watched takes its watch with it. The next one with its
// number gets one of its own.
func TestLoopWatchAfterClose(t *testing.T) {
	keepsDescriptors(t)
	for _, again := range []kernel.Mode{kernel.Read, kernel.Write, kernel.Read | kernel.Write} {
		r := newRig(t)
		old, other := ends(t, kernel.SocketPair)
		number := old.FD()
		r.watch(number, kernel.Read)
		_ = old.Close()
		_ = other.Close()

		a, b := ends(t, kernel.SocketPair)
		if a.FD() != number {
			t.Fatalf("the system gave number %d, want %d again", a.FD(), number)
		}
		r.watch(number, again)
		put(t, b, "hello")
		var told kernel.Mode
		r.ready = func(_ int, how kernel.Mode) { told |= how }
		r.pass = func() (time.Duration, bool) { return kernel.Forever, told == 0 }
		r.run()
		if told != again {
			t.Errorf("the descriptor is ready to %v, want %v", told, again)
		}
		r.watch(number, 0)
		_, _ = a.Close(), b.Close()
	}
}

// pipesReady returns pipes that are all ready to read, so that one wait reports them all.
func pipesReady(t *testing.T, r *rig, n int) []kernel.Handle {
	t.Helper()
	readers := make([]kernel.Handle, n)
	for i := range readers {
		a, b := newPipe(t)
		put(t, b, "hello")
		r.watch(a.FD(), kernel.Read)
		readers[i] = a
	}
	return readers
}

// Whoever stops to watch a descriptor hears no more of it, though the system had reported it
// already.
func TestLoopWatchRemovedInBatch(t *testing.T) {
	r := newRig(t)
	readers := pipesReady(t, r, 8)
	told := 0
	r.ready = func(fd int, how kernel.Mode) {
		told++
		for _, h := range readers {
			r.watch(h.FD(), 0)
		}
	}
	r.runUntil(20*time.Millisecond, never)
	if told != 1 {
		t.Errorf("%d descriptors are told of, want 1", told)
	}
}

// A number that is closed and opened again has nothing to do with what was reported on it before,
// whether or not the loop was told to forget it.
func TestLoopNumberReusedInBatch(t *testing.T) {
	for _, forget := range []bool{true, false} {
		t.Run(fmt.Sprintf("forget %v", forget), func(t *testing.T) {
			numberReusedInBatch(t, forget)
		})
	}
}

func numberReusedInBatch(t *testing.T, forget bool) {
	r := newRig(t)
	readers := pipesReady(t, r, 8)
	silent, other := newPipe(t)
	told := make(map[int]bool)
	spoken := false
	r.ready = func(fd int, _ kernel.Mode) {
		if len(told) > 0 && !spoken {
			t.Errorf("descriptor %d is ready, for which nothing has come", fd)
		}
		for _, h := range readers {
			if len(told) > 0 || h.FD() == fd {
				continue
			}
			if forget {
				r.watch(h.FD(), 0)
			}
			if err := dup2(silent.FD(), h.FD()); err != nil {
				t.Fatal(err)
			}
			r.watch(h.FD(), kernel.Read)
		}
		told[fd] = true
		r.watch(fd, 0)
	}
	end := r.loop.Now().Add(20 * time.Millisecond)
	r.pass = func() (time.Duration, bool) {
		switch left := end.Sub(r.loop.Now()); {
		case spoken:
			return kernel.Forever, len(told) < len(readers)
		case left > 0:
			return left, true
		default:
			spoken = true
			put(t, other, "hello")
			return kernel.Forever, true
		}
	}
	r.run()
	for _, h := range readers {
		r.watch(h.FD(), 0)
	}
}

// The same in the middle of one report: the way that is left was another descriptor's.
func TestLoopNumberReusedInReport(t *testing.T) {
	r := newRig(t)
	a, b := ends(t, kernel.SocketPair)
	put(t, b, "hello")
	_, w := newPipe(t)
	fill(t, w)
	r.watch(a.FD(), kernel.Read|kernel.Write)
	told := 0
	r.ready = func(fd int, how kernel.Mode) {
		told++
		if how != kernel.Read {
			t.Errorf("the full pipe is ready to %v", how)
		}
		r.watch(fd, 0)
		if err := dup2(w.FD(), fd); err != nil {
			t.Fatal(err)
		}
		r.watch(fd, kernel.Write)
	}
	r.runUntil(20*time.Millisecond, never)
	if told != 1 {
		t.Errorf("the descriptor is told of %d times, want 1", told)
	}
	r.watch(a.FD(), 0)
}

// Each of eight goroutines wakes the loop and waits until that was heard, so one lost is a hang.
// The loop goes through all kinds of waits meanwhile.
func TestLoopLosesNoWake(t *testing.T) {
	keepsDescriptors(t)
	const wakers, rounds = 8, 2000
	r := newRig(t)
	a, b := newPipe(t)
	put(t, b, "hello")
	var (
		mu     sync.Mutex
		asked  []chan<- struct{}
		served int
	)
	for range wakers {
		go func() {
			heard := make(chan struct{})
			for range rounds {
				mu.Lock()
				asked = append(asked, heard)
				mu.Unlock()
				r.loop.Wake()
				<-heard
			}
		}()
	}
	r.ready = func(int, kernel.Mode) { r.watch(a.FD(), 0) }
	waits := []time.Duration{kernel.Forever, 0, time.Hour, kernel.Forever, time.Nanosecond}
	r.pass = func() (time.Duration, bool) {
		mu.Lock()
		answers := asked
		asked = nil
		mu.Unlock()
		for _, heard := range answers {
			heard <- struct{}{}
		}
		served += len(answers)
		if r.passes%7 == 0 {
			r.watch(a.FD(), kernel.Read)
		}
		return waits[r.passes%len(waits)], served < wakers*rounds
	}
	r.run()
	r.watch(a.FD(), 0)
}

// A Wake that meets the end of a run, when the bell is closed, does no harm, and the next run hears
// it.
func TestLoopWakeAtTheEnd(t *testing.T) {
	keepsDescriptors(t)
	r := newRig(t)
	r.pass = func() (time.Duration, bool) { return 0, r.passes%3 != 0 }
	var done atomic.Bool
	var wakers sync.WaitGroup
	for range 4 {
		wakers.Go(func() {
			for !done.Load() {
				r.loop.Wake()
				runtime.Gosched()
			}
		})
	}
	for range 300 {
		r.run()
	}
	done.Store(true)
	wakers.Wait()

	// The bell that was rung while it was closed is not deaf when it is open again.
	r.loop.Wake()
	var asked atomic.Bool
	heard, rounds := make(chan struct{}), 0
	go func() {
		for range 10 {
			asked.Store(true)
			r.loop.Wake()
			<-heard
		}
	}()
	r.pass = func() (time.Duration, bool) {
		if asked.Swap(false) {
			rounds++
			heard <- struct{}{}
		}
		return kernel.Forever, rounds < 10
	}
	r.run()
}

func TestLoopTimer(t *testing.T) {
	tests := []struct {
		name   string
		waits  []time.Duration // what each pass asks for
		wakes  int             // at how many of them somebody wakes the loop
		least  time.Duration   // between the first pass and the last
		most   time.Duration
		passes int // at the most; a timer may have been set for less
	}{
		{"one", []time.Duration{20 * time.Millisecond}, 0, 20 * time.Millisecond, hang, 2},
		{"one after the other", []time.Duration{5 * time.Millisecond, 6 * time.Millisecond}, 0,
			11 * time.Millisecond, hang, 3},
		{"the earlier one counts", []time.Duration{time.Hour, 5 * time.Millisecond}, 1,
			5 * time.Millisecond, hang, 3},
		{"the shortest", []time.Duration{1, 1, 1}, 0, 3, hang, 4},
		{"the longest", []time.Duration{1<<63 - 1, 5 * time.Millisecond}, 1,
			5 * time.Millisecond, hang, 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			keepsDescriptors(t)
			r := newRig(t)
			began := r.loop.Now()
			r.pass = func() (time.Duration, bool) {
				if r.passes > len(test.waits) {
					return 0, false
				}
				if r.passes <= test.wakes {
					r.loop.Wake()
				}
				return test.waits[r.passes-1], true
			}
			r.run()
			if took := r.loop.Now().Sub(began); took < test.least || took > test.most {
				t.Errorf("the passes take %v, want %v at least", took, test.least)
			}
			if r.passes > test.passes {
				t.Errorf("there are %d passes, want %d", r.passes, test.passes)
			}
		})
	}
}

// A deadline that moves away with each turn, as that of an idle connection does, wakes the loop now
// and then, but not with each turn.
func TestLoopMovingDeadline(t *testing.T) {
	r := newRig(t)
	const turns, idle = 200, 30 * time.Millisecond
	var last time.Time
	r.pass = func() (time.Duration, bool) {
		if r.passes <= turns {
			last = r.loop.Now()
			r.loop.Wake()
			return idle, true
		}
		left := idle - r.loop.Now().Sub(last)
		return left, left > 0
	}
	r.run()
	if over := r.passes - turns; over > 4 {
		t.Errorf("%d passes come after the last turn, want one early one and the one due", over)
	}
	if took := r.loop.Now().Sub(last); took < idle {
		t.Errorf("the deadline comes after %v, want %v", took, idle)
	}
}

// A timer for which nothing waits any more does not go off.
func TestLoopIdleMakesNoPasses(t *testing.T) {
	const wait = 50 * time.Millisecond
	r := newRig(t)
	var began time.Time
	idle, over := false, false
	r.pass = func() (time.Duration, bool) {
		switch late := r.loop.Now().Sub(began); {
		case idle && !over:
			t.Error("an idle loop makes a pass")
			return 0, false
		case idle:
			return 0, false
		case late > wait/2: // also the very first time
			began = r.loop.Now()
			r.loop.Wake()
			return wait, true
		}
		idle = true
		time.AfterFunc(2*wait, func() {
			over = true
			r.loop.Wake()
		})
		return kernel.Forever, true
	}
	r.run()
}

// Neither a pass that always has more to do nor a descriptor that is always ready keeps the others
// from having their turn.
func TestLoopStarvesNobody(t *testing.T) {
	r := newRig(t)
	always, b := newPipe(t)
	put(t, b, "hello")
	sometimes, c := newPipe(t)
	r.watch(always.FD(), kernel.Read)
	r.watch(sometimes.FD(), kernel.Read)
	var spoke, heard, reports int
	r.ready = func(fd int, how kernel.Mode) {
		reports++
		if fd == sometimes.FD() {
			var p [16]byte
			n, err := sometimes.Read(p[:])
			if n != 1 || err != nil {
				t.Errorf("Read returns %d, %v, want 1, nil", n, err)
			}
			heard += n
		}
	}
	at := 0
	r.pass = func() (time.Duration, bool) {
		if spoke == heard {
			put(t, c, "x")
			spoke++
			at = r.passes
		}
		if r.passes-at > 8 {
			t.Errorf("after %d passes and %d reports the other descriptor is not told of",
				r.passes, reports)
			return 0, false
		}
		return 0, heard < 100
	}
	r.run()
	r.watch(always.FD(), 0)
	r.watch(sometimes.FD(), 0)
}

func TestLoopRunInRun(t *testing.T) {
	r := newRig(t)
	r.pass = func() (time.Duration, bool) {
		if err := r.loop.Run(r.ready, r.pass); !errors.Is(err, kernel.ErrRunning) {
			t.Errorf("Run inside Run returns %v, want ErrRunning", err)
		}
		return 0, r.passes < 2
	}
	r.run()
	if r.passes != 2 {
		t.Errorf("there are %d passes, want 2", r.passes)
	}
}

// What a panic ends can be run again, and holds nothing that it did not hold before.
func TestLoopAfterPanic(t *testing.T) {
	for _, where := range []string{
		"ready", "first pass", "pass of the bell", "pass of a descriptor",
	} {
		t.Run(where, func(t *testing.T) {
			keepsDescriptors(t)
			r := newRig(t)
			a, b := newPipe(t)
			r.watch(a.FD(), kernel.Read)
			told, trouble := 0, true
			fail := func(here bool) {
				if here && trouble {
					trouble = false
					panic(where)
				}
			}
			r.ready = func(int, kernel.Mode) {
				told++
				fail(where == "ready")
			}
			r.pass = func() (time.Duration, bool) {
				fail(where == "first pass")
				fail(where == "pass of the bell" && r.passes == 2)
				fail(where == "pass of a descriptor" && told > 0)
				if r.passes == 2 {
					put(t, b, "hello")
					return kernel.Forever, true
				}
				return 0, told == 0
			}
			func() {
				defer func() {
					if p := recover(); p != where {
						t.Errorf("Run panics with %v, want %v", p, where)
					}
				}()
				r.run()
			}()
			r.passes, told = 0, 0
			r.run()
			if told == 0 {
				t.Error("the descriptor is not told of after the panic")
			}
			r.watch(a.FD(), 0)
		})
	}
}

// A watch outlives a run, and with the last one the loop gives back what it holds.
func TestLoopHoldsNothingWhenUnused(t *testing.T) {
	a, b := newPipe(t)
	c, _ := newPipe(t)
	before := openDescriptors(t)
	r := newRig(t)
	r.watch(a.FD(), kernel.Read)
	r.watch(c.FD(), kernel.Read)
	if openDescriptors(t) == before {
		t.Error("the loop watches without a descriptor of its own, which the test relies on")
	}
	r.pass = func() (time.Duration, bool) { return 0, false }
	r.run()
	r.watch(c.FD(), 0)
	put(t, b, "hello")
	told := false
	r.ready = func(int, kernel.Mode) { told = true }
	r.pass = func() (time.Duration, bool) { return kernel.Forever, !told }
	r.run()
	r.watch(a.FD(), 0)
	if after := openDescriptors(t); after != before {
		t.Errorf("%d descriptors are open, want the %d from before the loop", after, before)
	}
	r.loop.Wake() // which must not reach a descriptor that is another's by now
}

// allocations returns how many allocations each of n passes makes, once the loop has run in.
func (r *rig) allocations(n int, pass func() time.Duration) float64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const runIn = 300
	var before, after runtime.MemStats
	r.pass = func() (time.Duration, bool) {
		switch r.passes {
		case runIn:
			runtime.ReadMemStats(&before)
		case runIn + n:
			runtime.ReadMemStats(&after)
			return 0, false
		}
		return pass(), true
	}
	r.run()
	return float64((after.Mallocs - before.Mallocs) / uint64(n))
}

func TestLoopAllocations(t *testing.T) {
	a, b := ends(t, kernel.SocketPair)
	put(t, b, "hello")
	const all = kernel.Read | kernel.Write
	tests := []struct {
		name string
		want kernel.Mode
		pass func(r *rig) time.Duration
	}{
		{"reports", all, func(*rig) time.Duration { return kernel.Forever }},
		{"passes", 0, func(*rig) time.Duration { return 0 }},
		{"reports and passes", all, func(*rig) time.Duration { return 0 }},
		{"timers", 0, func(*rig) time.Duration { return 1 }},
		{"wakes", 0, func(r *rig) time.Duration { r.loop.Wake(); return kernel.Forever }},
		{"changes", all, func(r *rig) time.Duration {
			for _, want := range []kernel.Mode{kernel.Read, all, kernel.Write, 0, all} {
				r.watch(a.FD(), want)
			}
			return kernel.Forever
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t)
			r.ready = func(int, kernel.Mode) {}
			r.watch(a.FD(), test.want)
			if got := r.allocations(2000, func() time.Duration { return test.pass(r) }); got != 0 {
				t.Errorf("a turn costs %v allocations, want 0", got)
			}
			r.watch(a.FD(), 0)
		})
	}
}

func TestLoopGo(t *testing.T) {
	r := newRig(t)
	var result atomic.Int32
	r.pass = func() (time.Duration, bool) {
		if r.passes == 1 {
			r.loop.Go(func() {
				result.Store(1)
				r.loop.Wake()
			})
		}
		return kernel.Forever, result.Load() == 0
	}
	r.run()
}

func TestLoopResolve(t *testing.T) {
	tests := []struct {
		host string
		want []netip.Addr
	}{
		{"192.0.2.1", []netip.Addr{netip.MustParseAddr("192.0.2.1")}},
		{"2001:db8::1", []netip.Addr{netip.MustParseAddr("2001:db8::1")}},
		{"::ffff:192.0.2.1", []netip.Addr{netip.MustParseAddr("192.0.2.1")}},
		{"fe80::1%lo", []netip.Addr{netip.MustParseAddr("fe80::1%lo")}},
	}
	loop := kernel.NewLoop()
	for _, test := range tests {
		got, err := loop.Resolve(t.Context(), test.host)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("Resolve(%q) returns %v, %v, want %v", test.host, got, err, test.want)
		}
	}
}

func TestLoopResolveLocalhost(t *testing.T) {
	got, err := kernel.NewLoop().Resolve(t.Context(), "localhost")
	if err != nil || len(got) == 0 {
		t.Fatalf("Resolve returns %v, %v, want addresses", got, err)
	}
	for _, addr := range got {
		if !addr.IsLoopback() || addr.Is4In6() {
			t.Errorf("localhost is %v, want an address of the loopback interface", addr)
		}
	}
}

func TestLoopResolveErrors(t *testing.T) {
	loop := kernel.NewLoop()
	var failed *net.DNSError
	if addrs, err := loop.Resolve(t.Context(), ""); !errors.As(err, &failed) {
		t.Errorf("Resolve of no name returns %v, %v, want a net.DNSError", addrs, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if addrs, err := loop.Resolve(ctx, "name.invalid"); err == nil {
		t.Errorf("Resolve that is given up returns %v, want an error", addrs)
	}
}

// Two loops in one process have nothing in common.
func TestLoopsAreApart(t *testing.T) {
	a, b := ends(t, kernel.SocketPair)
	other := kernel.NewLoop()
	done := make(chan error, 1)
	go func() {
		var p [16]byte
		end := false
		if err := other.Watch(b.FD(), kernel.Read); err != nil {
			done <- err
			return
		}
		err := other.Run(
			func(int, kernel.Mode) {
				n, err := b.Read(p[:])
				if err == io.EOF {
					end = true
					return
				}
				_, _ = b.Write(p[:n])
			},
			func() (time.Duration, bool) { return kernel.Forever, !end })
		if failed := other.Watch(b.FD(), 0); err == nil {
			err = failed
		}
		done <- err
	}()
	r := newRig(t)
	r.watch(a.FD(), kernel.Read)
	echoes := 0
	put(t, a, "hello")
	r.ready = func(int, kernel.Mode) {
		var p [16]byte
		if n, err := a.Read(p[:]); string(p[:n]) != "hello" || err != nil {
			t.Errorf("Read returns %q, %v, want hello", p[:n], err)
		}
		if echoes++; echoes < 100 {
			put(t, a, "hello")
		} else {
			_ = a.CloseWrite()
		}
	}
	r.pass = func() (time.Duration, bool) { return kernel.Forever, echoes < 100 }
	r.run()
	if err := <-done; err != nil {
		t.Error(err)
	}
	r.watch(a.FD(), 0)
}
