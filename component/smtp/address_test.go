package smtp_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/go-poe/poe/component/smtp"
)

// all takes everything that any extension allows.
var all = smtp.AddressOptions{UTF8: true, LongLocal: true}

func TestParseAddress(t *testing.T) {
	local64, local65 := strings.Repeat("l", 64), strings.Repeat("l", 65)
	label63 := strings.Repeat("d", 63)
	for _, c := range []struct {
		in   string
		opts smtp.AddressOptions
		want smtp.Address
		text string // String, if it is not in
	}{
		{in: "a@example.com", want: smtp.Address{Local: "a", Domain: "example.com"}},
		{in: "a.b.c@x", want: smtp.Address{Local: "a.b.c", Domain: "x"}},
		{in: "A+b=c@Example.COM", want: smtp.Address{Local: "A+b=c", Domain: "Example.COM"}},
		{in: "!#$%&'*+-/=?^_`{|}~@x", want: smtp.Address{Local: "!#$%&'*+-/=?^_`{|}~", Domain: "x"}},
		{in: `"a b"@x.example`, want: smtp.Address{Local: "a b", Domain: "x.example"}},
		{in: `"a@b>c"@x`, want: smtp.Address{Local: "a@b>c", Domain: "x"}},
		{in: `"say \"\\\""@x`, want: smtp.Address{Local: `say "\"`, Domain: "x"}},
		{in: `"\a\.b"@x`, want: smtp.Address{Local: "a.b", Domain: "x"}, text: "a.b@x"},
		{in: `"plain"@x`, want: smtp.Address{Local: "plain", Domain: "x"}, text: "plain@x"},
		{in: `""@x`, want: smtp.Address{Local: "", Domain: "x"}},
		{in: `"a..b"@x`, want: smtp.Address{Local: "a..b", Domain: "x"}},
		{in: "postmaster", want: smtp.Address{Local: "postmaster"}},
		{in: "PostMaster", want: smtp.Address{Local: "PostMaster"}},
		{in: "a@[192.0.2.1]", want: smtp.Address{Local: "a", Domain: "[192.0.2.1]"}},
		{in: "a@[IPv6:2001:db8::1]", want: smtp.Address{Local: "a", Domain: "[IPv6:2001:db8::1]"}},
		{in: "a@192.0.2.1", want: smtp.Address{Local: "a", Domain: "192.0.2.1"}},
		{in: local64 + "@x", want: smtp.Address{Local: local64, Domain: "x"}},
		{in: local65 + "@x", opts: all, want: smtp.Address{Local: local65, Domain: "x"}},
		{in: "a@" + label63, want: smtp.Address{Local: "a", Domain: label63}},
		{in: "jürgen@müller.example", opts: all,
			want: smtp.Address{Local: "jürgen", Domain: "müller.example"}},
		{in: `"ü ü"@x`, opts: all, want: smtp.Address{Local: "ü ü", Domain: "x"}},
		{in: "我買@屋企.香港", opts: all, want: smtp.Address{Local: "我買", Domain: "屋企.香港"}},
	} {
		got, err := smtp.ParseAddress(c.in, c.opts)
		if err != nil || got != c.want {
			t.Errorf("ParseAddress(%q) = %+v, %v, want %+v", c.in, got, err, c.want)
		}
		text := c.text
		if text == "" {
			text = c.in
		}
		if got.String() != text {
			t.Errorf("String of %q is %q, want %q", c.in, got, text)
		}
	}
}

