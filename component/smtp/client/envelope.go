package client

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-poe/poe/component/smtp"
)

// envelope sends the envelope of d: all of it at once, if the server takes that (RFC 2920), else
// its first line. Where one recipient may stop the message, the text waits for all of them.
func (c *conn) envelope(d *delivery) {
	if f := c.unfit(d); f != nil {
		c.unsent(d, f)
		return
	}
	d.nextRound(c.limits)
	lines := c.scratch[:0]
	if c.unclear(d) {
		lines = smtp.AppendVerb(lines, smtp.VerbRSET)
	}
	mail := len(lines)
	lines, err := smtp.AppendMail(lines, c.wireAddress(d.m.From), c.mailParams(d))
	if err != nil {
		c.unsent(d, &Failure{Kind: Configure, Stage: StageMail, Err: err})
		return
	}
	if mail > 0 {
		c.dirty = c.dirty && c.cur != d
		s := step{stage: StageMail, d: d, plain: 2, then: (*conn).reset}
		if !c.command(s, lines[:mail], "") || !c.pipelines() {
			return
		}
	}
	s := step{stage: StageMail, d: d, plain: 2, then: (*conn).mailed}
	c.mails++
	if !c.command(s, lines[mail:], "") || !c.pipelines() {
		return
	}
	for _, i := range d.round {
		if !c.recipient(d, i) {
			return
		}
	}
	if d.m.AllOrNothing && len(d.round) > 1 {
		return
	}
	switch {
	case !c.chunks():
		c.data(d)
	case !c.rested && d.whole():
		c.sendWhole(d)
	}
}

// unclear reports whether the server may have the beginning of another transaction when it gets to
// d. A text that is refused ends one, but a BDAT that is refused need not (RFC 3030, section 2),
// and of those that were just sent nobody knows yet.
func (c *conn) unclear(d *delivery) bool {
	if c.cur == d {
		return c.dirty
	}
	return c.chunks()
}

// unsent is when d is not for this server. What comes before it on the connection goes on.
func (c *conn) unsent(d *delivery, f *Failure) {
	if d == c.cur {
		c.fail(f)
		return
	}
	c.behind.remove(len(c.behind.waiting()) - 1)
	d.conclude(f)
}

// pipelines reports whether commands may go out before the replies to earlier ones are in.
func (c *conn) pipelines() bool { return c.pipelining && !c.m.Compat }

// chunks reports whether texts are sent with BDAT (RFC 3030).
func (c *conn) chunks() bool { return c.chunking && !c.m.Compat }

// reset is when the server has forgotten what was before.
func (c *conn) reset(s step, r *smtp.Reply) {
	switch {
	case !r.Positive() && s.d.octets == 0:
		c.giveAway(s.d, r)
	case !c.pipelines():
		c.envelope(s.d)
	}
	// Where the text is sent already, the reply to its MAIL decides, which RFC 5321, section 4.1.1.2,
	// makes the beginning of another transaction too.
}

// giveAway lets another connection send d, of which nothing was sent but what the server refuses:
// RSET, which some do not know.
func (c *conn) giveAway(d *delivery, r *smtp.Reply) {
	c.stuck = true
	if c.pool == nil || d.redialled || d.busy {
		c.refused(StageMail, r)
		return
	}
	d.redialled = true
	c.pool.again(d, &Failure{Kind: ServerError, Stage: StageMail, Reply: r, Line: string(c.line)})
	c.leave()
}

// unfit returns what makes it impossible to send d to this server.
func (c *conn) unfit(d *delivery) *Failure {
	m := d.m
	if m.Compat {
		return nil
	}
	size, _ := d.size()
	var err error
	switch limit := c.sizeLimit; {
	case m.RequireTLS && (c.tls == nil || !c.offered.Has(smtp.ExtRequireTLS)):
		return &Failure{Kind: NotSecure, Stage: StageMail, Err: errPlaintext}
	case limit > 0 && size > limit:
		err = fmt.Errorf("the message has %d octets, and the server takes %d", size, limit)
	case m.Binary && !(c.chunks() && c.offered.Has(smtp.ExtBinaryMIME)):
		err = errNoBinary
	case m.wantsReports() && !c.offered.Has(smtp.ExtDSN):
		err = errNoDSN
	case c.needsUTF8(d) && !c.utf8:
		err = errNoUTF8
	case !c.utf8:
		err = c.checkRewritten(d)
	}
	if err != nil {
		return &Failure{Kind: Configure, Stage: StageMail, Err: err}
	}
	return nil
}

