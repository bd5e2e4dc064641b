package tcp_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-poe/poe/component/tcp"
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// Whatever ends a connection, the wheel is closed when Disconnected comes, it comes once, and not
// from within a method that the program calls.
func TestDisconnectedComesLastAndOnce(t *testing.T) {
	tests := []struct {
		name string
		end  func(p *place, c *tcp.Conn, far kernel.Handle)
		want []string
	}{
		{"the peer closes", func(_ *place, _ *tcp.Conn, far kernel.Handle) { far.Close() },
			[]string{"server: error read EOF"}},
		{"the peer half-closes", func(_ *place, _ *tcp.Conn, far kernel.Handle) { far.CloseWrite() },
			[]string{"server: error read EOF"}},
		{"the connection is reset", func(p *place, _ *tcp.Conn, far kernel.Handle) { p.world.Reset(far) },
			[]string{"server: error read connection reset by peer"}},
		{"Shutdown", func(_ *place, c *tcp.Conn, _ kernel.Handle) { c.Shutdown(); c.Shutdown() }, nil},
		{"Close", func(_ *place, c *tcp.Conn, _ kernel.Handle) { c.Close(); c.Close() }, nil},
		{"Shutdown and Close", func(_ *place, c *tcp.Conn, _ kernel.Handle) {
			c.PutString("lost")
			c.Shutdown()
			c.Close()
		}, nil},
		{"the event", func(p *place, c *tcp.Conn, _ kernel.Handle) {
			p.k.Post(c.Session, "shutdown")
		}, nil},
		{"the wheel is closed", func(_ *place, c *tcp.Conn, _ kernel.Handle) { c.Wheel().Close() }, nil},
		{"Stop of the kernel", func(p *place, _ *tcp.Conn, _ kernel.Handle) { p.k.Stop() }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlace(t)
			var c *tcp.Conn
			within := false
			s := p.server(tcp.ServerOptions{
				ClientConnected: func(conn *tcp.Conn) { c = conn },
				ClientDisconnected: func(c *tcp.Conn) {
					if within {
						p.Error("Disconnected comes from within a method")
					}
					p.note("server: disconnected %v", c.PutString("too late"))
					if _, err := c.LocalAddr(); c.Connected() || !errors.Is(err, net.ErrClosed) {
						p.Errorf("connected %v, local address %v", c.Connected(), err)
					}
				},
			})
			far := p.dial(s)
			p.step(func() {
				within = !strings.HasPrefix(tt.name, "Stop")
				tt.end(p, c, far)
				within = false
			})
			p.step(func() {
				s.Shutdown()
				s.Shutdown()
			})
			p.run()
			p.want(append(tt.want, "server: disconnected wheel: closed", "server: stopped")...)
			if s.Connections() != 0 {
				p.Errorf("%d connections are left", s.Connections())
			}
		})
	}
}

// A session that is stopped in the middle of everything takes the connection with it.
func TestEndOfTheSession(t *testing.T) {
	p := newPlace(t)
	s := p.server(tcp.ServerOptions{
		ClientConnected: func(c *tcp.Conn) { c.Session.End() },
	})
	far := p.dial(s)
	p.step(func() { p.note("the far end reads %s", p.read(far)) })
	p.step(s.Shutdown)
	p.run()
	p.want("server: disconnected", "the far end reads EOF", "server: stopped")
}

// A peer that says that no more will come still gets what was put. In POE it is dropped.
func TestEndOfInputFlushes(t *testing.T) {
	p := newPlace(t)
	const size = 1 << 20
	s := p.server(tcp.ServerOptions{
		ClientFilter: filter.NewStream(filter.StreamOptions{}),
		ClientInput: func(c *tcp.Conn, in *wheel.Input) {
			c.PutString(strings.Repeat("x", size))
		},
	})
	far := p.dial(s)
	p.step(func() {
		p.write(far, "?")
		far.CloseWrite()
	})
	total := 0
	for range 2 * size / (64 << 10) {
		p.step(func() { total += len(strings.TrimSuffix(p.read(far), "EOF")) })
	}
	p.step(s.Shutdown)
	p.run()
	p.want("server: connected", "server: error read EOF", "server: disconnected", "server: stopped")
	if total != size {
		p.Errorf("read %d bytes of %d", total, size)
	}
}

