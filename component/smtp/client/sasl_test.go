package client_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/xdg-go/scram"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/component/smtp/client"
)

// accepted is the reply that ends an authentication.
var accepted = &smtp.Reply{Code: smtp.CodeAuthDone, Lines: []string{"Welcome"}}

var errDenied = errors.New("denied")

// authenticate lets a client talk to a server until either has had enough.
func authenticate(c sasl.Client, server sasl.Server) error {
	_, response, err := c.Start()
	if err != nil {
		return err
	}
	for {
		challenge, done, err := server.Next(bytes.Clone(response))
		switch {
		case err != nil:
			return err
		case done:
			reply := *accepted
			if challenge != nil {
				reply.Lines = []string{base64.StdEncoding.EncodeToString(challenge)}
			}
			return client.Done(c, &reply)
		}
		response, err = c.Next(bytes.Clone(challenge))
		if err != nil {
			return err
		}
	}
}

// choose returns the client of one mechanism, and expects that it can be used.
func choose(t *testing.T, a client.Auth, mechanism string, state *tls.ConnectionState) sasl.Client {
	t.Helper()
	name, c, err := client.Choose(&a, []string{mechanism}, state, true)
	if err != nil || name != mechanism {
		t.Fatalf("choose gave %q, %v, want %s", name, err, mechanism)
	}
	return c
}

// handshake returns what both ends of a connection with TLS know of it.
func handshake(t testing.TB, version uint16) (ours, theirs *tls.ConnectionState) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	server := tls.Server(far, &tls.Config{
		Certificates:           []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		MaxVersion:             version,
		SessionTicketsDisabled: true, // nobody would read the ticket
	})
	failed := make(chan error, 1)
	go func() { failed <- server.Handshake() }()
	c := tls.Client(near, &tls.Config{InsecureSkipVerify: true})
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	our, their := c.ConnectionState(), server.ConnectionState()
	return &our, &their
}

var (
	password = client.Auth{User: "tim", Password: "tanstaaf"}
	token    = client.Auth{User: "tim", Token: "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="}
)

func with(a client.Auth, change func(a *client.Auth)) *client.Auth {
	change(&a)
	return &a
}

