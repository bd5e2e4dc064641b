// Command web is a small server of HTTP: a page, its own state as JSON, and an echo.
//
//	go run ./docs/examples/web -listen 127.0.0.1:8080
//	curl -i http://127.0.0.1:8080/status
//	curl --data hello http://127.0.0.1:8080/echo
//
// It shows what a server has to think of besides answers: connections that stay open, requests that
// come before the answers to others have left, heads and contents without end, and peers that say
// or take nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-poe/poe/kernel"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stderr))
}

// run is the program, and returns its exit code.
func run(ctx context.Context, args []string, log io.Writer) int {
	o, err := parse(args, log)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2 // parse has said why
	}
	k, err := kernel.New(kernel.Options{})
	var s *site
	if err == nil {
		s, err = serve(k, o, log)
	}
	if err == nil {
		err = errors.Join(k.Run(ctx), s.err)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(log, "web:", err)
		return 1
	}
	return 0
}

// options are what the command line says.
type options struct {
	host, port string
	patience   time.Duration // how long a client may take for a request, or to read an answer
	clients    int           // at the same time
	head       int           // bytes of a request's lines and headers
	content    int           // bytes of its content
}

// parse reads the command line. What is wrong with it, and how it should be, goes to log.
func parse(args []string, log io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("web", flag.ContinueOnError)
	flags.SetOutput(log)
	flags.Usage = func() {
		fmt.Fprint(log, "usage: web [flags]\n\nServes a page, /status and /echo by HTTP.\n\n")
		flags.PrintDefaults()
	}
	listen := flags.String("listen", "127.0.0.1:8080", "`address` and port to listen at")
	flags.DurationVar(&o.patience, "patience", 30*time.Second, "how long a client may be slow")
	flags.IntVar(&o.clients, "clients", 1000, "`clients` that are served at the same time")
	flags.IntVar(&o.head, "head", 16<<10, "`bytes` that the head of a request may have")
	flags.IntVar(&o.content, "content", 64<<10, "`bytes` that its content may have")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.host, o.port, err = net.SplitHostPort(*listen)
	switch {
	case err != nil:
	case flags.NArg() > 0:
		err = fmt.Errorf("nothing to be done with %q", flags.Arg(0))
	case o.patience <= 0 || o.clients < 1 || o.head < 1 || o.content < 1:
		err = errors.New("a number is too small")
	case o.head > 1<<20 || o.content > 1<<24:
		err = errors.New("a number is too large")
	}
	if err != nil {
		fmt.Fprintln(log, "web:", err)
		flags.Usage()
	}
	return o, err
}
