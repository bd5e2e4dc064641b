package smtp_test

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/go-poe/poe/component/smtp"
)

// offered are all the extensions of the grammar, and one of somebody else.
var offered = smtp.Extensions{
	smtp.Ext8BitMIME: nil, smtp.ExtAuth: {"PLAIN"}, smtp.ExtBinaryMIME: nil, smtp.ExtChunking: nil,
	smtp.ExtDSN: nil, smtp.ExtEnhanced: nil, smtp.ExtPipelining: nil, smtp.ExtRequireTLS: nil,
	smtp.ExtSMTPUTF8: nil, smtp.ExtSize: {"1000"}, "XFOO": nil,
}

func TestParseMail(t *testing.T) {
	a := smtp.Address{Local: "a", Domain: "x"}
	for _, c := range []struct {
		in   string
		want smtp.Mail
	}{
		{"FROM:<a@x>", smtp.Mail{From: a}},
		{"from: \t<a@x> \t", smtp.Mail{From: a}},
		{"FROM:<>", smtp.Mail{}},
		{"FROM:<@r.example:a@x>", smtp.Mail{From: a}},
		{"FROM:<a@x>  SIZE=0", smtp.Mail{From: a}},
		{"FROM:<a@x> size=12345", smtp.Mail{From: a, Params: smtp.MailParams{Size: 12345}}},
		{"FROM:<a@x> SIZE=99999999999999999999",
			smtp.Mail{From: a, Params: smtp.MailParams{Size: math.MaxInt64}}},
		{"FROM:<a@x> BODY=8bitmime RET=full ENVID=QQ+2B314",
			smtp.Mail{From: a, Params: smtp.MailParams{
				Body: smtp.Body8BitMIME, Return: smtp.ReturnFull, EnvelopeID: "QQ+314"}}},
		{"FROM:<a@x> AUTH=e+3Dmc2@example.com REQUIRETLS",
			smtp.Mail{From: a, Params: smtp.MailParams{Auth: "e=mc2@example.com", RequireTLS: true}}},
		{"FROM:<> AUTH=<> BODY=BINARYMIME",
			smtp.Mail{Params: smtp.MailParams{Auth: "<>", Body: smtp.BodyBinaryMIME}}},
		{"FROM:<ü@x> SMTPUTF8",
			smtp.Mail{From: smtp.Address{Local: "ü", Domain: "x"}, Params: smtp.MailParams{UTF8: true}}},
		{"FROM:<a@x> xfoo=a=b",
			smtp.Mail{From: a, Params: smtp.MailParams{
				Other: []smtp.Param{{Keyword: "XFOO", Value: "a=b"}}}}},
	} {
		got, err := smtp.ParseMail(c.in, smtp.EnvelopeOptions{Offered: offered})
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("ParseMail(%q) = %+v, %v, want %+v", c.in, got, err, c.want)
		}
	}
}

