package tcp_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/component/tcp"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// closed is a port at which nobody listens.
const closed = "9"

// alias is the client's in these tests.
const alias = kernel.Alias("client")

// hasAlias notes whether somebody has the client's alias.
func (p *place) hasAlias() {
	_, err := p.k.AliasResolve(alias)
	p.note("alias: %v", err == nil)
}

// quietServer spawns a server of which nothing is noted, and which does the given with each client.
func (p *place) quietServer(connected func(c *tcp.Conn)) *tcp.Server {
	p.Helper()
	if connected == nil {
		connected = func(*tcp.Conn) {}
	}
	return p.server(tcp.ServerOptions{
		ClientConnected:    connected,
		ClientInput:        func(c *tcp.Conn, in *wheel.Input) { c.Put(in.Bytes) },
		ClientError:        func(*tcp.Conn, *wheel.Error) {},
		ClientDisconnected: func(*tcp.Conn) {},
		Stopped:            func(*tcp.Server) {},
	})
}

func TestConversation(t *testing.T) {
	p := newPlace(t)
	s := p.quietServer(func(c *tcp.Conn) { c.PutString("welcome") })
	c := p.client(p.at(s), tcp.ClientOptions{
		Alias: alias,
		Started: func(c *tcp.Client) {
			p.note("started, connected %v, %v", c.Connected(), c.PutString("too early"))
			c.PauseInput()
			c.ResumeInput()
			if c.RemoteAddr() != nil || c.Wheel() != nil || c.RemoteAddrPort().IsValid() {
				p.Error("it has a connection already")
			}
		},
		Connected: func(c *tcp.Client) {
			p.note("connected %v to the port %v", c.Connected(), c.RemoteAddr().String() ==
				"127.0.0.1:"+p.at(s))
		},
		ServerInput: func(c *tcp.Client, in *wheel.Input) {
			p.note("%s", in.Bytes)
			if string(in.Bytes) == "welcome" {
				c.Session.Yield("say", "hello")
				return
			}
			c.Session.Yield("shutdown")
		},
		ServerFlushed: func(*tcp.Client) { p.note("flushed") },
		Events: session.Events{"say": session.On(func(e *kernel.Event, text string) {
			if &tcp.ClientOf(e).Conn != tcp.ConnOf(e) {
				p.Error("the Conn is not the Client's")
			}
			tcp.ConnOf(e).PutString(text)
		})},
	})
	p.hasAlias()
	p.step(p.hasAlias)
	p.step(s.Shutdown)
	p.run()
	p.want("started, connected false, wheel: closed", "alias: true",
		"connected true to the port true", "welcome", "flushed", "hello",
		"client: disconnected", "alias: false")
	if !c.Session.Ended() {
		t.Error("the session has not ended")
	}
}

// A client that connects again from Disconnected keeps its alias.
func TestReconnect(t *testing.T) {
	p := newPlace(t)
	s := p.quietServer(func(c *tcp.Conn) { c.PutString("bye"); c.Shutdown() })
	n := 0
	p.client(p.at(s), tcp.ClientOptions{
		Alias: alias,
		Disconnected: func(c *tcp.Client) {
			p.note("disconnected")
			if n++; n < 3 {
				c.Reconnect()
				p.hasAlias()
			}
		},
	})
	p.step(p.hasAlias)
	p.step(s.Shutdown)
	p.run()
	round := []string{
		"client: connected", `client: input "bye"`, "client: error read EOF", "disconnected",
	}
	var want []string
	for range 2 {
		want = append(append(want, round...), "alias: true")
	}
	p.want(append(append(want, round...), "alias: false")...)
}

