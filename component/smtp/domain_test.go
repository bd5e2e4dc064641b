package smtp_test

import (
	"strings"
	"testing"

	"github.com/go-poe/poe/component/smtp"
)

func TestCheckDomain(t *testing.T) {
	for _, c := range []struct {
		in   string
		utf8 bool
		ok   bool
	}{
		{"localhost", false, true},
		{"mx1.example.com", false, true},
		{"[192.0.2.1]", false, true},
		{"[IPv6:2001:db8::1]", false, true},
		{"xn--mller-kva.example", false, true},
		{"müller.example", false, false},
		{"müller.example", true, true},
		{"", true, false},
		{"host name", true, false},
		{"host\r\nNOOP", true, false},
		{"my_host", true, false},
		{strings.Repeat("d.", 127) + "d", false, true},
		{strings.Repeat("d.", 127) + "dd", false, false},
	} {
		if err := smtp.CheckDomain(c.in, c.utf8); (err == nil) != c.ok {
			t.Errorf("CheckDomain(%q, %v) = %v, want ok %v", c.in, c.utf8, err, c.ok)
		}
	}
}

func TestParseLiteral(t *testing.T) {
	for in, want := range map[string]string{
		"[192.0.2.1]":                        "192.0.2.1",
		"[IPv6:2001:db8::1]":                 "2001:db8::1",
		"[ipv6:::]":                          "::",
		"":                                   "",
		"[":                                  "",
		"[]":                                 "",
		"192.0.2.1":                          "",
		"[192.0.2]":                          "",
		"[::1]":                              "",
		"[IPv6:fe80::1%eth0]":                "",
		"[IPv6:192.0.2.1]":                   "",
		"[" + strings.Repeat("0", 300) + "]": "",
	} {
		ip, ok := smtp.ParseLiteral(in)
		if ok != (want != "") || ok && ip.String() != want {
			t.Errorf("ParseLiteral(%q) = %v, %v, want %q", in, ip, ok, want)
		}
	}
}
