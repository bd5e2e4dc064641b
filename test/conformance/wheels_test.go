package conformance

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// The ports of the cases about the wheels that make connections and use them.
func init() {
	inBothWorlds("wheel-readwrite-basic", readWriteBasic)
	inBothWorlds("wheel-readwrite-halfclose", halfClose)
	inBothWorlds("wheel-readwrite-highmark-bug", highMark)
	inBothWorlds("wheel-readwrite-pause", pauseInput)
	inBothWorlds("wheel-readwrite-set-filter", setFilter)
	inBothWorlds("wheel-readwrite-watermark", waterMarks)
	onSystem("wheel-socketfactory-failures", factoryFailures)
	inBothWorlds("wheel-socketfactory-inet", factoryInet)
	inBothWorlds("wheel-socketfactory-udp", factoryUDP)
	onSystem("wheel-socketfactory-unix", factoryUnix)
	onSystem("wheel-listenaccept", listenAccept)
}

// pair returns the two ends of a stream.
func (p *program) pair() (near, far kernel.Handle) {
	open := kernel.SocketPair
	if world, ok := p.k.Loop().(*sim.World); ok {
		open = world.SocketPair
	}
	near, far, err := open()
	if err != nil {
		p.T.Fatal(err)
	}
	return near, far
}

// readWrite makes a ReadWrite.
func (p *program) readWrite(e *kernel.Event, opts wheel.ReadWriteOptions) *wheel.ReadWrite {
	w, err := wheel.NewReadWrite(e.Session, opts)
	if err != nil {
		p.T.Fatal(err)
	}
	return w
}

// input prints a record that came in.
func (p *program) input(e *kernel.Event, in *wheel.Input) { p.Out(e.Name, Show(in.Bytes)) }

// sysread reads once, and returns what Perl's function gives: the bytes, the errno, or atEnd.
func sysread(h kernel.Handle, most int, atEnd string) string {
	buf := make([]byte, most)
	n, err := h.Read(buf)
	switch {
	case err == kernel.ErrAgain:
		return "EAGAIN"
	case errors.Is(err, io.EOF):
		return atEnd
	case err != nil:
		return Errname(err)
	}
	return Show(buf[:n])
}

// drain reads all that is there, and returns how much that was.
func drain(h kernel.Handle) (total int) {
	buf := make([]byte, 65536)
	for {
		n, _ := h.Read(buf)
		if n == 0 {
			return total
		}
		total += n
	}
}

// syswrite writes what there is room for.
func syswrite(h kernel.Handle, text string) { _, _ = h.Write([]byte(text)) }

// closeAll closes what a port has left open.
func closeAll(list ...io.Closer) {
	for _, c := range list {
		_ = c.Close() // it may be closed already
	}
}

// positions returns what an event of a wheel's carries as POE has it, one by one.
func positions(arg any) []any {
	switch arg := arg.(type) {
	case *wheel.Input:
		return []any{arg.Bytes, arg.Wheel}
	case *wheel.Error:
		return []any{arg.Op, arg.Errno(), arg.Text(), arg.Wheel}
	case *wheel.Connection:
		addr, port := address(arg.Remote)
		return []any{arg.Socket, addr, port, arg.Wheel}
	}
	return []any{arg}
}

// address returns the address and the port of a net.Addr, each of them nil where POE has undef.
func address(addr net.Addr) (host, port any) {
	switch a := addr.(type) {
	case *net.TCPAddr:
		return a.IP.String(), a.Port
	case *net.UDPAddr:
		return a.IP.String(), a.Port
	case *net.UnixAddr:
		return a.Name, nil
	}
	return nil, nil
}

// portOf returns the port of an address that a socket gave.
func portOf(addr net.Addr, err error) int {
	if err != nil {
		return 0
	}
	_, port := address(addr)
	n, _ := port.(int)
	return n
}

// either returns one of two words.
func either(ok bool, yes, no string) string {
	if ok {
		return yes
	}
	return no
}

// ownID says whether an ID is that of the wheel.
func ownID(got, want wheel.ID) string { return either(got == want, "own id", "other id") }

// put puts the records, and returns what POE's put does: 1 if the high mark is reached, else 0.
func put(w *wheel.ReadWrite, mark int, records ...string) int {
	for _, r := range records {
		_ = w.PutString(r) // in POE it does not fail
	}
	if mark > 0 && w.OutOctets() >= mark {
		return 1
	}
	return 0
}

