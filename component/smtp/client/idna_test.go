package client

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/go-poe/poe/component/smtp"
)

func TestASCIIHost(t *testing.T) {
	for _, c := range []struct{ name, want string }{ // want "" means an error
		{"mx.example.com", "mx.example.com"},
		{"MX.Example.COM.", "MX.Example.COM."},
		{"my_host", "my_host"},
		{"r3---sn.example", "r3---sn.example"},
		{"192.0.2.1", "192.0.2.1"},
		{"2001:db8::1", "2001:db8::1"},
		{"fe80::1%eth0", "fe80::1%eth0"},
		{"xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"b\u00fccher.example", "xn--bcher-kva.example"},
		{"B\u00dcCHER.EXAMPLE.", "xn--bcher-kva.example."},
		{"bu\u0308cher.example", "xn--bcher-kva.example"}, // not normalized
		{"stra\u00dfe.example", "xn--strae-oqa.example"},
		{"\u4f8b\u3048\u3002\u30c6\u30b9\u30c8", "xn--r8jz45g.xn--zckzah"},
		{"\uff4d\uff58.example", "mx.example"}, // full width

		{"", ""},
		{"two words", ""},
		{"line\r\nend", ""},
		{"nul\x00", ""},
		{"\u00fc\x00.example", ""},
		{"\u00fc\r\n.example", ""},
		{"\u00fc two.example", ""},
		{"\u00fc\xff.example", ""},
		{"\u00fc..example", ""},
		{".\u00fc.example", ""},
		{"-\u00fc.example", ""},
		{"\u00fc-.example", ""},
		{"\u00fc_.example", ""},
		{"\u00fc@example", ""},
		{"\u00fc.[192.0.2.1]", ""},
		{"a\u200db.example", ""},         // a joiner where there is nothing to join
		{"\u05d0a.example", ""},          // two directions in one label
		{"\u0301a.example", ""},          // it begins with a mark
		{"xn--\u00fc.example", ""},       // encoded and not
		{"xn--a.\u00fc.example", ""},     // badly encoded
		{"\uff11\uff12\uff17.0.0.1", ""}, // 127.0.0.1
		{strings.Repeat("\u00fc", 63) + ".example", ""},
		{strings.Repeat("\u00fc.", 200) + "example", ""},
		{strings.Repeat("\u00fc", 1_000_000), ""},
		{strings.Repeat("a", 1_000_000), ""},
	} {
		got, err := asciiHost(c.name)
		if err == nil && got != c.want || err != nil && c.want != "" {
			t.Errorf("%.50q: %q %v, want %q", c.name, got, err, c.want)
		}
		if err != nil && len(err.Error()) > 1000 {
			t.Errorf("%.50q: an error of %d octets", c.name, len(err.Error()))
		}
	}
}

func TestASCIIAddress(t *testing.T) {
	for _, c := range []struct{ addr, want string }{ // want "-" means that there is none
		{"", ""},
		{"postmaster", "postmaster"},
		{"a@example.com", "a@example.com"},
		{"odd..@@example", "odd..@@example"},
		{"a@[192.0.2.1]", "a@[192.0.2.1]"},
		{"a@[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]"},
		{"a@b\u00fccher.example", "a@xn--bcher-kva.example"},
		{"A.b+c@B\u00dcCHER.example", "A.b+c@xn--bcher-kva.example"},
		{`"a@b"@b` + "\u00fccher.example", `"a@b"@xn--bcher-kva.example`},
		{"\u00fc@example.com", "-"},
		{"\u00fc@b\u00fccher.example", "-"},
		{"\u00fc", "-"},
		{"a@\u00fc..example", "-"},
		{"a@\u00fc.example.", "-"},
		{"a@[\u0661]", "-"},
		{"a@\uff11\uff12\uff17.0.0.1", "-"},
		{"a@\u00fc>\r\nRCPT TO:<b@example.com", "-"},
	} {
		got, ok := asciiAddress(c.addr)
		if !ok {
			got = "-"
		}
		if got != c.want {
			t.Errorf("%q: %q, want %q", c.addr, got, c.want)
		}
	}
}

// Whatever an address is, what comes of it is ASCII, no longer than a domain may be, and nothing
// that could end a command where it did not before.
func FuzzASCIIAddress(f *testing.F) {
	for _, addr := range []string{
		"a@example.com", "a@b\u00fccher.example", "\u00fc@x", "a@\uff11.1.1.1", "a@\u00fc\u200d.x",
		"a@xn--a.\u00fc", "a@\u3002\u00fc", "a@\u2488com", "a@\ufffd",
	} {
		f.Add(addr)
	}
	f.Fuzz(func(t *testing.T, addr string) {
		got, ok := asciiAddress(addr)
		switch {
		case !ok || got == addr:
			return
		case smtp.NeedsUTF8(got):
			t.Errorf("%q became %q", addr, got)
		}
		local, domain := smtp.SplitAddress(got)
		before, _ := smtp.SplitAddress(addr)
		if local != before {
			t.Errorf("%q: the local part became %q", addr, local)
		}
		if err := smtp.CheckDomain(domain, false); err != nil {
			t.Errorf("%q: %v", addr, err)
		}
		if _, err := netip.ParseAddr(domain); err == nil {
			t.Errorf("%q became %q", addr, got)
		}
		if again, ok := asciiAddress(got); !ok || again != got {
			t.Errorf("%q became %q, and then %q", addr, got, again)
		}
	})
}
