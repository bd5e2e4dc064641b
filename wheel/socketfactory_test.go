package wheel_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

func TestSocketFactoryOptions(t *testing.T) {
	p := simulated(t, sim.Options{})
	for _, test := range []struct {
		want string
		opts wheel.SocketFactoryOptions
	}{
		{`wheel: SocketFactoryOptions: unknown Network "icmp"`,
			wheel.SocketFactoryOptions{Network: "icmp"}},
		{"wheel: SocketFactoryOptions has no SuccessEvent or no FailureEvent",
			wheel.SocketFactoryOptions{SuccessEvent: "ok"}},
		{"wheel: SocketFactoryOptions has no SuccessEvent or no FailureEvent",
			wheel.SocketFactoryOptions{FailureEvent: "failed"}},
		{"wheel: SocketFactoryOptions has no RemotePort",
			events(wheel.SocketFactoryOptions{RemoteAddress: "127.0.0.1"})},
		{"wheel: SocketFactoryOptions has no RemoteAddress",
			events(wheel.SocketFactoryOptions{RemotePort: "25"})},
		{"wheel: SocketFactoryOptions has no BindAddress",
			events(wheel.SocketFactoryOptions{Network: "unix"})},
		{"wheel: SocketFactoryOptions has a port for a path",
			events(wheel.SocketFactoryOptions{
				Network: "unix", RemoteAddress: "x", RemotePort: "1",
			})},
		{"wheel: SocketFactoryOptions has a port for a path",
			events(wheel.SocketFactoryOptions{Network: "unix", BindAddress: "x", BindPort: "1"})},
		{"wheel: SocketFactoryOptions has a ListenEvent, and does not listen",
			events(wheel.SocketFactoryOptions{
				RemoteAddress: "127.0.0.1", RemotePort: "25", ListenEvent: "listens",
			})},
		{"wheel: SocketFactoryOptions has a ListenEvent, and does not listen",
			events(wheel.SocketFactoryOptions{Network: "udp", ListenEvent: "listens"})},
	} {
		wantPanic(t, test.want, func() { wheel.NewSocketFactory(p.k.Root(), test.opts) })
	}
}

// events returns options with the names of the two events.
func events(opts wheel.SocketFactoryOptions) wheel.SocketFactoryOptions {
	opts.SuccessEvent, opts.FailureEvent = "made", "failed"
	return opts
}

// portOf returns the port at which a wheel listens.
func portOf(t *testing.T, w *wheel.SocketFactory) string {
	t.Helper()
	addr, err := w.LocalAddr()
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// A wheel listens, another connects to it, and each end knows the other.
func TestConnect(t *testing.T) {
	everywhere(t, func(p *place) {
		var server, client kernel.Socket
		var port string
		meet := func() {
			if server == nil || client == nil {
				return
			}
			local, _ := client.LocalAddr()
			remote, _ := server.RemoteAddr()
			p.note("ends agree %v", local.String() == remote.String())
			server.Close()
			client.Close()
		}
		var listener *wheel.SocketFactory
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				listener = wheel.NewSocketFactory(e.Session, events(wheel.SocketFactoryOptions{
					BindAddress: "127.0.0.1", Reuse: true, ListenQueue: 5,
				}))
				port = portOf(p.T, listener)
			},
			"made": session.On(func(e *kernel.Event, c *wheel.Connection) {
				local, _ := c.Socket.LocalAddr()
				remote, err := c.Socket.RemoteAddr()
				p.note("accepted %v %v", c.Wheel == listener.ID(), e.Sender == e.Session)
				if got, want := local.String(), "127.0.0.1:"+port; got != want {
					p.Errorf("accepted at %s, want %s", got, want)
				}
				if err != nil || remote.String() != c.Remote.String() {
					p.Errorf("accepted from %v, want %v", remote, c.Remote)
				}
				server = c.Socket
				listener.Close()
				if _, err := listener.LocalAddr(); err != wheel.ErrClosed {
					p.Errorf("LocalAddr after Close: %v, want %v", err, wheel.ErrClosed)
				}
				meet()
			}),
			"failed": p.failed,
		})
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				w := wheel.NewSocketFactory(e.Session, events(wheel.SocketFactoryOptions{
					RemoteAddress: "127.0.0.1", RemotePort: port,
				}))
				p.note("constructor returned %v", w.ID() != 0)
			},
			"made": session.On(func(e *kernel.Event, c *wheel.Connection) {
				if got, want := c.Remote.String(), "127.0.0.1:"+port; got != want {
					p.Errorf("connected to %s, want %s", got, want)
				}
				client = c.Socket
				meet()
			}),
			"failed":       p.failed,
			kernel.Default: p.unknown,
		})
		p.run()
		p.want("constructor returned true", "accepted true true", "ends agree true")
	})
}