// With KeepOnError, a server may answer when it knows all of the input.
func TestAnswerAfterTheEnd(t *testing.T) {
	p := newPlace(t)
	s := p.server(tcp.ServerOptions{
		KeepOnError:     true,
		ClientConnected: func(c *tcp.Conn) { c.Heap = new(int) },
		ClientInput:     func(c *tcp.Conn, _ *wheel.Input) { *c.Heap.(*int)++ },
		ClientError: func(c *tcp.Conn, err *wheel.Error) {
			c.Session.Delay("answer", time.Second)
		},
		ClientEvents: session.Events{"answer": func(e *kernel.Event) {
			c := tcp.ConnOf(e)
			c.PutString(fmt.Sprintf("%d lines", *c.Heap.(*int)))
			c.Shutdown()
		}},
	})
	far := p.dial(s)
	p.step(func() {
		p.write(far, "a\nb\nc\n")
		far.CloseWrite()
	})
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Delay("read", 2*time.Second) },
		"read": func(*kernel.Event) {
			p.note("the far end reads %q", p.read(far))
			s.Shutdown()
		},
	})
	p.run()
	p.want("server: disconnected", `the far end reads "3 lines\r\nEOF"`, "server: stopped")
}

// After Shutdown, nothing of the same block comes any more. In POE, the rest of it does.
func TestShutdownEndsInput(t *testing.T) {
	p := newPlace(t)
	s := p.server(tcp.ServerOptions{
		ClientInput: func(c *tcp.Conn, in *wheel.Input) {
			p.note("input %s", in.Bytes)
			c.PutString("bye")
			c.Shutdown()
			p.note("put: %v", c.PutString("and again"))
		},
		ClientFlushed: func(*tcp.Conn) { p.note("flushed") },
	})
	far := p.dial(s)
	p.step(func() { p.write(far, "quit\nand more\n") })
	p.step(func() { p.note("the far end reads %q", p.read(far)) })
	p.step(s.Shutdown)
	p.run()
	p.want("server: connected", "input quit", "put: wheel: closed", "flushed", "server: disconnected",
		`the far end reads "bye\r\nEOF"`, "server: stopped")
}

// A peer that reads nothing of what is left is given up; one that reads slowly is not.
func TestFlushTimeout(t *testing.T) {
	for _, reads := range []bool{false, true} {
		t.Run(fmt.Sprintf("reads %v", reads), func(t *testing.T) {
			p := newPlace(t)
			s := p.server(tcp.ServerOptions{
				FlushTimeout: 10 * time.Second,
				ClientFilter: filter.NewStream(filter.StreamOptions{}),
				ClientConnected: func(c *tcp.Conn) {
					c.PutString(strings.Repeat("x", 1<<20))
					c.Shutdown()
				},
				ClientDisconnected: func(*tcp.Conn) { p.note("disconnected") },
			})
			far := p.dial(s)
			total := 0
			p.k.Create(session.Events{
				kernel.Start: func(e *kernel.Event) { e.Session.Delay("later", 9*time.Second) },
				"later": func(e *kernel.Event) {
					if reads {
						total += len(strings.TrimSuffix(p.read(far), "EOF"))
					}
					if len(p.lines) == 0 {
						e.Session.Delay("later", 9*time.Second)
						return
					}
					total += len(strings.TrimSuffix(p.read(far), "EOF"))
					s.Shutdown()
				},
			})
			p.run()
			if reads {
				p.want("disconnected", "server: stopped")
				if total != 1<<20 {
					p.Errorf("read %d bytes", total)
				}
				return
			}
			p.want("server: error write connection timed out", "disconnected", "server: stopped")
			if elapsed := p.world.Elapsed(); elapsed > 30*time.Second {
				p.Errorf("it took %v", elapsed)
			}
		})
	}
}

