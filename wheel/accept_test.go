package wheel_test

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// listening returns a socket that listens at port 25 of all addresses.
func (p *place) listening() kernel.Socket {
	p.Helper()
	s, err := p.k.Loop().Socket("tcp4")
	if err != nil {
		p.Fatal(err)
	}
	if err := errors.Join(s.Bind(&net.TCPAddr{Port: 25}), s.Listen(0)); err != nil {
		p.Fatal(err)
	}
	return s
}

// call opens a connection to port 25, which comes into being as time passes.
func (p *place) call() kernel.Socket {
	p.Helper()
	s, err := p.world.Socket("tcp4")
	if err != nil {
		p.Fatal(err)
	}
	err = s.Connect(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 25})
	if err != kernel.ErrAgain {
		p.Fatal(err)
	}
	return s
}

func TestListenAcceptOptions(t *testing.T) {
	p := simulated(t, sim.Options{})
	s := p.listening()
	for _, test := range []struct {
		want string
		opts wheel.ListenAcceptOptions
	}{
		{"wheel: ListenAcceptOptions has no Handle",
			wheel.ListenAcceptOptions{AcceptEvent: "made"}},
		{"wheel: ListenAcceptOptions has no AcceptEvent", wheel.ListenAcceptOptions{Handle: s}},
	} {
		wantPanic(t, test.want, func() { _, _ = wheel.NewListenAccept(p.k.Root(), test.opts) })
	}
	s.Close()
}

// A ListenAccept leaves its socket open, for the next one.
func TestListenAccept(t *testing.T) {
	p := simulated(t, sim.Options{})
	s := p.listening()
	var w *wheel.ListenAccept
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			var err error
			w, err = wheel.NewListenAccept(e.Session, wheel.ListenAcceptOptions{
				Handle: s, AcceptEvent: "first", ErrorEvent: "error",
			})
			if err != nil || w.Handle() != s {
				t.Fatalf("handle %v, error %v", w.Handle(), err)
			}
			e.Session.Yield("call", 2)
		},
		"call": session.On(func(e *kernel.Event, left int) {
			c := p.call()
			e.Session.Delay("hang_up", tick, c)
			if left > 1 {
				e.Session.DelayAdd("call", 2*tick, left-1)
			}
		}),
		"hang_up": session.On(func(e *kernel.Event, c kernel.Socket) { c.Close() }),
		"first": session.On(func(e *kernel.Event, c *wheel.Connection) {
			remote, _ := c.Socket.RemoteAddr()
			p.note("first %v %v", c.Wheel == w.ID(), remote.String() == c.Remote.String())
			c.Socket.Close()
			w.SetAcceptEvent("second")
			wantPanic(t, "wheel: SetAcceptEvent without a name", func() { w.SetAcceptEvent("") })
		}),
		"second": session.On(func(e *kernel.Event, c *wheel.Connection) {
			p.said(e)
			c.Socket.Close()
			w.Close()
			w.Close()
			p.note("descriptor is open %v", s.FD() >= 0)
			s.Close()
		}),
		"error":        p.failed,
		kernel.Default: p.unknown,
	})
	p.run()
	p.want("first true true", "second", "descriptor is open true")
}

func TestListenAcceptCannotBegin(t *testing.T) {
	p := simulated(t, sim.Options{})
	s := p.listening()
	s.Close()
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			_, err := wheel.NewListenAccept(e.Session, wheel.ListenAcceptOptions{
				Handle: s, AcceptEvent: "made",
			})
			if !errors.Is(err, kernel.ErrInvalid) {
				t.Errorf("with a closed socket: %v, want %v", err, kernel.ErrInvalid)
			}
		},
		kernel.Default: p.unknown,
	})
	p.run()
	p.want()
}

