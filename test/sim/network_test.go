package sim_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/test/sim"
)

func addr(text string) netip.Addr { return netip.MustParseAddr(text) }

func isNotFound(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

// pass lets a machine run for a while.
func pass(t *testing.T, loop kernel.Loop, d time.Duration) {
	t.Helper()
	end := loop.Now().Add(d)
	must(t, loop.Run(nothingReady, func() (time.Duration, bool) {
		left := end.Sub(loop.Now())
		return left, left > 0
	}))
}

// readAll reads until there is an error, and returns what was read and the error.
func readAll(t *testing.T, loop kernel.Loop, h kernel.Handle) (string, error) {
	t.Helper()
	var all []byte
	var p [64]byte
	for {
		n, err := h.Read(p[:])
		all = append(all, p[:n]...)
		switch {
		case err == kernel.ErrAgain:
			await(t, loop, h, kernel.Read)
		case err != nil:
			return string(all), err
		}
	}
}

func TestLatency(t *testing.T) {
	world := sim.New(sim.Options{Latency: 30 * time.Millisecond})
	l := listen(t, world, "10.0.0.1:25")
	client := connect(t, world, "10.0.0.1:25")
	if got := world.Elapsed(); got != 60*time.Millisecond {
		t.Errorf("to connect took %v", got)
	}
	server, err := l.Accept()
	must(t, err)
	_, err = client.Write([]byte("x"))
	must(t, err)
	await(t, world, server, kernel.Read)
	if got := world.Elapsed(); got != 90*time.Millisecond {
		t.Errorf("the first byte arrived at %v", got)
	}
}

// What was sent later never overtakes, however long the first takes.
func TestJitterKeepsOrder(t *testing.T) {
	world := sim.New(sim.Options{Seed: 5, Jitter: time.Second, Faults: sim.Faults{Split: 0.5}})
	client, server := overTCP(t, world)
	var want strings.Builder
	for i := range 200 {
		text := strings.Repeat(string(rune('a'+i%26)), i%7)
		want.WriteString(text)
		for len(text) > 0 {
			n, err := client.Write([]byte(text))
			must(t, err)
			text = text[n:]
		}
	}
	must(t, client.Close())
	got, err := readAll(t, world, server)
	if got != want.String() || err != io.EOF {
		t.Errorf("got %q and %v, want %q", got, err, want.String())
	}
}

func TestBlackHole(t *testing.T) {
	world := sim.New(sim.Options{ConnectTimeout: 20 * time.Second})
	world.BlackHole(netip.MustParsePrefix("198.51.100.0/24"))
	s := open(t, world, "tcp4")
	wants(t, connecting(t, world, s, "198.51.100.7:25"), syscall.ETIMEDOUT)
	if got := world.Elapsed(); got != 20*time.Second {
		t.Errorf("the connect failed after %v", got)
	}
	wants(t, connecting(t, world, s, "198.51.101.7:25"), syscall.ECONNREFUSED)
}

// A connect that finds the queue of the listener full is tried again, and again, until it is given
// up.
func TestBacklog(t *testing.T) {
	world := sim.New(sim.Options{ConnectTimeout: 5 * time.Second})
	l := open(t, world, "tcp4")
	must(t, l.Bind(tcpAddr(t, "127.0.0.1:25")))
	must(t, l.Listen(2))
	first := connect(t, world, "127.0.0.1:25")
	connect(t, world, "127.0.0.1:25")

	third := open(t, world, "tcp4")
	wants(t, third.Connect(tcpAddr(t, "127.0.0.1:25")), kernel.ErrAgain)
	pass(t, world, 500*time.Millisecond)
	wants(t, third.ConnectError(), kernel.ErrAgain)
	served, err := l.Accept()
	must(t, err)
	await(t, world, third, kernel.Write)
	must(t, third.ConnectError())
	if got := world.Elapsed(); got != time.Second {
		t.Errorf("the third was connected after %v", got)
	}
	if a, _ := served.RemoteAddr(); a.String() != local(t, first) {
		t.Errorf("the first to be served is %v, want %v", a, local(t, first))
	}

	fourth := open(t, world, "tcp4")
	wants(t, connecting(t, world, fourth, "127.0.0.1:25"), syscall.ETIMEDOUT)
	if got := world.Elapsed(); got != 6*time.Second {
		t.Errorf("the fourth was given up at %v", got)
	}
}

func local(t *testing.T, s kernel.Socket) string {
	t.Helper()
	a, err := s.LocalAddr()
	if err != nil {
		t.Fatal(err)
	}
	return a.String()
}

// A listener that is closed breaks the connections that nobody has accepted.
func TestListenerCloses(t *testing.T) {
	world := sim.NewWorld()
	l := listen(t, world, "127.0.0.1:25")
	s := connect(t, world, "127.0.0.1:25")
	must(t, l.Close())
	_, err := s.Read(make([]byte, 1))
	wants(t, err, syscall.ECONNRESET)
	_, err = s.Write([]byte("x"))
	wants(t, err, syscall.EPIPE)
}

func TestReset(t *testing.T) {
	world := sim.New(sim.Options{Latency: time.Second})
	client, server := overTCP(t, world)
	_, err := client.Write([]byte("arrives"))
	must(t, err)
	await(t, world, server, kernel.Read)
	_, err = client.Write([]byte("is lost"))
	must(t, err)
	must(t, world.Reset(client))
	got, err := readAll(t, world, server)
	if got != "arrives" {
		t.Errorf("read %q", got)
	}
	wants(t, err, syscall.ECONNRESET)
	_, err = client.Write([]byte("x"))
	wants(t, err, syscall.ECONNRESET)
	_, err = client.Write([]byte("x"))
	wants(t, err, syscall.EPIPE)
	_, err = client.Read(make([]byte, 1))
	wants(t, err, io.EOF)

	r, w, err := world.Pipe()
	must(t, err)
	for _, h := range []kernel.Handle{r, w, open(t, world, "tcp4"), open(t, world, "udp4")} {
		wants(t, world.Reset(h), syscall.EINVAL)
	}
}

func TestBufferIsALimit(t *testing.T) {
	world := sim.New(sim.Options{Buffer: 100})
	client, server := overTCP(t, world)
	r, w, err := world.Pipe()
	must(t, err)
	for _, ends := range [][2]kernel.Handle{{client, server}, {w, r}} {
		if n, err := ends[0].Write(make([]byte, 1000)); n != 100 || err != nil {
			t.Errorf("Write: %d, %v, want 100", n, err)
		}
		if n, err := ends[0].Write(make([]byte, 1000)); n != 0 || err != kernel.ErrAgain {
			t.Errorf("Write: %d, %v, want %v", n, err, kernel.ErrAgain)
		}
		if n, err := ends[1].Read(make([]byte, 60)); n != 60 || err != nil {
			t.Errorf("Read: %d, %v", n, err)
		}
		await(t, world, ends[0], kernel.Write)
		if n, err := ends[0].Write(make([]byte, 1000)); n != 60 || err != nil {
			t.Errorf("Write: %d, %v, want 60", n, err)
		}
	}
}

// Descriptors are numbered as by a real system: the lowest that is free.
func TestDescriptors(t *testing.T) {
	world := sim.New(sim.Options{Descriptors: 4})
	var open [4]kernel.Socket
	for i := range open {
		var err error
		open[i], err = world.Socket("tcp4")
		must(t, err)
		if want := open[0].FD() + i; open[i].FD() != want {
			t.Errorf("descriptor %d, want %d", open[i].FD(), want)
		}
	}
	_, err := world.Socket("udp4")
	wants(t, err, syscall.EMFILE)
	_, _, err = world.Pipe()
	wants(t, err, syscall.EMFILE)
	was := open[1].FD()
	must(t, open[3].Close())
	must(t, open[1].Close())
	again, err := world.Socket("unix")
	must(t, err)
	if again.FD() != was {
		t.Errorf("descriptor %d, want %d", again.FD(), was)
	}
	_, _, err = world.SocketPair() // there is room for one
	wants(t, err, syscall.EMFILE)
	_, err = world.Socket("tcp4")
	must(t, err)
}

// A connection for which there is no descriptor waits.
func TestAcceptWithoutDescriptor(t *testing.T) {
	world := sim.New(sim.Options{Descriptors: 3})
	l := listen(t, world, "127.0.0.1:25")
	connect(t, world, "127.0.0.1:25")
	third := open(t, world, "udp4")
	_, err := l.Accept()
	wants(t, err, syscall.EMFILE)
	must(t, third.Close())
	_, err = l.Accept()
	must(t, err)
}

func TestAddresses(t *testing.T) {
	world := sim.NewWorld()
	other := world.NewMachine(addr("192.0.2.2"))
	for _, test := range []struct {
		what    string
		loop    kernel.Loop
		network string
		at      net.Addr
		want    error
	}{
		{"one of its own", other, "tcp4", tcpAddr(t, "192.0.2.2:25"), nil},
		{"the same", other, "tcp4", tcpAddr(t, "192.0.2.2:25"), syscall.EADDRINUSE},
		{"all, and one is taken", other, "tcp4", tcpAddr(t, "0.0.0.0:25"), syscall.EADDRINUSE},
		{"all, of both families", other, "tcp6", tcpAddr(t, "[::]:25"), syscall.EADDRINUSE},
		{"another port", other, "tcp4", tcpAddr(t, "192.0.2.2:26"), nil},
		{"another's", world, "tcp4", tcpAddr(t, "192.0.2.2:25"), syscall.EADDRNOTAVAIL},
		{"nobody's", world, "tcp4", tcpAddr(t, "192.0.2.3:25"), nil},
		{"all, of another machine", world, "tcp4", tcpAddr(t, "0.0.0.0:26"), nil},
		{"loopback of both machines", world, "tcp4", tcpAddr(t, "127.0.0.1:27"), nil},
		{"loopback of both machines", other, "tcp4", tcpAddr(t, "127.0.0.1:27"), nil},
		{"another protocol", other, "udp4", &net.UDPAddr{Port: 25}, nil},
	} {
		if err := open(t, test.loop, test.network).Bind(test.at); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.what, err, test.want)
		}
	}
	for _, at := range []net.Addr{nil, &net.UDPAddr{}, &net.UnixAddr{}, tcpAddr(t, "[::1]:25"),
		&net.TCPAddr{Port: 70000}, &net.TCPAddr{IP: net.IP{1, 2}}, (*net.TCPAddr)(nil)} {
		if err := open(t, world, "tcp4").Bind(at); err == nil {
			t.Errorf("Bind(%v) has no error", at)
		}
	}
}

