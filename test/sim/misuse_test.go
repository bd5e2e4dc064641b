package sim_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/test/sim"
)

// Sockets that are not what they are taken for say so as those of a real system do.
func TestMisuse(t *testing.T) {
	world := sim.New(sim.Options{Latency: time.Second})
	at, unixAt := tcpAddr(t, "10.0.0.1:25"), &net.UnixAddr{Name: "/s", Net: "unix"}
	fresh, unix := open(t, world, "tcp4"), open(t, world, "unix")
	client, server := overTCP(t, world)
	l := listen(t, world, "10.0.0.1:25")
	under := open(t, world, "tcp4")
	wants(t, under.Connect(at), kernel.ErrAgain)
	datagram := open(t, world, "udp4")
	r, w, err := world.Pipe()
	must(t, err)

	read := func(h kernel.Handle) error { _, err := h.Read(make([]byte, 1)); return err }
	write := func(h kernel.Handle) error { _, err := h.Write([]byte("x")); return err }
	accept := func(s kernel.Socket) error { _, err := s.Accept(); return err }
	remote := func(s kernel.Socket) error { _, err := s.RemoteAddr(); return err }
	from := func(s kernel.Socket) error { _, _, err := s.ReadFrom(make([]byte, 1)); return err }
	x := []byte("x")
	to := func(s kernel.Socket, at net.Addr) error { _, err := s.WriteTo(x, at); return err }
	for _, test := range []struct {
		what      string
		got, want error
	}{
		{"read, not connected", read(fresh), syscall.ENOTCONN},
		{"write, not connected", write(fresh), syscall.EPIPE},
		{"accept, not listening", accept(fresh), syscall.EINVAL},
		{"peer, not connected", remote(fresh), syscall.ENOTCONN},
		{"half close, not connected", errors.Join(fresh.CloseRead(), fresh.CloseWrite()), nil},
		{"outcome of no connect", fresh.ConnectError(), nil},
		{"bind again", l.Bind(at), syscall.EINVAL},
		{"connect, listening", l.Connect(at), syscall.EISCONN},
		{"read, listening", read(l), syscall.ENOTCONN},
		{"connect again, under way", under.Connect(at), kernel.ErrAgain},
		{"outcome, under way", under.ConnectError(), kernel.ErrAgain},
		{"read, under way", read(under), kernel.ErrAgain},
		{"write, under way", write(under), kernel.ErrAgain},
		{"listen, under way", under.Listen(0), syscall.EINVAL},
		{"connect, connected", client.Connect(at), syscall.EISCONN},
		{"listen, connected", server.Listen(0), syscall.EINVAL},
		{"datagram from a stream", from(client), syscall.EOPNOTSUPP},
		{"datagram to a stream", to(client, at), syscall.EOPNOTSUPP},
		{"listen without a name", unix.Listen(0), syscall.EINVAL},
		{"bind to no name", unix.Bind(&net.UnixAddr{}), syscall.EINVAL},
		{"connect to no name", unix.Connect(unixAt), syscall.ENOENT},
		{"peer of a datagram socket", remote(datagram), syscall.ENOTCONN},
		{"write without a peer", write(datagram), syscall.EDESTADDRREQ},
		{"listen for datagrams", datagram.Listen(0), syscall.EOPNOTSUPP},
		{"accept datagrams", accept(datagram), syscall.EOPNOTSUPP},
		{"send to port 0", to(datagram, &net.UDPAddr{IP: net.IPv4(10, 0, 0, 1)}), syscall.EINVAL},
		{"half close of datagrams", errors.Join(datagram.CloseRead(), datagram.CloseWrite()), nil},
		{"option of another kind", datagram.SetOption(kernel.NoDelay, true), syscall.ENOPROTOOPT},
		{"read the writing end", read(w), syscall.EBADF},
		{"write the reading end", write(r), syscall.EBADF},
	} {
		if !errors.Is(test.got, test.want) {
			t.Errorf("%s: %v, want %v", test.what, test.got, test.want)
		}
	}
	var foreign *net.AddrError
	for what, err := range map[string]error{
		"stream": fresh.Connect(unixAt), "unix": unix.Connect(at), "datagram": datagram.Connect(at),
	} {
		if !errors.As(err, &foreign) {
			t.Errorf("%s: an address of another kind: %v", what, err)
		}
	}
}

// Who gives up a connect leaves the other end with a connection that ends.
func TestConnectGivenUp(t *testing.T) {
	world := sim.New(sim.Options{Latency: time.Second})
	l := listen(t, world, "10.0.0.1:25")
	early, late := open(t, world, "tcp4"), open(t, world, "tcp4")
	for _, s := range []kernel.Socket{early, late} {
		wants(t, s.Connect(tcpAddr(t, "10.0.0.1:25")), kernel.ErrAgain)
	}
	must(t, early.Close()) // before the other end has heard of it
	await(t, world, l, kernel.Read)
	must(t, late.Close())
	s, err := l.Accept()
	must(t, err)
	if text, err := readAll(t, world, s); text != "" || err != io.EOF {
		t.Errorf("read %q, %v", text, err)
	}
	_, err = l.Accept()
	wants(t, err, kernel.ErrAgain)
}

// What is behind the end of reading is not for the reader.
func TestCloseRead(t *testing.T) {
	world := sim.NewWorld()
	client, server := overTCP(t, world)
	_, err := client.Write([]byte("before"))
	must(t, err)
	must(t, server.CloseRead())
	if text, err := readAll(t, world, server); text != "before" || err != io.EOF {
		t.Errorf("read %q, %v", text, err)
	}
	a, b, err := world.SocketPair()
	must(t, err)
	must(t, b.CloseRead())
	await(t, world, a, kernel.Write)
	_, err = a.Write([]byte("x"))
	wants(t, err, syscall.EPIPE)
}

func TestRunInsideRun(t *testing.T) {
	world := sim.NewWorld()
	must(t, world.Run(nothingReady, func() (time.Duration, bool) {
		if err := world.Run(nothingReady, waitForever); err == nil {
			t.Error("Run inside Run has no error")
		}
		return 0, false
	}))
}

// A machine has its addresses for itself.
func TestAddressOfAnother(t *testing.T) {
	world := sim.NewWorld()
	world.NewMachine(addr("192.0.2.1"))
	defer func() {
		if recover() == nil {
			t.Error("two machines have the same address")
		}
	}()
	world.AddAddress(addr("192.0.2.1"))
}

// In a trace, a descriptor of another machine than the first goes with its number.
func TestTraceOfMachines(t *testing.T) {
	var trace bytes.Buffer
	world := sim.New(sim.Options{Trace: &trace})
	must(t, open(t, world.NewMachine(), "tcp4").Close())
	must(t, open(t, world, "tcp4").Close())
	for _, want := range []string{" 2:1000 socket tcp4\n", " 1000 socket tcp4\n"} {
		if !strings.Contains(trace.String(), want) {
			t.Errorf("the trace is %q, want %q in it", trace.String(), want)
		}
	}
}
