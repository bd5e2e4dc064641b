//go:build interop

package interop

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/go-poe/poe/component/smtp/client"
)

// A mailServer is a server of others that puts all messages into one Maildir.
type mailServer struct {
	*daemon

	ca       *authority
	protocol client.Protocol
	addr     string // STARTTLS too
	implicit string // with TLS from the first octet; empty if the server has none
	maildir  string // perhaps a pattern of several, each of one recipient

	// stores is how the server stores a text, after lines of its own; nil means as it is.
	stores func(text []byte) []byte

	adds *regexp.Regexp // lines that the server adds to a header; nil means none
}

// message returns a small message for the server, without TLS.
func (s *mailServer) message(t *testing.T) client.Message {
	t.Helper()
	m := message(t, s.addr)
	m.Protocol = s.protocol
	return m
}

// take waits for a message and takes it out of the Maildir. It returns where the message was, and
// the lines that the server has put before it.
func (s *mailServer) take(t *testing.T, text []byte) (trace string) {
	t.Helper()
	path, stored := s.takeAny(t)
	if s.adds != nil {
		stored = s.adds.ReplaceAll(stored, nil)
	}
	want := local(text)
	if s.stores != nil {
		want = s.stores(want)
	}
	at := max(0, len(stored)-len(want))
	sameBytes(t, stored[at:], want)
	if at > 0 && stored[at-1] != '\n' {
		t.Errorf("the message begins in a line: %q", near(stored, at-1))
	}
	return path + "\n" + string(stored[:at])
}

// takeAny waits for a message and takes it out of the Maildir.
func (s *mailServer) takeAny(t *testing.T) (path string, text []byte) {
	t.Helper()
	var paths []string
	s.await(t, "a message arrives", func() bool {
		var err error
		if paths, err = filepath.Glob(filepath.Join(s.maildir, "new", "*")); err != nil {
			t.Fatal(err)
		}
		return len(paths) > 0
	})
	text, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(paths[0]); err != nil {
		t.Fatal(err)
	}
	return paths[0], text
}

// separated returns a text as a server stores it that puts an empty line before one without a
// header.
func separated(text []byte) []byte {
	first, _, _ := bytes.Cut(text, []byte("\n"))
	if len(first) == 0 || bytes.Contains(first, []byte(": ")) {
		return text
	}
	return append([]byte("\n"), text...)
}
