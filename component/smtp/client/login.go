package client

import (
	"github.com/emersion/go-sasl"

	"github.com/go-poe/poe/component/smtp"
)

// A login is the client's side of LOGIN, which no RFC describes. The server asks twice. In which
// words is its own affair, and many have others than "Username:" and "Password:": the first answer
// is the name, the second is the password.
type login struct {
	answers []string // that are still to be given
}

func newLogin(a *Auth, _ link) (sasl.Client, error) {
	return &login{answers: []string{a.User, a.Password}}, nil
}

// Start says nothing: the server speaks first.
func (c *login) Start() (name string, initial []byte, err error) { return "LOGIN", nil, nil }

// Next gives the next answer.
func (c *login) Next([]byte) (response []byte, err error) {
	if len(c.answers) == 0 {
		return nil, sasl.ErrUnexpectedServerChallenge
	}
	response = []byte(c.answers[0])
	c.answers = c.answers[1:]
	return response, nil
}

// deaf is true: each challenge is only the word to go on.
func (c *login) deaf() bool { return true }

func (c *login) done(*smtp.Reply) error {
	if len(c.answers) > 0 {
		return errEarly
	}
	return nil
}
