package kernel_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-poe/poe/kernel"
)

// newSocket returns a socket that is closed with the test, if it is not before.
func newSocket(t *testing.T, network string) kernel.Socket {
	t.Helper()
	s, err := kernel.NewLoop().Socket(network)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// streamNetworks are the networks of connections, each with an address to listen on.
func streamNetworks(t *testing.T) map[string]net.Addr {
	t.Helper()
	return map[string]net.Addr{
		"tcp4": &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)},
		"tcp6": &net.TCPAddr{IP: net.IPv6loopback},
		"unix": &net.UnixAddr{Name: filepath.Join(t.TempDir(), "s"), Net: "unix"},
	}
}

// listen returns a socket that listens on addr, and its own address.
func listen(t *testing.T, network string, addr net.Addr) (kernel.Socket, net.Addr) {
	t.Helper()
	s := newSocket(t, network)
	if err := s.Bind(addr); err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(0); err != nil {
		t.Fatal(err)
	}
	return s, localAddr(t, s)
}

func localAddr(t *testing.T, s kernel.Socket) net.Addr {
	t.Helper()
	addr, err := s.LocalAddr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

func remoteAddr(t *testing.T, s kernel.Socket) net.Addr {
	t.Helper()
	addr, err := s.RemoteAddr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// await runs a loop until h is ready.
func await(t *testing.T, h kernel.Handle, want kernel.Mode) {
	t.Helper()
	r := newRig(t)
	r.watch(h.FD(), want)
	told := false
	r.ready = func(int, kernel.Mode) { told = true }
	r.pass = func() (time.Duration, bool) { return kernel.Forever, !told }
	r.run()
	r.watch(h.FD(), 0)
}

// connect connects s, and returns the outcome.
func connect(t *testing.T, s kernel.Socket, addr net.Addr) error {
	t.Helper()
	err := s.Connect(addr)
	if err != kernel.ErrAgain {
		return err
	}
	await(t, s, kernel.Write)
	return s.ConnectError()
}

// accept waits for a connection.
func accept(t *testing.T, s kernel.Socket) kernel.Socket {
	t.Helper()
	await(t, s, kernel.Read)
	c, err := s.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// connected returns the two ends of a connection.
func connected(t *testing.T, network string) (client, server kernel.Socket) {
	t.Helper()
	l, addr := listen(t, network, streamNetworks(t)[network])
	client = newSocket(t, network)
	if err := connect(t, client, addr); err != nil {
		t.Fatal(err)
	}
	return client, accept(t, l)
}

func TestSocketConversation(t *testing.T) {
	networks := streamNetworks(t)
	if runtime.GOOS == "linux" {
		name := fmt.Sprintf("@go-poe-test-%d", time.Now().UnixNano())
		networks["unix, abstract"] = &net.UnixAddr{Name: name, Net: "unix"}
	}
	for name, at := range networks {
		t.Run(name, func(t *testing.T) {
			keepsDescriptors(t)
			network, _, _ := strings.Cut(name, ",")
			l, addr := listen(t, network, at)
			if _, err := l.Accept(); err != kernel.ErrAgain {
				t.Errorf("Accept returns %v before anybody connects, want ErrAgain", err)
			}
			client := newSocket(t, network)
			if err := connect(t, client, addr); err != nil {
				t.Fatal(err)
			}
			server := accept(t, l)
			for _, s := range []kernel.Socket{l, client, server} {
				wantFlags(t, s)
			}
			if got := remoteAddr(t, client); got.String() != addr.String() {
				t.Errorf("the client is connected to %v, want %v", got, addr)
			}
			if got := localAddr(t, server); got.String() != addr.String() {
				t.Errorf("the server is at %v, want %v", got, addr)
			}
			want := localAddr(t, client)
			if got := remoteAddr(t, server); got.String() != want.String() {
				t.Errorf("the server is connected to %v, want %v", got, want)
			}
			if got := addr.Network(); got != strings.TrimRight(network, "46") {
				t.Errorf("the network is %q, want that of %q", got, network)
			}

			put(t, client, "hello")
			await(t, server, kernel.Read)
			wantRead(t, server, "hello", nil)
			if err := client.CloseWrite(); err != nil {
				t.Error(err)
			}
			await(t, server, kernel.Read)
			wantRead(t, server, "", io.EOF)
			put(t, server, "bye")
			await(t, client, kernel.Read)
			wantRead(t, client, "bye", nil)
			_ = server.Close()
			await(t, client, kernel.Read)
			wantRead(t, client, "", io.EOF)
		})
	}
}

func TestSocketDatagrams(t *testing.T) {
	for network, at := range map[string]net.Addr{
		"udp4": &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)},
		"udp6": &net.UDPAddr{IP: net.IPv6loopback},
	} {
		t.Run(network, func(t *testing.T) {
			keepsDescriptors(t)
			server, client := newSocket(t, network), newSocket(t, network)
			wantFlags(t, server)
			if err := server.Bind(at); err != nil {
				t.Fatal(err)
			}
			addr := localAddr(t, server)
			p := make([]byte, 64)
			if n, from, err := server.ReadFrom(p); n != 0 || from != nil || err != kernel.ErrAgain {
				t.Errorf("ReadFrom returns %d, %v, %v, want ErrAgain", n, from, err)
			}
			for _, text := range []string{"hello", "", "bye"} {
				n, err := client.WriteTo([]byte(text), addr)
				if n != len(text) || err != nil {
					t.Fatalf("WriteTo returns %d, %v, want %d, nil", n, err, len(text))
				}
				await(t, server, kernel.Read)
				n, from, err := server.ReadFrom(p)
				if err != nil || string(p[:n]) != text {
					t.Fatalf("ReadFrom returns %q, %v, want %q, nil", p[:n], err, text)
				}
				port := localAddr(t, client).(*net.UDPAddr).Port
				if got := from.(*net.UDPAddr).Port; got != port {
					t.Errorf("the datagram is from port %d, want %d", got, port)
				}
			}

			// The same between connected sockets, where an empty datagram is no end.
			if err := client.Connect(addr); err != nil {
				t.Fatal(err)
			}
			if err := server.Connect(localAddr(t, client)); err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{"hello", "", "bye"} {
				put(t, client, text)
				await(t, server, kernel.Read)
				wantRead(t, server, text, nil)
			}
			wantRead(t, server, "", kernel.ErrAgain)
		})
	}
}

// refuses returns an address at which nobody listens.
func refuses(t *testing.T, network string) net.Addr {
	t.Helper()
	l, addr := listen(t, network, streamNetworks(t)[network])
	_ = l.Close()
	return addr
}

func TestSocketConnectRefused(t *testing.T) {
	for network := range streamNetworks(t) {
		t.Run(network, func(t *testing.T) {
			keepsDescriptors(t)
			addr := refuses(t, network)
			s := newSocket(t, network)
			err := connect(t, s, addr)
			var failed *net.OpError
			var number syscall.Errno
			if !errors.Is(err, syscall.ECONNREFUSED) || !errors.As(err, &number) ||
				!errors.As(err, &failed) || failed.Op != "connect" || failed.Addr != addr {
				t.Errorf("connecting to %v returns %v, want ECONNREFUSED of connect", addr, err)
			}
			if err := s.ConnectError(); err != nil {
				t.Errorf("a second ConnectError returns %v, want nil", err)
			}
		})
	}
}

// To be asked too early, for whatever reason, is no outcome. A listener that is full leaves the
// ones that knock unanswered.
func TestSocketConnectErrorTooEarly(t *testing.T) {
	keepsDescriptors(t)
	l := newSocket(t, "tcp4")
	if err := l.Bind(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		t.Fatal(err)
	}
	if err := l.Listen(1); err != nil {
		t.Fatal(err)
	}
	addr := localAddr(t, l)
	for range 16 {
		s := newSocket(t, "tcp4")
		if err := s.Connect(addr); err == nil {
			continue
		} else if err != kernel.ErrAgain {
			t.Fatal(err)
		}
		switch err := s.ConnectError(); err {
		case nil:
		case kernel.ErrAgain:
			if _, err := s.RemoteAddr(); !errors.Is(err, unix.ENOTCONN) {
				t.Errorf("RemoteAddr returns %v while connecting, want ENOTCONN", err)
			}
			return
		default:
			t.Fatalf("ConnectError returns %v, want nil or ErrAgain", err)
		}
	}
	t.Error("16 connections are made at once with a listener that has room for one")
}

func TestSocketReset(t *testing.T) {
	for _, network := range []string{"tcp4", "tcp6"} {
		t.Run(network, func(t *testing.T) {
			client, server := connected(t, network)
			err := unix.SetsockoptLinger(server.FD(), unix.SOL_SOCKET, unix.SO_LINGER,
				&unix.Linger{Onoff: 1})
			if err != nil {
				t.Fatal(err)
			}
			_ = server.Close()
			await(t, client, kernel.Read)
			n, err := client.Read(make([]byte, 1))
			var number syscall.Errno
			if n != 0 || !errors.Is(err, syscall.ECONNRESET) || !errors.As(err, &number) {
				t.Errorf("Read returns %d, %v, want ECONNRESET", n, err)
			}
			if n, err := client.Write([]byte("x")); n != 0 || !errors.Is(err, syscall.EPIPE) {
				t.Errorf("Write returns %d, %v, want EPIPE", n, err)
			}
			if err := client.CloseWrite(); err != nil {
				t.Errorf("CloseWrite returns %v, want nil", err)
			}
		})
	}
}

func TestSocketAddressErrors(t *testing.T) {
	v4, v6 := net.IPv4(127, 0, 0, 1), net.IPv6loopback
	tests := []struct {
		network string
		addr    net.Addr
	}{
		{"tcp4", nil},
		{"tcp4", (*net.TCPAddr)(nil)},
		{"tcp4", &net.UDPAddr{IP: v4}},
		{"tcp4", &net.UnixAddr{Name: "s"}},
		{"tcp4", &net.TCPAddr{IP: v6}},
		{"tcp4", &net.TCPAddr{IP: v4, Port: -1}},
		{"tcp4", &net.TCPAddr{IP: v4, Port: 65536}},
		{"tcp6", &net.TCPAddr{IP: net.IP{1, 2, 3}}},
		{"tcp6", &net.TCPAddr{IP: v6, Port: 65536}},
		{"tcp6", &net.TCPAddr{IP: v6, Zone: "no such zone"}},
		{"udp4", (*net.UDPAddr)(nil)},
		{"udp4", &net.TCPAddr{IP: v4}},
		{"udp6", &net.UDPAddr{IP: net.IP{1, 2, 3}}},
		{"unix", (*net.UnixAddr)(nil)},
		{"unix", &net.TCPAddr{IP: v4}},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%s %T %v", test.network, test.addr, test.addr), func(t *testing.T) {
			s := newSocket(t, test.network)
			failed := map[string]error{
				"Bind": s.Bind(test.addr), "Connect": s.Connect(test.addr),
			}
			if strings.HasPrefix(test.network, "udp") {
				_, failed["WriteTo"] = s.WriteTo([]byte("x"), test.addr)
			}
			for op, err := range failed {
				var wrong *net.AddrError
				if !errors.As(err, &wrong) || err.Error() == "" {
					t.Errorf("%s returns %v, want a net.AddrError", op, err)
				}
			}
		})
	}
}

