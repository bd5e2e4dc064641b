package tcp_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/component/tcp"
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// An ordeal is a server with two clients: the first says a line ten times a second, and the second
// does its worst.
type ordeal struct {
	*place
	bad         *tcp.Conn
	connections int
	said, heard int           // by the good client
	late        time.Duration // the longest that it waited for an echo
	held        int           // bytes of the bad one, at most
	heap        int64         // bytes more than at the beginning, at most
}

const (
	longest   = 10_000 // a record
	highMark  = 100_000
	maxOutput = 200_000
)

func lines() filter.Filter { return filter.NewLine(filter.LineOptions{MaxLength: longest}) }

func blocks() filter.Filter { return filter.NewBlock(filter.BlockOptions{MaxLength: longest}) }

// Whatever a client does, what goes wrong is told once, no more is in memory than the options
// allow, and another client does not notice. Each ordeal takes a minute of the world's time.
func TestBadInput(t *testing.T) {
	flood := strings.Repeat("x", 60_000)
	talk := strings.Repeat("a line of some length, over and over again\n", 1000)
	tests := []struct {
		name   string
		filter func() filter.Filter
		opts   tcp.ServerOptions
		serve  func(o *ordeal, c *tcp.Conn, in *wheel.Input) // nil notes what comes
		bad    func(p *place, far kernel.Handle)
		want   []string
	}{
		{name: "a line without end", filter: lines,
			bad:  func(p *place, far kernel.Handle) { p.pour(far, flood, 0) },
			want: []string{"error read filter: record is too long", "disconnected"}},
		{name: "a line without end, byte by byte", filter: lines,
			bad:  func(p *place, far kernel.Handle) { p.trickle(far, flood, tick) },
			want: []string{"error read filter: record is too long", "disconnected"}},
		{name: "a block that is too long", filter: blocks,
			bad:  func(p *place, far kernel.Handle) { p.pour(far, "999999999\x00"+flood, 0) },
			want: []string{"error read filter: record is too long", "disconnected"}},
		{name: "a block of no length", filter: blocks,
			bad:  func(p *place, far kernel.Handle) { p.pour(far, "-1\x00"+flood, 0) },
			want: []string{"error read filter: malformed input", "disconnected"}},
		{name: "a length without end", filter: blocks,
			bad:  func(p *place, far kernel.Handle) { p.pour(far, strings.Repeat("0", 60_000), 0) },
			want: []string{"error read filter: record is too long", "disconnected"}},
		{name: "a block that never comes whole", filter: blocks,
			bad: func(p *place, far kernel.Handle) { p.write(far, "9999\x00"+flood[:5000]) }},
		{name: "a block that ends early", filter: blocks,
			bad: func(p *place, far kernel.Handle) {
				p.write(far, "9999\x00"+flood[:5000])
				far.CloseWrite()
			},
			want: []string{"error read EOF", "disconnected"}},
		{name: "a reset in the middle of a record", filter: lines,
			bad: func(p *place, far kernel.Handle) {
				p.write(far, "whole\nnot who")
				p.step(func() { p.world.Reset(far) })
			},
			want: []string{`input "whole"`, "error read connection reset by peer", "disconnected"}},
		{name: "a byte a second", filter: lines,
			bad:  func(p *place, far kernel.Handle) { p.trickle(far, "slow\n", time.Second) },
			want: []string{`input "slow"`}},
		{name: "one that talks and never reads", filter: lines,
			opts: tcp.ServerOptions{
				HighMark: highMark, LowMark: highMark / 2,
				ClientHigh: (*tcp.Conn).PauseInput, ClientLow: (*tcp.Conn).ResumeInput,
			},
			serve: (*ordeal).echo,
			bad:   func(p *place, far kernel.Handle) { p.pour(far, talk, 0) }},
		{name: "one that talks and reads a byte a second", filter: lines,
			opts: tcp.ServerOptions{
				HighMark: highMark, LowMark: highMark / 2,
				ClientHigh: (*tcp.Conn).PauseInput, ClientLow: (*tcp.Conn).ResumeInput,
			},
			serve: (*ordeal).echo,
			bad:   func(p *place, far kernel.Handle) { p.pour(far, talk, time.Second) }},
		{name: "one that talks and never reads, without marks", filter: lines,
			serve: (*ordeal).echo,
			bad:   func(p *place, far kernel.Handle) { p.pour(far, talk, 0) },
			want:  []string{"full", "disconnected"}},
		{name: "one that never reads what is left", filter: lines,
			opts: tcp.ServerOptions{FlushTimeout: 10 * time.Second},
			serve: func(_ *ordeal, c *tcp.Conn, _ *wheel.Input) {
				_ = c.PutString(strings.Repeat("y", maxOutput-2))
				c.Shutdown()
			},
			bad:  func(p *place, far kernel.Handle) { p.write(far, "?\n") },
			want: []string{"error write connection timed out", "disconnected"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := &ordeal{place: newPlace(t)}
			opts := o.options(tt.opts, tt.serve)
			opts.ClientFilter = tt.filter()
			s := o.server(opts)
			o.talker(s, tt.filter())
			o.step(func() {
				far := o.dial(s)
				o.step(func() { tt.bad(o.place, far) })
			})
			o.watch(time.Minute)
			o.run()
			o.want(tt.want...)
			o.verdict()
		})
	}
}

