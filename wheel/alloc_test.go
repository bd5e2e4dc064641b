package wheel_test

import (
	"runtime"
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// A line that goes to and fro between two wheels costs no memory, once all buffers have their size.
func TestEchoAllocatesNothing(t *testing.T) {
	const warm, measured = 100, 1000
	p := newPlace(t, kernel.NewLoop())
	near, far := p.pair()
	var before, after runtime.MemStats
	lines, flushed, high, low := 0, 0, 0, 0
	end := func(h kernel.Handle, first bool) {
		var w *wheel.ReadWrite
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				w = p.readWrite(e.Session, wheel.ReadWriteOptions{
					Handle: h, InputEvent: "line", ErrorEvent: "error", FlushedEvent: "flushed",
					HighEvent: "high", LowEvent: "low", HighMark: 10,
				})
				if first {
					w.PutString("a line that goes to and fro")
				}
			},
			"line": session.On(func(e *kernel.Event, in *wheel.Input) {
				switch lines++; lines {
				case warm:
					runtime.ReadMemStats(&before)
				case warm + measured:
					runtime.ReadMemStats(&after)
					w.Close()
					return
				}
				w.Put(in.Bytes)
			}),
			"flushed": func(*kernel.Event) { flushed++ },
			"high":    func(*kernel.Event) { high++ },
			"low":     func(*kernel.Event) { low++ },
			"error":   func(*kernel.Event) { w.Close() },
		})
	}
	end(near, true)
	end(far, false)
	p.run()
	for _, n := range []int{flushed, high, low} {
		if n != lines {
			t.Errorf("flushed %d times, high %d times, low %d times, want %d of each",
				flushed, high, low, lines)
			break
		}
	}
	// The process has other goroutines, which may allocate something meanwhile.
	if n := after.Mallocs - before.Mallocs; n > measured/20 {
		t.Errorf("%d lines cost %d allocations, want none", measured, n)
	}
}
