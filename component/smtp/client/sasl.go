package client

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/emersion/go-sasl"
	"github.com/xdg-go/scram"

	"github.com/go-poe/poe/component/smtp"
)

// Limits on what either side says of an authentication.
const (
	maxChallenge = smtp.MaxAuthLine / 4 * 3 // octets of a challenge: what one line can hold
	maxShown     = 200                      // octets of the server's words in an error
)

// errCleartext is behind the error of choose when TLS is all that is missing.
var errCleartext = errors.New("use TLS, or set Cleartext")

var (
	errNoAuth     = errors.New("the server does not offer AUTH")
	errEarly      = errors.New("the server accepted before the exchange was over")
	errHuge       = errors.New("the server's challenge is too long")
	errNeedsSome  = errors.New("it needs a User with a Password, or a Token")
	errNeedsUser  = errors.New("it needs a User")
	errNeedsPass  = errors.New("it needs a Password")
	errNeedsToken = errors.New("it needs a Token")
	errIdentity   = errors.New("it cannot carry an Identity other than the User")
)

// A mechanism is one way to authenticate.
type mechanism struct {
	name   string
	shows  bool                // the password, or the token, to whoever can read
	lacks  func(a *Auth) error // what keeps a from being used with it, or nil
	client func(*Auth, link) (sasl.Client, error)
}

// mechanisms are all that are known, the strongest first.
var mechanisms = []mechanism{
	{"EXTERNAL", false, needsNothing, newExternal},
	{"SCRAM-SHA-256-PLUS", false, needsPrepared, scramPlus(scram.SHA256)},
	{"SCRAM-SHA-1-PLUS", false, needsPrepared, scramPlus(scram.SHA1)},
	{"SCRAM-SHA-256", false, needsPrepared, scramAlone(scram.SHA256)},
	{"SCRAM-SHA-1", false, needsPrepared, scramAlone(scram.SHA1)},
	{"OAUTHBEARER", true, needsToken, newOAuthBearer},
	{"XOAUTH2", true, needsUserAndToken, newXOAuth2},
	{"CRAM-MD5", false, needsPasswordAlone, newCRAMMD5},
	{"PLAIN", true, needsPassword, newPlain},
	{"LOGIN", true, needsPasswordAlone, newLogin},
}

// A link is what a mechanism knows of the connection.
type link struct {
	binding scram.ChannelBinding // what ties an authentication to it; zero without TLS
	plus    bool                 // the server can do that too
}

// check returns what makes it impossible to use a, whatever the server offers. A nil a is fine.
func (a *Auth) check() error {
	if a == nil {
		return nil
	}
	reason := ""
	switch {
	case strings.ContainsFunc(a.User, unicode.IsControl):
		reason = "the User has a control character"
	case strings.ContainsFunc(a.Identity, unicode.IsControl):
		reason = "the Identity has a control character"
	case strings.ContainsAny(a.Password, "\r\n\x00"):
		reason = "the Password has CR, LF or NUL"
	case strings.ContainsFunc(a.Token, func(r rune) bool { return r <= ' ' || r > '~' }):
		reason = "the Token has a character that is not visible ASCII"
	}
	if reason != "" {
		return errors.New("smtp client: Auth: " + reason)
	}
	if err := a.usable(); err != nil {
		return fmt.Errorf("smtp client: Auth: %w", err)
	}
	return nil
}

// usable returns an error unless there is a mechanism that a has all for.
func (a *Auth) usable() error {
	err := fmt.Errorf("the Mechanism %s is not known", shown(a.Mechanism))
	if a.Mechanism == "" {
		err = errNeedsSome
	}
	for _, m := range mechanisms {
		if !a.considers(m) {
			continue
		}
		lacks := m.lacks(a)
		if lacks == nil {
			return nil
		}
		if a.Mechanism != "" {
			err = fmt.Errorf("%s: %w", m.name, lacks)
		}
	}
	return err
}

// considers reports whether m is the mechanism that a names, or a names none.
func (a *Auth) considers(m mechanism) bool {
	return a.Mechanism == "" || strings.EqualFold(a.Mechanism, m.name)
}

// choose picks the strongest mechanism that the server offers, and for which a has what it needs.
// The client is a *bounded. If there is no such mechanism, the error says why the weakest of them
// cannot be used, or what would help if that is TLS.
//
// offered has the names in upper case. state is nil on a connection without TLS; local says that
// the connection does not leave this machine.
func (a *Auth) choose(
	offered []string, state *tls.ConnectionState, local bool,
) (name string, c sasl.Client, err error) {
	readable := state == nil && !local && !a.Cleartext
	l := newLink(offered, state)
	err = a.noneOf(offered)
	for _, m := range mechanisms {
		if !a.considers(m) || !slices.Contains(offered, m.name) {
			continue
		}
		client, reason := m.use(a, l, readable)
		if reason == nil {
			return m.name, &bounded{name: m.name, client: client}, nil
		}
		if !errors.Is(err, errCleartext) {
			err = reason
		}
	}
	return "", nil, err
}

