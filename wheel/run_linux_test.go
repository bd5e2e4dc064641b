package wheel_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// stat is a command that shows a number of what the system knows of the shell, as in proc(5).
func stat(field int) string { return fmt.Sprintf("cut -d ' ' -f %d /proc/$$/stat", field) }

// A program leads a process group and, with a terminal, a session, unless it is not to.
func TestRunProcessGroup(t *testing.T) {
	group, sid := stat(5), stat(6)
	p := inReality(t)
	leads := p.job(wheel.RunOptions{Shell: group}, nil)
	stays := p.job(wheel.RunOptions{Shell: group, NoSetpgid: true}, nil)
	alone := p.job(wheel.RunOptions{Shell: sid, Conduit: wheel.PTY}, nil)
	p.runReal()
	leads.wantHeard("stdout", fmt.Sprint(leads.w.PID()))
	stays.wantHeard("stdout", fmt.Sprint(syscall.Getpgrp()))
	alone.wantHeard("stdout", fmt.Sprint(alone.w.PID()))
}

func TestRunNice(t *testing.T) {
	p := inReality(t)
	j := p.job(wheel.RunOptions{Shell: "read x; " + stat(19), Nice: 7}, nil)
	j.w.ShutdownStdin()
	p.runReal()
	j.wantHeard("stdout", "7")
	j.wantOver("0")
}

// A niceness that we may not give is an error, and the program runs all the same.
func TestRunNotSoNice(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("the superuser may give any")
	}
	p := inReality(t)
	j := p.job(wheel.RunOptions{Shell: "exit 4", Nice: -5}, nil)
	p.runReal()
	if got := j.heard["error"]; len(got) != 3 || !strings.HasPrefix(got[0], "nice: setpriority: ") {
		t.Errorf("got %q", got)
	}
	j.wantOver("4")
}

// However many descriptors are left, a program either runs or says why not, and all of them come
// back.
func TestRunWithoutDescriptors(t *testing.T) {
	warm := inReality(t)
	warm.job(wheel.RunOptions{Shell: "exit 0", Conduit: wheel.PTYPipe}, nil)
	warm.runReal()
	for _, conduit := range []wheel.Conduit{wheel.Pipe, wheel.PTYPipe} {
		started, failed := 0, 0
		for left := range 20 {
			before := openFiles(t)
			p := inReality(t)
			p.create(session.Events{
				kernel.Start: func(e *kernel.Event) { e.Session.Delay("run", time.Millisecond) },
				"run": func(e *kernel.Event) {
					restore := limitFiles(t, left)
					defer restore()
					wheel.NewRun(e.Session, wheel.RunOptions{
						Program: "/bin/true", Conduit: conduit, StdoutEvent: "any",
						StderrEvent: "any", ErrorEvent: "any", DoneEvent: "done",
					})
				},
				"any": func(*kernel.Event) {},
				"done": session.On(func(_ *kernel.Event, x *wheel.Exit) {
					p.note("done")
					if x.Err == nil {
						started++
					} else if failed++; !errors.Is(x.Err, syscall.EMFILE) {
						t.Errorf("with %d descriptors left: %v", left, x.Err)
					}
				}),
			})
			p.runReal()
			p.want("done")
			if after := openFiles(t); after != before {
				t.Errorf("with %d descriptors left: %d are open, of which %d were before",
					left, after, before)
			}
		}
		if started == 0 || failed == 0 {
			t.Errorf("%d started and %d failed: the test has missed the limit", started, failed)
		}
	}
}

// limitFiles lets the process open so many descriptors more, and returns the way back.
func limitFiles(t *testing.T, left int) (restore func()) {
	t.Helper()
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	next, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		t.Fatal(err)
	}
	_ = unix.Close(next)
	limit := unix.Rlimit{Cur: uint64(next + left), Max: old.Max}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
			t.Fatal(err)
		}
	}
}
