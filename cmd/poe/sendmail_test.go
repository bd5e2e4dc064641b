package main

import (
	"bufio"
	"io"
	"net/mail"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A message in the manner of sendmail gets what it lacks, and loses Bcc.
func TestSendmail(t *testing.T) {
	s := (&testServer{}).start(t)
	t.Setenv(accountsVariable, writeFile(t, "accounts", []byte("server "+s.addr+"\n")))
	o := poe("From root Mon\nTo: Me <b@example.com>, root\nBcc: c@example.com\n\nhi\n.\nnot this\n",
		"sendmail", "-t", "-f", "a@example.com", "-FJürgen Z", "-oem", "-N", "never", "-R", "hdrs", "x@y")
	o.want(t, exitUnavailable, "DSN")
	s = (&testServer{offers: []string{"DSN"}}).start(t)
	t.Setenv(accountsVariable, writeFile(t, "accounts", []byte("server "+s.addr+"\n")))
	o = poe("From root Mon\nTo: Me <b@example.com>, root\nBcc: c@example.com\n\nhi\n.\nnot this\n",
		"sendmail", "-t", "-f", "a@example.com", "-FJürgen Z", "-oem", "-Nnever", "-R", "hdrs", "x@y")
	o.want(t, exitOK, "")
	for _, command := range []string{
		"MAIL FROM:<a@example.com> RET=HDRS", "RCPT TO:<x@y> NOTIFY=NEVER",
		"RCPT TO:<b@example.com> NOTIFY=NEVER", "RCPT TO:<c@example.com> NOTIFY=NEVER",
		"RCPT TO:<root@" + ownName() + "> NOTIFY=NEVER",
	} {
		if !s.got(command) {
			t.Errorf("the server got %q, want %q among them", s.commands, command)
		}
	}
	text := s.received()[0]
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	from, err := m.Header.AddressList("From")
	_, dateErr := m.Header.Date()
	if err != nil || dateErr != nil || from[0].Name != "Jürgen Z" || from[0].Address != "a@example.com" ||
		m.Header.Get("Bcc") != "" ||
		!regexp.MustCompile(`^<.+@.+>$`).MatchString(m.Header.Get("Message-Id")) ||
		!strings.HasPrefix(text, "To: Me") || !strings.HasSuffix(text, "\r\n\r\nhi\r\n") {
		t.Errorf("the message is %q", text)
	}
}

// What is there already stays, and with -i a dot does.
func TestSendmailLeavesAlone(t *testing.T) {
	s := (&testServer{}).start(t)
	const text = "Date: d\nFrom: f\nmessage-id: m\nTo: someone else\n\n.\nend\n"
	log := filepath.Join(t.TempDir(), "log")
	for _, args := range [][]string{
		{"-i", "-f", "<>"}, {"-oi", "-f", ""}, {"-tif<>", "-X", log, "-O", "X=y"},
	} {
		poe(text, append([]string{"sendmail", "--server", s.addr}, append(args, "b@example.com")...)...).
			want(t, exitOK, "")
	}
	want := strings.ReplaceAll(text, "\n", "\r\n")
	if got := s.received(); len(got) != 3 || got[0] != want || got[1] != want || got[2] != want {
		t.Errorf("got %q, want %q three times", got, want)
	}
	if !s.got("MAIL FROM:<>") {
		t.Errorf("the sender is not null: %q", s.commands)
	}
	o := poe("x\n", "sendmail", "--server="+s.addr, "-v", "b@example.com")
	if o.status != exitOK || !strings.Contains(o.stderr, "C: MAIL FROM:<"+ownUser().address+"@") {
		t.Errorf("exit status %d, stderr %q", o.status, o.stderr)
	}
}

// What is not asked for a message is answered, or refused.
func TestSendmailModes(t *testing.T) {
	for _, test := range []struct {
		args   string
		status int
		stdout string
		stderr string
	}{
		{"-bp", exitOK, "Mail queue is empty\n", ""},
		{"-bi", exitOK, "", ""},
		{"-I", exitOK, "", ""},
		{"-bs", exitUsage, "", "poe sink"},
		{"-bd -q1h", exitUsage, "", "poe sink"},
		{"-q", exitUsage, "", "no queue"},
		{"-bv a", exitUsage, "", "-bv"},
		{"-bt", exitUsage, "", "-bt"},
		{"-Z", exitUsage, "", "-Z"},
		{"-f", exitUsage, "", "-f has no value"},
		{"-N sometimes a@b", exitUsage, "", "sometimes"},
		{"--no-such a@b", exitUsage, "", "no-such"},
		{"-oi", exitUsage, "", "-t takes those"},
	} {
		o := poe("", strings.Fields("sendmail "+test.args)...)
		o.want(t, test.status, test.stderr)
		if o.stdout != test.stdout {
			t.Errorf("%s printed %q, want %q", test.args, o.stdout, test.stdout)
		}
	}
	if o := poe("", "sendmail", "--help"); o.status != exitOK || !strings.Contains(o.stdout, "-bp") {
		t.Errorf("the help is %q", o.stdout)
	}
}

// Addresses are found in what people and programs put into To.
func TestHeaderAddresses(t *testing.T) {
	for in, want := range map[string][]string{
		"":                                nil,
		" , ;":                            nil,
		"a@x":                             {"a@x"},
		"root, b@x":                       {"root", "b@x"},
		"Me <a@x>, \"You, too\" <b@x>":    {"a@x", "b@x"},
		"a@x (home, (really)), b@x (\\))": {"a@x", "b@x"},
		"friends: a@x, B <b@x>; c@x":      {"a@x", "b@x", "c@x"},
		"undisclosed-recipients:;":        nil,
		"<@r1,@r2:a@x>":                   {"a@x"},
		"\"a b\"@x":                       {"\"a b\"@x"},
		"\"a\\\"b\"@x, c@x":               {"\"a\\\"b\"@x", "c@x"},
		"a@x,\r\n b@x":                    {"a@x", "b@x"},
		"Me <a@[IPv6:::1]>":               {"a@[IPv6:::1]"},
		"(unclosed a@x":                   nil,
		"\"unclosed a@x":                  {"\"unclosed a@x"},
	} {
		if got := headerAddresses(in); !slices.Equal(got, want) {
			t.Errorf("headerAddresses(%q) = %q, want %q", in, got, want)
		}
	}
}

// A header ends where the body begins, whatever kind of header it is.
func TestReadHeader(t *testing.T) {
	for _, test := range []struct {
		in     string
		fields int
		top    string
		body   string
	}{
		{"", 0, "\r\n", ""},
		{"\nbody", 0, "\r\n", "body"},
		{"A: b\n\nbody", 1, "A: b\n\r\n", "body"},
		{"A: b\r\n c\r\n\r\nbody", 1, "A: b\r\n c\r\n\r\n", "body"},
		{"A: b", 1, "A: b\r\n\r\n", ""},
		{"A: b\nC :d\nbody", 2, "A: b\nC :d\n\r\n", "body"},
		{"just a body\n", 0, "\r\n", "just a body\n"},
		{" folded\n", 0, "\r\n", " folded\n"},
		{"From me\nA: b\n\n", 1, "A: b\n\r\n", ""},
		{">From me\nA: b\n\n", 1, "A: b\n\r\n", ""},
		{"A: b\nFrom me\n", 1, "A: b\n\r\n", "From me\n"},
	} {
		in := bufio.NewReader(strings.NewReader(test.in))
		h, err := readHeader(in)
		if err != nil {
			t.Errorf("readHeader(%q): %v", test.in, err)
			continue
		}
		body, err := io.ReadAll(in)
		if err != nil || len(h.fields) != test.fields || string(h.bytes()) != test.top ||
			string(body) != test.body {
			t.Errorf("readHeader(%q) has %d fields, %q and %q, %v", test.in, len(h.fields), h.bytes(),
				body, err)
		}
	}
	long := "A: " + strings.Repeat("x", maxHeader)
	if _, err := readHeader(bufio.NewReader(strings.NewReader(long))); err != errHeaderTooLong {
		t.Errorf("a header of %d octets: %v", len(long), err)
	}
}

// A message that is sent again goes to those to whom it is sent again.
func TestResent(t *testing.T) {
	h, err := readHeader(bufio.NewReader(strings.NewReader(
		"Resent-To: b@x\nResent-Bcc: c@x\nTo: a@x\nBcc: d@x\n\n")))
	if err != nil {
		t.Fatal(err)
	}
	if to := h.takeRecipients("h"); !slices.Equal(to, []string{"b@x", "c@x"}) ||
		string(h.bytes()) != "Resent-To: b@x\nTo: a@x\n\r\n" {
		t.Errorf("it goes to %q, with %q", to, h.bytes())
	}
}

// A lone dot ends a message, wherever the reads end, and nothing else does.
func TestUntilDot(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for in, want := range map[string]string{
		"":                       "",
		"a":                      "a",
		"a\n.\nb":                "a\n",
		"a\r\n.\r\nb":            "a\r\n",
		"a\n.":                   "a\n",
		"a\n..\n. \n.b\n":        "a\n..\n. \n.b\n",
		".\na":                   "",
		long[:4096] + ".\na\n":   long[:4096] + ".\na\n",
		long + "\n.\n" + "after": long + "\n",
	} {
		got, err := io.ReadAll(newUntilDot(strings.NewReader(in)))
		if err != nil || string(got) != want {
			t.Errorf("%.20q became %.20q, %v, want %.20q", in, got, err, want)
		}
	}
}

// FuzzHeader checks that whatever the message, its header and its body are all of it, and that what
// is taken for an address stays in its line.
func FuzzHeader(f *testing.F) {
	f.Add("A: b\r\n c\n\nbody")
	f.Add("To: \"a, b\" <c@d>, (e) f;\n\n")
	f.Add("To:\"\r0")
	f.Fuzz(func(t *testing.T, text string) {
		in := bufio.NewReader(strings.NewReader(text))
		h, err := readHeader(in)
		if err != nil {
			return
		}
		body, err := io.ReadAll(in)
		if err != nil || !strings.HasSuffix(text, string(body)) {
			t.Fatalf("the body of %q is %q, %v", text, body, err)
		}
		again, err := readHeader(bufio.NewReader(strings.NewReader(string(h.bytes()))))
		if err != nil || string(again.bytes()) != string(h.bytes()) {
			t.Errorf("the header %q became %q, %v", h.bytes(), again.bytes(), err)
		}
		for _, to := range h.takeRecipients("x") {
			if strings.ContainsAny(to, "\r\n") {
				t.Errorf("an address is %q", to)
			}
		}
	})
}
