// Command echo sends each line back to who sent it.
//
//	go run ./docs/examples/echo -listen 127.0.0.1:7007
//	nc 127.0.0.1 7007
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net"
	"os"
	"os/signal"

	"github.com/go-poe/poe/component/tcp"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/wheel"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:7007", "address and port to listen at")
	flag.Parse()
	k, err := kernel.New(kernel.Options{})
	if err == nil {
		_, err = serve(k, *listen)
	}
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	switch err := k.Run(ctx); {
	case err == nil:
		os.Exit(1) // the server has ended, and the log says why
	case !errors.Is(err, context.Canceled):
		log.Fatal(err)
	}
}

// serve spawns the server: each line that comes in is put back.
func serve(k *kernel.Kernel, listen string) (*tcp.Server, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, err
	}
	return tcp.SpawnServer(k.Root(), tcp.ServerOptions{
		Address:     host,
		Port:        port,
		ClientInput: echo,
	})
}

func echo(c *tcp.Conn, in *wheel.Input) {
	if err := c.Put(in.Bytes); err != nil {
		c.Close() // it sends, and does not read
	}
}
