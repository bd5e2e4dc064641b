package wheel_test

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// A program that does not start is one error, and over; nothing of it is left.
func TestRunOfNothing(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		opts wheel.RunOptions
		want syscall.Errno
	}{
		{wheel.RunOptions{Program: "there-is-no-such-program"}, syscall.ENOENT},
		{wheel.RunOptions{Program: dir + "/nothing"}, syscall.ENOENT},
		{wheel.RunOptions{Program: plain}, syscall.EACCES},
		{wheel.RunOptions{Shell: "true", Dir: dir + "/nothing"}, syscall.ENOENT},
		{wheel.RunOptions{Program: dir + "/nothing", Conduit: wheel.PTYPipe}, syscall.ENOENT},
	} {
		before := openFiles(t)
		p := inReality(t)
		var failed *wheel.RunError
		j := p.job(test.opts, nil)
		j.then = map[string]func(){"done": func() {
			if !errors.As(j.exit.Err, &failed) {
				t.Errorf("over because of %v, want a RunError", j.exit.Err)
			}
		}}
		if j.w.PID() != 0 {
			t.Errorf("the process is %d", j.w.PID())
		}
		if err := j.w.PutString("x"); err != wheel.ErrClosed {
			t.Errorf("put: %v, want ErrClosed", err)
		}
		for _, f := range []func() error{
			func() error { return j.w.Kill(syscall.SIGTERM) },
			func() error { return j.w.KillGroup(syscall.SIGTERM) },
			func() error { return j.w.Terminate(0) },
		} {
			if err := f(); err != os.ErrProcessDone {
				t.Errorf("got %v, want ErrProcessDone", err)
			}
		}
		p.runReal()
		if len(j.heard["error"]) != 1 || failed == nil || failed.Op != "start" ||
			failed.Errno() != test.want || failed.Handle != "" || failed.Text() == "" {
			t.Errorf("%+v: got %q, %+v", test.opts, j.heard["error"], failed)
		}
		j.wantHeard("done", "done")
		j.wantHeard("exit")
		j.wantHeard("close")
		if after := openFiles(t); after != before {
			t.Errorf("%d descriptors are open, of which %d were before", after, before)
		}
	}
}

// Close in the handler of the error is the end: there is no DoneEvent.
func TestRunOfNothingClosed(t *testing.T) {
	p := inReality(t)
	j := p.job(wheel.RunOptions{Program: "/nothing"}, nil)
	j.then = map[string]func(){"error": func() { j.w.Close() }}
	at := p.job(wheel.RunOptions{Program: "/nothing"}, nil)
	at.w.Close()
	p.runReal()
	j.wantHeard("done")
	at.wantHeard("error")
	at.wantHeard("done")
}

// A stream that cannot be watched is a program that does not start.
func TestRunWithoutWatch(t *testing.T) {
	for _, conduit := range []wheel.Conduit{wheel.Pipe, wheel.PTY} {
		before := openFiles(t)
		p := newPlace(t, &deaf{kernel.NewLoop(), 1})
		j := p.job(wheel.RunOptions{Program: "/bin/true", Conduit: conduit}, nil)
		p.runReal()
		j.wantHeard("done", "done")
		if !errors.Is(j.exit.Err, syscall.ENOSPC) || j.w.PID() != 0 {
			t.Errorf("got %v, want ENOSPC", j.exit.Err)
		}
		if after := openFiles(t); after != before {
			t.Errorf("%d descriptors are open, of which %d were before", after, before)
		}
	}
}

// A record that the filter cannot take ends that stream, and nothing else.
func TestRunFilterFails(t *testing.T) {
	p := inReality(t)
	j := p.job(wheel.RunOptions{
		Shell:        "echo fine; echo much too long; echo err >&2; exit 0",
		StdoutFilter: filter.NewLine(filter.LineOptions{MaxLength: 6}),
	}, nil)
	p.runReal()
	j.wantHeard("stdout", "fine")
	j.wantHeard("stderr", "err")
	j.wantHeard("close", "close")
	if got := j.heard["error"]; len(got) != 2 || !slices.ContainsFunc(got, func(s string) bool {
		return strings.HasPrefix(s, "read STDOUT: filter: record is too long")
	}) {
		t.Errorf("got %q", got)
	}
}

// A program that does not read holds up no more than MaxOutput; one that has closed its input is an
// error of that stream.
func TestRunStdinFails(t *testing.T) {
	p := inReality(t)
	var j *job
	j = p.job(wheel.RunOptions{Shell: "exec <&-; echo closed; sleep 60", MaxOutput: 1000},
		map[string]func(){"error": func() {
			if got := j.heard["error"]; got[len(got)-1] == "write STDIN: write: broken pipe" {
				if err := j.w.PutString("x"); !errors.Is(err, syscall.EPIPE) {
					t.Errorf("put: %v, want EPIPE", err)
				}
				j.w.KillGroup(syscall.SIGKILL)
			}
		}})
	j.line = func(string) { j.w.PutString("nobody reads that") }
	if err := j.w.Put(make([]byte, 1000)); err != wheel.ErrOutputFull {
		t.Errorf("put: %v, want ErrOutputFull", err)
	}
	p.runReal()
	if got := j.heard["error"]; len(got) != 3 || got[0] != "write STDIN: write: broken pipe" {
		t.Errorf("got %q", got)
	}
	j.wantHeard("flushed")
	j.wantOver("killed")
}

// A program may close its terminal while it is still to be told that no more will come. What was
// put before that may get its room at the same moment.
func TestRunTerminalClosedBeforeItsEnd(t *testing.T) {
	r, far, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p := inReality(t)
	var j *job
	j = p.job(wheel.RunOptions{
		Shell:   "head -c 8000 >/dev/null; exec </dev/null >/dev/null; echo closed >&2; sleep 60",
		Conduit: wheel.PTYPipe, RedirectStderr: far,
	}, map[string]func(){"close": func() { j.w.KillGroup(syscall.SIGKILL) }})
	far.Close()
	j.w.Put(make([]byte, 16_000)) // more than a terminal holds, which is some 12,000
	j.w.ShutdownStdin()
	j.s.State("wait", func(*kernel.Event) {
		if j.w.OutOctets() == 0 {
			t.Error("the terminal holds everything")
		}
		if text, err := bufio.NewReader(r).ReadString('\n'); text != "closed\n" {
			t.Errorf("got %q, %v", text, err)
		}
	})
	j.s.Delay("wait", tick)
	p.runReal()
	j.wantHeard("error", "read STDOUT: EOF")
	j.wantOver("killed")
}

func TestRunError(t *testing.T) {
	err := &wheel.RunError{Op: "read", Handle: "STDOUT", Err: io.EOF, Wheel: 5}
	var plain *wheel.Error
	if !errors.Is(err, io.EOF) || !errors.As(err, &plain) || plain.Wheel != 5 {
		t.Errorf("%v is not what it says", err)
	}
	if err.Errno() != 0 || err.Text() != "" || err.Error() != "read STDOUT: EOF" {
		t.Errorf("got %d, %q, %q", err.Errno(), err.Text(), err.Error())
	}
}

// A wheel for an owner that has ended does nothing.
func TestRunForNobody(t *testing.T) {
	p := inReality(t)
	s := p.create(session.Events{})
	p.runReal()
	w := wheel.NewRun(s, wheel.RunOptions{Program: "/bin/true"})
	if err := w.PutString("x"); err != wheel.ErrClosed || w.PID() != 0 {
		t.Errorf("put: %v, process %d", err, w.PID())
	}
	w.ShutdownStdin()
	w.Close()
}
