package looptest

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/go-poe/poe/kernel"
)

// sockets is the suite for what comes from Loop.Socket and Loop.Resolve.
var sockets = []test{
	{"Exchange", exchangeBothWays},
	{"Addresses", addresses},
	{"UnknownNetwork", unknownNetwork},
	{"AcceptAgain", acceptAgain},
	{"ConnectRefused", connectRefused},
	{"ConnectToMissingName", connectToMissingName},
	{"AddressInUse", addressInUse},
	{"QueueOfListener", queueOfListener},
	{"HalfClose", halfClose},
	{"ResetByClose", resetByClose},
	{"Datagrams", datagrams},
	{"Options", options},
	{"Closed", closed},
	{"Resolve", resolve},
}

// anyAddr returns an address of a network at which the system chooses the rest.
func anyAddr(t *testing.T, network string) net.Addr {
	t.Helper()
	switch network {
	case "tcp4":
		return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}
	case "tcp6":
		return &net.TCPAddr{IP: net.IPv6loopback}
	case "udp4":
		return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}
	case "udp6":
		return &net.UDPAddr{IP: net.IPv6loopback}
	}
	dir, err := os.MkdirTemp("", "loop") // the test's own has too long a name for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unix"}
}

func localAddr(t *testing.T, s kernel.Socket) net.Addr {
	t.Helper()
	addr, err := s.LocalAddr()
	if err != nil {
		t.Fatalf("LocalAddr: %v", err)
	}
	return addr
}

// has reports whether the machine has a network. One without IPv6 is still a machine.
func has(t *testing.T, loop kernel.Loop, network string) bool {
	t.Helper()
	s, err := loop.Socket(network)
	if err != nil {
		return !errors.Is(err, syscall.EAFNOSUPPORT)
	}
	defer func() { _ = s.Close() }()
	return !errors.Is(s.Bind(anyAddr(t, network)), syscall.EADDRNOTAVAIL)
}

// forNetworks runs a test for each network that the machine has.
func forNetworks(
	t *testing.T, loop kernel.Loop, networks []string, f func(t *testing.T, network string),
) {
	for _, network := range networks {
		t.Run(network, func(t *testing.T) {
			if !has(t, loop, network) {
				t.Skip("the machine has no such network")
			}
			f(t, network)
		})
	}
}

var streams = []string{"tcp4", "tcp6", "unix"}

func exchangeBothWays(t *testing.T, loop kernel.Loop) {
	forNetworks(t, loop, streams, func(t *testing.T, network string) {
		a, b := pair(t, loop, network)
		for _, text := range []string{"one", "two", strings.Repeat("three", 200)} {
			send(t, loop, a, text)
			if got := receive(t, loop, b, len(text)); got != text {
				t.Errorf("got %q, want %q", got, text)
			}
			send(t, loop, b, text)
			if got := receive(t, loop, a, len(text)); got != text {
				t.Errorf("got %q, want %q", got, text)
			}
		}
	})
}

func addresses(t *testing.T, loop kernel.Loop) {
	forNetworks(t, loop, streams, func(t *testing.T, network string) {
		l, addr := listen(t, loop, network)
		if tcp, ok := addr.(*net.TCPAddr); ok && tcp.Port == 0 {
			t.Errorf("the listener has the address %v", addr)
		}
		a := socket(t, loop, network)
		if _, err := a.RemoteAddr(); !errors.Is(err, syscall.ENOTCONN) {
			t.Errorf("RemoteAddr before connect: %v, want %v", err, syscall.ENOTCONN)
		}
		connect(t, loop, a, addr)
		b := accept(t, loop, l)
		remote := func(s kernel.Socket) net.Addr {
			t.Helper()
			addr, err := s.RemoteAddr()
			if err != nil {
				t.Fatalf("RemoteAddr: %v", err)
			}
			return addr
		}
		for _, test := range []struct {
			what      string
			got, want net.Addr
		}{
			{"client's remote", remote(a), addr},
			{"server's local", localAddr(t, b), addr},
			{"server's remote", remote(b), localAddr(t, a)},
		} {
			if test.got.String() != test.want.String() || test.got.Network() != addr.Network() {
				t.Errorf("%s address: %v, want %v", test.what, test.got, test.want)
			}
		}
	})
}

func unknownNetwork(t *testing.T, loop kernel.Loop) {
	for _, network := range []string{"", "tcp", "ip4"} {
		_, err := loop.Socket(network)
		if unknown := net.UnknownNetworkError(""); !errors.As(err, &unknown) {
			t.Errorf("Socket(%q): %v", network, err)
		}
	}
}

