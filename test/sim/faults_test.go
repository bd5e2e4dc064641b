package sim_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/test/looptest"
	"github.com/go-poe/poe/test/sim"
)

// converse has a client ask and a server answer, as sessions of one kernel, and returns what the
// client got, with the error that ended it.
func converse(t *testing.T, world *sim.World, question string) (answer string, failed error) {
	t.Helper()
	k := newKernel(t, world)
	l := listen(t, world, "10.0.0.1:25")
	done := func(e *kernel.Event, h kernel.Handle) {
		must(t, e.Session.Select(h, "", "", ""))
		must(t, h.Close())
	}
	server := func(s kernel.Socket) table {
		var text []byte
		return table{
			kernel.Start: func(e *kernel.Event) { must(t, e.Session.SelectRead(s, "read")) },
			"read": func(e *kernel.Event) {
				var p [512]byte
				n, err := s.Read(p[:])
				text = append(text, p[:n]...)
				switch {
				case err == kernel.ErrAgain:
				case err == io.EOF:
					must(t, e.Session.Select(s, "", "write", ""))
				case err != nil:
					done(e, s)
				}
			},
			"write": func(e *kernel.Event) {
				n, err := s.Write(text)
				text = text[n:]
				if len(text) == 0 || err != nil && err != kernel.ErrAgain {
					done(e, s)
				}
			},
		}
	}
	k.Create(table{
		kernel.Start: func(e *kernel.Event) { must(t, e.Session.SelectRead(l, "accept")) },
		"accept": func(e *kernel.Event) {
			if s, err := l.Accept(); err == nil {
				e.Session.Create(server(s))
			}
		},
		"close": func(e *kernel.Event) { done(e, l) },
	})
	acceptor := k.Root().Children()[0]
	s := open(t, world, "tcp4")
	end := func(e *kernel.Event, err error) {
		failed = err
		done(e, s)
		must(t, e.Session.Post(acceptor, "close"))
	}
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			wants(t, s.Connect(tcpAddr(t, "10.0.0.1:25")), kernel.ErrAgain)
			must(t, e.Session.SelectWrite(s, "connected"))
		},
		"connected": func(e *kernel.Event) {
			switch err := s.ConnectError(); err {
			case nil:
				must(t, e.Session.Select(s, "read", "write", ""))
			case kernel.ErrAgain:
			default:
				end(e, err)
			}
		},
		"write": func(e *kernel.Event) {
			n, err := s.Write([]byte(question))
			question = question[n:]
			switch {
			case err != nil && err != kernel.ErrAgain:
				end(e, err)
			case question == "":
				must(t, s.CloseWrite())
				must(t, e.Session.SelectWrite(s, ""))
			}
		},
		"read": func(e *kernel.Event) {
			var p [512]byte
			n, err := s.Read(p[:])
			answer += string(p[:n])
			if err != nil && err != kernel.ErrAgain {
				end(e, err)
			}
		},
	})
	if err := k.Run(t.Context()); err != nil {
		t.Fatalf("Run: %v\n%v", err, k.WhyAlive())
	}
	return answer, failed
}

// question is what a conversation is about.
var question = strings.Repeat("What is the answer? ", 400)

// rough returns a world in which connections are split, delayed, and reported falsely, but not
// broken.
func rough(seed uint64) sim.Options {
	return sim.Options{
		Seed: seed, Latency: 5 * time.Millisecond, Jitter: 20 * time.Millisecond, Buffer: 1000,
		Faults: sim.Faults{
			Split: 0.7, Again: 0.3, Spurious: 0.2, Shuffle: true, SlowAccept: 50 * time.Millisecond,
		},
	}
}

func TestConversationSurvives(t *testing.T) {
	for seed := range uint64(20) {
		answer, err := converse(t, sim.New(rough(seed)), question)
		if answer != question || err != io.EOF {
			t.Errorf("seed %d: %d bytes of %d, %v", seed, len(answer), len(question), err)
		}
	}
}

