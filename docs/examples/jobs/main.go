// Command jobs runs programs for its clients, a few at a time. Which programs, the command line
// says: a client knows them by name only, and adds nothing to them.
//
//	go run ./docs/examples/jobs -allow 'disk=df -h' -allow 'nap=sleep 20'
//	nc 127.0.0.1 7010
//
// A client writes lines:
//
//	run NAME     makes a job, which gets a number
//	cancel ID    ends a job of the client's, or takes it out of the queue
//	status       lists all jobs
//	quit         hangs up, which cancels the client's jobs
//
// It hears of each of its jobs, and what that writes, in lines that begin with the number. SIGINT
// or SIGTERM ends the program in order: it listens no more, the jobs are asked to end and, after a
// while, made to, their clients hear of that, and then nothing is left that keeps a session alive.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/go-poe/poe/kernel"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stderr))
}

// run is the program, and returns its exit code.
func run(args []string, log io.Writer) int {
	o, err := parse(args, log)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2 // parse has said why
	}
	k, err := kernel.New(kernel.Options{})
	var p *pool
	if err == nil {
		p, err = serve(k, o, log)
	}
	if err == nil {
		err = errors.Join(k.Run(context.Background()), p.err)
	}
	if err != nil {
		fmt.Fprintln(log, "jobs:", err)
		return 1
	}
	return 0
}

// options are what the command line says.
type options struct {
	host, port string
	commands   map[string][]string // the program and its arguments, by the name for clients
	workers    int                 // jobs that run at the same time
	queue      int                 // jobs that wait for their turn
	timeout    time.Duration       // how long a job may run
	grace      time.Duration       // how long it may take to end when it is asked to
}

// parse reads the command line. What is wrong with it, and how it should be, goes to log.
func parse(args []string, log io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("jobs", flag.ContinueOnError)
	flags.SetOutput(log)
	flags.Usage = func() {
		fmt.Fprint(log, "usage: jobs [flags]\n\nRuns programs for clients, a few at a time.\n\n")
		flags.PrintDefaults()
	}
	o.commands = map[string][]string{}
	listen := flags.String("listen", "127.0.0.1:7010", "`address` and port to listen at")
	flags.IntVar(&o.workers, "workers", 2, "`jobs` that run at the same time")
	flags.IntVar(&o.queue, "queue", 100, "`jobs` that may wait for their turn")
	flags.DurationVar(&o.timeout, "timeout", time.Hour, "how long a job may run")
	flags.DurationVar(&o.grace, "grace", 5*time.Second, "how long it may take to end when asked")
	flags.Func("allow", "`name=program` with its arguments, which clients may run; once for each",
		o.allow)
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.host, o.port, err = net.SplitHostPort(*listen)
	switch {
	case err != nil:
	case flags.NArg() > 0:
		err = fmt.Errorf("nothing to be done with %q", flags.Arg(0))
	case len(o.commands) == 0:
		err = errors.New("there is nothing to -allow")
	case o.workers < 1 || o.queue < 0 || o.timeout <= 0 || o.grace <= 0:
		err = errors.New("a number is too small")
	}
	if err != nil {
		fmt.Fprintln(log, "jobs:", err)
		flags.Usage()
	}
	return o, err
}

// allow takes one of the commands. There is no shell: blanks are between the arguments.
func (o *options) allow(text string) error {
	name, command, _ := strings.Cut(text, "=")
	words := strings.Fields(command)
	if len(words) == 0 || len(strings.Fields(name)) != 1 {
		return errors.New("it needs a name without blanks, and a program")
	}
	o.commands[name] = words
	return nil
}