func readWriteBasic(p *program) {
	near, far := p.pair()
	farReads := func() { p.Out("  far end reads", sysread(far, 4096, `""`)) }
	var w *wheel.ReadWrite
	fed := false
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e, wheel.ReadWriteOptions{
				Handle: near, InputEvent: "input", FlushedEvent: "flushed", ErrorEvent: "error",
			})
			p.Out("put returns", put(w, 0, "first line", "second line"), "buffered octets",
				w.OutOctets(), "messages", w.OutMessages())
			farReads() // nothing is written before the event loop runs
		},
		"flushed": session.On(func(e *kernel.Event, id wheel.ID) {
			p.Out("flushed", "wheel", ownID(id, w.ID()), "args", len(positions(id)),
				"buffered octets", w.OutOctets())
			farReads()
			if !fed {
				fed = true
				syswrite(far, "hello\r\nworld\npar")
				e.Session.Delay("rest", ms(100))
			}
		}),
		"input": session.On(func(e *kernel.Event, in *wheel.Input) {
			p.Out("input", Show(in.Bytes), "wheel", ownID(in.Wheel, w.ID()), "args",
				len(positions(in)), "sender", either(e.Sender == e.Session, "self", "other"))
		}),
		"rest": func(e *kernel.Event) {
			syswrite(far, "tial\n")
			e.Session.Delay("answer", ms(100))
		},
		"answer": func(e *kernel.Event) {
			put(w, 0, "bye")
			e.Session.Delay("hangup", ms(100))
		},
		"hangup": func(e *kernel.Event) {
			syswrite(far, "no newline")
			closeAll(far)
			e.Session.Delay("after", ms(100))
		},
		"error": session.On(func(e *kernel.Event, err *wheel.Error) {
			p.Out("error", err.Op, Errname(err), "text", either(err.Text() != "", "given", "empty"),
				"wheel", ownID(err.Wheel, w.ID()), "args", len(positions(err)))
			if err.Op == "write" {
				w.Close()
				p.Out("wheel dropped")
			}
		}),
		"after": func(*kernel.Event) {
			p.Out("put after hangup returns", put(w, 0, "into the void"))
		},
		kernel.Stop: func(*kernel.Event) { p.Out("_stop") },
	})
	p.run()
}

func halfClose(p *program) {
	near, far := p.pair()
	farReads := func() { p.Out("  far end reads", sysread(far, 4096, "EOF")) }
	var w *wheel.ReadWrite
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e, wheel.ReadWriteOptions{
				Handle: near, InputEvent: "input", FlushedEvent: "flushed", ErrorEvent: "error",
			})
			put(w, 0, "request")
		},
		"flushed": func(e *kernel.Event) {
			p.Out("flushed")
			w.ShutdownOutput()
			p.Out("output shut down")
			e.Session.Delay("far", ms(100))
		},
		"far": func(e *kernel.Event) {
			farReads()
			farReads()
			syswrite(far, "answer one\nanswer two\n")
			e.Session.Delay("far2", ms(100))
		},
		"far2": func(e *kernel.Event) {
			put(w, 0, "too late")
			p.Out("put after shutdown, buffered octets", w.OutOctets())
			e.Session.Delay("far3", ms(100))
		},
		"far3":  func(*kernel.Event) { closeAll(far) },
		"input": session.On(p.input),
		"error": session.On(func(_ *kernel.Event, err *wheel.Error) {
			p.Out("error", err.Op, Errname(err))
			w.Close()
		}),
		kernel.Stop: func(*kernel.Event) { p.Out("_stop") },
	})
	p.run()
}

// streams returns a new Stream filter.
func streams() filter.Filter { return filter.NewStream(filter.StreamOptions{}) }

