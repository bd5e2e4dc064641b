package sim_test

import (
	"context"
	"net"
	"os/exec"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/test/sim"
)

func TestProbeOrder(t *testing.T) {
	for _, real := range []bool{false, true} {
		var loop kernel.Loop = sim.NewWorld()
		if real {
			loop = kernel.NewLoop()
		}
		k := newKernel(t, loop)
		l := listen(t, loop, "127.0.0.1:0")
		s := open(t, loop, "tcp4")
		a, _ := l.LocalAddr()
		connecting(t, loop, s, a.String())
		c, err := l.Accept()
		must(t, err)
		c.Write([]byte("x"))
		await(t, loop, s, kernel.Read)
		k.Create(table{
			kernel.Start: func(e *kernel.Event) {
				must(t, e.Session.SelectRead(s, "readable"))
				e.Session.Yield("posted")
			},
			"readable": func(e *kernel.Event) { t.Log("readable"); must(t, e.Session.SelectRead(s, "")) },
			"posted":   func(e *kernel.Event) { t.Log("posted") },
		})
		must(t, k.Run(t.Context()))
	}
}

func TestProbeReuse(t *testing.T) {
	for _, real := range []bool{false, true} {
		var loop kernel.Loop = sim.New(sim.Options{External: false})
		if real {
			loop = kernel.NewLoop()
		}
		k := newKernel(t, loop)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		got := false
		k.Create(table{
			kernel.Start: func(e *kernel.Event) {
				one := open(t, loop, "udp4")
				must(t, one.Bind(udp("127.0.0.1:0")))
				must(t, e.Session.SelectRead(one, "read"))
				must(t, one.Close())
				two := open(t, loop, "udp4")
				must(t, two.Bind(udp("127.0.0.1:0")))
				t.Log(two.FD())
				must(t, e.Session.SelectRead(two, "read"))
				at, _ := two.LocalAddr()
				_, err := two.WriteTo([]byte("x"), at)
				must(t, err)
			},
			"read": func(e *kernel.Event) { got = true; e.Kernel.Stop() },
		})
		err := k.Run(ctx)
		t.Log(real, got, err)
	}
}

func TestProbeCancel(t *testing.T) {
	for _, d := range []time.Duration{0, time.Hour} {
		for i := 0; i < 3; i++ {
			world := sim.NewWorld()
			k := newKernel(t, world)
			ctx, cancel := context.WithCancel(t.Context())
			k.Create(table{
				kernel.Start: func(e *kernel.Event) {
					e.Session.RefcountIncrement("x")
					if d > 0 {
						e.Session.Delay("late", d)
					}
					e.Session.Yield("cancel")
				},
				"cancel": func(*kernel.Event) { cancel() },
				"late":   func(*kernel.Event) { t.Log("late alarm rang") },
			})
			t.Log(d, k.Run(ctx), world.Elapsed())
		}
	}
}

func TestProbeChild(t *testing.T) {
	world := sim.NewWorld()
	core, logs := observer.New(zap.DebugLevel)
	k, _ := kernel.New(kernel.Options{Loop: world, Log: zap.New(core)})
	cmd := exec.Command("true")
	must(t, cmd.Start())
	defer cmd.Wait()
	k.Create(table{kernel.Start: func(e *kernel.Event) {
		t.Log(e.Session.SigChild(cmd.Process.Pid, "x"))
	}})
	t.Log(k.Run(t.Context()))
	for _, l := range logs.All() {
		t.Log(l.Message, l.ContextMap())
	}
}

func TestProbeAncient(t *testing.T) {
	world := sim.NewWorld()
	k := newKernel(t, world)
	n := 0
	again := func(e *kernel.Event) {
		if n++; n < 10000 {
			e.Session.Alarm("again", time.Date(1066, 1, 1, 0, 0, 0, 0, time.UTC))
		}
	}
	k.Create(table{kernel.Start: func(e *kernel.Event) { e.Session.Delay("again", time.Second) }, "again": again})
	t.Log(k.Run(t.Context()), n, world.Elapsed())
}

func TestProbeStarve(t *testing.T) {
	world := sim.New(sim.Options{MaxTurns: 100})
	k := newKernel(t, world)
	n, done := 0, false
	again := func(e *kernel.Event) {
		n++
		if !done {
			e.Session.Delay("again", -time.Second)
		}
	}
	k.Create(table{kernel.Start: again, "again": again})
	k.Create(table{
		kernel.Start: func(e *kernel.Event) { e.Session.Yield("go") },
		"go":         func(*kernel.Event) { done = true },
	})
	t.Log(k.Run(t.Context()), n, done)
}

func TestProbeArgs(t *testing.T) {
	world := sim.NewWorld()
	k := newKernel(t, world)
	a, _ := overTCP(t, world)
	n := 0
	k.Create(table{
		kernel.Start: func(e *kernel.Event) { must(t, e.Session.SelectWrite(a, "write", 1)) },
		"write": func(e *kernel.Event) {
			t.Log(e.Args[2])
			e.Args[2] = 99
			if n++; n > 1 {
				must(t, e.Session.SelectWrite(a, ""))
			}
		},
	})
	t.Log(k.Run(t.Context()))
}

func udp(s string) *net.UDPAddr { a, _ := net.ResolveUDPAddr("udp", s); return a }
