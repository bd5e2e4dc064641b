package wheel_test

import (
	"errors"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

func TestRunKill(t *testing.T) {
	p := inReality(t)
	var j *job
	j = p.job(wheel.RunOptions{Shell: "echo ready; exec sleep 60"}, map[string]func(){
		"stdout": func() {
			if err := j.w.Kill(syscall.SIGINT); err != nil {
				t.Error(err)
			}
		},
		"exit": func() {
			if err := j.w.Kill(syscall.SIGINT); err != os.ErrProcessDone {
				t.Errorf("got %v, want ErrProcessDone", err)
			}
			if err := j.w.Terminate(0); err != os.ErrProcessDone {
				t.Errorf("got %v, want ErrProcessDone", err)
			}
		},
	})
	p.runReal()
	j.wantOver("interrupt")
	if err := j.w.KillGroup(syscall.SIGTERM); err != os.ErrProcessDone {
		t.Errorf("got %v, want ErrProcessDone", err)
	}
}

// A program that ignores SIGTERM is killed after a while, and one that does not is not.
func TestRunTerminate(t *testing.T) {
	for _, test := range []struct {
		script string
		want   string
	}{
		{"trap '' TERM; echo ready; read x", "killed"},
		{"trap 'exit 5' TERM; echo ready; read x", "5"},
		{"echo ready; exec sleep 60", "terminated"},
	} {
		grace := enough / 2
		if test.want == "killed" {
			grace = 50 * time.Millisecond
		}
		p := inReality(t)
		var j *job
		j = p.job(wheel.RunOptions{Shell: test.script}, map[string]func(){
			"stdout": func() {
				if err := j.w.Terminate(grace); err != nil {
					t.Error(err)
				}
			},
		})
		p.runReal()
		j.wantOver(test.want)
	}
}

// What a program has left behind holds its output open: ExitEvent comes without CloseEvent, until
// the rest of the group is killed, too.
func TestRunGroup(t *testing.T) {
	p := inReality(t)
	var j *job
	j = p.job(wheel.RunOptions{Shell: "sleep 60 & echo started; exit 6"}, map[string]func(){
		"exit": func() {
			j.wantHeard("close")
			j.wantHeard("done")
			if err := j.w.KillGroup(syscall.SIGKILL); err != nil {
				t.Error(err)
			}
		},
	})
	p.runReal()
	j.wantHeard("stdout", "started")
	j.wantHeard("close", "close")
	j.wantOver("6")
}

// Without streams to watch, a job is over when its program has ended.
func TestRunWithoutStreams(t *testing.T) {
	p := inReality(t)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			wheel.NewRun(e.Session, wheel.RunOptions{
				Shell: "exit 8", RedirectStdin: null, RedirectOutput: null,
				CloseEvent: "close", DoneEvent: "done",
			})
		},
		"close": p.said,
		"done": session.On(func(_ *kernel.Event, x *wheel.Exit) {
			p.note("status %d", x.Status.ExitStatus())
		}),
	})
	p.runReal()
	p.want("status 8")
}

// The owner may watch the process as well; both hear of it.
func TestRunBesideSigChild(t *testing.T) {
	p := inReality(t)
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w := wheel.NewRun(e.Session, wheel.RunOptions{
				Shell: "exit 2", NoStdin: true, ExitEvent: "exit",
			})
			if err := e.Session.SigChild(w.PID(), "reaped"); err != nil {
				t.Error(err)
			}
		},
		"exit": p.said,
		"reaped": func(e *kernel.Event) {
			p.note("reaped %d", kernel.Arg[syscall.WaitStatus](e, 2).ExitStatus())
		},
	})
	p.runReal()
	slices.Sort(p.lines)
	p.want("exit", "reaped 2")
}

// A program outlives its wheel and its owner, and is waited for all the same (T-130).
func TestRunClosed(t *testing.T) {
	for _, how := range []string{"closed", "owner ended", "owner ended and then closed"} {
		before := openFiles(t)
		p := inReality(t)
		done := temporary(t, "")
		in, hold, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		var w *wheel.Run
		s := p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				w = wheel.NewRun(e.Session, wheel.RunOptions{
					Shell: "cat; echo still here", RedirectStdin: in, RedirectStdout: done,
					StderrEvent: "any", ErrorEvent: "any", CloseEvent: "any", ExitEvent: "any",
					DoneEvent: "any",
				})
				in.Close()
			},
			"any":          func(e *kernel.Event) { t.Errorf("%s: an event came", how) },
			kernel.Default: p.unknown,
		})
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) { e.Session.Yield("drop") },
			"drop": func(e *kernel.Event) {
				if how != "closed" {
					s.End()
				}
				if how != "owner ended" {
					w.Close()
					w.Close()
				}
				hold.Close()
			},
		})
		p.runReal()
		wantFile(t, done, "still here\n")
		p.want()
		if after := openFiles(t) - 1; after != before {
			t.Errorf("%s: %d descriptors are open, of which %d were before", how, after, before)
		}
		done.Close()
	}
}

