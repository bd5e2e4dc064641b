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
	end   int64 // of the command, in the octets that are put
	then  func(r *smtp.Reply)
}

// unended is the end of a text that goes on.
const unended = math.MaxInt64

// maxContinued is how many lines a reply may have with Compat, which looks at each line alone.
const maxContinued = 1000

// maxLogLines is how many lines of a dialogue are kept.
const maxLogLines = 10_000

// command sends one line, and notes what its reply leads to. The log gets the line, or what masks
// it.
func (d *delivery) command(at Stage, line []byte, masked string, then func(*smtp.Reply)) {
	if masked == "" {
		masked = string(line[:len(line)-len("\r\n")])
	}
	d.record("-> ", masked)
	d.progress(at, masked, "")
	if d.send(filter.Record{Bytes: line}) {
		d.expect(at, then)
	}
}

// send hands something to the wheel, to be written. If that is not possible, it gives up, and
// returns false.
func (d *delivery) send(r filter.Record) bool {
	before := d.rw.OutOctets()
	if err := d.rw.PutRecord(r); err != nil {
		failed := &wheel.Error{Op: "write", Err: err, Wheel: d.rw.ID()}
		d.fail(&Failure{Kind: Lost, Stage: d.waitsFor(), Err: failed})
		return false
	}
	d.put += int64(d.rw.OutOctets() - before)
	return true
}

// written returns how much of what was put the system has taken.
func (d *delivery) written() int64 {
	if d.rw == nil {
		return 0
	}
	return d.put - int64(d.rw.OutOctets())
}

// expect notes that the next reply, after those that are expected already, is to what was put last.
func (d *delivery) expect(at Stage, then func(*smtp.Reply)) {
	d.stage = at
	d.expected = append(d.expected, step{at, d.put, then})
}

// gotLine takes one line of a reply. When the reply is whole, the oldest command has its answer.
func (d *delivery) gotLine(_ *kernel.Event, in *wheel.Input) {
	d.line = string(in.Bytes)
	d.record("<- ", d.line)
	d.progress(d.waitsFor(), "", d.line)
	r, whole := d.assemble(in.Bytes)
	if whole || d.m.Compat {
		d.alive() // a reply that never ends is none
	}
	switch {
	case !whole:
	case r == nil || len(d.expected) == 0:
		d.nonsense()
	default:
		d.answer(r)
	}
}

// answer gives a reply to the command that it is for.
func (d *delivery) answer(r *smtp.Reply) {
	next := d.expected[0]
	negative := r.Code >= 400
	switch {
	case r.Code == smtp.CodeNotAvailable && !d.m.Compat:
		d.refused(next.stage, r) // whatever it is an answer to
	case !negative && d.writeErr != nil:
		d.expected = d.expected[1:] // what was lost is not answered by that
	case d.written() >= next.end:
		d.expected = d.expected[1:]
		next.then(r)
	case negative:
		d.refused(next.stage, r)
	default:
		d.nonsense() // nobody can accept what was not even sent
	}
}

// assemble puts a reply together. It returns none for a line that makes no sense.
func (d *delivery) assemble(line []byte) (r *smtp.Reply, whole bool) {
	if d.m.Compat {
		return d.classify(line)
	}
	whole, err := d.parser.Add(line)
	switch {
	case err != nil:
		return nil, true
	case !whole:
		return nil, false
	}
	return d.parser.Reply(), true
}

// classify is assemble with Compat: the last line alone is the reply.
func (d *delivery) classify(line []byte) (r *smtp.Reply, whole bool) {
	if smtp.ClassifyLine(line) == smtp.ContinueLine {
		d.continued++
		return nil, d.continued > maxContinued
	}
	d.continued = 0
	d.parser.Reset()
	if whole, err := d.parser.Add(line); err != nil || !whole {
		return nil, true
	}
	return d.parser.Reply(), true
}

// accepts reports whether r is what was hoped for: what ok says, or with Compat any code below 400.
func (d *delivery) accepts(r *smtp.Reply, ok bool) bool {
	if d.m.Compat {
		return r.Code < 400
	}
	return ok
}

// refused ends the delivery with what the server said.
func (d *delivery) refused(at Stage, r *smtp.Reply) {
	d.fail(&Failure{Kind: ServerError, Stage: at, Reply: r, Line: d.line})
}

// nonsense ends the delivery with a line that is no reply, or answers nothing.
func (d *delivery) nonsense() {
	d.fail(&Failure{Kind: ServerError, Stage: d.waitsFor(), Line: d.line})
}

// waitsFor returns the stage whose reply is to come next.
func (d *delivery) waitsFor() Stage {
	if d.sending {
		return StageText
	}
	if len(d.expected) > 0 {
		return d.expected[0].stage
	}
	return d.stage
}

// connectionLost ends the delivery, unless only writing has failed: the server may have said why
// before it closed, and that is worth more than the error.
func (d *delivery) connectionLost(_ *kernel.Event, failed *wheel.Error) {
	if failed.Op == "write" && !d.done {
		d.writeErr = failed
		return
	}
	if errors.Is(failed, filter.ErrTooLong) {
		d.fail(&Failure{Kind: ServerError, Stage: d.waitsFor(), Line: "(a line without end)"})
		return
	}
	d.fail(&Failure{Kind: Lost, Stage: d.waitsFor(), Err: failed})
}

// record adds a line to the log.
func (d *delivery) record(arrow, line string) {
	if d.m.TransactionLog && !d.done && len(d.log) < maxLogLines {
		d.log = append(d.log, arrow+line)
	}
}

// progress tells the owner of a step, if it wants to know. Of what comes after the result, that is
// only the goodbye.
func (d *delivery) progress(at Stage, sent, got string) {
	if d.m.Progress != "" && (!d.done || at == StageQuit) {
		d.tell(d.m.Progress, &Progress{
			Context: d.m.Context, Stage: at, Sent: sent, Got: got, Octets: d.octets,
		})
	}
}