func TestChoose(t *testing.T) {
	secure, _ := handshake(t, tls.VersionTLS13)
	both := with(password, func(a *client.Auth) { a.Token = token.Token })
	cleartext := with(password, func(a *client.Auth) { a.Cleartext = true })
	identity := with(password, func(a *client.Auth) { a.Identity = "root" })
	odd := with(password, func(a *client.Auth) { a.Password = "a\u0007b" })
	named := func(name string) *client.Auth {
		return with(*both, func(a *client.Auth) { a.Mechanism = name })
	}
	all := strings.Join(client.Mechanisms(), " ")
	const scrams = "SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS"
	for _, test := range []struct {
		name    string
		auth    *client.Auth
		offered string
		where   string // tls, plain or local
		want    string // the mechanism, or part of the error
	}{
		{"all", &password, all, "tls", "SCRAM-SHA-256-PLUS"},
		{"all, without TLS", &password, all, "plain", "SCRAM-SHA-256"},
		{"all, here", &password, all, "local", "SCRAM-SHA-256"},
		{"any order", &password, scrams, "tls", "SCRAM-SHA-256-PLUS"},
		{"binding before hash", &password, "SCRAM-SHA-256 SCRAM-SHA-1-PLUS", "tls",
			"SCRAM-SHA-1-PLUS"},
		{"SCRAM-SHA-1", &password, "PLAIN CRAM-MD5 SCRAM-SHA-1", "tls", "SCRAM-SHA-1"},
		{"CRAM-MD5", &password, "LOGIN PLAIN CRAM-MD5", "plain", "CRAM-MD5"},
		{"PLAIN", &password, "LOGIN PLAIN", "tls", "PLAIN"},
		{"LOGIN", &password, "LOGIN", "tls", "LOGIN"},
		{"a binding that cannot be", &password, "SCRAM-SHA-256-PLUS", "plain",
			"AUTH SCRAM-SHA-256-PLUS: the connection has nothing"},

		{"a token", &token, all, "tls", "OAUTHBEARER"},
		{"a token, older", &token, "XOAUTH2 PLAIN", "tls", "XOAUTH2"},
		{"a token, but", &token, "PLAIN LOGIN", "tls", "AUTH LOGIN: it needs a Password"},
		{"a token without a user", &client.Auth{Token: "t"}, "XOAUTH2 OAUTHBEARER", "tls",
			"OAUTHBEARER"},
		{"a token without the user", &client.Auth{Token: "t"}, "XOAUTH2", "tls",
			"AUTH XOAUTH2: it needs a User"},
		{"a token and a password", both, "XOAUTH2 PLAIN", "tls", "XOAUTH2"},
		{"a password and a token", both, "XOAUTH2 CRAM-MD5 SCRAM-SHA-1", "tls", "SCRAM-SHA-1"},
		{"no token", &password, "XOAUTH2 OAUTHBEARER", "tls", "AUTH XOAUTH2: it needs a Token"},

		{"nothing", &client.Auth{}, all, "tls", "EXTERNAL"},
		{"an identity", &client.Auth{Identity: "root"}, "PLAIN EXTERNAL", "tls", "EXTERNAL"},
		{"nothing, but", &client.Auth{}, "PLAIN", "tls", "AUTH PLAIN: it needs a User"},
		{"a password, but", &password, "EXTERNAL", "tls", "AUTH EXTERNAL: it is used by name"},

		{"another's", identity, "CRAM-MD5 LOGIN PLAIN", "tls", "PLAIN"},
		{"another's, but", identity, "CRAM-MD5", "tls", "AUTH CRAM-MD5: it cannot carry"},
		{"one's own", with(password, func(a *client.Auth) { a.Identity = "tim" }), "CRAM-MD5",
			"tls", "CRAM-MD5"},
		{"not for SCRAM", odd, scrams + " PLAIN", "tls", "PLAIN"},
		{"not for SCRAM, but", odd, "SCRAM-SHA-1", "tls", "AUTH SCRAM-SHA-1: a name or the Pass"},

		{"readable PLAIN", &password, "PLAIN LOGIN XOAUTH2", "plain",
			"AUTH PLAIN: whoever listens"},
		{"readable LOGIN", &password, "LOGIN", "plain", "AUTH LOGIN: whoever listens"},
		{"readable XOAUTH2", &token, "XOAUTH2", "plain", "AUTH XOAUTH2: whoever listens"},
		{"readable OAUTHBEARER", &token, "OAUTHBEARER", "plain", "AUTH OAUTHBEARER: whoever"},
		{"readable, named", named("plain"), "PLAIN", "plain", "AUTH PLAIN: whoever listens"},
		{"readable here", &password, "PLAIN", "local", "PLAIN"},
		{"Cleartext", cleartext, "PLAIN", "plain", "PLAIN"},

		{"named", named("cram-md5"), all, "tls", "CRAM-MD5"},
		{"named EXTERNAL", named("external"), all, "tls", "EXTERNAL"},
		{"named SCRAM", named("Scram-SHA-256"), all, "tls", "SCRAM-SHA-256"},
		{"named, not offered", named("login"), "PLAIN", "tls",
			"the server does not offer AUTH LOGIN"},
		{"named, not known", named("GSSAPI"), "GSSAPI", "tls", "does not offer AUTH GSSAPI"},

		{"nothing offered", &password, "", "tls", "the server does not offer AUTH"},
		{"nothing known", &password, "GSSAPI NTLM", "tls", `is known: "GSSAPI NTLM"`},
		{"nothing known, at length", &password, strings.Repeat("X-X ", 1000), "tls", `X-X "...`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var state *tls.ConnectionState
			if test.where == "tls" {
				state = secure
			}
			offered := strings.Fields(test.offered)
			name, c, err := client.Choose(test.auth, offered, state, test.where == "local")
			if err != nil {
				expected := strings.Contains(test.want, " ") // no name of a mechanism has one
				if !expected || !strings.Contains(err.Error(), test.want) || name != "" || c != nil {
					t.Errorf("got %q, %v, %v, want %s", name, c, err, test.want)
				}
				listens := strings.Contains(test.want, "whoever")
				if errors.Is(err, client.ErrCleartext) != listens || len(err.Error()) > 300 {
					t.Errorf("got %q", err)
				}
				return
			}
			started, _, err := c.Start()
			if name != test.want || started != name || err != nil {
				t.Errorf("got %q, which starts as %q, %v, want %s", name, started, err, test.want)
			}
		})
	}
}

