package client

import (
	"time"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
)

// quitTimeout is how long a server may take to say goodbye, when all else is done.
const quitTimeout = 5 * time.Second

// fail reports a failure, and takes leave of a server that is there to hear it.
func (d *delivery) fail(f *Failure) {
	polite := !d.done && d.listens(f)
	d.report(f)
	if polite {
		d.leave()
	} else {
		d.close()
	}
}

// listens reports whether the server is sure to take what comes next for a command, now that f has
// happened. If any of the text is still to be written, it is better lost: a server that refused it
// halfway must not get the rest.
func (d *delivery) listens(f *Failure) bool {
	switch {
	case d.rw == nil || d.m.Compat || d.stopped || d.writeErr != nil || d.rw.OutOctets() > 0:
		return false
	case f.Kind == ServerError:
		return !d.sending && f.Reply != nil && f.Reply.Code != smtp.CodeNotAvailable
	}
	return f.Kind == Configure
}

// leave says QUIT, or does what is left to do before that: commands that were sent ahead are still
// answered, and a DATA that is accepted has to be answered with a text.
func (d *delivery) leave() {
	d.wait(min(d.m.Timeout, quitTimeout))
	quit := true
	for i := range d.expected {
		switch waiting := &d.expected[i]; waiting.stage {
		case StageData:
			quit = false
			waiting.then = d.abandon
		case StageRcpt:
			waiting.then = d.accepted
		default:
			waiting.then = func(*smtp.Reply) {}
		}
	}
	if quit {
		d.quit()
	}
}

// accepted learns of a recipient that was sent ahead of a MAIL that is refused.
func (d *delivery) accepted(r *smtp.Reply) { d.stray = d.stray || r.Positive() }

// abandon ends a transaction without recipients: an empty text goes to nobody (RFC 2920, section
// 3.1). If it would go to somebody after all, it is not sent.
func (d *delivery) abandon(r *smtp.Reply) {
	switch {
	case r.Code != smtp.CodeStartMail:
		d.quit()
	case d.stray:
		d.close()
	case d.send(filter.Record{Bytes: []byte(".\r\n")}):
		d.expect(StageFinal, func(*smtp.Reply) { d.quit() })
	}
}

// report sends the owner the result, once.
func (d *delivery) report(f *Failure) {
	if d.done {
		return
	}
	d.done = true
	if f != nil {
		for i := range d.recipients {
			d.recipients[i].Accepted = false
		}
	}
	r := &Result{
		Message:    d.m,
		Recipients: d.recipients,
		Reply:      d.reply,
		Err:        f,
		Log:        d.log,
		Took:       d.s.Kernel().Now().Sub(d.began),
	}
	if f != nil && f.Stage == StageFinal {
		r.Reply = f.Reply
	}
	d.tell(d.m.ResultEvent, r)
	if f == nil {
		d.tell(d.m.SuccessEvent, d.m.Context, d.logArg())
	} else {
		d.tell(d.m.FailureEvent, d.m.Context, f.Reason(), d.logArg(), f.ReasonLine())
	}
	if d.held && !d.owner.Ended() {
		_, _ = d.owner.RefcountDecrement(holdTag) // it was counted
	}
}

// logArg is the log as an argument: nil if there is none.
func (d *delivery) logArg() any {
	if d.log == nil {
		return nil
	}
	return d.log
}

// tell posts an event to the owner, if the message names one, and it has not ended.
func (d *delivery) tell(event string, args ...any) {
	switch {
	case event == "" || d.owner.Ended():
	case d.stopped:
		d.owner.Yield(event, args...)
	default:
		_ = d.s.Post(d.owner, event, args...) // neither has ended
	}
}

// close ends the session by giving up all that keeps it.
func (d *delivery) close() {
	d.s.AlarmRemoveAll()
	if d.aliased {
		d.aliased = false
		_ = d.s.AliasRemove(kernel.Alias(d.m.Alias)) // it is there
	}
	if d.sockets != nil {
		d.sockets.Close()
	}
	if d.rw != nil {
		d.rw.Close()
	}
	d.sending = false
	d.body.close()
	if d.body.busy && !d.stopped {
		// What reads the text may never return, and must not keep the session alive.
		_ = d.s.Kernel().Signal(d.s, "UIDESTROY")
	}
}
