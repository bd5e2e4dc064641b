package tcp_test

import (
	"context"
	"fmt"
	"log"
	"net"

	"github.com/go-poe/poe/component/tcp"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/wheel"
)

// A server that sends each line back, and a client that says one.
func Example() {
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		log.Fatal(err)
	}
	server, err := tcp.SpawnServer(k.Root(), tcp.ServerOptions{
		Address:     "127.0.0.1",
		ClientInput: func(c *tcp.Conn, in *wheel.Input) { c.Put(in.Bytes) },
	})
	if err != nil {
		log.Fatal(err)
	}
	addr, err := server.Addr()
	if err != nil {
		log.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(addr.String())
	_, err = tcp.SpawnClient(k.Root(), tcp.ClientOptions{
		RemoteAddress: host,
		RemotePort:    port,
		Connected:     func(c *tcp.Client) { c.PutString("hello") },
		ServerInput: func(c *tcp.Client, in *wheel.Input) {
			fmt.Printf("%s\n", in.Bytes)
			c.Shutdown()
		},
		Disconnected: func(*tcp.Client) {
			fmt.Println("disconnected")
			server.Shutdown()
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// hello
	// disconnected
}