// There is a name in the documentation for each mechanism, and the order is the one that it gives.
func TestMechanisms(t *testing.T) {
	want := []string{
		"EXTERNAL", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1",
		"OAUTHBEARER", "XOAUTH2", "CRAM-MD5", "PLAIN", "LOGIN",
	}
	if got := client.Mechanisms(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCheckAuth(t *testing.T) {
	named := func(name string, a client.Auth) *client.Auth {
		a.Mechanism = name
		return &a
	}
	for _, test := range []struct {
		auth *client.Auth
		want string // part of the error; empty means none
	}{
		{nil, ""},
		{&client.Auth{}, ""},
		{&password, ""},
		{&token, ""},
		{&client.Auth{Token: "t"}, ""},
		{named("plain", password), ""},
		{named("external", password), ""},
		{named("XOAUTH2", token), ""},
		{&client.Auth{User: "tim", Password: "tab\tand \u2603"}, ""},

		{&client.Auth{User: "tim"}, "it needs a User with a Password, or a Token"},
		{&client.Auth{Password: "tanstaaf"}, "it needs a User with a Password, or a Token"},
		{named("plain", token), "PLAIN: it needs a Password"},
		{named("LOGIN", client.Auth{}), "LOGIN: it needs a User"},
		{named("OAUTHBEARER", password), "OAUTHBEARER: it needs a Token"},
		{named("XOAUTH2", client.Auth{Token: "t"}), "XOAUTH2: it needs a User"},
		{named("GSSAPI", password), `the Mechanism "GSSAPI" is not known`},
		{named("PLAIN\r\nRSET", password), `the Mechanism "PLAIN\r\nRSET" is not known`},
		{named("PLAIN ", password), `the Mechanism "PLAIN " is not known`},
		{named("SCRAM-SHA-1", client.Auth{User: "tim", Password: "a\u0627b"}), "SASLprep"},
		{named("CRAM-MD5", client.Auth{User: "tim", Password: "x", Identity: "root"}),
			"CRAM-MD5: it cannot carry an Identity"},

		{&client.Auth{User: "tim\r", Password: "x"}, "the User has a control character"},
		{&client.Auth{User: "tim\x00", Password: "x"}, "the User has a control character"},
		{&client.Auth{User: "tim\x01", Token: "x"}, "the User has a control character"},
		{&client.Auth{User: "tim", Identity: "a\n", Password: "x"}, "the Identity has a control"},
		{&client.Auth{User: "tim", Password: "x\r"}, "the Password has CR, LF or NUL"},
		{&client.Auth{User: "tim", Password: "\nx"}, "the Password has CR, LF or NUL"},
		{&client.Auth{User: "tim", Password: "x\x00y"}, "the Password has CR, LF or NUL"},
		{&client.Auth{Token: "x\x01auth=Bearer y"}, "the Token has a character"},
		{&client.Auth{Token: "x y"}, "the Token has a character"},
		{&client.Auth{Token: "\u2603"}, "the Token has a character"},
		{&client.Auth{Token: "\xff"}, "the Token has a character"},
	} {
		err := client.Check(test.auth)
		if test.want == "" {
			if err != nil {
				t.Errorf("check of %+v: %v", test.auth, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("check of %+v: got %v, want %s", test.auth, err, test.want)
		}
		for _, secret := range []string{"tanstaaf", "\u0627", "x\r", "auth="} {
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("%q tells a secret", err)
			}
		}
	}
}

// What each mechanism says first, after RFC 4616, section 4, and RFC 4422, appendix A.
func TestInitialResponse(t *testing.T) {
	const vF9 = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="
	for _, test := range []struct {
		mechanism string
		auth      client.Auth
		want      string
	}{
		{"PLAIN", client.Auth{User: "tim", Password: "tanstaaftanstaaf"},
			"\x00tim\x00tanstaaftanstaaf"},
		{"PLAIN", client.Auth{Identity: "Ursel", User: "Kurt", Password: "xipj3plmq"},
			"Ursel\x00Kurt\x00xipj3plmq"},
		{"PLAIN", client.Auth{User: "\ufb01n", Password: "\u00a0"}, "\x00\ufb01n\x00\u00a0"},
		{"EXTERNAL", client.Auth{}, ""},
		{"EXTERNAL", client.Auth{Identity: "fred@example.com"}, "fred@example.com"},
		{"OAUTHBEARER", client.Auth{User: "user@example.com", Token: vF9},
			"n,a=user@example.com,\x01auth=Bearer " + vF9 + "\x01\x01"},
		{"OAUTHBEARER", client.Auth{Token: vF9}, "n,,\x01auth=Bearer " + vF9 + "\x01\x01"},
		{"OAUTHBEARER", client.Auth{User: "a=b,c", Token: vF9},
			"n,a=a=3Db=2Cc,\x01auth=Bearer " + vF9 + "\x01\x01"},
		{"OAUTHBEARER", client.Auth{User: "me", Identity: "you", Token: vF9},
			"n,a=you,\x01auth=Bearer " + vF9 + "\x01\x01"},
		{"XOAUTH2", client.Auth{User: "user@example.com", Token: vF9},
			"user=user@example.com\x01auth=Bearer " + vF9 + "\x01\x01"},
	} {
		c := choose(t, test.auth, test.mechanism, nil)
		_, got, err := c.Start()
		if err != nil || got == nil || string(got) != test.want {
			t.Errorf("%s starts with %q, %v, want %q", test.mechanism, got, err, test.want)
		}
	}
	for _, mechanism := range []string{"CRAM-MD5", "LOGIN"} {
		if _, got, err := choose(t, password, mechanism, nil).Start(); got != nil || err != nil {
			t.Errorf("%s starts with %q, %v, want nil", mechanism, got, err)
		}
	}
}

// What all is said at once is followed by nothing.
func TestNoChallenge(t *testing.T) {
	for mechanism, a := range map[string]client.Auth{"PLAIN": password, "EXTERNAL": {}} {
		c := choose(t, a, mechanism, nil)
		c.Start()
		response, err := c.Next(nil)
		if !errors.Is(err, sasl.ErrUnexpectedServerChallenge) || response != nil {
			t.Errorf("%s answered %q, %v", mechanism, response, err)
		}
		if client.Done(c, accepted) == nil {
			t.Errorf("%s is done after that", mechanism)
		}
		if err := client.Explanation(c); err != nil {
			t.Errorf("%s explains %v", mechanism, err)
		}
	}
}

func TestPlain(t *testing.T) {
	server := func() sasl.Server {
		return sasl.NewPlainServer(func(identity, user, pass string) error {
			if identity != "root" || user != password.User || pass != password.Password {
				return errDenied
			}
			return nil
		})
	}
	a := with(password, func(a *client.Auth) { a.Identity = "root" })
	if err := authenticate(choose(t, *a, "PLAIN", nil), server()); err != nil {
		t.Error(err)
	}
	a.Password = "guess"
	if err := authenticate(choose(t, *a, "PLAIN", nil), server()); err != errDenied {
		t.Errorf("got %v, want %v", err, errDenied)
	}
}

func TestExternal(t *testing.T) {
	server := sasl.NewExternalServer(func(identity string) error {
		if identity != "fred" {
			return errDenied
		}
		return nil
	})
	c := choose(t, client.Auth{Identity: "fred"}, "EXTERNAL", nil)
	if err := authenticate(c, server); err != nil {
		t.Error(err)
	}
}

// A response that fits into no line is none, wherever it would go.
func TestLongResponse(t *testing.T) {
	const fits = smtp.MaxAuthLine/4*3 - 3 // with CRLF
	for _, test := range []struct {
		octets int
		ok     bool
	}{{fits, true}, {fits + 1, false}} {
		secret := strings.Repeat("x", test.octets)
		c := choose(t, client.Auth{User: "tim", Password: secret[2+len("tim"):]}, "PLAIN", nil)
		_, initial, err := c.Start()
		if (err == nil) != test.ok || test.ok != (len(initial) == test.octets) {
			t.Errorf("PLAIN with %d octets gave %d, %v", test.octets, len(initial), err)
		}
		c = choose(t, client.Auth{User: "tim", Password: secret}, "LOGIN", nil)
		c.Start()
		c.Next(nil)
		response, err := c.Next(nil)
		if (err == nil) != test.ok || test.ok != (len(response) == test.octets) {
			t.Errorf("LOGIN with %d octets gave %d, %v", test.octets, len(response), err)
		}
	}
}

func TestLongChallenge(t *testing.T) {
	for _, mechanism := range []string{"CRAM-MD5", "LOGIN", "SCRAM-SHA-1", "PLAIN"} {
		c := choose(t, password, mechanism, nil)
		c.Start()
		response, err := c.Next(make([]byte, client.MaxChallenge+1))
		if !errors.Is(err, client.ErrHuge) || response != nil {
			t.Errorf("%s answered %d octets, %v", mechanism, len(response), err)
		}
	}
}

// FuzzChallenges plays a server that says anything at all. Whatever it says, what the client
// answers fits into a line, an error is the last word, and no server that does not know the
// password passes for one that does.
func FuzzChallenges(f *testing.F) {
	const nonce = "nonce"
	f.Add(uint8(0), []byte("r=noncex,s=QUFB,i=4096"), []byte("v=QUFB"), []byte("dj1RVUZC"))
	f.Add(uint8(0), []byte("r=noncex,s=QUFB,i=1000000000"), []byte("v="), []byte("dj0="))
	f.Add(uint8(0), []byte("e=x"), []byte("v="), []byte("dj0="))
	for i := range client.Mechanisms() {
		f.Add(uint8(i+1), []byte("Username:"), []byte(""), []byte("Welcome"))
	}
	secure, _ := handshake(f, tls.VersionTLS13)
	both := with(password, func(a *client.Auth) { a.Token = token.Token })
	f.Fuzz(func(t *testing.T, which uint8, first, second, last []byte) {
		c := client.NewSCRAM(scram.SHA1, "tim", "tanstaaf", nonce)
		name := "SCRAM"
		if which > 0 {
			names := client.Mechanisms()
			name = names[int(which)%len(names)]
			a := *both
			a.Mechanism = name
			var err error
			if _, c, err = client.Choose(&a, names, secure, false); err != nil {
				t.Fatal(err)
			}
		}
		c.Start()
		var failed error
		for _, challenge := range [][]byte{first, second, last} {
			response, err := c.Next(challenge)
			switch {
			case failed != nil && err != failed:
				t.Fatalf("%s: %v after %v", name, err, failed)
			case (err == nil) != (response != nil), len(response) > client.MaxChallenge:
				t.Fatalf("%s: %d octets, %v", name, len(response), err)
			}
			failed = err
		}
		err := client.Done(c, &smtp.Reply{Code: smtp.CodeAuthDone, Lines: []string{string(last)}})
		if err == nil && (failed != nil || strings.HasPrefix(name, "SCRAM")) {
			t.Fatalf("%s is done after %v", name, failed)
		}
	})
}
