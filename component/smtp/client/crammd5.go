package client

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"

	"github.com/emersion/go-sasl"

	"github.com/go-poe/poe/component/smtp"
)

// A cramMD5 is the client's side of CRAM-MD5 (RFC 2195).
type cramMD5 struct {
	user, password string
	answered       bool
}

func newCRAMMD5(a *Auth, _ link) (sasl.Client, error) {
	return &cramMD5{user: a.User, password: a.Password}, nil
}

// Start says nothing: the server speaks first.
func (c *cramMD5) Start() (name string, initial []byte, err error) { return "CRAM-MD5", nil, nil }

// Next shows that the client knows the password.
func (c *cramMD5) Next(challenge []byte) (response []byte, err error) {
	// What is the same for everybody who has the password is not worth its name.
	if c.answered || len(challenge) == 0 {
		return nil, sasl.ErrUnexpectedServerChallenge
	}
	c.answered = true
	mac := hmac.New(md5.New, []byte(c.password))
	mac.Write(challenge)
	return hex.AppendEncode([]byte(c.user+" "), mac.Sum(nil)), nil
}

func (c *cramMD5) done(*smtp.Reply) error {
	if !c.answered {
		return errEarly
	}
	return nil
}
