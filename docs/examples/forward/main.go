// Command forward hands each connection on to another address, both ways. Who reads slowly makes
// the one who writes wait: no more than a few hundred KiB are held for either.
//
//	go run ./docs/examples/forward -listen 127.0.0.1:7009 -to 127.0.0.1:7007
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"time"

	"go.uber.org/zap"

	"github.com/go-poe/poe/component/tcp"
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/wheel"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:7009", "address and port to listen at")
	to := flag.String("to", "127.0.0.1:7007", "address and port to connect to")
	flag.Parse()
	k, err := kernel.New(kernel.Options{})
	if err == nil {
		_, err = forward(k, *listen, *to)
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

const (
	highMark       = 256 << 10 // bytes; who would write more has to wait
	lowMark        = 64 << 10  // bytes, from which on it may write again
	connectTimeout = 10 * time.Second
)

// A relay is a client, who is near, and the connection that was made for it, which is far.
type relay struct {
	near  *tcp.Conn
	far   *tcp.Client
	ended int // how many of the two say no more
}

// forward spawns the server. What is read at one end is put at the other, as it comes.
func forward(k *kernel.Kernel, listen, to string) (*tcp.Server, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, err
	}
	toHost, toPort, err := net.SplitHostPort(to)
	if err != nil {
		return nil, err
	}
	of := func(c *tcp.Conn) *relay { return c.Heap.(*relay) }
	return tcp.SpawnServer(k.Root(), tcp.ServerOptions{
		Address:      host,
		Port:         port,
		ClientFilter: filter.NewStream(filter.StreamOptions{}),
		KeepOnError:  true, // the other way goes on when one has ended
		HighMark:     highMark,
		LowMark:      lowMark,
		ClientConnected: func(c *tcp.Conn) {
			r := &relay{near: c}
			c.Heap = r
			r.connect(toHost, toPort)
		},
		ClientInput: func(c *tcp.Conn, in *wheel.Input) { of(c).put(&of(c).far.Conn, in) },
		ClientHigh:  func(c *tcp.Conn) { of(c).far.PauseInput() },
		ClientLow:   func(c *tcp.Conn) { of(c).far.ResumeInput() },
		ClientError: func(c *tcp.Conn, err *wheel.Error) {
			of(c).failed(err, &of(c).far.Conn)
		},
		ClientDisconnected: func(c *tcp.Conn) { of(c).far.Close() },
	})
}

// connect makes the far connection. Until it is there, the client has to wait.
func (r *relay) connect(host, port string) {
	r.near.PauseInput()
	far, err := tcp.SpawnClient(r.near.Session, tcp.ClientOptions{
		RemoteAddress:  host,
		RemotePort:     port,
		ConnectTimeout: connectTimeout,
		Filter:         filter.NewStream(filter.StreamOptions{}),
		KeepOnError:    true,
		HighMark:       highMark,
		LowMark:        lowMark,
		Connected:      func(*tcp.Client) { r.near.ResumeInput() },
		ConnectError: func(c *tcp.Client, err *wheel.Error) {
			c.Session.Kernel().Log().Warn("cannot forward", zap.Error(err))
			r.near.Close()
		},
		ServerInput:  func(_ *tcp.Client, in *wheel.Input) { r.put(r.near, in) },
		ServerHigh:   func(*tcp.Client) { r.near.PauseInput() },
		ServerLow:    func(*tcp.Client) { r.near.ResumeInput() },
		ServerError:  func(_ *tcp.Client, err *wheel.Error) { r.failed(err, r.near) },
		Disconnected: func(*tcp.Client) { r.near.Close() },
	})
	if err != nil {
		panic(err) // it is about an alias, and there is none
	}
	r.far = far
}

// put hands on what was read.
func (r *relay) put(to *tcp.Conn, in *wheel.Input) {
	if err := to.Put(in.Bytes); err != nil {
		r.near.Close()
		r.far.Close()
	}
}

// failed hands on the end of the input of one end to the other. When neither says more, both are
// closed, with what is left to be written. Any error ends both at once.
func (r *relay) failed(err *wheel.Error, other *tcp.Conn) {
	if !errors.Is(err, io.EOF) {
		r.near.Close()
		r.far.Close()
		return
	}
	other.Wheel().ShutdownOutput()
	if r.ended++; r.ended == 2 {
		r.near.Shutdown()
		r.far.Shutdown()
	}
}
