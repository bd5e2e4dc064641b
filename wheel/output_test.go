package wheel_test

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// All that is put during a turn leaves in one write, and there is one FlushedEvent for it.
func TestOneWritePerTurn(t *testing.T) {
	everywhere(t, func(p *place) {
		near, far := p.pair()
		counted := &handle{Handle: near}
		var w *wheel.ReadWrite
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				w = p.readWrite(e.Session, wheel.ReadWriteOptions{
					Handle: counted, FlushedEvent: "flushed",
				})
				for range 100 {
					w.PutString("line")
				}
				p.note("put 100 records, %d bytes", w.OutOctets())
				e.Session.Yield("more", 3)
			},
			"more": session.On(func(e *kernel.Event, left int) {
				w.PutString("more")
				if left > 1 {
					e.Session.Yield("more", left-1)
				}
			}),
			"flushed": func(e *kernel.Event) {
				p.note("flushed in %d writes, %d bytes left", counted.writes, w.OutOctets())
				p.note("far end read %d bytes", len(p.read(far)))
				if counted.writes == 1 {
					w.PutString("a second turn")
					return
				}
				w.Close()
				far.Close()
			},
		})
		p.run()
		p.want("put 100 records, 600 bytes",
			"flushed in 1 writes, 0 bytes left", "far end read 618 bytes",
			"flushed in 2 writes, 0 bytes left", "far end read 15 bytes")
	})
}

// The counts say what waits, and a record that is empty is no output.
func TestOutputCounts(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	var w *wheel.ReadWrite
	count := func(after string) {
		p.note("%s: %d bytes, %d records", after, w.OutOctets(), w.OutMessages())
	}
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{
				Handle: near, FlushedEvent: "flushed",
				Filter: filter.NewStream(filter.StreamOptions{}),
			})
			count("new")
			w.PutString("")
			count("nothing put")
			e.Session.Delay("put", tick)
		},
		"put": func(*kernel.Event) {
			w.PutString("abc")
			w.PutString("")
			w.PutString("de")
			count("put")
		},
		"flushed": func(*kernel.Event) {
			count("flushed")
			w.Close()
			far.Close()
		},
	})
	p.run()
	p.want("new: 0 bytes, 0 records", "nothing put: 0 bytes, 0 records",
		"put: 5 bytes, 2 records", "flushed: 0 bytes, 0 records")
}

// Flush does not wait for the end of the turn, and tells what there is to tell before it returns.
func TestFlush(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	var w *wheel.ReadWrite
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{
				Handle: near, FlushedEvent: "flushed", HighEvent: "high", LowEvent: "low",
				HighMark: 3, LowMark: 1,
			})
			w.Flush()
			w.PutString("abc")
			p.note("put, far end read %q", p.read(far))
			w.Flush()
			p.note("flush, far end read %q", p.read(far))
			w.Flush()
			e.Session.Delay("over", tick)
		},
		"high":    p.said,
		"low":     p.said,
		"flushed": p.said,
		"over": func(*kernel.Event) {
			w.Close()
			w.Flush()
			far.Close()
		},
	})
	p.run()
	p.want(`put, far end read ""`, "high", "low", "flushed", `flush, far end read "abc\r\n"`)
}

// What the handle does not take at once goes out as it takes more, in order, and is flushed once.
func TestOutputInPieces(t *testing.T) {
	for size := 1; size < 9; size++ {
		p := simulated(t, sim.Options{Buffer: size})
		near, far := p.pair()
		var w *wheel.ReadWrite
		var want, got strings.Builder
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				w = p.readWrite(e.Session, wheel.ReadWriteOptions{
					Handle: near, FlushedEvent: "flushed",
				})
				e.Session.Yield("put", 1)
				e.Session.Yield("read")
			},
			"put": session.On(func(e *kernel.Event, n int) {
				line := strings.Repeat("x", n)
				w.PutString(line)
				want.WriteString(line + "\r\n")
				if n < 20 {
					e.Session.Delay("put", tick, n+1)
				}
			}),
			"read": func(e *kernel.Event) {
				got.WriteString(p.read(far))
				e.Session.Delay("read", tick)
			},
			"flushed": func(e *kernel.Event) {
				if strings.Count(want.String(), "\n") < 20 {
					return
				}
				p.said(e)
				got.WriteString(p.read(far))
				e.Session.AlarmClear("read")
				w.Close()
				far.Close()
			},
		})
		p.run()
		p.want("flushed")
		if got.String() != want.String() {
			t.Errorf("by %d: the far end read %q, want %q", size, got.String(), want.String())
		}
	}
}