// options completes the options of the server.
func (o *ordeal) options(
	opts tcp.ServerOptions, serve func(o *ordeal, c *tcp.Conn, in *wheel.Input),
) tcp.ServerOptions {
	opts.MaxOutput = maxOutput
	opts.ClientConnected = func(c *tcp.Conn) {
		if o.connections++; o.connections == 2 {
			o.bad = c
		}
	}
	opts.ClientInput = func(c *tcp.Conn, in *wheel.Input) {
		switch {
		case c != o.bad:
			_ = c.Put(in.Bytes)
		case serve != nil:
			serve(o, c, in)
		default:
			o.note("input %q", in.Bytes)
		}
	}
	opts.ClientError = func(c *tcp.Conn, err *wheel.Error) {
		if c != o.bad {
			return
		}
		for _, kind := range []error{filter.ErrTooLong, filter.ErrMalformed} {
			if errors.Is(err, kind) {
				o.note("error %s %v", err.Op, kind)
				return
			}
		}
		o.note("error %s", what(err))
	}
	opts.ClientDisconnected = func(c *tcp.Conn) {
		if c == o.bad && o.world.Elapsed() < time.Minute { // and not because all is over
			o.note("disconnected")
		}
	}
	opts.Stopped = func(*tcp.Server) {}
	return opts
}

// echo sends a line back, and hangs up if there is no room for it.
func (o *ordeal) echo(c *tcp.Conn, in *wheel.Input) {
	if err := c.Put(in.Bytes); errors.Is(err, wheel.ErrOutputFull) {
		o.note("full")
		c.Close()
	}
}

// talker spawns the good client.
func (o *ordeal) talker(s *tcp.Server, f filter.Filter) {
	var began time.Duration
	o.client(o.at(s), tcp.ClientOptions{
		Filter:    f,
		Connected: func(c *tcp.Client) { c.Session.Yield("talk") },
		ServerInput: func(*tcp.Client, *wheel.Input) {
			o.heard++
			o.late = max(o.late, o.world.Elapsed()-began)
		},
		Disconnected: func(*tcp.Client) {},
		Events: session.Events{"talk": func(e *kernel.Event) {
			_ = tcp.ClientOf(e).PutString("are you there?")
			began = o.world.Elapsed()
			o.said++
			e.Session.Delay("talk", 100*time.Millisecond)
		}},
	})
}

// watch looks every three seconds at what is in memory, and ends the ordeal.
func (o *ordeal) watch(end time.Duration) {
	before := heapInUse()
	o.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Yield("look") },
		"look": func(e *kernel.Event) {
			if o.bad != nil && o.bad.Connected() {
				w := o.bad.Wheel()
				o.held = max(o.held, w.OutOctets()+len(w.InputFilter().Pending()))
			}
			o.heap = max(o.heap, heapInUse()-before)
			if o.world.Elapsed() >= end {
				o.k.Stop()
				return
			}
			e.Session.Delay("look", 3*time.Second)
		},
	})
}

func heapInUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// verdict checks what watch and the good client have seen.
func (o *ordeal) verdict() {
	o.Helper()
	if o.bad == nil {
		o.Error("the bad client never came")
	}
	if most := maxOutput + 64<<10; o.held > most { // a block that was read is dealt with at once
		o.Errorf("the connection held %d bytes, want at most %d", o.held, most)
	}
	if o.heap > 2<<20 {
		o.Errorf("the heap grew by %d bytes", o.heap)
	}
	if o.heard != o.said || o.said < 590 || o.late > 0 {
		o.Errorf("the good client heard %d of %d echoes, and waited %v for one",
			o.heard, o.said, o.late)
	}
}