// checkRewritten returns what is wrong with an address once it is written in ASCII.
func (c *conn) checkRewritten(d *delivery) error {
	for i, to := range d.m.To {
		if !smtp.NeedsUTF8(to) {
			continue
		}
		var p smtp.RcptParams
		if i < len(d.m.RcptParams) {
			p = d.m.RcptParams[i]
		}
		if _, err := smtp.AppendRcpt(nil, c.wireAddress(to), p); err != nil {
			return err
		}
	}
	return nil
}

// What a server would have to offer.
var (
	errNoBinary = errors.New("a binary message needs CHUNKING and BINARYMIME, " +
		"which the server does not offer")
	errNoDSN  = errors.New("a report needs DSN, which the server does not offer")
	errNoUTF8 = errors.New("an address needs SMTPUTF8, which the server does not offer")
)

// wantsReports reports whether the message uses what DSN is for.
func (m *Message) wantsReports() bool {
	return m.Return != "" || m.EnvelopeID != "" ||
		slices.ContainsFunc(m.RcptParams, func(p smtp.RcptParams) bool {
			return p.Notify != 0 || p.Original.Address != ""
		})
}

// needsUTF8 reports whether there is an address that cannot be written in ASCII.
func (c *conn) needsUTF8(d *delivery) bool {
	needs := func(addr string) bool {
		if !smtp.NeedsUTF8(addr) {
			return false
		}
		_, ok := asciiAddress(addr)
		return !ok || c.utf8
	}
	return needs(d.m.From) || slices.ContainsFunc(d.m.To, needs)
}

// wireAddress returns an address as this server understands it.
func (c *conn) wireAddress(addr string) string {
	if !c.m.Compat && smtp.NeedsUTF8(addr) && !c.utf8 {
		addr, _ = asciiAddress(addr) // unfit has found nothing against it
	}
	return addr
}

func (c *conn) mailParams(d *delivery) smtp.MailParams {
	m := d.m
	if m.Compat {
		return smtp.MailParams{SpaceAfterColon: true}
	}
	p := smtp.MailParams{
		UTF8:       c.needsUTF8(d),
		RequireTLS: m.RequireTLS,
		Return:     m.Return,
		EnvelopeID: m.EnvelopeID,
		Other:      m.MailParams,
	}
	if size, ok := d.size(); ok && c.size {
		p.Size = size
	}
	switch {
	case m.Binary:
		p.Body = smtp.BodyBinaryMIME
	case c.eightBit && d.mayBe8Bit():
		p.Body = smtp.Body8BitMIME
	}
	return p
}

// size returns how many octets the message has for the server, if that is known: with CR LF for
// each of its newlines, but without the dots that are doubled (RFC 1870, section 5).
func (d *delivery) size() (int64, bool) {
	if !d.inMemory {
		return 0, false
	}
	if d.wireSize == 0 {
		d.wireSize, d.clean = int64(len(d.m.Body)), true
		if !d.m.Binary {
			d.wireSize, d.clean = survey(d.m.Body)
		}
	}
	return d.wireSize, true
}

// survey returns the length of a text with CR LF for each of its newlines, and whether the text is
// clean: all its lines end in CR LF, also the last, and none begins with a dot.
func survey(text []byte) (size int64, clean bool) {
	cr, lf, pairs, dots := bytes.Count(text, []byte{'\r'}), 0, 0, 0
	for rest := text; len(rest) > 0; {
		if rest[0] == '.' {
			dots++
		}
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			break
		}
		if lf++; i > 0 && rest[i-1] == '\r' {
			pairs++
		}
		rest = rest[i+1:]
	}
	size = int64(len(text) + cr + lf - 2*pairs)
	ended := len(text) == 0 || text[len(text)-1] == '\n' || text[len(text)-1] == '\r'
	if !ended {
		size += int64(len("\r\n"))
	}
	return size, ended && cr == pairs && lf == pairs && dots == 0
}

// mayBe8Bit reports whether the text may have an octet above 127. Of a long one that is not worth
// knowing: BODY=8BITMIME is true of ASCII too.
func (d *delivery) mayBe8Bit() bool { return !d.inMemory || !d.short() || !isASCII(d.m.Body) }

// isASCII reports whether a text has no octet above 127.
func isASCII(text []byte) bool {
	const high = 0x8080808080808080
	for ; len(text) >= 32; text = text[32:] {
		a, b := binary.NativeEndian.Uint64(text), binary.NativeEndian.Uint64(text[8:])
		c, d := binary.NativeEndian.Uint64(text[16:]), binary.NativeEndian.Uint64(text[24:])
		if (a|b|c|d)&high != 0 {
			return false
		}
	}
	for _, b := range text {
		if b >= 0x80 {
			return false
		}
	}
	return true
}