// What fails is told by an event, after the constructor has returned, and once.
func TestSocketFactoryFails(t *testing.T) {
	everywhere(t, func(p *place) {
		busy, err := p.k.Loop().Socket("tcp4")
		if err != nil {
			p.Fatal(err)
		}
		err = errors.Join(busy.Bind(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}), busy.Listen(1))
		if err != nil {
			p.Fatal(err)
		}
		p.open = 1
		addr, _ := busy.LocalAddr()
		taken := strconv.Itoa(addr.(*net.TCPAddr).Port)
		dir := p.TempDir()
		for _, test := range []struct {
			name  string
			opts  wheel.SocketFactoryOptions
			op    string
			errno syscall.Errno
		}{
			{"port in use", wheel.SocketFactoryOptions{BindAddress: "127.0.0.1", BindPort: taken},
				"bind", syscall.EADDRINUSE},
			{"refused", wheel.SocketFactoryOptions{RemoteAddress: "127.0.0.1", RemotePort: "1"},
				"connect", syscall.ECONNREFUSED},
			{"unknown service", wheel.SocketFactoryOptions{
				RemoteAddress: "127.0.0.1", RemotePort: "no-such-service",
			}, "getservbyname", syscall.EADDRNOTAVAIL},
			{"unknown service to bind", wheel.SocketFactoryOptions{BindPort: "no-such-service"},
				"getservbyname", syscall.EADDRNOTAVAIL},
			{"port too large", wheel.SocketFactoryOptions{
				RemoteAddress: "127.0.0.1", RemotePort: "65536",
			}, "getservbyname", syscall.EADDRNOTAVAIL},
			{"wrong version", wheel.SocketFactoryOptions{
				Network: "tcp6", RemoteAddress: "127.0.0.1", RemotePort: "1",
			}, "inet_aton", syscall.EADDRNOTAVAIL},
			{"no such path", wheel.SocketFactoryOptions{
				Network: "unix", RemoteAddress: filepath.Join(dir, "none"),
			}, "connect", syscall.ENOENT},
		} {
			p.create(session.Events{
				kernel.Start: func(e *kernel.Event) {
					w := wheel.NewSocketFactory(e.Session, events(test.opts))
					if _, err := w.LocalAddr(); err == nil && test.op != "connect" {
						p.Errorf("%s: the wheel has an address", test.name)
					}
					p.note("%s", test.name)
				},
				"made": p.said,
				"failed": session.On(func(e *kernel.Event, err *wheel.Error) {
					if err.Op != test.op || err.Errno() != test.errno {
						p.Errorf("%s: %s failed with %v, want %s with %v",
							test.name, err.Op, err.Err, test.op, test.errno)
					}
					if err.Text() != test.errno.Error() {
						p.Errorf("%s: text %q, want %q", test.name, err.Text(), test.errno.Error())
					}
					p.note("%s", test.name)
				}),
				kernel.Default: p.unknown,
			})
			p.run()
			p.want(test.name, test.name)
			p.lines = nil
		}
		busy.Close()
	})
}