// After an error, the next connection flushes at its end all the same. In POE it does not.
func TestErrorsAreForgotten(t *testing.T) {
	p := newPlace(t)
	var peers []*tcp.Conn
	n := 0
	s := p.server(tcp.ServerOptions{
		ClientConnected:    func(c *tcp.Conn) { peers = append(peers, c) },
		ClientError:        func(*tcp.Conn, *wheel.Error) {},
		ClientDisconnected: func(*tcp.Conn) {},
	})
	p.client(p.at(s), tcp.ClientOptions{
		Disconnected: func(c *tcp.Client) {
			p.note("disconnected")
			if n == 1 {
				c.Reconnect()
			}
		},
		Connected: func(c *tcp.Client) {
			if n++; n == 1 {
				return
			}
			c.PutString("last words")
			c.Shutdown()
		},
	})
	p.step(func() { p.world.Reset(peers[0].Wheel().InputHandle()) })
	p.step(s.Shutdown)
	p.run()
	p.want("client: error read connection reset by peer", "disconnected",
		"disconnected", `server: input "last words"`, "server: stopped")
}

// Reconnect ends the connection that there is, which is told before the next one.
func TestReconnectWhileConnected(t *testing.T) {
	p := newPlace(t)
	s := p.quietServer(nil)
	c := p.client(p.at(s), tcp.ClientOptions{Alias: alias})
	p.step(func() {
		c.PutString("lost")
		p.k.Post(alias, "reconnect")
	})
	p.step(func() {
		c.Reconnect()
		c.Reconnect()
	})
	p.step(func() { p.note("%d", s.Connections()) })
	p.step(c.Shutdown)
	p.step(s.Shutdown)
	p.run()
	p.want("client: connected", "client: disconnected", "client: connected", "client: disconnected",
		"client: connected", "1", "client: disconnected")
}

// A connect that fails may be tried elsewhere, by event or method, or later.
func TestConnectElsewhere(t *testing.T) {
	p := newPlace(t)
	s := p.quietServer(func(c *tcp.Conn) { c.Shutdown() })
	n := 0
	p.client(closed, tcp.ClientOptions{
		Alias: alias,
		ConnectError: func(c *tcp.Client, err *wheel.Error) {
			p.note("%v, connected %v", what(err), c.Connected())
			p.hasAlias()
			switch n++; n {
			case 1:
				c.Session.Delay("reconnect", time.Second)
			case 2:
				c.Session.Yield("connect", "localhost")
			case 3:
				c.Connect("127.0.0.1", p.at(s))
			}
		},
	})
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Delay("end", 2*time.Second) },
		"end":        func(*kernel.Event) { s.Shutdown() },
	})
	p.run()
	refused := []string{"connect connection refused, connected false", "alias: true"}
	var want []string
	for range 3 {
		want = append(want, refused...)
	}
	p.want(append(want, "client: connected", "client: error read EOF", "client: disconnected")...)
}

// Where nobody listens for errors, the log takes them, and the session ends.
func TestUnheardConnectError(t *testing.T) {
	p := newPlace(t)
	c, err := tcp.SpawnClient(p.k.Root(), tcp.ClientOptions{
		Alias: alias, RemoteAddress: "127.0.0.1", RemotePort: closed,
		ServerInput: func(*tcp.Client, *wheel.Input) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	p.step(func() { p.note("ended %v", c.Session.Ended()) })
	p.run("tcp: cannot connect")
	p.want("ended true")
}

// A connect to where nobody answers ends in time, to the nanosecond, whatever else is going on.
func TestConnectTimeout(t *testing.T) {
	p := newPlace(t)
	p.world.BlackHole(netip.MustParsePrefix("192.0.2.0/24"))
	began := p.world.Now()
	n := 0
	p.client(closed, tcp.ClientOptions{
		RemoteAddress:  "192.0.2.1",
		ConnectTimeout: 1500 * time.Millisecond,
		ConnectError: func(c *tcp.Client, err *wheel.Error) {
			p.note("%v after %v", what(err), p.world.Now().Sub(began))
			if n++; n < 2 {
				c.Reconnect()
			}
		},
	})
	p.run()
	p.want("connect connection timed out after 1.5s", "connect connection timed out after 3s")
}

// A connection that is there in time is not given up later.
func TestConnectTimeoutEnds(t *testing.T) {
	p := newPlace(t)
	s := p.quietServer(nil)
	c := p.client(p.at(s), tcp.ClientOptions{ConnectTimeout: time.Second})
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Delay("end", time.Minute) },
		"end": func(*kernel.Event) {
			p.note("connected %v", c.Connected())
			c.Close()
			s.Shutdown()
		},
	})
	p.run()
	p.want("client: connected", "connected true", "client: disconnected")
}