func TestSocketBind(t *testing.T) {
	tests := []struct {
		network string
		addr    net.Addr
		want    string // the address, without the port
	}{
		{"tcp4", &net.TCPAddr{}, "0.0.0.0"},
		{"tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1).To16()}, "127.0.0.1"},
		{"tcp6", &net.TCPAddr{}, "[::]"},
		{"tcp6", &net.TCPAddr{IP: net.IPv4zero}, "[::]"},
		{"tcp6", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, "127.0.0.1"},
		{"udp4", &net.UDPAddr{}, "0.0.0.0"},
		{"udp6", &net.UDPAddr{IP: net.IPv6loopback}, "[::1]"},
	}
	for _, test := range tests {
		t.Run(test.network+" "+test.addr.String(), func(t *testing.T) {
			s := newSocket(t, test.network)
			if err := s.Bind(test.addr); err != nil {
				t.Fatal(err)
			}
			addr := localAddr(t, s)
			host, port, _ := strings.Cut(addr.String(), "]:")
			if port == "" {
				host, port, _ = strings.Cut(addr.String(), ":")
			} else {
				host += "]"
			}
			if host != test.want || port == "0" {
				t.Errorf("the socket is at %v, want %s and a port", addr, test.want)
			}
		})
	}
}

// An address of one link only comes back with its zone.
func TestSocketZone(t *testing.T) {
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range interfaces {
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			n, ok := a.(*net.IPNet)
			if !ok || n.IP.To4() != nil || !n.IP.IsLinkLocalUnicast() {
				continue
			}
			for _, zone := range []string{i.Name, fmt.Sprint(i.Index)} {
				s := newSocket(t, "tcp6")
				if err := s.Bind(&net.TCPAddr{IP: n.IP, Zone: zone}); err != nil {
					t.Fatal(err)
				}
				got := localAddr(t, s).(*net.TCPAddr)
				if !got.IP.Equal(n.IP) || got.Zone != i.Name {
					t.Errorf("the socket is at %v, want %v%%%s", got, n.IP, i.Name)
				}
			}
			return
		}
	}
	t.Skip("no interface has a link-local address")
}

