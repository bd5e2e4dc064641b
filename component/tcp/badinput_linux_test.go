package tcp_test

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-poe/poe/component/tcp"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// realPlace is a place in the real world, on a loop of a test or, for nil, of its own.
func realPlace(t *testing.T, loop kernel.Loop) *place {
	t.Helper()
	before := openFiles(t)
	t.Cleanup(func() {
		if after := openFiles(t); after != before {
			t.Errorf("%d descriptors are open, of which %d were before", after, before)
		}
	})
	if loop == nil {
		loop = kernel.NewLoop()
	}
	return placeOn(t, nil, loop)
}

func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(list)
}

// runReal runs the kernel until it ends by itself.
func (p *place) runReal() {
	p.Helper()
	if err := p.k.Run(p.Context()); err != nil {
		p.Errorf("Run: %v\n%v", err, p.k.WhyAlive())
	}
	p.wantLogs(nil)
}

// A counter is a Loop that counts how often it has its kernel do something.
type counter struct {
	kernel.Loop
	passes int
}

func (l *counter) Run(
	ready func(fd int, how kernel.Mode), pass func() (time.Duration, bool),
) error {
	return l.Loop.Run(ready, func() (time.Duration, bool) {
		l.passes++
		return pass()
	})
}

// limit sets how many descriptors the process may have, and returns how many that were.
func limit(t *testing.T, n uint64) (before uint64) {
	t.Helper()
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		t.Fatal(err)
	}
	before, r.Cur = r.Cur, n
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		t.Fatal(err)
	}
	return before
}

// When the process has no descriptors left, the clients that there are do not notice, those who
// call wait, the server says so once, nothing spins, and it goes on when there are some again.
func TestNoDescriptorsOfTheSystem(t *testing.T) {
	const calls, rounds = 3, 10
	loop := &counter{Loop: kernel.NewLoop()}
	p := realPlace(t, loop)
	var callers []kernel.Socket
	var s *tcp.Server
	var good *tcp.Client
	var allowed uint64
	failures, connected, echoes, passes := 0, 0, 0, 0
	full := func() {
		for range calls {
			far, err := loop.Socket("tcp4")
			if err != nil {
				t.Fatal(err)
			}
			callers = append(callers, far)
		}
		lowest, err := unix.Dup(0)
		if err != nil {
			t.Fatal(err)
		}
		_ = unix.Close(lowest)
		allowed = limit(t, uint64(lowest))
		t.Cleanup(func() { limit(t, allowed) })
		addr, err := s.Addr()
		if err != nil {
			t.Fatal(err)
		}
		for _, far := range callers {
			if err := far.Connect(addr); err != nil && err != kernel.ErrAgain {
				t.Fatal(err)
			}
		}
	}
	s = p.server(tcp.ServerOptions{
		Address: "127.0.0.1",
		Error: func(_ *tcp.Server, err *wheel.Error) {
			failures++
			if err.Op != "accept" || err.Errno() != syscall.EMFILE {
				t.Errorf("got %v", err)
			}
			echoes, passes = 0, loop.passes
		},
		ClientConnected: func(*tcp.Conn) {
			if connected++; connected == 1+calls {
				good.Close()
				s.Shutdown()
				for _, far := range callers {
					far.Close()
				}
			}
		},
		ClientInput:        func(c *tcp.Conn, in *wheel.Input) { c.Put(in.Bytes) },
		ClientError:        func(*tcp.Conn, *wheel.Error) {},
		ClientDisconnected: func(*tcp.Conn) {},
	})
	good = p.client(p.at(s), tcp.ClientOptions{
		Connected: func(c *tcp.Client) { c.PutString("still there?") },
		ServerInput: func(c *tcp.Client, _ *wheel.Input) {
			switch echoes++; {
			case failures == 0 && echoes == 1:
				full()
			case failures > 0 && echoes == rounds:
				// Each round is a few passes, and so is each try; a loop that spins makes thousands.
				if n := loop.passes - passes; n > 20*rounds {
					t.Errorf("%d passes for %d rounds", n, rounds)
				}
				limit(t, allowed)
				p.note("%d connected, %d failures", connected, failures)
			}
			c.Session.Delay("more", 30*time.Millisecond)
		},
		Disconnected: func(c *tcp.Client) { c.Session.AlarmClear("more") },
		Events: session.Events{"more": func(e *kernel.Event) {
			_ = tcp.ClientOf(e).PutString("still there?")
		}},
	})
	p.runReal()
	p.want("1 connected, 1 failures", "server: stopped")
}

