package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// asPoe is set for a child process that is the program, and not its tests.
const asPoe = "POE_TEST_AS_POE"

// TestMain lets the test's binary be the program, and keeps the accounts of whoever runs the tests
// out of them.
func TestMain(m *testing.M) {
	if os.Getenv(asPoe) != "" {
		main()
	}
	for name, value := range map[string]string{
		accountsVariable: os.DevNull, asPoe: "", passwordVariable: "",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// program returns a command that runs the program under a name.
func program(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Args[0] = name
	cmd.Env = append(os.Environ(), asPoe+"=1", "TERM=xterm")
	return cmd
}

// status waits for the end of a program.
func status(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	if err := cmd.Wait(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode()
}

// By the name of sendmail, the program is one.
func TestIsSendmail(t *testing.T) {
	s := (&testServer{}).start(t)
	cmd := program(t, "/usr/sbin/sendmail", "-i", "b@example.com")
	cmd.Env = append(cmd.Env, accountsVariable+"="+
		writeFile(t, "accounts", []byte("server "+s.addr+"\nfrom a@example.com\n")))
	cmd.Stdin = strings.NewReader("Subject: hi\n\n.\nhi\n")
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 || !s.got("MAIL FROM:<a@example.com>") {
		t.Errorf("it printed %q and ended with %v", out, err)
	}
}

// The password is asked for at a terminal, while the message comes from elsewhere, and cannot be
// seen. Whoever thinks better of it can end the program.
func TestAsksPassword(t *testing.T) {
	s := (&testServer{auth: "AG1lAHNlY3JldA=="}).start(t)
	for _, test := range []struct {
		typed  string
		status int
	}{
		{"secret\r", exitOK},
		{"wrong\r", exitNoPerm},
		{"sec\x03", exitInterrupted},
		{"\r", exitUsage},
	} {
		message := writeFile(t, "message", []byte("hi"))
		cmd := program(t, "poe", sendArgs(s, "--user", "me", message)...)
		terminal, err := pty.Start(cmd)
		if err != nil {
			t.Fatal(err)
		}
		out := bufio.NewReader(terminal)
		question, err := out.ReadString(':')
		if err != nil || !strings.HasSuffix(question, "Password of me:") {
			t.Errorf("it asks %q, %v", question, err)
		}
		if _, err := terminal.WriteString(test.typed); err != nil {
			t.Fatal(err)
		}
		rest, _ := io.ReadAll(out) // the end of a terminal is an error
		if got := status(t, cmd); got != test.status || strings.Contains(string(rest), "sec") {
			t.Errorf("%q: exit status %d, and %q; want %d", test.typed, got, rest, test.status)
		}
		_ = terminal.Close()
	}
}

// At a terminal one sees how far many messages have come, and then what came of them.
func TestShowsProgress(t *testing.T) {
	s := (&testServer{
		held: make(chan struct{}), release: make(chan struct{}),
		replies: map[string]string{"MAIL": "450 4.2.0 later|"},
	}).start(t)
	var files []string
	for _, name := range []string{"1", "2", "3", "4"} {
		files = append(files, writeFile(t, name, []byte("hi")))
	}
	cmd := program(t, "poe", sendArgs(s, append(files, "--connections", "1")...)...)
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	<-s.held
	s.release <- struct{}{}
	<-s.held // two are done, one of them badly
	seen := readUntil(t, terminal, regexp.MustCompile(`1 failed.*2/4`))
	if !strings.Contains(seen, filepath.Base(files[0])+": ") || !strings.Contains(seen, "450 4.2.0 later") {
		t.Errorf("one sees %q, want the failure among it", seen)
	}
	s.release <- struct{}{}
	<-s.held
	s.release <- struct{}{}
	rest, _ := io.ReadAll(terminal) // the end of a terminal is an error
	if got := status(t, cmd); got != exitTempFail ||
		!strings.HasSuffix(string(rest), "\rpoe send: sent 3 of 4 messages, 6 octets; 1 failed\r\n") {
		t.Errorf("exit status %d, and at last %q", got, rest)
	}
}

// readUntil reads until a pattern matches, and returns all that was read.
func readUntil(t *testing.T, r io.Reader, pattern *regexp.Regexp) string {
	t.Helper()
	var seen []byte
	buf := make([]byte, 4096)
	for !pattern.Match(seen) {
		n, err := r.Read(buf)
		if err != nil {
			t.Fatalf("read %q, and then %v", seen, err)
		}
		seen = append(seen, buf[:n]...)
	}
	return string(seen)
}
