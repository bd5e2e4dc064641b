package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// A sending is messages on their way through one client that stays: what poe send and poe sendmail
// do when they know what is wanted.
type sending struct {
	way      *wayFlags
	template client.Message // what all messages have in common
	from     string
	to       []string
	edit     edit
	messages []*outgoing
	command  string // the name under which mistakes are told

	stdout, stderr io.Writer
	log            io.Writer // for the dialogue; nil if nobody wants it

	mailer    *kernel.Session
	next      int // message to be begun
	flying    int
	preparing bool // one is being looked at
	explain   explainer
	secured   protection
	bar       *progress
	tally     tally
	failed    error // why the only message was not sent
	signal    string
	outErr    error // what went wrong with printing
}

// run sends all messages, and waits until it is clear what became of them.
func (s *sending) run(ctx context.Context) error {
	log, err := s.openLog()
	if err != nil {
		return err
	}
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		return fail(exitSoftware, err)
	}
	s.explain = explainer{at: place(&s.template), to: &s.template}
	s.template.ResultEvent = "result"
	if s.many() && !s.way.quiet && !s.way.log {
		s.bar = newProgress(s.stderr, len(s.messages))
	}
	if s.log != nil || s.bar != nil || s.way.json {
		s.template.Progress = "progress"
	}
	if s.way.json && s.template.TLSConfig != nil {
		s.secured.watch(s.template.TLSConfig)
	}
	if s.way.insecure {
		fmt.Fprintf(s.stderr, "%s: warning: the server's certificate is not checked\n", s.command)
	}
	k.Create(session.Events{
		kernel.Start:  s.start,
		"fill":        s.fill,
		"prepared":    s.prepared,
		"progress":    session.On(s.progressed),
		"result":      session.On(s.concluded),
		"draw":        s.draw,
		"give_up":     s.giveUp,
		"end":         func(e *kernel.Event) { e.Session.End() },
		"interrupted": session.On(s.interrupted),
	})
	if err := k.Run(ctx); err != nil {
		return fail(exitSoftware, err)
	}
	if log != nil {
		s.printed(log.Close())
	}
	return s.report()
}

// many reports whether there is more than one message.
func (s *sending) many() bool { return len(s.messages) > 1 }

// openLog finds out where the dialogue goes. The file is nil if it goes into none.
func (s *sending) openLog() (*os.File, error) {
	var file *os.File
	if s.way.logFile != "" {
		var err error
		file, err = os.OpenFile(s.way.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, failf(exitCantCreate, "the log: %w", err)
		}
	}
	switch {
	case s.way.log && file != nil:
		s.log = io.MultiWriter(s.stderr, file)
	case s.way.log:
		s.log = s.stderr
	case file != nil:
		s.log = file
	}
	return file, nil
}

func (s *sending) start(e *kernel.Event) {
	e.Session.Sig("INT", "interrupted")
	e.Session.Sig("TERM", "interrupted")
	mailer, err := client.Spawn(e.Session, s.way.options())
	if err != nil {
		panic(err) // the flags are checked, and there is no other client
	}
	s.mailer = mailer
	if s.bar != nil {
		e.Session.Yield("draw")
	}
	s.fill(e)
}

// retryWindow is how many messages may be on their way if some of them wait to be tried again.
const retryWindow = 1000

// window is how many messages may be on their way. The rest is not even opened.
func (s *sending) window() int {
	if s.way.retries > 0 {
		return retryWindow
	}
	return 2 * s.way.connections
}

// fill has as many messages on their way as there may be, in their order, and ends the client after
// the last.
func (s *sending) fill(e *kernel.Event) {
	for s.signal == "" && !s.preparing && s.next < len(s.messages) && s.flying < s.window() {
		o := s.messages[s.next]
		s.next++
		s.flying++
		m := s.template
		m.Context = o
		s.prepare(e, o, &m)
	}
	if s.flying == 0 {
		e.Session.AlarmRemoveAll()
		_ = e.Session.Post(s.mailer, "smtp_shutdown") // it may have ended
	}
}

// prepare makes m of o, elsewhere if the message has to be looked at.
func (s *sending) prepare(e *kernel.Event, o *outgoing, m *client.Message) {
	if s.edit == (edit{}) {
		s.dispatch(e, o, m, s.edit.prepare(s.way, m, o.text, s.from, s.to))
		return
	}
	err := e.Session.Work(func(context.Context) (any, error) {
		return nil, s.edit.prepare(s.way, m, o.text, s.from, s.to)
	}, "prepared", o, m)
	if err != nil {
		s.settle(o, refusedNow(m, err))
		return
	}
	s.preparing = true
}

// prepared goes on with a message that was looked at, and with the next.
func (s *sending) prepared(e *kernel.Event) {
	done, o := kernel.Arg[*kernel.Done](e, 0), kernel.Arg[*outgoing](e, 1)
	s.preparing = false
	s.dispatch(e, o, kernel.Arg[*client.Message](e, 2), done.Err)
	s.fill(e)
}