// Only so many clients are served at the same time, and who leaves makes room for the next.
func TestConcurrency(t *testing.T) {
	p := newPlace(t)
	most := 0
	var s *tcp.Server
	s = p.server(tcp.ServerOptions{
		Concurrency:     2,
		ClientConnected: func(*tcp.Conn) { most = max(most, s.Connections()) },
		ClientInput: func(c *tcp.Conn, in *wheel.Input) {
			p.note("%s", in.Bytes)
			c.Shutdown()
		},
		ClientDisconnected: func(*tcp.Conn) {},
	})
	for i := range 6 {
		far := p.dial(s)
		p.step(func() { p.write(far, fmt.Sprintf("%d\n", i)) })
	}
	p.step(s.Shutdown)
	p.run()
	p.want("0", "1", "2", "3", "4", "5", "server: stopped")
	if most != 2 {
		p.Errorf("there were %d clients at the same time, want 2", most)
	}
}

// A limit that is lifted lifts the wait at once, also by the event, and also by 0, after which POE
// accepts nobody.
func TestConcurrencyIsLifted(t *testing.T) {
	for _, n := range []int{-1, 0, 3} {
		p := newPlace(t)
		s := p.server(tcp.ServerOptions{Alias: "server", Concurrency: 1})
		for range 3 {
			p.dial(s)
		}
		p.step(func() { p.note("%d", s.Connections()) })
		p.step(func() { p.k.Post(kernel.Alias("server"), "set_concurrency", n) })
		p.step(func() { p.note("%d", s.Connections()) })
		p.step(p.k.Stop)
		p.run()
		p.want("server: connected", "1", "server: connected", "server: connected", "3",
			"server: disconnected", "server: disconnected", "server: disconnected", "server: stopped")
	}
}

func TestPauseAccept(t *testing.T) {
	p := newPlace(t)
	s := p.server(tcp.ServerOptions{Concurrency: 1})
	s.PauseAccept()
	p.dial(s)
	p.dial(s)
	p.step(func() { p.note("paused") })
	p.step(s.ResumeAccept)
	p.step(func() { p.note("%d", s.Connections()) })
	p.step(p.k.Stop)
	p.run()
	p.want("paused", "server: connected", "1", "server: disconnected", "server: stopped")
}

// Acceptor takes the connections, and says when one is gone.
func TestAcceptor(t *testing.T) {
	p := newPlace(t)
	var taken []kernel.Socket
	s := p.server(tcp.ServerOptions{
		Alias:       "server",
		Concurrency: 1,
		Acceptor: func(s *tcp.Server, made *wheel.Connection) {
			taken = append(taken, made.Socket)
			p.open = append(p.open, made.Socket)
			p.note("accepted %d", s.Connections())
		},
	})
	p.dial(s)
	p.dial(s)
	p.step(func() { p.k.Post(kernel.Alias("server"), "disconnected") })
	p.step(func() {
		for range 3 {
			s.Disconnected()
		}
		p.note("left %d", s.Connections())
		s.Shutdown()
	})
	p.run()
	p.want("accepted 1", "accepted 1", "left 0", "server: stopped")
}

// The server closes a listening socket that it was given.
func TestListener(t *testing.T) {
	p := newPlace(t)
	l, err := p.world.Socket("tcp4")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Bind(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}), l.Listen(0)); err != nil {
		t.Fatal(err)
	}
	s := p.server(tcp.ServerOptions{Listener: l})
	far := p.dial(s)
	p.step(func() { p.write(far, "hello\n") })
	p.step(func() { far.Close() })
	p.step(s.Shutdown)
	p.step(func() {
		if _, err := s.Addr(); err != wheel.ErrClosed || l.FD() != -1 {
			p.Errorf("the listener is open: %v", err)
		}
	})
	p.run()
	p.want("server: connected", `server: input "hello"`, "server: error read EOF",
		"server: disconnected", "server: stopped")
}

