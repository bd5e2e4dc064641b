package client_test

import (
	"errors"
	"testing"

	"github.com/go-poe/poe/component/smtp/client"
)

func TestLogin(t *testing.T) {
	for _, words := range [][2]string{
		{"Username:", "Password:"},
		{"User Name\x00", "Password\x00"},
		{"Benutzername:", "Kennwort:"},
		{"Password:", "Username:"},
		{"", ""},
	} {
		c := choose(t, password, "LOGIN", nil)
		c.Start()
		for i, want := range []string{password.User, password.Password} {
			got, err := c.Next([]byte(words[i]))
			if err != nil || string(got) != want {
				t.Errorf("to %q: got %q, %v, want %q", words[i], got, err, want)
			}
		}
		if err := client.Done(c, accepted); err != nil {
			t.Errorf("after %q: done: %v", words, err)
		}
		if got, err := c.Next([]byte(words[1])); !errors.Is(err, errUnexpected) || got != nil {
			t.Errorf("to a third: got %q, %v, want %v", got, err, errUnexpected)
		}
	}
}

func TestLoginEarly(t *testing.T) {
	for challenges := range 2 {
		c := choose(t, password, "LOGIN", nil)
		c.Start()
		for range challenges {
			c.Next(nil)
		}
		if err := client.Done(c, accepted); !errors.Is(err, client.ErrEarly) {
			t.Errorf("after %d challenges: got %v, want %v", challenges, err, client.ErrEarly)
		}
	}
}
