package wheel_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// What becomes of a name depends on what its addresses are: "good" answers after 10 ms, "no"
// refuses then, and "hole" never answers.
var kindsOfAddress = strings.NewReplacer(
	"good4", "10.0.0.2", "good6", "fd00::2", "no4", "10.0.0.3", "no6", "fd00::3",
	"hole4", "192.0.2.", "hole6", "2001:db8::",
)

// The first address that connects wins, the others are closed, and who does not answer is not
// waited for (RFC 8305).
func TestHappyEyeballs(t *testing.T) {
	const ms = time.Millisecond
	many := strings.TrimSpace(strings.Repeat("hole41 ", 20))
	for _, test := range []struct {
		name  string
		host  string
		opts  wheel.SocketFactoryOptions
		tries string // who is tried, and after how many milliseconds
		want  string
		after time.Duration
	}{
		{"the first takes", "good4 good6", wheel.SocketFactoryOptions{},
			"good4 0", "good4", 20 * ms},
		{"IPv6 first", "good6 good4", wheel.SocketFactoryOptions{},
			"good6 0", "good6", 20 * ms},
		{"the first does not answer", "hole61 good4", wheel.SocketFactoryOptions{},
			"hole61 0, good4 250", "good4", 270 * ms},
		{"the first refuses", "no6 good4", wheel.SocketFactoryOptions{},
			"no6 0, good4 20", "good4", 40 * ms},
		{"versions take turns", "hole61 hole62 hole63 hole41 good4", wheel.SocketFactoryOptions{},
			"hole61 0, hole41 250, hole62 500, good4 750", "good4", 770 * ms},
		{"only one version", "hole61 good6 good4", wheel.SocketFactoryOptions{Network: "tcp6"},
			"hole61 0, good6 250", "good6", 270 * ms},
		{"an answer that comes before the next try", "good4 no4",
			wheel.SocketFactoryOptions{AttemptDelay: 21 * ms}, "good4 0", "good4", 20 * ms},
		{"the delay begins anew after a failure", "hole41 no6 hole42 good4",
			wheel.SocketFactoryOptions{AttemptDelay: 100 * ms},
			"hole41 0, no6 100, hole42 120, good4 220", "good4", 240 * ms},
		{"the second is slower, and first", "hole41 good4 good4",
			wheel.SocketFactoryOptions{AttemptDelay: 5 * ms},
			"hole41 0, good4 5, good4 10", "good4", 25 * ms},
		{"one at a time", "hole41 no6 good4", wheel.SocketFactoryOptions{AttemptDelay: -1},
			"hole41 0, no6 60000, good4 60020", "good4", time.Minute + 40*ms},
		{"one port for all", "hole41 good4",
			wheel.SocketFactoryOptions{BindPort: "999", Reuse: true},
			"hole41 0, good4 60000", "good4", time.Minute + 20*ms},
		{"all fail", "no6 no4 hole41", wheel.SocketFactoryOptions{}, "no6 0, no4 20, hole41 40",
			"connect: connection timed out; connect tcp6 [fd00::3]:25: connection refused; " +
				"connect tcp4 10.0.0.3:25: connection refused; " +
				"connect tcp4 192.0.2.1:25: connection timed out",
			time.Minute + 40*ms},
		{"all fail at once", "no6 no4", wheel.SocketFactoryOptions{AttemptDelay: 10 * ms},
			"no6 0, no4 10",
			"connect: connection refused; connect tcp6 [fd00::3]:25: connection refused; " +
				"connect tcp4 10.0.0.3:25: connection refused", 30 * ms},
		{"no more than eight", many + " good4", wheel.SocketFactoryOptions{AttemptDelay: ms},
			"hole41 0, hole41 1, hole41 2, hole41 3, hole41 4, hole41 5, hole41 6, hole41 7, " +
				"hole41 60000, hole41 60001, hole41 60002, hole41 60003, hole41 60004, " +
				"hole41 60005, hole41 60006, hole41 60007, hole41 120000, hole41 120001, " +
				"hole41 120002, hole41 120003, good4 120004", "good4", 2*time.Minute + 24*ms},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, odd := oddly(t, sim.Options{Latency: 10 * ms, ConnectTimeout: time.Minute})
			var addrs []netip.Addr
			names := map[netip.Addr]string{}
			for _, name := range strings.Fields(test.host) {
				addr := netip.MustParseAddr(kindsOfAddress.Replace(name))
				addrs = append(addrs, addr)
				names[addr] = name
			}
			p.world.AddHost("host", addrs...)
			listening := answering(p)
			var tries []string
			most, open := 0, 0
			odd.socket = func(network string) (kernel.Socket, error) {
				s, err := p.world.Socket(network)
				open++
				most = max(most, open)
				return &runner{s, func(to net.Addr) {
					ip := to.(*net.TCPAddr).AddrPort().Addr().Unmap()
					tries = append(tries, fmt.Sprint(names[ip], " ", p.world.Elapsed().Milliseconds()))
				}, func() { open-- }}, err
			}
			opts := events(test.opts)
			opts.RemoteAddress, opts.RemotePort = "host", "25"
			p.create(session.Events{
				kernel.Start: func(e *kernel.Event) { wheel.NewSocketFactory(e.Session, opts) },
				"made": session.On(func(_ *kernel.Event, c *wheel.Connection) {
					p.note("%s", names[c.Remote.(*net.TCPAddr).AddrPort().Addr().Unmap()])
					if open != 1 {
						t.Errorf("%d sockets are open, want the one that was made", open)
					}
					c.Socket.Close()
				}),
				"failed": session.On(func(_ *kernel.Event, err *wheel.Error) {
					p.note("%s: %v; %v", err.Op, err.Errno(), err.Err)
				}),
				kernel.Stop: func(*kernel.Event) {
					if got := p.world.Elapsed(); got != test.after {
						t.Errorf("it took %v, want %v", got, test.after)
					}
				},
				kernel.Default: p.unknown,
			})
			p.run()
			p.want(test.want)
			if got := strings.Join(tries, ", "); got != test.tries {
				t.Errorf("tried %s\nwant  %s", got, test.tries)
			}
			if most > 8 {
				t.Errorf("%d attempts went on at the same time", most)
			}
			for _, s := range listening {
				s.Close()
			}
		})
	}
}