// A socket of IPv6 takes connections of IPv4, too, unless it is told not to.
func TestBothFamilies(t *testing.T) {
	world := sim.NewWorld()
	both, six := open(t, world, "tcp6"), open(t, world, "tcp6")
	must(t, six.SetOption(kernel.V6Only, true))
	for s, at := range map[kernel.Socket]string{both: "[::]:25", six: "[::]:26"} {
		must(t, s.Bind(tcpAddr(t, at)))
		must(t, s.Listen(0))
	}
	must(t, connecting(t, world, open(t, world, "tcp4"), "127.0.0.1:25"))
	must(t, connecting(t, world, open(t, world, "tcp6"), "127.0.0.1:25"))
	must(t, connecting(t, world, open(t, world, "tcp6"), "[::1]:26"))
	wants(t, connecting(t, world, open(t, world, "tcp4"), "127.0.0.1:26"), syscall.ECONNREFUSED)
	must(t, open(t, world, "tcp4").Bind(tcpAddr(t, "0.0.0.0:26")))
}

func TestReuseAddr(t *testing.T) {
	world := sim.NewWorld()
	first, second := open(t, world, "tcp4"), open(t, world, "tcp4")
	for _, s := range []kernel.Socket{first, second} {
		must(t, s.SetOption(kernel.ReuseAddr, true))
		must(t, s.Bind(tcpAddr(t, "127.0.0.1:25")))
	}
	must(t, first.Listen(0))
	wants(t, second.Listen(0), syscall.EADDRINUSE)
	must(t, first.Close())
	must(t, second.Listen(0))
}

