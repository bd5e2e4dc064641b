package server

import (
	"bytes"
	"errors"

	"github.com/go-poe/poe/component/smtp"
)

// A verb is one command: the phase that it needs, and the method that does it. The reply may be nil
// if it was given already.
type verb struct {
	need phase
	do   func(c *conn, arg string) *smtp.Reply
}

// verbs is the protocol (RFC 5321, section 4.1.1). A command that is not here does not exist.
var verbs = map[smtp.Verb]verb{
	smtp.VerbDATA: {addressed, (*conn).data},
	smtp.VerbEHLO: {connected, (*conn).ehlo},
	smtp.VerbEXPN: {connected, (*conn).expn},
	smtp.VerbHELO: {connected, (*conn).helo},
	smtp.VerbHELP: {connected, (*conn).help},
	smtp.VerbMAIL: {greeted, (*conn).mail},
	smtp.VerbNOOP: {connected, (*conn).noop},
	smtp.VerbQUIT: {connected, (*conn).bye},
	smtp.VerbRCPT: {mailing, (*conn).rcpt},
	smtp.VerbRSET: {connected, (*conn).rset},
	smtp.VerbVRFY: {connected, (*conn).vrfy},
}

// foreign are the first words of those who speak another protocol, or were made to by a web page
// that means us to obey what it posts.
var foreign = map[smtp.Verb]bool{
	"CONNECT": true, "GET": true, "HEAD": true, "OPTIONS": true, "POST": true, "PUT": true,
}

// obey does what a command line says, and returns the reply, if it is not given yet.
func (c *conn) obey(line []byte) *smtp.Reply {
	line, whole := bytes.CutSuffix(line, []byte("\r"))
	if !whole {
		c.put(bareCommand)
		c.sayGoodbye(cannotGoOn)
		return nil
	}
	cmd, err := smtp.ParseCommand(line)
	if err != nil {
		return c.replyFor(err)
	}
	v, known := verbs[cmd.Verb]
	switch {
	case foreign[cmd.Verb]:
		c.sayGoodbye(notSMTP)
		return nil
	case !known:
		return reply(smtp.CodeSyntaxError, smtp.EnhancedCode{5, 5, 2}, "Command not recognized")
	case c.phase < v.need:
		return c.outOfSequence(cmd.Verb)
	}
	if err := cmd.Check(); err != nil {
		return c.replyFor(err)
	}
	return v.do(c, cmd.Arg)
}

// outOfSequence says what is missing.
func (c *conn) outOfSequence(v smtp.Verb) *smtp.Reply {
	switch {
	case c.phase < greeted:
		return reply(smtp.CodeBadSequence, badSequence, "Say hello first")
	case c.phase < mailing:
		return reply(smtp.CodeBadSequence, badSequence, "Need MAIL first")
	case c.refused:
		return reply(smtp.CodeTransactionFailed, badSequence, "No valid recipients")
	}
	return reply(smtp.CodeBadSequence, badSequence, "Need RCPT before "+string(v))
}

func (c *conn) helo(name string) *smtp.Reply {
	if err := c.greet(name); err != nil {
		return err
	}
	c.offered, c.env.Extended = nil, false
	return reply(smtp.CodeOK, none, c.server.opts.Hostname)
}

func (c *conn) ehlo(name string) *smtp.Reply {
	if err := c.greet(name); err != nil {
		return err
	}
	c.offered, c.env.Extended = c.server.offered, true
	return c.server.hello
}

// greet notes what the client calls itself. It may call itself anything that is one word: there are
// too many honest clients that do not know their name.
func (c *conn) greet(name string) *smtp.Reply {
	if smtp.CheckHost("", name) != nil {
		return reply(smtp.CodeArgumentError, smtp.EnhancedCode{5, 5, 4}, "That is no host name")
	}
	c.reset()
	c.phase = greeted
	c.env.Hello = name
	return nil
}

func (c *conn) mail(arg string) *smtp.Reply {
	switch {
	case c.phase >= mailing:
		return reply(smtp.CodeBadSequence, badSequence, "There is a sender already")
	case c.ending || c.server.draining:
		c.sayGoodbye(shuttingDown)
		return nil
	}
	m, err := smtp.ParseMail(arg, smtp.EnvelopeOptions{Offered: c.offered, LongLocal: true})
	switch {
	case err != nil:
		return c.replyFor(err)
	case m.Params.Size > c.server.opts.MaxSize:
		return tooLarge
	}
	c.env.ID = c.newID()
	c.env.Began = c.s.Kernel().Now()
	c.env.From = m
	if check := c.server.opts.CheckSender; check != nil {
		if err := check(&c.env); err != nil {
			r := c.replyFor(err)
			c.reset()
			return r
		}
	}
	c.phase = mailing
	return reply(smtp.CodeOK, smtp.EnhancedCode{2, 1, 0}, "Sender ok")
}