func TestAddresses(t *testing.T) {
	tests := []struct {
		opts   tcp.ServerOptions
		ip     string
		remote string
	}{
		{tcp.ServerOptions{}, "127.0.0.1", "*net.TCPAddr"},
		{tcp.ServerOptions{Address: "::1"}, "::1", "*net.TCPAddr"},
		{tcp.ServerOptions{Network: "unix", Address: "/run/test"}, "invalid IP", "*net.UnixAddr"},
	}
	for _, tt := range tests {
		p := newPlace(t)
		tt.opts.ClientConnected = func(c *tcp.Conn) {
			p.note("%v %T", c.RemoteAddrPort().Addr(), c.RemoteAddr())
			if c.RemoteAddrPort().IsValid() != (c.RemoteAddrPort().Port() > 0) {
				p.Errorf("the other end is %v", c.RemoteAddrPort())
			}
			if _, err := c.LocalAddr(); err != nil {
				p.Error(err)
			}
		}
		tt.opts.ClientError = func(*tcp.Conn, *wheel.Error) {}
		s := p.server(tt.opts)
		far := p.dial(s)
		p.step(func() { far.Close() })
		p.step(s.Shutdown)
		p.run()
		p.want(tt.ip+" "+tt.remote, "server: disconnected", "server: stopped")
	}
}

// Each client has a filter of its own, and so a line of its own that is not whole yet.
func TestFiltersAreCloned(t *testing.T) {
	p := newPlace(t)
	s := p.server(tcp.ServerOptions{
		ClientInputFilter:  filter.NewLine(filter.LineOptions{Literal: "!"}),
		ClientOutputFilter: filter.NewLine(filter.LineOptions{Literal: "?"}),
		ClientInput: func(c *tcp.Conn, in *wheel.Input) {
			p.note("%s", in.Bytes)
			c.Put(in.Bytes)
			c.Shutdown()
		},
	})
	one, two := p.dial(s), p.dial(s)
	p.step(func() { p.write(one, "on") })
	p.step(func() { p.write(two, "two!") })
	p.step(func() { p.write(one, "e!") })
	p.step(func() { p.note("%s %s", p.read(one), p.read(two)) })
	p.step(s.Shutdown)
	p.run()
	p.want("server: connected", "server: connected", "two", "server: disconnected", "one",
		"server: disconnected", "one?EOF two?EOF", "server: stopped")
}

// Marks stop whoever puts too much.
func TestMarks(t *testing.T) {
	p := newPlace(t)
	s := p.server(tcp.ServerOptions{
		ClientFilter: filter.NewStream(filter.StreamOptions{}),
		HighMark:     100_000, LowMark: 1000,
		ClientConnected: func(c *tcp.Conn) { c.PutString(strings.Repeat("x", 200_000)) },
		ClientHigh:      func(c *tcp.Conn) { c.PauseInput(); p.note("high") },
		ClientLow:       func(c *tcp.Conn) { c.ResumeInput(); p.note("low") },
		ClientError:     func(*tcp.Conn, *wheel.Error) {},
	})
	far := p.dial(s)
	p.step(func() { p.write(far, "waits") })
	p.step(func() { p.note("not read yet") })
	for range 5 {
		p.step(func() { p.read(far) })
	}
	p.step(func() { far.Close() })
	p.step(s.Shutdown)
	p.run()
	p.want("high", "not read yet", "low", `server: input "waits"`, "server: disconnected",
		"server: stopped")
}