func TestPortsOfItsOwn(t *testing.T) {
	world := sim.NewWorld()
	seen := make(map[string]bool)
	for range 100 {
		s := open(t, world, "tcp4")
		must(t, s.Bind(tcpAddr(t, "127.0.0.1:0")))
		if seen[local(t, s)] {
			t.Errorf("two sockets have the address %s", local(t, s))
		}
		seen[local(t, s)] = true
	}
}

func TestUnixNames(t *testing.T) {
	world := sim.NewWorld()
	name := &net.UnixAddr{Name: "/run/s", Net: "unix"}
	l := open(t, world, "unix")
	must(t, l.Bind(name))
	wants(t, open(t, world, "unix").Connect(name), syscall.ECONNREFUSED)
	wants(t, open(t, world.NewMachine(), "unix").Connect(name), syscall.ENOENT)
	must(t, l.Listen(1))
	must(t, open(t, world, "unix").Connect(name))
	wants(t, open(t, world, "unix").Connect(name), syscall.EAGAIN)
	must(t, l.Close())
	wants(t, open(t, world, "unix").Connect(name), syscall.ENOENT)
	must(t, open(t, world, "unix").Bind(name))
}

// datagramPair returns a socket that is connected to another, and that.
func datagramPair(t *testing.T, world *sim.World) (from, to kernel.Socket) {
	t.Helper()
	from, to = open(t, world, "udp4"), open(t, world, "udp4")
	must(t, to.Bind(&net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 53}))
	must(t, from.Connect(&net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 53}))
	return from, to
}

