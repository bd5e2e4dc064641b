package sim_test

import (
	"net"
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/test/handletest"
	"github.com/go-poe/poe/test/looptest"
	"github.com/go-poe/poe/test/sim"
)

// slow is a network that takes its time, and never the same.
var slow = sim.Options{
	Seed: 1, External: true,
	Latency: 3 * time.Millisecond, Jitter: 2 * time.Millisecond, WorkTime: time.Millisecond,
}

// hard is a slow network on which all that goes wrong is nobody's fault.
func hard(seed uint64) sim.Options {
	opts := slow
	opts.Seed = seed
	opts.Buffer = 3000
	opts.Faults = sim.Faults{
		Split: 0.5, Again: 0.2, Shuffle: true, SlowAccept: 5 * time.Millisecond,
	}
	return opts
}

var worlds = map[string]sim.Options{"plain": {External: true}, "slow": slow, "hard": hard(2)}

// TestLoop holds the simulated loop to the suite for all loops.
func TestLoop(t *testing.T) {
	for name, opts := range worlds {
		t.Run(name, func(t *testing.T) {
			looptest.Run(t, func(*testing.T) kernel.Loop { return sim.New(opts) })
		})
	}
}

// Descriptors that are reported as ready and are not do no harm to a kernel.
func TestKernelsSpurious(t *testing.T) {
	opts := hard(3)
	opts.Faults.Spurious = 0.3
	looptest.Kernels(t, func(*testing.T) kernel.Loop { return sim.New(opts) })
}

// TestHandle holds the simulated handles to the suite for all handles.
func TestHandle(t *testing.T) {
	for name, opts := range worlds {
		t.Run(name, func(t *testing.T) {
			t.Run("Pipe", func(t *testing.T) {
				handletest.RunOneWay(t, func(t *testing.T) (w, r kernel.Handle, loop kernel.Loop) {
					world := sim.New(opts)
					r, w, err := world.Pipe()
					if err != nil {
						t.Fatal(err)
					}
					return w, r, world
				})
			})
			t.Run("SocketPair", func(t *testing.T) {
				handletest.Run(t, func(t *testing.T) (a, b kernel.Handle, loop kernel.Loop) {
					world := sim.New(opts)
					a, b, err := world.SocketPair()
					if err != nil {
						t.Fatal(err)
					}
					return a, b, world
				})
			})
			t.Run("TCP", func(t *testing.T) {
				handletest.Run(t, func(t *testing.T) (a, b kernel.Handle, loop kernel.Loop) {
					world := sim.New(opts)
					a, b = overTCP(t, world)
					return a, b, world
				})
			})
		})
	}
}

// overTCP connects two sockets of a world.
func overTCP(t *testing.T, world *sim.World) (client, server kernel.Socket) {
	t.Helper()
	l := listen(t, world, "10.0.0.1:25")
	client = connect(t, world, "10.0.0.1:25")
	for {
		server, err := l.Accept()
		if err == nil {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			return client, server
		}
		if err != kernel.ErrAgain {
			t.Fatal(err)
		}
		await(t, world, l, kernel.Read)
	}
}

// listen returns a socket that listens on an address of TCP.
func listen(t *testing.T, loop kernel.Loop, addr string) kernel.Socket {
	t.Helper()
	s := open(t, loop, "tcp4")
	if err := s.Bind(tcpAddr(t, addr)); err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(0); err != nil {
		t.Fatal(err)
	}
	return s
}

// connect returns a socket that is connected.
func connect(t *testing.T, loop kernel.Loop, addr string) kernel.Socket {
	t.Helper()
	s := open(t, loop, "tcp4")
	if err := connecting(t, loop, s, addr); err != nil {
		t.Fatal(err)
	}
	return s
}

// connecting connects s, and returns the outcome.
func connecting(t *testing.T, loop kernel.Loop, s kernel.Socket, addr string) error {
	t.Helper()
	err := s.Connect(tcpAddr(t, addr))
	for err == kernel.ErrAgain {
		await(t, loop, s, kernel.Write)
		err = s.ConnectError()
	}
	return err
}

func open(t *testing.T, loop kernel.Loop, network string) kernel.Socket {
	t.Helper()
	s, err := loop.Socket(network)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func tcpAddr(t *testing.T, text string) *net.TCPAddr {
	t.Helper()
	addr, err := net.ResolveTCPAddr("tcp", text)
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// await runs the loop until h is ready.
func await(t *testing.T, loop kernel.Loop, h kernel.Handle, way kernel.Mode) {
	t.Helper()
	if err := loop.Watch(h.FD(), way); err != nil {
		t.Fatal(err)
	}
	ready := false
	err := loop.Run(
		func(fd int, _ kernel.Mode) { ready = ready || fd == h.FD() },
		func() (time.Duration, bool) { return kernel.Forever, !ready })
	if err != nil {
		t.Fatal(err)
	}
	if err := loop.Watch(h.FD(), 0); err != nil {
		t.Fatal(err)
	}
}