// nextRound chooses the recipients of the next transaction: as many of those who are left as the
// server takes at once.
func (d *delivery) nextRound(limits smtp.Limits) {
	d.round, d.rcpts, d.finals, d.sending = d.first[:0], 0, 0, false
	var domains []string
	for i := range d.recipients {
		if d.recipients[i].Stage != "" {
			continue
		}
		if limits.RcptMax > 0 && len(d.round) >= limits.RcptMax {
			return
		}
		if limits.RcptDomainMax > 0 {
			_, domain := smtp.SplitAddress(d.recipients[i].Address)
			if !slices.Contains(domains, domain) {
				if len(domains) >= limits.RcptDomainMax {
					continue
				}
				domains = append(domains, domain)
			}
		}
		d.recipients[i].taken, d.recipients[i].Reply = false, nil
		d.round = append(d.round, i)
	}
}

func (c *conn) mailed(s step, r *smtp.Reply) {
	c.dirty, s.d.heard = true, true
	c.rested = false // the server is still there
	if !c.accepts(r, r.Positive()) {
		c.refused(StageMail, r)
		return
	}
	if !c.pipelines() {
		c.recipient(s.d, s.d.round[0])
	}
}

// recipient sends the i-th recipient. It returns false if it could not.
func (c *conn) recipient(d *delivery, i int) bool {
	p := smtp.RcptParams{SpaceAfterColon: d.m.Compat}
	if i < len(d.m.RcptParams) && !d.m.Compat {
		p = d.m.RcptParams[i]
	}
	to := c.wireAddress(d.recipients[i].Address)
	line, err := smtp.AppendRcpt(c.scratch[:0], to, p)
	if err != nil {
		c.fail(&Failure{Kind: Configure, Stage: StageRcpt, Err: err})
		return false
	}
	return c.command(step{stage: StageRcpt, d: d, to: i, then: (*conn).answeredRecipient}, line, "")
}

func (c *conn) answeredRecipient(s step, r *smtp.Reply) {
	d, to := s.d, &s.d.recipients[s.to]
	to.Reply = r
	to.taken = c.accepts(r, r.Positive())
	d.rcpts++
	last := d.rcpts == len(d.round)
	switch {
	case to.taken:
	case d.m.AllOrNothing:
		c.refused(StageRcpt, r)
		return
	case tooMany(r) && d.anyTaken():
		to.Reply = nil // another transaction is for this one
	default:
		to.decide(StageRcpt, r)
		if last && !d.anyTaken() {
			c.refused(StageRcpt, r)
			return
		}
	}
	switch {
	case !last && !c.pipelines():
		c.recipient(d, d.round[d.rcpts])
	case !last:
	case c.chunks():
		if !d.sending && d.finals == 0 {
			c.beginText(d)
		}
	case d.m.AllOrNothing && len(d.round) > 1 || !c.pipelines(): // else it is sent already
		c.data(d)
	}
}

// tooMany reports whether r says that there are too many recipients for one transaction: 452 does
// and, since RFC 821, 552, unless it speaks of the mailbox (RFC 5321, section 4.5.3.1.10); and some
// servers say it with another code.
func tooMany(r *smtp.Reply) bool {
	switch {
	case r.Code == smtp.CodeNoStorage:
		return true
	case r.Code == smtp.CodeQuotaLimit:
		return r.Enhanced == smtp.EnhancedCode{} || r.Enhanced == smtp.EnhancedCode{5, 5, 3}
	}
	return r.Temporary() && (r.Enhanced == smtp.EnhancedCode{4, 5, 3} ||
		strings.Contains(strings.ToLower(strings.Join(r.Lines, " ")), "too many recipients"))
}

// decide notes what a reply other than a good one means for a recipient.
func (to *Recipient) decide(at Stage, r *smtp.Reply) {
	to.taken = false
	to.Stage, to.Reply, to.Verdict = at, r, Deferred
	if r != nil && r.Permanent() {
		to.Verdict = Refused
	}
}

// anyTaken reports whether the server has taken a recipient of this round.
func (d *delivery) anyTaken() bool {
	return slices.ContainsFunc(d.round, func(i int) bool { return d.recipients[i].taken })
}

// data asks to send the text.
func (c *conn) data(d *delivery) {
	line := smtp.AppendVerb(c.scratch[:0], smtp.VerbDATA)
	c.command(step{stage: StageData, d: d, plain: smtp.CodeStartMail, then: (*conn).dataAnswered}, line, "")
}
