package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// enough is time for everything that a test has to do, many times over.
const enough = 30 * time.Second

// scripts are the programs that the tests allow, by name.
var scripts = map[string]string{
	"hello":    "echo hello; echo again; exit 3",
	"oops":     "echo oops >&2",
	"nap":      "echo asleep; exec sleep 60",
	"stubborn": "trap '' TERM; echo asleep; while :; do sleep 60; done",
	"parent":   "sleep 60 & echo born",
	"flood":    "yes $(printf %0500d 1) | head -n 40000; echo dry >&2",
	"endless":  "exec yes",
	"longline": "head -c 70000 /dev/zero | tr '\\0' x; echo",
}

// A running is the program under test.
type running struct {
	*testing.T
	addr string
	code chan int
}

// start runs the program with all scripts and further flags. When the test is over, it is asked to
// end by a signal, and must.
func start(t *testing.T, flags ...string) *running {
	t.Helper()
	dir := t.TempDir()
	for name, text := range scripts {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		flags = append(flags, "-allow", name+"=/bin/sh "+file)
	}
	flags = append(flags, "-allow", "nothing="+filepath.Join(dir, "nothing"))
	r := &running{T: t, code: make(chan int, 1)}
	out, log := io.Pipe()
	go func() {
		r.code <- run(append(flags, "-listen", "127.0.0.1:0"), log)
		log.Close()
	}()
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	addr, ok := strings.CutPrefix(first, "listening at ")
	if !ok {
		t.Fatalf("the program says %q, %v", first, err)
	}
	r.addr = strings.TrimSpace(addr)
	go io.Copy(os.Stderr, lines)
	t.Cleanup(r.end)
	return r
}

// end sends the program a signal, and waits for its end.
func (r *running) end() {
	if r.code == nil {
		return
	}
	r.Helper()
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		r.Fatal(err)
	}
	select {
	case code := <-r.code:
		if code != 0 {
			r.Errorf("the program ended with code %d", code)
		}
	case <-time.After(enough):
		r.Error("the program does not end")
	}
	r.code = nil
}

// A caller is a client.
type caller struct {
	*testing.T
	net.Conn
	*bufio.Reader
}

func (r *running) call() caller {
	r.Helper()
	c, err := net.DialTimeout("tcp", r.addr, enough)
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(enough))
	return caller{r.T, c, bufio.NewReader(c)}
}

func (c caller) says(line string) { fmt.Fprintln(c.Conn, line) }

func (c caller) hears(want ...string) {
	c.Helper()
	for _, want := range want {
		if got, err := c.ReadString('\n'); got != want+"\r\n" || err != nil {
			c.Fatalf("heard %q, %v, want %q", got, err, want)
		}
	}
}

// hearsAtLast passes over what is said before a line, and returns how many lines that is.
func (c caller) hearsAtLast(want string) (before int) {
	c.Helper()
	for {
		got, err := c.ReadString('\n')
		if err != nil {
			c.Fatalf("heard %q, %v, want %q", got, err, want)
		}
		if got == want+"\r\n" {
			return before
		}
		before++
	}
}

// hearsEnd checks that nothing more comes.
func (c caller) hearsEnd() {
	c.Helper()
	if got, err := c.ReadString('\n'); got != "" || err != io.EOF {
		c.Errorf("heard %q, %v, want the end", got, err)
	}
}

func TestJobs(t *testing.T) {
	c := start(t).call()
	c.says("run hello")
	c.hears("1 queued", "1 started", "1 out hello", "1 out again", "1 exit 3")
	c.says("run oops")
	c.hears("2 queued", "2 started", "2 err oops", "2 exit 0")
	c.says("run nothing")
	c.hears("3 queued", "3 started")
	if got, err := c.ReadString('\n'); !strings.HasPrefix(got, "3 error start: ") || err != nil {
		t.Errorf("heard %q, %v, want that it does not start", got, err)
	}
	c.hears("3 failed")
	c.says("run rm")
	c.hears("? no such command")
	c.says("run hello; rm")
	c.hears("? no such command")
	c.says("cancel 1")
	c.hears("? no such job of yours")
	c.says("status")
	c.hears("0 jobs")
	c.says("help")
	if got, err := c.ReadString('\n'); !strings.HasPrefix(got, "? run NAME, ") || err != nil {
		t.Errorf("heard %q, %v, want what there is to say", got, err)
	}
	c.says("quit")
	c.hearsEnd()
}

// Jobs wait for their turn in order, those that have no place are refused, and one may be ended
// or taken back by its own client only.
func TestQueue(t *testing.T) {
	r := start(t, "-workers", "1", "-queue", "2")
	c, other := r.call(), r.call()
	c.says("run nap")
	c.hears("1 queued", "1 started", "1 out asleep")
	c.says("run hello")
	c.says("run oops")
	c.says("run oops")
	c.hears("2 queued", "3 queued", "? busy")
	other.says("status")
	other.hears("1 running nap", "2 waiting hello", "3 waiting oops", "3 jobs")
	other.says("cancel 1")
	other.says("cancel 2")
	other.hears("? no such job of yours", "? no such job of yours")
	c.says("cancel 2")
	c.hears("2 cancelled")
	c.says("cancel 1")
	c.hears("1 signal terminated", "3 started", "3 err oops", "3 exit 0")
}

