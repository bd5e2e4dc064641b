//go:build interop

package interop

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// startSmtpSink starts Postfix's smtp-sink with these options and returns its address.
func startSmtpSink(t *testing.T, options ...string) string {
	t.Helper()
	path := tool(t, "smtp-sink", "postfix")
	addr := freePorts(t, 1)[0]
	if os.Getuid() == 0 {
		options = append([]string{"-u", "root"}, options...) // it insists on being told
	}
	startPeer(t, path, append(options, addr, "100")...)
	awaitListener(t, addr)
	return addr
}

// awaitListener waits until a program that does not tell when it is ready listens on an address.
func awaitListener(t *testing.T, addr string) {
	t.Helper()
	if err := within(patience, func() bool { return listens(addr) }); err != nil {
		t.Fatalf("nobody listens: %v", err)
	}
}

// listens reports whether somebody does.
func listens(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// Postfix's sink stores the message that was sent, and knows its envelope.
func TestSmtpSinkStoresMessage(t *testing.T) {
	for _, option := range []string{
		"-8", // no 8BITMIME
		"-e", // no ESMTP
		"-p", // no PIPELINING
	} {
		t.Run(option, func(t *testing.T) {
			dir := t.TempDir()
			addr := startSmtpSink(t, option, "-d", filepath.Join(dir, "message."))
			text := sized(4 << 10)
			send(t, nil, "--server", addr, "--from", "a@example.com", "--to", "b@example.com",
				"--to", "c@example.com", "--file", store(t, text)).want(t, exitOK)
			stored := onlyFile(t, dir)
			for _, line := range []string{
				"X-Mail-Args: <a@example.com>",
				"X-Rcpt-Args: <b@example.com>\nX-Rcpt-Args: <c@example.com>\n",
			} {
				if !bytes.Contains(stored, []byte(line)) {
					t.Errorf("stored without %q:\n%.500s", line, stored)
				}
			}
			// The sink writes lines of its own before the message, and an empty one after it.
			want := append(local(text), '\n')
			sameBytes(t, stored[max(0, len(stored)-len(want)):], want)
		})
	}
}

// onlyFile returns what is in the only file of a folder.
func onlyFile(t *testing.T, dir string) []byte {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 1 {
		t.Fatalf("%d files in %s, want 1", len(files), dir)
	}
	text, err := os.ReadFile(filepath.Join(dir, files[0].Name()))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A large message goes to a server that reads as fast as it can.
func TestSmtpSinkLargeMessage(t *testing.T) {
	addr := startSmtpSink(t)
	send(t, nil, "--server", addr, "--from", "a@example.com", "--to", "b@example.com",
		"--file", store(t, sized(20<<20))).want(t, exitOK)
}

// Postfix's sink refuses, for now or for good, and hangs up, with and without a word.
func TestSmtpSinkRefuses(t *testing.T) {
	for _, test := range []struct {
		option string
		status int
		says   string
	}{
		{"-f", exitUnavailable, "500 5.3.0 Error: command failed"},
		{"-r", exitTempFail, "450 4.3.0 Error: command failed"},
		{"-Q", exitTempFail, "421"},
		{"-q", exitTempFail, ""},
	} {
		for _, commands := range []string{"CONNECT", "EHLO,HELO", "MAIL", "RCPT", "DATA", "."} {
			t.Run(test.option+" "+commands, func(t *testing.T) {
				t.Parallel()
				addr := startSmtpSink(t, test.option, commands)
				send(t, nil, mailTo(t, addr)...).want(t, test.status, test.says)
			})
		}
	}
}