// After Shutdown or Close nothing comes of a connect that is under way, nor of one that is planned.
func TestShutdownWhileConnecting(t *testing.T) {
	for name, end := range map[string]func(c *tcp.Client){
		"Shutdown": (*tcp.Client).Shutdown, "Close": (*tcp.Client).Close,
		"the event": func(c *tcp.Client) { c.Session.Post(alias, "shutdown") },
		"the end":   func(c *tcp.Client) { c.Session.End() },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			p.world.BlackHole(netip.MustParsePrefix("192.0.2.0/24"))
			c := p.client(closed, tcp.ClientOptions{
				Alias: alias, RemoteAddress: "192.0.2.1", ConnectTimeout: time.Hour,
			})
			c.Session.Delay("reconnect", time.Hour)
			p.step(func() { end(c) })
			p.step(func() { p.note("ended %v", c.Session.Ended()) })
			p.run()
			p.want("ended true")
			if p.world.Elapsed() > time.Minute {
				p.Errorf("it took %v", p.world.Elapsed())
			}
		})
	}
}

// What Disconnected asks for when the session is stopped does not come to anything.
func TestReconnectAtTheEnd(t *testing.T) {
	p := newPlace(t)
	s := p.quietServer(nil)
	c := p.client(p.at(s), tcp.ClientOptions{
		Alias: alias,
		Disconnected: func(c *tcp.Client) {
			p.note("disconnected")
			c.Reconnect()
		},
	})
	p.step(func() { c.Session.End() })
	p.step(s.Shutdown)
	p.run()
	p.want("client: connected", "disconnected")
}

func TestPreConnect(t *testing.T) {
	tests := []struct {
		name string
		pre  func(c *tcp.Client, s kernel.Socket) kernel.Handle
		want []string
	}{
		{"uses it", func(_ *tcp.Client, s kernel.Socket) kernel.Handle { return s },
			[]string{"client: connected", `client: input "welcome"`}},
		{"wraps it", func(_ *tcp.Client, s kernel.Socket) kernel.Handle { return loud{s} },
			[]string{"client: connected", `client: input "WELCOME"`}},
		{"refuses it", func(*tcp.Client, kernel.Socket) kernel.Handle { return nil }, nil},
		{"shuts down", func(c *tcp.Client, s kernel.Socket) kernel.Handle {
			c.Shutdown()
			return s
		}, nil},
		{"shuts the Conn down", func(c *tcp.Client, s kernel.Socket) kernel.Handle {
			c.Conn.Shutdown()
			return s
		}, nil},
		{"ends the session", func(c *tcp.Client, s kernel.Socket) kernel.Handle {
			c.Session.End()
			return s
		}, nil},
		{"connects elsewhere", func(c *tcp.Client, s kernel.Socket) kernel.Handle {
			c.Connect("127.0.0.1", closed)
			return s
		}, []string{"client: connect error connect connection refused"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlace(t)
			s := p.quietServer(func(c *tcp.Conn) { c.PutString("welcome") })
			n := 0
			c := p.client(p.at(s), tcp.ClientOptions{
				Alias: alias,
				PreConnect: func(c *tcp.Client, s kernel.Socket) kernel.Handle {
					n++
					return tt.pre(c, s)
				},
				Disconnected: func(*tcp.Client) {},
			})
			p.step(func() {
				if refused := len(tt.want) == 0; refused != c.Session.Ended() {
					p.Errorf("the session has ended: %v", c.Session.Ended())
				}
			})
			p.step(c.Shutdown)
			p.step(s.Shutdown)
			p.run()
			p.want(tt.want...)
			if n != 1 {
				p.Errorf("asked %d times", n)
			}
		})
	}
}

// loud is a handle over another one.
type loud struct{ kernel.Handle }

func (h loud) Read(p []byte) (int, error) {
	n, err := h.Handle.Read(p)
	copy(p, strings.ToUpper(string(p[:n])))
	return n, err
}

