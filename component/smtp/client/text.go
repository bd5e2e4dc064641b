package client

import (
	"context"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
)

// chunkSize is how much of a message is read at once, and highMark how much of it waits at the most
// to be written while no more is read: so much memory a message takes, however long it is.
const (
	chunkSize = 128 << 10
	highMark  = 256 << 10
	lowMark   = 64 << 10
)

// dataAnswered begins to send the text.
func (c *conn) dataAnswered(s step, r *smtp.Reply) {
	if !c.accepts(r, r.Code == smtp.CodeStartMail) {
		c.refused(StageData, r)
		return
	}
	c.expectFinals(s.d, unended) // until then it can be refused, and not accepted
	c.beginText(s.d)
}

// expectFinals notes that the text has a reply, or with LMTP one for each recipient (RFC 2033,
// section 4.2).
func (c *conn) expectFinals(d *delivery, end int64) {
	final := step{stage: StageFinal, d: d, end: end, then: (*conn).final}
	if d.m.Protocol != LMTP {
		d.finals = 1
		c.expect(final)
		return
	}
	d.finals = 0
	for _, i := range d.round {
		if d.recipients[i].taken {
			d.finals++
			final.to = i
			final.then = (*conn).finalForOne
			c.expect(final)
		}
	}
}

// beginText sends the text from its beginning.
func (c *conn) beginText(d *delivery) {
	if d.again {
		if err := d.source.rewind(); err != nil {
			c.unreadable(err)
			return
		}
	}
	d.again, d.octets = true, 0
	c.stage = StageText
	d.sending = true
	c.out.begin(d, c.chunks())
	if len(d.header) > 0 && !c.piece(d.header, false) {
		return
	}
	c.moreText()
}

// short reports whether the text is better sent than asked for.
func (d *delivery) short() bool { return d.inMemory && len(d.m.Body) <= lowMark }

// moreText sends on until there is enough in the wheel for now. The next LowEvent, or what is read
// of the text meanwhile, continues.
func (c *conn) moreText() {
	for c.sending() && c.writeErr == nil && !c.cur.busy && !c.rw.High() && !c.awaitsChunk() {
		c.nextChunk(c.cur)
	}
}

// awaitsChunk reports whether the next chunk has to wait for the reply to the last one.
func (c *conn) awaitsChunk() bool {
	return c.chunks() && !c.pipelines() && len(c.expected.waiting()) > 0
}

// sending reports whether there is more of a text to be sent.
func (c *conn) sending() bool { return c.cur != nil && c.cur.sending }

// nextChunk sends the next piece of the text, now or when it is read.
func (c *conn) nextChunk(d *delivery) {
	source := d.source
	if d.inMemory {
		p, eof, _ := source.next(nil) // memory does not fail
		c.gotChunk(chunk{p: p, eof: eof})
		return
	}
	if c.out.buf == nil {
		c.out.buf = make([]byte, chunkSize)
	}
	buf := c.out.buf
	c.work(func(ctx context.Context) (any, error) { return readText(ctx, source, buf) }, "text_read")
}

// readText reads a piece of a text, outside the kernel's goroutine.
func readText(ctx context.Context, source *source, buf []byte) (any, error) {
	p, eof, err := source.next(buf)
	if ctx.Err() != nil {
		source.close() // nobody waits for it any more
	}
	return chunk{p: p, eof: eof}, err
}

// A chunk is a piece of the text.
type chunk struct {
	p   []byte
	eof bool
}

// chunkRead takes the piece that was read.
func (c *conn) chunkRead(_ *kernel.Event, done *kernel.Done) {
	if c.cur != nil {
		c.cur.busy = false
	}
	switch {
	case c.over():
	case done.Err != nil:
		c.unreadable(done.Err)
	default:
		c.gotChunk(done.Value.(chunk))
		c.moreText()
	}
}

// gotChunk sends one piece of the text, and after the last what ends it.
func (c *conn) gotChunk(next chunk) {
	d := c.cur
	d.octets += int64(len(next.p))
	if c.writeErr != nil || !c.piece(next.p, next.eof) {
		return
	}
	if next.eof {
		c.endText(d)
	}
	c.alive()
	c.progress(d, c.stage, "", "")
	if next.eof && !c.over() {
		c.lookAhead()
	}
}

// whole reports whether all of a message may be sent at once, before any reply.
func (d *delivery) whole() bool { return d.short() && d.m.Protocol != LMTP }

// sendWhole sends all of the text behind its envelope. If the server takes no recipient, it takes
// no text either (RFC 3030, section 2).
func (c *conn) sendWhole(d *delivery) {
	d.again, d.octets = true, int64(len(d.m.Body))
	c.out.begin(d, true)
	if !c.bdat(d, d.m.Body, true) {
		return
	}
	c.endText(d)
	c.alive()
	c.progress(d, StageFinal, "", "")
	if d == c.cur {
		c.lookAhead()
	}
}