// A unix socket that has no name has an empty one.
func TestSocketUnixUnnamed(t *testing.T) {
	client, server := connected(t, "unix")
	for _, addr := range []net.Addr{localAddr(t, client), remoteAddr(t, server)} {
		if got := addr.(*net.UnixAddr); got.Name != "" || got.Net != "unix" {
			t.Errorf("the client is at %#v, want no name", got)
		}
	}
}

func TestSocketAddressInUse(t *testing.T) {
	for network, at := range streamNetworks(t) {
		t.Run(network, func(t *testing.T) {
			_, addr := listen(t, network, at)
			err := newSocket(t, network).Bind(addr)
			if !errors.Is(err, syscall.EADDRINUSE) {
				t.Fatalf("Bind returns %v, want EADDRINUSE", err)
			}
			if !strings.Contains(err.Error(), addr.String()) {
				t.Errorf("the error is %q, want one that tells the address", err)
			}
		})
	}
}

func TestSocketOptions(t *testing.T) {
	tests := []struct {
		option      kernel.SocketOption
		network     string
		level, name int
	}{
		{kernel.ReuseAddr, "tcp4", unix.SOL_SOCKET, unix.SO_REUSEADDR},
		{kernel.NoDelay, "tcp4", unix.IPPROTO_TCP, unix.TCP_NODELAY},
		{kernel.KeepAlive, "tcp6", unix.SOL_SOCKET, unix.SO_KEEPALIVE},
		{kernel.Broadcast, "udp4", unix.SOL_SOCKET, unix.SO_BROADCAST},
		{kernel.V6Only, "tcp6", unix.IPPROTO_IPV6, unix.IPV6_V6ONLY},
	}
	for _, test := range tests {
		s := newSocket(t, test.network)
		for _, on := range []bool{true, false, true} {
			if err := s.SetOption(test.option, on); err != nil {
				t.Errorf("option %d to %v: SetOption returns %v, want nil", test.option, on, err)
			}
			if got := switched(t, s, test.level, test.name); got != on {
				t.Errorf("option %d is %v, want %v", test.option, got, on)
			}
		}
	}
}