// PreConnect may refuse a client, of whom nothing more is heard, or have another handle used.
func TestClientPreConnect(t *testing.T) {
	p := newPlace(t)
	n := 0
	s := p.server(tcp.ServerOptions{
		Concurrency: 1,
		ClientPreConnect: func(c *tcp.Conn, s kernel.Socket) kernel.Handle {
			if n++; n == 1 {
				p.note("refused %v", c.RemoteAddrPort().Addr())
				return nil
			}
			return shouting{s}
		},
		ClientInput: func(c *tcp.Conn, in *wheel.Input) { c.Put(in.Bytes) },
	})
	first, second := p.dial(s), p.dial(s)
	p.step(func() { p.note("first reads %s", p.read(first)) })
	p.step(func() { p.write(second, "hello\n") })
	p.step(func() { p.note("second reads %q", p.read(second)) })
	p.step(func() { second.Close() })
	p.step(s.Shutdown)
	p.run()
	p.want("refused 127.0.0.1", "server: connected", "first reads EOF", `second reads "HELLO\r\n"`,
		"server: error read EOF", "server: disconnected", "server: stopped")
}

// A client that is shut down from within ClientPreConnect is refused, whatever that returns.
func TestShutdownInClientPreConnect(t *testing.T) {
	tests := []struct {
		name string
		end  func(c *tcp.Conn)
	}{
		{"Shutdown", (*tcp.Conn).Shutdown},
		{"Close", (*tcp.Conn).Close},
		{"End of the session", func(c *tcp.Conn) { c.Session.End() }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlace(t)
			s := p.server(tcp.ServerOptions{
				ClientPreConnect: func(c *tcp.Conn, s kernel.Socket) kernel.Handle {
					tt.end(c)
					return s
				},
			})
			far := p.dial(s)
			p.step(func() { p.note("%d connections, %s", s.Connections(), p.read(far)) })
			p.step(s.Shutdown)
			p.run()
			p.want("0 connections, EOF", "server: stopped")
		})
	}
}

// shouting is a handle over another one.
type shouting struct{ kernel.Handle }

func (s shouting) Write(p []byte) (int, error) {
	return s.Handle.Write([]byte(strings.ToUpper(string(p))))
}

// Where nobody listens for errors, the log takes them, but not the usual ends of connections.
func TestUnheardErrors(t *testing.T) {
	p := newPlace(t)
	s, err := tcp.SpawnServer(p.k.Root(), tcp.ServerOptions{
		ClientFilter: filter.NewLine(filter.LineOptions{MaxLength: 4}),
		ClientInput:  func(*tcp.Conn, *wheel.Input) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	ends, resets, talks := p.dial(s), p.dial(s), p.dial(s)
	p.step(func() { ends.Close() })
	p.step(func() { p.world.Reset(resets) })
	p.step(func() { p.write(talks, "too long\n") })
	p.step(func() { p.note("%d", s.Connections()) })
	p.step(s.Shutdown)
	p.run("tcp: the connection failed")
	p.want("0")
}

// Who cannot listen says so later, and is gone then, with the alias.
func TestCannotListen(t *testing.T) {
	p := newPlace(t)
	first := p.server(tcp.ServerOptions{})
	opts := tcp.ServerOptions{
		Alias: "second", Port: p.at(first),
		Error: func(s *tcp.Server, err *wheel.Error) { p.note("error %v", what(err)) },
	}
	p.server(opts)
	p.step(func() {
		_, err := p.k.AliasResolve(kernel.Alias("second"))
		p.note("alias: %v", errors.Is(err, kernel.ErrNoSession))
	})
	p.step(func() {
		opts.Error = nil
		p.server(opts)
	})
	p.step(first.Shutdown)
	p.run("tcp: the server failed")
	p.want("error bind address already in use", "server: stopped", "alias: true", "server: stopped",
		"server: stopped")
}

// Without descriptors, the server says so once, and goes on when there are some.
func TestNoDescriptors(t *testing.T) {
	p := newPlace(t)
	s := p.server(tcp.ServerOptions{
		Error: func(_ *tcp.Server, err *wheel.Error) { p.note("error %v", what(err)) },
	})
	p.dial(s)
	var hoard []kernel.Socket
	for {
		h, err := p.world.Socket("udp4")
		if err != nil {
			break
		}
		hoard = append(hoard, h)
	}
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Delay("free", time.Second)
			e.Session.Delay("end", 2*time.Second)
		},
		"free": func(*kernel.Event) {
			for _, h := range hoard {
				h.Close()
			}
		},
		"end": func(*kernel.Event) { p.k.Stop() },
	})
	p.run()
	p.want("error accept too many open files", "server: connected", "server: disconnected",
		"server: stopped")
}