// A name is looked up for either end, and the addresses are tried in their order until one takes.
func TestAddressesOfAName(t *testing.T) {
	addrs := func(texts ...string) (list []netip.Addr) {
		for _, text := range texts {
			list = append(list, netip.MustParseAddr(text))
		}
		return list
	}
	for _, test := range []struct {
		name string
		host []netip.Addr
		opts wheel.SocketFactoryOptions
		want string
	}{
		{"first takes", addrs("10.0.0.2", "10.0.0.3"), wheel.SocketFactoryOptions{},
			"made 10.0.0.2:25"},
		{"first refuses", addrs("10.0.0.3", "10.0.0.2"), wheel.SocketFactoryOptions{},
			"made 10.0.0.2:25"},
		{"first is silent", addrs("10.0.0.4", "10.0.0.2"), wheel.SocketFactoryOptions{},
			"made 10.0.0.2:25"},
		{"other version first", addrs("fd00::3", "10.0.0.2"), wheel.SocketFactoryOptions{},
			"made 10.0.0.2:25"},
		{"IPv6", addrs("10.0.0.3", "fd00::2"), wheel.SocketFactoryOptions{}, "made [fd00::2]:25"},
		{"only IPv6", addrs("10.0.0.2", "fd00::2"), wheel.SocketFactoryOptions{Network: "tcp6"},
			"made [fd00::2]:25"},
		{"only IPv4", addrs("fd00::2", "10.0.0.2"), wheel.SocketFactoryOptions{Network: "tcp4"},
			"made 10.0.0.2:25"},
		{"none of the version", addrs("10.0.0.2"), wheel.SocketFactoryOptions{Network: "tcp6"},
			"failed inet_aton: no address of the wanted kind"},
		{"service", addrs("10.0.0.2"), wheel.SocketFactoryOptions{RemotePort: "smtp"},
			"made 10.0.0.2:25"},
		{"own port, both versions", addrs("fd00::3", "10.0.0.2"),
			wheel.SocketFactoryOptions{BindPort: "999", Reuse: true}, "made 10.0.0.2:25"},
		{"own address of the other version", addrs("10.0.0.2"),
			wheel.SocketFactoryOptions{BindAddress: "fd00::1"}, "failed bind"},
		{"own name", addrs("10.0.0.2"), wheel.SocketFactoryOptions{BindAddress: "me"},
			"made 10.0.0.2:25"},
		{"own name unknown", addrs("10.0.0.2"), wheel.SocketFactoryOptions{BindAddress: "whoever"},
			"failed inet_aton: lookup whoever: no such host"},
		{"all refuse", addrs("10.0.0.3", "fd00::3"), wheel.SocketFactoryOptions{},
			"failed connect: connection refused"},
		{"unknown", nil, wheel.SocketFactoryOptions{},
			"failed inet_aton: lookup host: no such host"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, odd := oddly(t, sim.Options{WorkTime: tick, ConnectTimeout: time.Minute})
			mx := p.world.NewMachine() // 10.0.0.2 and fd00::2
			p.world.NewMachine()       // 10.0.0.3 and fd00::3
			p.world.AddHost("host", test.host...)
			p.world.AddHost("me", addrs("10.0.0.1", "fd00::1")...)
			p.world.BlackHole(netip.MustParsePrefix("10.0.0.4/32"))
			var accepting []kernel.Socket
			for network, ip := range map[string]net.IP{"tcp4": net.IPv4zero, "tcp6": net.IPv6zero} {
				s, err := mx.Socket(network)
				if err != nil {
					t.Fatal(err)
				}
				s.SetOption(kernel.V6Only, true)
				err = errors.Join(s.Bind(&net.TCPAddr{IP: ip, Port: 25}), s.Listen(0))
				if err != nil {
					t.Fatal(err)
				}
				accepting = append(accepting, s)
			}
			open := 0
			odd.socket = func(network string) (kernel.Socket, error) {
				open++
				return p.world.Socket(network)
			}
			opts := events(test.opts)
			opts.RemoteAddress = "host"
			if opts.RemotePort == "" {
				opts.RemotePort = "25"
			}
			p.create(session.Events{
				kernel.Start: func(e *kernel.Event) { wheel.NewSocketFactory(e.Session, opts) },
				"made": session.On(func(e *kernel.Event, c *wheel.Connection) {
					p.note("made %v", c.Remote)
					local, _ := c.Socket.LocalAddr()
					if got := local.(*net.TCPAddr).Port; opts.BindPort != "" && got != 999 {
						t.Errorf("the connection comes from port %d, want 999", got)
					}
					c.Socket.Close()
				}),
				"failed": session.On(func(e *kernel.Event, err *wheel.Error) {
					text := err.Err.Error()
					if n := err.Errno(); n == syscall.ECONNREFUSED {
						text = n.Error()
					}
					if err.Op == "bind" {
						p.note("failed bind")
						return
					}
					p.note("failed %s: %s", err.Op, text)
				}),
				kernel.Default: p.unknown,
			})
			p.run()
			p.want(test.want)
			for _, s := range accepting {
				s.Close()
			}
			if open > len(test.host) {
				t.Errorf("%d sockets were opened for %d addresses", open, len(test.host))
			}
		})
	}
}

