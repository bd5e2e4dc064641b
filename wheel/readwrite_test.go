package wheel_test

import (
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

func TestReadWriteOptions(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	for _, test := range []struct {
		want string
		opts wheel.ReadWriteOptions
	}{
		{"wheel: ReadWriteOptions has no Handle", wheel.ReadWriteOptions{}},
		{"wheel: ReadWriteOptions has no Handle", wheel.ReadWriteOptions{InputHandle: near}},
		{"wheel: ReadWriteOptions has no Handle", wheel.ReadWriteOptions{OutputHandle: near}},
		{"wheel: ReadWriteOptions has a Handle, and InputHandle or OutputHandle",
			wheel.ReadWriteOptions{Handle: near, OutputHandle: near}},
		{"wheel: ReadWriteOptions has a size below 0",
			wheel.ReadWriteOptions{Handle: near, MaxOutput: -1}},
		{"wheel: ReadWriteOptions has a size below 0",
			wheel.ReadWriteOptions{Handle: near, BlockSize: -1}},
		{"wheel: ReadWriteOptions has no HighMark",
			wheel.ReadWriteOptions{Handle: near, HighEvent: "high"}},
		{"wheel: ReadWriteOptions has no HighMark",
			wheel.ReadWriteOptions{Handle: near, LowEvent: "low"}},
		{"wheel: ReadWriteOptions has no HighMark",
			wheel.ReadWriteOptions{Handle: near, LowMark: -1}},
		{"wheel: ReadWriteOptions: LowMark is not below HighMark",
			wheel.ReadWriteOptions{Handle: near, HighMark: 10, LowMark: 10}},
		{"wheel: ReadWriteOptions: LowMark is not below HighMark",
			wheel.ReadWriteOptions{Handle: near, HighMark: -1, LowMark: -2}},
		{"wheel: ReadWriteOptions: LowMark is not below HighMark",
			wheel.ReadWriteOptions{Handle: near, HighMark: 1, LowMark: -1}},
		{"wheel: ReadWriteOptions: HighMark is above MaxOutput",
			wheel.ReadWriteOptions{Handle: near, HighMark: 11, MaxOutput: 10}},
	} {
		wantPanic(t, test.want, func() { _, _ = wheel.NewReadWrite(p.k.Root(), test.opts) })
	}
	if near.FD() < 0 {
		t.Error("a wheel that was not made has closed its handle")
	}
	near.Close()
	far.Close()
}

// The records are the same however the stream is cut.
func TestInputInPieces(t *testing.T) {
	const text = "one\r\ntwo\nthree\r\n\r\nfive\r\nand the rest"
	for size := 1; size <= len(text); size++ {
		p := simulated(t, sim.Options{})
		near, far := p.pair()
		var w *wheel.ReadWrite
		left := text
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				w = p.readWrite(e.Session, wheel.ReadWriteOptions{
					Handle: near, InputEvent: "line", ErrorEvent: "error",
				})
				e.Session.Yield("feed")
			},
			"feed": func(e *kernel.Event) {
				n := min(size, len(left))
				p.write(far, left[:n])
				if left = left[n:]; left == "" {
					far.Close()
					return
				}
				e.Session.Delay("feed", tick)
			},
			"line": p.input,
			"error": func(e *kernel.Event) {
				p.failed(e)
				p.note("left %q", w.InputFilter().Pending())
				w.Close()
			},
		})
		p.run()
		p.want(`line "one"`, `line "two"`, `line "three"`, `line ""`, `line "five"`,
			"error read: EOF", `left "and the rest"`)
	}
}

func TestBlockSize(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	var w *wheel.ReadWrite
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{
				Handle: near, InputEvent: "bytes", BlockSize: 3,
				Filter: filter.NewStream(filter.StreamOptions{}),
			})
			p.write(far, "abcdefg")
			e.Session.Delay("over", tick)
		},
		"bytes": p.input,
		"over":  func(*kernel.Event) { w.Close(); far.Close() },
	})
	p.run()
	p.want(`bytes "abc"`, `bytes "def"`, `bytes "g"`)
}

// An event of a wheel comes from the session itself, and carries the wheel's ID.
func TestInputEvent(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	var w *wheel.ReadWrite
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{Handle: near, InputEvent: "line"})
			p.write(far, "x\n")
		},
		"line": session.On(func(e *kernel.Event, in *wheel.Input) {
			if in.Wheel != w.ID() || e.Sender != e.Session || len(e.Args) != 1 {
				t.Errorf("event of wheel %d from %v with %d arguments, want wheel %d, %v and 1",
					in.Wheel, e.Sender, len(e.Args), w.ID(), e.Session)
			}
			w.Close()
			far.Close()
		}),
	})
	p.run()
}