func highMark(p *program) {
	near, far := p.pair()
	const mark = 500_000
	var w *wheel.ReadWrite
	got := 0
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e, wheel.ReadWriteOptions{
				Handle: near, Filter: streams(), FlushedEvent: "flushed", ErrorEvent: "error",
				InputEvent: "input", HighMark: mark, LowMark: 1000,
				HighEvent: "high", LowEvent: "low",
			})
			p.Out("put 900000 octets", put(w, mark, strings.Repeat("x", 900_000)))
			e.Session.Delay("blocked", ms(100))
		},
		"high": func(*kernel.Event) { p.Out("high") },
		"low":  func(*kernel.Event) { p.Out("low") },
		"blocked": func(e *kernel.Event) {
			p.Out("buffer is above the high mark:", either(w.OutOctets() >= mark, "yes", "no"))
			e.Session.Yield("read_some")
		},
		"read_some": func(e *kernel.Event) {
			n, _ := far.Read(make([]byte, 65536))
			got += n
			if w.OutOctets() >= 400_000 {
				e.Session.Delay("read_some", ms(20))
				return
			}
			p.Out("between the marks: put one octet", put(w, mark, "y"))
			e.Session.Delay("read_all", ms(20))
		},
		"read_all": func(e *kernel.Event) {
			if got += drain(far); got < 900_001 {
				e.Session.Delay("read_all", ms(20))
				return
			}
			e.Session.Delay("end", ms(100))
		},
		"flushed": func(*kernel.Event) { p.Out("flushed") },
		"end":     func(*kernel.Event) { w.Close() },
		"input":   func(*kernel.Event) {},
		"error":   session.On(func(_ *kernel.Event, err *wheel.Error) { p.Out("error", err.Op) }),
	})
	p.run()
	closeAll(far)
}

func pauseInput(p *program) {
	near, far := p.pair()
	var w *wheel.ReadWrite
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e, wheel.ReadWriteOptions{
				Handle: near, InputEvent: "input", ErrorEvent: "error",
			})
			syswrite(far, "one\ntwo\nthree\n")
			e.Session.Delay("later", ms(100))
		},
		"input": session.On(func(_ *kernel.Event, in *wheel.Input) {
			p.Out("input", Show(in.Bytes))
			if string(in.Bytes) == "one" {
				w.PauseInput()
				p.Out("paused inside the handler")
			}
		}),
		"later": func(e *kernel.Event) {
			syswrite(far, "four\nfive\n")
			p.Out("four and five written while paused")
			e.Session.Delay("resume", ms(100))
		},
		"resume": func(e *kernel.Event) {
			p.Out("resume")
			w.ResumeInput()
			e.Session.Delay("rename", ms(100))
		},
		"rename": func(e *kernel.Event) {
			setInputEvent(p, w, "input2")
			syswrite(far, "six\n")
			e.Session.Delay("off", ms(100))
		},
		"input2": session.On(p.input),
		"off": func(e *kernel.Event) {
			setInputEvent(p, w, "")
			syswrite(far, "seven\n")
			e.Session.Delay("on", ms(100))
		},
		"on": func(e *kernel.Event) {
			p.Out("nothing came without input event")
			setInputEvent(p, w, "input")
			e.Session.Delay("drop", ms(100))
		},
		"drop": func(e *kernel.Event) {
			w.ShutdownInput()
			syswrite(far, "eight\n")
			e.Session.Delay("end", ms(100))
		},
		"end": func(*kernel.Event) {
			p.Out("nothing came after shutdown_input")
			w.Close()
		},
		"error": session.On(func(_ *kernel.Event, err *wheel.Error) {
			p.Out("error", err.Op, Errname(err))
		}),
		kernel.Stop: func(*kernel.Event) { p.Out("_stop") },
	})
	p.run()
	closeAll(far)
}

func setInputEvent(p *program, w *wheel.ReadWrite, name string) {
	if err := w.SetInputEvent(name); err != nil {
		p.T.Error(err)
	}
}

// typeName returns the name of a filter's type without its package.
func typeName(f any) string {
	name := fmt.Sprintf("%T", f)
	return name[strings.LastIndexByte(name, '.')+1:]
}

