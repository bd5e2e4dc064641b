package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-poe/poe/component/tcp"
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// The limits of what clients can do to the program.
const (
	maxClients = 1000
	maxLine    = 1000      // bytes of a client's line
	highMark   = 256 << 10 // bytes that a client may leave unread before its jobs have to wait
	lowMark    = 64 << 10  // bytes, from which on they go on
	maxUnread  = 4 << 20   // bytes, for which a client is shown out
)

// A pool is the jobs, and the session that the server for clients and all jobs are children of. A
// session lives at least as long as its children, so this one is the last to end.
type pool struct {
	options
	log     io.Writer
	session *kernel.Session
	server  *tcp.Server
	waiting []*job // in the order in which they came
	running []*job
	lastID  int
	closing bool
	err     error // why it cannot listen
}

// serve makes the pool, which listens.
func serve(k *kernel.Kernel, o options, log io.Writer) (*pool, error) {
	p := &pool{options: o, log: log}
	k.Create(session.Events{
		kernel.Start: p.start,
		"close":      p.close,
	})
	return p, p.err
}

// start listens. A signal is an event as any other, and no reason to live.
func (p *pool) start(e *kernel.Event) {
	p.session = e.Session
	e.Session.Sig("INT", "close")
	e.Session.Sig("TERM", "close")
	p.server, p.err = tcp.SpawnServer(e.Session, tcp.ServerOptions{
		Address:            p.host,
		Port:               p.port,
		Concurrency:        maxClients,
		ClientFilter:       filter.NewLine(filter.LineOptions{MaxLength: maxLine}),
		HighMark:           highMark,
		LowMark:            lowMark,
		MaxOutput:          maxUnread,
		Started:            p.started,
		Error:              p.failed,
		ClientInput:        p.said,
		ClientHigh:         func(c *tcp.Conn) { p.pause(c, true) },
		ClientLow:          func(c *tcp.Conn) { p.pause(c, false) },
		ClientDisconnected: p.left,
	})
}

func (p *pool) started(s *tcp.Server) {
	if addr, err := s.Addr(); err == nil {
		fmt.Fprintln(p.log, "listening at", addr)
	}
}

// failed is when the server cannot listen, which is its end, or cannot accept for a while.
func (p *pool) failed(_ *tcp.Server, err *wheel.Error) {
	if err.Op != "accept" {
		p.err = err
		return
	}
	fmt.Fprintln(p.log, "jobs:", err)
}

// said is when a client has said a line.
func (p *pool) said(c *tcp.Conn, in *wheel.Input) {
	verb, rest, _ := strings.Cut(strings.TrimSpace(string(in.Bytes)), " ")
	switch verb {
	case "run":
		p.submit(c, strings.TrimSpace(rest))
	case "cancel":
		p.cancel(c, strings.TrimSpace(rest))
	case "status":
		p.status(c)
	case "quit":
		c.Shutdown()
	case "":
	default:
		names := strings.Join(slices.Sorted(maps.Keys(p.commands)), ", ")
		say(c, "? run NAME, cancel ID, status, quit; NAME is one of: "+names)
	}
}

// submit makes a job, if there is room for one.
func (p *pool) submit(c *tcp.Conn, name string) {
	command := p.commands[name]
	switch {
	case command == nil:
		say(c, "? no such command")
		return
	case p.closing:
		say(c, "? closing")
		return
	case len(p.running) == p.workers && len(p.waiting) == p.queue:
		say(c, "? busy")
		return
	}
	p.lastID++
	j := &job{id: p.lastID, name: name, command: command, pool: p, client: c}
	p.waiting = append(p.waiting, j)
	j.say("queued")
	p.next()
}

// next runs the jobs that may run by now, each in a session of its own.
func (p *pool) next() {
	for len(p.waiting) > 0 && len(p.running) < p.workers {
		j := p.waiting[0]
		p.waiting = p.waiting[1:]
		p.running = append(p.running, j)
		j.say("started")
		p.session.Create(j.events())
	}
}

// finished is when a job is over.
func (p *pool) finished(j *job) {
	p.running = slices.DeleteFunc(p.running, func(other *job) bool { return other == j })
	p.next()
	p.hangUp()
}

// cancel ends a job of a client's.
func (p *pool) cancel(c *tcp.Conn, id string) {
	n, _ := strconv.Atoi(id) // no job has the number 0
	mine := func(j *job) bool { return j.id == n && j.client == c }
	switch {
	case p.withdraw(mine):
	case slices.ContainsFunc(p.running, mine):
		p.running[slices.IndexFunc(p.running, mine)].end()
	default:
		say(c, "? no such job of yours")
	}
}

// withdraw takes jobs out of the queue. It reports whether there were any.
func (p *pool) withdraw(which func(j *job) bool) bool {
	before := len(p.waiting)
	p.waiting = slices.DeleteFunc(p.waiting, func(j *job) bool {
		if which(j) {
			j.say("cancelled")
			return true
		}
		return false
	})
	return len(p.waiting) < before
}

// status lists the jobs.
func (p *pool) status(c *tcp.Conn) {
	for _, j := range p.running {
		say(c, fmt.Sprintf("%d running %s", j.id, j.name))
	}
	for _, j := range p.waiting {
		say(c, fmt.Sprintf("%d waiting %s", j.id, j.name))
	}
	say(c, fmt.Sprintf("%d jobs", len(p.running)+len(p.waiting)))
}

// pause has the jobs of a client wait, or go on: one that writes faster than its client reads is
// held back by the system, as soon as nobody reads what it writes.
func (p *pool) pause(c *tcp.Conn, paused bool) {
	for _, j := range p.running {
		if j.client == c {
			j.pause(paused)
		}
	}
}

// left is when a client is gone. Nobody is there for its jobs any more.
func (p *pool) left(c *tcp.Conn) {
	p.withdraw(func(j *job) bool { return j.client == c })
	for _, j := range p.running {
		if j.client == c {
			j.end()
		}
	}
}

// close is the beginning of the end.
func (p *pool) close(e *kernel.Event) {
	e.Kernel.SigHandled() // or the kernel would end all sessions, now
	p.closing = true
	p.server.Shutdown()
	p.withdraw(func(*job) bool { return true })
	for _, j := range p.running {
		j.end()
	}
	p.hangUp()
}

// hangUp says goodbye to the clients when the last job is over.
func (p *pool) hangUp() {
	if !p.closing || len(p.running) > 0 {
		return
	}
	for _, client := range p.server.Session.Children() {
		_ = p.session.Post(client, "shutdown") // it may have ended
	}
}

// say has a client hear a line. One that leaves too much unread is shown out; one that is gone
// hears nothing.
func say(c *tcp.Conn, line string) {
	if err := c.PutString(line); err != nil {
		c.Close()
	}
}