// Each operation that can fail says that it did, and leaves nothing open.
func TestSocketFails(t *testing.T) {
	listens := wheel.SocketFactoryOptions{BindAddress: "10.0.0.1", Reuse: true}
	connects := wheel.SocketFactoryOptions{RemoteAddress: "10.0.0.1", RemotePort: "25"}
	tells := listens
	tells.ListenEvent = "listens"
	for _, test := range []struct {
		opts   wheel.SocketFactoryOptions
		method string
		op     string
	}{
		{listens, "Socket", "socket"},
		{connects, "Socket", "socket"},
		{listens, "SetOption", "setsockopt"},
		{listens, "Bind", "bind"},
		{listens, "Listen", "listen"},
		{tells, "LocalAddr", "getsockname"},
		{connects, "Connect", "connect"},
		{connects, "ConnectError", "connect"},
		{connects, "RemoteAddr", "getpeername"},
	} {
		t.Run(test.method, func(t *testing.T) {
			p, odd := oddly(t, sim.Options{})
			l, _ := p.world.Socket("tcp4")
			if err := errors.Join(l.Bind(&net.TCPAddr{Port: 25}), l.Listen(0)); err != nil {
				t.Fatal(err)
			}
			odd.socket = func(network string) (kernel.Socket, error) {
				if test.method == "Socket" {
					return nil, syscall.EMFILE
				}
				s, err := p.world.Socket(network)
				odd := &socket{Socket: s, fails: map[string]error{test.method: syscall.EIO}}
				if test.method == "ConnectError" {
					odd.outcomes = []error{kernel.ErrAgain, kernel.ErrAgain, syscall.EIO}
				}
				return odd, err
			}
			p.create(session.Events{
				kernel.Start: func(e *kernel.Event) {
					wheel.NewSocketFactory(e.Session, events(test.opts))
					p.note("returned")
				},
				"made": p.said,
				"failed": session.On(func(e *kernel.Event, err *wheel.Error) {
					p.note("failed %s", err.Op)
				}),
				"over": p.said,
			})
			if err := p.k.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			l.Close()
			p.wantFree()
			p.want("returned", "failed "+test.op)
		})
	}
}

// A connect that is known at once is told no earlier than any other.
func TestConnectAtOnce(t *testing.T) {
	p, odd := oddly(t, sim.Options{})
	odd.socket = func(network string) (kernel.Socket, error) {
		s, err := p.world.Socket(network)
		return &socket{
			Socket: s, outcomes: []error{nil},
			fails: map[string]error{"Connect": nil, "RemoteAddr": syscall.ENOTCONN},
		}, err
	}
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			wheel.NewSocketFactory(e.Session, events(wheel.SocketFactoryOptions{
				RemoteAddress: "10.0.0.1", RemotePort: "25",
			}))
			p.note("returned")
		},
		"failed": p.failed,
	})
	p.run()
	p.want("returned", "failed getpeername: transport endpoint is not connected")
}

