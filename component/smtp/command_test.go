package smtp_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-poe/poe/component/smtp"
)

func TestParseCommand(t *testing.T) {
	for _, c := range []struct {
		in   string
		want smtp.Command
	}{
		{"QUIT", smtp.Command{Verb: smtp.VerbQUIT}},
		{"quit", smtp.Command{Verb: smtp.VerbQUIT}},
		{"QuIt ", smtp.Command{Verb: smtp.VerbQUIT}},
		{"STARTTLS\t", smtp.Command{Verb: smtp.VerbSTARTTLS}},
		{"ehlo  client.example \t ", smtp.Command{Verb: smtp.VerbEHLO, Arg: "client.example"}},
		{"EHLO\tx", smtp.Command{Verb: smtp.VerbEHLO, Arg: "x"}},
		{"MAIL FROM:<a@x> SIZE=1", smtp.Command{Verb: smtp.VerbMAIL, Arg: "FROM:<a@x> SIZE=1"}},
		{"VRFY jürgen", smtp.Command{Verb: smtp.VerbVRFY, Arg: "jürgen"}},
		{"xclient ADDR=192.0.2.1", smtp.Command{Verb: "XCLIENT", Arg: "ADDR=192.0.2.1"}},
		{"X-much-longer-word a", smtp.Command{Verb: "X-MUCH-LONGER-WORD", Arg: "a"}},
		{"GET / HTTP/1.1", smtp.Command{Verb: "GET", Arg: "/ HTTP/1.1"}},
		{"NOOP " + strings.Repeat("x", 505),
			smtp.Command{Verb: smtp.VerbNOOP, Arg: strings.Repeat("x", 505)}},
	} {
		if got, err := smtp.ParseCommand([]byte(c.in)); err != nil || got != c.want {
			t.Errorf("ParseCommand(%q) = %+v, %v, want %+v", c.in, got, err, c.want)
		}
	}
}

func TestParseCommandRefuses(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", "500 5.5.2 Command not recognized"},
		{" QUIT", "500 5.5.2 Command not recognized"},
		{"-X", "500 5.5.2 Command not recognized"},
		{"QUIT\r", "500 5.5.2 Command not recognized"},
		{"QUIT\x00", "500 5.5.2 Command not recognized"},
		{"\x16\x03\x01\x02", "500 5.5.2 Command not recognized"},
		{"MAIL:FROM <a@x>", "500 5.5.2 Command not recognized"},
		{"RSET\u00a0", "500 5.5.2 Command not recognized"},
		{"HELO a\rb", "500 5.5.2 Invalid character"},
		{"HELO a\nMAIL FROM:<b>", "500 5.5.2 Invalid character"},
		{"HELO a\x00", "500 5.5.2 Invalid character"},
		{"HELO \xff", "500 5.5.2 Invalid character"},
		{"NOOP " + strings.Repeat("x", 506), "500 5.5.2 Line too long"},
		{"MAIL " + strings.Repeat("x", 2042), "500 5.5.2 Line too long"},
		{"AUTH " + strings.Repeat("x", 12282), "500 5.5.2 Line too long"},
		{strings.Repeat("A", 1<<20), "500 5.5.2 Line too long"},
	} {
		if got, err := smtp.ParseCommand([]byte(c.in)); err == nil || err.Error() != c.want {
			t.Errorf("ParseCommand(%.40q) = %+v, %v, want %s", c.in, got, err, c.want)
		}
	}
}

