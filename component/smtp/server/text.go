package server

import (
	"errors"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/wheel"
)

// A text is the text of a message that is coming in: what is between the client and the sink.
type text struct {
	c       *conn
	env     *Envelope
	message Message
	filter  *textFilter

	first      []byte // what goes before the text
	size       int64
	unpaid     int   // octets since the client's time was counted anew
	refusal    error // why the message is not accepted; the rest of its text is dropped
	busy       bool  // the sink is
	paused     bool  // no more is read, because of that
	ended      bool  // the text is complete
	committing bool
}

// begin has the client send the text of a message.
func (c *conn) begin(message Message, env *Envelope) {
	t := &text{c: c, env: env, message: message, filter: new(textFilter)}
	if c.server.opts.AddReceived {
		t.first = received(env, c.server.opts.Hostname)
	}
	c.text = t
	c.read("got_text", t.filter)
}

// gotText passes a piece of the text on.
func (c *conn) gotText(_ *kernel.Event, in *wheel.Input) {
	t := c.text
	if in.Value == filter.End {
		t.end()
		return
	}
	t.unpaid += len(in.Bytes)
	if t.unpaid >= textPerTimeout {
		t.unpaid = 0
		c.hurry(c.server.opts.IdleTimeout)
	}
	t.take(in.Bytes)
}

// take gives a piece to the sink. While the sink is busy with it, no more is read.
func (t *text) take(p []byte) {
	t.size += int64(len(p))
	most := t.c.server.opts.MaxSize
	switch {
	case t.size/2 > most: // there is no end in sight
		t.c.sayGoodbye(tooLarge)
		return
	case t.size > most:
		t.refuse(tooLarge)
	}
	if t.refusal != nil {
		return
	}
	if t.first != nil {
		p = append(t.first, p...)
		t.first = nil
	}
	t.busy = true
	t.message.Write(p, t.written)
	if t.busy {
		t.paused = true
		t.c.rw.PauseInput()
	}
}

// written is when the sink is ready for more. A sink that was told to give up may still call it.
func (t *text) written(err error) {
	if !t.busy {
		return
	}
	t.busy = false
	if err != nil {
		t.refuse(err)
	}
	if t.ended {
		t.commit()
		return
	}
	if t.paused {
		t.paused = false
		t.c.hurry(t.c.server.opts.IdleTimeout)
		t.c.rw.ResumeInput()
	}
}

// refuse gives the message up. The client is told at the end of its text, where it listens.
func (t *text) refuse(err error) {
	if t.refusal == nil {
		t.refusal = err
		t.busy = false
		t.message.Abort()
	}
}

// end is the end of the text. What comes behind it has to wait.
func (t *text) end() {
	t.c.hold()
	if t.filter.bare {
		t.refuse(bareNewline)
	}
	if t.first != nil {
		t.take(nil)
	}
	t.ended = true
	if !t.busy {
		t.commit()
	}
}

// commit has the sink store the message, if it is not refused.
func (t *text) commit() {
	if t.refusal != nil {
		t.finish(t.refusal)
		return
	}
	t.busy, t.committing = true, true
	t.message.Commit(t.stored)
}

// stored is when the sink has stored the message, or has failed. If the connection was lost
// meanwhile, it is only the client that does not know.
func (t *text) stored(err error) {
	if !t.committing {
		return
	}
	t.busy, t.committing = false, false
	c := t.c
	if err == nil {
		c.commands, c.mistakes = 0, 0
		c.server.tell(c.s, c.server.opts.MessageEvent, &Received{Envelope: *t.env, Size: t.size})
	}
	if c.text == t {
		t.finish(err)
	}
}

// finish tells the client what became of the message, and goes on behind it.
func (t *text) finish(err error) {
	c := t.c
	c.text = nil
	c.reset()
	r := reply(smtp.CodeOK, success, "Message "+t.env.ID+" accepted")
	if err != nil {
		r = c.replyFor(err)
	}
	c.hurry(c.server.opts.IdleTimeout)
	c.answer(r)
	if !c.closed && !c.leaving {
		c.rw.ResumeInput()
		c.read("got_command", newCommands())
	}
}

// drop gives the message up without a word. One that is being stored is beyond that.
func (t *text) drop() {
	if !t.committing {
		t.refuse(errDropped)
	}
}

var errDropped = errors.New("server: the connection is lost")

// A textFilter decodes the text of a message. It gives all that a piece of input has of it as one
// record, then, at the end of the text, End; what follows is Pending. It only reads.
//
// After a bare CR or LF it goes on, and gives nothing more until the end of the text: there the
// client listens. Whoever meant the bare newlines to end the text is wrong, and finds its commands
// in the text.
type textFilter struct {
	filter.Stream

	decoder filter.MessageDecoder
	bare    bool   // there was a bare CR or LF
	out     []byte // decoded
	taken   bool   // Next has returned out
	done    bool   // the text has ended
	told    bool   // Next has returned End
	rest    []byte // what came behind the text
}

// Feed decodes a piece of input.
func (f *textFilter) Feed(p []byte) {
	if f.taken {
		f.out, f.taken = f.out[:0], false
	}
	for len(p) > 0 && !f.done {
		out, used, done, err := f.decoder.Append(f.out, p)
		p = p[used:]
		f.out, f.done = out, done
		if err != nil {
			f.bare = true
			f.decoder = filter.MessageDecoder{KeepBare: true}
			_, _, _, _ = f.decoder.Append(nil, []byte("x")) // a line has begun
		}
		if f.bare {
			f.out = f.out[:0]
		}
	}
	f.rest = append(f.rest, p...)
}

// Next returns what is decoded, or End.
func (f *textFilter) Next() (r filter.Record, ok bool, err error) {
	switch {
	case len(f.out) > 0 && !f.taken:
		f.taken = true
		return filter.Record{Bytes: f.out}, true, nil
	case f.done && !f.told:
		f.told = true
		return filter.Record{Value: filter.End}, true, nil
	}
	return filter.Record{}, false, nil
}

// Pending returns what came behind the text.
func (f *textFilter) Pending() []byte { return f.rest }

// Clone returns a filter for another text.
func (f *textFilter) Clone() filter.Filter { return new(textFilter) }
