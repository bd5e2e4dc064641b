package kernel_test

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

func TestExceptionComesOutOfRunWithItsValue(t *testing.T) {
	k := newKernel(t)
	failed := errors.New("broken")
	var j journal
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Yield("bad") },
		"bad":        func(*kernel.Event) { panic(failed) },
		kernel.Stop:  j.note("stops"),
	})
	err := k.Run(t.Context())
	var x *kernel.Exception
	if !errors.Is(err, failed) || !errors.As(err, &x) {
		t.Fatalf("got %v, want what the handler panicked with", err)
	}
	here := strings.Contains(string(x.Stack), "signal_test")
	if x.Event != "bad" || x.SenderEvent != kernel.Start || !here {
		t.Errorf("got event %q, sender's %q, stack %.80s", x.Event, x.SenderEvent, x.Stack)
	}
	j.want(t, "stops")
	run(t, k) // it works again
}

// A handler that panics costs no other session an event.
func TestExceptionOfOneSessionLeavesOthersAlone(t *testing.T) {
	k := newKernel(t)
	n := 0
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			for range 100 {
				e.Session.Yield("tick")
			}
		},
		"tick": func(*kernel.Event) { n++ },
	})
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Sig("DIE", "died")
			for range 100 {
				e.Session.Yield("bad")
			}
		},
		"bad":  func(*kernel.Event) { panic("bad") },
		"died": func(*kernel.Event) { k.SigHandled() },
	})
	run(t, k)
	if n != 100 {
		t.Errorf("got %d events, want 100", n)
	}
}

func TestExceptionInsideDie(t *testing.T) {
	k := newKernel(t)
	first, second := errors.New("first"), errors.New("second")
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Sig("DIE", "died")
			e.Session.Yield("bad")
		},
		"bad": func(*kernel.Event) { panic(first) },
		"died": func(*kernel.Event) {
			k.SigHandled()
			panic(second)
		},
	})
	err := k.Run(t.Context())
	if !errors.Is(err, first) || !errors.Is(err, second) {
		t.Errorf("got %v, want both", err)
	}
	if strings.Index(err.Error(), "first") > strings.Index(err.Error(), "second") {
		t.Errorf("got %v, want the first first", err)
	}
}

// A panic in Stop ends the run at once, and not with the next event that is due (P-21).
func TestExceptionInsideStop(t *testing.T) {
	k := newKernel(t)
	failed := errors.New("bad exit")
	k.Create(session.Events{kernel.Start: func(e *kernel.Event) { e.Session.Delay("never", time.Hour) }})
	k.Create(session.Events{kernel.Start: nothing, kernel.Stop: func(*kernel.Event) { panic(failed) }})
	if err := k.Run(t.Context()); !errors.Is(err, failed) {
		t.Errorf("got %v, want the panic", err)
	}
}

func TestExceptionInsideStart(t *testing.T) {
	k := newKernel(t)
	var j journal
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Sig("DIE", "died")
			c := e.Session.Create(session.Events{kernel.Start: func(e *kernel.Event) {
				e.Result = "half"
				panic("early")
			}})
			if c == nil {
				t.Error("Create returns nothing")
			}
		},
		kernel.Child: func(e *kernel.Event) { j.add("%v %v", e.Args[0], e.Args[2]) },
		"died":       func(*kernel.Event) { k.SigHandled() },
	})
	run(t, k)
	j.want(t, "create <nil>", "lose <nil>")
}

// When nobody watches a signal any more, the system's own way with it, or the program's, is
// restored.
func TestSignalsOfTheSystemAreGivenBack(t *testing.T) {
	mine := make(chan os.Signal, 1)
	signal.Notify(mine, syscall.SIGUSR2)
	defer signal.Stop(mine)
	k := newKernel(t)
	var j journal
	send := func(*kernel.Event) { _ = syscall.Kill(os.Getpid(), syscall.SIGUSR2) }
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			if err := e.Session.AliasSet("x"); err != nil {
				t.Error(err)
			}
			e.Session.Sig("USR2", "usr2")
			e.Session.Delay("wait", time.Minute)
			send(e)
		},
		"usr2": func(e *kernel.Event) {
			j.add("%v from %v", e.Args[0], e.Sender)
			e.Session.Sig("USR2", "")
			e.Session.AlarmClear("wait")
		},
	})
	run(t, k)
	j.want(t, "USR2 from kernel")
	<-mine
	send(nil)
	<-mine // and it did not kill the process
}

