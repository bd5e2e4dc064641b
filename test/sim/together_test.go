package sim_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/test/sim"
)

// runs returns the function that runs k, for Together.
func runs(t *testing.T, k *kernel.Kernel) func() error {
	return func() error { return k.Run(t.Context()) }
}

// Two machines, each with a kernel of its own: a client on one, and a server on the other.
func TestTogether(t *testing.T) {
	world := sim.New(sim.Options{Latency: 20 * time.Millisecond})
	host := world.NewMachine(addr("192.0.2.25"))
	server, client := newKernel(t, host), newKernel(t, world)

	l := open(t, host, "tcp4")
	must(t, l.Bind(tcpAddr(t, "0.0.0.0:25")))
	must(t, l.Listen(0))
	server.Create(table{
		kernel.Start: func(e *kernel.Event) { must(t, e.Session.SelectRead(l, "client")) },
		"client": func(e *kernel.Event) {
			s, err := l.Accept()
			must(t, err)
			if from, err := s.RemoteAddr(); err != nil || from.String()[:9] != "10.0.0.1:" {
				t.Errorf("the client is %v, %v", from, err)
			}
			_, err = s.Write([]byte("hello"))
			must(t, err)
			must(t, s.Close())
			must(t, e.Session.SelectRead(l, ""))
			must(t, l.Close())
		},
	})

	var answer []byte
	var ended time.Duration
	s := open(t, world, "tcp4")
	client.Create(table{
		kernel.Start: func(e *kernel.Event) {
			wants(t, s.Connect(tcpAddr(t, "192.0.2.25:25")), kernel.ErrAgain)
			must(t, e.Session.SelectRead(s, "read"))
		},
		"read": func(e *kernel.Event) {
			var p [16]byte
			n, err := s.Read(p[:])
			answer = append(answer, p[:n]...)
			if err == io.EOF {
				ended = world.Elapsed()
				must(t, e.Session.SelectRead(s, ""))
			}
		},
	})
	must(t, world.Together(runs(t, client), runs(t, server)))
	if string(answer) != "hello" {
		t.Errorf("the answer is %q", answer)
	}
	if want := 40 * time.Millisecond; ended != want {
		t.Errorf("the answer took %v, want %v", ended, want)
	}
}

// A Door leads from one kernel to the other, and each waits while the other works.
func TestTogetherByDoors(t *testing.T) {
	world := sim.NewWorld()
	kernels := []*kernel.Kernel{newKernel(t, world), newKernel(t, world.NewMachine())}
	var doors [2]*kernel.Door
	var order []string
	for i, k := range kernels {
		k.Create(table{
			kernel.Start: func(e *kernel.Event) { doors[i] = e.Session.Door() },
			"ball": func(e *kernel.Event) {
				left := kernel.Arg[int](e, 0)
				order = append(order, fmt.Sprintf("%d:%d", i, left))
				if left > 0 {
					e.Session.Delay("throw", time.Second, left-1)
				}
				if left <= 1 {
					e.Session.Delay("close", 2*time.Second)
				}
			},
			"throw": func(e *kernel.Event) { must(t, doors[1-i].Post("ball", e.Args[0])) },
			"close": func(*kernel.Event) { doors[i].Close() },
		})
	}
	must(t, doors[0].Post("ball", 4))
	must(t, world.Together(runs(t, kernels[0]), runs(t, kernels[1])))
	want := []string{"0:4", "1:3", "0:2", "1:1", "0:0"}
	if !slices.Equal(order, want) {
		t.Errorf("got %v, want %v", order, want)
	}
	if got := world.Elapsed(); got != 6*time.Second {
		t.Errorf("it took %v", got)
	}
}

func TestTogetherErrors(t *testing.T) {
	world := sim.NewWorld()
	failure := errors.New("failure")
	err := world.Together(
		func() error { return failure },
		func() error { return world.Run(nothingReady, waitForever) },
		func() error { return world.NewMachine().Run(nothingReady, waitForever) })
	wants(t, err, failure)
	wants(t, err, sim.ErrDeadlock)
	must(t, world.Together())
}

// A panic in one of the runs comes out of Together, and the others do not go on.
func TestTogetherPanic(t *testing.T) {
	world := sim.NewWorld()
	var broken error
	defer func() {
		if p := recover(); p != "oops" {
			t.Errorf("Together panics with %v", p)
		}
		if broken == nil {
			t.Error("the other run has no error")
		}
	}()
	_ = world.Together(
		func() error {
			broken = world.Run(nothingReady, waitForever)
			return broken
		},
		func() error { panic("oops") })
}

func nothingReady(int, kernel.Mode) {}

func waitForever() (time.Duration, bool) { return kernel.Forever, true }