func acceptAgain(t *testing.T, loop kernel.Loop) {
	forNetworks(t, loop, streams, func(t *testing.T, network string) {
		l, addr := listen(t, loop, network)
		if s, err := l.Accept(); s != nil || err != kernel.ErrAgain {
			t.Errorf("Accept: %v, %v, want %v", s, err, kernel.ErrAgain)
		}
		a := socket(t, loop, network)
		connect(t, loop, a, addr)
		accept(t, loop, l)
		if s, err := l.Accept(); s != nil || err != kernel.ErrAgain {
			t.Errorf("Accept: %v, %v, want %v", s, err, kernel.ErrAgain)
		}
	})
}

func connectRefused(t *testing.T, loop kernel.Loop) {
	forNetworks(t, loop, []string{"tcp4", "tcp6"}, func(t *testing.T, network string) {
		l, addr := listen(t, loop, network)
		if err := l.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		s := socket(t, loop, network)
		err := s.Connect(addr)
		for err == kernel.ErrAgain {
			await(t, loop, s, kernel.Write)
			err = s.ConnectError()
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("got %v, want %v", err, syscall.ECONNREFUSED)
		}
		if err := s.ConnectError(); err != nil {
			t.Errorf("a second ConnectError: %v", err)
		}
	})
}

func connectToMissingName(t *testing.T, loop kernel.Loop) {
	err := socket(t, loop, "unix").Connect(anyAddr(t, "unix"))
	if !errors.Is(err, syscall.ENOENT) {
		t.Errorf("got %v, want %v", err, syscall.ENOENT)
	}
}

func addressInUse(t *testing.T, loop kernel.Loop) {
	networks := []string{"tcp4", "tcp6", "udp4", "udp6", "unix"}
	forNetworks(t, loop, networks, func(t *testing.T, network string) {
		first := socket(t, loop, network)
		if err := first.Bind(anyAddr(t, network)); err != nil {
			t.Fatalf("Bind: %v", err)
		}
		second := socket(t, loop, network)
		if err := second.Bind(localAddr(t, first)); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("got %v, want %v", err, syscall.EADDRINUSE)
		}
		if err := second.Bind(anyAddr(t, network)); err != nil {
			t.Errorf("another address: %v", err)
		}
	})
}

func queueOfListener(t *testing.T, loop kernel.Loop) {
	forNetworks(t, loop, streams, func(t *testing.T, network string) {
		const clients = 5
		l, addr := listen(t, loop, network)
		for range clients {
			c := socket(t, loop, network)
			connect(t, loop, c, addr)
			send(t, loop, c, "hello")
		}
		for range clients {
			if got := receive(t, loop, accept(t, loop, l), 5); got != "hello" {
				t.Errorf("got %q, want %q", got, "hello")
			}
		}
	})
}

func halfClose(t *testing.T, loop kernel.Loop) {
	forNetworks(t, loop, streams, func(t *testing.T, network string) {
		a, b := pair(t, loop, network)
		send(t, loop, a, "last words")
		if err := a.CloseWrite(); err != nil {
			t.Fatalf("CloseWrite: %v", err)
		}
		if got := receive(t, loop, b, 10); got != "last words" {
			t.Errorf("got %q, want %q", got, "last words")
		}
		if err := outcome(t, loop, b); err != io.EOF {
			t.Errorf("Read: %v, want %v", err, io.EOF)
		}
		send(t, loop, b, "answer")
		if got := receive(t, loop, a, 6); got != "answer" {
			t.Errorf("got %q, want %q", got, "answer")
		}
	})
}

// outcome reads until there is an error, and returns it.
func outcome(t *testing.T, loop kernel.Loop, h kernel.Handle) error {
	t.Helper()
	for {
		n, err := h.Read(make([]byte, 512))
		switch {
		case n > 0:
			t.Errorf("read %d bytes too many", n)
		case err == kernel.ErrAgain:
			await(t, loop, h, kernel.Read)
		case err != nil:
			return err
		}
	}
}

func resetByClose(t *testing.T, loop kernel.Loop) {
	a, b := pair(t, loop, "tcp4")
	send(t, loop, a, "not read")
	await(t, loop, b, kernel.Read)
	if err := b.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if err := outcome(t, loop, a); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("Read: %v, want %v", err, syscall.ECONNRESET)
	}
	if _, err := a.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("Write: %v, want %v", err, syscall.EPIPE)
	}
}

