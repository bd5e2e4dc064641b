package client

import (
	"errors"
	"math"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/wheel"
)

// A step is a command that waits for its reply.
type step struct {
	stage Stage
	d     *delivery // for which it is; nil if for all
	to    int       // the recipient, by its index, where it is for one
	end   int64     // of the command, in the octets that are put
	plain int       // the usual code, or its first digit, if nothing of such a reply is kept
	then  func(*conn, step, *smtp.Reply)
}

// unended is the end of a text that goes on.
const unended = math.MaxInt64

// maxContinued is how many lines a reply may have with Compat, which looks at each line alone.
const maxContinued = 1000

// maxLogLines is how many lines of a dialogue are kept.
const maxLogLines = 10_000

// command sends one line, and notes what its reply leads to. The log gets the line, or what masks
// it. The line may be in scratch.
func (c *conn) command(s step, line []byte, masked string) bool {
	if s.d == nil {
		s.d = c.cur
	}
	if s.d != nil && s.d.watched {
		if masked == "" {
			masked = string(line[:len(line)-len("\r\n")])
		}
		s.d.record("-> ", masked)
		c.progress(s.d, s.stage, masked, "")
	}
	ok := c.write(filter.Record{Bytes: line})
	if ok {
		c.expect(s)
	}
	if cap(line) > cap(c.scratch) {
		c.scratch = line[:0]
	}
	return ok
}

// write hands something to the wheel, to be written. If that is not possible, it gives up, and
// returns false.
func (c *conn) write(r filter.Record) bool {
	before := c.rw.OutOctets()
	if err := c.rw.PutRecord(r); err != nil {
		failed := &wheel.Error{Op: "write", Err: err, Wheel: c.rw.ID()}
		c.fail(&Failure{Kind: Lost, Stage: c.waitsFor(), Err: failed})
		return false
	}
	c.put += int64(c.rw.OutOctets() - before)
	return true
}

// written returns how much of what was put the system has taken.
func (c *conn) written() int64 {
	if c.rw == nil {
		return 0
	}
	return c.put - int64(c.rw.OutOctets())
}

// expect notes that the next reply, after those that are expected already, is to what was put last.
func (c *conn) expect(s step) {
	if s.end == 0 {
		s.end = c.put
	}
	if s.d == nil {
		s.d = c.cur
	}
	c.stage = s.stage
	c.expected.add(s)
}

// gotLine takes one line of a reply. When the reply is whole, the oldest command has its answer.
func (c *conn) gotLine(_ *kernel.Event, in *wheel.Input) {
	if d := c.answered(); d != nil && d.watched {
		line := string(in.Bytes)
		d.record("<- ", line)
		c.progress(d, c.waitsFor(), "", line)
	}
	whole, ok := c.assemble(in.Bytes)
	if whole || c.m.Compat {
		c.alive() // a reply that never ends is none
	}
	c.line = append(c.line[:0], in.Bytes...)
	switch {
	case !whole:
	case !ok || len(c.expected.waiting()) == 0:
		c.nonsense()
	default:
		c.answer(c.reply())
	}
}

// reply returns the reply that is whole. Of one that is as usual, and of which nothing is kept,
// there is only the code.
func (c *conn) reply() *smtp.Reply {
	next := c.expected.waiting()[0]
	code := c.parser.Code()
	usual := code == next.plain || code/100 == next.plain
	if usual && code != smtp.CodeClosing {
		c.good.Code = code
		return &c.good
	}
	return c.parser.Reply()
}

// answered returns the message for which the next line is, or nil.
func (c *conn) answered() *delivery {
	if waiting := c.expected.waiting(); len(waiting) > 0 {
		return waiting[0].d
	}
	return c.cur
}

// answer gives a reply to the command that it is for.
func (c *conn) answer(r *smtp.Reply) {
	next := c.expected.waiting()[0]
	negative := r.Code >= 400
	switch {
	case closes(r, next.stage) && !c.m.Compat:
		c.refused(next.stage, r) // whatever it is an answer to
	case c.written() >= next.end, next.stage == StageQuit: // a goodbye may come early
		c.expected.take()
		next.then(c, next, r)
	case negative:
		c.refused(next.stage, r)
	case c.writeErr != nil:
		c.expected.take() // what was lost is not answered by that
	default:
		c.nonsense() // nobody can accept what was not even sent
	}
}

// closes reports whether the server says with r that it does nothing any more. Some do so with the
// code for the end that the client asks for.
func closes(r *smtp.Reply, at Stage) bool {
	return r.Code == smtp.CodeNotAvailable || r.Code == smtp.CodeClosing && at != StageQuit
}

// assemble puts a reply together. A line that makes no sense is whole, and not ok.
func (c *conn) assemble(line []byte) (whole, ok bool) {
	if c.m.Compat {
		return c.classify(line)
	}
	whole, err := c.parser.Add(line)
	return whole || err != nil, err == nil
}

// classify is assemble with Compat: the last line alone is the reply.
func (c *conn) classify(line []byte) (whole, ok bool) {
	if smtp.ClassifyLine(line) == smtp.ContinueLine {
		c.continued++
		return c.continued > maxContinued, false
	}
	c.continued = 0
	c.parser.Reset()
	whole, err := c.parser.Add(line)
	return true, err == nil && whole
}

// accepts reports whether r is what was hoped for: what ok says, or with Compat any code below 400.
func (c *conn) accepts(r *smtp.Reply, ok bool) bool {
	if c.m.Compat {
		return r.Code < 400
	}
	return ok
}

// refused ends the message at hand with what the server said.
func (c *conn) refused(at Stage, r *smtp.Reply) {
	c.fail(&Failure{Kind: ServerError, Stage: at, Reply: r, Line: string(c.line)})
}

// nonsense ends the message at hand with a line that is no reply, or answers nothing.
func (c *conn) nonsense() {
	c.fail(&Failure{Kind: ServerError, Stage: c.waitsFor(), Line: string(c.line)})
}

// waitsFor returns the stage whose reply is to come next.
func (c *conn) waitsFor() Stage {
	if c.cur != nil && c.cur.sending {
		return StageText
	}
	if waiting := c.expected.waiting(); len(waiting) > 0 {
		return waiting[0].stage
	}
	return c.stage
}

// connectionLost ends the message at hand, unless only writing has failed: the server may have said
// why before it closed, and that is worth more than the error.
func (c *conn) connectionLost(_ *kernel.Event, failed *wheel.Error) {
	switch {
	case failed.Op == "handshake":
		c.notSecured(failed)
	case failed.Op == "write" && !c.over():
		c.writeErr = failed
		c.put -= int64(failed.Lost) // what was written before may still have an answer
	case errors.Is(failed, filter.ErrTooLong):
		c.line = append(c.line[:0], "(a line without end)"...)
		c.nonsense()
	case c.unwelcome != nil && !c.over():
		c.brokenOff(c.unwelcome) // it has said why, before HELO
	case c.waitsFor() == StageTLS && !c.over() && c.indifferent() && !c.plain:
		c.notSecured(failed)
	default:
		c.fail(&Failure{Kind: Lost, Stage: c.waitsFor(), Err: failed})
	}
}

// progress tells the owner of a message of a step, if it wants to know. Of what comes after the
// result, that is only the goodbye.
func (c *conn) progress(d *delivery, at Stage, sent, got string) {
	if d != nil && d.m.Progress != "" && (!d.done || at == StageQuit) {
		d.tell(d.m.Progress, &Progress{
			Context: d.m.Context, Stage: at, Sent: sent, Got: got,
			Octets: d.octets, Answered: d.answered(),
		})
	}
}