// The jobs of a client that hangs up are over, and the next ones have their turn.
func TestClientLeaves(t *testing.T) {
	r := start(t, "-workers", "1")
	c, other := r.call(), r.call()
	c.says("run nap")
	c.hears("1 queued", "1 started", "1 out asleep")
	c.says("run nap")
	c.hears("2 queued")
	other.says("run hello")
	other.hears("3 queued")
	c.Conn.Close()
	other.hears("3 started", "3 out hello", "3 out again", "3 exit 3")
}

// Whoever ignores SIGTERM gets SIGKILL. A job that takes too long ends likewise, and what it leaves
// behind goes with it.
func TestEnds(t *testing.T) {
	t.Run("stubborn", func(t *testing.T) {
		c := start(t, "-grace", "20ms").call()
		c.says("run stubborn")
		c.hears("1 queued", "1 started", "1 out asleep")
		c.says("cancel 1")
		c.hears("1 signal killed")
	})
	t.Run("too long", func(t *testing.T) {
		c := start(t, "-timeout", "20ms").call()
		c.says("run nap")
		c.hearsAtLast("1 signal terminated")
	})
	t.Run("parent", func(t *testing.T) {
		c := start(t).call()
		c.says("run parent")
		c.hears("1 queued", "1 started", "1 out born", "1 exit 0")
	})
}

// A signal ends the program in order: who waits is told so, and who runs is ended and heard of.
func TestSignal(t *testing.T) {
	r := start(t, "-workers", "2", "-grace", "20ms")
	c, idle := r.call(), r.call()
	c.says("run nap")
	c.hears("1 queued", "1 started", "1 out asleep")
	c.says("run stubborn")
	c.hears("2 queued", "2 started", "2 out asleep")
	c.says("run hello")
	c.hears("3 queued")
	idle.says("status")
	idle.hears("1 running nap", "2 running stubborn", "3 waiting hello", "3 jobs")
	r.end()
	c.hears("3 cancelled", "1 signal terminated", "2 signal killed")
	c.hearsEnd()
	idle.hearsEnd()
	if c, err := net.Dial("tcp", r.addr); err == nil {
		c.Close()
		t.Error("it still listens")
	}
}

// A job whose client does not read has to wait, and loses nothing of what it has to say, which is
// many times what a client may leave unread. Others go on meanwhile. If the client leaves, the job
// is over although it waits.
func TestBackPressure(t *testing.T) {
	r := start(t, "-workers", "2")
	c, other := r.call(), r.call()
	c.says("run flood")
	c.hears("1 queued", "1 started")
	other.says("run flood")
	other.hears("2 queued", "2 started")
	for _, reader := range []struct {
		caller
		end string
	}{{other, "2 exit 0"}, {c, "1 exit 0"}} {
		if n := reader.hearsAtLast(reader.end); n != 40_001 {
			t.Errorf("heard %d lines, want 40000, and that the flood is dry", n)
		}
	}
	c.says("run endless")
	c.says("run endless")
	c.hearsAtLast("4 started")
	other.says("run hello")
	c.Conn.Close()
	other.hears("5 queued", "5 started", "5 out hello", "5 out again", "5 exit 3")
}

// What is too long ends a job, or a client, and nothing else.
func TestTooLong(t *testing.T) {
	r := start(t)
	c, other := r.call(), r.call()
	c.says("run longline")
	c.hears("1 queued", "1 started")
	if got, err := c.ReadString('\n'); !strings.HasPrefix(got, "1 error read STDOUT: ") || err != nil {
		t.Errorf("heard %q, %v, want that the line is too long", got, err)
	}
	other.says(strings.Repeat("x", maxLine+1))
	other.hearsEnd()
	c.says("quit")
}

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"help", []string{"-help"}, 0, "usage: jobs"},
		{"unknown flag", []string{"-nonsense"}, 2, "usage: jobs"},
		{"nothing to run", nil, 2, "nothing to -allow"},
		{"no program", []string{"-allow", "name"}, 2, "usage: jobs"},
		{"no name", []string{"-allow", "=date"}, 2, "usage: jobs"},
		{"no workers", []string{"-allow", "a=b", "-workers", "0"}, 2, "too small"},
		{"an argument", []string{"-allow", "a=b", "c"}, 2, `"c"`},
		{"no address", []string{"-allow", "a=b", "-listen", "x"}, 2, "missing port"},
		{"a wrong address", []string{"-allow", "a=b", "-listen", "192.0.2.1:1"}, 1, "bind"},
	} {
		var log strings.Builder
		if code := run(test.args, &log); code != test.code {
			t.Errorf("%s: code %d, want %d", test.name, code, test.code)
		}
		if !strings.Contains(log.String(), test.want) {
			t.Errorf("%s: it says %q, and not %q", test.name, log.String(), test.want)
		}
	}
}
