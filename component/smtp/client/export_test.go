package client

import (
	"github.com/emersion/go-sasl"
	"github.com/xdg-go/scram"

	"github.com/go-poe/poe/component/smtp"
)

// What tests see of authentication.
const (
	MaxChallenge  = maxChallenge
	MinIterations = minIterations
	MaxIterations = maxIterations
)

var (
	Check          = (*Auth).check
	Choose         = (*Auth).choose
	ErrCleartext   = errCleartext
	ErrEarly       = errEarly
	ErrHuge        = errHuge
	ErrServerFirst = errServerFirst
	ErrUnproved    = errUnproved
)

// Mechanisms returns the names of all mechanisms, the strongest first.
func Mechanisms() []string {
	var names []string
	for _, m := range mechanisms {
		names = append(names, m.name)
	}
	return names
}

// Done asks a client whether the exchange was over when r came.
func Done(c sasl.Client, r *smtp.Reply) error { return c.(*bounded).done(r) }

// Explanation asks a client what the server said.
func Explanation(c sasl.Client) error { return c.(*bounded).explanation() }

// NewSCRAM is a client whose nonce is known.
func NewSCRAM(hash scram.HashGeneratorFcn, user, password, nonce string) sasl.Client {
	c, err := prepared(hash, &Auth{User: user, Password: password})
	if err != nil {
		panic(err)
	}
	c.WithNonceGenerator(func() string { return nonce })
	return &bounded{name: "SCRAM", client: &scramClient{talk: c.NewConversation()}}
}

// Survey and IsASCII are what is looked for in a text before it is sent.
var (
	Survey  = survey
	IsASCII = isASCII
)