// Output that fails is told once. Reading goes on: the peer may have said why.
func TestWriteFails(t *testing.T) {
	everywhere(t, func(p *place) {
		near, far := p.pair()
		broken := &handle{Handle: near}
		took := false
		broken.write = func([]byte) (int, error) {
			if !took {
				took = true
				return 2, nil
			}
			return 0, syscall.EPIPE
		}
		var w *wheel.ReadWrite
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				w = p.readWrite(e.Session, wheel.ReadWriteOptions{
					Handle: broken, InputEvent: "line", ErrorEvent: "error",
					FlushedEvent: "flushed", HighMark: 4, HighEvent: "high", LowEvent: "low",
				})
				p.note("put %v", w.PutString("some"))
				w.ShutdownOutput()
			},
			"high": p.said, // and no low, for nothing was written
			"low":  p.said,
			"error": session.On(func(e *kernel.Event, err *wheel.Error) {
				p.note("%s %v %q, lost %d", err.Op, err.Errno() == syscall.EPIPE, err.Text(), err.Lost)
				p.note("%d bytes, high %v", w.OutOctets(), w.High())
				p.note("put %v", w.PutString("more"))
				w.Flush()
				p.write(far, "sorry\n")
			}),
			"line": func(e *kernel.Event) {
				p.input(e)
				w.Finish() // there is nothing to wait for
				p.note("closed %v", near.FD() < 0)
				far.Close()
			},
			"flushed": p.said,
		})
		p.run()
		p.want("put <nil>", "high", `write true "broken pipe", lost 4`, "0 bytes, high false",
			"put write: broken pipe", `line "sorry"`, "closed true")
	})
}

// A peer that closed without reading is an error of the system's.
func TestPeerGone(t *testing.T) {
	everywhere(t, func(p *place) {
		near, far := p.pair()
		var w *wheel.ReadWrite
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				w = p.readWrite(e.Session, wheel.ReadWriteOptions{Handle: near})
				w.SetErrorEvent("error")
				far.Close()
				w.PutString("anybody there?")
			},
			"error": session.On(func(e *kernel.Event, err *wheel.Error) {
				p.note("%s %v", err.Op, err.Errno() == syscall.EPIPE)
				w.Close()
			}),
		})
		p.run()
		p.want("write true")
	})
}

func TestWriteFailsWithoutErrorEvent(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	far.Close()
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w := p.readWrite(e.Session, wheel.ReadWriteOptions{
				Handle: near, FlushedEvent: "flushed", LowEvent: "low", HighMark: 1,
			})
			w.PutString("anybody there?")
		},
		"flushed":      p.said,
		"low":          p.said,
		kernel.Default: p.unknown,
		kernel.Stop:    func(*kernel.Event) { p.note("closed %v", near.FD() < 0) },
	})
	p.run()
	p.want("closed true")
}