func setFilter(p *program) {
	near, far := p.pair()
	lines := func(literal string) filter.Filter {
		return filter.NewLine(filter.LineOptions{Literal: literal})
	}
	var w *wheel.ReadWrite
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e, wheel.ReadWriteOptions{
				Handle: near, Filter: lines("\n"), InputEvent: "input", ErrorEvent: "error",
			})
			syswrite(far, "line one\nBLOCKS\nabcdefghij")
			e.Session.Delay("more", ms(100))
		},
		"input": session.On(func(_ *kernel.Event, in *wheel.Input) {
			p.Out("input", Show(in.Bytes), "filter", typeName(w.InputFilter()))
			switch string(in.Bytes) {
			case "BLOCKS":
				w.SetFilter(filter.NewBlock(filter.BlockOptions{BlockSize: 4}))
				p.Out("set_filter returned")
			case "STRM":
				w.SetInputFilter(streams())
				p.Out("set_input_filter returned", "output filter", typeName(w.OutputFilter()))
				w.SetOutputFilter(lines("!"))
				put(w, 0, "x", "y")
			}
		}),
		"more": func(e *kernel.Event) {
			syswrite(far, "klSTRMmnop")
			e.Session.Delay("end", ms(100))
		},
		"end": func(*kernel.Event) {
			p.Out("far end read", sysread(far, 100, "EOF"))
			closeAll(far)
		},
		"error": session.On(func(_ *kernel.Event, err *wheel.Error) {
			p.Out("error", err.Op, Errname(err))
			w.Close()
		}),
		kernel.Stop: func(*kernel.Event) { p.Out("_stop") },
	})
	p.run()
}

func waterMarks(p *program) {
	near, far := p.pair()
	const mark = 1000
	var w *wheel.ReadWrite
	got := 0
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e, wheel.ReadWriteOptions{
				Handle: near, Filter: streams(), FlushedEvent: "flushed", ErrorEvent: "error",
				InputEvent: "input", HighMark: mark, LowMark: 100, LowEvent: "low",
			})
			p.Out("put below the mark", put(w, mark, strings.Repeat("a", 999)))
			p.Out("put to the mark", put(w, mark, "b"))
			p.Out("put beyond", put(w, mark, "c"))
			e.Session.Delay("big", ms(100))
		},
		"low": session.On(func(_ *kernel.Event, id wheel.ID) {
			p.Out("low", "args", len(positions(id)), "wheel", ownID(id, w.ID()))
		}),
		"flushed": func(*kernel.Event) { p.Out("flushed") },
		"big": func(e *kernel.Event) {
			drain(far)
			p.Out("put a megabyte", put(w, mark, strings.Repeat("x", 1_000_000)))
			e.Session.Delay("blocked", ms(100))
		},
		"blocked": func(e *kernel.Event) {
			p.Out("the other end does not read: still buffered",
				either(w.OutOctets() > 1000, "a lot", "little"))
			e.Session.Yield("reading")
		},
		"reading": func(e *kernel.Event) {
			if got += drain(far); got < 1_000_000 {
				e.Session.Delay("reading", ms(20))
				return
			}
			e.Session.Delay("end", ms(100))
		},
		"end": func(*kernel.Event) {
			p.Out("other end got everything")
			w.Close()
		},
		"input":     func(*kernel.Event) {},
		"error":     session.On(func(_ *kernel.Event, err *wheel.Error) { p.Out("error", err.Op) }),
		kernel.Stop: func(*kernel.Event) { p.Out("_stop") },
	})
	p.run()
	closeAll(far)
}

// factory makes a SocketFactory, with names for what it tells.
func factory(
	e *kernel.Event, success string, opts wheel.SocketFactoryOptions,
) *wheel.SocketFactory {
	opts.SuccessEvent, opts.FailureEvent = success, "failed"
	return wheel.NewSocketFactory(e.Session, opts)
}

