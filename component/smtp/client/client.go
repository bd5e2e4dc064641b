package client

import (
	"errors"

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
// A message that is refused, because too many wait or because of smtp_shutdown, gets a result of
// kind ShutDown. So does each that is not sent when the client is stopped.
//
// The error is kernel.ErrAliasTaken, or says what is wrong with the options.
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
	c := &client{opts: opts}
	s := parent.Create(session.Events{
		kernel.Start:    c.start,
		kernel.Stop:     c.stop,
		kernel.Child:    c.child,
		"send":          session.On(c.send),
		"send_next":     c.sendNext,
		"smtp_shutdown": c.shutdown,
	})
	if c.taken != nil {
		return nil, c.taken // and nothing keeps the session
	}
	return s, nil
}

// A client keeps no connection: each message has a session of its own, a child of the client's.
type client struct {
	opts    Options
	taken   error // the alias is another's
	waiting []request
	active  int
	ending  bool
	ended   bool // the alias is given up
	stopped bool // the session ends: what it posts now would end with it
}

// A request is a message, and who wants it sent.
type request struct {
	m    *Message
	from *kernel.Session
}

// holdTag keeps those alive who wait for a result.
const holdTag = "smtp client"

func (c *client) start(e *kernel.Event) { c.taken = e.Session.AliasSet(c.opts.Alias) }

// send begins to send a message, or lets it wait.
func (c *client) send(e *kernel.Event, m *Message) {
	r := request{m: m, from: e.Sender}
	switch {
	case e.Sender == e.Kernel.Root():
		e.Kernel.Log().Error(ErrNoOwner.Error())
	case c.ending:
		c.refuse(e.Session, r, errEnding)
	case c.active < c.opts.MaxDeliveries:
		c.begin(e.Session, r)
	case len(c.waiting) >= c.opts.MaxWaiting:
		c.refuse(e.Session, r, errTooMany)
	default:
		_, _ = r.from.RefcountIncrement(holdTag) // it is alive: it has posted this event
		c.waiting = append(c.waiting, r)
	}
}

// Why a client that stays does not send a message.
var (
	errEnding  = errors.New("the client is shutting down")
	errTooMany = errors.New("too many messages wait")
)

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
func (c *client) refuse(s *kernel.Session, r request, why error) {
	m := *r.m
	c.defaults(&m)
	d := newDelivery(r.from, &m)
	d.s, d.began, d.stopped = s, s.Kernel().Now(), c.stopped
	d.report(&Failure{Kind: ShutDown, Stage: StageConfigure, Err: why})
}

// child notices that a session that sent has ended. The next message has its place, but not yet: if
// the client is being stopped, its children are first, and it must not have others then.
func (c *client) child(e *kernel.Event) {
	if kernel.Arg[string](e, 0) == kernel.ChildLose {
		c.active--
		e.Session.Yield("send_next")
	}
}

// sendNext begins to send what waits, as far as there is room.
func (c *client) sendNext(e *kernel.Event) {
	for c.active < c.opts.MaxDeliveries && len(c.waiting) > 0 {
		r := c.next()
		c.begin(e.Session, r)
		r.release() // the delivery holds it now
	}
	c.end(e.Session)
}

// next takes the message that waits longest.
func (c *client) next() request {
	r := c.waiting[0]
	c.waiting[0] = request{}
	c.waiting = c.waiting[1:]
	return r
}

// release takes back what kept the sender of a message that waited.
func (r request) release() {
	if !r.from.Ended() {
		_, _ = r.from.RefcountDecrement(holdTag) // it was counted
	}
}

// shutdown takes no more messages.
func (c *client) shutdown(e *kernel.Event) {
	c.ending = true
	c.end(e.Session)
}

// end gives the alias up when there is nothing left to do, and with it the last that keeps the
// session.
func (c *client) end(s *kernel.Session) {
	if c.ending && !c.ended && c.active == 0 && len(c.waiting) == 0 {
		c.ended = true
		_ = s.AliasRemove(c.opts.Alias) // it is there
	}
}

// stop sees to it that each message that waits gets its result, also if the session is stopped from
// outside.
func (c *client) stop(e *kernel.Event) {
	c.stopped = true
	for len(c.waiting) > 0 {
		r := c.next()
		c.refuse(e.Session, r, errStopped)
		r.release()
	}
}