// piece sends a piece of the text. It returns false if it could not.
func (c *conn) piece(p []byte, last bool) bool {
	if c.chunks() {
		return c.bdat(c.cur, p, last)
	}
	return (len(p) == 0 || c.write(filter.Record{Bytes: p})) &&
		(!last || c.write(filter.Record{Value: filter.End}))
}

// bdat sends a piece of the text with its length before it.
func (c *conn) bdat(d *delivery, p []byte, last bool) bool {
	text := c.out.encoded(p, last)
	if len(text) == 0 && !last {
		return true
	}
	line := smtp.AppendBDAT(c.scratch[:0], int64(len(text)), last)
	c.scratch = line
	if d.watched {
		command := string(line[:len(line)-len("\r\n")])
		d.record("-> ", command)
		c.progress(d, StageData, command, "")
	}
	if !c.write(filter.Record{Bytes: line}) || !c.write(filter.Record{Bytes: text}) {
		return false
	}
	if last {
		c.expectFinals(d, 0)
	} else {
		c.expect(step{stage: StageData, d: d, then: (*conn).chunkAnswered})
	}
	return true
}

// chunkAnswered is a server that has a part of the text.
func (c *conn) chunkAnswered(_ step, r *smtp.Reply) {
	if !r.Positive() {
		c.refused(StageData, r)
		return
	}
	c.moreText()
}

// endText is when all of the text is put.
func (c *conn) endText(d *delivery) {
	if d.m.TransactionLog {
		d.record("-> ", c.out.logged())
	}
	c.out.end()
	d.sending = false
	c.stage = StageFinal
	for i := range c.expected.waiting() {
		if s := &c.expected.waiting()[i]; s.end == unended {
			s.end = c.put
		}
	}
}

// How much is sent before its turn.
const (
	maxBehind       = 16      // messages
	maxBehindOctets = 2 << 16 // not yet written
)

// lookAhead sends what it may of the next messages together with the end of this one: the envelope,
// so that a message costs one turn of the wire (RFC 2920, section 3.1), or with CHUNKING all of
// some messages, so that they cost one together.
func (c *conn) lookAhead() {
	for c.mayLookAhead() {
		d := c.pool.nextFor(c)
		if d == nil {
			return
		}
		c.behind.add(d)
		d.conn, d.s, d.result.TLS = c, c.s, c.tls
		c.served++
		d.open()
		c.envelope(d)
	}
}

// mayLookAhead reports whether the next command may be one for the next message.
func (c *conn) mayLookAhead() bool {
	behind := len(c.behind.waiting())
	switch {
	case c.pool == nil || c.over() || c.leaving || !c.pipelines() || c.writeErr != nil || c.spent():
		return false
	case c.chunks() && c.cur.whole() && c.cur.finals > 0:
		return behind < maxBehind && c.rw.OutOctets() < maxBehindOctets
	case c.cur.left():
		return false
	}
	return behind == 0 && c.cur.finals > 0 && len(c.expected.waiting()) == c.cur.finals
}

// sendsAhead reports whether d can be sent before its turn.
func (c *conn) sendsAhead(d *delivery) bool {
	if c.chunks() {
		return d.whole() && (!d.m.AllOrNothing || len(d.m.To) == 1)
	}
	return d.inMemory
}

// left reports whether there are recipients for whom there has to be another transaction.
func (d *delivery) left() bool {
	for i := range d.recipients {
		if to := &d.recipients[i]; to.Stage == "" && !to.taken {
			return true
		}
	}
	return false
}

// final is the server's word on the message.
func (c *conn) final(s step, r *smtp.Reply) {
	d := s.d
	if !c.accepts(r, r.Positive()) {
		c.refused(StageFinal, r)
		return
	}
	d.result.Reply = r
	if !c.m.Compat {
		d.accept()
	}
	c.finished(d)
}

// accept is when those whom the server has taken have the message.
func (d *delivery) accept() {
	for _, i := range d.round {
		if to := &d.recipients[i]; to.taken {
			to.Verdict, to.Stage, to.taken = Accepted, StageFinal, false
		}
	}
}

// finalForOne is the server's word on the message for one recipient.
func (c *conn) finalForOne(s step, r *smtp.Reply) {
	d, to := s.d, &s.d.recipients[s.to]
	d.result.Reply = r
	if r.Positive() {
		to.Verdict, to.Stage, to.Reply, to.taken = Accepted, StageFinal, r, false
	} else {
		to.decide(StageFinal, r)
		d.failure = &Failure{Kind: ServerError, Stage: StageFinal, Reply: r, Line: string(c.line)}
	}
	if d.finals--; d.finals == 0 {
		c.finished(d)
	}
}

// finished is when the server has the text, for this round.
func (c *conn) finished(d *delivery) {
	d.finals = 0
	c.dirty = false
	switch {
	case d.left() && c.pool != nil && (len(c.behind.waiting()) > 0 || c.fullUp()):
		c.pool.putBack(d)
	case d.left():
		c.alive()
		c.envelope(d)
		return
	case !c.m.Compat:
		d.conclude(nil)
	}
	c.goOn()
}