func TestParseAddressRefuses(t *testing.T) {
	long := strings.Repeat("d.", 124) + "example"
	for _, c := range []struct {
		in     string
		opts   smtp.AddressOptions
		reason string
	}{
		{"", all, "the local part is missing"},
		{"@x", all, "the local part is missing"},
		{"a", all, "the domain is missing"},
		{"a@", all, "the domain is missing"},
		{"poſtmaster", all, "the domain is missing"},
		{".a@x", all, "a dot with nothing"},
		{"a.@x", all, "a dot with nothing"},
		{"a..b@x", all, "a dot with nothing"},
		{"a b@x", all, "the local part has a character"},
		{"(a)@x", all, "the local part has a character"},
		{"<a@x>", all, "the local part has a character"},
		{"a@b@x", all, "the domain has a character"},
		{`"a"b@x`, all, "the local part has a character"},
		{`"a@x`, all, "a quote is not closed"},
		{`"a\"@x`, all, "a quote is not closed"},
		{"\"a\\\u00fc\"@x", all, "a backslash"},
		{"a@x\r\nRCPT TO:<b@y>", all, "the domain has a character"},
		{"a\r\n@x", all, "the local part has a character"},
		{"\"a\r\nb\"@x", all, "control character"},
		{"\"a\\\nb\"@x", all, "control character"},
		{"\"a\x00b\"@x", all, "control character"},
		{"\"a\tb\"@x", all, "control character"},
		{"\"a\x7fb\"@x", all, "control character"},
		{"\"a\u0085b\"@x", all, "control character"},
		{"a\u2028b@x", all, "the local part has a character"},
		{"\"a\xffb\"@x", all, "invalid UTF-8"},
		{"a\xffb@x", all, "the local part has a character"},
		{"a@\xff", all, "the domain has a character"},
		{"a@x\x00", all, "the domain has a character"},
		{"a@x y", all, "the domain has a character"},
		{"a@x\u00a0y", all, "the domain has a character"},
		{"a@x\u3002y", all, "the domain has a character"},
		{"a@.x", all, "the domain has a dot"},
		{"a@x.", all, "the domain has a dot"},
		{"a@x..y", all, "the domain has a dot"},
		{"a@-x", all, "a hyphen"},
		{"a@x-.y", all, "a hyphen"},
		{"a@x_y", all, "the domain has a character"},
		{"a@" + strings.Repeat("d", 64), all, "a label that is too long"},
		{"a@" + long, all, "it is too long"},
		{strings.Repeat("l", 65) + "@x", smtp.AddressOptions{}, "the local part is too long"},
		{`"` + strings.Repeat("l", 63) + `"@x`, smtp.AddressOptions{}, "the local part is too long"},
		{"ü@x", smtp.AddressOptions{}, "the local part is not ASCII"},
		{`"ü"@x`, smtp.AddressOptions{}, "the local part is not ASCII"},
		{"u@ü", smtp.AddressOptions{}, "the domain is not ASCII"},
		{"a@[]", all, "the address literal"},
		{"a@[192.0.2.1", all, "the address literal"},
		{"a@[192.0.2.256]", all, "the address literal"},
		{"a@[192.0.2.01]", all, "the address literal"},
		{"a@[2001:db8::1]", all, "the address literal"},
		{"a@[IPv6:192.0.2.1]", all, "the address literal"},
		{"a@[IPv6:fe80::1%eth0]", all, "the address literal"},
		{"a@[x400:foo]", all, "the address literal"},
		{"a@[192.0.2.1]x", all, "the address literal"},
	} {
		got, err := smtp.ParseAddress(c.in, c.opts)
		var bad *smtp.ValueError
		if !errors.As(err, &bad) || !strings.Contains(bad.Reason, c.reason) {
			t.Errorf("ParseAddress(%q) = %+v, %v, want an error with %q", c.in, got, err, c.reason)
		}
		if got != (smtp.Address{}) {
			t.Errorf("ParseAddress(%q) = %+v with its error, want nothing", c.in, got)
		}
	}
}

func TestParsePath(t *testing.T) {
	for _, c := range []struct {
		in, address, rest string
	}{
		{"<>", "", ""},
		{"<> SIZE=1", "", " SIZE=1"},
		{"<a@x>", "a@x", ""},
		{"<a@x> X=<y>", "a@x", " X=<y>"},
		{`<"a>b"@x>c`, `"a>b"@x`, "c"},
		{"<postmaster>", "postmaster", ""},
		{"<@a.example,@b.example:c@d.example>", "c@d.example", ""},
		{"<@a:\"x:y\"@[IPv6:::1]>", "\"x:y\"@[IPv6:::1]", ""},
	} {
		got, rest, err := smtp.ParsePath(c.in, smtp.AddressOptions{})
		if err != nil || got.String() != c.address || rest != c.rest {
			t.Errorf("ParsePath(%q) = %q, %q, %v, want %q, %q", c.in, got, rest, err, c.address, c.rest)
		}
	}
}

