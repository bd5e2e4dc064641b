package wheel_test

import (
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// A line that goes to and fro between two wheels costs no memory, once all buffers have their size.
func TestEchoAllocatesNothing(t *testing.T) {
	p := newPlace(t, kernel.NewLoop())
	near, far := p.pair()
	lines := 0
	end := func(h kernel.Handle) *kernel.Session {
		var w *wheel.ReadWrite
		return p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				w = p.readWrite(e.Session, wheel.ReadWriteOptions{
					Handle: h, InputEvent: "line", ErrorEvent: "error", FlushedEvent: "flushed",
					HighEvent: "high", LowEvent: "low", HighMark: 10,
				})
			},
			"line": session.On(func(e *kernel.Event, in *wheel.Input) {
				lines++
				if err := w.Put(in.Bytes); err != nil {
					t.Error(err)
				}
			}),
			"flushed": func(*kernel.Event) {},
			"high":    func(*kernel.Event) {},
			"low":     func(*kernel.Event) {},
			"begin":   func(*kernel.Event) { w.PutString("a line that goes to and fro") },
			"close":   func(*kernel.Event) { w.Close() },
			"error":   p.failed,
		})
	}
	first, second := end(near), end(far)
	if err := p.k.Post(first, "begin"); err != nil {
		t.Fatal(err)
	}
	turn := func() {
		for begun := lines; lines < begun+10; {
			if _, err := p.k.RunOneTimeslice(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	turn()
	const runs = 100
	allocs := testing.AllocsPerRun(runs, turn)
	// RunOneTimeslice itself, and what a context costs it, are not the wheel's.
	var idle int
	other := p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {},
		"idle": func(e *kernel.Event) {
			idle++
		},
	})
	_ = other
	t.Logf("%v allocations for 10 lines", allocs)
	p.k.Post(first, "close")
	p.k.Post(second, "close")
	p.run()
}