// Without an event for it nothing is read, and the wheel still keeps its owner alive.
func TestNoInputEvent(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	var w *wheel.ReadWrite
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{Handle: near})
		},
		kernel.Stop: p.said,
	})
	other := p.create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Delay("look", tick) },
		"look": func(e *kernel.Event) {
			p.write(far, "nobody reads this\n")
			e.Session.Delay("close", tick)
		},
		"close": func(e *kernel.Event) {
			p.note("read %q", p.read(near))
			w.Close()
			e.Session.Delay("after", tick)
		},
		"after": func(*kernel.Event) { p.note("after"); far.Close() },
	})
	_ = other
	p.run()
	p.want(`read "nobody reads this\n"`, "_stop", "after")
}

func TestEndOfInput(t *testing.T) {
	everywhere(t, func(p *place) {
		near, far := p.pair()
		var w *wheel.ReadWrite
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				w = p.readWrite(e.Session, wheel.ReadWriteOptions{
					Handle: near, InputEvent: "line", ErrorEvent: "error", FlushedEvent: "flushed",
				})
				p.write(far, "last\n")
				if err := far.CloseWrite(); err != nil {
					p.Error(err)
				}
			},
			"line": p.input,
			"error": session.On(func(e *kernel.Event, err *wheel.Error) {
				p.failed(e)
				if !errors.Is(err, io.EOF) || err.Errno() != 0 || err.Text() != "" {
					p.Errorf("error %v, number %d, text %q", err, err.Errno(), err.Text())
				}
				if err.Wheel != w.ID() {
					p.Errorf("error of wheel %d, want %d", err.Wheel, w.ID())
				}
				p.note("put %v", w.PutString("still there"))
			}),
			"flushed": func(*kernel.Event) {
				p.note("far end read %q", p.read(far))
				w.Close()
				far.Close()
			},
			kernel.Stop: p.said,
		})
		p.run()
		p.want(`line "last"`, "error read: EOF", "put <nil>",
			`far end read "still there\r\n"`, "_stop")
	})
}

// A handle may return the last bytes together with the error.
func TestBytesBeforeError(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	odd := &handle{Handle: near}
	odd.read = func(b []byte) (int, error) { return copy(b, "a\nb\nc"), syscall.EIO }
	var w *wheel.ReadWrite
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{
				Handle: odd, InputEvent: "line", ErrorEvent: "error",
			})
			p.write(far, "x")
		},
		"line": p.input,
		"error": session.On(func(e *kernel.Event, err *wheel.Error) {
			p.note("%s %v %q", err.Op, err.Errno() == syscall.EIO, err.Text())
			w.Close()
			far.Close()
		}),
	})
	p.run()
	p.want(`line "a"`, `line "b"`, `read true "input/output error"`)
}

// What the filter cannot read is an error like any other, and comes once.
func TestInputNotForFilter(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	var w *wheel.ReadWrite
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{
				Handle: near, InputEvent: "line", ErrorEvent: "error",
				Filter: filter.NewLine(filter.LineOptions{MaxLength: 5}),
			})
			p.write(far, "12345\n123456\n12\n")
			e.Session.Delay("more", tick)
		},
		"line": p.input,
		"error": session.On(func(e *kernel.Event, err *wheel.Error) {
			p.note("%s %v %d", err.Op, errors.Is(err, filter.ErrTooLong), err.Errno())
			if got, want := err.Text(), err.Err.Error(); got != want {
				t.Errorf("text %q, want %q", got, want)
			}
		}),
		"more": func(e *kernel.Event) {
			p.write(far, "more\n")
			e.Session.Delay("over", tick)
		},
		"over": func(*kernel.Event) { w.Close(); far.Close() },
	})
	p.run()
	p.want(`line "12345"`, "read true 0")
}

// Without an ErrorEvent, the wheel closes itself at the end of the input, when the answer is out,
// and the session ends.
//
// POE: P-4, where it stays alive for ever.
func TestEndWithoutErrorEvent(t *testing.T) {
	everywhere(t, func(p *place) {
		near, far := p.pair()
		var w *wheel.ReadWrite
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				w = p.readWrite(e.Session, wheel.ReadWriteOptions{Handle: near, InputEvent: "line"})
				p.write(far, "ping\n")
				far.CloseWrite()
			},
			"line": func(e *kernel.Event) {
				p.input(e)
				w.PutString("pong")
			},
			kernel.Stop: func(*kernel.Event) {
				p.note("far end read %q", p.read(far))
				far.Close()
			},
		})
		p.run()
		p.want(`line "ping"`, `far end read "pong\r\nEOF"`)
		if got := w.PutString("x"); got != wheel.ErrClosed {
			p.Errorf("Put at the end: %v, want %v", got, wheel.ErrClosed)
		}
	})
}