// dispatch sends a message, unless it could not be prepared.
func (s *sending) dispatch(e *kernel.Event, o *outgoing, m *client.Message, err error) {
	switch {
	case err != nil:
	case m.Compat: // a connection for each message, as 0.22 has it
		_, err = client.Send(e.Session, *m)
	default:
		err = e.Session.Post(s.mailer, "send", m)
	}
	if err != nil {
		s.settle(o, refusedNow(m, err))
	}
}

// progressed takes note of one step of a dialogue.
func (s *sending) progressed(_ *kernel.Event, p *client.Progress) {
	o := p.Context.(*outgoing)
	s.tally.moving += p.Octets - o.sent
	o.sent = p.Octets
	s.secured.step(p)
	if s.log == nil {
		return
	}
	for _, line := range o.shown.lines(p) {
		if s.many() {
			line = o.name + " " + line
		}
		_, err := fmt.Fprintln(s.log, line)
		s.printed(err)
	}
}

// concluded takes note of what became of a message.
func (s *sending) concluded(e *kernel.Event, r *client.Result) {
	s.settle(r.Message.Context.(*outgoing), r)
	s.fill(e)
}

// settle counts a message, and tells what became of it.
func (s *sending) settle(o *outgoing, r *client.Result) {
	s.flying--
	if s.way.json {
		view := newSendResult(o, r)
		view.TLS = s.secured.is
		s.printed(json.NewEncoder(s.stdout).Encode(view))
	}
	err := s.explain.err(r, s.signal)
	s.tally.moving -= o.sent
	s.tally.add(cmp.Or(o.octets, o.sent), err)
	switch {
	case err == nil:
	case s.many():
		s.tell(o.name + ": " + oneLine(err))
	default:
		s.failed = err
	}
	o.text = nil // it may be large
}

// tell prints a line for people, where the progress may be.
func (s *sending) tell(line string) {
	if s.bar != nil {
		s.bar.clear()
	}
	_, err := fmt.Fprintf(s.stderr, "%s: %s\n", s.command, line)
	s.printed(err)
}

// printed keeps the first thing that went wrong with printing.
func (s *sending) printed(err error) {
	if s.outErr == nil {
		s.outErr = err
	}
}

// draw shows how far it has come, from time to time.
func (s *sending) draw(e *kernel.Event) {
	if s.flying == 0 && s.next > 0 {
		return
	}
	s.bar.draw(s.tally)
	e.Session.Delay("draw", drawTime)
}

// interrupted lets messages that are on their way arrive, and begins no others. There is no sense
// in that for a single one. The second time, or then, it ends those too.
func (s *sending) interrupted(e *kernel.Event, name string) {
	e.Kernel.SigHandled()
	first := s.signal == ""
	s.signal = name
	if first && s.many() && s.flying > 0 {
		s.tell(fmt.Sprintf("interrupted: waiting for the %d messages on their way; "+
			"once more ends them", s.flying))
		_ = e.Session.Post(s.mailer, "smtp_shutdown") // so that none waits for another try
		return
	}
	for _, child := range e.Session.Children() {
		_ = e.Kernel.Signal(child, "UIDESTROY") // it is there
	}
	e.Session.Yield("give_up")
}

// giveUp ends this session after the results that the client has sent when it was ended. Without
// it, a message that is still being prepared, perhaps from a terminal, would be waited for.
func (s *sending) giveUp(e *kernel.Event) { e.Session.Yield("end") }

// report tells how it went, and says so by its error.
func (s *sending) report() error {
	if missing := len(s.messages) - s.tally.sent - s.tally.failed; missing > 0 && s.signal != "" {
		s.tally.add(0, failf(exitInterrupted, "interrupted"))
		s.tally.failed += missing - 1
		if !s.many() {
			s.failed = failf(exitInterrupted, "interrupted; the message was not sent")
		}
	}
	if s.bar != nil {
		s.bar.clear()
	}
	switch {
	case s.failed != nil:
		return s.failed
	case s.tally.failed > 0 && s.signal != "":
		return failf(s.tally.status, "interrupted after %d of %d messages, %s", s.tally.sent,
			len(s.messages), octets(s.tally.octets))
	case s.tally.failed > 0:
		return failf(s.tally.status, "sent %d of %d messages, %s; %d failed", s.tally.sent,
			len(s.messages), octets(s.tally.octets), s.tally.failed)
	case s.outErr != nil:
		what := "the message was delivered"
		if s.many() {
			what = fmt.Sprintf("all %d messages were delivered", s.tally.sent)
		}
		return failf(exitOutput, "%s, but what is to be printed cannot be: %w", what, s.outErr)
	case s.many() && !s.way.quiet:
		fmt.Fprintf(s.stderr, "sent %d messages, %s\n", s.tally.sent, octets(s.tally.octets))
	}
	return nil
}
