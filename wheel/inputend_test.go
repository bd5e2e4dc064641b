package wheel_test

import (
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// At the end of the input the wheel has stopped reading before it says so: a watch that the handler
// sets on the handle is the handler's, and stays.
//
// POE: W-RW-22, where it is removed again.
func TestWatchInErrorEvent(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	var w *wheel.ReadWrite
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{
				Handle: near, InputEvent: "line", ErrorEvent: "error",
			})
			far.CloseWrite()
		},
		"error": func(e *kernel.Event) {
			p.failed(e)
			if err := e.Session.SelectRead(near, "mine"); err != nil {
				t.Error(err)
			}
			e.Session.Delay("over", tick)
		},
		"mine": func(e *kernel.Event) {
			p.note("mine read %q", p.read(near))
			if err := e.Session.SelectRead(near, ""); err != nil {
				t.Error(err)
			}
		},
		"over": func(*kernel.Event) { w.Close(); far.Close() },
	})
	p.run()
	p.want("error read: EOF", `mine read "EOF"`)
}
