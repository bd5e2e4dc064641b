package client_test

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/xdg-go/scram"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/component/smtp/client"
)

// A vector is an exchange in which the user is "user" and the password "pencil".
type vector struct {
	hash                       scram.HashGeneratorFcn
	nonce, first, answer, last string
}

// The examples of RFC 5802, section 5, and RFC 7677, section 3.
var (
	sha1Vector = vector{
		scram.SHA1, "fyko+d2lbbFgONRv9qkxdawL",
		"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
		"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
		"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
	}
	sha256Vector = vector{
		scram.SHA256, "rOprNGfwEbeRWgbNEkqO",
		"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0," +
			"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
		"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
	}
)

// start returns a client that has said its first message.
func (v vector) start() sasl.Client {
	c := client.NewSCRAM(v.hash, "user", "pencil", v.nonce)
	c.Start()
	return c
}

// answered returns a client that has shown that it knows the password.
func (v vector) answered(t *testing.T) sasl.Client {
	t.Helper()
	c := v.start()
	got, err := c.Next([]byte(v.first))
	if err != nil || string(got) != v.answer {
		t.Fatalf("got %q, %v, want %q", got, err, v.answer)
	}
	return c
}

func TestSCRAMVectors(t *testing.T) {
	for _, v := range []vector{sha1Vector, sha256Vector} {
		_, initial, err := client.NewSCRAM(v.hash, "user", "pencil", v.nonce).Start()
		if want := "n,,n=user,r=" + v.nonce; err != nil || string(initial) != want {
			t.Errorf("got %q, %v, want %q", initial, err, want)
		}
		c := v.answered(t)
		if got, err := c.Next([]byte(v.last)); err != nil || got == nil || len(got) > 0 {
			t.Errorf("got %q, %v, want an empty response", got, err)
		}
		if err := client.Done(c, accepted); err != nil {
			t.Error(err)
		}
		if got, err := c.Next([]byte(v.last)); !errors.Is(err, errUnexpected) || got != nil {
			t.Errorf("got %q, %v for what came again, want %v", got, err, errUnexpected)
		}
	}
}

// The proof may also come with the reply that accepts.
func TestSCRAMProofInReply(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString
	proof, wrong := encoded([]byte(sha1Vector.last)), encoded([]byte(sha256Vector.last))
	for _, test := range []struct {
		lines []string
		ok    bool
	}{
		{[]string{proof}, true},
		{[]string{"2.7.0 " + proof + " Welcome"}, true},
		{[]string{"Welcome", proof}, true},
		{[]string{wrong, proof}, false},
		{[]string{encoded([]byte("v="))}, false},
		{[]string{sha1Vector.last}, false},
		{[]string{"Welcome"}, false},
		{[]string{""}, false},
		{nil, false},
	} {
		r := &smtp.Reply{Code: smtp.CodeAuthDone, Lines: test.lines}
		if err := client.Done(sha1Vector.answered(t), r); (err == nil) != test.ok {
			t.Errorf("with %q: got %v", test.lines, err)
		}
		if err := client.Done(sha1Vector.start(), r); !errors.Is(err, client.ErrUnproved) {
			t.Errorf("with %q before the challenge: got %v, want %v",
				test.lines, err, client.ErrUnproved)
		}
	}
}

// A server whose first message is not right gets no answer, and cannot prove anything later: not
// even with an empty signature, which is what the client would compare it with.
func TestSCRAMFirstMessage(t *testing.T) {
	nonce := sha1Vector.nonce
	for _, test := range []struct{ first, want string }{
		{"", "malformed"},
		{"r=" + nonce + "x,s=QUFB", "malformed"},
		{"r=" + nonce + "x,i=4096,s=QUFB", "salt"},
		{"r=" + nonce + "x,s=,i=4096", "salt"},
		{"r=" + nonce + "x,s=!,i=4096", "malformed"},
		{"r=" + nonce + ",s=QUFB,i=4096", "nonce"},
		{"r=" + nonce[1:] + "x,s=QUFB,i=4096", "nonce"},
		{"r=,s=QUFB,i=4096", "nonce"},
		{"m=x,r=" + nonce + "x,s=QUFB,i=4096", "nonce"},
		{"r=" + nonce + "x,s=QUFB,i=", "iterations"},
		{"r=" + nonce + "x,s=QUFB,i=-4096", "iterations"},
		{"r=" + nonce + "x,s=QUFB,i=+4096", "iterations"},
		{"r=" + nonce + "x,s=QUFB,i=0x1000", "iterations"},
		{"r=" + nonce + "x,s=QUFB,i=0", "asks for 0 iterations"},
		{"r=" + nonce + "x,s=QUFB,i=4095", "asks for 4095 iterations"},
		{"r=" + nonce + "x,s=QUFB,i=100001", "asks for 100001 iterations"},
		{"r=" + nonce + "x,s=QUFB,i=2147483648", "asks for 2147483648 iterations"},
		{"r=" + nonce + "x,s=QUFB,i=99999999999999999999", "iterations"},
		{"e=unknown-user", `the server refused: "unknown-user"`},
		{"e=\r\n" + strings.Repeat("x", 1000), `the server refused: "\r\nxxx`},
		{"r=" + nonce + "x,s=" + strings.Repeat("\x1b", 1000) + ",i=4096", "malformed"},
	} {
		c := sha1Vector.start()
		got, err := c.Next([]byte(test.first))
		if err == nil || got != nil || !strings.Contains(err.Error(), test.want) ||
			len(err.Error()) > 1200 || strings.ContainsAny(err.Error(), "\x1b\r\n") {
			t.Errorf("to %.60q: got %q, %v, want %s", test.first, got, err, test.want)
		}
		if got, again := c.Next([]byte("v=")); again != err || got != nil {
			t.Errorf("after %.60q: got %q, %v, want %v", test.first, got, again, err)
		}
		if client.Done(c, accepted) == nil {
			t.Errorf("done after %.60q", test.first)
		}
	}
}

