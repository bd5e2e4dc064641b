package wheel_test

import (
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// The event for the end of the output may change from one end to the next, and may be taken away.
func TestSetFlushedEvent(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	var w *wheel.ReadWrite
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{Handle: near, FlushedEvent: "first"})
			w.PutString("one")
			e.Session.Delay("take", tick)
		},
		"first": func(e *kernel.Event) {
			p.said(e)
			w.SetFlushedEvent("second")
			w.PutString("two")
		},
		"second": p.said,
		"take": func(e *kernel.Event) {
			w.SetFlushedEvent("")
			w.PutString("three")
			e.Session.Delay("over", tick)
		},
		"over": func(*kernel.Event) {
			p.note("far end read %q", p.read(far))
			w.Close()
			far.Close()
		},
		kernel.Default: p.unknown,
	})
	p.run()
	p.want("first", "second", `far end read "one\r\ntwo\r\nthree\r\n"`)
}