func switched(t *testing.T, s kernel.Socket, level, name int) bool {
	t.Helper()
	value, err := unix.GetsockoptInt(s.FD(), level, name)
	if err != nil {
		t.Fatal(err)
	}
	return value != 0
}

func TestSocketOptionErrors(t *testing.T) {
	for _, test := range []struct {
		network string
		option  kernel.SocketOption
	}{{"unix", kernel.NoDelay}, {"udp4", kernel.NoDelay}, {"tcp4", kernel.V6Only}, {"tcp4", 255}} {
		err := newSocket(t, test.network).SetOption(test.option, true)
		var number syscall.Errno
		if !errors.As(err, &number) {
			t.Errorf("SetOption(%d) on %s returns %v, want an error of the system",
				test.option, test.network, err)
		}
	}
}

// Connections do not hold small packets back unless they are told to, whatever their listener does.
func TestSocketNoDelay(t *testing.T) {
	for _, network := range []string{"tcp4", "tcp6"} {
		l, addr := listen(t, network, streamNetworks(t)[network])
		if err := l.SetOption(kernel.NoDelay, false); err != nil {
			t.Fatal(err)
		}
		client := newSocket(t, network)
		if err := connect(t, client, addr); err != nil {
			t.Fatal(err)
		}
		server := accept(t, l)
		for name, s := range map[string]kernel.Socket{"client": client, "server": server} {
			if !switched(t, s, unix.IPPROTO_TCP, unix.TCP_NODELAY) {
				t.Errorf("the %s of %s holds small packets back", name, network)
			}
		}
	}
}

