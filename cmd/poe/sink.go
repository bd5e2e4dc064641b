package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/go-poe/poe/component/smtp/server"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
	"github.com/spf13/cobra"
)

// goodbyeTime is how long those who have sent the last message may take to quit.
const goodbyeTime = 5 * time.Second

// A sinkCommand is the flags of poe sink, and how far it has come.
type sinkCommand struct {
	listen   string
	dir      string
	once     int
	quiet    bool
	maxSize  size
	hostname string
	received bool

	stdout  io.Writer
	server  *kernel.Session
	count   int
	failed  *wheel.Error
	signals int
}

func newSink() *cobra.Command {
	c := sinkCommand{maxSize: server.DefaultMaxSize}
	cmd := &cobra.Command{
		Use:   "sink [--listen HOST:PORT] [--dir MAILDIR] [--once N]",
		Short: "Receive mail, and store or drop it",
		Long: `Receive mail for anybody, and store it in a Maildir, or drop it if none is named. It
is meant for tests; whoever reaches the address can fill the disk.

The first line on standard output says where it listens. After that comes a line for each
message. A message is accepted when it is on the disk, byte for byte as it was sent. One
with a CR or an LF that is not part of a CR LF is refused.

SIGINT and SIGTERM end it: who is sending a message may finish that. A second one ends it
at once.`,
		Example: `  # See what arrives.
  poe sink --listen localhost:2525

  # Keep it: each message becomes a file in mail/new.
  poe sink --listen [::1]:2525 --dir mail

  # Take one message, on a port that is free, and end. The first line tells the port.
  poe sink --listen 127.0.0.1:0 --dir mail --once 1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.stdout = cmd.OutOrStdout()
			return c.run(cmd)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.listen, "listen", "127.0.0.1:2525",
		"`HOST:PORT` to listen at; no host is all of IPv4, port 0 one that is free")
	f.StringVar(&c.dir, "dir", "",
		"`MAILDIR` for the messages, made if it is not there (default: drop them)")
	f.IntVar(&c.once, "once", 0, "end after `N` messages; 0 is never")
	f.BoolVar(&c.quiet, "quiet", false, "print only where it listens")
	f.Var(&c.maxSize, "max-size", "largest message, in octets")
	f.StringVar(&c.hostname, "hostname", "",
		"`NAME` of this host, for the greeting (default: what it is called)")
	f.BoolVar(&c.received, "received", false, "put a Received line before each message")
	return cmd
}

// run receives mail until there was enough, or a signal comes.
func (c *sinkCommand) run(cmd *cobra.Command) error {
	opts, err := c.options()
	if err != nil {
		return err
	}
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		return fail(exitSoftware, err)
	}
	var refused error
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Sig("INT", "interrupted")
			e.Session.Sig("TERM", "interrupted")
			c.server, refused = server.Spawn(e.Session, opts)
		},
		kernel.Child: session.On(func(e *kernel.Event, change string) {
			if change == kernel.ChildLose {
				e.Session.AlarmRemoveAll() // the server has ended
			}
		}),
		"listening":   session.On(c.listening),
		"failed":      session.On(func(_ *kernel.Event, err *wheel.Error) { c.failed = err }),
		"got_mail":    session.On(c.gotMail),
		"shutdown":    func(e *kernel.Event) { _ = e.Session.Post(c.server, "shutdown") },
		"interrupted": c.interrupted,
	})
	err = k.Run(cmd.Context())
	switch {
	case refused != nil:
		return refused
	case err != nil:
		return fail(exitSoftware, err)
	case c.failed != nil && c.failed.Op != "accept":
		return failf(exitUnavailable, "cannot listen at %s: %w", c.listen, c.failed)
	case c.count < c.once:
		return failf(exitTempFail, "ended after %d of %d messages", c.count, c.once)
	}
	return nil
}

// options makes the options of the server. What is made for them on the disk is there after that.
func (c *sinkCommand) options() (server.Options, error) {
	host, port, err := splitHostPort(c.listen, server.DefaultPort)
	switch {
	case err != nil:
		return server.Options{}, fmt.Errorf("--listen: %w", err)
	case c.once < 0:
		return server.Options{}, errors.New("--once must not be below 0")
	}
	opts := server.Options{
		Address: host, Port: port, Hostname: c.hostname,
		Sink: server.Discard{}, AddReceived: c.received, MaxSize: int64(c.maxSize),
		ListenEvent: "listening", FailureEvent: "failed", MessageEvent: "got_mail",
	}
	if opts.Hostname == "" {
		opts.Hostname = ownName()
	}
	if c.dir != "" {
		if opts.Sink, err = server.NewMaildir(c.dir); err != nil {
			return server.Options{}, fail(exitCantCreate, err)
		}
	}
	return opts, nil
}

func (c *sinkCommand) listening(_ *kernel.Event, l *server.Listening) {
	fmt.Fprintf(c.stdout, "listening on %s\n", l.Addr)
}

// gotMail prints a line about a message. After the last one, nobody may send another.
func (c *sinkCommand) gotMail(e *kernel.Event, m *server.Received) {
	c.count++
	if !c.quiet {
		fmt.Fprintln(c.stdout, describe(m))
	}
	if c.count == c.once {
		_ = e.Session.Post(c.server, "drain") // it is there as long as it sends messages
		e.Session.Delay("shutdown", goodbyeTime)
	}
}

// describe returns a message as a line.
func describe(m *server.Received) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s from <%v> to", m.ID, m.From.From)
	for _, to := range m.To {
		fmt.Fprintf(&b, " <%v>", to.To)
	}
	client, _, err := net.SplitHostPort(m.Client.String())
	if err != nil {
		client = m.Client.String()
	}
	fmt.Fprintf(&b, ", %d octets, by %s [%s]", m.Size, m.Hello, client)
	return printable(b.String())
}

// interrupted ends the server in an orderly way. The second signal is not handled, and ends
// everything.
func (c *sinkCommand) interrupted(e *kernel.Event) {
	c.signals++
	if c.signals == 1 && c.server != nil {
		e.Kernel.SigHandled()
		_ = e.Session.Post(c.server, "shutdown") // it may be about to end anyway
	}
}