// Each mark is told of once for each time that it is crossed.
//
// POE: P-1, where HighEvent never comes, and P-2, where a put between the marks loses LowEvent.
func TestMarks(t *testing.T) {
	p := simulated(t, sim.Options{Buffer: 10})
	near, far := p.pair()
	var w *wheel.ReadWrite
	put := func(n int) {
		if err := w.PutString(strings.Repeat("x", n)); err != nil {
			t.Error(err)
		}
		p.note("put %d: %d, high %v", n, w.OutOctets(), w.High())
	}
	drain := func() { p.note("far end read %d", len(p.read(far))) }
	steps := []func(){
		func() { put(99) },
		func() { put(30) },         // 10 of the 99 are in the stream
		func() { put(1) },          // above the mark: nothing new
		drain, drain, drain, drain, // to 80: between the marks
		func() { put(10) },         // P-2
		drain, drain, drain, drain, // to 50
		drain,                         // to the low mark
		func() { put(60) },            // and up again
		func() { w.SetMarks(200, 0) }, // down to nothing, now
	}
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{
				Handle: near, FlushedEvent: "flushed", HighEvent: "high", LowEvent: "low",
				HighMark: 100, LowMark: 40, Filter: filter.NewStream(filter.StreamOptions{}),
			})
			e.Session.Yield("step")
		},
		"step": func(e *kernel.Event) {
			if len(steps) > 0 {
				steps[0]()
				steps = steps[1:]
			} else {
				p.read(far)
			}
			e.Session.Delay("step", tick)
		},
		"high": p.said,
		"low":  func(e *kernel.Event) { p.note("low at %d", w.OutOctets()) },
		"flushed": func(e *kernel.Event) {
			p.said(e)
			e.Session.AlarmClear("step")
			w.Close()
			far.Close()
		},
	})
	p.run()
	p.want(
		"put 99: 99, high false",
		"put 30: 119, high true", "high",
		"put 1: 120, high true",
		"far end read 10", "far end read 10", "far end read 10", "far end read 10",
		"put 10: 90, high true",
		"far end read 10", "far end read 10", "far end read 10", "far end read 10",
		"far end read 10", "low at 40",
		"put 60: 100, high true", "high",
		"low at 0", "flushed",
	)
}

// A mark that is crossed in both directions within a turn, or within a Flush, is told of in the
// order of the crossings, and never after Close.
func TestMarksInOneTurn(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(w *wheel.ReadWrite)
		want []string
	}{
		{"put", func(*wheel.ReadWrite) {}, []string{"high", "low", "flushed"}},
		{"flush", (*wheel.ReadWrite).Flush, []string{"high", "low", "flushed"}},
		{"close", (*wheel.ReadWrite).Close, nil},
		{"detach", func(w *wheel.ReadWrite) { w.Detach() }, nil},
		{"twice", func(w *wheel.ReadWrite) { w.Flush(); w.PutString("four more"); w.Flush() },
			[]string{"high", "low", "flushed", "high", "low", "flushed"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := simulated(t, sim.Options{})
			near, far := p.pair()
			var w *wheel.ReadWrite
			p.create(session.Events{
				kernel.Start: func(e *kernel.Event) {
					w = p.readWrite(e.Session, wheel.ReadWriteOptions{
						Handle: near, FlushedEvent: "flushed", HighEvent: "high", LowEvent: "low",
						HighMark: 4,
					})
					w.PutString("four")
					test.do(w)
					e.Session.Delay("over", tick)
				},
				"high": p.said, "low": p.said, "flushed": p.said,
				kernel.Default: p.unknown,
				"over": func(*kernel.Event) {
					w.Close()
					near.Close() // after Detach it is nobody's
					far.Close()
				},
			})
			p.run()
			p.want(test.want...)
		})
	}
}

// A handler of LowEvent may put more, and flush it, or close the wheel.
func TestPutInLowEvent(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	var w *wheel.ReadWrite
	left := 3
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{
				Handle: near, FlushedEvent: "flushed", LowEvent: "low", HighMark: 4,
			})
			w.PutString("first")
		},
		"low": func(e *kernel.Event) {
			p.said(e)
			left--
			switch left {
			case 2:
				w.PutString("second")
			case 1:
				w.PutString("third")
				w.Flush()
			case 0:
				p.note("far end read %q", p.read(far))
				w.Close()
				far.Close()
			}
		},
		"flushed":      p.said,
		kernel.Default: p.unknown,
	})
	p.run()
	p.want("low", "low", "low", `far end read "first\r\nsecond\r\nthird\r\n"`)
}