// Thousands of programs leave neither a process nor a descriptor behind.
func TestRunMany(t *testing.T) {
	n := 1000
	if testing.Short() {
		n = 100
	}
	warm := inReality(t)
	warm.job(wheel.RunOptions{Shell: "exit 0", Conduit: wheel.PTYPipe}, nil)
	warm.runReal()
	before := openFiles(t)
	p := inReality(t)
	const atOnce = 20
	started, over := 0, 0
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			for range atOnce {
				e.Session.Yield("start")
			}
		},
		"start": func(e *kernel.Event) {
			if started == n {
				return
			}
			started++
			opts := wheel.RunOptions{
				Program: "/bin/cat", StdoutEvent: "line", ErrorEvent: "error", DoneEvent: "done",
			}
			if started%10 == 0 {
				opts.Conduit, opts.Cooked = wheel.PTYPipe, true
			}
			if started%15 == 0 {
				opts.Program = "/nothing"
			}
			w := wheel.NewRun(e.Session, opts)
			_ = w.PutString("hello")
			w.ShutdownStdin()
		},
		"line":  func(*kernel.Event) {},
		"error": func(*kernel.Event) {},
		"done": session.On(func(e *kernel.Event, x *wheel.Exit) {
			if (x.Err != nil) != (x.PID == 0) || x.Status != 0 {
				t.Errorf("over with %+v", x)
			}
			over++
			e.Session.Yield("start")
		}),
	})
	p.runReal()
	if over != n {
		t.Errorf("%d of %d programs came to an end", over, n)
	}
	if after := openFiles(t); after != before {
		t.Errorf("%d descriptors are open, of which %d were before", after, before)
	}
}

// Whoever waits for the process of a wheel takes its status away, and nothing else.
func TestRunWaitedForByOthers(t *testing.T) {
	p := inReality(t)
	j := p.job(wheel.RunOptions{Shell: "read x; exit 3"}, nil)
	j.w.PauseStdout()
	p.create(session.Events{kernel.Start: func(e *kernel.Event) { e.Session.Yield("take") },
		"take": func(*kernel.Event) {
			if err := j.w.Kill(syscall.SIGKILL); err != nil {
				t.Error(err)
			}
			for {
				if _, err := unix.Wait4(j.w.PID(), nil, 0, nil); err != unix.EINTR {
					break
				}
			}
			j.w.ResumeStdout()
		},
	})
	p.runReal()
	j.wantHeard("done", "done")
	if !errors.Is(j.exit.Err, syscall.ECHILD) {
		t.Errorf("got %v, want ECHILD", j.exit.Err)
	}
}

// Where nobody may wait for a child, because its end is ignored, a program is over all the same.
func TestRunUnwaited(t *testing.T) {
	signal.Ignore(syscall.SIGCHLD)
	defer func() {
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGCHLD) // which Reset would leave ignored
		signal.Stop(c)
	}()
	for range 20 { // it may be gone before anybody asks, or after that
		p := inReality(t)
		j := p.job(wheel.RunOptions{Program: "/bin/true"}, nil)
		p.runReal()
		j.wantHeard("done", "done")
		if !errors.Is(j.exit.Err, syscall.ECHILD) {
			t.Errorf("got %v, want ECHILD", j.exit.Err)
		}
	}
}

// A deaf loop cannot watch anything for a while.
type deaf struct {
	kernel.Loop
	left int
}

func (d *deaf) Watch(fd int, want kernel.Mode) error {
	if want != 0 && d.left > 0 {
		d.left--
		return syscall.ENOSPC
	}
	return d.Loop.Watch(fd, want)
}

// If nobody can be told of the end of a process at first, it is waited for all the same.
func TestRunWaitsAgain(t *testing.T) {
	p := newPlace(t, &deaf{kernel.NewLoop(), 2})
	null := temporary(t, "")
	j := p.job(wheel.RunOptions{
		Shell: "exit 7", NoStdin: true, RedirectOutput: null,
	}, nil)
	p.runReal()
	j.wantOver("7")
}

// A kernel that is stopped does not wait for programs.
func TestRunKernelStops(t *testing.T) {
	p := inReality(t)
	j := p.job(wheel.RunOptions{Shell: "exec sleep 60"}, nil)
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Yield("stop") },
		"stop":       func(*kernel.Event) { p.k.Stop() },
	})
	if err := p.k.Run(t.Context()); err != nil {
		t.Error(err)
	}
	if n := p.logs.Len(); n != 0 {
		t.Errorf("the kernel logged %v", p.logs.All())
	}
	if err := j.w.Kill(syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	j.w.Close()
	if _, err := unix.Wait4(j.w.PID(), nil, 0, nil); err != nil {
		t.Error(err)
	}
	j.wantHeard("done")
}
