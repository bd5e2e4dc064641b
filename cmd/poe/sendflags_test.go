package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/component/smtp/client"
)

// parseWay parses flags.
func parseWay(t *testing.T, args ...string) *wayFlags {
	t.Helper()
	w := newWayFlags()
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, g := range w.groups() {
		f.AddFlagSet(g.flags)
	}
	if err := f.Parse(args); err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return w
}

// Each flag ends up in the message, or in the options of the client.
func TestTemplate(t *testing.T) {
	w := parseWay(t, "--server", "[::1]", "--port", "587", "--protocol", "LMTP", "--tls", "required",
		"--helo", "me.example", "--bind", "192.0.2.1", "--without", "CHUNKING,DSN", "--without", "SIZE",
		"--proxy", "192.0.2.1:1,198.51.100.1:25", "--proxy-version", "2", "--xclient",
		"ADDR=192.0.2.9 NAME=x", "--timeout", "1s", "--timeouts", "rfc,connect=2s,final=3s",
		"--deadline", "4s", "--dsn-ret", "hdrs", "--dsn-envid", "id", "--dsn-notify",
		"success,delay", "--requiretls", "--binary", "--all-or-nothing", "--user", "me", "--password",
		"secret", "--auth", "login", "--identity", "boss", "--cleartext", "--retry", "5",
		"--retry-after", "6s", "--rate", "7", "--connections", "8")
	got, err := w.template()
	if err != nil {
		t.Fatal(err)
	}
	timeouts := client.RFCTimeouts()
	timeouts.Connect, timeouts.Final = 2*time.Second, 3*time.Second
	want := client.Message{
		Server: "::1", Port: "587", Protocol: client.LMTP, TLS: client.Required,
		MyHostname: "me.example", BindAddress: "192.0.2.1", BindPort: "0",
		Without: []string{"CHUNKING", "DSN", "SIZE"},
		Proxy: &client.Proxy{
			Version: 2, Source: netip.MustParseAddrPort("192.0.2.1:1"),
			Destination: netip.MustParseAddrPort("198.51.100.1:25"),
		},
		XClient: []string{"ADDR=192.0.2.9", "NAME=x"}, Timeout: time.Second, Timeouts: timeouts,
		Deadline: 4 * time.Second, Return: smtp.ReturnHeaders, EnvelopeID: "id", RequireTLS: true,
		Binary: true, AllOrNothing: true,
		Auth: &client.Auth{
			Mechanism: "LOGIN", Identity: "boss", User: "me", Password: "secret", Cleartext: true,
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := w.address(&got, "", []string{"a", "b"}); err != nil || got.From != client.NullSender ||
		len(got.RcptParams) != 2 || got.RcptParams[1].Notify != smtp.NotifySuccess|smtp.NotifyDelay {
		t.Errorf("the envelope is %q and %v, %v", got.From, got.RcptParams, err)
	}
	if o := w.options(); o.Retry.Times != 5 || o.Retry.First != 6*time.Second || o.Rate != 7 ||
		o.MaxConnections != 8 || o.MaxDeliveries != 8 {
		t.Errorf("the options are %+v", o)
	}
}

// What is spoken at a port is known of one of them, unless it is said.
func TestPlace(t *testing.T) {
	for _, test := range []struct {
		args  []string
		mode  client.TLSMode
		place string
	}{
		{[]string{"-s", "h"}, "", "h:25"},
		{[]string{"-s", "h:465"}, client.Implicit, "h:465"},
		{[]string{"-s", "h", "--port", "submissions"}, client.Implicit, "h:submissions"},
		{[]string{"-s", "h:465", "--tls", "off"}, client.Off, "h:465"},
		{[]string{"-s", "h", "--tls", "implicit"}, client.Implicit, "h:465"},
		{[]string{"-s", "h", "--protocol", "lmtp"}, "", "h:24"},
		{[]string{"-s", "/run/lmtp"}, "", "/run/lmtp"},
		{[]string{"-s", "h:465", "--compat"}, "", "h:465"},
	} {
		m, err := parseWay(t, test.args...).template()
		if err != nil || m.TLS != test.mode || place(&m) != test.place {
			t.Errorf("%q: TLS is %q at %s, %v; want %q at %s", test.args, m.TLS, place(&m), err,
				test.mode, test.place)
		}
	}
}

// A DKIM key may be of several kinds. What is not one is named.
func TestDKIMKey(t *testing.T) {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, e, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	e8, err := x509.MarshalPKCS8PrivateKey(e)
	if err != nil {
		t.Fatal(err)
	}
	with := func(key string) *wayFlags {
		return parseWay(t, "-s", "h", "--dkim-domain", "d", "--dkim-selector", "s", "--dkim-key", key)
	}
	for kind, der := range map[string][]byte{
		"RSA PRIVATE KEY": x509.MarshalPKCS1PrivateKey(r), "PRIVATE KEY": e8,
	} {
		file := writeFile(t, "key", pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
		m, err := with(file).template()
		if err != nil || m.DKIM == nil || m.DKIM.Domain != "d" || m.DKIM.Selector != "s" ||
			m.DKIM.Key == nil {
			t.Errorf("%s: %+v, %v", kind, m.DKIM, err)
		}
	}
	for text, want := range map[string]string{
		"": "is not in PEM", "-----BEGIN X-----\nAAAA\n-----END X-----\n": "has no private key",
	} {
		_, err := with(writeFile(t, "key", []byte(text))).template()
		wantFailure(t, err, exitNoInput, want)
	}
}

// Flags that make no sense, alone or together, are refused.
func TestUsageOfSend(t *testing.T) {
	s := &testServer{addr: "localhost:25"}
	for _, test := range []struct{ args, text string }{
		{"--tls maybe", "must be off, opportunistic, required or implicit"},
		{"--protocol uucp", "must be smtp or lmtp"},
		{"--dsn-ret half", "must be full or hdrs"},
		{"--dsn-notify never,delay", "no other"},
		{"--dsn-notify soon", "soon"},
		{"--timeouts lunch=1h", "lunch"},
		{"--timeouts connect", "PHASE=TIME"},
		{"--timeouts connect=-1s", "above 0"},
		{"--port 26", "port 25"},
		{"--server h --port nothing", "nothing"},
		{"--bind a:b:c", "--bind"},
		{"--proxy here", "--proxy must be"},
		{"--proxy-version 3", "must be 1 or 2"},
		{"--key k", "--cert"},
		{"--tls off --insecure", "--tls off"},
		{"--dkim-domain d", "go together"},
		{"--deadline -1s", "--deadline"},
		{"--retry -1", "--retry"},
		{"--retry-after 0s", "--retry-after"},
		{"--rate -1", "--rate"},
		{"--connections 0", "--connections"},
		{"--token-file f", "--user"},
	} {
		poe("", sendArgs(s, strings.Fields(test.args)...)...).want(t, exitUsage, test.text)
	}
	for _, flag := range []string{"--ca", "--cert", "--dkim-domain=d --dkim-selector=s --dkim-key"} {
		args := append(strings.Fields(flag), "/no/such/file")
		poe("", sendArgs(s, args...)...).want(t, exitNoInput, "/no/such/file")
	}
	poe("", sendArgs(s, "--ca", writeFile(t, "ca", nil))...).want(t, exitNoInput, "no certificate")
}

// The messages of a mailbox file are found wherever they begin, and one that is none is one message.
func TestMailboxParts(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for _, test := range []struct {
		in   string
		want []string
	}{
		{"Subject: x\n\nFrom y\n", nil},
		{"", nil},
		{"From a\n", []string{""}},
		{"From a\nx\n\nFrom b\ny\n", []string{"x\n", "y\n"}},
		{"From a\nx\nFrom b\ny", []string{"x\nFrom b\ny"}},
		{"From a\n\nFrom b\n\n\n", []string{"", "\n"}},
		{"From a\r\nx\r\n\r\nFrom b\r\n", []string{"x\r\n", ""}},
		{"From " + long + "\n" + long + "From z\n\nFrom b\n>>>From c\n" + long + "\n",
			[]string{long + "From z\n", ">>From c\n" + long + "\n"}},
		{"From a\n" + long[:4096] + ">From x\n", []string{long[:4096] + ">From x\n"}},
	} {
		parts, err := mailboxParts(writeFile(t, "mbox", []byte(test.in)))
		var got []string
		for _, p := range parts {
			r, openErr := p.open()
			if openErr != nil {
				t.Fatal(openErr)
			}
			text, readErr := io.ReadAll(r)
			if readErr != nil || r.Close() != nil {
				t.Fatal(readErr)
			}
			got = append(got, string(text))
		}
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%.40q has the messages %.40q, %v, want %.40q", test.in, got, err, test.want)
		}
	}
}