// A connect that nobody answers ends when the system gives up, or when the wheel is closed.
func TestConnectToNobody(t *testing.T) {
	p := simulated(t, sim.Options{ConnectTimeout: 2 * time.Minute})
	p.world.BlackHole(netip.MustParsePrefix("192.0.2.0/24"))
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			wheel.NewSocketFactory(e.Session, events(wheel.SocketFactoryOptions{
				RemoteAddress: "192.0.2.1", RemotePort: "25",
			}))
		},
		"failed": session.On(func(e *kernel.Event, err *wheel.Error) {
			p.note("%s %v after %v", err.Op, err.Errno() == syscall.ETIMEDOUT, p.world.Elapsed())
		}),
	})
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w := wheel.NewSocketFactory(e.Session, events(wheel.SocketFactoryOptions{
				RemoteAddress: "192.0.2.1", RemotePort: "25",
			}))
			e.Session.Delay("close", time.Second, w)
		},
		"close": session.On(func(e *kernel.Event, w *wheel.SocketFactory) {
			w.Close()
			w.Close()
		}),
		"made": p.said, "failed": p.said,
		kernel.Default: p.unknown,
		kernel.Stop:    func(*kernel.Event) { p.note("closed after %v", p.world.Elapsed()) },
	})
	p.run()
	p.want("closed after 1s", "connect true after 2m0s")
}

// Whenever a wheel is closed, nothing comes of it any more.
func TestCloseSocketFactory(t *testing.T) {
	for name, opts := range map[string]wheel.SocketFactoryOptions{
		"while a name is looked up": {RemoteAddress: "host", RemotePort: "25"},
		"while both are looked up":  {RemoteAddress: "host", RemotePort: "25", BindAddress: "host"},
		"before it is refused":      {RemoteAddress: "10.0.0.1", RemotePort: "1"},
		"before it is connected":    {RemoteAddress: "10.0.0.1", RemotePort: "25"},
		"before datagrams":          {Network: "udp"},
		"while it listens":          {BindPort: "26"},
		"wrong port":                {BindPort: "70000"},
	} {
		t.Run(name, func(t *testing.T) {
			p := simulated(t, sim.Options{WorkTime: time.Second})
			p.world.AddHost("host", netip.MustParseAddr("10.0.0.1"))
			l, _ := p.world.Socket("tcp4")
			if err := errors.Join(l.Bind(&net.TCPAddr{Port: 25}), l.Listen(0)); err != nil {
				t.Fatal(err)
			}
			p.create(session.Events{
				kernel.Start: func(e *kernel.Event) {
					w := wheel.NewSocketFactory(e.Session, events(opts))
					w.PauseAccept()
					w.ResumeAccept()
					w.Close()
					w.PauseAccept()
					w.ResumeAccept()
				},
				"made": p.said, "failed": p.said,
				kernel.Default: p.unknown,
				kernel.Stop:    func(*kernel.Event) { l.Close() },
			})
			p.run()
			p.want()
		})
	}
}

// A lookup that nobody waits for any more is given up, and does not keep the session alive.
func TestCloseGivesLookupUp(t *testing.T) {
	asked := make(chan string, 1)
	p := newPlace(t, slowResolver{kernel.NewLoop(), asked})
	var w *wheel.SocketFactory
	var door *kernel.Door
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = wheel.NewSocketFactory(e.Session, events(wheel.SocketFactoryOptions{
				RemoteAddress: "host", RemotePort: "25",
			}))
			door = e.Session.Door()
			go func() {
				<-asked
				door.Post("asked")
			}()
		},
		"asked": func(*kernel.Event) {
			w.Close()
			door.Close()
		},
		"made": p.said, "failed": p.said,
		kernel.Default: p.unknown,
	})
	p.run()
	p.want()
}

