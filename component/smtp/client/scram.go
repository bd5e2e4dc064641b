package client

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/xdg-go/scram"
	"github.com/xdg-go/stringprep"

	"github.com/go-poe/poe/component/smtp"
)

// Limits on how often a server may ask to hash the password. The least is of RFC 7677, section 4.
// The most is decided by the time that it takes, since nothing else happens meanwhile: 100,000
// take some 20 ms, and four times as long on a processor without instructions for it.
const (
	minIterations = 4096
	maxIterations = 100_000
)

var (
	errUnproved    = errors.New("the server has not proved that it knows the password")
	errUnbound     = errors.New("the connection has nothing that it could be bound to")
	errServerFirst = errors.New("the server's first message is malformed")
	errUnusable    = errors.New("a name or the Password has characters that SASLprep forbids")
)

// A scramClient is the client's side of SCRAM (RFC 5802, RFC 7677).
type scramClient struct {
	talk    *scram.ClientConversation
	nonce   string // the client's
	expects scramMessage
	proved  bool // the server knows the password too
}

// A scramMessage is one that the server sends.
type scramMessage int

const (
	noMessage scramMessage = iota
	serverFirst
	serverFinal
)

// scramPlus makes SCRAM that is bound to the connection: somebody between the two ends, to whom
// both speak, cannot pass it on.
func scramPlus(hash scram.HashGeneratorFcn) func(*Auth, link) (sasl.Client, error) {
	return func(a *Auth, l link) (sasl.Client, error) {
		if !l.binding.IsSupported() {
			return nil, errUnbound
		}
		c, err := prepared(hash, a)
		if err != nil {
			return nil, err
		}
		return &scramClient{talk: c.NewConversationWithChannelBinding(l.binding)}, nil
	}
}

// scramAlone makes SCRAM that is not bound. If the client could do that, it says so, and a server
// that can do it as well learns that somebody has cut its offer short (RFC 5802, section 6).
func scramAlone(hash scram.HashGeneratorFcn) func(*Auth, link) (sasl.Client, error) {
	return func(a *Auth, l link) (sasl.Client, error) {
		c, err := prepared(hash, a)
		if err != nil {
			return nil, err
		}
		if l.binding.IsSupported() && !l.plus {
			return &scramClient{talk: c.NewConversationAdvertisingChannelBinding()}, nil
		}
		return &scramClient{talk: c.NewConversation()}, nil
	}
}

// prepared returns what SCRAM makes of a.
func prepared(hash scram.HashGeneratorFcn, a *Auth) (*scram.Client, error) {
	user, password, identity, err := a.prepare()
	if err != nil {
		return nil, err
	}
	c, err := hash.NewClientUnprepped(user, password, identity)
	if err != nil {
		return nil, err
	}
	return c.WithMinIterations(minIterations), nil
}

// channelBinding returns the one that is the default for the version of TLS (RFC 9266, RFC 5802),
// or that by the server's certificate if there is no such; zero if there is none at all.
func channelBinding(state *tls.ConnectionState) scram.ChannelBinding {
	if state == nil {
		return scram.ChannelBinding{}
	}
	if state.Version >= tls.VersionTLS13 {
		if b, err := scram.NewTLSExporterBinding(state); err == nil {
			return b
		}
	} else if len(state.TLSUnique) > 0 {
		return scram.NewTLSUniqueBinding(state.TLSUnique)
	}
	b, err := scram.NewTLSServerEndpointBinding(state)
	if err != nil {
		return scram.ChannelBinding{}
	}
	return b
}

// Start returns the client's first message, and of the name what all variants share.
func (c *scramClient) Start() (name string, initial []byte, err error) {
	first, err := c.talk.Step("")
	if err != nil {
		return "", nil, err
	}
	c.nonce = first[strings.LastIndex(first, "r=")+len("r="):]
	c.expects = serverFirst
	return "SCRAM", []byte(first), nil
}

