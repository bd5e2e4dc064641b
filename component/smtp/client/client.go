package client

import (
	"errors"
	"time"

	"github.com/go-poe/poe/kernel"
)

// Options are the options of a client that stays. Alias has no default.
type Options struct {
	Alias kernel.Alias // the name to which messages are posted

	// MaxDeliveries is how many connections there may be, and so how many messages are sent at the
	// same time; 0 means 100.
	MaxDeliveries int

	// MaxConnections is how many of them may go to one destination: a server, with all that is the
	// same for all messages of a connection, such as TLS and the user; 0 means 20.
	MaxConnections int

	MaxWaiting            int           // messages that wait for their turn; 0 means 10,000
	MessagesPerConnection int           // 0 means 1000
	IdleTime              time.Duration // how long a connection waits for a message; 0 means 5 s
	Rate                  int           // messages per second to one destination; 0 means any

	// Retry is how often a message is sent again, to those for whom nothing is decided yet.
	Retry Retry

	// Defaults are used for what a message leaves out: how to reach the server and how to talk to
	// it, from Server to Deadline in the list of a Message's fields, and DKIM.
	Defaults Message
}

// Retry is how often, and when, a message is sent again after a failure that is not for good. The
// zero value is never.
//
// A server that had the whole text when the connection was lost may have accepted it: then the
// message arrives twice. No client can know (RFC 1047).
type Retry struct {
	Times int           // after the first
	First time.Duration // until the first of them, and then twice as long each time; 0 means 1 min
	Most  time.Duration // the longest time until the next; 0 means 1 h
}

// wait returns how long to wait after so many tries.
func (r Retry) wait(tries int) time.Duration {
	wait := r.First
	for range tries - 1 {
		if wait *= 2; wait >= r.Most {
			break
		}
	}
	return min(wait, r.Most)
}

// withDefaults returns o with what was left out filled in.
func (o Options) withDefaults() Options {
	o.MaxDeliveries = orDefault(o.MaxDeliveries, 100)
	o.MaxConnections = orDefault(o.MaxConnections, 20)
	o.MaxWaiting = orDefault(o.MaxWaiting, 10_000)
	o.MessagesPerConnection = orDefault(o.MessagesPerConnection, 1000)
	o.IdleTime = orDefault(o.IdleTime, 5*time.Second)
	o.Retry.First = orDefault(o.Retry.First, time.Minute)
	o.Retry.Most = orDefault(o.Retry.Most, time.Hour)
	return o
}

func orDefault[T int | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// check returns what is wrong with the options.
func (o *Options) check() error {
	least := min(o.MaxDeliveries, o.MaxConnections, o.MaxWaiting, o.MessagesPerConnection, o.Rate,
		o.Retry.Times, int(min(o.IdleTime, o.Retry.First, o.Retry.Most, 0)))
	switch {
	case o.Alias == "":
		return errors.New("smtp client: Options has no Alias")
	case least < 0:
		return errors.New("smtp client: Options has a limit below 0")
	}
	return nil
}

// Spawn makes a session that sends the messages that others post to its alias. It keeps
// connections, and uses them again. It takes these events:
//
//	send           *Message: to be sent. The sender of the event gets the result, by one of the
//	               events that the message names, and is kept alive until then. The message is the
//	               client's until the result comes.
//	smtp_shutdown  no argument: send what was posted so far, refuse what comes after, and then end.
//
// A message that is refused, because too many wait or because of smtp_shutdown, gets a result of
// kind ShutDown. So does each that is not sent when the client is stopped.
//
// While a connection rests, the program is not idle: see Options.IdleTime.
//
// The error is kernel.ErrAliasTaken, or says what is wrong with the options.
//
// POE: what the authors of POE::Component::Client::SMTP meant to do: a spawn.
func Spawn(parent *kernel.Session, opts Options) (*kernel.Session, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	c := &mailer{opts: opts.withDefaults(), destinations: make(map[route]*destination)}
	s := parent.Create(c.events())
	if c.taken != nil {
		return nil, c.taken // and nothing keeps the session
	}
	return s, nil
}
