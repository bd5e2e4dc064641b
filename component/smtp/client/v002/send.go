package v002

import (
	"errors"
	"strings"

	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// A Kind is why a message was not sent: the first argument of FailureEvent. The others depend on
// it, and with Debug the log comes after them.
type Kind int

// The kinds, and the arguments that each has from the second on.
const (
	// Refused has the reply's code, an int, and its text, a string. The text of more lines is one
	// string with newlines. If the server has not said what is wrong, the code is 0: its line made
	// no sense, or there was nothing to ask it.
	Refused Kind = iota + 1

	// NotConnected and Lost have the operation, a string, the errno, an int, its text, and the
	// wheel's number, a wheel.ID. At the end of the stream the errno is 0 and the text is empty.
	NotConnected
	Lost

	TimedOut // has the step that was waited for, a Step
)

// A Step is what was waited for when the time was over.
type Step string

// The steps.
const (
	ConnAccepted Step = "conn_accepted" // the connection, and the greeting
	Ehlo         Step = "ehlo"          // the reply to EHLO or HELO, and a secure connection
	MailFrom     Step = "mail_from"
	RcptTo       Step = "rcpt_to"
	Data         Step = "data" // the reply to DATA, and to the text
)

// Send sends one message, and has owner told what became of it by one of the two events. It
// returns the session that does it, which is a child of owner, and keeps it alive until then.
//
// What is wrong with m is an error, and nothing is sent: a parameter that is missing, or one that
// holds a line end. The error is client.ErrNoOwner if owner is the kernel's root. All else comes as
// an event.
//
// POE: POE::Component::Client::SMTP->send, which throws where this returns an error.
func Send(owner *kernel.Session, m Message) (*kernel.Session, error) {
	if owner == owner.Kernel().Root() {
		return nil, client.ErrNoOwner
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	s := &sender{owner: owner, m: &m}
	return owner.Create(session.Events{
		kernel.Start: s.start,
		kernel.Stop:  s.stop,
		"sent":       session.On(s.sent),
	}), nil
}

// A sender is the session that stands between a delivery of package client and its owner, and turns
// the result into the event that the owner knows.
type sender struct {
	owner   *kernel.Session
	m       *Message
	aliased bool
	done    bool // the owner has been told
}

func (s *sender) start(e *kernel.Event) {
	if s.m.Alias != "" {
		// A name that is taken is no reason not to send.
		s.aliased = e.Session.AliasSet(kernel.Alias(s.m.Alias)) == nil
	}
	_, _ = client.Send(e.Session, s.m.message(e.Kernel.Now())) // this is not the root
}

// sent tells the owner. The delivery may still take leave of the server, and keeps the session
// until then.
func (s *sender) sent(e *kernel.Event, r *client.Result) {
	s.done = true
	if s.aliased {
		_ = e.Session.AliasRemove(kernel.Alias(s.m.Alias)) // it is there
	}
	if r.Err == nil {
		_ = e.Session.Post(s.owner, s.m.SuccessEvent) // it may have ended
		return
	}
	args := failure(r.Err)
	if s.m.Debug {
		args = append(args, logArg(r.Log))
	}
	_ = e.Session.Post(s.owner, s.m.FailureEvent, args...)
}

// logArg is the log as an argument: nil if there is none.
func logArg(log []string) any {
	if log == nil {
		return nil
	}
	return log
}

// stop sees to it that the owner is told even if the session is stopped from outside.
func (s *sender) stop(*kernel.Event) {
	if s.done || s.owner.Ended() {
		return
	}
	args := []any{Refused, 0, "the session was stopped"}
	if s.m.Debug {
		args = append(args, nil)
	}
	s.owner.Yield(s.m.FailureEvent, args...)
}

// failure returns the arguments of FailureEvent.
func failure(f *client.Failure) []any {
	switch f.Kind {
	case client.NoConnect:
		return broken(NotConnected, "connect", f.Err)
	case client.Lost:
		return broken(Lost, "read", f.Err)
	case client.TimedOut:
		return []any{TimedOut, step(f.Stage)}
	}
	switch {
	case f.Reply != nil:
		return []any{Refused, f.Reply.Code, strings.Join(f.Reply.Lines, "\n")}
	case f.Kind == client.ServerError:
		return []any{Refused, 0, f.Line}
	}
	return []any{Refused, 0, f.Error()}
}

// broken returns the arguments for a connection that is not there.
func broken(k Kind, op string, err error) []any {
	w := &wheel.Error{Op: op, Err: err}
	errors.As(err, &w)
	return []any{k, w.Op, int(w.Errno()), w.Text(), w.Wheel}
}

// steps are the names for what the client waits for.
var steps = map[client.Stage]Step{
	client.StageConfigure: ConnAccepted,
	client.StageConnect:   ConnAccepted,
	client.StageGreeting:  ConnAccepted,
	client.StageMail:      MailFrom,
	client.StageRcpt:      RcptTo,
	client.StageData:      Data,
	client.StageText:      Data,
	client.StageFinal:     Data,
}

func step(at client.Stage) Step {
	if s, ok := steps[at]; ok {
		return s
	}
	return Ehlo
}