func TestParsePathRefuses(t *testing.T) {
	for _, c := range []struct{ in, reason string }{
		{"", "does not begin with <"},
		{"a@x", "does not begin with <"},
		{"<", "the local part is missing"},
		{"<a@x", "does not end with >"},
		{"<postmaster", "does not end with >"},
		{"<\"a@x>", "a quote is not closed"},
		{"< a@x>", "the local part has a character"},
		{"<a@x >", "the domain has a character"},
		{"<a@b@x>", "the domain has a character"},
		{"<root>", "the domain is missing"},
		{"<@>", "the local part is missing"},
		{"<@:a@x>", "the source route"},
		{"<@a,b:c@d>", "the source route"},
		{"<@a;@b:c@d>", "the source route"},
		{"<@[192.0.2.1]:c@d>", "the source route"},
		{"<@a:>", "the local part is missing"},
		{"<@a:@b:c@d>", "the local part is missing"},
		{"<a@x\r\n>", "the domain has a character"},
		{"<@" + strings.Repeat("d.", 120) + "d:abcdefgh@example>", "it is too long"},
	} {
		got, rest, err := smtp.ParsePath(c.in, smtp.AddressOptions{})
		var bad *smtp.ValueError
		if !errors.As(err, &bad) || !strings.Contains(bad.Reason, c.reason) {
			t.Errorf("ParsePath(%q) = %+v, %q, %v, want an error with %q", c.in, got, rest, err, c.reason)
		}
	}
}

func TestAddressFacts(t *testing.T) {
	for _, c := range []struct {
		in         smtp.Address
		null, utf8 bool
		literal    string
	}{
		{smtp.Address{}, true, false, ""},
		{smtp.Address{Local: "a", Domain: "x"}, false, false, ""},
		{smtp.Address{Domain: "x"}, false, false, ""},
		{smtp.Address{Local: "ü", Domain: "x"}, false, true, ""},
		{smtp.Address{Local: "a", Domain: "ü"}, false, true, ""},
		{smtp.Address{Local: "a", Domain: "[192.0.2.1]"}, false, false, "192.0.2.1"},
		{smtp.Address{Local: "a", Domain: "[ipv6:::ffff:192.0.2.1]"}, false, false, "::ffff:192.0.2.1"},
	} {
		ip, ok := c.in.Literal()
		if c.in.IsNull() != c.null || c.in.NeedsUTF8() != c.utf8 || ok != (c.literal != "") {
			t.Errorf("%+v: null %v, UTF-8 %v, literal %v, want %v, %v, %q",
				c.in, c.in.IsNull(), c.in.NeedsUTF8(), ok, c.null, c.utf8, c.literal)
		}
		if ok && ip != netip.MustParseAddr(c.literal) {
			t.Errorf("%+v: literal is %v, want %v", c.in, ip, c.literal)
		}
	}
}

// What ParseAddress takes is short and clean, and comes back the same when it is written.
func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{
		"a@x", `"a b\"c"@[IPv6:::1]`, "ü@ü", "postmaster", "@a,@b:c@d", "a\r\n@x", `""@x`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, opts := range []smtp.AddressOptions{{}, all} {
			a, err := smtp.ParseAddress(s, opts)
			path, rest, pathErr := smtp.ParsePath("<"+s+">", opts)
			if err == nil && (pathErr != nil || path != a || rest != "") {
				t.Fatalf("ParsePath(<%q>) = %+v, %q, %v, want %+v", s, path, rest, pathErr, a)
			}
			if pathErr != nil {
				continue
			}
			text := path.String()
			if strings.ContainsAny(text, "\r\n\x00\t\x7f") || len(text)+2 > smtp.MaxPath {
				t.Fatalf("ParsePath(<%q>) let %q through", s, text)
			}
			if !opts.UTF8 && path.NeedsUTF8() {
				t.Fatalf("ParsePath(<%q>) = %+v without UTF8", s, path)
			}
			again, rest, err := smtp.ParsePath("<"+text+"> X", opts)
			if err != nil || again != path || rest != " X" {
				t.Fatalf("%q came back as %+v, %q, %v, want %+v", text, again, rest, err, path)
			}
		}
	})
}