func TestSCRAMIterations(t *testing.T) {
	for _, n := range []int{client.MinIterations, client.MaxIterations} {
		first := fmt.Sprintf("r=%sx,s=QUFB,i=%d", sha1Vector.nonce, n)
		if _, err := sha1Vector.start().Next([]byte(first)); err != nil {
			t.Errorf("%d iterations: %v", n, err)
		}
	}
}

// A server that does not know the password is not believed, however it puts it.
func TestSCRAMWrongProof(t *testing.T) {
	for _, last := range []string{
		sha256Vector.last, "v=", "v=!", "v=rmF9pqV8S7suAoZWja4dJRkFsKU=", "", "x=1",
		sha1Vector.first, "e=other-error", "e=", "\x00", strings.ToUpper(sha1Vector.last),
	} {
		c := sha1Vector.answered(t)
		if got, err := c.Next([]byte(last)); err == nil || got != nil {
			t.Errorf("to %q: got %q, %v", last, got, err)
		}
		if _, err := c.Next([]byte(sha1Vector.last)); err == nil {
			t.Errorf("after %q the right signature is taken", last)
		}
		if client.Done(c, accepted) == nil {
			t.Errorf("done after %q", last)
		}
	}
}

func TestSCRAMEarly(t *testing.T) {
	for _, c := range []sasl.Client{sha1Vector.start(), sha1Vector.answered(t)} {
		if err := client.Done(c, accepted); !errors.Is(err, client.ErrUnproved) {
			t.Errorf("got %v, want %v", err, client.ErrUnproved)
		}
	}
}

// A scramServer is a server that knows the user of password, whose last message comes in a
// challenge, or with the reply that accepts.
type scramServer struct {
	talk    *scram.ServerConversation
	inReply bool
	first   string // of the client
}

