// Command chat is a room: what one guest says, all others hear. The first line of a guest is its
// name.
//
//	go run ./docs/examples/chat -listen 127.0.0.1:7008
//	nc 127.0.0.1 7008
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net"
	"os"
	"os/signal"
	"slices"

	"github.com/go-poe/poe/component/tcp"
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/wheel"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:7008", "address and port to listen at")
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

const (
	maxGuests = 1000
	maxLine   = 1000      // bytes
	maxUnread = 256 << 10 // bytes that a guest may leave unread before it is shown out
)

// A room is where the guests are who have a name.
type room struct {
	guests []*tcp.Conn
}

// serve spawns the server of a room.
func serve(k *kernel.Kernel, listen string) (*tcp.Server, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, err
	}
	r := new(room)
	return tcp.SpawnServer(k.Root(), tcp.ServerOptions{
		Address:            host,
		Port:               port,
		Concurrency:        maxGuests,
		ClientFilter:       filter.NewLine(filter.LineOptions{MaxLength: maxLine}),
		HighMark:           maxUnread,
		ClientConnected:    func(c *tcp.Conn) { say(c, "What is your name?") },
		ClientInput:        r.said,
		ClientHigh:         (*tcp.Conn).Close,
		ClientDisconnected: r.left,
	})
}

// name returns the name of a guest, or "" while it has none.
func name(c *tcp.Conn) string {
	name, _ := c.Heap.(string)
	return name
}

// said is when a guest has said a line.
func (r *room) said(c *tcp.Conn, in *wheel.Input) {
	switch text := string(in.Bytes); {
	case text == "":
	case name(c) == "":
		r.enters(c, text)
	default:
		r.tell(c, name(c)+": "+text)
	}
}

// enters is when a guest has said its name.
func (r *room) enters(c *tcp.Conn, name string) {
	c.Heap = name
	say(c, "Welcome, "+name+".")
	r.guests = append(r.guests, c)
	r.tell(c, name+" is here.")
}

// left is when a guest is gone.
func (r *room) left(c *tcp.Conn) {
	if i := slices.Index(r.guests, c); i >= 0 {
		r.guests = slices.Delete(r.guests, i, i+1)
		r.tell(c, name(c)+" is gone.")
	}
}

// tell has all but one guest hear a line.
func (r *room) tell(but *tcp.Conn, text string) {
	for _, c := range r.guests {
		if c != but {
			say(c, text)
		}
	}
}

// say has a guest hear a line. Who leaves too much unread is shown out by ClientHigh.
func say(c *tcp.Conn, line string) {
	if err := c.PutString(line); err != nil {
		c.Close()
	}
}