// count sends datagrams, and returns how many arrive.
func count(t *testing.T, world *sim.World, from, to kernel.Socket, n int) int {
	t.Helper()
	for range n {
		_, err := from.Write([]byte("x"))
		must(t, err)
	}
	pass(t, world, time.Second)
	got := 0
	for {
		if _, _, err := to.ReadFrom(make([]byte, 1)); err != nil {
			wants(t, err, kernel.ErrAgain)
			return got
		}
		got++
	}
}

func TestDatagramFaults(t *testing.T) {
	world := sim.New(sim.Options{Seed: 1, Faults: sim.Faults{Drop: 0.5}})
	from, to := datagramPair(t, world)
	if got := count(t, world, from, to, 200); got < 60 || got > 140 {
		t.Errorf("%d datagrams of 200 arrive, with half of them lost", got)
	}
	world = sim.New(sim.Options{Seed: 1, Faults: sim.Faults{Duplicate: 0.5}})
	from, to = datagramPair(t, world)
	if got := count(t, world, from, to, 200); got < 260 || got > 340 {
		t.Errorf("%d datagrams of 200 arrive, with half of them doubled", got)
	}
	world = sim.New(sim.Options{Buffer: 10})
	from, to = datagramPair(t, world)
	if got := count(t, world, from, to, 200); got != 10 {
		t.Errorf("%d datagrams of 200 arrive, with room for 10", got)
	}
	world.BlackHole(netip.MustParsePrefix("127.0.0.0/8"))
	if got := count(t, world, from, to, 200); got != 0 {
		t.Errorf("%d datagrams come out of a black hole", got)
	}
}

func TestDatagramRefused(t *testing.T) {
	world := sim.NewWorld()
	from, to := datagramPair(t, world)
	must(t, to.Close())
	_, err := from.Write([]byte("x"))
	must(t, err)
	await(t, world, from, kernel.Read)
	_, err = from.Read(make([]byte, 1))
	wants(t, err, syscall.ECONNREFUSED)
	_, err = from.Read(make([]byte, 1))
	wants(t, err, kernel.ErrAgain)
}

// A connected socket hears only the one that it is connected to.
func TestDatagramFromOthers(t *testing.T) {
	world := sim.NewWorld()
	from, to := datagramPair(t, world)
	a, err := from.LocalAddr()
	must(t, err)
	_, err = open(t, world, "udp4").WriteTo([]byte("other"), a)
	must(t, err)
	_, err = to.WriteTo([]byte("peer"), a)
	must(t, err)
	await(t, world, from, kernel.Read)
	var p [8]byte
	if n, err := from.Read(p[:]); string(p[:n]) != "peer" || err != nil {
		t.Errorf("Read: %q, %v", p[:n], err)
	}
	_, err = from.Read(p[:])
	wants(t, err, kernel.ErrAgain)
}

func TestBroadcast(t *testing.T) {
	world := sim.NewWorld()
	var receivers []kernel.Socket
	for _, m := range []kernel.Loop{world, world.NewMachine()} {
		s := open(t, m, "udp4")
		must(t, s.Bind(&net.UDPAddr{Port: 67}))
		receivers = append(receivers, s)
	}
	s := open(t, world, "udp4")
	everybody := &net.UDPAddr{IP: net.IPv4bcast, Port: 67}
	_, err := s.WriteTo([]byte("x"), everybody)
	wants(t, err, syscall.EACCES)
	must(t, s.SetOption(kernel.Broadcast, true))
	_, err = s.WriteTo([]byte("x"), everybody)
	must(t, err)
	pass(t, world, time.Second)
	for _, r := range receivers {
		_, _, err := r.ReadFrom(make([]byte, 1))
		must(t, err)
	}
}