// All who call are accepted, also more than in one turn, until the wheel is closed.
func TestAcceptMany(t *testing.T) {
	p := simulated(t, sim.Options{})
	const calls, taken = 30, 25
	var calling []kernel.Socket
	n := 0
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w, err := wheel.NewListenAccept(e.Session, wheel.ListenAcceptOptions{
				Handle: p.listening(), AcceptEvent: "made",
			})
			if err != nil {
				t.Fatal(err)
			}
			for range calls {
				calling = append(calling, p.call())
			}
			e.Session.State("made", session.On(func(e *kernel.Event, c *wheel.Connection) {
				c.Socket.Close()
				if n++; n == taken {
					w.Handle().Close()
					w.Close()
				}
			}))
		},
		kernel.Stop: func(*kernel.Event) {
			for _, c := range calling {
				c.Close()
			}
		},
	})
	p.run()
	if n != taken {
		t.Errorf("accepted %d, want %d", n, taken)
	}
}

// A pause leaves those who call waiting, and lasts from before the wheel listens.
func TestPauseAccept(t *testing.T) {
	p := simulated(t, sim.Options{WorkTime: tick})
	var w *wheel.SocketFactory
	var calling []kernel.Socket
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = wheel.NewSocketFactory(e.Session, events(wheel.SocketFactoryOptions{
				BindAddress: "localhost", BindPort: "25", Network: "tcp4",
			}))
			w.PauseAccept()
			e.Session.Delay("call", 2*tick)
		},
		"call": func(e *kernel.Event) {
			calling = append(calling, p.call(), p.call())
			e.Session.Delay("resume", tick)
		},
		"resume": func(*kernel.Event) {
			p.note("resume")
			w.ResumeAccept()
		},
		"made": session.On(func(e *kernel.Event, c *wheel.Connection) {
			p.said(e)
			c.Socket.Close()
			w.PauseAccept() // also for the other who waits
			if e.Session.AlarmClear("over") == 0 && len(p.lines) == 2 {
				e.Session.Delay("resume", tick)
				return
			}
			e.Session.Delay("over", tick)
		}),
		"over": func(*kernel.Event) {
			w.Close()
			for _, c := range calling {
				c.Close()
			}
		},
		"failed": p.failed,
	})
	p.run()
	p.want("resume", "made", "resume", "made")
}

// Without descriptors, a listener tells so once, waits a while between two tries, and then goes on:
// it does not keep the kernel busy, and nobody who called is lost.
func TestAcceptWithoutDescriptors(t *testing.T) {
	p, odd := oddly(t, sim.Options{})
	tries := 0
	odd.socket = func(network string) (kernel.Socket, error) {
		s, err := p.world.Socket(network)
		return trying{s, &tries}, err
	}
	var w *wheel.SocketFactory
	var hoard []kernel.Socket
	var calling kernel.Socket
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			opts := events(wheel.SocketFactoryOptions{BindPort: "25"})
			w = wheel.NewSocketFactory(e.Session, opts)
			calling = p.call()
			for {
				s, err := p.world.Socket("udp4")
				if err != nil {
					break
				}
				hoard = append(hoard, s)
			}
			e.Session.Delay("free", 950*time.Millisecond)
		},
		"free": func(*kernel.Event) {
			for _, s := range hoard {
				s.Close()
			}
			p.note("free")
		},
		"failed": session.On(func(e *kernel.Event, err *wheel.Error) {
			if err.Op != "accept" || err.Errno() != syscall.EMFILE || err.Wheel != w.ID() {
				t.Errorf("%s of wheel %d failed with %v", err.Op, err.Wheel, err.Err)
			}
			p.note("full at %v", p.world.Elapsed().Round(100*time.Millisecond))
		}),
		"made": session.On(func(e *kernel.Event, c *wheel.Connection) {
			p.note("made at %v", p.world.Elapsed().Round(100*time.Millisecond))
			c.Socket.Close()
			calling.Close()
			w.Close()
		}),
		kernel.Default: p.unknown,
	})
	p.run()
	p.want("full at 0s", "free", "made at 1s")
	if tries != 11 {
		t.Errorf("it tried %d times, want 11: ten times a second", tries)
	}
}

// A trying is a Socket that counts how often somebody tries to accept.
type trying struct {
	kernel.Socket
	tries *int
}

func (s trying) Accept() (kernel.Socket, error) {
	*s.tries++
	return s.Socket.Accept()
}