func TestErrorWithoutErrorEvent(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	odd := &handle{Handle: near, read: func([]byte) (int, error) { return 0, syscall.EIO }}
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w := p.readWrite(e.Session, wheel.ReadWriteOptions{Handle: odd, InputEvent: "line"})
			w.PutString("lost")
			p.write(far, "x")
		},
		kernel.Stop: func(*kernel.Event) {
			p.note("closed %v", near.FD() < 0)
			far.Close()
		},
	})
	p.run()
	p.want("closed true")
}

// When a handler closes the wheel, no record of the same chunk comes any more.
//
// POE: P-3, where they do.
func TestCloseInsideHandler(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	var w *wheel.ReadWrite
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{
				Handle: near, InputEvent: "line", ErrorEvent: "error", FlushedEvent: "flushed",
			})
			p.write(far, "one\ntwo\nthree\n")
		},
		"line": func(e *kernel.Event) {
			p.input(e)
			if kernel.Arg[*wheel.Input](e, 0).Bytes[0] == 't' {
				w.PutString("never written")
				w.Close()
				w.Close()
				p.note("put %v", w.PutString("x"))
				p.note("far end read %q", p.read(far))
				far.Close()
			}
		},
		"error":        p.failed,
		"flushed":      p.said,
		kernel.Default: p.unknown,
		kernel.Stop:    p.said,
	})
	p.run()
	p.want(`line "one"`, `line "two"`, "put wheel: closed", `far end read "EOF"`, "_stop")
}

// A handler that panics has nothing to do with the records after its own.
func TestHandlerPanics(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	var w *wheel.ReadWrite
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Sig("DIE", "died")
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{Handle: near, InputEvent: "line"})
			p.write(far, "one\ntwo\nthree\n")
		},
		"line": func(e *kernel.Event) {
			p.input(e)
			if string(kernel.Arg[*wheel.Input](e, 0).Bytes) == "two" {
				panic("two is too much")
			}
		},
		"died": func(e *kernel.Event) {
			e.Kernel.SigHandled()
			x := kernel.Arg[*kernel.Exception](e, 1)
			p.note("died of %v", x.Value)
			w.Close()
			far.Close()
		},
	})
	p.run()
	p.want(`line "one"`, `line "two"`, `line "three"`, "died of two is too much")
}

// A pause holds back what was not read. The records that were read already still come, as in POE.
func TestPauseInput(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	var w *wheel.ReadWrite
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{Handle: near, InputEvent: "line"})
			p.write(far, "one\ntwo\n")
			e.Session.Delay("write", tick)
		},
		"line": func(e *kernel.Event) {
			p.input(e)
			w.PauseInput()
			w.PauseInput()
		},
		"write": func(e *kernel.Event) {
			p.write(far, "three\n")
			e.Session.Delay("rename", tick)
		},
		"rename": func(e *kernel.Event) {
			p.note("another event")
			w.SetInputEvent("") // neither of which ends the pause
			w.SetInputEvent("again")
			e.Session.Delay("resume", tick)
		},
		"resume": func(e *kernel.Event) {
			p.note("resume")
			w.ResumeInput()
			e.Session.Delay("over", tick)
		},
		"again": p.input,
		"over":  func(*kernel.Event) { w.Close(); far.Close() },
	})
	p.run()
	p.want(`line "one"`, `line "two"`, "another event", "resume", `again "three"`)
}

