package tcp_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/go-poe/poe/component/tcp"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// tick is a moment, long enough in a simulated world for all that goes on to have come to rest.
const tick = time.Millisecond

// descriptors is how many descriptors a simulated world has. When a test is over, all must be free.
const descriptors = 48

// A place is a kernel in a simulated world, and what happened there, line by line.
type place struct {
	*testing.T
	world *sim.World
	k     *kernel.Kernel
	logs  *observer.ObservedLogs
	lines []string
	open  []io.Closer // what the test itself has open
	then  []func()    // what it does, a tick apart
}

func newPlace(t *testing.T) *place {
	t.Helper()
	return placeIn(t, sim.New(sim.Options{Descriptors: descriptors}))
}

func placeIn(t *testing.T, world *sim.World) *place {
	t.Helper()
	return placeOn(t, world, world)
}

// placeOn returns a place on a loop of a world.
func placeOn(t *testing.T, world *sim.World, loop kernel.Loop) *place {
	t.Helper()
	core, logs := observer.New(zap.WarnLevel)
	k, err := kernel.New(kernel.Options{Loop: loop, Log: zap.New(core)})
	if err != nil {
		t.Fatal(err)
	}
	return &place{T: t, world: world, k: k, logs: logs}
}

// note keeps one line.
func (p *place) note(format string, args ...any) {
	p.lines = append(p.lines, fmt.Sprintf(format, args...))
}

// want checks what was noted since the last time.
func (p *place) want(lines ...string) {
	p.Helper()
	if !slices.Equal(p.lines, lines) {
		p.Errorf("got\n\t%s\nwant\n\t%s",
			strings.Join(p.lines, "\n\t"), strings.Join(lines, "\n\t"))
	}
	p.lines = nil
}

// step does something when all that went before has come to rest.
func (p *place) step(do func()) { p.then = append(p.then, do) }

// run does the steps, and runs the kernel until it ends by itself. After that all descriptors are
// free, and nothing has gone wrong that only a log tells, but for the messages that are expected.
func (p *place) run(expected ...string) {
	p.Helper()
	if len(p.then) > 0 {
		p.k.Create(session.Events{
			kernel.Start: func(e *kernel.Event) { e.Session.Delay("step", tick) },
			"step": func(e *kernel.Event) {
				p.then[0]()
				if p.then = p.then[1:]; len(p.then) > 0 {
					e.Session.Delay("step", tick)
				}
			},
		})
	}
	if err := p.k.Run(p.Context()); err != nil {
		p.Errorf("Run: %v\n%v", err, p.k.WhyAlive())
	}
	p.wantLogs(expected)
	for _, c := range p.open {
		_ = c.Close()
	}
	for n := range descriptors {
		s, err := p.world.Socket("udp4")
		if err != nil {
			p.Fatalf("%d descriptors of %d are not free", descriptors-n, descriptors)
		}
		defer s.Close()
	}
}

func (p *place) wantLogs(expected []string) {
	p.Helper()
	var got []string
	for _, entry := range p.logs.All() {
		got = append(got, entry.Message)
	}
	if !slices.Equal(got, expected) {
		p.Errorf("the log has %q, want %q\n%v", got, expected, p.logs.All())
	}
}

// server spawns a server. Where the test has none of its own, it has functions that note what
// happens to clients.
func (p *place) server(opts tcp.ServerOptions) *tcp.Server {
	p.Helper()
	if opts.Acceptor == nil {
		orNote(p, &opts.ClientConnected, "server: connected")
		orNote(p, &opts.ClientDisconnected, "server: disconnected")
		if opts.ClientInput == nil {
			opts.ClientInput = func(_ *tcp.Conn, in *wheel.Input) {
				p.note("server: input %q", in.Bytes)
			}
		}
		if opts.ClientError == nil {
			opts.ClientError = func(_ *tcp.Conn, err *wheel.Error) { p.note("server: error %v", what(err)) }
		}
	}
	if opts.Stopped == nil {
		opts.Stopped = func(*tcp.Server) { p.note("server: stopped") }
	}
	s, err := tcp.SpawnServer(p.k.Root(), opts)
	if err != nil {
		p.Fatal(err)
	}
	return s
}

func orNote[T any](p *place, f *func(T), line string) {
	if *f == nil {
		*f = func(T) { p.note("%s", line) }
	}
}