func TestChildProcesses(t *testing.T) {
	k := newKernel(t)
	const n = 20
	got := map[int]int{}
	all := 0
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Sig("CHLD", "any")
			for i := range n {
				cmd := exec.Command("sh", "-c", "exit $1", "sh", string(rune('0'+i%10)))
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				for range 2 { // the second replaces the first (P-7)
					if err := e.Session.SigChild(cmd.Process.Pid, "ended", i); err != nil {
						t.Error(err)
					}
				}
			}
			if err := e.Session.SigChild(os.Getpid(), "ended"); !errors.Is(err, kernel.ErrNoChild) {
				t.Errorf("waiting for oneself: got %v, want ErrNoChild", err)
			}
			if err := e.Session.SigChild(-1, "ended"); !errors.Is(err, kernel.ErrInvalid) {
				t.Errorf("waiting for any: got %v, want ErrInvalid", err)
			}
		},
		"ended": func(e *kernel.Event) {
			i := kernel.Arg[int](e, 3)
			got[i] = kernel.Arg[syscall.WaitStatus](e, 2).ExitStatus()
		},
		"any": func(*kernel.Event) { all++ },
	})
	run(t, k)
	if len(got) != n || all != n {
		t.Errorf("got %d events and %d signals, want %d of both", len(got), all, n)
	}
	for i, status := range got {
		if status != i%10 {
			t.Errorf("child %d: got status %d", i, status)
		}
	}
}

func TestChildProcessThatIsForgotten(t *testing.T) {
	k := newKernel(t)
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			if err := e.Session.SigChild(cmd.Process.Pid, "ended"); err != nil {
				t.Fatal(err)
			}
			_ = e.Session.SigChild(cmd.Process.Pid, "")
		},
	})
	run(t, k)
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // it is ours to wait for again
	if s := cmd.ProcessState; s == nil || s.Exited() {
		t.Errorf("got %v, want a process that was killed", s)
	}
}

// UIDESTROY and ZOMBIE stop sessions whether they say that it is handled or not, and the watch of
// one session does not save another.
func TestFatalSignals(t *testing.T) {
	for _, name := range []string{"UIDESTROY", "ZOMBIE"} {
		k := newKernel(t)
		var j journal
		k.Create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				e.Session.Sig(name, "told")
				e.Session.Delay("never", time.Hour)
				if err := k.Signal(e.Session, name); err != nil {
					t.Error(err)
				}
			},
			"told":      func(*kernel.Event) { j.add("told"); k.SigHandled() },
			kernel.Stop: j.note("stops"),
		})
		run(t, k)
		j.want(t, "told", "stops")
	}
}

// A pipe whose other end is gone is an error of the write, and no signal that ends the process.
func TestBrokenPipeIsAnError(t *testing.T) {
	k := newKernel(t)
	r, w := pipe(t)
	var j journal
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			_ = r.Close()
			if _, err := w.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
				t.Errorf("got %v, want EPIPE", err)
			}
			e.Session.Yield("on")
		},
		"on": j.note("goes on"),
	})
	run(t, k)
	j.want(t, "goes on")
}

// SIGPIPE goes to the root, so to every session that watches it, like any signal of the system (K-93).
func TestSigpipeIsASignalLikeOthers(t *testing.T) {
	k := newKernel(t)
	var j journal
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Sig("PIPE", "broken")
			e.Session.Delay("wait", time.Minute)
			_ = syscall.Kill(os.Getpid(), syscall.SIGPIPE)
		},
		"broken": func(e *kernel.Event) {
			j.add("%v from %v", e.Args[0], e.Sender)
			e.Session.AlarmClear("wait")
		},
	})
	run(t, k)
	j.want(t, "PIPE from kernel")
}