func TestParseMailRefuses(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", "501 5.5.4 Syntax: FROM:<address>"},
		{"TO:<a@x>", "501 5.5.4 Syntax: FROM:<address>"},
		{"FROM <a@x>", "501 5.5.4 Syntax: FROM:<address>"},
		{"FROM:<a@x>SIZE=1", "501 5.5.4 Syntax: FROM:<address>"},
		{"FROM:", "501 5.1.7 Bad sender address: it does not begin with <"},
		{"FROM:a@x", "501 5.1.7 Bad sender address: it does not begin with <"},
		{"FROM:<a@x", "501 5.1.7 Bad sender address: it does not end with >"},
		{"FROM:<root>", "501 5.1.7 Bad sender address: the domain is missing"},
		{"FROM:<postmaster>", "501 5.1.7 Bad sender address: the domain is missing"},
		{"FROM:<ü@x>", "553 5.6.7 Not ASCII, and SMTPUTF8 was not asked for"},
		{"FROM:<a@x> AUTH=ü", "501 5.5.4 Parameter AUTH has a malformed value"},
		{"FROM:<a@x> XFOO=ü", "553 5.6.7 Not ASCII, and SMTPUTF8 was not asked for"},
		{"FROM:<a@x> SIZE", "501 5.5.4 Parameter SIZE has a malformed value"},
		{"FROM:<a@x> SIZE=", "501 5.5.4 Parameter SIZE is malformed"},
		{"FROM:<a@x> SIZE=-1", "501 5.5.4 Parameter SIZE has a malformed value"},
		{"FROM:<a@x> SIZE=1 size=1", "501 5.5.4 Parameter SIZE stands twice"},
		{"FROM:<a@x> XFOO XFOO", "501 5.5.4 Parameter XFOO stands twice"},
		{"FROM:<a@x> BODY=9BIT", "501 5.5.4 Parameter BODY has a malformed value"},
		{"FROM:<a@x> SMTPUTF8=1", "501 5.5.4 Parameter SMTPUTF8 has a malformed value"},
		{"FROM:<a@x> REQUIRETLS=1", "501 5.5.4 Parameter REQUIRETLS has a malformed value"},
		{"FROM:<a@x> RET=SOME", "501 5.5.4 Parameter RET has a malformed value"},
		{"FROM:<a@x> ENVID=+0D+0AX", "501 5.5.4 Parameter ENVID has a malformed value"},
		{"FROM:<a@x> ENVID=+C3+BC", "501 5.5.4 Parameter ENVID has a malformed value"},
		{"FROM:<a@x> ENVID=" + strings.Repeat("x", 101),
			"501 5.5.4 Parameter ENVID has a malformed value"},
		{"FROM:<a@x> NOTIFY=NEVER", "555 5.5.4 Parameter NOTIFY is not offered"},
		{"FROM:<a@x> X-Y=1", "555 5.5.4 Parameter X-Y is not offered"},
		{"FROM:<a@x> " + strings.Repeat("Y", 1000),
			"555 5.5.4 Parameter " + strings.Repeat("Y", 40) + " is not offered"},
		{"FROM:<a@x> =1", "501 5.5.4 Parameter  is malformed"},
		{"FROM:<a@x> b@y", "501 5.5.4 Parameter B@Y is malformed"},
		{"FROM:<a@x> ſize=1", "501 5.5.4 Parameter ſize is malformed"},
		{"FROM:<a@x> XFOO=\x01", "501 5.5.4 Parameter XFOO is malformed"},
	} {
		_, err := smtp.ParseMail(c.in, smtp.EnvelopeOptions{Offered: offered})
		if err == nil || err.Error() != c.want {
			t.Errorf("ParseMail(%.60q) gave %v, want %s", c.in, err, c.want)
		}
	}
}

// Nothing is understood that was not offered.
func TestParseMailNotOffered(t *testing.T) {
	for _, param := range []string{
		"SIZE=1", "BODY=7BIT", "SMTPUTF8", "REQUIRETLS", "RET=HDRS", "ENVID=1", "AUTH=<>",
	} {
		_, err := smtp.ParseMail("FROM:<a@x> "+param, smtp.EnvelopeOptions{})
		keyword, _, _ := strings.Cut(param, "=")
		want := "555 5.5.4 Parameter " + keyword + " is not offered"
		if err == nil || err.Error() != want {
			t.Errorf("%s gave %v, want %s", param, err, want)
		}
	}
	_, err := smtp.ParseMail("FROM:<a@x> BODY=BINARYMIME",
		smtp.EnvelopeOptions{Offered: smtp.Extensions{smtp.Ext8BitMIME: nil}})
	if want := "555 5.5.4 BINARYMIME is not offered"; err == nil || err.Error() != want {
		t.Errorf("BINARYMIME gave %v, want %s", err, want)
	}
}

func TestParseMailLongLocal(t *testing.T) {
	arg := "FROM:<bounces+" + strings.Repeat("x", 100) + "@x>"
	_, err := smtp.ParseMail(arg, smtp.EnvelopeOptions{})
	want := "501 5.1.7 Bad sender address: the local part is too long"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := smtp.ParseMail(arg, smtp.EnvelopeOptions{LongLocal: true}); err != nil {
		t.Errorf("with LongLocal got %v", err)
	}
}