// What is told once is told again when it was over in between.
func TestAcceptFailsAgain(t *testing.T) {
	p := simulated(t, sim.Options{})
	odd := &socket{Socket: p.listening(), accepts: []error{
		syscall.EMFILE, syscall.ENFILE, nil, syscall.EMFILE, nil,
	}}
	var w *wheel.ListenAccept
	var calling []kernel.Socket
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			var err error
			w, err = wheel.NewListenAccept(e.Session, wheel.ListenAcceptOptions{
				Handle: odd, AcceptEvent: "made", ErrorEvent: "error",
			})
			if err != nil {
				t.Fatal(err)
			}
			calling = append(calling, p.call(), p.call())
		},
		"made": session.On(func(_ *kernel.Event, c *wheel.Connection) {
			p.note("made")
			c.Socket.Close()
			if len(odd.accepts) == 0 {
				w.Close()
				odd.Close()
				for _, s := range calling {
					s.Close()
				}
			}
		}),
		"error": session.On(func(_ *kernel.Event, err *wheel.Error) { p.note("%v", err.Errno()) }),
	})
	p.run()
	p.want("too many open files", "made", "too many open files", "made")
}

// What Accept returns decides: a connection that is gone is passed over, and a wheel that is closed
// or paused because of an error stays so.
func TestAcceptFails(t *testing.T) {
	for _, test := range []struct {
		name   string
		failed func(w *wheel.ListenAccept)
		want   []string
	}{
		{"goes on", func(*wheel.ListenAccept) {}, []string{"error 0s", "made 100ms"}},
		{"paused", (*wheel.ListenAccept).PauseAccept, []string{"error 0s", "made 1s"}},
		{"closed", (*wheel.ListenAccept).Close, []string{"error 0s"}},
		{"without event", func(w *wheel.ListenAccept) { w.SetErrorEvent("") },
			[]string{"error 0s", "made 100ms"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := simulated(t, sim.Options{})
			odd := &socket{Socket: p.listening(), accepts: []error{kernel.ErrAgain, syscall.EPROTO}}
			if test.name == "without event" {
				odd.accepts = append(odd.accepts, nil)
			}
			var w *wheel.ListenAccept
			var calling kernel.Socket
			p.create(session.Events{
				kernel.Start: func(e *kernel.Event) {
					var err error
					w, err = wheel.NewListenAccept(e.Session, wheel.ListenAcceptOptions{
						Handle: odd, AcceptEvent: "made", ErrorEvent: "error",
					})
					if err != nil {
						t.Fatal(err)
					}
					calling = p.call()
					e.Session.Delay("over", time.Second)
				},
				"error": func(e *kernel.Event) {
					p.note("error %v", p.world.Elapsed())
					test.failed(w)
				},
				"made": session.On(func(e *kernel.Event, c *wheel.Connection) {
					p.note("made %v", p.world.Elapsed())
					c.Socket.Close()
				}),
				"over": func(e *kernel.Event) {
					w.ResumeAccept()
					e.Session.Delay("end", tick)
				},
				"end": func(*kernel.Event) {
					w.Close()
					odd.Close()
					calling.Close()
				},
			})
			p.run()
			p.want(test.want...)
		})
	}
}

// A connection that nobody is at the other end of any more is none.
func TestAcceptOfNobody(t *testing.T) {
	p := simulated(t, sim.Options{})
	s := p.listening()
	gone := goneSocket{s}
	var calling kernel.Socket
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w, err := wheel.NewListenAccept(e.Session, wheel.ListenAcceptOptions{
				Handle: gone, AcceptEvent: "made", ErrorEvent: "error",
			})
			if err != nil {
				t.Fatal(err)
			}
			calling = p.call()
			e.Session.Delay("over", tick, w)
		},
		"made": p.said, "error": p.failed,
		"over": session.On(func(e *kernel.Event, w *wheel.ListenAccept) {
			w.Close()
			s.Close()
			calling.Close()
		}),
	})
	p.run()
	p.want()
}

// A goneSocket accepts connections without another end.
type goneSocket struct{ kernel.Socket }

func (s goneSocket) Accept() (kernel.Socket, error) {
	c, err := s.Socket.Accept()
	if err != nil {
		return nil, err
	}
	return &socket{Socket: c, fails: map[string]error{"RemoteAddr": syscall.ENOTCONN}}, nil
}