// answering returns sockets that listen where the good addresses lead, in a world in which the
// others do what they should.
func answering(p *place) (listening []kernel.Socket) {
	p.Helper()
	mx := p.world.NewMachine() // 10.0.0.2 and fd00::2
	p.world.NewMachine()       // 10.0.0.3 and fd00::3
	p.world.BlackHole(netip.MustParsePrefix("192.0.2.0/24"))
	p.world.BlackHole(netip.MustParsePrefix("2001:db8::/32"))
	for _, network := range []string{"tcp4", "tcp6"} {
		s, err := mx.Socket(network)
		if err != nil {
			p.Fatal(err)
		}
		s.SetOption(kernel.V6Only, true)
		if err := errors.Join(s.Bind(&net.TCPAddr{Port: 25}), s.Listen(0)); err != nil {
			p.Fatal(err)
		}
		listening = append(listening, s)
	}
	return listening
}

// A runner is a Socket that tells when it connects, and when it is closed.
type runner struct {
	kernel.Socket
	began func(to net.Addr)
	ended func()
}

func (r *runner) Connect(to net.Addr) error {
	r.began(to)
	return r.Socket.Connect(to)
}

func (r *runner) Close() error {
	r.ended()
	return r.Socket.Close()
}

// Whenever a wheel with several attempts is closed, nothing comes of any of them.
func TestCloseWhileSeveralConnect(t *testing.T) {
	for _, after := range []time.Duration{0, 250 * time.Millisecond, 260 * time.Millisecond} {
		p := simulated(t, sim.Options{Latency: 10 * time.Millisecond})
		listening := answering(p)
		p.world.AddHost("host", netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("10.0.0.2"))
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				w := wheel.NewSocketFactory(e.Session, events(wheel.SocketFactoryOptions{
					RemoteAddress: "host", RemotePort: "25",
				}))
				e.Session.Delay("close", after, w)
			},
			"close": session.On(func(_ *kernel.Event, w *wheel.SocketFactory) { w.Close() }),
			"made":  p.said, "failed": p.said,
			kernel.Default: p.unknown,
		})
		p.run()
		p.want()
		for _, s := range listening {
			s.Close()
		}
	}
}