// Ten thousand clients that say nothing cost little memory, no goroutine, and nobody's time. Both
// ends are in this process: where it may not have that many descriptors, there are fewer clients.
func TestIdleConnections(t *testing.T) {
	const batch, maxIdle = 128, 4096 // the latter in bytes, of what is on the heap for one client
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		t.Fatal(err)
	}
	before := limit(t, r.Max)
	t.Cleanup(func() { limit(t, before) })
	clients := int(min(10_000, (r.Max-256)/2))

	p := realPlace(t, nil)
	fds := make([]int, 0, clients)
	var s *tcp.Server
	connected, ends, gone := 0, 0, 0
	s = p.server(tcp.ServerOptions{
		Address:         "127.0.0.1",
		ClientConnected: func(*tcp.Conn) { connected++ },
		ClientInput:     func(c *tcp.Conn, in *wheel.Input) { c.Put(in.Bytes) },
		ClientError: func(_ *tcp.Conn, err *wheel.Error) {
			if !errors.Is(err, io.EOF) {
				t.Error(err)
			}
			ends++
		},
		ClientDisconnected: func(*tcp.Conn) {
			if gone++; gone == connected {
				s.Shutdown()
			}
		},
	})
	at, err := strconv.Atoi(p.at(s))
	if err != nil {
		t.Fatal(err)
	}
	to := &unix.SockaddrInet4{Port: at, Addr: [4]byte{127, 0, 0, 1}}
	dial := func() {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err == nil {
			err = unix.Connect(fd, to) // the system completes it, though nobody has accepted
		}
		if err != nil {
			t.Fatalf("client %d: %v", len(fds), err)
		}
		fds = append(fds, fd)
	}
	leave := func() {
		for _, fd := range fds {
			_ = unix.Close(fd)
		}
	}
	goroutines, heap := runtime.NumGoroutine(), heapInUse()
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Yield("dial") },
		"dial": func(e *kernel.Event) {
			switch {
			case connected < len(fds):
			case len(fds) < clients:
				for range min(batch, clients-len(fds)) {
					dial()
				}
			default:
				e.Session.Yield("look")
				return
			}
			e.Session.Delay("dial", time.Millisecond)
		},
		"look": func(e *kernel.Event) {
			each := (heapInUse() - heap) / int64(clients)
			t.Logf("%d clients, %d bytes each", clients, each)
			if each > maxIdle {
				t.Errorf("a client costs %d bytes, want at most %d", each, maxIdle)
			}
			if n := runtime.NumGoroutine(); n > goroutines+2 { // the loop may have some of its own
				t.Errorf("%d goroutines, and there were %d", n, goroutines)
			}
			p.client(p.at(s), tcp.ClientOptions{
				Connected:    func(c *tcp.Client) { c.PutString("is anybody there?") },
				ServerInput:  func(c *tcp.Client, in *wheel.Input) { p.note("%s", in.Bytes); c.Close() },
				Disconnected: func(*tcp.Client) { leave() },
			})
		},
	})
	p.runReal()
	p.want("is anybody there?", "server: stopped")
	if connected != clients+1 || ends != connected || gone != connected {
		t.Errorf("%d connected, %d ended, and %d are gone, of %d", connected, ends, gone, clients+1)
	}
	if _, err := net.DialTimeout("tcp4", "127.0.0.1:"+strconv.Itoa(at), time.Second); err == nil {
		t.Error("somebody listens still")
	}
}