// A loop that panics while it looks a name up has not found it.
func TestResolverPanics(t *testing.T) {
	p := newPlace(t, panicking{kernel.NewLoop()})
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			wheel.NewSocketFactory(e.Session, events(wheel.SocketFactoryOptions{
				RemoteAddress: "host", RemotePort: "25",
			}))
		},
		"failed": session.On(func(_ *kernel.Event, err *wheel.Error) {
			p.note("%s %v", err.Op, err.Errno() == syscall.EADDRNOTAVAIL)
		}),
	})
	p.run()
	p.want("inet_aton true")
}

// A panicking is a loop whose lookups panic.
type panicking struct{ kernel.Loop }

func (panicking) Resolve(context.Context, string) ([]netip.Addr, error) { panic("as ordered") }

// A slowResolver is a loop that looks a name up for ever.
type slowResolver struct {
	kernel.Loop
	asked chan string
}

func (l slowResolver) Resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	l.asked <- host
	<-ctx.Done()
	return nil, ctx.Err()
}

// A wheel for a session that has ended does nothing.
func TestSocketFactoryForEndedSession(t *testing.T) {
	p := simulated(t, sim.Options{})
	ended := p.create(session.Events{})
	p.run()
	for _, opts := range []wheel.SocketFactoryOptions{
		{Network: "udp"}, {BindPort: "25"}, {RemoteAddress: "localhost", RemotePort: "25"},
	} {
		w := wheel.NewSocketFactory(ended, events(opts))
		if _, err := w.LocalAddr(); err != wheel.ErrClosed {
			t.Errorf("LocalAddr: %v, want %v", err, wheel.ErrClosed)
		}
		w.Close()
	}
	p.wantFree()
}

func TestUnixSocket(t *testing.T) {
	everywhere(t, func(p *place) {
		path := filepath.Join(p.TempDir(), "sock")
		opts := wheel.SocketFactoryOptions{Network: "unix"}
		var listener *wheel.SocketFactory
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				opts := events(opts)
				opts.BindAddress = path
				listener = wheel.NewSocketFactory(e.Session, opts)
				e.Session.Yield("connect")
			},
			"connect": func(e *kernel.Event) {
				opts := events(opts)
				opts.RemoteAddress, opts.SuccessEvent = path, "connected"
				wheel.NewSocketFactory(e.Session, opts)
			},
			"connected": session.On(func(e *kernel.Event, c *wheel.Connection) {
				p.note("connected to path %v", c.Remote.(*net.UnixAddr).Name == path)
				c.Socket.Close()
			}),
			"made": session.On(func(e *kernel.Event, c *wheel.Connection) {
				p.note("accepted from %q", c.Remote.(*net.UnixAddr).Name)
				c.Socket.Close()
				listener.Close()
			}),
			"failed": p.failed,
		})
		p.run()
		if len(p.lines) == 2 && p.lines[0] > p.lines[1] {
			p.lines[0], p.lines[1] = p.lines[1], p.lines[0] // either end may be first
		}
		p.want(`accepted from ""`, "connected to path true")
	})
}

// A socket for datagrams is handed over at once, but not within the constructor.
func TestDatagrams(t *testing.T) {
	everywhere(t, func(p *place) {
		var server kernel.Socket
		buf := make([]byte, 100)
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				wheel.NewSocketFactory(e.Session, events(wheel.SocketFactoryOptions{
					Network: "udp4", BindAddress: "127.0.0.1",
				}))
				p.note("returned")
			},
			"made": session.On(func(e *kernel.Event, c *wheel.Connection) {
				p.note("bound, remote %v", c.Remote)
				server = c.Socket
				e.Session.SelectRead(server, "datagram")
				addr, _ := server.LocalAddr()
				opts := events(wheel.SocketFactoryOptions{
					Network: "udp", RemoteAddress: "127.0.0.1",
					RemotePort: strconv.Itoa(addr.(*net.UDPAddr).Port),
				})
				opts.SuccessEvent = "connected"
				wheel.NewSocketFactory(e.Session, opts)
			}),
			"connected": session.On(func(e *kernel.Event, c *wheel.Connection) {
				p.note("connected, remote %T", c.Remote)
				fmt.Fprint(c.Socket, "hello")
				c.Socket.Close()
			}),
			"datagram": func(e *kernel.Event) {
				n, _, err := server.ReadFrom(buf)
				p.note("datagram %q %v", buf[:n], err)
				e.Session.SelectRead(server, "")
				server.Close()
			},
			"failed": p.failed,
		})
		p.run()
		p.want("returned", "bound, remote <nil>", "connected, remote *net.UDPAddr",
			`datagram "hello" <nil>`)
	})
}

