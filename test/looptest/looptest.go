// Package looptest holds every kernel.Loop to one suite: first the loop by itself, then its
// sockets, and then whole kernels that run on it.
//
// The suite takes no time for exact. It says what comes before what, and that a wait is not over
// too early, with waits of a few milliseconds. So it holds for a loop with real time on a busy
// machine, and for one with virtual time.
//
// The part about kernels follows POE::Test::Loops, which does the same for the loops of POE.
package looptest

import (
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
)

// A test is one case of the suite.
type test struct {
	name string
	run  func(t *testing.T, loop kernel.Loop)
}

// Run runs the whole suite. It calls newLoop once for each case.
//
// A few cases call Wake from other goroutines: a simulated loop has to wait for them.
func Run(t *testing.T, newLoop func(t *testing.T) kernel.Loop) {
	t.Run("Loop", func(t *testing.T) { Contract(t, newLoop) })
	t.Run("Socket", func(t *testing.T) { Sockets(t, newLoop) })
	t.Run("Kernel", func(t *testing.T) { Kernels(t, newLoop) })
}

// Contract runs the part of the suite that is about the methods of Loop.
func Contract(t *testing.T, newLoop func(t *testing.T) kernel.Loop) { runAll(t, newLoop, contract) }

// Sockets runs the part of the suite that is about the sockets that come from a loop.
func Sockets(t *testing.T, newLoop func(t *testing.T) kernel.Loop) { runAll(t, newLoop, sockets) }

// Kernels runs the part of the suite that has kernels run on a loop. It holds also where the loop
// reports descriptors as ready that are not.
func Kernels(t *testing.T, newLoop func(t *testing.T) kernel.Loop) { runAll(t, newLoop, kernels) }

func runAll(t *testing.T, newLoop func(t *testing.T) kernel.Loop, tests []test) {
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(t, newLoop(t)) })
	}
}

// limit is how long a case may take before it fails.
const limit = 20 * time.Second

// run runs the loop, and fails the test if it returns an error or goes on for ever. Both functions
// may be nil: then nothing is done, and the first pass is the last.
func run(
	t *testing.T, loop kernel.Loop,
	ready func(fd int, how kernel.Mode), pass func() (wait time.Duration, more bool),
) {
	t.Helper()
	var late atomic.Bool
	watchdog := time.AfterFunc(limit, func() {
		late.Store(true)
		loop.Wake()
	})
	defer watchdog.Stop()
	err := loop.Run(
		func(fd int, how kernel.Mode) {
			if ready != nil && !late.Load() {
				ready(fd, how)
			}
		},
		func() (time.Duration, bool) {
			if pass == nil || late.Load() {
				return 0, false
			}
			return pass()
		})
	if err != nil {
		t.Fatalf("Run: %v", err)
	}
	if late.Load() {
		t.Fatalf("nothing came of it in %v", limit)
	}
}

// watch has the loop watch a handle.
func watch(t *testing.T, loop kernel.Loop, h kernel.Handle, want kernel.Mode) {
	t.Helper()
	if err := loop.Watch(h.FD(), want); err != nil {
		t.Fatalf("Watch(%d, %v): %v", h.FD(), want, err)
	}
}

// await runs the loop until h is ready in one way. It leaves h unwatched.
func await(t *testing.T, loop kernel.Loop, h kernel.Handle, way kernel.Mode) {
	t.Helper()
	watch(t, loop, h, way)
	done := false
	run(t, loop,
		func(fd int, how kernel.Mode) { done = done || fd == h.FD() && how&way != 0 },
		func() (time.Duration, bool) { return kernel.Forever, !done })
	watch(t, loop, h, 0)
}

// rest runs the loop for a while, with nobody to hear of what is ready, and returns the number of
// passes.
func rest(t *testing.T, loop kernel.Loop, d time.Duration, ready func(int, kernel.Mode)) int {
	t.Helper()
	n, end := 0, loop.Now().Add(d)
	run(t, loop, ready, func() (time.Duration, bool) {
		n++
		left := end.Sub(loop.Now())
		return left, left > 0
	})
	return n
}

// closing closes a handle at the end of the test, unless the test has.
func closing[H kernel.Handle](t *testing.T, h H) H {
	t.Cleanup(func() {
		if err := h.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Errorf("Close: %v", err)
		}
	})
	return h
}

// socket opens a socket that is closed at the end of the test.
func socket(t *testing.T, loop kernel.Loop, network string) kernel.Socket {
	t.Helper()
	s, err := loop.Socket(network)
	if err != nil {
		t.Fatalf("Socket(%q): %v", network, err)
	}
	return closing(t, s)
}

// listen returns a socket that listens on an address that the system chooses, and that address.
func listen(t *testing.T, loop kernel.Loop, network string) (kernel.Socket, net.Addr) {
	t.Helper()
	s := socket(t, loop, network)
	if err := s.Bind(anyAddr(t, network)); err != nil {
		t.Fatalf("Bind: %v", err)
	}
	if err := s.Listen(0); err != nil {
		t.Fatalf("Listen: %v", err)
	}
	return s, localAddr(t, s)
}

// pair returns two sockets that are connected with each other.
func pair(t *testing.T, loop kernel.Loop, network string) (a, b kernel.Socket) {
	t.Helper()
	l, addr := listen(t, loop, network)
	a = socket(t, loop, network)
	connect(t, loop, a, addr)
	b = accept(t, loop, l)
	if err := l.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	return a, b
}

// connect connects s, and waits until it is.
func connect(t *testing.T, loop kernel.Loop, s kernel.Socket, addr net.Addr) {
	t.Helper()
	err := s.Connect(addr)
	for err == kernel.ErrAgain {
		await(t, loop, s, kernel.Write)
		err = s.ConnectError()
	}
	if err != nil {
		t.Fatalf("Connect: %v", err)
	}
}

// accept waits for a connection.
func accept(t *testing.T, loop kernel.Loop, l kernel.Socket) kernel.Socket {
	t.Helper()
	for {
		s, err := l.Accept()
		if err == nil {
			return closing(t, s)
		}
		if err != kernel.ErrAgain {
			t.Fatalf("Accept: %v", err)
		}
		await(t, loop, l, kernel.Read)
	}
}

// send writes a short text.
func send(t *testing.T, loop kernel.Loop, h kernel.Handle, text string) {
	t.Helper()
	for len(text) > 0 {
		n, err := h.Write([]byte(text))
		if err != nil && err != kernel.ErrAgain {
			t.Fatalf("Write: %v", err)
		}
		text = text[n:]
		if len(text) > 0 {
			await(t, loop, h, kernel.Write)
		}
	}
}

// receive reads a text of that length.
func receive(t *testing.T, loop kernel.Loop, h kernel.Handle, size int) string {
	t.Helper()
	got := make([]byte, 0, size)
	for len(got) < size {
		n, err := h.Read(got[len(got):size])
		got = got[:len(got)+n]
		switch {
		case err == kernel.ErrAgain:
			await(t, loop, h, kernel.Read)
		case err != nil:
			t.Fatalf("Read: %v, after %q", err, got)
		}
	}
	return string(got)
}

// drain reads all there is.
func drain(t *testing.T, h kernel.Handle) {
	t.Helper()
	for {
		if _, err := h.Read(make([]byte, 512)); err != nil {
			if err != kernel.ErrAgain {
				t.Errorf("Read: %v", err)
			}
			return
		}
	}
}
