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

// The events for the marks may change at any time; without marks there is nothing that they could
// tell of.
func TestSetMarkEvents(t *testing.T) {
	p := simulated(t, sim.Options{Buffer: 4})
	near, far := p.pair()
	var w *wheel.ReadWrite
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{Handle: near, HighMark: 8, LowMark: 2})
			w.SetHighEvent("high")
			w.SetLowEvent("low")
			w.PutString("0123456789")
		},
		"high": func(e *kernel.Event) {
			p.said(e)
			w.SetHighEvent("")
			e.Session.Yield("read")
		},
		"read": func(e *kernel.Event) {
			p.read(far)
			e.Session.Delay("read", tick)
		},
		"low": func(e *kernel.Event) {
			p.said(e)
			e.Session.AlarmRemoveAll()
			w.Close()
			far.Close()
		},
		kernel.Default: p.unknown,
	})
	p.run()
	p.want("high", "low")

	p = simulated(t, sim.Options{})
	near, far = p.pair()
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{Handle: near})
			for name, set := range map[string]func(string){
				"SetHighEvent": w.SetHighEvent, "SetLowEvent": w.SetLowEvent,
			} {
				set("")
				func() {
					defer func() {
						if got, want := recover(), "wheel: "+name+": there is no HighMark"; got != want {
							t.Errorf("%s: got %v, want %v", name, got, want)
						}
					}()
					set("event")
				}()
			}
			w.Close()
			far.Close()
		},
	})
	p.run()
}

// The events of a SocketFactory may change while it connects.
func TestSetSocketFactoryEvents(t *testing.T) {
	p := simulated(t, sim.Options{Latency: tick})
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w := wheel.NewSocketFactory(e.Session, wheel.SocketFactoryOptions{
				RemoteAddress: "127.0.0.1", RemotePort: "1",
				SuccessEvent: "was success", FailureEvent: "was failure",
			})
			w.SetSuccessEvent("success")
			w.SetFailureEvent("failure")
			for name, set := range map[string]func(string){
				"SetSuccessEvent": w.SetSuccessEvent, "SetFailureEvent": w.SetFailureEvent,
			} {
				func() {
					defer func() {
						if got, want := recover(), "wheel: "+name+" without a name"; got != want {
							t.Errorf("got %v, want %v", got, want)
						}
					}()
					set("")
				}()
			}
		},
		"failure":      session.On(func(_ *kernel.Event, err *wheel.Error) { p.note("%s", err.Op) }),
		kernel.Default: p.unknown,
	})
	p.run()
	p.want("connect")
}
