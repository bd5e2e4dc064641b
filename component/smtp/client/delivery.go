package client

import (
	"bytes"
	"errors"
	"strings"
	"time"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// A delivery is the session that sends one message: its dialogue with the server, one method a
// step.
type delivery struct {
	m     *Message
	owner *kernel.Session // gets the result
	s     *kernel.Session
	began time.Time

	sockets *wheel.SocketFactory
	rw      *wheel.ReadWrite
	timer   kernel.AlarmID

	parser     smtp.ReplyParser
	expected   []step // the commands that wait for a reply, oldest first
	stage      Stage
	offered    smtp.Extensions
	recipients []Recipient
	answered   int // recipients that have a reply
	reply      *smtp.Reply

	body     body
	text     *textFilter
	sending  bool // the text is being sent
	octets   int64
	writeErr error // what went wrong with writing, while there may still be something to read

	log  []string
	done bool // the result is out

	stopped bool // the session ends: what it posts now would end with it
}

// A step is a command that waits for its reply.
type step struct {
	stage Stage
	then  func(r *smtp.Reply)
}

// quitTimeout is how long a server may take to say goodbye, when all else is done.
const quitTimeout = 5 * time.Second

// events is the session's table. The names are those of version 0.22, as far as it has them.
func (d *delivery) events() session.Events {
	return session.Events{
		kernel.Start:             d.start,
		kernel.Stop:              d.stop,
		"open_message":           d.open,
		"file_opened":            session.On(d.opened),
		"smtp_send":              d.connect,
		"connection_established": session.On(d.connected),
		"connection_error":       session.On(d.connectFailed),
		"smtp_session_input":     session.On(d.gotLine),
		"smtp_session_error":     session.On(d.connectionLost),
		"text_read":              session.On(d.chunkRead),
		"more_text":              d.moreText,
		"smtp_session_over":      func(*kernel.Event) { d.close() },
		"smtp_timeout_event":     d.timedOut,
		"smtp_shutdown":          func(*kernel.Event) {},
		"smtp_progress":          func(*kernel.Event) {},
	}
}

func (d *delivery) start(e *kernel.Event) {
	d.s = e.Session
	d.began = e.Kernel.Now()
	d.stage = StageConfigure
	_, _ = d.owner.RefcountIncrement(holdTag) // it is alive: it has asked for this
	if d.m.Alias != "" {
		_ = d.s.AliasSet(kernel.Alias(d.m.Alias)) // a name that is taken is no reason not to send
	}
	if err := d.m.check(); err != nil {
		d.fail(&Failure{Kind: Configure, Stage: StageConfigure, Err: err})
		return
	}
	d.recipients = make([]Recipient, len(d.m.To))
	for i, to := range d.m.To {
		d.recipients[i].Address = to
	}
	e.Session.Yield("open_message")
}

// stop sees to it that the owner gets a result even if the session is stopped from outside.
func (d *delivery) stop(*kernel.Event) {
	d.stopped = true
	d.fail(&Failure{Kind: ShutDown, Stage: d.stage, Err: errors.New("the session was stopped")})
	d.body.close()
}

// connect begins to connect, and the clock begins to run.
func (d *delivery) connect(e *kernel.Event) {
	d.progress(StageConnect, "", "")
	d.timer = d.s.DelaySet("smtp_timeout_event", d.m.Timeout)
	d.sockets = wheel.NewSocketFactory(d.s, wheel.SocketFactoryOptions{
		RemoteAddress: d.m.Server,
		RemotePort:    d.m.Port,
		BindAddress:   d.m.BindAddress,
		BindPort:      d.m.BindPort,
		SuccessEvent:  "connection_established",
		FailureEvent:  "connection_error",
	})
}

func (d *delivery) connectFailed(e *kernel.Event, failed *wheel.Error) {
	d.fail(&Failure{Kind: NoConnect, Stage: StageConnect, Err: failed})
}

// connected waits for the greeting: the client never speaks first.
func (d *delivery) connected(e *kernel.Event, c *wheel.Connection) {
	rw, err := wheel.NewReadWrite(d.s, wheel.ReadWriteOptions{
		Handle:       c.Socket,
		InputFilter:  filter.NewLine(filter.LineOptions{Newline: filter.NetNewline, MaxLength: maxLine}),
		OutputFilter: filter.NewStream(filter.StreamOptions{}),
		InputEvent:   "smtp_session_input",
		ErrorEvent:   "smtp_session_error",
		LowEvent:     "more_text",
		HighMark:     highMark,
		LowMark:      lowMark,
	})
	if err != nil {
		d.fail(&Failure{Kind: NoConnect, Stage: StageConnect, Err: &wheel.Error{Op: "select", Err: err}})
		return
	}
	d.rw = rw
	d.expect(StageGreeting, d.greeted)
	d.alive()
}

// maxLine is the longest line of a reply that is read at all.
const maxLine = smtp.DefaultReplyLine

func (d *delivery) greeted(r *smtp.Reply) {
	if !d.positive(r, smtp.CodeServiceReady) {
		d.refused(StageGreeting, r)
		return
	}
	verb := smtp.VerbEHLO
	if d.m.Compat && !d.m.Auth.wanted() {
		verb = smtp.VerbHELO
	}
	d.hello(verb)
}

func (d *delivery) hello(verb smtp.Verb) {
	line, err := smtp.AppendHello(nil, verb, d.m.MyHostname)
	if err != nil {
		d.fail(&Failure{Kind: Configure, Stage: StageHello, Err: err})
		return
	}
	d.command(StageHello, line, "", func(r *smtp.Reply) { d.helloed(verb, r) })
}

// helloed learns what the server offers. One that does not know EHLO is greeted again, with HELO
// (RFC 5321, section 3.2).
func (d *delivery) helloed(verb smtp.Verb, r *smtp.Reply) {
	switch {
	case d.positive(r, smtp.CodeOK):
	case verb == smtp.VerbEHLO && r.Permanent() && !d.m.Compat && !d.m.Auth.wanted():
		d.hello(smtp.VerbHELO)
		return
	default:
		d.refused(StageHello, r)
		return
	}
	if verb == smtp.VerbEHLO {
		d.offered = smtp.ParseExtensions(r)
	}
	if d.m.Auth.wanted() {
		d.authenticate()
		return
	}
	d.mail()
}

// mail sends the envelope: all of it at once, if the server takes that (RFC 2920), else its first
// line.
func (d *delivery) mail() {
	line, err := smtp.AppendMail(nil, d.m.From, d.mailParams())
	if err != nil {
		d.fail(&Failure{Kind: Configure, Stage: StageMail, Err: err})
		return
	}
	if d.needsUTF8() && !d.offered.Has(smtp.ExtSMTPUTF8) && !d.m.Compat {
		d.fail(&Failure{Kind: Configure, Stage: StageMail, Err: errNoUTF8})
		return
	}
	d.command(StageMail, line, "", d.mailed)
	if !d.pipelines() {
		return
	}
	for i := range d.recipients {
		d.recipient(i)
	}
	if !d.m.AllOrNothing {
		d.data()
	}
}

var errNoUTF8 = errors.New("an address needs SMTPUTF8, which the server does not offer")

// pipelines reports whether commands may go out before the replies to earlier ones are in.
func (d *delivery) pipelines() bool { return d.offered.Has(smtp.ExtPipelining) && !d.m.Compat }

func (d *delivery) mailParams() smtp.MailParams {
	if d.m.Compat {
		return smtp.MailParams{SpaceAfterColon: true}
	}
	p := smtp.MailParams{UTF8: d.needsUTF8()}
	inMemory := d.m.FileHandle == nil && d.m.MessageFile == ""
	if _, ok := d.offered.Size(); ok && inMemory {
		p.Size = int64(len(d.m.Body))
	}
	if d.offered.Has(smtp.Ext8BitMIME) && (!inMemory || smtp.NeedsUTF8(string(d.m.Body))) {
		p.Body = smtp.Body8BitMIME
	}
	return p
}

func (d *delivery) needsUTF8() bool {
	if smtp.NeedsUTF8(d.m.From) {
		return true
	}
	for _, to := range d.m.To {
		if smtp.NeedsUTF8(to) {
			return true
		}
	}
	return false
}

func (d *delivery) mailed(r *smtp.Reply) {
	if !d.positive(r, smtp.CodeOK) {
		d.refused(StageMail, r)
		return
	}
	if !d.pipelines() {
		d.recipient(0)
	}
}

// recipient sends the i-th recipient.
func (d *delivery) recipient(i int) {
	p := smtp.RcptParams{SpaceAfterColon: d.m.Compat}
	line, err := smtp.AppendRcpt(nil, d.recipients[i].Address, p)
	if err != nil {
		d.fail(&Failure{Kind: Configure, Stage: StageRcpt, Err: err})
		return
	}
	d.command(StageRcpt, line, "", func(r *smtp.Reply) { d.answeredRecipient(i, r) })
}

func (d *delivery) answeredRecipient(i int, r *smtp.Reply) {
	to := &d.recipients[i]
	to.Reply = r
	to.Accepted = d.positive(r, smtp.CodeOK, smtp.CodeWillForward, smtp.CodeCannotVerify)
	d.answered++
	last := d.answered == len(d.recipients)
	switch {
	case !to.Accepted && (d.m.AllOrNothing || last && !d.anyAccepted()):
		d.refused(StageRcpt, r)
	case !last && !d.pipelines():
		d.recipient(i + 1)
	case last && (d.m.AllOrNothing || !d.pipelines()):
		d.data()
	}
}

func (d *delivery) anyAccepted() bool {
	for _, to := range d.recipients {
		if to.Accepted {
			return true
		}
	}
	return false
}

// data asks to send the text.
func (d *delivery) data() {
	d.command(StageData, smtp.AppendVerb(nil, smtp.VerbDATA), "", d.dataAnswered)
}

func (d *delivery) dataAnswered(r *smtp.Reply) {
	if !d.positive(r, smtp.CodeStartMail) {
		d.refused(StageData, r)
		return
	}
	d.stage = StageText
	d.sending = true
	d.text = &textFilter{}
	if d.m.TransactionLog {
		d.text.copy = new(bytes.Buffer)
	}
	d.rw.SetOutputFilter(d.text)
	d.expect(StageFinal, d.final) // a server may have enough of a text before its end
	d.moreText(nil)
}

// moreText sends on until there is enough in the wheel for now. The next LowEvent, or what is read
// of the text meanwhile, continues.
func (d *delivery) moreText(*kernel.Event) {
	for d.sending && !d.body.busy && !d.rw.High() && !d.done {
		d.nextChunk()
	}
}

// gotChunk sends one piece of the text, and after the last the dot that ends it.
func (d *delivery) gotChunk(c chunk) {
	d.octets += int64(len(c.p))
	d.put(filter.Record{Bytes: c.p})
	if c.eof {
		d.sending = false
		d.put(filter.Record{Value: filter.End})
		d.rw.SetOutputFilter(filter.NewStream(filter.StreamOptions{}))
		if d.m.TransactionLog {
			d.log = append(d.log, "-> "+d.text.logged())
		}
		d.text = nil
		d.body.close()
		d.stage = StageFinal
	}
	d.alive()
	d.progress(d.stage, "", "")
	if !c.eof && d.body.r != nil {
		d.moreText(nil)
	}
}

// final is the server's word on the message.
func (d *delivery) final(r *smtp.Reply) {
	if d.sending || !d.positive(r, smtp.CodeOK) {
		d.refused(StageFinal, r)
		return
	}
	d.reply = r
	if !d.m.Compat {
		d.report(nil)
	}
	d.quit()
}

// quit says goodbye. With Compat, the answer to that decides.
func (d *delivery) quit() {
	d.command(StageQuit, smtp.AppendVerb(nil, smtp.VerbQUIT), "", d.goodbye)
	if d.done {
		_, _ = d.s.DelayAdjust(d.timer, min(d.m.Timeout, quitTimeout))
	}
}

func (d *delivery) goodbye(r *smtp.Reply) {
	if d.m.Compat && !d.positive(r, smtp.CodeClosing) {
		d.refused(StageQuit, r)
		return
	}
	d.report(nil)
	d.close()
}

// positive reports whether r is one of the codes that are wanted. With Compat, any code below 400
// is.
func (d *delivery) positive(r *smtp.Reply, wanted ...int) bool {
	if d.m.Compat {
		return r.Code >= 100 && r.Code < 400
	}
	for _, code := range wanted {
		if r.Code == code {
			return true
		}
	}
	return false
}

// refused ends the delivery with what the server said.
func (d *delivery) refused(at Stage, r *smtp.Reply) {
	d.fail(&Failure{Kind: ServerError, Stage: at, Reply: r, Line: lastLine(r)})
}

// lastLine returns the last line of a reply, as it was on the wire.
func lastLine(r *smtp.Reply) string {
	text := strings.TrimSuffix(string(r.AppendUTF8(nil)), "\r\n")
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// command sends one line, and notes what its reply leads to. The log gets the line, or what masks
// it.
func (d *delivery) command(at Stage, line []byte, masked string, then func(*smtp.Reply)) {
	if masked == "" {
		masked = string(line[:len(line)-len("\r\n")])
	}
	d.record("-> ", masked)
	d.expect(at, then)
	d.progress(at, masked, "")
	d.put(filter.Record{Bytes: line})
}

// put hands something to the wheel. If the connection is lost, the wheel tells that by itself.
func (d *delivery) put(r filter.Record) {
	if err := d.rw.PutRecord(r); err != nil && d.writeErr == nil {
		d.writeErr = err
	}
}

func (d *delivery) expect(at Stage, then func(*smtp.Reply)) {
	d.stage = at
	d.expected = append(d.expected, step{at, then})
}

// gotLine takes one line of a reply. When the reply is whole, the oldest command has its answer.
func (d *delivery) gotLine(e *kernel.Event, in *wheel.Input) {
	line := in.Bytes
	d.alive()
	d.record("<- ", string(line))
	d.progress(d.waitsFor(), "", string(line))
	r, whole := d.assemble(line)
	if !whole {
		return
	}
	if r == nil || len(d.expected) == 0 {
		d.nonsense(string(line))
		return
	}
	next := d.expected[0]
	d.expected = d.expected[1:]
	if r.Code == smtp.CodeNotAvailable && !d.m.Compat {
		d.refused(next.stage, r)
		return
	}
	next.then(r)
}

// assemble puts a reply together. It returns none for a line that makes no sense.
func (d *delivery) assemble(line []byte) (r *smtp.Reply, whole bool) {
	if d.m.Compat {
		switch smtp.ClassifyLine(line) {
		case smtp.ContinueLine:
			return nil, false
		case smtp.BadLine:
			return nil, true
		}
		code := int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0')
		return &smtp.Reply{Code: code, Lines: []string{string(line[3:])}}, true
	}
	whole, err := d.parser.Add(line)
	if err != nil {
		return nil, true
	}
	if !whole {
		return nil, false
	}
	return d.parser.Reply(), true
}

// nonsense ends the delivery with a line that is no reply, or answers nothing.
func (d *delivery) nonsense(line string) {
	d.fail(&Failure{Kind: ServerError, Stage: d.waitsFor(), Line: line})
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
func (d *delivery) connectionLost(e *kernel.Event, failed *wheel.Error) {
	if failed.Op == "write" && d.writeErr == nil {
		d.writeErr = failed
		d.sending = false
		return
	}
	d.fail(&Failure{Kind: Lost, Stage: d.waitsFor(), Err: failed})
}

func (d *delivery) timedOut(*kernel.Event) {
	d.fail(&Failure{Kind: TimedOut, Stage: d.waitsFor(), timeout: d.m.Timeout})
}

// alive pushes the time-out forward: something has happened.
func (d *delivery) alive() {
	if !d.done {
		_, _ = d.s.DelayAdjust(d.timer, d.m.Timeout)
	}
}

// fail reports a failure, and says goodbye to a server that is there to hear it.
func (d *delivery) fail(f *Failure) {
	leave := !d.done && f.Kind == ServerError && f.Stage != StageGreeting && d.listens()
	d.report(f)
	if !leave || d.rw.Put(smtp.AppendVerb(nil, smtp.VerbQUIT)) != nil {
		d.close()
		return
	}
	d.rw.SetFlushedEvent("smtp_session_over")
	d.rw.Finish()
	_, _ = d.s.DelayAdjust(d.timer, min(d.m.Timeout, quitTimeout))
}

// listens reports whether the server takes what comes next for a command.
func (d *delivery) listens() bool {
	if d.rw == nil || d.m.Compat || d.sending || d.writeErr != nil {
		return false
	}
	for _, waiting := range d.expected {
		if waiting.stage == StageData || waiting.stage == StageQuit {
			return false
		}
	}
	return true
}

// report sends the owner the result, once.
func (d *delivery) report(f *Failure) {
	if d.done {
		return
	}
	d.done = true
	if f != nil || d.reply == nil {
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
	_, _ = d.owner.RefcountDecrement(holdTag) // it may have ended
}

// logArg is the log as an argument: nil if there is none.
func (d *delivery) logArg() any {
	if d.log == nil {
		return nil
	}
	return d.log
}

// tell posts an event to the owner, if the message names one.
func (d *delivery) tell(event string, args ...any) {
	switch {
	case event == "":
	case d.stopped:
		d.owner.Yield(event, args...)
	default:
		_ = d.s.Post(d.owner, event, args...) // the owner may have ended, and then nobody waits
	}
}

// close ends the session by giving up all that keeps it.
func (d *delivery) close() {
	d.s.AlarmRemoveAll()
	if d.m.Alias != "" {
		_ = d.s.AliasRemove(kernel.Alias(d.m.Alias)) // it may be another's
	}
	if d.sockets != nil {
		d.sockets.Close()
	}
	if d.rw != nil {
		d.rw.Close()
	}
	d.sending = false
	d.body.close()
}

// record adds a line to the log.
func (d *delivery) record(arrow, line string) {
	if d.m.TransactionLog && len(d.log) < maxLogLines {
		d.log = append(d.log, arrow+line)
	}
}

// maxLogLines is how many lines of a dialogue are kept.
const maxLogLines = 10_000

// progress tells the owner of a step, if it wants to know.
func (d *delivery) progress(at Stage, sent, got string) {
	if d.m.Progress != "" && !(d.done && at != StageQuit) {
		d.tell(d.m.Progress, &Progress{
			Context: d.m.Context, Stage: at, Sent: sent, Got: got, Octets: d.octets,
		})
	}
}
