package client_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
	gomail "github.com/wneessen/go-mail"

	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
)

// built returns a message that the library has built.
func built(t *testing.T, attachment []byte) *gomail.Msg {
	t.Helper()
	m := gomail.NewMsg()
	for _, err := range []error{
		m.From("me@example.com"),
		m.To("you@example.org", "b@example.net"),
		m.AttachReader("data.bin", bytes.NewReader(attachment)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	m.Subject("Gr\u00fc\u00dfe")
	m.SetBodyString(gomail.TypeTextPlain, ".\nhello\n.dot\n"+strings.Repeat("x", 2000))
	m.AddAlternativeString(gomail.TypeTextHTML, "<p>hello</p>")
	return m
}

// delivered sends one message to a server that takes it, and returns what arrived.
func delivered(t *testing.T, m client.Message) string {
	t.Helper()
	p := newPlace(t, sim.Options{})
	mta := p.mta()
	m.ResultEvent = "result"
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { client.Send(e.Session, m) },
		"result": session.On(func(_ *kernel.Event, r *client.Result) {
			if !r.OK() {
				t.Errorf("failed: %v", r.Err)
			}
			mta.close()
		}),
	})
	p.run()
	if len(mta.messages) != 1 {
		t.Fatalf("%d messages", len(mta.messages))
	}
	return mta.messages[0]
}

// A message of go-mail goes in as it is, and arrives as go-mail writes it.
func TestGoMail(t *testing.T) {
	for _, length := range []int{10, 1_000_000} {
		built := built(t, bytes.Repeat([]byte{1}, length))
		m := message()
		m.Body, m.Source = nil, built
		got := delivered(t, m)
		var want bytes.Buffer
		if _, err := built.WriteTo(&want); err != nil {
			t.Fatal(err)
		}
		if got != want.String() {
			t.Errorf("%d octets arrived, want %d", len(got), want.Len())
		}
	}
}

// It may be signed, too: where it does not fit in memory, with the help of a file.
func TestGoMailSigned(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	public := base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
	t.Setenv("TMPDIR", t.TempDir())
	for _, length := range []int{10, 1_000_000} {
		m := message()
		m.Body, m.Source = nil, built(t, bytes.Repeat([]byte{1}, length))
		m.DKIM = &client.DKIM{Domain: "example.com", Selector: "s", Key: key}
		got := delivered(t, m)
		signatures, err := dkim.VerifyWithOptions(strings.NewReader(got), &dkim.VerifyOptions{
			LookupTXT: func(string) ([]string, error) {
				return []string{"v=DKIM1; k=ed25519; p=" + public}, nil
			},
		})
		if err != nil || len(signatures) != 1 || signatures[0].Err != nil {
			t.Errorf("%v %v", signatures, err)
		}
	}
}
