package kernel_test

import (
	"errors"
	"net"
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
	t.Run("TCP", func(t *testing.T) {
		handletest.Run(t, func(t *testing.T) (a, b kernel.Handle, loop kernel.Loop) {
			a, b = overTCP(t)
			return a, b, kernel.NewLoop()
		})
	})
}

// overTCP connects two sockets over the loopback interface.
func overTCP(t *testing.T) (a, b kernel.Handle) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	dialed, dialErr := net.Dial("tcp4", l.Addr().String())
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