func TestSetMarks(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w := p.readWrite(e.Session, wheel.ReadWriteOptions{Handle: near, MaxOutput: 100})
			const crossed = "wheel: SetMarks: LowMark is not below HighMark"
			wantPanic(t, crossed, func() { w.SetMarks(0, 0) })
			wantPanic(t, crossed, func() { w.SetMarks(5, 5) })
			const tooHigh = "wheel: SetMarks: HighMark is above MaxOutput"
			wantPanic(t, tooHigh, func() { w.SetMarks(101, 5) })
			w.SetMarks(100, 0)
			w.Close()
			far.Close()
		},
	})
	p.run()
}

// A peer that does not read costs no more than MaxOutput.
func TestMaxOutput(t *testing.T) {
	p := simulated(t, sim.Options{Buffer: 4})
	near, far := p.pair()
	var w *wheel.ReadWrite
	put := func(text string) {
		err := w.PutString(text)
		p.note("put %d: %v, %d bytes", len(text), err, w.OutOctets())
		if err != nil && err != wheel.ErrOutputFull {
			t.Errorf("got %v, want %v", err, wheel.ErrOutputFull)
		}
	}
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{
				Handle: near, MaxOutput: 10, Filter: filter.NewStream(filter.StreamOptions{}),
			})
			put("more than ten")
			put("exactly 10")
			put("x")
			e.Session.Delay("later", tick)
		},
		"later": func(e *kernel.Event) {
			put("12345")
			put("1234")
			w.Finish()
			e.Session.Yield("read")
		},
		"read": func(e *kernel.Event) {
			got := p.read(far)
			p.note("far end read %q", got)
			if !strings.HasSuffix(got, "EOF") {
				e.Session.Delay("read", tick)
				return
			}
			far.Close()
		},
	})
	p.run()
	p.want("put 13: wheel: too much output waits to be written, 0 bytes",
		"put 10: <nil>, 10 bytes",
		"put 1: wheel: too much output waits to be written, 10 bytes",
		"put 5: wheel: too much output waits to be written, 6 bytes",
		"put 4: <nil>, 10 bytes",
		`far end read "exac"`, `far end read "tly "`, `far end read "1012"`, `far end read "34EOF"`)
}

// A record that cannot be encoded leaves no trace.
func TestRecordNotForFilter(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w := p.readWrite(e.Session, wheel.ReadWriteOptions{Handle: near})
			err := w.PutRecord(filter.Record{Value: 42})
			p.note("%v, %d bytes", errors.Is(err, filter.ErrRecord), w.OutOctets())
			p.note("put %v", w.PutRecord(filter.Record{Value: "text"}))
			w.Finish()
		},
		kernel.Stop: func(*kernel.Event) {
			p.note("far end read %q", p.read(far))
			far.Close()
		},
	})
	p.run()
	p.want("true, 0 bytes", "put <nil>", `far end read "text\r\nEOF"`)
}

// ShutdownOutput waits for the output, and what is put after it is not written.
//
// POE: W-RW-50, where the output is lost.
func TestShutdownOutput(t *testing.T) {
	p := simulated(t, sim.Options{Buffer: 8})
	near, far := p.pair()
	var w *wheel.ReadWrite
	put := func(when string) {
		p.note("put %s: %v", when, w.PutString("late"))
	}
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{
				Handle: near, InputEvent: "line", FlushedEvent: "flushed", ErrorEvent: "error",
			})
			w.PutString("a long goodbye")
			w.ShutdownOutput()
			put("before")
			e.Session.Yield("read")
		},
		"read": func(e *kernel.Event) {
			got := p.read(far)
			p.note("far end read %q", got)
			if !strings.HasSuffix(got, "EOF") {
				e.Session.Delay("read", tick)
				return
			}
			put("after")
			put("again")
			w.ShutdownOutput()
			p.note("%d bytes", w.OutOctets())
			p.write(far, "over\n")
		},
		"flushed": p.said,
		"line": func(e *kernel.Event) {
			p.input(e)
			w.Finish()
			p.note("closed %v", near.FD() < 0)
			far.Close()
		},
		"error": p.failed,
	})
	p.run()
	p.want("put before: wheel: output is shut down", `far end read ""`,
		`far end read "a long g"`, "flushed", `far end read "oodbye\r\nEOF"`,
		"put after: wheel: output is shut down", "put again: wheel: output is shut down",
		"12 bytes", `line "over"`, "closed true")
}

