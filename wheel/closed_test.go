package wheel_test

import (
	"crypto/tls"
	"fmt"
	"syscall"
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// ClosedEvent comes once, and last, when the wheel closes itself, and not when somebody closes it.
func TestClosedEvent(t *testing.T) {
	for _, test := range []struct {
		name string
		deaf bool // the wheel has no ErrorEvent
		do   func(w *wheel.ReadWrite, far kernel.Handle)
		want []string
	}{
		{"Finish", false, func(w *wheel.ReadWrite, _ kernel.Handle) { w.Finish(); w.Finish() },
			[]string{"done", "closed"}},
		{"Finish with output", false, func(w *wheel.ReadWrite, _ kernel.Handle) {
			w.PutString("bye")
			w.Finish()
		}, []string{"done", "flushed", "closed"}},
		{"Finish for a peer that is gone", false,
			func(w *wheel.ReadWrite, far kernel.Handle) {
				w.PutString("bye")
				w.Finish()
				far.Close()
			}, []string{"done", "error write: write: broken pipe", "closed"}},
		{"the end of the input", true, func(_ *wheel.ReadWrite, far kernel.Handle) {
			far.CloseWrite()
		}, []string{"done", "closed"}},
		{"the end of the input, with output", true,
			func(w *wheel.ReadWrite, far kernel.Handle) {
				w.PutString("bye")
				far.CloseWrite()
			}, []string{"done", "flushed", "closed"}},
		{"an error", true, func(w *wheel.ReadWrite, far kernel.Handle) {
			w.InputHandle().(*handle).read = func([]byte) (int, error) { return 0, syscall.EIO }
			fmt.Fprint(far, "cannot be read")
		}, []string{"done", "closed"}},
		{"an error of the output", true, func(w *wheel.ReadWrite, far kernel.Handle) {
			far.CloseRead()
			far.Close()
			w.PutString("bye")
		}, []string{"done", "closed"}},
		{"Close", false, func(w *wheel.ReadWrite, _ kernel.Handle) { w.Close() },
			[]string{"done"}},
		{"Finish and Close", false, func(w *wheel.ReadWrite, _ kernel.Handle) {
			w.PutString("bye")
			w.Finish()
			w.Close()
		}, []string{"done"}},
		{"Detach", false, func(w *wheel.ReadWrite, _ kernel.Handle) {
			h := w.InputHandle()
			w.Detach()
			h.Close()
		}, []string{"done"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := simulated(t, sim.Options{})
			near, far := p.pair()
			p.create(session.Events{
				kernel.Start: func(e *kernel.Event) {
					opts := wheel.ReadWriteOptions{
						Handle: &handle{Handle: near}, InputEvent: "line",
						FlushedEvent: "flushed", ErrorEvent: "error", ClosedEvent: "closed",
					}
					if test.deaf {
						opts.ErrorEvent = ""
					}
					test.do(p.readWrite(e.Session, opts), far)
					p.note("done")
				},
				"line": p.input, "flushed": p.said, "error": p.failed, "closed": p.said,
				kernel.Default: p.unknown,
				kernel.Stop:    func(*kernel.Event) { far.Close() },
			})
			p.run()
			p.want(test.want...)
		})
	}
}

// A TLS says goodbye before it is closed, and ClosedEvent waits for that, also where nothing was
// put.
func TestClosedEventWaitsForCloseNotify(t *testing.T) {
	for _, gone := range []bool{false, true} {
		t.Run(fmt.Sprintf("gone %v", gone), func(t *testing.T) {
			p := simulated(t, sim.Options{})
			near, far := p.pair()
			forServer, forClient := configs(t, tls.VersionTLS13)
			blocked := &handle{Handle: near}
			var w *wheel.ReadWrite
			p.create(session.Events{
				kernel.Start: func(e *kernel.Event) {
					w = p.readWrite(e.Session, wheel.ReadWriteOptions{
						Handle:     wheel.NewTLS(p.k, blocked, wheel.TLSOptions{Config: forClient}),
						InputEvent: "line", FlushedEvent: "flushed", ErrorEvent: "error",
						SecuredEvent: "secured", ClosedEvent: "closed",
					})
				},
				"secured": func(e *kernel.Event) {
					e.Session.Delay("finish", tick) // when the server has finished, too
				},
				"finish": func(e *kernel.Event) {
					blocked.write = func([]byte) (int, error) { return 0, kernel.ErrAgain }
					w.Finish()
					p.note("finished")
					e.Session.Delay("unblock", tick)
				},
				"unblock": func(*kernel.Event) {
					p.note("unblocked, open %v", near.FD() >= 0)
					blocked.write = nil
					if gone {
						blocked.write = func([]byte) (int, error) { return 0, syscall.EPIPE }
					}
				},
				"line": p.input, "flushed": p.said, "error": p.failed, "closed": p.said,
				kernel.Default: p.unknown,
			})
			p.create(session.Events{
				kernel.Start: func(e *kernel.Event) {
					p.readWrite(e.Session, wheel.ReadWriteOptions{
						Handle: wheel.NewTLS(p.k, far, wheel.TLSOptions{
							Config: forServer, Server: true,
						}),
						InputEvent: "line", ErrorEvent: "error", ClosedEvent: "gone",
					})
				},
				"error": session.On(func(e *kernel.Event, err *wheel.Error) {
					if !gone {
						p.note("server: %v", err)
					}
					e.Session.End()
				}),
			})
			p.run()
			want := []string{"finished", "unblocked, open true", "closed"}
			if !gone {
				want = append(want, "server: read: EOF")
			}
			p.want(want...)
		})
	}
}