func TestCommandCheck(t *testing.T) {
	for in, want := range map[string]string{
		"HELO":       "501 5.5.4 HELO needs an argument",
		"EHLO":       "501 5.5.4 EHLO needs an argument",
		"MAIL":       "501 5.5.4 MAIL needs an argument",
		"AUTH":       "501 5.5.4 AUTH needs an argument",
		"DATA x":     "501 5.5.4 DATA takes no argument",
		"STARTTLS x": "501 5.5.4 STARTTLS takes no argument",
		"HELO x":     "",
		"DATA":       "",
		"HELP":       "",
		"HELP me":    "",
		"NOOP":       "",
		"NOOP x":     "",
		"XYZ":        "",
		"XYZ x":      "",
	} {
		c, err := smtp.ParseCommand([]byte(in))
		if err != nil {
			t.Fatalf("ParseCommand(%q): %v", in, err)
		}
		got := ""
		if err := c.Check(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("Check of %q is %q, want %q", in, got, want)
		}
	}
}

func TestEndsGroup(t *testing.T) {
	for v, want := range map[smtp.Verb]bool{
		smtp.VerbMAIL: false, smtp.VerbRCPT: false, smtp.VerbRSET: false, smtp.VerbBDAT: false,
		smtp.VerbEHLO: true, smtp.VerbDATA: true, smtp.VerbVRFY: true, smtp.VerbEXPN: true,
		smtp.VerbQUIT: true, smtp.VerbNOOP: true, smtp.VerbSTARTTLS: true, smtp.VerbAUTH: true,
		"XCLIENT": true,
	} {
		if got := v.EndsGroup(); got != want {
			t.Errorf("%s ends a group: %v, want %v", v, got, want)
		}
	}
}

func TestAppendCommand(t *testing.T) {
	line := smtp.AppendVerb(nil, smtp.VerbDATA)
	line, err := smtp.AppendHello(line, smtp.VerbEHLO, "client.example")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		verb smtp.Verb
		arg  string
	}{
		{smtp.VerbVRFY, "jürgen"}, {smtp.VerbNOOP, ""}, {smtp.VerbHELP, "MAIL"},
		{"XCLIENT", "ADDR=192.0.2.1"},
	} {
		if line, err = smtp.AppendCommand(line, c.verb, c.arg); err != nil {
			t.Fatal(err)
		}
	}
	want := "DATA\r\nEHLO client.example\r\nVRFY jürgen\r\nNOOP\r\nHELP MAIL\r\n" +
		"XCLIENT ADDR=192.0.2.1\r\n"
	if string(line) != want {
		t.Errorf("got %q, want %q", line, want)
	}
}

func TestAppendCommandRefuses(t *testing.T) {
	hello := func(dst []byte, host string) ([]byte, error) {
		return smtp.AppendHello(dst, smtp.VerbHELO, host)
	}
	vrfy := func(dst []byte, arg string) ([]byte, error) {
		return smtp.AppendCommand(dst, smtp.VerbVRFY, arg)
	}
	for _, c := range []struct {
		name string
		add  func(dst []byte, arg string) ([]byte, error)
		arg  string
	}{
		{"hello", hello, ""},
		{"hello", hello, "client\r\nNOOP"},
		{"hello", hello, "a b"},
		{"vrfy", vrfy, "a\r\nRSET"},
		{"vrfy", vrfy, "a\x00"},
		{"vrfy", vrfy, strings.Repeat("x", 506)},
	} {
		got, err := c.add([]byte("NOOP\r\n"), c.arg)
		var bad *smtp.ValueError
		if !errors.As(err, &bad) || bad.Value != c.arg || string(got) != "NOOP\r\n" {
			t.Errorf("%s(%.40q) = %q, %v, want an error and no line", c.name, c.arg, got, err)
		}
	}
}

