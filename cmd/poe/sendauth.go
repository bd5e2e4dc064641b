package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/go-poe/poe/component/smtp/client"
)

// passwordVariable is where the password is looked for if nobody says where it is.
const passwordVariable = "POE_AUTH_PASSWORD"

// maxSecret is the longest line in octets that a password or a token may have.
const maxSecret = 64 << 10

// credentials returns how to authenticate, or nil if that is not wanted.
func (w *wayFlags) credentials() (*client.Auth, error) {
	a := &client.Auth{
		Mechanism: strings.ToUpper(w.auth), Identity: w.identity, User: w.user,
		Cleartext: w.cleartext,
	}
	if w.user == "" {
		switch {
		case w.passwordFile != "" || w.password != "" || w.passwordEnv != "" || w.tokenFile != "":
			return nil, errors.New("a password, or a token, without --user")
		case a.Mechanism == "":
			return nil, nil
		case a.Mechanism != "EXTERNAL":
			return nil, fmt.Errorf("--auth %s without --user", a.Mechanism)
		}
		return a, nil
	}
	var err error
	switch {
	case w.tokenFile != "":
		a.Token, err = firstLine(w.tokenFile)
		if err == nil && a.Token == "" {
			err = failf(exitNoInput, "--token-file: there is no token in %s", w.tokenFile)
		}
	case a.Mechanism == "EXTERNAL":
	case a.Mechanism == "OAUTHBEARER" || a.Mechanism == "XOAUTH2":
		err = fmt.Errorf("--auth %s needs a token: --token-file", a.Mechanism)
	default:
		a.Password, err = w.secret()
	}
	return a, err
}

// secret returns the password, from the first of the places that is named.
func (w *wayFlags) secret() (string, error) {
	switch {
	case w.password != "":
		return w.password, nil
	case w.passwordFile != "":
		password, err := firstLine(w.passwordFile)
		if err == nil && password == "" {
			err = failf(exitNoInput, "--password-file: there is no password in %s", w.passwordFile)
		}
		return password, err
	case w.passwordEnv != "":
		if password := os.Getenv(w.passwordEnv); password != "" {
			return password, nil
		}
		return "", fmt.Errorf("--password-env: $%s is empty", w.passwordEnv)
	}
	if password := os.Getenv(passwordVariable); password != "" {
		return password, nil
	}
	return askPassword(w.user)
}

// firstLine returns the first line of a file that holds a secret.
func firstLine(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", fail(exitNoInput, err)
	}
	defer f.Close() // it was only read
	text, err := io.ReadAll(io.LimitReader(f, maxSecret))
	if err != nil {
		return "", fail(exitNoInput, err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSuffix(line, "\r"), nil
}

// askPassword asks the person at the terminal, who does not see what they type. Standard input may
// be the message, so it is not read.
func askPassword(user string) (string, error) {
	none := fmt.Errorf("--user without a password: name a --password-file or a "+
		"--password-env, or set $%s", passwordVariable)
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return "", none // nobody would see the question
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return "", none
	}
	defer tty.Close() // all is written
	// A terminal that is raw hands over a Ctrl-C, instead of ending a program that has to switch
	// the echo on again.
	before, err := term.MakeRaw(int(tty.Fd()))
	if err != nil {
		return "", none
	}
	password, err := term.NewTerminal(tty, "").ReadPassword("Password of " + printable(user) + ": ")
	if failed := term.Restore(int(tty.Fd()), before); err == nil {
		err = failed
	}
	switch {
	case errors.Is(err, io.EOF):
		return "", failf(exitInterrupted, "interrupted; nothing was sent")
	case err != nil:
		return "", fail(exitSoftware, err)
	case password == "":
		return "", errors.New("the password is empty")
	}
	return password, nil
}
