//go:build interop

package interop

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mailTo returns the arguments that send a small message to a server.
func mailTo(t *testing.T, addr string, more ...string) []string {
	t.Helper()
	return append([]string{
		"--server", addr, "--from", "a@example.com", "--to", "b@example.com",
		"--file", store(t, []byte("Subject: test\r\n\r\nhello\r\n")),
	}, more...)
}

// At every stage the server may hang up, refuse for now or for good, or fall silent. Each gives the
// documented exit status and one line, of one attempt, and no connection stays.
func TestFailureAtEachStage(t *testing.T) {
	for _, test := range []struct {
		name   string
		does   answer
		args   []string
		status int
		says   string
	}{
		{"hangs up", answer{hangUp: true}, nil, exitTempFail, ""},
		{"hangs up after 421", answer{"421 4.3.2 shutting down", true}, nil, exitTempFail,
			"421 4.3.2 shutting down"},
		{"refuses for now", answer{reply: "450 4.7.1 not just now"}, nil, exitTempFail,
			"450 4.7.1 not just now"},
		{"refuses for good", answer{reply: "550 5.7.1 not from you"}, nil, exitUnavailable,
			"550 5.7.1 not from you"},
		{"falls silent", answer{}, []string{"--timeout", "1s"}, exitTempFail, ""},
	} {
		for _, at := range stages {
			t.Run(test.name+" at "+string(at), func(t *testing.T) {
				t.Parallel()
				s := serve(t, fineBut(at, test.does))
				o := send(t, nil, mailTo(t, s.addr, test.args...)...)
				if at.afterwards() {
					o.want(t, exitOK)
				} else {
					o.want(t, test.status, test.says)
				}
				if clients, commands := s.heard(t); clients != 1 {
					t.Errorf("%d connections, want 1; the commands were %q", clients, commands)
				}
			})
		}
	}
}

// A reply of several lines is one failure, in one line.
func TestMultilineRefusal(t *testing.T) {
	s := serve(t, fineBut(rcpt, answer{reply: "550-5.1.1 no such user\r\n550 5.1.1 ask elsewhere"}))
	send(t, nil, mailTo(t, s.addr)...).want(t, exitUnavailable, "550", "no such user")
}

// What is no SMTP at all is a failure of its own kind.
func TestGarbage(t *testing.T) {
	for _, at := range stages {
		if at.afterwards() {
			continue
		}
		t.Run(string(at), func(t *testing.T) {
			t.Parallel()
			s := serve(t, fineBut(at, answer{reply: "HTTP/1.1 400 Bad Request"}))
			send(t, nil, mailTo(t, s.addr, "--timeout", "2s")...).want(t, exitProtocol)
		})
	}
}

// Nobody listens on the port.
func TestRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	send(t, nil, mailTo(t, addr)...).want(t, exitTempFail, "refused")
}

// The server's name cannot exist, since one of its labels is empty: no network is asked.
func TestUnknownHost(t *testing.T) {
	const name = "no..such.host.invalid"
	send(t, nil, mailTo(t, name+":25")...).want(t, exitNoHost, name)
}

// An address with a line end in it would be a command of its own. It is refused before the server
// is asked anything.
func TestAddressWithLineEnd(t *testing.T) {
	s := serve(t, fine)
	const evil = "b@example.com>\r\nRCPT TO:<c@example.com"
	send(t, nil, "--server", s.addr, "--from", "a@example.com", "--to", evil,
		"--file", store(t, []byte("hello\r\n"))).want(t, exitData)
	if _, commands := s.heard(t); strings.Contains(fmt.Sprint(commands), "RCPT") {
		t.Errorf("the server was told %q, want no recipient", commands)
	}
}

// A message that cannot be read is refused, and no part of one is accepted.
func TestUnreadableMessage(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.eml")
	for _, path := range []string{missing, t.TempDir()} {
		s := serve(t, fine)
		send(t, nil, "--server", s.addr, "--from", "a@example.com", "--to", "b@example.com",
			"--file", path).want(t, exitNoInput, path)
		if _, commands := s.heard(t); strings.Contains(fmt.Sprint(commands), "DATA") {
			t.Errorf("the server was told %q, want no DATA", commands)
		}
	}
}

// A command line that is wrong says so, and sends nothing.
func TestUsage(t *testing.T) {
	s := serve(t, fine)
	file := store(t, []byte("hello\r\n"))
	for _, args := range [][]string{
		{},
		{"--server", s.addr, "--to", "b@example.com", "--file", file},
		{"--server", s.addr, "--from", "a@example.com", "--file", file},
		{"--from", "a@example.com", "--to", "b@example.com", "--file", file},
		append(mailTo(t, s.addr), "--timeout", "soon"),
		append(mailTo(t, s.addr), "--no-such-flag"),
	} {
		o := send(t, nil, args...)
		if o.status != exitUsage || o.stderr == "" {
			t.Errorf("poe send %q: exit status %d, want %d; stderr is %q, want words",
				args, o.status, exitUsage, o.stderr)
		}
	}
	if clients, commands := s.heard(t); clients != 0 {
		t.Errorf("%d connections, want none; the commands were %q", clients, commands)
	}
}

// The memory that a large message takes does not grow with its size.
func TestMemoryOfLargeMessage(t *testing.T) {
	const limit = 40 << 20
	pid := make(chan int, 1)
	var peak int64
	s := serve(t, func(at stage) answer {
		if at == dot {
			// All of the message has been sent, and the command waits for the verdict.
			peak = peakMemory(t, <-pid)
		}
		return fine(at)
	})
	c := start(t, nil, "send", "--server", s.addr, "--from", "a@example.com",
		"--to", "b@example.com", "--file", store(t, sized(20<<20)))
	pid <- c.Process.Pid
	c.wait(t).want(t, exitOK)
	s.close()
	if peak == 0 || peak > limit {
		t.Errorf("the command took %d KiB, want no more than %d KiB", peak>>10, limit>>10)
	}
	t.Logf("the command took %d KiB for 20 MiB", peak>>10)
}

// peakMemory returns the most bytes of memory that a running process has had so far.
//
// It is not ru_maxrss of the process that has ended: that starts with the memory of the test, from
// which the process was forked.
func peakMemory(t *testing.T, pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Errorf("the peak memory of a process is in /proc only: %v", err)
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	var kib int64
	if _, err := fmt.Sscanf(rest, "%d kB", &kib); err != nil {
		t.Errorf("VmHWM of %d: %v", pid, err)
	}
	return kib << 10
}