// A sender's whole envelope is written without allocating anything.
func TestAppendAllocates(t *testing.T) {
	dst := make([]byte, 0, 4096)
	params := smtp.MailParams{Size: 1 << 20, Body: smtp.Body8BitMIME, Return: smtp.ReturnHeaders,
		EnvelopeID: "id+1", Auth: "<>", UTF8: true, RequireTLS: true}
	rcpt := smtp.RcptParams{Notify: smtp.NotifyFailure | smtp.NotifyDelay,
		Original: smtp.OriginalRecipient{Address: "b@y"}}
	n := testing.AllocsPerRun(100, func() {
		line, err1 := smtp.AppendHello(dst[:0], smtp.VerbEHLO, "client.example")
		line, err2 := smtp.AppendMail(line, "a@x.example", params)
		line, err3 := smtp.AppendRcpt(line, "b@y.example", rcpt)
		line, err4 := smtp.AppendCommand(line, smtp.VerbVRFY, "b")
		line = smtp.AppendBDAT(line, 1<<20, true)
		line = smtp.AppendVerb(line, smtp.VerbQUIT)
		if err := errors.Join(err1, err2, err3, err4); err != nil || &line[0] != &dst[:1][0] {
			t.Errorf("%q: %v", line, err)
		}
	})
	if n != 0 {
		t.Errorf("writing the commands cost %v allocations, want 0", n)
	}
}

// A command costs its argument, and one without an argument nothing.
func TestParseCommandAllocates(t *testing.T) {
	for in, want := range map[string]float64{"noop": 0, "MAIL FROM:<a@x.example>": 1} {
		line := []byte(in)
		n := testing.AllocsPerRun(100, func() {
			c, err := smtp.ParseCommand(line)
			if err == nil && c.Verb == smtp.VerbMAIL {
				_, err = smtp.ParseMail(c.Arg, smtp.EnvelopeOptions{})
			}
			if err != nil {
				t.Error(err)
			}
		})
		if n != want {
			t.Errorf("%q cost %v allocations, want %v", in, n, want)
		}
	}
}

// Every line is a command or has a reply that refuses it, and what was understood of a MAIL or RCPT
// can be sent on and is understood the same again.
func FuzzParseCommand(f *testing.F) {
	for _, s := range []string{
		"QUIT", "ehlo x", "MAIL FROM:<a@x> SIZE=10 BODY=8BITMIME RET=HDRS ENVID=a+2Bb AUTH=<> SMTPUTF8",
		"RCPT TO: <b@y> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+2B@y", "RCPT TO:<@a:\"b c\"@[IPv6:::1]>",
		"RCPT TO:<ü@y> ORCPT=utf-8;\\x{FC}@y", "AUTH PLAIN AHUAcA==", "AUTH x =", "BDAT 10 LAST",
		"MAIL FROM:<> REQUIRETLS XFOO=a=b", "RCPT TO:<postmaster>", "MAIL FROM:<a\x00@x>",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		c, err := smtp.ParseCommand(line)
		if err != nil {
			wantRefusal(t, line, err)
			return
		}
		sent, err := smtp.AppendCommand(nil, c.Verb, c.Arg)
		if err != nil {
			t.Fatalf("AppendCommand(%+v): %v", c, err)
		}
		again, err := smtp.ParseCommand([]byte(strings.TrimSuffix(string(sent), "\r\n")))
		if err != nil || again != c {
			t.Fatalf("%q came back as %+v, %v, want %+v", sent, again, err, c)
		}
		if err := c.Check(); err != nil {
			wantRefusal(t, line, err)
			return
		}
		switch c.Verb {
		case smtp.VerbMAIL:
			roundTripMail(t, c.Arg)
		case smtp.VerbRCPT:
			roundTripRcpt(t, c.Arg)
		case smtp.VerbBDAT:
			if _, _, err := smtp.ParseBDAT(c.Arg); err != nil {
				wantRefusal(t, line, err)
			}
		case smtp.VerbAUTH:
			roundTripAuth(t, c.Arg)
		}
	})
}

// wantRefusal checks that err is a reply that can be sent, in one line.
func wantRefusal(t *testing.T, line []byte, err error) {
	t.Helper()
	var r *smtp.Reply
	if !errors.As(err, &r) || !r.Permanent() {
		t.Fatalf("%q got %v, which is not a reply", line, err)
	}
	if got := parse(t, r.Append(nil)); got.Code != r.Code || len(got.Lines) != 1 {
		t.Fatalf("%q got %+v, which was read as %+v", line, r, got)
	}
}