func TestSocketErrors(t *testing.T) {
	keepsDescriptors(t)
	for _, network := range []string{"", "tcp", "ip4:1", "unixgram"} {
		var unknown net.UnknownNetworkError
		if s, err := kernel.NewLoop().Socket(network); !errors.As(err, &unknown) || s != nil {
			t.Errorf("Socket(%q) returns %v, %v, want net.UnknownNetworkError", network, s, err)
		}
	}
	s := newSocket(t, "tcp4")
	if _, err := s.RemoteAddr(); !errors.Is(err, unix.ENOTCONN) {
		t.Errorf("RemoteAddr returns %v, want ENOTCONN", err)
	}
	if err := s.ConnectError(); err != nil {
		t.Errorf("ConnectError before Connect returns %v, want nil", err)
	}
	if _, err := s.Accept(); !errors.Is(err, unix.EINVAL) {
		t.Errorf("Accept without Listen returns %v, want EINVAL", err)
	}
	if _, _, err := s.ReadFrom(make([]byte, 1)); !errors.Is(err, unix.EOPNOTSUPP) {
		t.Errorf("ReadFrom a stream returns %v, want EOPNOTSUPP", err)
	}
	if _, err := s.WriteTo([]byte("x"), &net.TCPAddr{Port: 1}); !errors.Is(err, unix.EOPNOTSUPP) {
		t.Errorf("WriteTo a stream returns %v, want EOPNOTSUPP", err)
	}
	if err := newSocket(t, "udp4").Listen(0); !errors.Is(err, unix.EOPNOTSUPP) {
		t.Errorf("Listen for datagrams returns %v, want EOPNOTSUPP", err)
	}
}