func newSCRAMServer(
	t *testing.T, hash scram.HashGeneratorFcn, secret string, binding scram.ChannelBinding,
) *scramServer {
	t.Helper()
	known, err := hash.NewClient(password.User, secret, "")
	if err != nil {
		t.Fatal(err)
	}
	factors := scram.KeyFactors{Salt: "salt", Iters: client.MinIterations}
	stored, err := known.GetStoredCredentialsWithError(factors)
	if err != nil {
		t.Fatal(err)
	}
	s, err := hash.NewServer(func(user string) (scram.StoredCredentials, error) {
		if user != password.User {
			return scram.StoredCredentials{}, errDenied
		}
		return stored, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if binding.IsSupported() {
		return &scramServer{talk: s.NewConversationWithChannelBinding(binding)}
	}
	return &scramServer{talk: s.NewConversation()}
}

// Next is of a sasl.Server.
func (s *scramServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if s.talk.Done() {
		return nil, true, nil
	}
	if s.first == "" {
		s.first = string(response)
	}
	said, err := s.talk.Step(string(response))
	return []byte(said), s.inReply && s.talk.Done(), err
}

func TestSCRAM(t *testing.T) {
	for mechanism, hash := range map[string]scram.HashGeneratorFcn{
		"SCRAM-SHA-1": scram.SHA1, "SCRAM-SHA-256": scram.SHA256,
	} {
		for _, inReply := range []bool{false, true} {
			server := newSCRAMServer(t, hash, password.Password, scram.ChannelBinding{})
			server.inReply = inReply
			a := with(password, func(a *client.Auth) { a.Identity = "a=b,c" })
			if err := authenticate(choose(t, *a, mechanism, nil), server); err != nil {
				t.Errorf("%s, in the reply %v: %v", mechanism, inReply, err)
			}
			if got := server.talk.AuthzID(); got != a.Identity {
				t.Errorf("%s: the identity is %q, want %q", mechanism, got, a.Identity)
			}
			server = newSCRAMServer(t, hash, "guess", scram.ChannelBinding{})
			if authenticate(choose(t, password, mechanism, nil), server) == nil {
				t.Errorf("%s: a wrong password is right", mechanism)
			}
		}
	}
}

// What SASLprep makes of a password is what counts, and it may have characters that are newer.
func TestSCRAMPrepares(t *testing.T) {
	for _, test := range []struct{ ours, theirs string }{
		{"I\u00adX", "IX"}, // RFC 4013, section 3
		{"\u00aa", "a"},
		{"\u2168", "IX"},
		{"a\u00a0b", "a b"},
		{"e\u0301", "\u00e9"},
	} {
		server := newSCRAMServer(t, scram.SHA1, test.theirs, scram.ChannelBinding{})
		a := with(password, func(a *client.Auth) { a.Password = test.ours })
		if err := authenticate(choose(t, *a, "SCRAM-SHA-1", nil), server); err != nil {
			t.Errorf("%q for %q: %v", test.ours, test.theirs, err)
		}
	}
	for secret, ok := range map[string]bool{
		"\U0001f600": true, "\u0627\u0031": false, "\u0007": false, "\ufffd": false,
		"\xff": false, "\u00ad": false, "\ue000": false,
	} {
		a := client.Auth{Mechanism: "SCRAM-SHA-1", User: "tim", Password: secret}
		if err := client.Check(&a); (err == nil) != ok {
			t.Errorf("check of %q: %v", secret, err)
		}
	}
}

// A bound exchange succeeds with the server at the other end of the connection, and with no other.
func TestSCRAMBinding(t *testing.T) {
	ours13, theirs13 := handshake(t, tls.VersionTLS13)
	ours12, theirs12 := handshake(t, tls.VersionTLS12)
	_, another13 := handshake(t, tls.VersionTLS13)
	bare := *ours12 // of a session that was resumed
	bare.TLSUnique = nil

	exporter, err := scram.NewTLSExporterBinding(theirs13)
	if err != nil {
		t.Fatal(err)
	}
	other, err := scram.NewTLSExporterBinding(another13)
	if err != nil {
		t.Fatal(err)
	}
	endPoint, err := scram.NewTLSServerEndpointBinding(ours12) // only a client has a certificate
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name    string
		state   *tls.ConnectionState
		binding scram.ChannelBinding
		flag    string
		ok      bool
	}{
		{"TLS 1.3", ours13, exporter, "p=tls-exporter,,", true},
		{"TLS 1.2", ours12, scram.NewTLSUniqueBinding(theirs12.TLSUnique), "p=tls-unique,,", true},
		{"resumed", &bare, endPoint, "p=tls-server-end-point,,", true},
		{"two connections", ours13, other, "p=tls-exporter,,", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			for mechanism, hash := range map[string]scram.HashGeneratorFcn{
				"SCRAM-SHA-1-PLUS": scram.SHA1, "SCRAM-SHA-256-PLUS": scram.SHA256,
			} {
				server := newSCRAMServer(t, hash, password.Password, test.binding)
				err := authenticate(choose(t, password, mechanism, test.state), server)
				if (err == nil) != test.ok || !strings.HasPrefix(server.first, test.flag) {
					t.Errorf("%s: got %v after %q, want %s",
						mechanism, err, server.first, test.flag)
				}
			}
		})
	}
}

// Somebody who takes the bound mechanisms out of the server's offer is found out.
func TestSCRAMDowngrade(t *testing.T) {
	ours, theirs := handshake(t, tls.VersionTLS13)
	binding, err := scram.NewTLSExporterBinding(theirs)
	if err != nil {
		t.Fatal(err)
	}
	bare := *ours // with nothing that the connection could be bound to
	bare.Version, bare.PeerCertificates = tls.VersionTLS12, nil
	const cut, whole = "SCRAM-SHA-256", "SCRAM-SHA-256 SCRAM-SHA-256-PLUS"
	for _, test := range []struct {
		name    string
		offered string
		state   *tls.ConnectionState
		binding scram.ChannelBinding
		flag    string
		ok      bool
	}{
		{"the server cannot bind", cut, ours, scram.ChannelBinding{}, "y,,", true},
		{"the server can bind", cut, ours, binding, "y,,", false},
		{"named", whole, ours, binding, "n,,", true},
		{"without TLS", cut, nil, scram.ChannelBinding{}, "n,,", true},
		{"the client cannot bind", cut, &bare, scram.ChannelBinding{}, "n,,", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := with(password, func(a *client.Auth) { a.Mechanism = "SCRAM-SHA-256" })
			_, c, err := client.Choose(a, strings.Fields(test.offered), test.state, false)
			if err != nil {
				t.Fatal(err)
			}
			server := newSCRAMServer(t, scram.SHA256, password.Password, test.binding)
			err = authenticate(c, server)
			if (err == nil) != test.ok || !strings.HasPrefix(server.first, test.flag) {
				t.Errorf("got %v after %q, want %s", err, server.first, test.flag)
			}
		})
	}
}
