package kernel_test

import (
	"errors"
	"net"
	"os"
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/test/handletest"
)

// TestHandle holds the handles of the operating system to the suite for all handles.
func TestHandle(t *testing.T) {
	t.Run("Pipe", func(t *testing.T) {
		handletest.RunOneWay(t, func(t *testing.T) (w, r kernel.Handle, loop kernel.Loop) {
			r, w, err := kernel.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			return w, r, kernel.NewLoop()
		})
	})
	t.Run("SocketPair", func(t *testing.T) {
		handletest.Run(t, func(t *testing.T) (a, b kernel.Handle, loop kernel.Loop) {
			a, b, err := kernel.SocketPair()
			if err != nil {
				t.Fatal(err)
			}
			return a, b, kernel.NewLoop()
		})
	})
	t.Run("Files", func(t *testing.T) {
		handletest.RunOneWay(t, func(t *testing.T) (w, r kernel.Handle, loop kernel.Loop) {
			from, to, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			w, err = kernel.NewHandle(to)
			if err != nil {
				t.Fatal(err)
			}
			r, err = kernel.NewHandle(from)
			if err != nil {
				t.Fatal(err)
			}
			return w, r, kernel.NewLoop()
		})
	})
	for network, at := range streamNetworks(t) {
		t.Run(network, func(t *testing.T) {
			handletest.Run(t, func(t *testing.T) (a, b kernel.Handle, loop kernel.Loop) {
				a, b = over(t, network, at.String())
				return a, b, kernel.NewLoop()
			})
		})
	}
}

// over connects two sockets over a network of this machine.
func over(t *testing.T, network, at string) (a, b kernel.Handle) {
	t.Helper()
	l, err := net.Listen(network, at)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	dialed, dialErr := net.Dial(network, l.Addr().String())
	accepted, acceptErr := l.Accept()
	if err := errors.Join(dialErr, acceptErr); err != nil {
		t.Fatal(err)
	}
	a, err = kernel.FromConn(dialed)
	if err != nil {
		t.Fatal(err)
	}
	b, err = kernel.FromConn(accepted)
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}
