package wheel_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// A queued is a socket that tells how many connections may wait at it.
type queued struct {
	kernel.Socket
	listens func(backlog int)
}

func (s queued) Listen(backlog int) error {
	s.listens(backlog)
	return s.Socket.Listen(backlog)
}

// ListenQueue is how many connections may wait, and without it the system decides.
func TestListenQueue(t *testing.T) {
	for _, queue := range []int{0, 7} {
		p, odd := oddly(t, sim.Options{})
		odd.socket = func(network string) (kernel.Socket, error) {
			s, err := p.world.Socket(network)
			return queued{s, func(backlog int) { p.note("%d", backlog) }}, err
		}
		p.create(session.Events{kernel.Start: func(e *kernel.Event) {
			wheel.NewSocketFactory(e.Session, events(wheel.SocketFactoryOptions{
				ListenQueue: queue,
			})).Close()
		}})
		p.run()
		p.want(map[int]string{0: "0", 7: "7"}[queue])
	}
}

// A path that is taken is not taken away from who has it, nor removed if it is only a file.
func TestUnixPathIsTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "taken")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := inReality(t)
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			wheel.NewSocketFactory(e.Session, events(wheel.SocketFactoryOptions{
				Network: "unix", BindAddress: path,
			}))
		},
		"made": p.said,
		"failed": session.On(func(_ *kernel.Event, err *wheel.Error) {
			p.note("%s %v", err.Op, err.Errno() == syscall.EADDRINUSE)
		}),
	})
	p.runReal()
	p.want("bind true")
	if got, err := os.ReadFile(path); string(got) != "mine" || err != nil {
		t.Errorf("the file has %q, %v", got, err)
	}
}

// A success hands the socket over whole: the wheel does not hold it open besides.
//
// POE: P-22, where it does.
func TestSuccessHandsTheSocketOver(t *testing.T) {
	p := simulated(t, sim.Options{})
	s := p.listening()
	var w *wheel.SocketFactory
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = wheel.NewSocketFactory(e.Session, events(wheel.SocketFactoryOptions{
				RemoteAddress: "127.0.0.1", RemotePort: "25",
			}))
		},
		"made": session.On(func(_ *kernel.Event, c *wheel.Connection) {
			peer, err := s.Accept()
			if err != nil {
				t.Fatal(err)
			}
			w.Close() // which has nothing to close
			p.note("open %v", c.Socket.FD() >= 0)
			c.Socket.Close()
			p.note("the peer read %q", p.read(peer))
			peer.Close()
			s.Close()
		}),
		"failed": p.failed,
	})
	p.run()
	p.want("open true", `the peer read "EOF"`)
}