func factoryFailures(p *program) {
	dir := p.T.TempDir()
	busy, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		p.T.Fatal(err)
	}
	defer closeAll(busy)
	used := strconv.Itoa(portOf(busy.Addr(), nil))
	free := freePort(p)
	try := []struct {
		what string
		opts wheel.SocketFactoryOptions
	}{
		{"bind to a port in use", wheel.SocketFactoryOptions{
			BindAddress: "127.0.0.1", BindPort: used,
		}},
		{"bind to a foreign address", wheel.SocketFactoryOptions{
			BindAddress: "203.0.113.1", BindPort: "0",
		}},
		{"connect to a closed port", wheel.SocketFactoryOptions{
			RemoteAddress: "127.0.0.1", RemotePort: free,
		}},
		{"unknown service name", wheel.SocketFactoryOptions{
			RemoteAddress: "127.0.0.1", RemotePort: "no-such-service",
		}},
		{"bind to an unknown service", wheel.SocketFactoryOptions{
			BindAddress: "127.0.0.1", BindPort: "no-such-service",
		}},
		{"unix connect to nothing", wheel.SocketFactoryOptions{
			Network: "unix", RemoteAddress: filepath.Join(dir, "none"),
		}},
		{"unix bind in a missing directory", wheel.SocketFactoryOptions{
			Network: "unix", BindAddress: filepath.Join(dir, "no", "such"),
		}},
	}
	var w *wheel.SocketFactory
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Yield("next") },
		"next": func(e *kernel.Event) {
			if len(try) == 0 {
				w.Close()
				return
			}
			w = factory(e, "ok", try[0].opts)
			p.Out(try[0].what+":", "constructor returned")
			try = try[1:]
		},
		"ok": func(e *kernel.Event) {
			p.Out("  unexpected success")
			e.Session.Yield("next")
		},
		"failed": session.On(func(e *kernel.Event, err *wheel.Error) {
			p.Out("  failed in", err.Op, Errname(err), "text",
				either(err.Text() != "", "given", "empty"), "wheel", ownID(err.Wheel, w.ID()),
				"args", len(positions(err)))
			e.Session.Yield("next")
		}),
		kernel.Stop: func(*kernel.Event) { p.Out("_stop") },
	})
	p.run()
	for _, bad := range []struct {
		what string
		opts wheel.SocketFactoryOptions
	}{
		{"RemoteAddress", wheel.SocketFactoryOptions{RemoteAddress: "127.0.0.1"}},
		{"SocketProtocol", wheel.SocketFactoryOptions{Network: "icmp", BindPort: "0"}},
	} {
		bad.opts.SuccessEvent, bad.opts.FailureEvent = "a", "b"
		err := refusal(func() { wheel.NewSocketFactory(p.k.Root(), bad.opts) })
		p.Out("constructor", bad.what, either(err == nil, "accepted", "refused"))
	}
}

// freePort returns a port at which nobody listens.
func freePort(p *program) string {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		p.T.Fatal(err)
	}
	defer closeAll(l)
	return strconv.Itoa(portOf(l.Addr(), nil))
}

func factoryInet(p *program) {
	var port int
	var listener *wheel.SocketFactory
	accepted := 0
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			listener = factory(e, "accepted", wheel.SocketFactoryOptions{
				BindAddress: "127.0.0.1", BindPort: "0", Reuse: true,
			})
			local, err := listener.LocalAddr()
			host, _ := address(local)
			port = portOf(local, err)
			p.Note("server", "listening on", host, either(port > 0, "some port", "no port"))
		},
		"accepted": session.On(func(e *kernel.Event, c *wheel.Connection) {
			accepted++
			host, port := address(c.Remote)
			peer := portOf(c.Socket.RemoteAddr())
			p.Note("server", "accepted", "from", host,
				"port", either(port == peer, "of peer", "wrong"),
				"wheel", ownID(c.Wheel, listener.ID()), "args", len(positions(c)))
			syswrite(c.Socket, fmt.Sprint("hello ", accepted))
			closeAll(c.Socket)
			if accepted == 2 {
				listener.Close()
				p.Note("server", "listener destroyed")
			}
		}),
		"failed": session.On(func(_ *kernel.Event, err *wheel.Error) {
			p.Note("server", "failed", err.Op)
		}),
		kernel.Stop: func(*kernel.Event) { p.Note("server", "_stop") },
	})
	for i, name := range []string{"client1", "client2"} {
		var id wheel.ID
		p.k.Create(session.Events{
			kernel.Start: func(e *kernel.Event) { e.Session.Delay("go", ms(50+100*i)) },
			"go": func(e *kernel.Event) {
				id = factory(e, "connected", wheel.SocketFactoryOptions{
					RemoteAddress: "127.0.0.1", RemotePort: strconv.Itoa(port),
				}).ID()
				p.Note(name, "connecting")
			},
			"connected": session.On(func(e *kernel.Event, c *wheel.Connection) {
				host, to := address(c.Remote)
				p.Note(name, "connected", "to", host,
					"port", either(to == port, "of server", "wrong"),
					"wheel", ownID(c.Wheel, id), "args", len(positions(c)))
				watch(p, e, c.Socket, "readable")
			}),
			"readable": session.On(func(e *kernel.Event, s kernel.Socket) {
				got := sysread(s, 100, `""`)
				p.Note(name, "read", got)
				if got == `""` {
					watch(p, e, s, "")
					closeAll(s)
				}
			}),
			"failed": session.On(func(_ *kernel.Event, err *wheel.Error) {
				p.Note(name, "failed", err.Op)
			}),
			kernel.Stop: func(*kernel.Event) { p.Note(name, "_stop") },
		})
	}
	p.run()
	p.PrintNotes()
}

