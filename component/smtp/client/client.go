package client

import (
	"errors"
	"fmt"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// Options are the options of a client that stays. Alias has no default.
type Options struct {
	Alias kernel.Alias // the name to which messages are posted

	MaxDeliveries int // messages that are sent at the same time; 0 means 100
	MaxWaiting    int // messages that wait for their turn; 0 means 10,000

	// Defaults are used for what a message leaves out: Server, Port, MyHostname, BindAddress,
	// BindPort, Timeout and Auth.
	Defaults Message
}

// Spawn makes a session that sends the messages that others post to its alias. It takes these
// events:
//
//	send           *Message: to be sent. The sender of the event gets the result, by one of the
//	               events that the message names, and is kept alive until then. The message is the
//	               client's until the result comes.
//	smtp_shutdown  no argument: send what was posted so far, refuse what comes after, and then end.
//
// POE: what the authors of POE::Component::Client::SMTP meant to do: a spawn.
func Spawn(parent *kernel.Session, opts Options) (*kernel.Session, error) {
	if opts.Alias == "" {
		return nil, errors.New("smtp client: Options has no Alias")
	}
	if opts.MaxDeliveries < 0 || opts.MaxWaiting < 0 {
		return nil, errors.New("smtp client: Options has a limit below 0")
	}
	if opts.MaxDeliveries == 0 {
		opts.MaxDeliveries = 100
	}
	if opts.MaxWaiting == 0 {
		opts.MaxWaiting = 10_000
	}
	if _, err := parent.Kernel().AliasResolve(opts.Alias); err == nil {
		return nil, fmt.Errorf("smtp client: alias %q: %w", opts.Alias, kernel.ErrAliasTaken)
	}
	c := &client{opts: opts}
	return parent.Create(session.Events{
		kernel.Start:    c.start,
		kernel.Child:    c.child,
		"send":          session.On(c.send),
		"smtp_shutdown": c.shutdown,
	}), nil
}

// A client keeps no connection: each message has a session of its own, a child of the client's.
type client struct {
	opts    Options
	waiting []request
	active  int
	ending  bool
}

// A request is a message, and who wants it sent.
type request struct {
	m    *Message
	from *kernel.Session
}

// holdTag keeps those alive who wait for a result.
const holdTag = "smtp client"

func (c *client) start(e *kernel.Event) {
	if err := e.Session.AliasSet(c.opts.Alias); err != nil {
		panic(err) // Spawn has looked
	}
}

// send begins to send a message, or lets it wait.
func (c *client) send(e *kernel.Event, m *Message) {
	r := request{m: m, from: e.Sender}
	switch {
	case e.Sender == e.Kernel.Root():
		e.Kernel.Log().Error(ErrNoOwner.Error())
	case c.ending:
		c.refuse(e.Session, r, "the client is shutting down")
	case c.active < c.opts.MaxDeliveries:
		c.begin(e.Session, r)
	case len(c.waiting) >= c.opts.MaxWaiting:
		c.refuse(e.Session, r, "too many messages wait")
	default:
		_, _ = r.from.RefcountIncrement(holdTag) // it is alive: it has posted this event
		c.waiting = append(c.waiting, r)
	}
}

// begin spawns the session that sends.
func (c *client) begin(s *kernel.Session, r request) {
	c.active++
	m := *r.m
	c.defaults(&m)
	deliver(s, r.from, &m)
}

// defaults fills in what the client has for all messages.
func (c *client) defaults(m *Message) {
	d := c.opts.Defaults
	for _, f := range []struct{ to, from *string }{
		{&m.Server, &d.Server}, {&m.Port, &d.Port}, {&m.MyHostname, &d.MyHostname},
		{&m.BindAddress, &d.BindAddress}, {&m.BindPort, &d.BindPort},
	} {
		if *f.to == "" {
			*f.to = *f.from
		}
	}
	if m.Timeout == 0 {
		m.Timeout = d.Timeout
	}
	if m.Auth == nil {
		m.Auth = d.Auth
	}
}

// refuse tells the sender at once that its message is not sent.
func (c *client) refuse(s *kernel.Session, r request, why string) {
	d := &delivery{owner: r.from, m: r.m.withDefaults(), s: s, began: s.Kernel().Now()}
	d.report(&Failure{Kind: ShutDown, Stage: StageConfigure, Err: errors.New(why)})
}

// child notices that a session that sent has ended, and lets the next message have its place.
func (c *client) child(e *kernel.Event) {
	if kernel.Arg[string](e, 0) != kernel.ChildLose {
		return
	}
	c.active--
	for c.active < c.opts.MaxDeliveries && len(c.waiting) > 0 {
		r := c.waiting[0]
		c.waiting[0] = request{}
		c.waiting = c.waiting[1:]
		c.begin(e.Session, r)
		_, _ = r.from.RefcountDecrement(holdTag) // the delivery holds it now
	}
	c.end(e.Session)
}

// shutdown takes no more messages.
func (c *client) shutdown(e *kernel.Event) {
	c.ending = true
	c.end(e.Session)
}

// end gives the alias up when there is nothing left to do, and with it the last that keeps the
// session.
func (c *client) end(s *kernel.Session) {
	if c.ending && c.active == 0 && len(c.waiting) == 0 {
		_ = s.AliasRemove(c.opts.Alias) // a second shutdown finds it gone
	}
}
