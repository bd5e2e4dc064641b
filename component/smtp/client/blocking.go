package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/go-poe/poe/kernel"
)

// A Client sends mail for a program that has no kernel of its own, and wants to wait for the
// result. Any number of goroutines may use it at the same time. It keeps connections, and uses them
// again.
type Client struct {
	door *kernel.Door
	stop context.CancelFunc
	wait func() error
}

// ErrClientClosed is what a Client returns that was shut down.
var ErrClientClosed = errors.New("smtp client: it is closed")

// A PartialError is the error of a message that some recipients have, and others do not.
type PartialError struct {
	Recipients []Recipient // who do not have it
}

// Error says who does not have the message, and why.
func (e *PartialError) Error() string {
	var b strings.Builder
	b.WriteString("smtp client: not accepted for ")
	for i, to := range e.Recipients {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(to.Address)
		if to.Reply != nil {
			fmt.Fprintf(&b, " (%v)", to.Reply)
		}
	}
	return b.String()
}

// New returns a client that is ready to send. Shutdown or Close end it. Options.Alias means nothing
// here. A nil log means none.
func New(opts Options, log *zap.Logger) (*Client, error) {
	if opts.Alias == "" {
		opts.Alias = "smtp client"
	}
	if err := opts.check(); err != nil {
		return nil, err
	}
	k, err := kernel.New(kernel.Options{Log: log})
	if err != nil {
		return nil, err
	}
	s, err := Spawn(k.Root(), opts)
	if err != nil {
		return nil, err // it cannot be the alias
	}
	c := &Client{door: s.Door()}
	ctx, cancel := context.WithCancel(context.Background())
	c.stop = cancel
	c.wait = k.Go(ctx)
	return c, nil
}

// Send sends a message, and waits for the result or for ctx, of which a deadline is one for the
// message too. When ctx is done, the message is given up: whether the server has it already may
// not be known then.
//
// The error is nil if all recipients have the message. Otherwise it is a *Failure if none has, a
// *PartialError if some have, what ctx says, or ErrClientClosed. With the first two there is a
// result.
//
// The events that m names do not come.
func (c *Client) Send(ctx context.Context, m Message) (*Result, error) {
	m.Progress, m.ResultEvent = "", ""
	m.AllOrNothing = m.AllOrNothing || m.SuccessEvent != "" || m.FailureEvent != ""
	m.SuccessEvent, m.FailureEvent = "", ""
	answer, err := c.door.Ask(ctx, "ask", &m)
	switch {
	case errors.Is(err, kernel.ErrDoorClosed):
		return nil, ErrClientClosed
	case err != nil:
		return nil, err
	}
	r := answer.(*Result)
	return r, r.err()
}

// err returns what is wrong with a result, or nil.
func (r *Result) err() error {
	switch {
	case r.OK():
		return nil
	case r.Err != nil:
		return r.Err
	}
	e := &PartialError{}
	for _, to := range r.Recipients {
		if to.Verdict != Accepted {
			e.Recipients = append(e.Recipients, to)
		}
	}
	return e
}

// Shutdown takes no more messages, and waits for those that were sent so far, or for ctx, and then
// ends the client.
func (c *Client) Shutdown(ctx context.Context) error {
	_, err := c.door.Ask(ctx, "ask_shutdown")
	if errors.Is(err, kernel.ErrDoorClosed) {
		err = nil // it was shut down before
	}
	return errors.Join(err, c.Close())
}

// Close ends the client. What was not sent yet, is not.
func (c *Client) Close() error {
	c.stop()
	if err := c.wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// ask sends a message for somebody outside, who waits for the result.
func (m *mailer) ask(e *kernel.Event) {
	q, msg := kernel.Arg[*kernel.Question](e, 0), kernel.Arg[*Message](e, 1)
	if deadline, ok := q.Context().Deadline(); ok {
		left := max(time.Nanosecond, deadline.Sub(e.Kernel.Now()))
		if limit := cmp.Or(msg.Deadline, m.opts.Defaults.Deadline); limit == 0 || left < limit {
			msg.Deadline = left
		}
	}
	stop := func() bool { return false }
	d := m.take(m.s, msg, func(r *Result) {
		stop()
		q.Answer(r, nil)
	})
	if !d.done {
		door := e.Kernel.Door(m.s)
		stop = context.AfterFunc(q.Context(), func() { _ = door.Post("cancel", d) }) // or it has ended
	}
}

// cancel gives a message up for whose result nobody waits.
func (m *mailer) cancel(_ *kernel.Event, d *delivery) {
	d.cancel(&Failure{Kind: ShutDown, Stage: StageConfigure, Err: context.Canceled})
}

// askShutdown shuts down, and answers when that is done.
func (m *mailer) askShutdown(e *kernel.Event, q *kernel.Question) {
	m.whenDone = append(m.whenDone, func() { q.Answer(nil, nil) })
	m.shutdown(e)
}
