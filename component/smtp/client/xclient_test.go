package client

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-poe/poe/component/smtp"
)

func TestXClient(t *testing.T) {
	all := []string{"NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT"}
	long := strings.Repeat("x", 255)
	for _, c := range []struct {
		name    string
		attrs   []string
		offered []string
		want    string // or, if it does not begin with X, what is in the error
	}{
		{"one", []string{"ADDR=192.0.2.1"}, all, "XCLIENT ADDR=192.0.2.1\r\n"},
		{"in the caller's order", []string{"HELO=client", "ADDR=192.0.2.1"}, all,
			"XCLIENT HELO=client ADDR=192.0.2.1\r\n"},
		{"any case", []string{"addr=192.0.2.1", "Name=x"}, []string{"Addr", "NAME"},
			"XCLIENT ADDR=192.0.2.1 NAME=x\r\n"},
		{"not known", []string{"NAME=[UNAVAILABLE]", "HELO=[TEMPUNAVAIL]"}, all,
			"XCLIENT NAME=[UNAVAILABLE] HELO=[TEMPUNAVAIL]\r\n"},
		{"xtext", []string{"LOGIN=a b+c=d"}, all, "XCLIENT LOGIN=a+20b+2Bc+3Dd\r\n"},
		{"UTF-8", []string{"LOGIN=\u00fc"}, all, "XCLIENT LOGIN=+C3+BC\r\n"},
		{"IPv6", []string{"ADDR=2001:DB8::1", "DESTADDR=IPV6:2001:db8::2"}, all,
			"XCLIENT ADDR=IPV6:2001:db8::1 DESTADDR=IPV6:2001:db8::2\r\n"},
		{"IPv6 zone", []string{"ADDR=fe80::1%eth0"}, all, "XCLIENT ADDR=IPV6:fe80::1\r\n"},
		{"IPv6 elsewhere", []string{"HELO=2001:db8::1"}, all, "XCLIENT HELO=2001:db8::1\r\n"},
		{"not offered", []string{"NAME=x", "ADDR=192.0.2.1", "LOGIN=y"}, []string{"ADDR", "HELO"},
			"XCLIENT ADDR=192.0.2.1\r\n"},
		{"a new one", []string{"TLS_VERSION=1.3"}, []string{"TLS_VERSION"},
			"XCLIENT TLS_VERSION=1.3\r\n"},

		{"none offered", []string{"NAME=x"}, []string{"ADDR"}, "no attribute that"},
		{"none", nil, all, "no attribute that"},
		{"no name", []string{"=x"}, all, "an attribute is a name"},
		{"no equals sign", []string{"ADDR"}, all, "no value"},
		{"no value", []string{"ADDR="}, all, "no value"},
		{"space in the name", []string{"ADDR X=1"}, all, "an attribute is a name"},
		{"CR LF in the name", []string{"ADDR\r\nQUIT=1"}, all, "an attribute is a name"},
		{"another script in the name", []string{"\u017fADDR=1"}, all, "an attribute is a name"},
		{"CR LF", []string{"NAME=x\r\nQUIT"}, all, "line end"},
		{"NUL", []string{"NAME=\x00"}, all, "control character"},
		{"tab", []string{"NAME=a\tb"}, all, "tab"},
		{"invalid UTF-8", []string{"NAME=\xff"}, all, "invalid UTF-8"},
		{"wrong, and not offered", []string{"NAME=\x00", "ADDR=x"}, []string{"ADDR"}, "control"},
		{"twice", []string{"ADDR=192.0.2.1", "addr=192.0.2.2"}, all, "ADDR twice"},
		{"too long", []string{"NAME=" + long, "HELO=" + long}, all, "531 octets"},
		{"far too long", []string{"NAME=" + strings.Repeat("x", 1<<20)}, all, "512 at the most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := appendXClient([]byte("> "), c.attrs, c.offered)
			if strings.HasPrefix(c.want, "XCLIENT ") {
				if string(got) != "> "+c.want || err != nil {
					t.Errorf("got %q %v, want %q", got, err, c.want)
				}
				if err := checkXClient(c.attrs); err != nil {
					t.Errorf("check: %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || string(got) != "> " {
				t.Errorf("got %q %v, want %q", got, err, c.want)
			}
			if len(err.Error()) > 500 {
				t.Errorf("an error of %d octets", len(err.Error()))
			}
			offered := err.Error() != errXClientNone.Error()
			if err := checkXClient(c.attrs); (err != nil) != offered {
				t.Errorf("check: %v", err)
			}
		})
	}
}

// What appendXClient makes of any two attributes is one command, which says the same.
func FuzzXClient(f *testing.F) {
	f.Add("ADDR=192.0.2.1", "NAME=x")
	f.Add("ADDR=2001:db8::1", "LOGIN=a+b=c d")
	f.Add("ADDR=::ffff:192.0.2.1", "NAME=[UNAVAILABLE]")
	f.Add("a=\r\nQUIT", "b=\x00")
	f.Fuzz(func(t *testing.T, first, second string) {
		attrs := []string{first, second}
		var offered []string
		for _, a := range attrs {
			name, _, _ := strings.Cut(a, "=")
			offered = append(offered, name)
		}
		checked := checkXClient(attrs)
		line, err := appendXClient(nil, attrs, offered)
		if (err == nil) != (checked == nil) {
			t.Fatalf("check says %v, and append %v", checked, err)
		}
		if err != nil {
			return
		}
		command, err := smtp.ParseCommand(line[:len(line)-len("\r\n")])
		if err != nil || command.Verb != "XCLIENT" {
			t.Fatalf("%q: %v %v", line, command, err)
		}
		words := strings.Split(command.Arg, " ")
		if len(words) != len(attrs) {
			t.Fatalf("%q has %d attributes", line, len(words))
		}
		for i, word := range words {
			name, value, _ := strings.Cut(word, "=")
			wantName, wantValue, _ := strings.Cut(attrs[i], "=")
			value, err := smtp.DecodeXtext(value)
			if err != nil || name != strings.ToUpper(wantName) {
				t.Errorf("%q for %q: %v", word, attrs[i], err)
			}
			address := slices.Contains([]string{"ADDR", "DESTADDR"}, name)
			if value != wantValue && !(address && strings.HasPrefix(value, "IPV6:")) {
				t.Errorf("%q for %q", value, attrs[i])
			}
		}
	})
}