func TestAppendMail(t *testing.T) {
	for _, c := range []struct {
		from   string
		params smtp.MailParams
		want   string
	}{
		{"a@x", smtp.MailParams{}, "MAIL FROM:<a@x>\r\n"},
		{"", smtp.MailParams{}, "MAIL FROM:<>\r\n"},
		{"a..b@my_host", smtp.MailParams{}, "MAIL FROM:<a..b@my_host>\r\n"},
		{"a@x", smtp.MailParams{SpaceAfterColon: true}, "MAIL FROM: <a@x>\r\n"},
		{"a@x", smtp.MailParams{
			Size: 10, Body: smtp.BodyBinaryMIME, UTF8: true, RequireTLS: true,
			Return: smtp.ReturnFull, EnvelopeID: "a b+c", Auth: "e=mc2@x",
			Other: []smtp.Param{{Keyword: "XFOO", Value: "a=b"}, {Keyword: "X-BAR"}},
		}, "MAIL FROM:<a@x> SIZE=10 BODY=BINARYMIME SMTPUTF8 REQUIRETLS RET=FULL " +
			"ENVID=a+20b+2Bc AUTH=e+3Dmc2@x XFOO=a=b X-BAR\r\n"},
	} {
		got, err := smtp.AppendMail(nil, c.from, c.params)
		if err != nil || string(got) != c.want {
			t.Errorf("AppendMail(%q, %+v) = %q, %v, want %q", c.from, c.params, got, err, c.want)
		}
	}
}

func TestAppendMailRefuses(t *testing.T) {
	long := strings.Repeat("x", 1500)
	for _, c := range []struct {
		field  string
		from   string
		params smtp.MailParams
	}{
		{"MAIL FROM", "a@x>\r\nRCPT TO:<b@y", smtp.MailParams{}},
		{"SIZE", "a@x", smtp.MailParams{Size: -1}},
		{"BODY", "a@x", smtp.MailParams{Body: "7BIT\r\nRSET"}},
		{"RET", "a@x", smtp.MailParams{Return: "full"}},
		{"ENVID", "a@x", smtp.MailParams{EnvelopeID: "a\r\nb"}},
		{"ENVID", "a@x", smtp.MailParams{EnvelopeID: "ü"}},
		{"ENVID", "a@x", smtp.MailParams{EnvelopeID: strings.Repeat("+", 34)}},
		{"AUTH", "a@x", smtp.MailParams{Auth: "a\x00"}},
		{"parameter", "a@x", smtp.MailParams{Other: []smtp.Param{{Keyword: "X Y"}}}},
		{"parameter", "a@x", smtp.MailParams{Other: []smtp.Param{{}}}},
		{"XFOO", "a@x", smtp.MailParams{Other: []smtp.Param{{Keyword: "XFOO", Value: "a b"}}}},
		{"XFOO", "a@x", smtp.MailParams{Other: []smtp.Param{{Keyword: "XFOO", Value: "a\r\nRSET"}}}},
		{"MAIL", "a@x", smtp.MailParams{Auth: long, Other: []smtp.Param{{Keyword: "XFOO", Value: long}}}},
	} {
		got, err := smtp.AppendMail([]byte("NOOP\r\n"), c.from, c.params)
		var bad *smtp.ValueError
		if !errors.As(err, &bad) || bad.Field != c.field || string(got) != "NOOP\r\n" {
			t.Errorf("AppendMail(%q, %+v) = %q, %v, want an error about %s",
				c.from, c.params, got, err, c.field)
		}
	}
}

// roundTripMail checks that a MAIL that is understood can be sent on.
func roundTripMail(t *testing.T, arg string) {
	t.Helper()
	opts := smtp.EnvelopeOptions{Offered: offered, LongLocal: true}
	m, err := smtp.ParseMail(arg, opts)
	if err != nil {
		wantRefusal(t, []byte(arg), err)
		return
	}
	line, err := smtp.AppendMail(nil, m.From.String(), m.Params)
	if err != nil {
		t.Fatalf("AppendMail(%+v): %v", m, err)
	}
	arg, ok := strings.CutPrefix(strings.TrimSuffix(string(line), "\r\n"), "MAIL ")
	again, err := smtp.ParseMail(arg, opts)
	if !ok || err != nil || !reflect.DeepEqual(again, m) {
		t.Fatalf("%q came back as %+v, %v, want %+v", line, again, err, m)
	}
}