// Whatever breaks, everybody hears of it, and comes to an end.
func TestConversationBreaks(t *testing.T) {
	outcomes := make(map[error]int)
	for seed := range uint64(60) {
		opts := rough(seed)
		opts.Faults.Reset = 0.01
		opts.Faults.Refuse = 0.2
		answer, err := converse(t, sim.New(opts), question)
		if !strings.HasPrefix(question, answer) {
			t.Errorf("seed %d: the answer is %q", seed, answer)
		}
		known := false
		for _, e := range []error{io.EOF, syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNREFUSED} {
			if errors.Is(err, e) {
				known = true
				outcomes[e]++
			}
		}
		if !known {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
	for _, e := range []error{io.EOF, syscall.ECONNRESET, syscall.ECONNREFUSED} {
		if outcomes[e] == 0 {
			t.Errorf("in no run the outcome was %v: %v", e, outcomes)
		}
	}
}

func TestResetAfter(t *testing.T) {
	world := sim.New(sim.Options{Faults: sim.Faults{ResetAfter: 100}})
	client, server := overTCP(t, world)
	if n, err := client.Write(make([]byte, 250)); n != 100 || err != nil {
		t.Errorf("Write: %d, %v, want 100", n, err)
	}
	_, err := client.Write(make([]byte, 1))
	wants(t, err, syscall.ECONNRESET)
	got, err := readAll(t, world, server)
	if len(got) != 100 {
		t.Errorf("read %d bytes, want 100", len(got))
	}
	wants(t, err, syscall.ECONNRESET)
}

func TestRefuse(t *testing.T) {
	world := sim.New(sim.Options{Faults: sim.Faults{Refuse: 1}})
	listen(t, world, "127.0.0.1:25")
	wants(t, connecting(t, world, open(t, world, "tcp4"), "127.0.0.1:25"), syscall.ECONNREFUSED)
}

func TestNoDescriptor(t *testing.T) {
	world := sim.New(sim.Options{Seed: 1, Faults: sim.Faults{Descriptors: 0.5}})
	failed := 0
	for range 100 {
		if _, err := world.Socket("tcp4"); err != nil {
			wants(t, err, syscall.EMFILE)
			failed++
		}
	}
	if failed < 25 || failed > 75 {
		t.Errorf("%d of 100 failed, want about half", failed)
	}
}

// A world says to the byte what happened in it, and the same seed makes the same happen.
func TestSameSeedSameTrace(t *testing.T) {
	run := func(seed uint64) string {
		var trace bytes.Buffer
		opts := rough(seed)
		opts.Trace = &trace
		opts.Faults.Reset = 0.002
		_, _ = converse(t, sim.New(opts), question)
		return trace.String()
	}
	seen := make(map[string]uint64)
	for seed := range uint64(10) {
		first, second := run(seed), run(seed)
		if first != second {
			t.Errorf("seed %d: two runs differ:\n%s", seed, difference(first, second))
		}
		if strings.Count(first, "\n") < 100 {
			t.Errorf("seed %d: the trace is short:\n%s", seed, first)
		}
		if other, ok := seen[first]; ok {
			t.Errorf("seeds %d and %d have the same trace", other, seed)
		}
		seen[first] = seed
	}
}

// difference shows where two traces part.
func difference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return fmt.Sprintf("line %d: %q and %q", i+1, as[i], bs[i])
		}
	}
	return fmt.Sprintf("%d lines and %d", len(as), len(bs))
}

// The whole suite for kernels leaves the same trace each time.
func TestKernelsSameTrace(t *testing.T) {
	var runs [2][]*bytes.Buffer
	for i := range runs {
		looptest.Kernels(t, func(*testing.T) kernel.Loop {
			trace := new(bytes.Buffer)
			runs[i] = append(runs[i], trace)
			opts := rough(7)
			opts.Trace = trace
			return sim.New(opts)
		})
	}
	for i, first := range runs[0] {
		if second := runs[1][i]; first.String() != second.String() {
			t.Errorf("case %d: %s", i, difference(first.String(), second.String()))
		}
	}
}

func TestTrace(t *testing.T) {
	var trace bytes.Buffer
	world := sim.New(sim.Options{Latency: 10 * time.Millisecond, Trace: &trace})
	answer, err := converse(t, world, "ping")
	if answer != "ping" || err != io.EOF {
		t.Errorf("got %q, %v", answer, err)
	}
	want := `0.000000000 1000 socket tcp4
0.000000000 1000 bind 10.0.0.1:25
0.000000000 1000 listen
0.000000000 1001 socket tcp4
0.000000000 1001 bind 10.0.0.1:32768
0.000000000 1001 connect 10.0.0.1:25 from 10.0.0.1:32768
0.010000000 1000 ready: read
0.010000000 1000 accept 1002
0.020000000 1001 is connected
0.020000000 1001 ready: write
0.020000000 1001 ready: write
0.020000000 1001 write 4 of 4: "ping"
0.020000000 1001 closes its output
0.030000000 1002 ready: read
0.030000000 1002 read 4 of 512: "ping"
0.030000000 1002 ready: read
0.030000000 1002 ready: write
0.030000000 1002 write 4 of 4: "ping"
0.030000000 1002 close
0.040000000 1001 ready: read
0.040000000 1001 read 4 of 512: "ping"
0.040000000 1001 ready: read
0.040000000 1001 close
0.040000000 1000 close
`
	if got := trace.String(); got != want {
		t.Errorf("the trace is:\n%s\nwant:\n%s", got, want)
	}
}