// Next answers the server's first message, and makes sure of its last. Once something was wrong,
// nothing is right any more: a conversation that had not come to its end could take an empty
// signature for the server's.
func (c *scramClient) Next(challenge []byte) (response []byte, err error) {
	expected := c.expects
	c.expects = noMessage
	if why, ok := strings.CutPrefix(string(challenge), "e="); ok && expected != noMessage {
		return nil, fmt.Errorf("the server refused: %s", shown(why))
	}
	switch expected {
	case serverFirst:
		return c.answer(string(challenge))
	case serverFinal:
		return []byte{}, c.verify(string(challenge))
	}
	return nil, sasl.ErrUnexpectedServerChallenge
}

// answer shows the server that the client knows the password.
func (c *scramClient) answer(first string) ([]byte, error) {
	if err := c.checkFirst(first); err != nil {
		return nil, err
	}
	final, err := c.talk.Step(first)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", errServerFirst, shown(err.Error()))
	}
	c.expects = serverFinal
	return []byte(final), nil
}

// checkFirst returns what is wrong with the server's first message, of what the library would let
// pass: r=nonce,s=salt,i=iterations, and perhaps extensions.
func (c *scramClient) checkFirst(first string) error {
	fields := strings.Split(first, ",")
	if len(fields) < 3 {
		return errServerFirst
	}
	nonce, ok := strings.CutPrefix(fields[0], "r=")
	if !ok || len(nonce) <= len(c.nonce) || !strings.HasPrefix(nonce, c.nonce) {
		return fmt.Errorf("%w: its nonce does not extend the client's", errServerFirst)
	}
	salt, ok := strings.CutPrefix(fields[1], "s=")
	if !ok || salt == "" {
		return fmt.Errorf("%w: it has no salt", errServerFirst)
	}
	count, ok := strings.CutPrefix(fields[2], "i=")
	n, err := strconv.ParseUint(count, 10, 64)
	if !ok || err != nil && !errors.Is(err, strconv.ErrRange) {
		return fmt.Errorf("%w: it has no count of iterations", errServerFirst)
	}
	if n < minIterations || n > maxIterations {
		return fmt.Errorf("the server asks for %d iterations, and not for %d to %d",
			n, minIterations, maxIterations)
	}
	return nil
}

// verify makes sure that the server knows the password as well.
func (c *scramClient) verify(final string) error {
	_, err := c.talk.Step(final)
	if err != nil || !c.talk.Valid() {
		return errUnproved
	}
	c.proved = true
	return nil
}

// done returns nil if the server has proved that it knows the password. Its last message should
// have come in a challenge (RFC 4954, section 4), but some servers have it in the reply.
func (c *scramClient) done(r *smtp.Reply) error {
	for _, word := range strings.Fields(strings.Join(r.Lines, " ")) {
		if c.expects != serverFinal {
			break
		}
		final, err := base64.StdEncoding.DecodeString(word)
		if err == nil && strings.HasPrefix(string(final), "v=") {
			_, err = c.Next(final)
			return err
		}
	}
	if !c.proved {
		return errUnproved
	}
	return nil
}

// saslPrep is SASLprep (RFC 4013) for what is compared with something stored: characters that are
// newer than it pass.
var saslPrep = stringprep.Profile{
	Mappings:  stringprep.SASLprep.Mappings,
	Normalize: true,
	Prohibits: []stringprep.Set{
		stringprep.TableC1_2, stringprep.TableC2_1, stringprep.TableC2_2, stringprep.TableC3,
		stringprep.TableC4, stringprep.TableC5, stringprep.TableC6, stringprep.TableC7,
		stringprep.TableC8, stringprep.TableC9,
	},
	CheckBiDi: true,
}

// prepare returns the names and the password as SCRAM compares them.
func (a *Auth) prepare() (user, password, identity string, err error) {
	prepared := [3]string{a.User, a.Password, a.Identity}
	for i, s := range prepared {
		// The error says which character it is, and must not say so of a password.
		prepared[i], err = saslPrep.Prepare(s)
		if err != nil || prepared[i] == "" && s != "" {
			return "", "", "", errUnusable
		}
	}
	return prepared[0], prepared[1], prepared[2], nil
}

// needsPrepared is of mechanisms that compare names and passwords by what SASLprep makes of them.
func needsPrepared(a *Auth) error {
	err := needsPassword(a)
	if err == nil {
		_, _, _, err = a.prepare()
	}
	return err
}