// A peer that sends faster than the session wants is held back, and the wheel holds no more than it
// has read at once.
func TestPauseHoldsThePeerBack(t *testing.T) {
	everywhere(t, func(p *place) {
		near, far := p.pair()
		var w *wheel.ReadWrite
		const all = 8 << 20
		block := make([]byte, 64<<10)
		sent, got, most := 0, 0, 0
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				w = p.readWrite(e.Session, wheel.ReadWriteOptions{
					Handle: near, InputEvent: "bytes",
					Filter: filter.NewStream(filter.StreamOptions{}),
				})
				e.Session.SelectWrite(far, "send")
			},
			"send": func(e *kernel.Event) {
				n, err := far.Write(block)
				if err != nil && err != kernel.ErrAgain {
					p.Error(err)
				}
				if sent += n; sent >= all {
					e.Session.SelectWrite(far, "")
					far.CloseWrite()
				}
			},
			"bytes": session.On(func(e *kernel.Event, in *wheel.Input) {
				got += len(in.Bytes)
				most = max(most, sent-got)
				w.PauseInput()
				e.Session.Yield("pause")
			}),
			"pause":  func(e *kernel.Event) { e.Session.Yield("resume") },
			"resume": func(*kernel.Event) { w.ResumeInput() },
			kernel.Stop: func(*kernel.Event) {
				far.Close()
			},
		})
		p.run()
		if got < all || got != sent {
			p.Errorf("got %d bytes of %d", got, sent)
		}
		if most > 2<<20 {
			p.Errorf("%d bytes were on their way at once", most)
		}
	})
}

func TestShutdownInput(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	var w *wheel.ReadWrite
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{
				Handle: near, InputEvent: "line", ErrorEvent: "error", FlushedEvent: "flushed",
			})
			p.write(far, "one\ntwo\n")
		},
		"line": func(e *kernel.Event) {
			p.input(e)
			w.ShutdownInput()
			w.ShutdownInput()
			w.PutString("bye")
		},
		"error": p.failed,
		"flushed": func(e *kernel.Event) {
			p.note("far end read %q", p.read(far))
			e.Session.Delay("over", tick)
		},
		"over": func(*kernel.Event) { w.Close(); far.Close() },
	})
	p.run()
	p.want(`line "one"`, `far end read "bye\r\n"`)
}

// What was read while there was no event for it is not lost.
func TestSetInputEvent(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	var w *wheel.ReadWrite
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{Handle: near, InputEvent: "line"})
			p.write(far, "one\ntwo\nthree\nfo")
		},
		"line": func(e *kernel.Event) {
			p.input(e)
			w.SetInputEvent("")
			e.Session.Delay("on", tick)
		},
		"on": func(e *kernel.Event) {
			p.write(far, "ur\n")
			p.note("on")
			if err := w.SetInputEvent("other"); err != nil {
				t.Error(err)
			}
			p.note("is on")
		},
		"other": func(e *kernel.Event) {
			p.input(e)
			switch string(kernel.Arg[*wheel.Input](e, 0).Bytes) {
			case "two":
				w.SetInputEvent("third")
			case "four":
				w.Close()
				far.Close()
			}
		},
		"third": func(e *kernel.Event) {
			p.input(e)
			w.SetInputEvent("other")
		},
	})
	p.run()
	p.want(`line "one"`, "on", `other "two"`, `third "three"`, "is on", `other "four"`)
}

// What the old filter holds goes to the new one, and what that finds arrives before SetFilter
// returns.
func TestSetFilter(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	var w *wheel.ReadWrite
	lines := func(end string) filter.Filter {
		return filter.NewLine(filter.LineOptions{Literal: end})
	}
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{
				Handle: near, InputEvent: "record", ErrorEvent: "error", Filter: lines("\n"),
			})
			p.write(far, "one\ntwo\nthree;four;five!six!sev")
			e.Session.Delay("more", tick)
		},
		"record": session.On(func(e *kernel.Event, in *wheel.Input) {
			p.input(e)
			switch string(in.Bytes) {
			case "two":
				w.SetFilter(lines(";"))
				p.note("; is the filter, in the handler of %q", in.Bytes)
			case "four":
				w.SetInputFilter(lines("!"))
				p.note("! is the filter, in the handler of %q", in.Bytes)
			case "six":
				w.SetInputFilter(w.InputFilter()) // which changes nothing
				w.PutString("out")
			case "seven":
				w.Finish()
			}
		}),
		"more":  func(*kernel.Event) { p.write(far, "en!") },
		"error": p.failed,
		kernel.Stop: func(*kernel.Event) {
			p.note("far end read %q", p.read(far))
			far.Close()
		},
	})
	p.run()
	p.want(`record "one"`, `record "two"`, `record "three"`, `record "four"`, `record "five"`,
		`record "six"`, `! is the filter, in the handler of "four"`,
		`; is the filter, in the handler of "two"`, `record "seven"`, `far end read "out;EOF"`)
}

