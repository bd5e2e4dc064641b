package client

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-poe/poe/component/smtp"
)

// greeted says hello to a server that is ready.
func (c *conn) greeted(_ step, r *smtp.Reply) {
	if !c.accepts(r, r.Code == smtp.CodeServiceReady) {
		c.refused(StageGreeting, r)
		return
	}
	c.hello(c.firstHello())
}

func (c *conn) firstHello() smtp.Verb {
	switch {
	case c.m.Protocol == LMTP:
		return smtp.VerbLHLO
	case c.m.Compat && !c.m.wantsAuth():
		return smtp.VerbHELO
	}
	return smtp.VerbEHLO
}

func (c *conn) hello(verb smtp.Verb) {
	line, err := smtp.AppendHello(c.scratch[:0], verb, c.m.MyHostname)
	if err != nil {
		c.fail(&Failure{Kind: Configure, Stage: StageHello, Err: err})
		return
	}
	then := (*conn).helloed
	if verb == smtp.VerbHELO {
		then = (*conn).helloedPlainly
	}
	c.command(step{stage: StageHello, then: then}, line, "")
}

// helloed learns what the server offers. One that does not know EHLO is greeted again, with HELO
// (RFC 5321, section 3.2).
func (c *conn) helloed(_ step, r *smtp.Reply) {
	switch {
	case c.accepts(r, r.Positive()):
		c.offer(smtp.ParseExtensions(r))
		c.protect()
	case r.Permanent() && c.m.Protocol != LMTP && !c.m.Compat && !c.m.wantsAuth():
		if r.Code != smtp.CodeSyntaxError && r.Code != smtp.CodeNotImplemented {
			c.unwelcome = &Failure{
				Kind: ServerError, Stage: StageHello, Reply: r, Line: string(c.line),
			}
		}
		c.hello(smtp.VerbHELO)
	default:
		c.refused(StageHello, r)
	}
}

// offer notes what the server offers, but for what is not to be used.
func (c *conn) offer(x smtp.Extensions) {
	for _, name := range c.m.Without {
		delete(x, strings.ToUpper(name))
	}
	c.offered = x
	c.pipelining, c.chunking = x.Has(smtp.ExtPipelining), x.Has(smtp.ExtChunking)
	c.utf8, c.eightBit = x.Has(smtp.ExtSMTPUTF8), x.Has(smtp.Ext8BitMIME)
	c.sizeLimit, c.size = x.Size()
	c.limits = x.Limits()
}

// helloedPlainly is helloed after HELO.
func (c *conn) helloedPlainly(_ step, r *smtp.Reply) {
	c.unwelcome = nil
	if !c.accepts(r, r.Positive()) {
		c.refused(StageHello, r)
		return
	}
	c.offer(nil)
	c.protect()
}

// protect begins TLS, if there is to be any and there is none yet.
func (c *conn) protect() {
	mode := c.m.TLS
	switch {
	case c.tls != nil || mode == Off:
	case c.offered.Has(smtp.ExtStartTLS) && !c.plain:
		line := smtp.AppendVerb(c.scratch[:0], smtp.VerbSTARTTLS)
		c.command(step{stage: StageTLS, then: (*conn).startTLS}, line, "")
		return
	case mode == Required:
		c.fail(&Failure{Kind: NotSecure, Stage: StageTLS, Err: errNoStartTLS})
		return
	}
	c.introduce()
}

var errNoStartTLS = errors.New("the server does not offer STARTTLS")

// introduce says who is behind this client, if that is wanted.
func (c *conn) introduce() {
	switch {
	case len(c.m.XClient) == 0 || c.xclient:
		c.authenticate()
	case !c.offered.Has(extXClient):
		c.fail(&Failure{Kind: Configure, Stage: StageHello, Err: errNoXClient})
	default:
		line, err := appendXClient(c.scratch[:0], c.m.XClient, c.offered[extXClient])
		if err != nil {
			c.fail(&Failure{Kind: Configure, Stage: StageHello, Err: err})
			return
		}
		c.xclient = true
		c.command(step{stage: StageHello, then: (*conn).introduced}, line, "")
	}
}

// extXClient is the keyword of Postfix's extension.
const extXClient = "XCLIENT"

var errNoXClient = fmt.Errorf("the server does not offer %s", extXClient)

// introduced begins again, as the server does.
func (c *conn) introduced(_ step, r *smtp.Reply) {
	if r.Code != smtp.CodeServiceReady {
		c.refused(StageHello, r)
		return
	}
	c.offer(nil)
	c.hello(c.firstHello())
}

// setUp is when the server knows all that it has to know before the first message.
func (c *conn) setUp() {
	c.ready = true
	c.cur.result.TLS = c.tls
	c.envelope(c.cur)
}
