package main

import (
	"slices"
	"testing"

	"github.com/go-poe/poe/component/smtp/client"
)

func TestSplitHostPort(t *testing.T) {
	for _, test := range []struct{ in, host, port string }{
		{"localhost", "localhost", "25"},
		{"localhost:2525", "localhost", "2525"},
		{"mx.example.org:smtp", "mx.example.org", "smtp"},
		{"192.0.2.1", "192.0.2.1", "25"},
		{"192.0.2.1:0", "192.0.2.1", "0"},
		{"[::1]:2525", "::1", "2525"},
		{"[::1]", "::1", "25"},
		{"::1", "::1", "25"},
		{"2001:db8::1", "2001:db8::1", "25"},
		{":2525", "", "2525"},
		{"", "", "25"},
	} {
		host, port, err := splitHostPort(test.in, "25")
		if err != nil || host != test.host || port != test.port {
			t.Errorf("splitHostPort(%q) = %q, %q, %v, want %q, %q", test.in, host, port, err,
				test.host, test.port)
		}
	}
	for _, in := range []string{
		"localhost:", "localhost:65536", "localhost:-1", "localhost:no-such-service", "a:b:c",
		"[::1", "[::1]2525", "[localhost]:25", "[127.0.0.1]", "::1]:25", "[]:25", "[::1]:",
	} {
		if host, port, err := splitHostPort(in, "25"); err == nil {
			t.Errorf("splitHostPort(%q) = %q, %q, want an error", in, host, port)
		}
	}
}

func TestSize(t *testing.T) {
	for in, want := range map[string]string{
		"1": "1", "1000": "1000", "1024": "1k", "10k": "10k", "64M": "64M", "64MiB": "64M",
		"1g": "1G", "2048K": "2M", "8589934591G": "8589934591G",
	} {
		var v size
		if err := v.Set(in); err != nil || v.String() != want {
			t.Errorf("Set(%q) = %v, %v, want %s", in, &v, err, want)
		}
	}
	for _, in := range []string{
		"", "0", "-1", "k", "1.5M", "iB", "5iB", "1kB", "8589934592G", "1 M",
	} {
		var v size
		if err := v.Set(in); err == nil {
			t.Errorf("Set(%q) = %v, want an error", in, &v)
		}
	}
}

// The length of the text is told once, when the server has something to say about it. What a server
// says cannot do anything to a terminal.
func TestDialogue(t *testing.T) {
	var d dialogue
	var got []string
	for _, p := range []client.Progress{
		{Stage: client.StageConnect},
		{Stage: client.StageGreeting, Got: "220 \x1b[2Jhi\x00\u202e\xff"},
		{Stage: client.StageAuth, Sent: "AUTH PLAIN secret"},
		{Stage: client.StageAuth, Sent: "AUTH LOGIN"},
		{Stage: client.StageAuth, Sent: "secret"},
		{Stage: client.StageAuth, Sent: "*"},
		{Stage: client.StageData, Sent: "DATA"},
		{Stage: client.StageData, Got: "   "},
		{Stage: client.StageText, Octets: 10},
		{Stage: client.StageText, Octets: 20},
		{Stage: client.StageFinal, Octets: 25},
		{Stage: client.StageFinal, Got: "250 grüße", Octets: 25},
		{Stage: client.StageQuit, Sent: "QUIT", Octets: 25},
		{Stage: client.StageQuit, Got: "221 bye", Octets: 25},
	} {
		got = append(got, d.lines(&p)...)
	}
	want := []string{
		"S: 220 ?[2Jhi??\ufffd", "C: AUTH PLAIN ********", "C: AUTH LOGIN", "C: ********", "C: *",
		"C: DATA", "S:    ", "C: (25 octets of text)", "S: 250 grüße",
		"C: QUIT", "S: 221 bye",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