// use returns the client's side of m, or why there is none.
func (m mechanism) use(a *Auth, l link, readable bool) (c sasl.Client, err error) {
	err = m.lacks(a)
	if err == nil && m.shows && readable {
		err = fmt.Errorf("whoever listens could read it: %w", errCleartext)
	}
	if err == nil {
		c, err = m.client(a, l)
	}
	if err != nil {
		return nil, fmt.Errorf("AUTH %s: %w", m.name, err)
	}
	return c, nil
}

// noneOf is the error if nothing else is to be said of any mechanism.
func (a *Auth) noneOf(offered []string) error {
	switch {
	case len(offered) == 0:
		return errNoAuth
	case a.Mechanism != "":
		return fmt.Errorf("the server does not offer AUTH %s", strings.ToUpper(a.Mechanism))
	}
	return fmt.Errorf("none of the server's mechanisms is known: %s",
		shown(strings.Join(offered, " ")))
}

// newLink returns what there is to know of a connection.
func newLink(offered []string, state *tls.ConnectionState) link {
	return link{
		binding: channelBinding(state),
		plus: slices.ContainsFunc(offered, func(name string) bool {
			return strings.HasPrefix(name, "SCRAM-") && strings.HasSuffix(name, "-PLUS")
		}),
	}
}

// needsNothing is of EXTERNAL, which is for those who have nothing to show, or who want it.
func needsNothing(a *Auth) error {
	if a.Mechanism == "" && (a.User != "" || a.Password != "" || a.Token != "") {
		return errors.New("it is used by name, or without User, Password and Token")
	}
	return nil
}

func needsPassword(a *Auth) error {
	switch {
	case a.User == "":
		return errNeedsUser
	case a.Password == "":
		return errNeedsPass
	}
	return nil
}

// needsPasswordAlone is of mechanisms that know nobody but the user.
func needsPasswordAlone(a *Auth) error {
	err := needsPassword(a)
	if err == nil && a.Identity != "" && a.Identity != a.User {
		err = errIdentity
	}
	return err
}

func needsToken(a *Auth) error {
	if a.Token == "" {
		return errNeedsToken
	}
	return nil
}

func needsUserAndToken(a *Auth) error {
	err := needsToken(a)
	if err == nil && a.account() == "" {
		err = errNeedsUser
	}
	return err
}

// account is whose mail it is, where a mechanism has one name for everything.
func (a *Auth) account() string {
	if a.Identity != "" {
		return a.Identity
	}
	return a.User
}

// newExternal is EXTERNAL (RFC 4422, appendix A): the server knows already who it is, mostly from
// the certificate.
func newExternal(a *Auth, _ link) (sasl.Client, error) {
	return sasl.NewExternalClient(a.Identity), nil
}

// newPlain is PLAIN (RFC 4616). The names and the password go as they are written: the server is to
// prepare them for comparing, and one that does not do so would not know others.
func newPlain(a *Auth, _ link) (sasl.Client, error) {
	return sasl.NewPlainClient(a.Identity, a.User, a.Password), nil
}

// bounded is any mechanism's client, within bounds: neither side says too much, and nothing goes on
// after an error.
type bounded struct {
	name   string
	client sasl.Client
	err    error // the first one
}

// Start returns the mechanism's name, and what it says first.
func (b *bounded) Start() (name string, initial []byte, err error) {
	_, initial, err = b.client.Start()
	if err = b.keep(initial, err); err != nil {
		return "", nil, err
	}
	return b.name, initial, nil
}

// Next answers a challenge.
func (b *bounded) Next(challenge []byte) (response []byte, err error) {
	switch {
	case b.err != nil:
		return nil, b.err
	case len(challenge) > maxChallenge:
		err = errHuge
	default:
		response, err = b.client.Next(challenge)
	}
	if err = b.keep(response, err); err != nil {
		return nil, err
	}
	return response, nil
}

// keep keeps an error, of which a response that fits into no line is one.
func (b *bounded) keep(response []byte, err error) error {
	length := base64.StdEncoding.EncodedLen(len(response)) + len("\r\n")
	if err == nil && length > smtp.MaxAuthLine {
		err = errors.New("the response is too long")
	}
	if err != nil {
		b.err = err
	}
	return b.err
}

// done returns nil if the exchange was over, and the server had proved what it has to, when r came
// with which the server accepts.
func (b *bounded) done(r *smtp.Reply) error {
	c, ok := b.client.(interface{ done(r *smtp.Reply) error })
	if ok && b.err == nil {
		return b.keep(nil, c.done(r))
	}
	return b.err
}

// deaf reports whether the mechanism does not care what the server says.
func (b *bounded) deaf() bool {
	c, ok := b.client.(interface{ deaf() bool })
	return ok && c.deaf()
}

// explanation returns what the server said on why it will refuse, or nil if it did not.
func (b *bounded) explanation() error {
	if c, ok := b.client.(interface{ explanation() error }); ok {
		return c.explanation()
	}
	return nil
}

// shown returns text that came from elsewhere so that it can stand in an error.
func shown[T string | []byte](text T) string {
	if len(text) > maxShown {
		return strconv.Quote(string(text[:maxShown])) + "..."
	}
	return strconv.Quote(string(text))
}