func TestAliasIsTaken(t *testing.T) {
	p := newPlace(t)
	first := p.server(tcp.ServerOptions{Alias: "server"})
	l, err := p.world.Socket("tcp4")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Bind(&net.TCPAddr{}), l.Listen(0)); err != nil {
		t.Fatal(err)
	}
	for _, opts := range []tcp.ServerOptions{{}, {Listener: l}} {
		opts.Alias = "server"
		opts.ClientInput = func(*tcp.Conn, *wheel.Input) {}
		opts.Stopped = func(*tcp.Server) { p.note("the second was stopped") }
		s, err := tcp.SpawnServer(p.k.Root(), opts)
		if s != nil || !errors.Is(err, kernel.ErrAliasTaken) {
			t.Errorf("got %v, %v", s, err)
		}
	}
	p.step(first.Shutdown)
	p.run()
	p.want("server: stopped")
}

// What one connection's functions do wrong leaves nothing behind.
func TestPanics(t *testing.T) {
	tests := []struct {
		name string
		opts tcp.ServerOptions
	}{
		{"ClientPreConnect", tcp.ServerOptions{
			ClientPreConnect: func(*tcp.Conn, kernel.Socket) kernel.Handle { panic("oops") },
		}},
		{"ClientConnected", tcp.ServerOptions{
			ClientConnected: func(*tcp.Conn) { panic("oops") },
		}},
		{"ClientInput", tcp.ServerOptions{
			ClientInput: func(*tcp.Conn, *wheel.Input) { panic("oops") },
		}},
		{"ClientError", tcp.ServerOptions{
			ClientError: func(*tcp.Conn, *wheel.Error) { panic("oops") },
		}},
		{"ClientDisconnected", tcp.ServerOptions{
			ClientDisconnected: func(*tcp.Conn) { panic("oops") },
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlace(t)
			dead := 0
			s := p.server(tt.opts)
			s.Session.Sig("DIE", "died")
			s.Session.State("died", func(e *kernel.Event) {
				dead++
				p.k.SigHandled()
			})
			far := p.dial(s)
			p.step(func() { _, _ = far.Write([]byte("hello\n")) })
			p.step(func() { far.Close() })
			p.step(func() {
				p.lines = nil
				p.note("%d connections, %d panics", s.Connections(), dead)
			})
			p.step(s.Shutdown)
			p.run()
			p.want("0 connections, 1 panics", "server: stopped")
		})
	}
}