// With nothing to write, ShutdownOutput tells the peer at once.
func TestShutdownOutputAtOnce(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w := p.readWrite(e.Session, wheel.ReadWriteOptions{Handle: near})
			w.ShutdownOutput()
			p.note("far end read %q", p.read(far))
			w.Close()
			far.Close()
			w.ShutdownOutput()
			w.ShutdownInput()
		},
	})
	p.run()
	p.want(`far end read "EOF"`)
}

func TestFinish(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(w *wheel.ReadWrite, far kernel.Handle)
		want []string
	}{
		{"with nothing to write", func(w *wheel.ReadWrite, far kernel.Handle) { w.Finish() },
			[]string{"closed true", `far end read "EOF"`}},
		{"with output", func(w *wheel.ReadWrite, far kernel.Handle) {
			w.PutString("bye")
			w.Finish()
		}, []string{"closed false", "flushed", `far end read "bye\r\nEOF"`}},
		{"twice, while input comes", func(w *wheel.ReadWrite, far kernel.Handle) {
			w.PutString("bye")
			w.Finish()
			w.Finish()
			fmt.Fprint(far, "nobody reads this\n")
		}, []string{"closed false", "flushed",
			`far end read "bye\r\nread: connection reset by peer"`}},
		{"and Close", func(w *wheel.ReadWrite, far kernel.Handle) {
			w.PutString("bye")
			w.Finish()
			w.Close()
		}, []string{"closed true", `far end read "EOF"`}},
		{"when the peer is gone", func(w *wheel.ReadWrite, far kernel.Handle) {
			w.PutString("bye")
			w.Finish()
			far.Close()
		}, []string{"closed false", "error write: write: broken pipe",
			`far end read "use of closed network connection"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := simulated(t, sim.Options{})
			near, far := p.pair()
			var w *wheel.ReadWrite
			p.create(session.Events{
				kernel.Start: func(e *kernel.Event) {
					w = p.readWrite(e.Session, wheel.ReadWriteOptions{
						Handle: near, InputEvent: "line", FlushedEvent: "flushed",
						ErrorEvent: "error",
					})
					test.do(w, far)
					p.note("closed %v", near.FD() < 0)
				},
				"line": p.input, "flushed": p.said, "error": p.failed,
				kernel.Default: p.unknown,
				kernel.Stop: func(*kernel.Event) {
					p.note("far end read %q", p.read(far))
					far.Close()
				},
			})
			p.run()
			p.want(test.want...)
			if err := w.PutString("x"); err != wheel.ErrClosed {
				t.Errorf("Put at the end: %v, want %v", err, wheel.ErrClosed)
			}
		})
	}
}

// A wheel that is finishing refuses what is put, and closes though another session calls it.
func TestPutWhileFinishing(t *testing.T) {
	p := simulated(t, sim.Options{Buffer: 2})
	near, far := p.pair()
	var w *wheel.ReadWrite
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{Handle: near})
			w.PutString("bye")
		},
		kernel.Stop: p.said,
	})
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w.Finish()
			p.note("put %v", w.PutString("x"))
			e.Session.Delay("read", tick)
		},
		"read": func(e *kernel.Event) {
			got := p.read(far)
			p.note("far end read %q", got)
			if strings.HasSuffix(got, "EOF") {
				far.Close()
				return
			}
			e.Session.Delay("read", tick)
		},
	})
	p.run()
	p.want("put wheel: closed", `far end read "by"`, `far end read "e\r"`, "_stop",
		`far end read "\nEOF"`)
}
