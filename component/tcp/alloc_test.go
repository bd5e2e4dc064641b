package tcp_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/go-poe/poe/component/tcp"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/wheel"
)

// A line that a server sends back costs no memory at either end, once all buffers have their size.
func TestEchoAllocatesNothing(t *testing.T) {
	const warm, measured = 100, 1000
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := tcp.SpawnServer(k.Root(), tcp.ServerOptions{
		Address:     "127.0.0.1",
		ClientInput: func(c *tcp.Conn, in *wheel.Input) { c.Put(in.Bytes) },
	})
	if err != nil {
		t.Fatal(err)
	}
	addr, err := s.Addr()
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	lines := 0
	_, err = tcp.SpawnClient(k.Root(), tcp.ClientOptions{
		RemoteAddress: "127.0.0.1",
		RemotePort:    strings.TrimPrefix(addr.String(), "127.0.0.1:"),
		Connected:     func(c *tcp.Client) { c.PutString("a line that goes to and fro") },
		ServerInput: func(c *tcp.Client, in *wheel.Input) {
			switch lines++; lines {
			case warm:
				runtime.ReadMemStats(&before)
			case warm + measured:
				runtime.ReadMemStats(&after)
				c.Shutdown()
				s.Shutdown()
				return
			}
			c.Put(in.Bytes)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if lines != warm+measured {
		t.Errorf("%d lines came back, want %d", lines, warm+measured)
	}
	// The process has other goroutines, which may allocate something meanwhile.
	if n := after.Mallocs - before.Mallocs; n > measured/20 {
		t.Errorf("%d lines cost %d allocations, want none", measured, n)
	}
}
