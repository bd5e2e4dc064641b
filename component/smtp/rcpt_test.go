package smtp_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/go-poe/poe/component/smtp"
)

func TestParseRcpt(t *testing.T) {
	b := smtp.Address{Local: "b", Domain: "y"}
	for _, c := range []struct {
		in   string
		utf8 bool
		want smtp.Rcpt
	}{
		{"TO:<b@y>", false, smtp.Rcpt{To: b}},
		{"to: <b@y>", false, smtp.Rcpt{To: b}},
		{"TO:<Postmaster>", false, smtp.Rcpt{To: smtp.Address{Local: "Postmaster"}}},
		{"TO:<@r.example,@s.example:b@y>", false, smtp.Rcpt{To: b}},
		{"TO:<b@y> NOTIFY=never", false,
			smtp.Rcpt{To: b, Params: smtp.RcptParams{Notify: smtp.NotifyNever}}},
		{"TO:<b@y> NOTIFY=Delay,SUCCESS,delay ORCPT=rfc822;b+2B@y", false,
			smtp.Rcpt{To: b, Params: smtp.RcptParams{
				Notify:   smtp.NotifySuccess | smtp.NotifyDelay,
				Original: smtp.OriginalRecipient{Type: "rfc822", Address: "b+@y"}}}},
		{`TO:<b@y> ORCPT=UTF-8;\x{FC}@y`, false,
			smtp.Rcpt{To: b, Params: smtp.RcptParams{
				Original: smtp.OriginalRecipient{Type: "UTF-8", Address: "ü@y"}}}},
		{"TO:<ü@y> ORCPT=utf-8;ü@y", true,
			smtp.Rcpt{To: smtp.Address{Local: "ü", Domain: "y"}, Params: smtp.RcptParams{
				Original: smtp.OriginalRecipient{Type: "utf-8", Address: "ü@y"}}}},
		{"TO:<b@y> XFOO", false,
			smtp.Rcpt{To: b, Params: smtp.RcptParams{Other: []smtp.Param{{Keyword: "XFOO"}}}}},
	} {
		got, err := smtp.ParseRcpt(c.in, smtp.EnvelopeOptions{Offered: offered, UTF8: c.utf8})
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("ParseRcpt(%q) = %+v, %v, want %+v", c.in, got, err, c.want)
		}
	}
}

func TestParseRcptRefuses(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", "501 5.5.4 Syntax: TO:<address>"},
		{"FROM:<b@y>", "501 5.5.4 Syntax: TO:<address>"},
		{"TO:<b@y>,<c@y>", "501 5.5.4 Syntax: TO:<address>"},
		{"TO:<>", "501 5.1.3 Bad recipient address: it is empty"},
		{"TO:b@y", "501 5.1.3 Bad recipient address: it does not begin with <"},
		{"TO:<root>", "501 5.1.3 Bad recipient address: the domain is missing"},
		{"TO:<b@c@y>",
			"501 5.1.3 Bad recipient address: the domain has a character that it may not have"},
		{"TO:<ü@y>", "553 5.6.7 Not ASCII, and SMTPUTF8 was not asked for"},
		{"TO:<b@y> ORCPT=utf-8;ü", "553 5.6.7 Not ASCII, and SMTPUTF8 was not asked for"},
		{"TO:<b@y> NOTIFY", "501 5.5.4 Parameter NOTIFY has a malformed value"},
		{"TO:<b@y> NOTIFY=NEVER,DELAY", "501 5.5.4 Parameter NOTIFY has a malformed value"},
		{"TO:<b@y> NOTIFY=DELAY,", "501 5.5.4 Parameter NOTIFY has a malformed value"},
		{"TO:<b@y> NOTIFY=SOON", "501 5.5.4 Parameter NOTIFY has a malformed value"},
		{"TO:<b@y> ORCPT=b@y", "501 5.5.4 Parameter ORCPT has a malformed value"},
		{"TO:<b@y> ORCPT=;b@y", "501 5.5.4 Parameter ORCPT has a malformed value"},
		{"TO:<b@y> ORCPT=rfc822;", "501 5.5.4 Parameter ORCPT has a malformed value"},
		{"TO:<b@y> ORCPT=rfc822;+0AX-Evil:", "501 5.5.4 Parameter ORCPT has a malformed value"},
		{`TO:<b@y> ORCPT=utf-8;\x{0A}`, "501 5.5.4 Parameter ORCPT has a malformed value"},
		{"TO:<b@y> ORCPT=rfc822;" + strings.Repeat("x", 494),
			"501 5.5.4 Parameter ORCPT has a malformed value"},
		{"TO:<b@y> SIZE=1", "555 5.5.4 Parameter SIZE is not offered"},
	} {
		ext := smtp.Extensions{smtp.ExtDSN: nil, smtp.ExtSMTPUTF8: nil}
		_, err := smtp.ParseRcpt(c.in, smtp.EnvelopeOptions{Offered: ext})
		if err == nil || err.Error() != c.want {
			t.Errorf("ParseRcpt(%.60q) gave %v, want %s", c.in, err, c.want)
		}
	}
}

