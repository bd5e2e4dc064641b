package kernel_test

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"testing"

	"github.com/go-poe/poe/kernel"
)

// A listener of package net goes on as a Socket, also one that was inherited as a descriptor.
func TestFromListener(t *testing.T) {
	for network, at := range streamNetworks(t) {
		for _, inherited := range []bool{false, true} {
			name := network
			if inherited {
				name += " inherited"
			}
			t.Run(name, func(t *testing.T) {
				keepsDescriptors(t)
				l, err := net.Listen(network, at.String())
				if err != nil {
					t.Fatal(err)
				}
				addr := l.Addr()
				if u, ok := l.(*net.UnixListener); ok && inherited {
					u.SetUnlinkOnClose(false)
				}
				if inherited {
					l = inherit(t, l)
				}
				s, err := kernel.FromListener(l)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
					t.Errorf("accepting at the listener returns %v, want net.ErrClosed", err)
				}
				wantFlags(t, s)
				if got := localAddr(t, s); got.String() != addr.String() {
					t.Errorf("the socket is at %v, want %v", got, addr)
				}
				client := newSocket(t, network)
				if err := connect(t, client, addr); err != nil {
					t.Fatal(err)
				}
				server := accept(t, s)
				put(t, client, "hello")
				await(t, server, kernel.Read)
				wantRead(t, server, "hello", nil)
				if u, ok := addr.(*net.UnixAddr); ok {
					if err := os.Remove(u.Name); err != nil {
						t.Errorf("the file of the socket is gone: %v", err)
					}
				}
			})
		}
	}
}

// inherit returns a listener on what a child process would inherit of l, which it closes.
func inherit(t *testing.T, l net.Listener) net.Listener {
	t.Helper()
	defer l.Close()
	f, err := l.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l, err = net.FileListener(f)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestFromListenerErrors(t *testing.T) {
	keepsDescriptors(t)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if s, err := kernel.FromListener(tls.NewListener(l, nil)); s != nil ||
		!errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("of a listener for TLS: %v, %v, want errors.ErrUnsupported", s, err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("what FromListener did not take is not as it was: %v", err)
	}
	if s, err := kernel.FromListener(l); s != nil || !errors.Is(err, net.ErrClosed) {
		t.Errorf("of a closed listener: %v, %v, want net.ErrClosed", s, err)
	}
}
