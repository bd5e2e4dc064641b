package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/go-poe/poe/component/tcp"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// All that is sent comes back from a server behind the forwarder that sends it back, and so does
// the end.
func TestForward(t *testing.T) {
	target, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	deadline := time.Now().Add(20 * time.Second)
	go func() {
		for {
			c, err := target.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				c.SetDeadline(deadline)
				io.Copy(c, c)
			}()
		}
	}()
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := forward(k, "127.0.0.1:0", target.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	addr, err := s.Addr()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- k.Run(ctx) }()

	sent := make([]byte, 4<<20)
	rand.NewChaCha8([32]byte{}).Read(sent)
	c, err := net.DialTimeout("tcp", addr.String(), 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(deadline)
	go func() {
		c.Write(sent)
		c.(*net.TCPConn).CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes came back, %v, want %d", len(got), err, len(sent))
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
}

// Where nobody listens, the client is not kept.
func TestNobodyThere(t *testing.T) {
	world := sim.NewWorld()
	k, err := kernel.New(kernel.Options{Loop: world, Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	s, err := forward(k, "127.0.0.1:0", "127.0.0.1:9")
	if err != nil {
		t.Fatal(err)
	}
	addr, err := s.Addr()
	if err != nil {
		t.Fatal(err)
	}
	var end error
	k.Create(session.Events{kernel.Start: func(e *kernel.Event) {
		_, port, _ := net.SplitHostPort(addr.String())
		_, err := tcp.SpawnClient(e.Session, tcp.ClientOptions{
			RemoteAddress: "127.0.0.1", RemotePort: port,
			ServerInput:  func(*tcp.Client, *wheel.Input) {},
			ServerError:  func(_ *tcp.Client, err *wheel.Error) { end = err },
			Disconnected: func(*tcp.Client) { s.Shutdown() },
		})
		if err != nil {
			t.Error(err)
		}
	}})
	if err := k.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(end, io.EOF) {
		t.Errorf("the connection ended with %v", end)
	}
}

// Before a target that does not read, the client has to stop, and what is held for the target is
// bounded. When the target reads, it gets all of that.
func TestBackPressure(t *testing.T) {
	const buffer = 64 << 10 // of each connection, in each direction
	const bound = 2*buffer + highMark + 64<<10 + buffer
	world := sim.New(sim.Options{Buffer: buffer})
	k, err := kernel.New(kernel.Options{Loop: world})
	if err != nil {
		t.Fatal(err)
	}
	var peer kernel.Socket
	target, err := tcp.SpawnServer(k.Root(), tcp.ServerOptions{
		Address:  "127.0.0.1",
		Acceptor: func(_ *tcp.Server, made *wheel.Connection) { peer = made.Socket },
	})
	if err != nil {
		t.Fatal(err)
	}
	to, err := target.Addr()
	if err != nil {
		t.Fatal(err)
	}
	s, err := forward(k, "127.0.0.1:0", to.String())
	if err != nil {
		t.Fatal(err)
	}
	addr, err := s.Addr()
	if err != nil {
		t.Fatal(err)
	}
	client, err := world.Socket("tcp4")
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Connect(addr); err != nil && err != kernel.ErrAgain {
		t.Fatal(err)
	}
	sent, got, stuck := 0, 0, 0
	block := make([]byte, 64<<10)
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Delay("send", time.Millisecond) },
		"send": func(e *kernel.Event) {
			n, _ := client.Write(block)
			if sent += n; n > 0 {
				stuck = 0
			} else if stuck++; stuck == 10 {
				client.CloseWrite()
				e.Session.Yield("receive")
				return
			}
			if sent > bound {
				t.Errorf("%d bytes are under way, want no more than %d", sent, bound)
				k.Stop()
				return
			}
			e.Session.Delay("send", time.Millisecond)
		},
		"receive": func(e *kernel.Event) {
			n, err := peer.Read(block)
			got += n
			if err == io.EOF {
				peer.Close()
				client.Close()
				s.Shutdown()
				target.Shutdown()
				return
			}
			e.Session.Delay("receive", time.Millisecond)
		},
	})
	if err := k.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if sent < highMark || got != sent {
		t.Errorf("sent %d bytes before it had to wait, of which %d arrived", sent, got)
	}
}