func TestServerMistakes(t *testing.T) {
	input := func(*tcp.Conn, *wheel.Input) {}
	tests := []struct {
		opts tcp.ServerOptions
		want string
	}{
		{tcp.ServerOptions{}, "tcp: ServerOptions has neither ClientInput nor Acceptor"},
		{tcp.ServerOptions{ClientInput: input, Acceptor: func(*tcp.Server, *wheel.Connection) {}},
			"tcp: ServerOptions has an Acceptor, and functions for clients"},
		{tcp.ServerOptions{ClientInput: input, Network: "udp"},
			"tcp: ServerOptions: Network udp is not one of streams"},
		{tcp.ServerOptions{ClientInput: input, Port: "7", Listener: noSocket{}},
			"tcp: ServerOptions has a Listener, and what to listen at"},
		{tcp.ServerOptions{ClientInput: input, ClientHigh: func(*tcp.Conn) {}},
			"tcp: ServerOptions has no HighMark"},
		{tcp.ServerOptions{ClientInput: input, HighMark: 1, LowMark: 1},
			"tcp: ServerOptions: LowMark is not below HighMark"},
		{tcp.ServerOptions{ClientInput: input, HighMark: 2, MaxOutput: 1},
			"tcp: ServerOptions: HighMark is above MaxOutput"},
		{tcp.ServerOptions{ClientInput: input, HighMark: wheel.DefaultMaxOutput + 1},
			"tcp: ServerOptions: HighMark is above MaxOutput"},
		{tcp.ServerOptions{ClientInput: input, MaxOutput: -1},
			"tcp: ServerOptions has a size below 0"},
		{tcp.ServerOptions{ClientInput: input, ClientEvents: session.Events{kernel.Start: nothing}},
			`session: Join: event "_start" has two handlers`},
	}
	p := newPlace(t)
	for _, tt := range tests {
		wantPanic(t, tt.want, func() { tcp.SpawnServer(p.k.Root(), tt.opts) })
	}
	p.run()
}

type noSocket struct{ kernel.Socket }

func nothing(*kernel.Event) {}

// wantPanic checks that f panics with a text.
func wantPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := fmt.Sprint(recover()); got != want {
			t.Errorf("panic %q, want %q", got, want)
		}
	}()
	f()
}

// A brittle world is one in which, at some time, no handle can be watched any more.
type brittle struct {
	*sim.World
	broken bool
}

func (w *brittle) Watch(fd int, want kernel.Mode) error {
	if w.broken && want != 0 {
		return syscall.ENOSPC
	}
	return w.World.Watch(fd, want)
}

// Where a handle cannot be watched, it is closed, and there is no connection.
func TestCannotWatch(t *testing.T) {
	w := &brittle{World: sim.New(sim.Options{Descriptors: descriptors})}
	p := placeOn(t, w.World, w)
	l, err := p.world.Socket("tcp4")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Bind(&net.TCPAddr{}), l.Listen(0)); err != nil {
		t.Fatal(err)
	}
	w.broken = true
	_, err = tcp.SpawnServer(p.k.Root(), tcp.ServerOptions{
		Listener: l, ClientInput: func(*tcp.Conn, *wheel.Input) {},
	})
	if !errors.Is(err, syscall.ENOSPC) || l.FD() != -1 {
		t.Errorf("got %v", err)
	}
	w.broken = false
	s := p.server(tcp.ServerOptions{
		ClientPreConnect: func(_ *tcp.Conn, s kernel.Socket) kernel.Handle {
			w.broken = true
			return s
		},
	})
	far := p.dial(s)
	p.step(func() {
		w.broken = false
		p.note("the far end reads %s, connections %d", p.read(far), s.Connections())
	})
	var peer kernel.Handle
	p.step(s.Shutdown)
	p.step(func() {
		s := p.server(tcp.ServerOptions{Acceptor: func(_ *tcp.Server, made *wheel.Connection) {
			peer = made.Socket
			p.open = append(p.open, peer)
		}})
		p.client(p.at(s), tcp.ClientOptions{
			PreConnect: func(_ *tcp.Client, h kernel.Socket) kernel.Handle {
				w.broken = true
				return h
			},
		})
		p.step(func() {
			w.broken = false
			p.note("the peer reads %s", p.read(peer))
			s.Shutdown()
		})
	})
	p.run()
	p.want("server: error watch no space left on device",
		"the far end reads EOF, connections 0", "server: stopped",
		"client: connect error watch no space left on device", "the peer reads EOF", "server: stopped")
}

