package client

import (
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-sasl"

	"github.com/go-poe/poe/component/smtp"
)

// A bearer is the client's side of OAUTHBEARER and XOAUTH2: all is said at once, and a server that
// does not like the token says why in a challenge before it refuses.
type bearer struct {
	name    string
	initial string
	yes     string // the answer to why
	why     error  // nil if the server did not say
}

var errToken = errors.New("the server does not like the token")

// newOAuthBearer is OAUTHBEARER (RFC 7628). The host and the port, which only tokens of another
// type need, are left out.
func newOAuthBearer(a *Auth, _ link) (sasl.Client, error) {
	whose := ""
	if name := a.account(); name != "" {
		whose = "a=" + strings.NewReplacer("=", "=3D", ",", "=2C").Replace(name)
	}
	return &bearer{
		name:    "OAUTHBEARER",
		initial: "n," + whose + ",\x01auth=Bearer " + a.Token + "\x01\x01",
		yes:     "\x01",
	}, nil
}

// newXOAuth2 is what Google had before there was an RFC, and Microsoft has to this day.
func newXOAuth2(a *Auth, _ link) (sasl.Client, error) {
	return &bearer{
		name:    "XOAUTH2",
		initial: "user=" + a.account() + "\x01auth=Bearer " + a.Token + "\x01\x01",
	}, nil
}

// Start says it all.
func (c *bearer) Start() (name string, initial []byte, err error) {
	return c.name, []byte(c.initial), nil
}

// Next takes note of why the server will refuse.
func (c *bearer) Next(challenge []byte) (response []byte, err error) {
	if c.why != nil {
		return nil, sasl.ErrUnexpectedServerChallenge
	}
	c.why = errToken
	if len(challenge) > 0 {
		c.why = fmt.Errorf("%w: %s", errToken, shown(challenge))
	}
	return []byte(c.yes), nil
}

// done returns an error if the server had a reason to refuse.
func (c *bearer) done(*smtp.Reply) error { return c.why }

func (c *bearer) explanation() error { return c.why }
