package smtp_test

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-poe/poe/component/smtp"
)

func TestParseExtensions(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  smtp.Extensions
	}{
		{"HELO", []string{"mx.example"}, smtp.Extensions{}},
		{"no lines", nil, smtp.Extensions{}},
		{"usual", []string{"mx.example hello", "PIPELINING", "SIZE 35882577", "AUTH LOGIN PLAIN"},
			smtp.Extensions{"PIPELINING": nil, "SIZE": {"35882577"}, "AUTH": {"LOGIN", "PLAIN"}}},
		{"any case", []string{"x", "pipelining", "Auth plain"},
			smtp.Extensions{"PIPELINING": nil, "AUTH": {"plain"}}},
		{"old AUTH", []string{"x", "AUTH=LOGIN PLAIN", "AUTH PLAIN XOAUTH2"},
			smtp.Extensions{"AUTH": {"LOGIN", "PLAIN", "XOAUTH2"}}},
		{"spaces", []string{"x", "SIZE  10 ", "AUTH= LOGIN\tPLAIN"},
			smtp.Extensions{"SIZE": {"10"}, "AUTH": {"LOGIN", "PLAIN"}}},
		{"malformed", []string{
			"x", "", " SIZE 1", "8BIT_MIME", "-X", "ſIZE 1", "DSN\x00", "=x", "OK a\x01b c",
		}, smtp.Extensions{"OK": {"c"}}},
		{"the first line is the greeting", []string{"SIZE 10", "DSN"}, smtp.Extensions{"DSN": nil}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := smtp.ParseExtensions(&smtp.Reply{Code: 250, Lines: c.lines})
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestParseExtensionsIsBounded(t *testing.T) {
	keywords, params := []string{"x"}, "AUTH"
	for i := range 1000 {
		word := " M" + strings.Repeat("M", i%17) + string(rune('A'+i%26)) + strings.Repeat("N", i%19)
		keywords = append(keywords, word[1:])
		params += word
	}
	if got := smtp.ParseExtensions(&smtp.Reply{Lines: keywords}); len(got) != 128 {
		t.Errorf("took %d keywords, want 128", len(got))
	}
	got := smtp.ParseExtensions(&smtp.Reply{Lines: []string{"x", params}})
	if n := len(got.Auth()); n != 128 {
		t.Errorf("took %d mechanisms, want 128", n)
	}
}

func TestExtensionsAccessors(t *testing.T) {
	x := smtp.Extensions{
		"SIZE": {"1000"}, "AUTH": {"plain", "LOGIN"}, "DSN": nil,
		"LIMITS": {
			"MAILMAX=20", "rcptmax=100", "RCPTDOMAINMAX=", "MAILMAX=x", "NEW=1", "RCPTDOMAINMAX=-1",
		},
	}
	if !x.Has(smtp.ExtDSN) || x.Has(smtp.ExtPipelining) || (smtp.Extensions)(nil).Has(smtp.ExtDSN) {
		t.Errorf("Has is wrong for %q", x)
	}
	if got, want := x.Auth(), []string{"PLAIN", "LOGIN"}; !slices.Equal(got, want) {
		t.Errorf("Auth is %q, want %q", got, want)
	}
	if got, want := x.Limits(), (smtp.Limits{MailMax: 20, RcptMax: 100}); got != want {
		t.Errorf("Limits are %+v, want %+v", got, want)
	}
	limits := smtp.Limits{MailMax: 1, RcptMax: 2, RcptDomainMax: 3}
	if got := (smtp.Extensions{"LIMITS": limits.Params()}).Limits(); got != limits {
		t.Errorf("Limits came back as %+v, want %+v", got, limits)
	}
}

func TestExtensionsSize(t *testing.T) {
	for _, c := range []struct {
		x     smtp.Extensions
		limit int64
		ok    bool
	}{
		{nil, 0, false},
		{smtp.Extensions{"SIZE": nil}, 0, true},
		{smtp.Extensions{"SIZE": {"0"}}, 0, true},
		{smtp.Extensions{"SIZE": {"52428800"}}, 52428800, true},
		{smtp.Extensions{"SIZE": {"99999999999999999999"}}, math.MaxInt64, true},
		{smtp.Extensions{"SIZE": {"-1"}}, 0, true},
		{smtp.Extensions{"SIZE": {"1e9"}}, 0, true},
		{smtp.Extensions{"SIZE": {"+1"}}, 0, true},
		{smtp.Extensions{"SIZE": {strings.Repeat("9", 21)}}, 0, true},
	} {
		if limit, ok := c.x.Size(); limit != c.limit || ok != c.ok {
			t.Errorf("Size of %q is %d, %v, want %d, %v", c.x, limit, ok, c.limit, c.ok)
		}
	}
}

func TestExtensionsReply(t *testing.T) {
	x := smtp.Extensions{"SIZE": {"10"}, "AUTH": {"PLAIN", "LOGIN"}, "8BITMIME": nil}
	want := "250-mx.example Hello\r\n250-8BITMIME\r\n250-AUTH PLAIN LOGIN\r\n250 SIZE 10\r\n"
	if got := string(x.Reply("mx.example Hello").Append(nil)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	want = "250 mx.example\r\n"
	if got := string(smtp.Extensions(nil).Reply("mx.example").Append(nil)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestExtensionsReplyPanics(t *testing.T) {
	for _, x := range []smtp.Extensions{
		{"": nil},
		{"size": nil},
		{"X Y": nil},
		{"X\r\n": nil},
		{"AUTH": {"PLAIN\r\n"}},
		{"AUTH": {""}},
		{"AUTH": {strings.Repeat("x", 502)}},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q made a reply", x)
				}
			}()
			x.Reply("mx.example")
		}()
	}
}

// What was read from any reply can be sent by a server, if its lines are not too long for one, and
// is read the same again.
func FuzzParseExtensions(f *testing.F) {
	f.Add("x\nSIZE 10\nAUTH=LOGIN PLAIN\nauth X\n8BITMIME")
	f.Add("x\nLIMITS RCPTMAX=10 MAILMAX=99999999999\n=\n ſ")
	f.Fuzz(func(t *testing.T, text string) {
		x := smtp.ParseExtensions(&smtp.Reply{Code: 250, Lines: strings.Split(text, "\n")})
		x.Size()
		x.Auth()
		x.Limits()
		if len(text) > 400 {
			return
		}
		again := smtp.ParseExtensions(parse(t, x.Reply("mx.example").Append(nil)))
		if !reflect.DeepEqual(again, x) {
			t.Fatalf("%q came back as %q", x, again)
		}
	})
}