func datagrams(t *testing.T, loop kernel.Loop) {
	forNetworks(t, loop, []string{"udp4", "udp6"}, func(t *testing.T, network string) {
		a, b := socket(t, loop, network), socket(t, loop, network)
		for _, s := range []kernel.Socket{a, b} {
			if err := s.Bind(anyAddr(t, network)); err != nil {
				t.Fatalf("Bind: %v", err)
			}
		}
		n, from, err := b.ReadFrom(make([]byte, 16))
		if n != 0 || from != nil || err != kernel.ErrAgain {
			t.Errorf("ReadFrom: %d, %v, %v, want %v", n, from, err, kernel.ErrAgain)
		}
		exchange(t, loop, a, b)
		exchange(t, loop, b, a)

		if err := a.Connect(localAddr(t, b)); err != nil {
			t.Fatalf("Connect: %v", err)
		}
		if n, err := a.Write([]byte("by Write")); n != 8 || err != nil {
			t.Fatalf("Write: %d, %v", n, err)
		}
		await(t, loop, b, kernel.Read)
		var p [16]byte
		if n, err := b.Read(p[:]); string(p[:n]) != "by Write" || err != nil {
			t.Errorf("Read: %q, %v", p[:n], err)
		}
		huge := make([]byte, 70000)
		if _, err := a.WriteTo(huge, localAddr(t, b)); !errors.Is(err, syscall.EMSGSIZE) {
			t.Errorf("a datagram of %d bytes: %v, want %v", len(huge), err, syscall.EMSGSIZE)
		}
	})
}

// exchange sends a few datagrams, one of them empty, from one socket to another.
func exchange(t *testing.T, loop kernel.Loop, from, to kernel.Socket) {
	t.Helper()
	for _, want := range []string{"one", "", "three"} {
		if n, err := from.WriteTo([]byte(want), localAddr(t, to)); n != len(want) || err != nil {
			t.Fatalf("WriteTo: %d, %v", n, err)
		}
		var p [16]byte
		n, sender, err := to.ReadFrom(p[:])
		for err == kernel.ErrAgain {
			await(t, loop, to, kernel.Read)
			n, sender, err = to.ReadFrom(p[:])
		}
		if string(p[:n]) != want || err != nil {
			t.Errorf("ReadFrom: %q, %v, want %q", p[:n], err, want)
		}
		port := localAddr(t, from).(*net.UDPAddr).Port // the address may be any
		if got, ok := sender.(*net.UDPAddr); !ok || got.Port != port {
			t.Errorf("a datagram is from %v, want port %d", sender, port)
		}
	}
}

func options(t *testing.T, loop kernel.Loop) {
	for _, test := range []struct {
		network string
		options []kernel.SocketOption
	}{
		{"tcp4", []kernel.SocketOption{kernel.ReuseAddr, kernel.NoDelay, kernel.KeepAlive}},
		{"tcp6", []kernel.SocketOption{kernel.ReuseAddr, kernel.NoDelay, kernel.V6Only}},
		{"udp4", []kernel.SocketOption{kernel.ReuseAddr, kernel.Broadcast}},
		{"unix", []kernel.SocketOption{kernel.ReuseAddr}},
	} {
		if !has(t, loop, test.network) {
			continue
		}
		s := socket(t, loop, test.network)
		for _, option := range test.options {
			for _, on := range []bool{true, false} {
				if err := s.SetOption(option, on); err != nil {
					t.Errorf("%s: SetOption(%d, %v): %v", test.network, option, on, err)
				}
			}
		}
		if err := s.SetOption(100, true); err == nil {
			t.Errorf("%s: SetOption(100) has no error", test.network)
		}
	}
}

func closed(t *testing.T, loop kernel.Loop) {
	for _, network := range []string{"tcp4", "udp4", "unix"} {
		s := socket(t, loop, network)
		if err := s.Close(); err != nil {
			t.Fatalf("%s: Close: %v", network, err)
		}
		addr := anyAddr(t, network)
		_, accepted := s.Accept()
		_, local := s.LocalAddr()
		_, remote := s.RemoteAddr()
		_, _, received := s.ReadFrom(make([]byte, 1))
		_, sent := s.WriteTo([]byte("x"), addr)
		for what, err := range map[string]error{
			"Bind": s.Bind(addr), "Connect": s.Connect(addr), "ConnectError": s.ConnectError(),
			"Listen": s.Listen(1), "Accept": accepted, "LocalAddr": local, "RemoteAddr": remote,
			"SetOption": s.SetOption(kernel.ReuseAddr, true), "ReadFrom": received, "WriteTo": sent,
		} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: %s after Close: %v, want %v", network, what, err, net.ErrClosed)
			}
		}
	}
}

func resolve(t *testing.T, loop kernel.Loop) {
	for _, text := range []string{"192.0.2.1", "2001:db8::1"} {
		got, err := loop.Resolve(t.Context(), text)
		if want := []netip.Addr{netip.MustParseAddr(text)}; err != nil || !slices.Equal(got, want) {
			t.Errorf("Resolve(%q): %v, %v, want %v", text, got, err, want)
		}
	}
	got, err := loop.Resolve(t.Context(), "localhost")
	if err != nil || len(got) == 0 {
		t.Fatalf("Resolve(localhost): %v, %v", got, err)
	}
	for _, addr := range got {
		if !addr.IsLoopback() {
			t.Errorf("localhost has the address %v", addr)
		}
	}
}
