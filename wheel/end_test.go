package wheel_test

import (
	"errors"
	"net"
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// A session that ends with its wheels open leaves no handle open, however it ends.
func TestWheelsAreClosedWithTheirOwner(t *testing.T) {
	for name, end := range map[string]func(e *kernel.Event){
		"Kernel.Stop": func(e *kernel.Event) { e.Kernel.Stop() },
		"Session.End": func(e *kernel.Event) { e.Session.End() },
		"KILL":        func(e *kernel.Event) { _ = e.Kernel.Signal(e.Session, "KILL") },
	} {
		t.Run(name, func(t *testing.T) {
			world := sim.NewWorld()
			k, err := kernel.New(kernel.Options{Loop: world})
			if err != nil {
				t.Fatal(err)
			}
			a, b, err := world.SocketPair()
			if err != nil {
				t.Fatal(err)
			}
			var listener *wheel.SocketFactory
			k.Create(session.Events{
				kernel.Start: func(e *kernel.Event) {
					if _, err := wheel.NewReadWrite(e.Session, wheel.ReadWriteOptions{
						Handle: a, InputEvent: "input", ErrorEvent: "error",
					}); err != nil {
						t.Error(err)
					}
					listener = wheel.NewSocketFactory(e.Session, wheel.SocketFactoryOptions{
						BindAddress: "127.0.0.1", SuccessEvent: "client", FailureEvent: "error",
					})
					if _, err := listener.LocalAddr(); err != nil {
						t.Error(err)
					}
					e.Session.Yield("end")
				},
				"end": end,
			})
			if err := k.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if a.FD() != -1 {
				t.Error("the handle of ReadWrite is open")
			}
			if _, err := listener.LocalAddr(); !errors.Is(err, wheel.ErrClosed) {
				t.Errorf("the listener is open: %v", err)
			}
			if err := a.Close(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("got %v, want ErrClosed", err)
			}
			_ = b.Close()
		})
	}
}
