//go:build interop

package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// An aiosmtpd is a running server that keeps what it gets.
type aiosmtpd struct {
	addr  string
	dir   string
	count int // how many messages the test has taken
}

// startAiosmtpd starts a server for the test.
func startAiosmtpd(t *testing.T) *aiosmtpd {
	t.Helper()
	a := &aiosmtpd{dir: t.TempDir()}
	path := python(t, "aiosmtpd", "python3-aiosmtpd")
	p := startPeer(t, path, "testdata/aiosmtpd_sink.py", a.dir)
	a.addr = p.line(t)
	return a
}

// An envelope is what a server was told about a message.
type envelope struct {
	From string   `json:"from"`
	To   []string `json:"to"`
}

// take returns the next message that the server has kept. The server has kept it before it says
// so to its client, so the test does not wait.
func (a *aiosmtpd) take(t *testing.T) (envelope, []byte) {
	t.Helper()
	a.count++
	var e envelope
	text, err := os.ReadFile(filepath.Join(a.dir, fmt.Sprint(a.count, ".json")))
	if err != nil {
		t.Fatalf("the server has no further message: %v", err)
	}
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	text, err = os.ReadFile(filepath.Join(a.dir, fmt.Sprint(a.count, ".eml")))
	if err != nil {
		t.Fatal(err)
	}
	return e, text
}

// none checks that the server has kept no message but those that were taken.
func (a *aiosmtpd) none(t *testing.T) {
	t.Helper()
	kept, err := filepath.Glob(filepath.Join(a.dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(kept) != a.count {
		t.Errorf("the server has kept %d messages, want %d", len(kept), a.count)
	}
}

// Every message arrives with the bytes that were sent.
func TestMessagesArriveUnchanged(t *testing.T) {
	server := startAiosmtpd(t)
	for _, m := range messages() {
		t.Run(m.name, func(t *testing.T) {
			send(t, nil, "--server", server.addr, "--from", "a@example.com",
				"--to", "b@example.com", "--file", store(t, m.text)).want(t, exitOK)
			e, got := server.take(t)
			sameBytes(t, got, canonical(m.text))
			if e.From != "a@example.com" || !slices.Equal(e.To, []string{"b@example.com"}) {
				t.Errorf("envelope is %+v, want a@example.com to b@example.com", e)
			}
		})
	}
	server.none(t)
}

// A message from stdin arrives once, for all its recipients.
func TestStdinAndRecipients(t *testing.T) {
	server := startAiosmtpd(t)
	text := sized(100_000)
	send(t, bytes.NewReader(text), "--server", server.addr, "--from", "a@example.com",
		"--to", "b@example.com", "--to", "c@example.com", "--to", "d@example.com",
		"--file", "-").want(t, exitOK)
	e, got := server.take(t)
	sameBytes(t, got, text)
	want := []string{"b@example.com", "c@example.com", "d@example.com"}
	if !slices.Equal(e.To, want) {
		t.Errorf("sent to %q, want %q", e.To, want)
	}
	server.none(t)
}

// The log shows both sides of the dialogue.
func TestLog(t *testing.T) {
	server := startAiosmtpd(t)
	o := send(t, nil, "--server", server.addr, "--from", "a@example.com", "--to", "b@example.com",
		"--file", store(t, []byte("hello\r\n")), "--log")
	if o.status != exitOK {
		t.Errorf("exit status %d, want %d\nstderr:\n%s", o.status, exitOK, o.stderr)
	}
	for _, pattern := range []string{
		`\b220 `, `MAIL FROM: ?<a@example\.com>`, `RCPT TO: ?<b@example\.com>`, `\bDATA\b`,
		`\b250 2\.0\.0 kept as 1\b`, `\bQUIT\b`,
	} {
		if !regexp.MustCompile(pattern).MatchString(o.stdout + o.stderr) {
			t.Errorf("the log has no %s:\n%s%s", pattern, o.stdout, o.stderr)
		}
	}
}
