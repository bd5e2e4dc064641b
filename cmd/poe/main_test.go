package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// An outcome is how a command ended.
type outcome struct {
	status         int
	stdout, stderr string
}

// poe runs a command line.
func poe(stdin string, args ...string) outcome {
	var stdout, stderr bytes.Buffer
	status := run(args, strings.NewReader(stdin), &stdout, &stderr)
	return outcome{status, stdout.String(), stderr.String()}
}

// want checks an outcome. For a failure, stderr is one line with this text in it.
func (o outcome) want(t *testing.T, status int, text string) {
	t.Helper()
	if o.status != status {
		t.Errorf("exit status %d, want %d; stderr is %q", o.status, status, o.stderr)
	}
	oneLine := strings.Count(o.stderr, "\n") == 1
	switch {
	case status == exitOK && o.stderr != text:
		t.Errorf("stderr is %q, want %q", o.stderr, text)
	case status != exitOK && (!oneLine || !strings.Contains(o.stderr, text)):
		t.Errorf("stderr is %q, want one line with %q in it", o.stderr, text)
	}
}

// A background is a command that runs beside the test.
type background struct {
	out  *bufio.Reader
	done chan outcome
}

// startPoe starts a command. What it prints waits in a pipe of the system's, so that it goes on.
func startPoe(t *testing.T, stdin io.Reader, args ...string) *background {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	b := &background{out: bufio.NewReader(r), done: make(chan outcome, 1)}
	go func() {
		var stderr bytes.Buffer
		status := run(args, stdin, w, &stderr)
		_ = w.Close() // the test sees what is missing
		b.done <- outcome{status: status, stderr: stderr.String()}
	}()
	return b
}

// wait waits for the end, and returns what was printed that the test has not read.
func (b *background) wait(t *testing.T) outcome {
	t.Helper()
	rest, err := io.ReadAll(b.out)
	if err != nil {
		t.Error(err)
	}
	o := <-b.done
	o.stdout = string(rest)
	return o
}

// startSink starts poe sink on a free port, and returns where it listens.
func startSink(t *testing.T, args ...string) (sink *background, addr string) {
	t.Helper()
	sink = startPoe(t, nil, append([]string{"sink", "--listen", "127.0.0.1:0"}, args...)...)
	line, err := sink.out.ReadString('\n')
	if err != nil {
		t.Fatalf("sink printed %q and then %v; %+v", line, err, <-sink.done)
	}
	addr, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "listening on ")
	if !ok {
		t.Fatalf("sink printed %q, want where it listens", line)
	}
	return sink, addr
}

// interrupt sends this process a signal. Somebody has to watch for it.
func interrupt(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
}

// All outcomes of the demo are the expected ones, and it shows the dialogues unless it is to be
// quiet.
func TestDemo(t *testing.T) {
	o := poe("", "demo")
	o.want(t, exitOK, "")
	for _, line := range []string{
		"  plain   C: RCPT TO:<grace@example.org>\n",
		"  dots    C: (82 octets of text)\n",
		"  utf-8   C: RCPT TO:<grüße@example.org>\n",
		"  refused S: 550 5.1.1 No such user here\n",
		"partly   for 1 of 2  85 octets       as expected\n",
		"7 messages, every outcome as expected",
	} {
		if !strings.Contains(o.stdout, line) {
			t.Errorf("the demo did not print %q:\n%s", line, o.stdout)
		}
	}
	if strings.Contains(o.stdout, "\x1b") {
		t.Errorf("the demo printed colours into a buffer")
	}
	quiet := poe("", "demo", "--quiet")
	quiet.want(t, exitOK, "")
	if strings.Contains(quiet.stdout, "C: ") || !strings.Contains(quiet.stdout, "as expected") {
		t.Errorf("the quiet demo printed:\n%s", quiet.stdout)
	}
}

// A demo whose outcome is not the expected one says which.
func TestDemoNoticesWhatIsWrong(t *testing.T) {
	d := &demo{out: io.Discard, messages: demoMessages()}
	err := d.summary()
	failed, ok := errors.AsType[*failure](err)
	if !ok || failed.status != exitSoftware || !strings.Contains(err.Error(), "plain, dots") {
		t.Errorf("summary of nothing returned %v, want a failure that names all messages", err)
	}
}

// What is sent is stored, and printed as a line each. After the last message the sink ends.
func TestSendToSink(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mail")
	sink, addr := startSink(t, "--dir", dir, "--once", "2")
	file := filepath.Join(t.TempDir(), "message")
	if err := os.WriteFile(file, []byte("Subject: one\n\n.\nend"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"send", "--server", addr, "--from", "a@example.com", "--to", "b@example.com"}
	poe("", append(args, "--file", file)...).want(t, exitOK, "")
	poe("two", append(args, "--to", "c@example.com", "--from", "<>")...).want(t, exitOK, "")
	o := sink.wait(t)
	o.want(t, exitOK, "")
	for _, text := range []string{
		" from <a@example.com> to <b@example.com>, 24 octets, by ",
		" from <> to <b@example.com> <c@example.com>, 5 octets, by ",
	} {
		if !strings.Contains(o.stdout, text) {
			t.Errorf("sink printed:\n%s\nwant %q in it", o.stdout, text)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "new", "*"))
	if err != nil || len(files) != 2 {
		t.Fatalf("stored are %q, %v, want two messages", files, err)
	}
	var stored []string
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, string(text))
	}
	if all := strings.Join(stored, "|"); all != "Subject: one\r\n\r\n.\r\nend\r\n|two\r\n" &&
		all != "two\r\n|Subject: one\r\n\r\n.\r\nend\r\n" {
		t.Errorf("stored are %q", stored)
	}
}

