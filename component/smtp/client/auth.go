package client

import (
	"errors"
	"strings"

	"github.com/emersion/go-sasl"

	"github.com/go-poe/poe/component/smtp"
)

// What is wrong with an Auth, in the words of version 0.22.
var (
	//lint:ignore ST1005 programs compare it
	errNoUser    = errors.New("ERROR: You want AUTH but no USER/PASS given!")
	errMechanism = errors.New("ERROR: Method unsupported by Component version: 0.22")
)

// wantsAuth reports whether there is to be any authentication. In version 0.22 it is the mechanism
// that says so.
func (m *Message) wantsAuth() bool {
	return m.Auth != nil && (m.Auth.Mechanism != "" || !m.Compat && *m.Auth != Auth{})
}

// checkAuth returns what makes it impossible to authenticate.
func (m *Message) checkAuth() error {
	switch a := m.Auth; {
	case !m.wantsAuth():
		return nil
	case !m.Compat:
		return a.check()
	case !strings.EqualFold(a.Mechanism, "PLAIN"):
		return errMechanism
	case a.User == "" || a.Password == "":
		return errNoUser
	case strings.ContainsRune(a.User, 0) || strings.ContainsRune(a.Password, 0):
		return errors.New("smtp client: Auth: NUL in the user's name or password")
	}
	return nil
}

// An exchange is an authentication on its way.
type exchange struct {
	client   sasl.Client
	deferred []byte // the first response, that did not fit into the command; nil if there is none
	rounds   int
	line     string // the last challenge
	err      error  // why the client has given up
}

// explanation is what the server has said of a refusal before it, or nil.
func (x *exchange) explanation() error {
	if more, ok := x.client.(interface{ explanation() error }); ok {
		return more.explanation()
	}
	return nil
}

// deaf reports whether the mechanism does not care what the server says: some ask for LOGIN's
// answers in plain text.
func (x *exchange) deaf() bool {
	more, ok := x.client.(interface{ deaf() bool })
	return ok && more.deaf()
}

// maxAuthRounds is how many challenges a server may send: no mechanism has use for more.
const maxAuthRounds = 10

// authenticate sends the credentials, to a server that is to have them.
func (c *conn) authenticate() {
	switch {
	case !c.m.wantsAuth():
		c.setUp()
		return
	case c.m.Compat:
		c.authenticateAnyway()
		return
	}
	_, client, err := c.m.Auth.choose(c.offered.Auth(), c.tls, c.local)
	if errors.Is(err, errCleartext) {
		c.fail(&Failure{Kind: NotSecure, Stage: StageAuth, Err: err})
		return
	}
	if err != nil {
		c.authFailed(err)
		return
	}
	mechanism, initial, err := client.Start()
	if err != nil {
		c.authFailed(err)
		return
	}
	c.exchange = &exchange{client: client}
	line, err := smtp.AppendAuth(c.scratch[:0], mechanism, initial)
	if err != nil {
		c.exchange.deferred = initial
		line, err = smtp.AppendAuth(c.scratch[:0], mechanism, nil)
	}
	if err != nil {
		c.authFailed(err)
		return
	}
	c.command(step{stage: StageAuth, then: (*conn).challenged}, line, maskedAuth(mechanism, initial != nil))
}

// maskedAuth is what a log gets of the command.
func maskedAuth(mechanism string, initial bool) string {
	if initial {
		return "AUTH " + mechanism + " " + mask
	}
	return "AUTH " + mechanism
}

// mask stands for a secret.
const mask = "********"

func (c *conn) authFailed(err error) {
	c.fail(&Failure{Kind: Configure, Stage: StageAuth, Err: err})
}

// challenged answers a challenge, or is done.
func (c *conn) challenged(_ step, r *smtp.Reply) {
	x := c.exchange
	switch {
	case x.err != nil:
		c.distrusted(x.err)
	case r.Code == smtp.CodeAuthContinue:
		c.respond(r)
	case !r.Positive():
		c.fail(&Failure{
			Kind: ServerError, Stage: StageAuth, Reply: r, Line: string(c.line), Err: x.explanation(),
		})
	case x.deferred != nil:
		x.line = string(c.line)
		c.distrusted(errEarly)
	default:
		if check, ok := x.client.(interface{ done(r *smtp.Reply) error }); ok {
			if err := check.done(r); err != nil {
				x.line = string(c.line)
				c.distrusted(err)
				return
			}
		}
		c.exchange = nil
		c.setUp()
	}
}

// distrusted gives up on a server that does not do what the mechanism asks of it.
func (c *conn) distrusted(err error) {
	c.fail(&Failure{Kind: ServerError, Stage: StageAuth, Line: c.exchange.line, Err: err})
}

// respond answers a challenge, or takes the answer back: with a star (RFC 4954, section 4).
func (c *conn) respond(r *smtp.Reply) {
	x := c.exchange
	x.rounds++
	x.line = string(c.line)
	response, err := x.next(r)
	if err != nil {
		x.err = err
		c.command(step{stage: StageAuth, then: (*conn).challenged}, append(c.scratch[:0], "*\r\n"...), "")
		return
	}
	line := smtp.AppendAuthResponse(c.scratch[:0], response)
	c.command(step{stage: StageAuth, then: (*conn).challenged}, line, mask)
}

// next returns the response to a challenge.
func (x *exchange) next(r *smtp.Reply) ([]byte, error) {
	challenge, ok := r.Challenge()
	switch {
	case x.rounds > maxAuthRounds:
		return nil, errors.New("the server asks on and on")
	case x.deferred != nil: // whatever is said, it is only the word to go on
		response := x.deferred
		x.deferred = nil
		return response, nil
	case !ok && !x.deaf():
		return nil, errors.New("the server's challenge is not base64")
	}
	return x.client.Next(challenge)
}

// authenticateAnyway is version 0.22's way: it does not look at what is offered.
func (c *conn) authenticateAnyway() {
	plain := []byte("\x00" + c.m.Auth.User + "\x00" + c.m.Auth.Password)
	line, err := smtp.AppendAuth(c.scratch[:0], "PLAIN", plain)
	if err != nil {
		c.authFailed(err)
		return
	}
	c.command(step{stage: StageAuth, then: (*conn).authenticated}, line, "")
}

func (c *conn) authenticated(_ step, r *smtp.Reply) {
	if r.Code >= 400 {
		c.refused(StageAuth, r)
		return
	}
	c.setUp()
}