// what returns what went wrong, without what differs between systems.
func what(err *wheel.Error) string {
	switch {
	case errors.Is(err, io.EOF):
		return err.Op + " EOF"
	case err.Errno() != 0:
		return err.Op + " " + err.Errno().Error()
	}
	return err.Error()
}

// at returns the port that a server listens at.
func (p *place) at(s *tcp.Server) (port string) {
	p.Helper()
	addr, err := s.Addr()
	if err != nil {
		p.Fatal(err)
	}
	_, port, err = net.SplitHostPort(addr.String())
	if err != nil {
		p.Fatal(err)
	}
	return port
}

// client spawns a client of a port of this machine, with functions that note what happens, unless
// the test has its own.
func (p *place) client(port string, opts tcp.ClientOptions) *tcp.Client {
	p.Helper()
	orNote(p, &opts.Connected, "client: connected")
	orNote(p, &opts.Disconnected, "client: disconnected")
	if opts.ServerInput == nil {
		opts.ServerInput = func(_ *tcp.Client, in *wheel.Input) { p.note("client: input %q", in.Bytes) }
	}
	if opts.ServerError == nil {
		opts.ServerError = func(_ *tcp.Client, err *wheel.Error) { p.note("client: error %v", what(err)) }
	}
	if opts.ConnectError == nil {
		opts.ConnectError = func(_ *tcp.Client, err *wheel.Error) {
			p.note("client: connect error %v", what(err))
		}
	}
	if opts.RemoteAddress == "" {
		opts.RemoteAddress = "127.0.0.1"
	}
	opts.RemotePort = port
	c, err := tcp.SpawnClient(p.k.Root(), opts)
	if err != nil {
		p.Fatal(err)
	}
	return c
}

// dial returns a socket that connects to a server, outside of any session.
func (p *place) dial(s *tcp.Server) kernel.Socket {
	p.Helper()
	to, err := s.Addr()
	if err != nil {
		p.Fatal(err)
	}
	network := "tcp4"
	switch a := to.(type) {
	case *net.UnixAddr:
		network = "unix"
	case *net.TCPAddr:
		if a.IP.To4() == nil {
			network = "tcp6"
		}
	}
	far, err := p.world.Socket(network)
	if err != nil {
		p.Fatal(err)
	}
	p.open = append(p.open, far)
	if err := far.Connect(to); err != nil && err != kernel.ErrAgain {
		p.Fatal(err)
	}
	return far
}

// write writes all of text, for which there must be room.
func (p *place) write(far kernel.Handle, text string) {
	p.Helper()
	if n, err := far.Write([]byte(text)); n != len(text) || err != nil {
		p.Errorf("wrote %d of %d bytes: %v", n, len(text), err)
	}
}

// read returns what has come at the far end, and after it EOF, if it is the end.
func (p *place) read(far kernel.Handle) string {
	var all strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := far.Read(buf)
		all.Write(buf[:n])
		switch {
		case err == kernel.ErrAgain:
			return all.String()
		case err == io.EOF:
			return all.String() + "EOF"
		case err != nil:
			return all.String() + err.Error()
		}
	}
}

// trickle writes text one byte at a time, as long as the far end takes it.
func (p *place) trickle(far kernel.Handle, text string, pause time.Duration) {
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Yield("byte") },
		"byte": func(e *kernel.Event) {
			if text == "" {
				return
			}
			if _, err := far.Write([]byte(text[:1])); err == nil {
				text = text[1:]
				e.Session.Delay("byte", pause)
			}
		},
	})
}

// pour writes text over and over again, as fast as the far end takes it, and reads a byte in each
// pause, or nothing if there is none.
func (p *place) pour(far kernel.Handle, text string, pause time.Duration) {
	left := text
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Yield("pour")
			if pause > 0 {
				e.Session.Delay("sip", pause)
			}
		},
		"pour": func(e *kernel.Event) {
			n, err := far.Write([]byte(left))
			if left = left[n:]; left == "" {
				left = text
			}
			if err == nil || err == kernel.ErrAgain {
				e.Session.Delay("pour", 10*tick)
			}
		},
		"sip": func(e *kernel.Event) {
			if _, err := far.Read(make([]byte, 1)); err == nil || err == kernel.ErrAgain {
				e.Session.Delay("sip", pause)
			}
		},
	})
}