// Where there is no descriptor for another attempt, the one that there is goes on.
func TestAttemptsWithoutDescriptors(t *testing.T) {
	p, odd := oddly(t, sim.Options{Latency: time.Second})
	listening := answering(p)
	p.world.AddHost("host", netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.3"))
	sockets := 0
	odd.socket = func(network string) (kernel.Socket, error) {
		if sockets++; sockets > 1 {
			return nil, syscall.EMFILE
		}
		return p.world.Socket(network)
	}
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			wheel.NewSocketFactory(e.Session, events(wheel.SocketFactoryOptions{
				RemoteAddress: "host", RemotePort: "25",
			}))
		},
		"made": session.On(func(_ *kernel.Event, c *wheel.Connection) {
			p.note("made %v with %d sockets", c.Remote, sockets)
			c.Socket.Close()
		}),
		"failed": p.failed,
	})
	p.run()
	p.want("made 10.0.0.2:25 with 2 sockets")
	for _, s := range listening {
		s.Close()
	}
}

// ListenEvent tells the address, also where a name is looked up for it, before anybody is accepted.
func TestListenEvent(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "localhost"} {
		t.Run(host, func(t *testing.T) {
			everywhere(t, func(p *place) {
				var listener *wheel.SocketFactory
				p.create(session.Events{
					kernel.Start: func(e *kernel.Event) {
						opts := events(wheel.SocketFactoryOptions{Network: "tcp4", BindAddress: host})
						opts.ListenEvent = "listens"
						listener = wheel.NewSocketFactory(e.Session, opts)
						p.note("returned")
					},
					"listens": session.On(func(e *kernel.Event, l *wheel.Listening) {
						at := l.Addr.(*net.TCPAddr)
						p.note("listens %v %v %v", at.Port != 0, at.IP, l.Wheel == listener.ID())
						if got := portOf(p.T, listener); got != fmt.Sprint(at.Port) {
							p.Errorf("the wheel listens at port %s, and told %d", got, at.Port)
						}
						opts := events(wheel.SocketFactoryOptions{
							RemoteAddress: "127.0.0.1", RemotePort: fmt.Sprint(at.Port),
						})
						opts.SuccessEvent = "connected"
						wheel.NewSocketFactory(e.Session, opts)
					}),
					"connected": session.On(func(_ *kernel.Event, c *wheel.Connection) { c.Socket.Close() }),
					"made": session.On(func(_ *kernel.Event, c *wheel.Connection) {
						p.note("accepted")
						c.Socket.Close()
						listener.Close()
					}),
					"failed": p.failed,
				})
				p.run()
				p.want("returned", "listens true 127.0.0.1 true", "accepted")
			})
		})
	}
}

// A wheel that is closed by ListenEvent, or before it, accepts nobody.
func TestCloseInListenEvent(t *testing.T) {
	for _, early := range []bool{false, true} {
		p := simulated(t, sim.Options{})
		var w *wheel.SocketFactory
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				opts := events(wheel.SocketFactoryOptions{BindPort: "25"})
				opts.ListenEvent = "listens"
				w = wheel.NewSocketFactory(e.Session, opts)
				if early {
					w.Close()
				}
			},
			"listens": func(*kernel.Event) {
				p.note("listens")
				w.Close()
			},
			"made": p.said, "failed": p.said,
			kernel.Default: p.unknown,
		})
		p.run()
		if early {
			p.want()
		} else {
			p.want("listens")
		}
	}
}