func TestClientAliasIsTaken(t *testing.T) {
	p := newPlace(t)
	s := p.quietServer(nil)
	first := p.client(p.at(s), tcp.ClientOptions{Alias: alias})
	second, err := tcp.SpawnClient(p.k.Root(), tcp.ClientOptions{
		Alias: alias, RemoteAddress: "127.0.0.1", RemotePort: closed,
		ServerInput: func(*tcp.Client, *wheel.Input) {},
		Started:     func(*tcp.Client) { p.note("the second was started") },
	})
	if second != nil || !errors.Is(err, kernel.ErrAliasTaken) {
		t.Errorf("got %v, %v", second, err)
	}
	p.step(first.Shutdown)
	p.step(s.Shutdown)
	p.run()
	p.want("client: connected", "client: disconnected")
}

// Whose alias was taken meanwhile connects without.
func TestAliasIsTakenMeanwhile(t *testing.T) {
	p := newPlace(t)
	s := p.quietServer(nil)
	n := 0
	c := p.client(p.at(s), tcp.ClientOptions{
		Alias: alias,
		Disconnected: func(c *tcp.Client) {
			if n++; n == 1 {
				c.Session.Delay("reconnect", tick)
			}
		},
	})
	p.step(func() { c.Conn.Close() })
	p.step(func() {})
	p.step(c.Shutdown)
	p.step(s.Shutdown)
	other := p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Delay("take", tick+tick/2) },
		"take": func(e *kernel.Event) {
			if err := e.Session.AliasSet(alias); err != nil {
				p.Error(err)
			}
		},
	})
	p.run("tcp: the client connects without its alias")
	p.want("client: connected", "client: connected")
	if !other.Ended() {
		t.Error("the other session goes on")
	}
}

func TestUnixClient(t *testing.T) {
	p := newPlace(t)
	s, err := tcp.SpawnServer(p.k.Root(), tcp.ServerOptions{
		Network: "unix", Address: "/run/echo",
		ClientInput: func(c *tcp.Conn, in *wheel.Input) { c.Put(in.Bytes) },
	})
	if err != nil {
		t.Fatal(err)
	}
	p.client("", tcp.ClientOptions{
		Network: "unix", RemoteAddress: "/run/echo",
		Connected: func(c *tcp.Client) { c.PutString("hello") },
		ServerInput: func(c *tcp.Client, in *wheel.Input) {
			p.note("%s", in.Bytes)
			c.Close()
		},
	})
	p.step(s.Shutdown)
	p.run()
	p.want("hello", "client: disconnected")
}

func TestClientMistakes(t *testing.T) {
	input := func(*tcp.Client, *wheel.Input) {}
	tests := []struct {
		opts tcp.ClientOptions
		want string
	}{
		{tcp.ClientOptions{RemoteAddress: "a", RemotePort: "1"}, "tcp: ClientOptions has no ServerInput"},
		{tcp.ClientOptions{ServerInput: input, RemotePort: "1"},
			"tcp: ClientOptions has no RemoteAddress"},
		{tcp.ClientOptions{ServerInput: input, RemoteAddress: "a"},
			"tcp: ClientOptions has no RemotePort"},
		{tcp.ClientOptions{ServerInput: input, RemoteAddress: "a", RemotePort: "1", Network: "unix"},
			"tcp: ClientOptions has a port for a path"},
		{tcp.ClientOptions{ServerInput: input, RemoteAddress: "a", RemotePort: "1", Network: "udp"},
			"tcp: ClientOptions: Network udp is not one of streams"},
		{tcp.ClientOptions{ServerInput: input, RemoteAddress: "a", RemotePort: "1", LowMark: 1},
			"tcp: ClientOptions has no HighMark"},
		{tcp.ClientOptions{ServerInput: input, RemoteAddress: "a", RemotePort: "1",
			Events: session.Events{"shutdown": nothing}},
			`session: Join: event "shutdown" has two handlers`},
	}
	p := newPlace(t)
	for _, tt := range tests {
		wantPanic(t, tt.want, func() { tcp.SpawnClient(p.k.Root(), tt.opts) })
	}
	p.run()
}
