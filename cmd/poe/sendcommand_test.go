package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sendArgs is a command line to a server, with what a test adds.
func sendArgs(s *testServer, more ...string) []string {
	return append([]string{"send", "--server", s.addr, "--from", "a@example.com", "--to",
		"b@example.com"}, more...)
}

// A message is put together: its recipients see each other, but for those in Bcc, and get what is
// attached.
func TestCompose(t *testing.T) {
	s := (&testServer{}).start(t)
	plans := writeFile(t, "plans.bin", []byte{0, 1, 2, 255})
	poe("Grüße.\n", sendArgs(s, "--to", "Carl Ä <c@example.com>", "--cc", "d@example.com", "--bcc",
		"e@example.com", "--subject", "Größe", "--header", "X-Why: because", "--attach", plans)...).
		want(t, exitOK, "")
	for _, to := range []string{"b", "c", "d", "e"} {
		if !s.got("RCPT TO:<" + to + "@example.com>") {
			t.Errorf("%s is no recipient: %q", to, s.commands)
		}
	}
	m, err := mail.ReadMessage(strings.NewReader(s.received()[0]))
	if err != nil {
		t.Fatal(err)
	}
	subject, _ := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	to, err := m.Header.AddressList("To")
	if err != nil || len(to) != 2 || to[1].Name != "Carl Ä" || subject != "Größe" ||
		m.Header.Get("From") != "<a@example.com>" || m.Header.Get("Cc") != "<d@example.com>" ||
		m.Header.Get("Bcc") != "" || m.Header.Get("X-Why") != "because" ||
		m.Header.Get("Date") == "" || m.Header.Get("Message-Id") == "" {
		t.Errorf("the header is %q; To is %v, %v", m.Header, to, err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, want := range []string{"Grüße.\r\n", "\x00\x01\x02\xff"} {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(part)
		if part.FileName() != "" {
			text = decode(t, string(text))
		}
		if err != nil || string(text) != want {
			t.Errorf("a part is %q, %v, want %q", text, err, want)
		}
	}
}

// A body without anything special goes as it is, and fields that are given replace ours.
func TestComposeFields(t *testing.T) {
	s := (&testServer{}).start(t)
	poe("", "send", "--server", s.addr, "--from", "<>", "--to", "b@example.com", "--body", "<p>hi</p>",
		"--header", "From: Böss <boss@example.com>", "--header", "To: friends:;",
		"--header", "Subject: s", "--header", "Message-ID: <1@x>", "--header", "Date: today",
		"--header", "Content-Type: text/html").want(t, exitOK, "")
	text := s.received()[0]
	for _, want := range []string{
		"From: =?utf-8?q?B=C3=B6ss?= <boss@example.com>\r\n", "To: friends:;\r\n", "Subject: s\r\n",
		"Message-ID: <1@x>\r\n", "Date: today\r\n", "Content-Type: text/html; charset=UTF-8\r\n",
		"Content-Transfer-Encoding: 7bit\r\n", "\r\n\r\n<p>hi</p>\r\n",
	} {
		if strings.Count(text, want) != 1 {
			t.Errorf("the message is %q, want %q in it once", text, want)
		}
	}
}

// What cannot be put together is refused, before anything is sent.
func TestComposeRefuses(t *testing.T) {
	large := writeFile(t, "large", nil)
	if err := os.Truncate(large, maxComposed+1); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args   []string
		status int
		text   string
	}{
		{[]string{"--subject", "a\nBcc: b"}, exitData, "line end"},
		{[]string{"--header", "X: a\r\nBcc: b"}, exitData, "line end"},
		{[]string{"--header", "X"}, exitUsage, "NAME: VALUE"},
		{[]string{"--header", "A B: c"}, exitUsage, "NAME: VALUE"},
		{[]string{"--header", "MIME-Version: 2"}, exitUsage, "for the program"},
		{[]string{"--header", "Content-Type: image/png"}, exitUsage, "text/html"},
		{[]string{"--header", "To: ä"}, exitUsage, "--header To"},
		{[]string{"--from", "<>", "--subject", "x"}, exitUsage, "From: NAME"},
		{[]string{"--body", "a", "--body-file", "b"}, exitUsage, "--body"},
		{[]string{"--body-file", "/no/such/file"}, exitNoInput, "/no/such/file"},
		{[]string{"--attach", "/no/such/file"}, exitNoInput, "/no/such/file"},
		{[]string{"--attach", "/"}, exitNoInput, "no file"},
		{[]string{"--attach", large}, exitData, "--file"},
		{[]string{"--body-file", large}, exitData, "--file"},
		{[]string{"--subject", "x", "--file", large}, exitUsage, "ready"},
		{[]string{"--subject", "x", "-t"}, exitUsage, "ready"},
		{[]string{"--cc", "a <b <c>>"}, exitUsage, "not an address"},
	} {
		s := &testServer{addr: "localhost:1"}
		poe("", sendArgs(s, test.args...)...).want(t, test.status, test.text)
	}
}

// makeMaildir makes a Maildir with two messages, and another file with a mailbox of two.
func makeMessages(t *testing.T) (maildir, mbox string) {
	t.Helper()
	maildir = t.TempDir()
	for name, text := range map[string]string{
		"new/1": "Subject: one\n\n1", "cur/2:2,S": "Subject: two\n\n2", "new/.hidden": "x", "tmp/3": "x",
	} {
		name = filepath.Join(maildir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mbox = writeFile(t, "mbox", []byte("From a Mon\nSubject: three\n\n>From me\n>>From you\nFrom x\n\n"+
		"From b Tue\r\nSubject: four\r\n\r\n4\r\n\r\n"))
	return maildir, mbox
}

// Messages of a Maildir, a mailbox file and standard input go by a few connections, and each has a
// line of JSON.
func TestSendMany(t *testing.T) {
	s := (&testServer{}).start(t)
	maildir, mbox := makeMessages(t)
	o := poe("Subject: five\n", sendArgs(s, "--connections", "2", "--json", maildir, mbox, "-")...)
	o.want(t, exitOK, "sent 5 messages, 107 octets\n")
	want := []string{
		"Subject: five\r\n", "Subject: four\r\n\r\n4\r\n", "Subject: one\r\n\r\n1\r\n",
		"Subject: three\r\n\r\nFrom me\r\n>From you\r\nFrom x\r\n", "Subject: two\r\n\r\n2\r\n",
	}
	if got := s.received(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if s.conns > 2 {
		t.Errorf("there were %d connections, want 2 at the most", s.conns)
	}
	var names []string
	for line := range strings.Lines(o.stdout) { // in the order of the results
		var r sendResult
		if err := json.Unmarshal([]byte(line), &r); err != nil || !r.OK ||
			r.Tries != 1 || r.QueueID != "Q1" ||
			len(r.Recipients) != 1 || r.Recipients[0].Verdict != "accepted" ||
			r.Recipients[0].Code != 250 || r.Recipients[0].Enhanced != "2.1.5" {
			t.Errorf("a result is %s, %v", line, err)
		}
		names = append(names, r.File)
	}
	slices.Sort(names)
	if all := strings.Join(names, " "); all != strings.Join([]string{maildir + "/cur/2:2,S",
		maildir + "/new/1", mbox + ":1", mbox + ":2", "standard input"}, " ") {
		t.Errorf("the results are of %q", all)
	}
}

// What goes wrong with some of many messages is a line each, and the others arrive.
func TestSendManyFails(t *testing.T) {
	s := (&testServer{replies: map[string]string{
		"RCPT TO:<later@": "450 4.2.0 later", "RCPT TO:<never@": "550 5.1.1 never",
	}}).start(t)
	good := writeFile(t, "good", []byte("To: good@x, Me <good@x>\nBcc:\n secret@x\n\nhi"))
	later := writeFile(t, "later", []byte("To: later@x\n\n"))
	never := writeFile(t, "never", []byte("To: never@x\n\n"))
	nobody := writeFile(t, "nobody", []byte("Subject: x\n\n"))
	args := []string{"send", "--server", s.addr, "--from", "<>", "-t", "--connections", "1"}
	for _, test := range []struct {
		files  []string
		status int
		lines  []string
	}{
		{[]string{good, later}, exitTempFail, []string{later + ": 127.0.0.1", "450 4.2.0 later",
			"sent 1 of 2 messages, 42 octets; 1 failed"}},
		{[]string{good, later, never}, exitUnavailable, []string{"550 5.1.1", "; 2 failed"}},
		{[]string{nobody, nobody}, exitData, []string{"there is no recipient", "sent 0 of 2"}},
	} {
		o := poe("", append(args, test.files...)...)
		if o.status != test.status {
			t.Errorf("%q: exit status %d, want %d", test.files, o.status, test.status)
		}
		for _, line := range test.lines {
			if !strings.Contains(o.stderr, line) {
				t.Errorf("stderr is %q, want %q in it", o.stderr, line)
			}
		}
	}
	if texts := s.received(); len(texts) != 2 || texts[0] != "To: good@x, Me <good@x>\r\n\r\nhi\r\n" {
		t.Errorf("arrived are %q", texts)
	}
	if !s.got("RCPT TO:<secret@x>") {
		t.Errorf("the one in Bcc was no recipient: %q", s.commands)
	}
}

// What cannot be read is named.
func TestSendUnreadable(t *testing.T) {
	folder, empty := t.TempDir(), t.TempDir()
	for _, sub := range []string{"new", "cur"} {
		if err := os.Mkdir(filepath.Join(empty, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s := &testServer{addr: "localhost:1"}
	for text, files := range map[string][]string{
		"cannot read /no/such/file: no such file": {"/no/such/file"},
		folder + " is a folder, but no Maildir":   {folder},
		"there is no message in " + empty:         {empty},
	} {
		poe("", sendArgs(s, files...)...).want(t, exitNoInput, text)
	}
	poe("", sendArgs(s, "-", "-")...).want(t, exitUsage, "named twice")
}

// A message that is refused for now is tried again, if that is asked for, also one from a pipe.
func TestSendRetries(t *testing.T) {
	s := (&testServer{replies: map[string]string{".": "451 4.3.0 later|"}}).start(t)
	args := sendArgs(s, "--json", "--retry", "1", "--retry-after", "1ms")
	o := poe("hi", args...)
	o.want(t, exitOK, "")
	if texts := s.received(); !strings.Contains(o.stdout, `"tries":2`) ||
		!slices.Equal(texts, []string{"hi\r\n", "hi\r\n"}) {
		t.Errorf("printed %s; the server got %q", o.stdout, texts)
	}
}

// Messages on their way arrive after an interruption; no others are begun. The second interruption
// ends those too.
func TestSendManyInterrupted(t *testing.T) {
	var files []string
	for i := range 10 {
		files = append(files, writeFile(t, fmt.Sprint(i), []byte("hi")))
	}
	for _, test := range []struct {
		name  string
		twice bool
		text  string
	}{
		{"once", false, "interrupted after 2 of 10 messages, 4 octets"},
		{"twice", true, "interrupted after 0 of 10 messages, 0 octets"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := (&testServer{held: make(chan struct{}, 10), release: make(chan struct{})}).start(t)
			send := startPoeWatched(t, sendArgs(s, append([]string{"--connections", "1"}, files...)...)...)
			<-s.held
			interrupt(t)
			if line := send.line(t); !strings.Contains(line, "waiting for the 2 messages") {
				t.Errorf("the interruption is answered by %q", line)
			}
			if test.twice {
				interrupt(t)
				defer close(s.release)
			} else {
				s.release <- struct{}{}
				<-s.held
				close(s.release)
			}
			last := ""
			for line := range strings.Lines(send.rest(t)) {
				last = line
			}
			if status := <-send.status; status != exitInterrupted || !strings.Contains(last, test.text) {
				t.Errorf("exit status %d and %q, want %q", status, last, test.text)
			}
		})
	}
}

// A watched is a command whose standard error the test reads while it runs.
type watched struct {
	stderr *bufio.Reader
	status chan int
}

func startPoeWatched(t *testing.T, args ...string) *watched {
	t.Helper()
	r, w := io.Pipe()
	watch := &watched{stderr: bufio.NewReader(r), status: make(chan int, 1)}
	go func() {
		status := run(args, strings.NewReader(""), io.Discard, w)
		_ = w.Close()
		watch.status <- status
	}()
	return watch
}

func (w *watched) line(t *testing.T) string {
	t.Helper()
	line, err := w.stderr.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func (w *watched) rest(t *testing.T) string {
	t.Helper()
	rest, err := io.ReadAll(w.stderr)
	if err != nil {
		t.Fatal(err)
	}
	return string(rest)
}

// The certificate matters where it is asked for, and what may help is said.
func TestSendTLS(t *testing.T) {
	id := newTestIdentity(t)
	pool := x509.NewCertPool()
	pool.AddCert(id.leaf(t))
	config := &tls.Config{Certificates: []tls.Certificate{id.pair}, ClientCAs: pool,
		ClientAuth: tls.VerifyClientCertIfGiven}
	for _, test := range []struct {
		name     string
		implicit bool
		args     []string
		status   int
		text     string
	}{
		{"an authority", false, []string{"--tls", "required", "--ca", id.cert,
			"--tls-server-name", "localhost"}, exitOK, ""},
		{"an authority, implicit", true, []string{"--tls", "implicit", "--ca", id.cert,
			"--tls-server-name", "localhost"}, exitOK, ""},
		{"a client's certificate", false, []string{"--tls", "required", "--ca", id.cert, "--cert",
			id.cert, "--key", id.key, "--tls-server-name", "localhost"}, exitOK, ""},
		{"any", false, []string{"--tls", "required", "--insecure"}, exitOK,
			"poe send: warning: the server's certificate is not checked\n"},
		{"another name", false, []string{"--tls", "required", "--ca", id.cert},
			exitUnavailable, "--tls-server-name NAME"},
		{"unknown", false, []string{"--tls", "required"}, exitUnavailable, "--ca FILE"},
		{"implicit, and the server is not", false, []string{"--tls", "implicit"}, exitProtocol,
			"--tls required is for STARTTLS"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := (&testServer{tls: config, implicit: test.implicit}).start(t)
			o := poe("hi", sendArgs(s, append(test.args, "--json")...)...)
			o.want(t, test.status, test.text)
			if test.status == exitOK && !strings.Contains(o.stdout, `"tls":{"version":"TLS 1.3"`) {
				t.Errorf("printed %s, want the version of TLS", o.stdout)
			}
		})
	}
	s := (&testServer{tls: config}).start(t)
	if o := poe("hi", sendArgs(s, "--json")...); !strings.Contains(o.stdout, `"tls":{}`) {
		t.Errorf("opportunistic TLS prints %s", o.stdout)
	}
	plain := (&testServer{}).start(t)
	poe("hi", sendArgs(plain, "--tls", "required")...).want(t, exitUnavailable, "no TLS")
	if o := poe("hi", sendArgs(plain, "--json")...); strings.Contains(o.stdout, `"tls"`) {
		t.Errorf("no TLS prints %s", o.stdout)
	}
}

// The password comes from where it is said to be, and a wrong one has a status of its own. It is in
// no log.
func TestSendAuth(t *testing.T) {
	const right = "AG1lAHNlY3JldA==" // NUL me NUL secret
	s := (&testServer{auth: right}).start(t)
	file := writeFile(t, "password", []byte("secret\r\nmore"))
	log := filepath.Join(t.TempDir(), "log")
	t.Setenv("MY_PASSWORD", "secret")
	for _, args := range [][]string{
		{"--password-file", file}, {"--password-env", "MY_PASSWORD"}, {"--password", "secret"},
		{"--auth-password", "secret", "--auth", "plain"}, {"--password", "secret", "--compat"},
	} {
		poe("hi", sendArgs(s, append(args, "--user", "me", "--log-file", log, "--auth", "plain")...)...).
			want(t, exitOK, "")
	}
	text, err := os.ReadFile(log)
	if err != nil || bytes.Count(text, []byte("C: AUTH PLAIN *")) != 5 ||
		bytes.Contains(text, []byte(right)) {
		t.Errorf("the log is %q, %v", text, err)
	}
	poe("hi", sendArgs(s, "--user", "me", "--password", "wrong")...).
		want(t, exitNoPerm, "refused to authenticate: 535 5.7.8")
	wants := (&testServer{replies: map[string]string{"MAIL": "530 5.7.0 first"}}).start(t)
	poe("hi", sendArgs(wants)...).want(t, exitNoPerm, "--user")
	empty := writeFile(t, "empty", nil)
	poe("hi", sendArgs(s, "--user", "me", "--password-file", empty)...).
		want(t, exitNoInput, "no password in "+empty)
	poe("hi", sendArgs(s, "--user", "me", "--password-file", "/no/such")...).
		want(t, exitNoInput, "/no/such")
	poe("hi", sendArgs(s, "--user", "me", "--password-env", "NO_SUCH")...).
		want(t, exitUsage, "$NO_SUCH")
	poe("hi", sendArgs(s, "--user", "me", "--auth", "xoauth2")...).want(t, exitUsage, "--token-file")
	poe("hi", sendArgs(s, "--auth", "plain")...).want(t, exitUsage, "--user")
}

// LMTP, through a socket, has a verdict for each recipient.
func TestSendLMTP(t *testing.T) {
	s := (&testServer{network: "unix", lmtp: true}).start(t)
	o := poe("hi", sendArgs(s, "--protocol", "lmtp", "--to", "c@example.com", "--json")...)
	o.want(t, exitOK, "")
	if !s.got("LHLO "+ownName()) || strings.Count(o.stdout, `"verdict":"accepted"`) != 2 {
		t.Errorf("printed %s after %q", o.stdout, s.commands)
	}
	poe("hi", sendArgs(s, "--port", "24")...).want(t, exitUsage, "path of a socket")
}

// A message that is delivered is not called undelivered because nobody can be told.
func TestSendCannotPrint(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("there is no /dev/full")
	}
	defer full.Close()
	s := (&testServer{replies: map[string]string{"MAIL FROM:<never@": "550 5.7.1 never"}}).start(t)
	var stderr strings.Builder
	status := run(sendArgs(s, "--json"), strings.NewReader("hi"), full, &stderr)
	outcome{status: status, stderr: stderr.String()}.want(t, exitOutput, "the message was delivered")
	stderr.Reset()
	status = run(sendArgs(s, "--json", "--from", "never@example.com"), strings.NewReader("hi"), full, &stderr)
	outcome{status: status, stderr: stderr.String()}.want(t, exitUnavailable, "550 5.7.1 never")
	poe("hi", sendArgs(s, "--log-file", "/no/such/log")...).want(t, exitCantCreate, "/no/such/log")
}

// What an account says counts unless the command line says otherwise.
func TestAccounts(t *testing.T) {
	s := (&testServer{}).start(t)
	t.Setenv("HOME", filepath.Dir(writeFile(t, "secret", []byte("x"))))
	accounts := writeFile(t, "accounts", []byte("# for all\n\nhelo = all.example\nquiet\n[default]\nserver "+
		s.addr+"\nfrom me@example.com\n[work]\nserver "+s.addr+"\nfrom work@example.com\n"+
		"helo work.example\nuser me\npassword-file ~/secret\n"))
	t.Setenv(accountsVariable, accounts)
	send := []string{"send", "--to", "b@example.com"}
	poe("hi", send...).want(t, exitOK, "")
	poe("hi", append(send, "--from", "other@example.com")...).want(t, exitOK, "")
	poe("hi", append(send, "--account", "work")...).want(t, exitUnavailable, "AUTH")
	for _, command := range []string{
		"EHLO all.example", "EHLO work.example", "MAIL FROM:<me@example.com>",
		"MAIL FROM:<other@example.com>",
	} {
		if !s.got(command) {
			t.Errorf("the server got %q, want %q among them", s.commands, command)
		}
	}
	poe("", append(send, "--account", "none")...).want(t, exitConfig, `no account "none"`)
	for text, want := range map[string]string{
		"[default]\nno-such 1\n": ":2: there is no option \"no-such\"",
		"to me@example.com\n":    ":1: there is no option \"to\"",
		"timeout soon\n":         ":1: invalid argument",
	} {
		file := writeFile(t, "accounts", []byte(text))
		poe("", append(send, "--accounts", file)...).want(t, exitConfig, want)
	}
	open := writeFile(t, "open", []byte("password x\n"))
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	poe("", append(send, "--accounts", open)...).want(t, exitConfig, "chmod 600 "+open)
	poe("", append(send, "--accounts", "/no/such")...).want(t, exitConfig, "/no/such")
}

// A shell learns what flags may be.
func TestCompletion(t *testing.T) {
	for flag, want := range map[string]string{
		"--tls": "implicit\n", "--protocol": "lmtp\n", "--auth": "XOAUTH2\n", "--dsn-ret": "hdrs\n",
	} {
		if o := poe("", "__complete", "send", flag, ""); !strings.Contains(o.stdout, want) {
			t.Errorf("%s is completed by %q, want %q in it", flag, o.stdout, want)
		}
	}
}