// A connection for which the owner has no handler is closed.
func TestConnectionNobodyTakes(t *testing.T) {
	p := simulated(t, sim.Options{})
	var listener *wheel.SocketFactory
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			opts := events(wheel.SocketFactoryOptions{BindPort: "25"})
			opts.SuccessEvent = "nobody_home"
			listener = wheel.NewSocketFactory(e.Session, opts)
			opts = events(wheel.SocketFactoryOptions{RemoteAddress: "127.0.0.1", RemotePort: "25"})
			wheel.NewSocketFactory(e.Session, opts)
		},
		"made": session.On(func(e *kernel.Event, c *wheel.Connection) {
			e.Session.Delay("look", tick, c)
		}),
		"look": session.On(func(e *kernel.Event, c *wheel.Connection) {
			p.note("read %q", p.read(c.Socket))
			c.Socket.Close()
			listener.Close()
		}),
		"failed": p.failed,
	})
	p.run()
	p.want(`read "EOF"`)
}

// Whatever the world does to connections, each attempt has one outcome, and nothing is left open.
func TestConnectSurvivesFaults(t *testing.T) {
	const attempts = 20
	for seed := range uint64(50) {
		p := simulated(t, sim.Options{
			Seed: seed, Latency: tick, Jitter: tick, WorkTime: tick,
			Faults: sim.Faults{
				Again: 0.3, Spurious: 0.3, Shuffle: true, Refuse: 0.2, SlowAccept: tick, Reset: 0.2,
				Descriptors: float64(seed%2) / 10,
			},
		})
		var listener *wheel.SocketFactory
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				opts := events(wheel.SocketFactoryOptions{BindPort: "25"})
				opts.FailureEvent = "cannot"
				listener = wheel.NewSocketFactory(e.Session, opts)
			},
			"made": session.On(func(e *kernel.Event, c *wheel.Connection) { c.Socket.Close() }),
			"cannot": session.On(func(e *kernel.Event, err *wheel.Error) {
				if err.Errno() != syscall.EMFILE {
					t.Errorf("%s failed with %v", err.Op, err.Err)
				}
			}),
		})
		left := attempts
		outcomes := map[wheel.ID]int{}
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				for range attempts {
					w := wheel.NewSocketFactory(e.Session, events(wheel.SocketFactoryOptions{
						RemoteAddress: "localhost", RemotePort: "25",
					}))
					outcomes[w.ID()] = 0
				}
			},
			"made": session.On(func(e *kernel.Event, c *wheel.Connection) {
				outcomes[c.Wheel]++
				c.Socket.Close()
				e.Session.Yield("done")
			}),
			"failed": session.On(func(e *kernel.Event, err *wheel.Error) {
				outcomes[err.Wheel]++
				e.Session.Yield("done")
			}),
			"done": func(*kernel.Event) {
				if left--; left == 0 {
					listener.Close()
				}
			},
			kernel.Default: p.unknown,
		})
		if err := p.k.Run(t.Context()); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if seed%2 == 0 {
			p.wantFree()
		}
		for id, n := range outcomes {
			if n != 1 {
				t.Errorf("seed %d: wheel %d has %d outcomes", seed, id, n)
			}
		}
		p.want()
	}
}