// Detach leaves the handle to somebody else, with what came in and was not delivered.
func TestDetach(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	var w *wheel.ReadWrite
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{
				Handle: near, InputEvent: "line", ErrorEvent: "error",
			})
			p.write(far, "one\ntwo\nthr")
		},
		"line": func(e *kernel.Event) {
			p.input(e)
			w.PutString("lost")
			p.note("pending %q", w.Detach())
			p.note("and again %q", w.Detach())
			w.Close()
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{Handle: near, InputEvent: "other"})
			p.write(far, "ee\n")
		},
		"other": func(e *kernel.Event) {
			p.input(e)
			w.PutString("found")
			w.Finish()
		},
		kernel.Default: p.unknown,
		kernel.Stop: func(*kernel.Event) {
			p.note("far end read %q", p.read(far))
			far.Close()
		},
	})
	p.run()
	p.want(`line "one"`, `pending "two\nthr"`, `and again ""`, `other "ee"`,
		`far end read "found\r\nEOF"`)
}

// Input and output may be two handles, as those of a child process are.
func TestTwoHandles(t *testing.T) {
	p := simulated(t, sim.Options{})
	in, toIn, err := p.world.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fromOut, out, err := p.world.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var w *wheel.ReadWrite
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{
				InputHandle: in, OutputHandle: out, InputEvent: "line", ErrorEvent: "error",
			})
			if w.InputHandle() != in || w.OutputHandle() != out {
				t.Error("the wheel has other handles")
			}
			p.write(toIn, "ping\n")
			toIn.Close()
		},
		"line": func(e *kernel.Event) {
			p.input(e)
			w.PutString("pong")
			w.ShutdownOutput()
		},
		"error": func(e *kernel.Event) {
			p.failed(e)
			p.note("other end read %q", p.read(fromOut))
			w.Close()
			fromOut.Close()
		},
	})
	p.run()
	p.want(`line "ping"`, "error read: EOF", `other end read "pong\r\nEOF"`)
}

// A wheel that cannot begin closes its handles and says why.
func TestReadWriteCannotBegin(t *testing.T) {
	p := simulated(t, sim.Options{})
	var ended *kernel.Session
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			ended = p.create(session.Events{})
			e.Session.Delay("try", tick)
		},
		"try": func(e *kernel.Event) {
			for _, event := range []string{"", "line"} {
				near, far := p.pair()
				_, err := wheel.NewReadWrite(ended, wheel.ReadWriteOptions{
					Handle: near, InputEvent: event,
				})
				if !errors.Is(err, kernel.ErrNoSession) || near.FD() >= 0 {
					t.Errorf("for a session that has ended: %v, descriptor %d", err, near.FD())
				}
				far.Close()
			}
			near, far := p.pair()
			near.Close()
			far.Close()
			_, err := wheel.NewReadWrite(e.Session, wheel.ReadWriteOptions{
				Handle: near, InputEvent: "line",
			})
			if !errors.Is(err, kernel.ErrInvalid) {
				t.Errorf("with a closed handle: %v, want %v", err, kernel.ErrInvalid)
			}
		},
	})
	p.run()
}

// Whatever the world does to the stream, what is echoed is what was sent.
func TestEchoSurvivesFaults(t *testing.T) {
	text := strings.Repeat("All work and no play makes a dull wheel.\r\n", 400)
	for seed := range uint64(50) {
		p := simulated(t, sim.Options{
			Seed: seed, Latency: tick, Jitter: tick, Buffer: 100,
			Faults: sim.Faults{Split: 0.5, Again: 0.3, Spurious: 0.3, Shuffle: true},
		})
		near, far := p.pair()
		var echo *wheel.ReadWrite
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				echo = p.readWrite(e.Session, wheel.ReadWriteOptions{
					Handle: near, InputEvent: "line", HighMark: 300, LowMark: 100,
					HighEvent: "high", LowEvent: "low",
				})
			},
			"line": session.On(func(e *kernel.Event, in *wheel.Input) { echo.Put(in.Bytes) }),
			"high": func(*kernel.Event) { echo.PauseInput() },
			"low":  func(*kernel.Event) { echo.ResumeInput() },
		})
		var w *wheel.ReadWrite
		var got strings.Builder
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				w = p.readWrite(e.Session, wheel.ReadWriteOptions{
					Handle: far, InputEvent: "bytes", ErrorEvent: "error",
					Filter: filter.NewStream(filter.StreamOptions{}),
				})
				w.PutString(text)
				w.ShutdownOutput()
			},
			"bytes": session.On(func(e *kernel.Event, in *wheel.Input) { got.Write(in.Bytes) }),
			"error": func(e *kernel.Event) { p.failed(e); w.Close() },
		})
		p.run()
		p.want("error read: EOF")
		if got.String() != text {
			t.Fatalf("seed %d: got %d bytes, which are not the %d that were sent",
				seed, got.Len(), len(text))
		}
	}
}