// The dialogue goes to stderr, and the result as JSON to stdout.
func TestSendShows(t *testing.T) {
	t.Setenv(passwordVariable, "secret")
	sink, addr := startSink(t)
	args := []string{"send", "--server", addr, "--from", "a@example.com", "--to", "b@example.com",
		"--log", "--json"}
	o := poe("hi", args...)
	if o.status != exitOK || !strings.Contains(o.stderr, "C: MAIL FROM:<a@example.com>") ||
		!strings.Contains(o.stderr, "C: (2 octets of text)\nS: 250 2.0.0 Message ") ||
		!strings.HasPrefix(o.stdout, `{"ok":true,"reply":"250 2.0.0 Message `) {
		t.Errorf("exit status %d, stdout:\n%s\nstderr:\n%s", o.status, o.stdout, o.stderr)
	}
	o = poe("hi", append(args, "--auth-user", "me")...)
	if o.status != exitUnavailable || !strings.Contains(o.stderr, "AUTH") ||
		!strings.Contains(o.stdout, `"stage":"auth"`) {
		t.Errorf("exit status %d, stdout:\n%s\nstderr:\n%s", o.status, o.stdout, o.stderr)
	}
	interrupt(t)
	sink.wait(t).want(t, exitOK, "")
}

// A signal ends the sink at once when nothing is being sent, and that is no failure unless it was
// to wait for more.
func TestSinkInterrupted(t *testing.T) {
	for _, test := range []struct {
		args   []string
		status int
		text   string
	}{
		{nil, exitOK, ""},
		{[]string{"--once", "3"}, exitTempFail, "ended after 0 of 3 messages"},
	} {
		sink, addr := startSink(t, test.args...)
		idle, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		in := bufio.NewReader(idle)
		greeting, err := in.ReadString('\n')
		if err != nil || !strings.HasPrefix(greeting, "220 ") {
			t.Errorf("the greeting is %q, %v", greeting, err)
		}
		interrupt(t)
		farewell, err := in.ReadString('\n')
		if err != nil || !strings.HasPrefix(farewell, "421 ") {
			t.Errorf("the farewell is %q, %v", farewell, err)
		}
		_ = idle.Close()
		sink.wait(t).want(t, test.status, test.text)
	}
}

// A signal ends a delivery that waits for the server.
func TestSendInterrupted(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	send := startPoe(t, strings.NewReader("hi"), "send", "--server", l.Addr().String(),
		"--from", "a@example.com", "--to", "b@example.com", "--timeout", "10m")
	silent, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	interrupt(t)
	send.wait(t).want(t, exitInterrupted, "interrupted")
	if n, err := silent.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("the server got %d bytes, %v, want the end of the connection", n, err)
	}
}

// A command line that is wrong says how, and which command explains more.
func TestUsage(t *testing.T) {
	good := []string{
		"send", "--server", "localhost", "--from", "a@example.com", "--to", "b@example.com",
	}
	with := func(args ...string) []string { return append(good[:len(good):len(good)], args...) }
	for _, test := range []struct {
		args []string
		text string
	}{
		{[]string{"no-such-command"}, "no-such-command"},
		{[]string{"help", "no-such-topic"}, "no-such-topic"},
		{[]string{"completion", "no-such-shell"}, "no-such-shell"},
		{[]string{"send"}, "from"},
		{[]string{"demo", "more"}, "more"},
		{[]string{"demo", "--no-such-flag"}, "no-such-flag"},
		{with("--server", "a:b:c"), "a:b:c"},
		{with("--server", ":25"), "host is missing"},
		{with("--timeout", "0s"), "--timeout"},
		{with("--from", ""), "--from is empty"},
		{with("--file", ""), "--file is empty"},
		{with("--timeout", "soon"), "soon"},
		{with("--auth-password-file", "file"), "--user"},
		{with("--auth-user", "me"), passwordVariable},
		{[]string{"sink", "--listen", "localhost:no-such-service"}, "no-such-service"},
		{[]string{"sink", "--once", "-1"}, "--once"},
		{[]string{"sink", "--max-size", "0"}, "max-size"},
		{[]string{"sink", "--hostname", "a b"}, "a b"},
	} {
		o := poe("", test.args...)
		o.want(t, exitUsage, test.text)
		if !strings.Contains(o.stderr, "--help") {
			t.Errorf("poe %q: stderr is %q, want --help in it", test.args, o.stderr)
		}
	}
}

// What cannot be made or listened at has a status of its own.
func TestSinkFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	poe("", "sink", "--listen", "127.0.0.1:0", "--dir", file).want(t, exitCantCreate, file)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	addr := l.Addr().String()
	poe("", "sink", "--listen", addr).want(t, exitUnavailable, "cannot listen at "+addr)
}

// Each command explains itself, and so does the program.
func TestHelp(t *testing.T) {
	for args, text := range map[string]string{
		"":            "poe sink --listen",
		"help send":   "the server does not speak SMTP",
		"sink --help": "one message, on a port that is free",
		"demo --help": "on one goroutine",
		"--version":   "poe version ",
	} {
		o := poe("", strings.Fields(args)...)
		o.want(t, exitOK, "")
		if !strings.Contains(o.stdout, text) {
			t.Errorf("poe %s printed:\n%s\nwant %q in it", args, o.stdout, text)
		}
	}
}