// watch asks for an event when a handle is ready to read, or, without a name, for none any more.
func watch(p *program, e *kernel.Event, h kernel.Handle, event string) {
	if err := e.Session.SelectRead(h, event); err != nil {
		p.T.Error(err)
	}
}

// A udpPeer is one of the two parties that exchange datagrams.
type udpPeer struct {
	*program
	name   string
	ports  map[string]int // of all peers
	sends  []string
	to     string
	answer bool
	socket kernel.Socket
	wheel  *wheel.SocketFactory
}

func factoryUDP(p *program) {
	ports := map[string]int{}
	for _, u := range []*udpPeer{
		{program: p, name: "a", ports: ports, sends: []string{"first", "", "third"}, to: "b"},
		{program: p, name: "b", ports: ports, answer: true},
	} {
		p.k.Create(session.Events{
			kernel.Start: u.start,
			"ready":      session.On(u.ready),
			"send":       u.send,
			"datagram":   u.datagram,
			"quit": func(e *kernel.Event) {
				watch(p, e, u.socket, "")
				closeAll(u.socket)
			},
			"failed": session.On(func(_ *kernel.Event, err *wheel.Error) {
				p.Note(u.name, "failed", err.Op)
			}),
			kernel.Stop: func(*kernel.Event) { p.Note(u.name, "_stop") },
		})
	}
	p.run()
	p.PrintNotes()
}

func (u *udpPeer) start(e *kernel.Event) {
	u.wheel = factory(e, "ready", wheel.SocketFactoryOptions{
		Network: "udp", BindAddress: "127.0.0.1", BindPort: "0",
	})
	u.Note(u.name, "wheel made")
}

func (u *udpPeer) ready(e *kernel.Event, c *wheel.Connection) {
	host, port := address(c.Remote)
	u.Note(u.name, "ready", "addr", Show(host), "port", Show(port), "wheel",
		ownID(c.Wheel, u.wheel.ID()))
	u.socket = c.Socket
	u.ports[u.name] = portOf(c.Socket.LocalAddr())
	watch(u.program, e, c.Socket, "datagram")
	if len(u.sends) > 0 {
		e.Session.Delay("send", ms(100))
	}
	e.Session.Delay("quit", ms(300))
}

func (u *udpPeer) send(*kernel.Event) {
	to := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: u.ports[u.to]}
	for _, text := range u.sends {
		u.sendTo(text, to)
	}
}

func (u *udpPeer) sendTo(text string, to net.Addr) {
	if _, err := u.socket.WriteTo([]byte(text), to); err != nil {
		u.T.Error(err)
	}
}

func (u *udpPeer) datagram(*kernel.Event) {
	buf := make([]byte, 1500)
	n, from, err := u.socket.ReadFrom(buf)
	if err != nil {
		u.T.Error(err)
		return
	}
	who := ""
	for name, port := range u.ports {
		if port == portOf(from, nil) {
			who = name
		}
	}
	u.Note(u.name, "got", Show(buf[:n]), "from", who)
	if u.answer {
		u.sendTo("re:"+string(buf[:n]), from)
	}
}

