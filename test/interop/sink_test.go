//go:build interop

package interop

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A sink is a running poe sink.
type sink struct {
	*peer
	dir        string // its Maildir
	host, port string
}

// startSink starts a sink that ends after so many messages.
func startSink(t *testing.T, once int) *sink {
	t.Helper()
	s := &sink{dir: filepath.Join(t.TempDir(), "Maildir")}
	s.peer = startPeer(t, poe, "sink", "--listen", "127.0.0.1:0", "--dir", s.dir,
		"--once", strconv.Itoa(once))
	first := s.line(t)
	addr, ok := strings.CutPrefix(first, "listening on ")
	if !ok {
		t.Fatalf("the first line is %q, want the address", first)
	}
	var err error
	if s.host, s.port, err = net.SplitHostPort(addr); err != nil {
		t.Fatalf("the first line is %q: %v", first, err)
	}
	return s
}

// stored returns the messages of the sink's Maildir, in no order.
func (s *sink) stored(t *testing.T) [][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(s.dir, "new", "*"))
	if err != nil {
		t.Fatal(err)
	}
	unfinished, err := filepath.Glob(filepath.Join(s.dir, "tmp", "*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(unfinished) > 0 {
		t.Errorf("left in tmp: %q", unfinished)
	}
	texts := make([][]byte, len(paths))
	for i, path := range paths {
		if texts[i], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	return texts
}

// endsWith checks that a stored message is the one that was sent, after the lines that the sink
// puts before it. Line ends may be those of Unix, as is usual in a Maildir.
func endsWith(t *testing.T, stored, sent []byte) {
	t.Helper()
	stored, sent = local(stored), local(sent)
	sameBytes(t, stored[max(0, len(stored)-len(sent)):], sent)
}

// smtplib sends a message to the sink as Python does, which leaves the line ends of bytes alone.
func (s *sink) smtplib(t *testing.T, recipients string, text []byte) {
	t.Helper()
	path := python(t, "smtplib", "python3")
	out, err := exec.CommandContext(t.Context(), path, "testdata/smtplib_send.py", s.host, s.port,
		"a@example.com", recipients, store(t, canonical(text))).CombinedOutput()
	if err != nil {
		t.Errorf("smtplib: %v\n%s", err, out)
	}
}

// Python's smtplib sends messages of every kind, and the sink stores them as they are.
func TestSinkStoresWhatSmtplibSends(t *testing.T) {
	for _, m := range messages() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			s := startSink(t, 1)
			s.smtplib(t, "b@example.com,c@example.com", m.text)
			s.end(t)
			stored := s.stored(t)
			if len(stored) != 1 {
				t.Fatalf("%d messages are stored, want 1", len(stored))
			}
			endsWith(t, stored[0], m.text)
		})
	}
}

// Postfix's smtp-source sends many messages over several connections at once, and each is stored.
func TestSinkTakesManyFromSmtpSource(t *testing.T) {
	path := tool(t, "smtp-source", "postfix")
	const count, size = 200, 4 << 10
	s := startSink(t, count)
	out, err := exec.CommandContext(t.Context(), path, "-s", "10", "-m", strconv.Itoa(count),
		"-l", strconv.Itoa(size), "-f", "a@example.com", "-t", "b@example.com",
		net.JoinHostPort(s.host, s.port)).CombinedOutput()
	if err != nil {
		t.Errorf("smtp-source: %v\n%s", err, out)
	}
	s.end(t)
	stored := s.stored(t)
	if len(stored) != count {
		t.Errorf("%d messages are stored, want %d", len(stored), count)
	}
	for _, text := range stored {
		if len(text) < size*9/10 || !bytes.Contains(text, []byte("XXXXXXXX")) {
			t.Fatalf("a message of %d bytes is stored, want about %d:\n%.200s",
				len(text), size, text)
		}
	}
}

// What poe sends, poe stores.
func TestSinkStoresWhatPoeSends(t *testing.T) {
	s := startSink(t, 1)
	text := sized(100_000)
	send(t, nil, "--server", net.JoinHostPort(s.host, s.port), "--from", "a@example.com",
		"--to", "b@example.com", "--file", store(t, text)).want(t, exitOK)
	s.end(t)
	stored := s.stored(t)
	if len(stored) != 1 {
		t.Fatalf("%d messages are stored, want 1", len(stored))
	}
	endsWith(t, stored[0], text)
}

// The memory that the sink takes does not grow with the size of a message.
func TestMemoryOfSink(t *testing.T) {
	const limit = 40 << 20
	s := startSink(t, 2)
	s.smtplib(t, "b@example.com", sized(20<<20))
	// It still waits for the second message.
	if peak := peakMemory(t, s.Process.Pid); peak == 0 || peak > limit {
		t.Errorf("the sink took %d KiB, want no more than %d KiB", peak>>10, limit>>10)
	}
	s.smtplib(t, "b@example.com", []byte("the second\r\n"))
	s.end(t)
}