func TestAppendRcpt(t *testing.T) {
	for _, c := range []struct {
		to     string
		params smtp.RcptParams
		want   string
	}{
		{"b@y", smtp.RcptParams{}, "RCPT TO:<b@y>\r\n"},
		{"b@y", smtp.RcptParams{SpaceAfterColon: true}, "RCPT TO: <b@y>\r\n"},
		{"b@y", smtp.RcptParams{
			Notify:   smtp.NotifySuccess | smtp.NotifyFailure | smtp.NotifyDelay,
			Original: smtp.OriginalRecipient{Address: "b+c@y"},
			Other:    []smtp.Param{{Keyword: "XFOO", Value: "1"}},
		}, "RCPT TO:<b@y> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;b+2Bc@y XFOO=1\r\n"},
		{"b@y", smtp.RcptParams{Original: smtp.OriginalRecipient{Address: "ü+c@y"}},
			`RCPT TO:<b@y> ORCPT=utf-8;\x{FC}\x{2B}c@y` + "\r\n"},
		{"b@y", smtp.RcptParams{Original: smtp.OriginalRecipient{Type: "X400", Address: "/C=DE/"}},
			"RCPT TO:<b@y> ORCPT=X400;/C+3DDE/\r\n"},
	} {
		got, err := smtp.AppendRcpt(nil, c.to, c.params)
		if err != nil || string(got) != c.want {
			t.Errorf("AppendRcpt(%q, %+v) = %q, %v, want %q", c.to, c.params, got, err, c.want)
		}
	}
}

func TestAppendRcptRefuses(t *testing.T) {
	for _, c := range []struct {
		field  string
		to     string
		params smtp.RcptParams
	}{
		{"RCPT TO", "b@y\r\nDATA", smtp.RcptParams{}},
		{"NOTIFY", "b@y", smtp.RcptParams{Notify: smtp.NotifyNever | smtp.NotifyDelay}},
		{"NOTIFY", "b@y", smtp.RcptParams{Notify: 1 << 4}},
		{"ORCPT", "b@y", smtp.RcptParams{Original: smtp.OriginalRecipient{Address: "a\nb"}}},
		{"ORCPT", "b@y", smtp.RcptParams{Original: smtp.OriginalRecipient{Type: "a b", Address: "c"}}},
		{"ORCPT", "b@y", smtp.RcptParams{
			Original: smtp.OriginalRecipient{Address: strings.Repeat("+", 165)}}},
		{"parameter", "b@y", smtp.RcptParams{Other: []smtp.Param{{Keyword: "\r\n"}}}},
	} {
		got, err := smtp.AppendRcpt([]byte("NOOP\r\n"), c.to, c.params)
		var bad *smtp.ValueError
		if !errors.As(err, &bad) || bad.Field != c.field || string(got) != "NOOP\r\n" {
			t.Errorf("AppendRcpt(%q, %+v) = %q, %v, want an error about %s",
				c.to, c.params, got, err, c.field)
		}
	}
}

// roundTripRcpt checks that a RCPT that is understood can be sent on. An original recipient that
// came in UTF-8 may be too long in the form that any server takes.
func roundTripRcpt(t *testing.T, arg string) {
	t.Helper()
	opts := smtp.EnvelopeOptions{Offered: offered, UTF8: true, LongLocal: true}
	r, err := smtp.ParseRcpt(arg, opts)
	if err != nil {
		wantRefusal(t, []byte(arg), err)
		return
	}
	line, err := smtp.AppendRcpt(nil, r.To.String(), r.Params)
	if err != nil {
		if smtp.NeedsUTF8(r.Params.Original.Address) && strings.HasSuffix(err.Error(), "it is too long") {
			return
		}
		t.Fatalf("AppendRcpt(%+v): %v", r, err)
	}
	arg, ok := strings.CutPrefix(strings.TrimSuffix(string(line), "\r\n"), "RCPT ")
	again, err := smtp.ParseRcpt(arg, opts)
	if !ok || err != nil || !reflect.DeepEqual(again, r) {
		t.Fatalf("%q came back as %+v, %v, want %+v", line, again, err, r)
	}
}
