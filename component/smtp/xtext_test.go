package smtp_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-poe/poe/component/smtp"
)

func TestXtext(t *testing.T) {
	for _, c := range []struct{ plain, encoded string }{
		{"", ""},
		{"a@x.example", "a@x.example"},
		{"a+b=c d", "a+2Bb+3Dc+20d"},
		{`\x{41}`, `\x{41}`},
		{"ü", "+C3+BC"},
	} {
		if got := string(smtp.AppendXtext(nil, c.plain)); got != c.encoded {
			t.Errorf("AppendXtext(%q) = %q, want %q", c.plain, got, c.encoded)
		}
		if got, err := smtp.DecodeXtext(c.encoded); err != nil || got != c.plain {
			t.Errorf("DecodeXtext(%q) = %q, %v, want %q", c.encoded, got, err, c.plain)
		}
	}
	if got, err := smtp.DecodeXtext("+2b"); err != nil || got != "+" {
		t.Errorf("DecodeXtext of lower case = %q, %v, want +", got, err)
	}
	for _, s := range []string{
		"+", "+2", "a+2", "+2G", "++2B", "+-1", "a b", "ü", "+0D+0AX", "+00", "+7F", "+C3", "\r\n",
	} {
		if got, err := smtp.DecodeXtext(s); !errors.Is(err, smtp.ErrXtext) || got != "" {
			t.Errorf("DecodeXtext(%q) = %q, %v, want ErrXtext", s, got, err)
		}
	}
}

func TestAddrXtext(t *testing.T) {
	for _, c := range []struct{ plain, encoded string }{
		{"", ""},
		{"a@x.example", "a@x.example"},
		{`a+b=c d\`, `a\x{2B}b\x{3D}c\x{20}d\x{5C}`},
		{"jürgen@x", `j\x{FC}rgen@x`},
		{"屋", `\x{5C4B}`},
		{"😀", `\x{1F600}`},
	} {
		if got := string(smtp.AppendAddrXtext(nil, c.plain)); got != c.encoded {
			t.Errorf("AppendAddrXtext(%q) = %q, want %q", c.plain, got, c.encoded)
		}
		if got, err := smtp.DecodeAddrXtext(c.encoded); err != nil || got != c.plain {
			t.Errorf("DecodeAddrXtext(%q) = %q, %v, want %q", c.encoded, got, err, c.plain)
		}
	}
	if got, err := smtp.DecodeAddrXtext("jürgen"); err != nil || got != "jürgen" {
		t.Errorf("DecodeAddrXtext of unitext = %q, %v, want jürgen", got, err)
	}
	for _, s := range []string{
		`\`, `\x`, `\x{`, `\x{41`, `\x{}`, `\x{G}`, `\y{41}`, `\x{D800}`, `\x{110000}`,
		`\x{00000041}`, `\x{0D}\x{0A}`, `\x{85}`, `\x{2028}`, "a b", "a+b", "a=b", "\xff", "\n",
	} {
		if got, err := smtp.DecodeAddrXtext(s); !errors.Is(err, smtp.ErrXtext) || got != "" {
			t.Errorf("DecodeAddrXtext(%q) = %q, %v, want ErrXtext", s, got, err)
		}
	}
}

// Both encodings are visible ASCII, and bring back what is allowed in a line, and nothing else.
func FuzzXtext(f *testing.F) {
	for _, s := range []string{"a+b", `\x{41}`, "+2B", "ü", "\r\n", "\xff", "\u0085"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		clean := smtp.CheckText("", s) == nil && !strings.Contains(s, "\t")
		encoded := string(smtp.AppendXtext(nil, s))
		got, err := smtp.DecodeXtext(encoded)
		if (err == nil) != clean || clean && got != s {
			t.Fatalf("%q became %q and then %q, %v, want ok %v", s, encoded, got, err, clean)
		}
		if utf8.ValidString(s) {
			encoded := string(smtp.AppendAddrXtext(nil, s))
			got, err := smtp.DecodeAddrXtext(encoded)
			if (err == nil) != clean || clean && got != s {
				t.Fatalf("%q became %q and then %q, %v, want ok %v", s, encoded, got, err, clean)
			}
			if smtp.NeedsUTF8(encoded) || strings.ContainsAny(encoded, " +=\r\n") {
				t.Fatalf("AppendAddrXtext(%q) = %q", s, encoded)
			}
		}
		for _, decode := range []func(string) (string, error){smtp.DecodeXtext, smtp.DecodeAddrXtext} {
			if got, err := decode(s); err == nil && smtp.CheckText("", got) != nil {
				t.Fatalf("%q was decoded to %q", s, got)
			}
		}
	})
}