func (c *conn) rcpt(arg string) *smtp.Reply {
	if len(c.env.To) >= c.server.opts.MaxRecipients {
		return reply(smtp.CodeNoStorage, smtp.EnhancedCode{4, 5, 3}, "Too many recipients")
	}
	to, err := smtp.ParseRcpt(arg, smtp.EnvelopeOptions{
		Offered:   c.offered,
		UTF8:      c.env.From.Params.UTF8,
		LongLocal: true,
	})
	if check := c.server.opts.CheckRecipient; check != nil && err == nil {
		err = check(&c.env, to)
	}
	if err != nil {
		c.refused = true
		return c.replyFor(err)
	}
	c.env.To = append(c.env.To, to)
	c.phase = addressed
	return reply(smtp.CodeOK, smtp.EnhancedCode{2, 1, 5}, "Recipient ok")
}

// data has the text sent, if the sink takes it. What the client has sent ahead is read at once, so
// the reply must go first.
func (c *conn) data(string) *smtp.Reply {
	env := c.env
	message, err := c.server.opts.Sink.Begin(c.s, &env)
	if err != nil {
		r := c.replyFor(err)
		c.reset()
		return r
	}
	c.put(reply(smtp.CodeStartMail, none, "End with a dot on a line by itself"))
	if c.closed {
		message.Abort()
		return nil
	}
	c.begin(message, &env)
	return nil
}

func (c *conn) rset(string) *smtp.Reply {
	c.reset()
	return reply(smtp.CodeOK, success, "Forgotten")
}

func (c *conn) noop(string) *smtp.Reply { return reply(smtp.CodeOK, success, "Ok") }

func (c *conn) bye(string) *smtp.Reply {
	c.quit(reply(smtp.CodeClosing, success, c.server.opts.Hostname+" closes the connection"))
	return nil
}

func (c *conn) help(string) *smtp.Reply {
	return reply(smtp.CodeHelp, success, "See RFC 5321")
}

func (c *conn) vrfy(string) *smtp.Reply {
	return reply(smtp.CodeCannotVerify, smtp.EnhancedCode{2, 5, 2}, "Send it, and you will see")
}

func (c *conn) expn(string) *smtp.Reply {
	return reply(smtp.CodeNotImplemented, badSequence, "Lists are not shown")
}

// The enhanced codes that many replies have: RFC 3463.
var (
	none        smtp.EnhancedCode
	success     = smtp.EnhancedCode{2, 0, 0}
	badSequence = smtp.EnhancedCode{5, 5, 1}
)

func reply(code int, enhanced smtp.EnhancedCode, text string) *smtp.Reply {
	return &smtp.Reply{Code: code, Enhanced: enhanced, Lines: []string{text}}
}

// Replies that are given from more than one place, or that end a connection.
var (
	tooLarge = reply(smtp.CodeQuotaLimit, smtp.EnhancedCode{5, 3, 4}, "Message too large")

	bareNewline = reply(smtp.CodeUnavailable, smtp.EnhancedCode{5, 6, 0},
		"Message refused: it has a CR or an LF that is not part of a CR LF")
	bareCommand = reply(smtp.CodeSyntaxError, smtp.EnhancedCode{5, 5, 2}, "Commands end in CR LF")
	lineTooLong = reply(smtp.CodeSyntaxError, smtp.EnhancedCode{5, 5, 2}, "Line too long")

	localError = reply(smtp.CodeLocalError, smtp.EnhancedCode{4, 3, 0},
		"Something went wrong here; try again later")

	shuttingDown    = farewell(smtp.EnhancedCode{4, 3, 2}, "Shutting down")
	tooManyClients  = farewell(smtp.EnhancedCode{4, 3, 2}, "Too many connections")
	idleTooLong     = farewell(smtp.EnhancedCode{4, 4, 2}, "Waited too long")
	cannotGoOn      = farewell(smtp.EnhancedCode{4, 7, 0}, "Cannot go on after that")
	tooManyErrors   = farewell(smtp.EnhancedCode{4, 7, 0}, "Too many errors")
	tooManyCommands = farewell(smtp.EnhancedCode{4, 7, 0}, "Too many commands without a message")
	notSMTP         = farewell(smtp.EnhancedCode{4, 7, 0}, "This is a mail server")
)

func farewell(enhanced smtp.EnhancedCode, text string) *smtp.Reply {
	return reply(smtp.CodeNotAvailable, enhanced, text)
}

// replyFor returns the reply for what went wrong: its own, if it has one, and else one that keeps
// what is nobody else's business. A reply without a class of error is no reply to an error.
func (c *conn) replyFor(err error) *smtp.Reply {
	if r, found := errors.AsType[*smtp.Reply](err); found && (r.Temporary() || r.Permanent()) {
		return r
	}
	c.log("cannot serve a command", err)
	return localError
}
