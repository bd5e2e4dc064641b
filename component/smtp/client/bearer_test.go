package client_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/emersion/go-sasl"

	"github.com/go-poe/poe/component/smtp/client"
)

func TestOAuthBearer(t *testing.T) {
	server := func() sasl.Server {
		return sasl.NewOAuthBearerServer(func(o sasl.OAuthBearerOptions) *sasl.OAuthBearerError {
			if o.Username != token.User || o.Token != token.Token {
				return &sasl.OAuthBearerError{Status: "invalid_token", Schemes: "bearer"}
			}
			return nil
		})
	}
	c := choose(t, token, "OAUTHBEARER", nil)
	if err := authenticate(c, server()); err != nil {
		t.Error(err)
	}
	if err := client.Explanation(c); err != nil {
		t.Errorf("after success: %v", err)
	}

	c = choose(t, client.Auth{User: "tim", Token: "stale"}, "OAUTHBEARER", nil)
	err := authenticate(c, server())
	var refused *sasl.OAuthBearerError
	if !errors.As(err, &refused) {
		t.Errorf("got %v, want the server's own error", err)
	}
	why := client.Explanation(c)
	if why == nil || !strings.Contains(why.Error(), `\"status\":\"invalid_token\"`) {
		t.Errorf("got %v, want the server's explanation", why)
	}
}

// The server explains, the client says that it understood, and the server refuses: RFC 7628,
// section 4.3.
func TestTokenRefused(t *testing.T) {
	const why = `{"status":"invalid_token","schemes":"bearer mac","scope":"https://mail.example/"}`
	for mechanism, yes := range map[string]string{"OAUTHBEARER": "\x01", "XOAUTH2": ""} {
		for challenge, want := range map[string]string{
			why:                         `does not like the token: "{\"status\":\"invalid_token\"`,
			"":                          "does not like the token",
			"\x1b[2J\r\n":               `"\x1b[2J\r\n"`,
			strings.Repeat("why ", 999): `why "...`,
		} {
			c := choose(t, token, mechanism, nil)
			c.Start()
			got, err := c.Next([]byte(challenge))
			if err != nil || got == nil || string(got) != yes {
				t.Errorf("%s answered %q, %v, want %q", mechanism, got, err, yes)
			}
			err = client.Explanation(c)
			if err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 400 {
				t.Errorf("%s explains %v, want %s", mechanism, err, want)
			}
			if err := client.Done(c, accepted); err == nil {
				t.Errorf("%s is done although the server had reasons", mechanism)
			}
		}
		c := choose(t, token, mechanism, nil)
		c.Start()
		c.Next([]byte(why))
		if got, err := c.Next([]byte(why)); !errors.Is(err, errUnexpected) || got != nil {
			t.Errorf("%s answered %q, %v to what came again", mechanism, got, err)
		}
	}
}