func factoryUnix(p *program) {
	path := filepath.Join(p.T.TempDir(), "sock")
	var listener *wheel.SocketFactory
	var server, client *wheel.ReadWrite
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			listener = factory(e, "accepted", wheel.SocketFactoryOptions{
				Network: "unix", BindAddress: path,
			})
			info, err := os.Stat(path)
			p.Note("server", "path exists",
				either(err == nil && info.Mode().Type() == os.ModeSocket, "yes", "no"))
		},
		"accepted": session.On(func(e *kernel.Event, c *wheel.Connection) {
			addr, port := address(c.Remote)
			p.Note("server", "accepted address", either(addr != nil && addr != "", "given", "none"),
				"port", Show(port))
			listener.Close()
			server = p.readWrite(e, wheel.ReadWriteOptions{
				Handle: c.Socket, InputEvent: "line", ErrorEvent: "error",
			})
		}),
		"line": session.On(func(_ *kernel.Event, in *wheel.Input) {
			p.Note("server", "line", Show(in.Bytes))
			put(server, 0, "you said "+string(in.Bytes))
		}),
		"error": session.On(func(_ *kernel.Event, err *wheel.Error) {
			p.Note("server", "error", err.Op, Errname(err))
			server.Close()
		}),
		"failed": session.On(func(_ *kernel.Event, err *wheel.Error) {
			p.Note("server", "failed", err.Op)
		}),
		kernel.Stop: func(*kernel.Event) { p.Note("server", "_stop") },
	})
	lines := 0
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Delay("go", ms(50)) },
		"go": func(e *kernel.Event) {
			factory(e, "connected", wheel.SocketFactoryOptions{
				Network: "unix", RemoteAddress: path,
			})
		},
		"connected": session.On(func(e *kernel.Event, c *wheel.Connection) {
			addr, port := address(c.Remote)
			p.Note("client", "connected to", either(addr == path, "PATH", "another"),
				"port", Show(port))
			client = p.readWrite(e, wheel.ReadWriteOptions{
				Handle: c.Socket, InputEvent: "line", ErrorEvent: "error",
			})
			put(client, 0, "one", "two")
		}),
		"line": session.On(func(_ *kernel.Event, in *wheel.Input) {
			p.Note("client", "line", Show(in.Bytes))
			if lines++; lines == 2 {
				client.Close()
			}
		}),
		"error": session.On(func(_ *kernel.Event, err *wheel.Error) {
			p.Note("client", "error", err.Op)
		}),
		"failed": session.On(func(_ *kernel.Event, err *wheel.Error) {
			p.Note("client", "failed", err.Op, Errname(err))
		}),
		kernel.Stop: func(*kernel.Event) { p.Note("client", "_stop") },
	})
	p.run()
	p.PrintNotes()
}

func listenAccept(p *program) {
	listening, err := p.k.Loop().Socket("tcp4")
	if err != nil {
		p.T.Fatal(err)
	}
	err = errors.Join(listening.Bind(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}), listening.Listen(5))
	if err != nil {
		p.T.Fatal(err)
	}
	var clients []io.Closer
	var last net.Conn
	var w *wheel.ListenAccept
	accepted := 0
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w, err = wheel.NewListenAccept(e.Session, wheel.ListenAcceptOptions{
				Handle: listening, AcceptEvent: "accepted", ErrorEvent: "error",
			})
			if err != nil {
				p.T.Fatal(err)
			}
			e.Session.Delay("connect", ms(50))
		},
		"connect": func(e *kernel.Event) {
			port := portOf(listening.LocalAddr())
			// The system connects without the program's doing, which is busy with waiting here.
			last, err = net.Dial("tcp4", fmt.Sprint("127.0.0.1:", port))
			if err != nil {
				p.T.Error(err)
				return
			}
			clients = append(clients, last)
			p.Note("main", "client", len(clients), "connected")
			if len(clients) < 3 {
				e.Session.Delay("connect", ms(100))
			}
		},
		"accepted": session.On(func(_ *kernel.Event, c *wheel.Connection) {
			host, port := address(c.Remote)
			packed := slices.Delete(positions(c), 1, 2) // address and port are one argument here
			p.Note("server", "accepted", host, "port",
				either(port == portOf(last.LocalAddr(), nil), "of client", "wrong"),
				"wheel", ownID(c.Wheel, w.ID()), "args", len(packed))
			closeAll(c.Socket)
			if accepted++; accepted == 2 {
				w.SetAcceptEvent("last")
			}
		}),
		"last": session.On(func(_ *kernel.Event, c *wheel.Connection) {
			p.Note("server", "last")
			closeAll(c.Socket)
			w.Close()
		}),
		"error": session.On(func(_ *kernel.Event, err *wheel.Error) {
			p.Note("server", "error", err.Op)
		}),
		kernel.Stop: func(*kernel.Event) { p.Note("server", "_stop") },
	})
	p.run()
	p.PrintNotes()
	closeAll(append(clients, listening)...)
}
