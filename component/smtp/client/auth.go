package client

import (
	"errors"
	"slices"
	"strings"

	"github.com/go-poe/poe/component/smtp"
)

// What is wrong with an Auth, in the words of version 0.22.
var (
	//lint:ignore ST1005 programs compare it
	errNoUser    = errors.New("ERROR: You want AUTH but no USER/PASS given!")
	errMechanism = errors.New("ERROR: Method unsupported by Component version: 0.22")
)

var errNotOffered = errors.New("the server does not offer AUTH PLAIN")

// check returns what makes it impossible to use a.
func (a *Auth) check() error {
	switch {
	case !a.wanted():
		return nil
	case !strings.EqualFold(a.Mechanism, "PLAIN"):
		return errMechanism
	case a.User == "" || a.Password == "":
		return errNoUser
	case strings.ContainsRune(a.User, 0) || strings.ContainsRune(a.Password, 0):
		return errors.New("smtp client: Auth: NUL in the user's name or password")
	}
	return nil
}

// wanted reports whether there is to be any authentication.
func (a *Auth) wanted() bool { return a != nil && a.Mechanism != "" }

// initialResponse is all that PLAIN has to say (RFC 4616).
func (a *Auth) initialResponse() []byte {
	return []byte("\x00" + a.User + "\x00" + a.Password)
}

// authenticate sends the credentials, to a server that wants them.
func (d *delivery) authenticate() {
	if !d.m.Compat && !slices.Contains(d.offered.Auth(), "PLAIN") {
		d.fail(&Failure{Kind: Configure, Stage: StageAuth, Err: errNotOffered})
		return
	}
	line, err := smtp.AppendAuth(nil, "PLAIN", d.m.Auth.initialResponse())
	if err != nil {
		d.fail(&Failure{Kind: Configure, Stage: StageAuth, Err: err})
		return
	}
	masked := "AUTH PLAIN ********"
	if d.m.Compat {
		masked = string(line[:len(line)-2])
	}
	d.command(StageAuth, line, masked, d.authenticated)
}

func (d *delivery) authenticated(r *smtp.Reply) {
	if !d.accepts(r, r.Positive()) {
		d.refused(StageAuth, r)
		return
	}
	d.mail()
}