// A name is looked up without anybody having to wait for it.
func TestServerAtAName(t *testing.T) {
	p := placeIn(t, sim.New(sim.Options{Descriptors: descriptors, WorkTime: time.Second}))
	p.world.AddHost("mail.example", netip.MustParseAddr("127.0.0.1"))
	s := p.server(tcp.ServerOptions{Address: "mail.example"})
	if _, err := s.Addr(); err != wheel.ErrClosed {
		t.Errorf("while the name is looked up: %v", err)
	}
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Delay("dial", 2*time.Second) },
		"dial": func(e *kernel.Event) {
			p.dial(s)
			e.Session.Delay("end", tick)
		},
		"end": func(*kernel.Event) { p.k.Stop() },
	})
	p.run()
	p.want("server: connected", "server: disconnected", "server: stopped")
}

// Started comes when the server listens, also where a name is looked up for that, and only then.
func TestStarted(t *testing.T) {
	tests := []struct {
		name string
		opts tcp.ServerOptions
		want []string
	}{
		{"an address", tcp.ServerOptions{Address: "127.0.0.1"},
			[]string{"spawned", "started at 127.0.0.1 after 0s", "server: connected"}},
		{"a name", tcp.ServerOptions{Address: "localhost", Network: "tcp4"},
			[]string{"spawned", "started at 127.0.0.1 after 1s", "server: connected"}},
		{"an address of the wrong kind", tcp.ServerOptions{Address: "127.0.0.1", Network: "tcp6"},
			[]string{"spawned", "error inet_aton cannot assign requested address"}},
		{"an unknown name", tcp.ServerOptions{Address: "nobody"},
			[]string{"spawned", "error inet_aton cannot assign requested address"}},
		{"Shutdown at once", tcp.ServerOptions{Alias: "off"}, []string{"spawned"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := placeIn(t, sim.New(sim.Options{Descriptors: descriptors, WorkTime: time.Second}))
			tt.opts.Started = func(s *tcp.Server) {
				addr, err := s.Addr()
				if err != nil {
					t.Fatal(err)
				}
				p.note("started at %v after %v", addr.(*net.TCPAddr).IP, p.world.Elapsed())
				p.dial(s)
			}
			tt.opts.Error = func(_ *tcp.Server, err *wheel.Error) { p.note("error %s", what(err)) }
			tt.opts.ClientConnected = func(*tcp.Conn) {
				p.note("server: connected")
				p.k.Stop()
			}
			tt.opts.ClientDisconnected = func(*tcp.Conn) {}
			s := p.server(tt.opts)
			p.note("spawned")
			if tt.opts.Alias == "off" {
				s.Shutdown()
			}
			p.run()
			p.want(append(tt.want, "server: stopped")...)
		})
	}
}

// A socket that another package has opened, or that was inherited, is as good as an own one.
func TestListenerOfNet(t *testing.T) {
	for _, at := range []struct{ network, address string }{
		{"tcp4", "127.0.0.1:0"}, {"unix", filepath.Join(t.TempDir(), "socket")},
	} {
		l, err := net.Listen(at.network, at.address)
		if err != nil {
			t.Fatal(err)
		}
		network, addr := l.Addr().Network(), l.Addr().String()
		socket, err := kernel.FromListener(l)
		if err != nil {
			t.Fatal(err)
		}
		p := placeOn(t, nil, kernel.NewLoop())
		s := p.server(tcp.ServerOptions{
			Listener:    socket,
			Started:     func(*tcp.Server) { p.note("started") },
			ClientInput: func(c *tcp.Conn, in *wheel.Input) { c.Put(in.Bytes); c.Shutdown() },
		})
		host, port := addr, ""
		if network != "unix" {
			host, port, _ = net.SplitHostPort(addr)
		}
		p.client(port, tcp.ClientOptions{
			Network: network, RemoteAddress: host,
			Connected: func(c *tcp.Client) { c.PutString("hello") },
			ServerInput: func(_ *tcp.Client, in *wheel.Input) {
				p.note("%s", in.Bytes)
				s.Shutdown()
			},
			ServerError:  func(*tcp.Client, *wheel.Error) {},
			Disconnected: func(*tcp.Client) {},
		})
		if err := p.k.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.want("started", "server: connected", "server: disconnected", "hello", "server: stopped")
	}
}