func TestSocketClosed(t *testing.T) {
	for network, addr := range streamNetworks(t) {
		t.Run(network, func(t *testing.T) {
			s := newSocket(t, network)
			if err := s.Close(); err != nil {
				t.Errorf("Close returns %v, want nil", err)
			}
			if s.FD() != -1 {
				t.Errorf("FD returns %d, want -1", s.FD())
			}
			accepted, accept := s.Accept()
			_, local := s.LocalAddr()
			_, remote := s.RemoteAddr()
			_, _, readFrom := s.ReadFrom(nil)
			_, writeTo := s.WriteTo(nil, addr)
			for op, err := range map[string]error{
				"Close": s.Close(), "Bind": s.Bind(addr), "Connect": s.Connect(addr),
				"ConnectError": s.ConnectError(), "Listen": s.Listen(0), "Accept": accept,
				"LocalAddr": local, "RemoteAddr": remote, "ReadFrom": readFrom, "WriteTo": writeTo,
				"SetOption": s.SetOption(kernel.ReuseAddr, true),
			} {
				if !errors.Is(err, net.ErrClosed) {
					t.Errorf("%s returns %v, want net.ErrClosed", op, err)
				}
			}
			if accepted != nil {
				t.Errorf("Accept returns %v, want nil", accepted)
			}
		})
	}
}

// FromConn takes a connection over from the standard library.
func TestFromConn(t *testing.T) {
	for network, at := range streamNetworks(t) {
		t.Run(network, func(t *testing.T) {
			keepsDescriptors(t)
			l, addr := listen(t, network, at)
			c, err := net.Dial(addr.Network(), addr.String())
			if err != nil {
				t.Fatal(err)
			}
			s, err := kernel.FromConn(c)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if _, err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
				t.Errorf("writing to the connection returns %v, want net.ErrClosed", err)
			}
			wantFlags(t, s)
			server := accept(t, l)
			put(t, s, "hello")
			await(t, server, kernel.Read)
			wantRead(t, server, "hello", nil)
			got := remoteAddr(t, s)
			if got.String() != addr.String() || got.Network() != addr.Network() {
				t.Errorf("the socket is connected to %v, want %v", got, addr)
			}
			if network != "unix" && !switched(t, s, unix.IPPROTO_TCP, unix.TCP_NODELAY) {
				t.Error("the socket holds small packets back")
			}
		})
	}
}

// On a listener for both versions of IP, an IPv4 client has an IPv4 address.
func TestFromConnMapped(t *testing.T) {
	l, err := net.Listen("tcp", "[::]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client := newSocket(t, "tcp4")
	port := l.Addr().(*net.TCPAddr).Port
	if err := connect(t, client, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}); err != nil {
		t.Skipf("the system's listeners are not for both: %v", err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s, err := kernel.FromConn(c)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got, want := remoteAddr(t, s).(*net.TCPAddr), localAddr(t, client)
	if len(got.IP) != net.IPv4len || got.String() != want.String() {
		t.Errorf("the client is at %v, want %v", got, want)
	}
}

func TestFromConnErrors(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if s, err := kernel.FromConn(a); s != nil || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("FromConn of a net.Pipe returns %v, %v, want errors.ErrUnsupported", s, err)
	}
	_, addr := listen(t, "tcp4", streamNetworks(t)["tcp4"])
	c, err := net.Dial("tcp4", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if s, err := kernel.FromConn(c); s != nil || !errors.Is(err, net.ErrClosed) {
		t.Errorf("FromConn of what is closed returns %v, %v, want net.ErrClosed", s, err)
	}
	keepsDescriptors(t)
	name := filepath.Join(t.TempDir(), "g")
	g, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if s, err := kernel.FromConn(g); s != nil || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("FromConn of a unixgram returns %v, %v, want errors.ErrUnsupported", s, err)
	}
	if err := g.SetDeadline(time.Time{}); err != nil {
		t.Errorf("what FromConn did not take is not as it was: %v", err)
	}
}

func TestSocketAllocations(t *testing.T) {
	client, server := connected(t, "tcp4")
	p := make([]byte, 64)
	n := testing.AllocsPerRun(100, func() {
		if _, err := client.Write(p); err != nil {
			t.Fatal(err)
		}
		for {
			if n, err := server.Read(p); err == nil && n == len(p) {
				break
			} else if err != kernel.ErrAgain {
				t.Fatal(n, err)
			}
		}
	})
	if n != 0 {
		t.Errorf("writing and reading costs %v allocations, want 0", n)
	}
}
