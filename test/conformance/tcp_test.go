package conformance

import (
	"net"
	"strconv"
	"time"

	"github.com/go-poe/poe/component/tcp"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// The ports of the cases about the TCP components.
func init() {
	inBothWorlds("tcp-client-errors", clientErrors)
	inBothWorlds("tcp-client-server", clientServer)
	inBothWorlds("tcp-server-concurrency-bug", concurrency)
}

// loopback is where the cases listen.
const loopback = "127.0.0.1"

// serverPort returns the port at which a server listens.
func serverPort(s *tcp.Server) string { return strconv.Itoa(portOf(s.Addr())) }

// server spawns a server.
func (p *program) server(opts tcp.ServerOptions) *tcp.Server {
	opts.Address = loopback
	s, err := tcp.SpawnServer(p.k.Root(), opts)
	if err != nil {
		p.T.Fatal(err)
	}
	return s
}

// client spawns a client of a port on the loopback.
func (p *program) client(port string, opts tcp.ClientOptions) *tcp.Client {
	opts.RemoteAddress, opts.RemotePort = loopback, port
	c, err := tcp.SpawnClient(p.k.Root(), opts)
	if err != nil {
		p.T.Fatal(err)
	}
	return c
}

// socket returns a new socket.
func (p *program) socket() kernel.Socket {
	s, err := p.k.Loop().Socket("tcp4")
	if err != nil {
		p.T.Fatal(err)
	}
	return s
}

// listening returns a socket that listens on the loopback, and its port.
func (p *program) listening() (s kernel.Socket, port string) {
	s = p.socket()
	if err := s.Bind(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		p.T.Fatal(err)
	}
	if err := s.Listen(5); err != nil {
		p.T.Fatal(err)
	}
	return s, strconv.Itoa(portOf(s.LocalAddr()))
}

func clientServer(p *program) {
	listenerArgs, clientArgs, args := []any{"la", 1}, []any{"ca", 2}, []any{"x", "y"}
	server := p.server(tcp.ServerOptions{
		Alias:   "server",
		Started: func(*tcp.Server) { p.Note("server", "Started", Show(listenerArgs)) },
		Stopped: func(*tcp.Server) { p.Note("server", "Stopped") },
		ClientConnected: func(c *tcp.Conn) {
			at := c.RemoteAddrPort()
			p.Note("server", "ClientConnected", "ip", at.Addr().String(), "port",
				either(at.Port() > 0, "some", "none"), "args", Show(clientArgs))
			c.PutString("welcome")
		},
		ClientFlushed: func(*tcp.Conn) { p.Note("server", "ClientFlushed") },
		ClientInput: func(c *tcp.Conn, in *wheel.Input) {
			p.Note("server", "ClientInput", Show(in.Bytes))
			if string(in.Bytes) != "quit" {
				c.PutString("echo " + string(in.Bytes))
				return
			}
			c.PutString("goodbye")
			c.Session.Yield("shutdown")
			p.Note("server", "shutdown requested")
		},
		ClientDisconnected: func(c *tcp.Conn) {
			p.Note("server", "ClientDisconnected")
			_ = c.Session.Post(kernel.Alias("server"), "shutdown") // it is there
		},
		ClientError: func(_ *tcp.Conn, err *wheel.Error) {
			p.Note("server", "ClientError", err.Op, Errname(err))
		},
	})
	client := p.client(serverPort(server), tcp.ClientOptions{
		Alias:   "client",
		Started: func(*tcp.Client) { p.Note("client", "Started", Show(args)) },
		Connected: func(c *tcp.Client) {
			host, port := address(c.RemoteAddr())
			p.Note("client", "Connected", host, "port",
				either(strconv.Itoa(port.(int)) == serverPort(server), "of server", "wrong"),
				"flag", flag01(c.Connected()))
		},
		ServerInput: func(c *tcp.Client, in *wheel.Input) {
			p.Note("client", "ServerInput", Show(in.Bytes))
			switch string(in.Bytes) {
			case "welcome":
				c.PutString("hello")
			case "echo hello":
				c.Session.Yield("custom", "quit")
			}
		},
		ServerFlushed: func(*tcp.Client) { p.Note("client", "ServerFlushed") },
		ServerError: func(_ *tcp.Client, err *wheel.Error) {
			p.Note("client", "ServerError", err.Op, Errname(err))
		},
		Disconnected: func(c *tcp.Client) {
			p.Note("client", "Disconnected", "flag", flag01(c.Connected()))
		},
		ConnectError: func(*tcp.Client, *wheel.Error) { p.Note("client", "ConnectError") },
		Events: session.Events{"custom": func(e *kernel.Event) {
			p.Note("client", "custom", arg(e, 0))
			tcp.ClientOf(e).PutString(kernel.Arg[string](e, 0))
		}},
	})
	named, _ := p.k.AliasResolve(kernel.Alias("client"))
	p.Out("new returned",
		either(client.Session == named, "the session id", "something else"))
	p.run()
	p.PrintNotes()
}

// flag01 returns a flag as Perl has it.
func flag01(set bool) int {
	if set {
		return 1
	}
	return 0
}

func clientErrors(p *program) {
	gone, closed := p.listening()
	closeAll(gone)
	listen, port := p.listening()
	listen2, port2 := p.listening()
	var peer kernel.Socket
	tries := 0
	p.client(closed, tcp.ClientOptions{
		Connected: func(c *tcp.Client) {
			p.Note("retry", "Connected")
			var err error
			// The other end may know of the connection only a moment later.
			for began := time.Now(); time.Since(began) < 10*time.Second; {
				if peer, err = listen.Accept(); err != kernel.ErrAgain {
					break
				}
			}
			if err != nil {
				p.T.Fatal(err)
			}
			syswrite(peer, "one line\r\n")
		},
		ConnectError: func(c *tcp.Client, err *wheel.Error) {
			p.Note("retry", "ConnectError", err.Op, Errname(err), "connected",
				flag01(c.Connected()))
			if tries++; tries == 1 {
				c.Session.Delay("reconnect", 50*time.Millisecond)
			} else {
				c.Session.Yield("connect", loopback, port)
			}
		},
		ServerInput: func(c *tcp.Client, in *wheel.Input) {
			p.Note("retry", "ServerInput", Show(in.Bytes))
			c.Session.Yield("shutdown")
		},
		Disconnected: func(*tcp.Client) { p.Note("retry", "Disconnected") },
		ServerError:  func(*tcp.Client, *wheel.Error) { p.Note("retry", "ServerError") },
	})
	p.client(port2, tcp.ClientOptions{
		PreConnect: func(c *tcp.Client, _ kernel.Socket) kernel.Handle {
			p.Note("pre", "PreConnect")
			c.Session.Yield("shutdown")
			return nil
		},
		Connected:    func(*tcp.Client) { p.Note("pre", "Connected: must not happen") },
		ConnectError: func(*tcp.Client, *wheel.Error) { p.Note("pre", "ConnectError") },
		Disconnected: func(*tcp.Client) { p.Note("pre", "Disconnected: must not happen") },
		ServerInput:  func(*tcp.Client, *wheel.Input) {},
	})
	p.server(tcp.ServerOptions{
		Alias: "dropper",
		Started: func(s *tcp.Server) {
			p.client(serverPort(s), tcp.ClientOptions{
				Connected: func(*tcp.Client) { p.Note("dropped", "Connected") },
				ServerInput: func(_ *tcp.Client, in *wheel.Input) {
					p.Note("dropped", "ServerInput", Show(in.Bytes))
				},
				ServerError: func(_ *tcp.Client, err *wheel.Error) {
					p.Note("dropped", "ServerError", err.Op, Errname(err))
				},
				Disconnected: func(c *tcp.Client) {
					p.Note("dropped", "Disconnected")
					_ = c.Session.Post(kernel.Alias("dropper"), "shutdown") // it is there
				},
			})
		},
		Acceptor: func(_ *tcp.Server, made *wheel.Connection) {
			syswrite(made.Socket, "bye\n")
			closeAll(made.Socket)
			p.Note("server", "Acceptor called")
		},
	})
	p.run()
	p.PrintNotes()
	closeAll(listen, listen2, peer)
}

func concurrency(p *program) {
	server := p.server(tcp.ServerOptions{
		Alias: "srv", Concurrency: 1,
		ClientConnected:    func(*tcp.Conn) { p.Note("server", "Connected") },
		ClientInput:        func(*tcp.Conn, *wheel.Input) {},
		ClientError:        func(*tcp.Conn, *wheel.Error) {},
		ClientDisconnected: func(*tcp.Conn) { p.Note("server", "Disconnected") },
	})
	to, err := server.Addr()
	if err != nil {
		p.T.Fatal(err)
	}
	var clients []kernel.Socket
	connect := func() {
		s := p.socket()
		if err := s.Connect(to); err != nil && err != kernel.ErrAgain {
			p.T.Fatal(err)
		}
		clients = append(clients, s)
	}
	post := func(event string, args ...any) {
		if err := p.k.Post(kernel.Alias("srv"), event, args...); err != nil {
			p.T.Error(err)
		}
	}
	step := func(name string, do func()) func() {
		return func() {
			p.Note("server", "--", name)
			do()
		}
	}
	steps := []func(){
		step("first client", connect),
		step("limit removed", func() { post("set_concurrency", -1) }),
		step("second client", connect),
		step("first client leaves", func() { closeAll(clients[0]) }),
		step("limit of two set", func() { post("set_concurrency", 2) }),
		func() {
			closeAll(clients[1])
			post("shutdown")
		},
	}
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Delay("step", ms(100)) },
		"step": func(e *kernel.Event) {
			steps[0]()
			if steps = steps[1:]; len(steps) > 0 {
				e.Session.Delay("step", ms(100))
			}
		},
	})
	p.run()
	p.PrintNotes()
}
