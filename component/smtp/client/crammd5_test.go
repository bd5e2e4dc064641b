package client_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/emersion/go-sasl"

	"github.com/go-poe/poe/component/smtp/client"
)

// The example of RFC 2195, section 2, and the cases 6 and 2 of RFC 2202, section 2: of a password
// that is longer than a block, and of one that is not.
func TestCRAMMD5(t *testing.T) {
	for _, test := range []struct{ user, password, challenge, want string }{
		{"tim", "tanstaaftanstaaf", "<1896.697170952@postoffice.reston.mci.net>",
			"tim b913a602c7eda7a495b4e6e7334d3890"},
		{"a b", strings.Repeat("\xaa", 80),
			"Test Using Larger Than Block-Size Key - Hash Key First",
			"a b 6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"},
		{"x", "Jefe", "what do ya want for nothing?", "x 750c783e6ab0b503eaa86e310a5db738"},
	} {
		a := client.Auth{User: test.user, Password: test.password}
		c := choose(t, a, "CRAM-MD5", nil)
		c.Start()
		got, err := c.Next([]byte(test.challenge))
		if err != nil || string(got) != test.want {
			t.Errorf("to %q: got %q, %v, want %q", test.challenge, got, err, test.want)
		}
		if err := client.Done(c, accepted); err != nil {
			t.Errorf("to %q: done: %v", test.challenge, err)
		}
		if _, err := c.Next([]byte(test.challenge)); !errors.Is(err, errUnexpected) {
			t.Errorf("to %q again: got %v, want %v", test.challenge, err, errUnexpected)
		}
		if err := client.Done(c, accepted); !errors.Is(err, errUnexpected) {
			t.Errorf("to %q again: done: %v, want %v", test.challenge, err, errUnexpected)
		}
	}
}

var errUnexpected = sasl.ErrUnexpectedServerChallenge

func TestCRAMMD5WithoutChallenge(t *testing.T) {
	c := choose(t, password, "CRAM-MD5", nil)
	c.Start()
	if err := client.Done(c, accepted); !errors.Is(err, client.ErrEarly) {
		t.Errorf("done before the challenge: got %v, want %v", err, client.ErrEarly)
	}
	c = choose(t, password, "CRAM-MD5", nil)
	c.Start()
	if response, err := c.Next(nil); !errors.Is(err, errUnexpected) || response != nil {
		t.Errorf("to nothing: got %q, %v, want %v", response, err, errUnexpected)
	}
}
