package smtp_test

import (
	"strings"
	"testing"

	"github.com/go-poe/poe/component/smtp"
)

func TestCheckAddress(t *testing.T) {
	for _, c := range []struct {
		in string
		ok bool
	}{
		{"", true},
		{"a@x", true},
		{"root", true},
		{"a..b.@docomo.example", true},
		{"a b@x", true},
		{"a@my_host", true},
		{"ferret@moocow@x", true},
		{`"a>b"@x`, true},
		{`a"b@x`, true},
		{"jürgen@müller.example", true},
		{strings.Repeat("l", 200) + "@x", true},
		{strings.Repeat("l", 498), true},
		{strings.Repeat("l", 499), false},
		{"me@example.org>\r\nRCPT TO:<victim@example.org", false},
		{"a@x\n", false},
		{"a@x\r", false},
		{"a\x00@x", false},
		{"a\t@x", false},
		{"a\x1b[2J@x", false},
		{"a\x7f@x", false},
		{"a\u0085@x", false},
		{"a\u2028@x", false},
		{"a\xff@x", false},
		{"<a@x>", false},
		{"Joe <a@x>", false},
		{"a@x> SIZE=1", false},
		{`"a> SIZE=1`, false},
		{`a">"b@x`, false},
		{"a@x<", false},
	} {
		err := smtp.CheckAddress("From", c.in)
		if (err == nil) != c.ok {
			t.Errorf("CheckAddress(%q) = %v, want ok %v", c.in, err, c.ok)
		}
		if err != nil && !strings.HasPrefix(err.Error(), `smtp: From "`) {
			t.Errorf("CheckAddress(%q) says %q, which does not name the field", c.in, err)
		}
		line, err := smtp.AppendMail(nil, c.in, smtp.MailParams{})
		if (err == nil) != c.ok {
			t.Errorf("AppendMail(%q) = %q, %v, want ok %v", c.in, line, err, c.ok)
		}
	}
}

func TestCheckHost(t *testing.T) {
	for _, c := range []struct {
		in string
		ok bool
	}{
		{"localhost", true},
		{"my_host", true},
		{"[IPv6:::1]", true},
		{"", false},
		{"two words", false},
		{"client\r\nNOOP", false},
		{"a\x00", false},
		{"müller", false},
		{strings.Repeat("h", 255), true},
		{strings.Repeat("h", 256), false},
	} {
		if err := smtp.CheckHost("MyHostname", c.in); (err == nil) != c.ok {
			t.Errorf("CheckHost(%q) = %v, want ok %v", c.in, err, c.ok)
		}
	}
}

func TestCheckText(t *testing.T) {
	for _, c := range []struct {
		in string
		ok bool
	}{
		{"", true},
		{"a b\tc ü", true},
		{"a\r", false},
		{"a\nb", false},
		{"\x00", false},
		{"\x1b", false},
		{"\xc3", false},
		{"\ufffd", true},
	} {
		if err := smtp.CheckText("X-Header", c.in); (err == nil) != c.ok {
			t.Errorf("CheckText(%q) = %v, want ok %v", c.in, err, c.ok)
		}
	}
}

func TestValueErrorIsOneLine(t *testing.T) {
	err := smtp.CheckText("User", strings.Repeat("x", 1000)+"\r\n")
	want := `smtp: User "` + strings.Repeat("x", 100) + `"...: it has a line end, another control ` +
		`character, or invalid UTF-8`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	err = smtp.CheckAddress("From", "a\r\n@x")
	want = `smtp: From "a\r\n@x": it has a line end, another control character, or invalid UTF-8`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestSplitAddress(t *testing.T) {
	for _, c := range []struct{ in, local, domain string }{
		{"a@x", "a", "x"},
		{`"a@b"@x`, `"a@b"`, "x"},
		{"root", "root", ""},
		{"", "", ""},
		{"@x", "", "x"},
	} {
		if local, domain := smtp.SplitAddress(c.in); local != c.local || domain != c.domain {
			t.Errorf("SplitAddress(%q) = %q, %q, want %q, %q", c.in, local, domain, c.local, c.domain)
		}
	}
}

// Whatever is given for an address, what is sent is one MAIL command, or nothing.
func FuzzCheckAddress(f *testing.F) {
	for _, s := range []string{
		"a@x", "a@x>\r\nRCPT TO:<b@y", `"a>"@x`, "a@x> SIZE=1", "\u0085", "\xff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line, err := smtp.AppendMail(nil, s, smtp.MailParams{Size: 7})
		if err != nil {
			if len(line) != 0 {
				t.Fatalf("AppendMail(%q) = %q with its error, want nothing", s, line)
			}
			return
		}
		text, ok := strings.CutSuffix(string(line), " SIZE=7\r\n")
		if !ok || len(line) > smtp.MaxPathLine || strings.ContainsFunc(text, func(r rune) bool {
			return r < ' ' || r == 0x7f
		}) {
			t.Fatalf("AppendMail(%q) = %q", s, line)
		}
		// A server that knows nothing of quotes, and one that does, see the same end of the path.
		path := strings.TrimPrefix(text, "MAIL FROM:")
		if strings.Count(path, ">") == 1 && strings.HasSuffix(path, ">") {
			return
		}
		a, rest, err := smtp.ParsePath(path, all)
		if err != nil || rest != "" {
			t.Fatalf("AppendMail(%q) = %q, whose path is %+v, %q, %v", s, line, a, rest, err)
		}
	})
}
