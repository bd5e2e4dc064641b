package conformance

import (
	"fmt"
	"slices"
	"syscall"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// The ports of the cases about programs that run in processes of their own.
func init() {
	onSystem("wheel-run-shell", runShell)
	onSystem("wheel-run-stdin", runStdin)
}

// ends describes how a process has ended, from the event of SigChild.
func ends(e *kernel.Event) string {
	status := kernel.Arg[syscall.WaitStatus](e, 2)
	if status.Signaled() {
		return fmt.Sprintf("exit=0 signal=%d", status.Signal())
	}
	return fmt.Sprintf("exit=%d signal=0", status.ExitStatus())
}

// watch asks for an event for the end of a program.
func (p *program) watch(e *kernel.Event, w *wheel.Run, event string) {
	if err := e.Session.SigChild(w.PID(), event); err != nil {
		p.T.Error(err)
	}
}

func runShell(p *program) {
	const script = "echo out one; sleep 0.2; echo err one >&2; sleep 0.2; " +
		`printf "out two\nunfinished"; exit 3`
	var w *wheel.Run
	var errs []string
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = wheel.NewRun(e.Session, wheel.RunOptions{
				Program: "/bin/sh", Args: []string{"-c", script}, StdoutEvent: "stdout",
				StderrEvent: "stderr", ErrorEvent: "error", CloseEvent: "close",
			})
			p.watch(e, w, "reaped")
			p.Out("pid", either(w.PID() > 0, "positive", "bad"))
		},
		"stdout": session.On(func(_ *kernel.Event, in *wheel.Input) {
			p.Out("stdout", Show(in.Bytes), "wheel", ownID(in.Wheel, w.ID()), "args",
				len(positions(in)))
		}),
		"stderr": session.On(func(_ *kernel.Event, in *wheel.Input) {
			p.Out("stderr", Show(in.Bytes), "args", len(positions(in)))
		}),
		"error": session.On(func(_ *kernel.Event, err *wheel.RunError) {
			errs = append(errs, join([]any{err.Op, Errname(err), "text",
				either(err.Text() != "", "given", "empty"), "handle", err.Handle}))
		}),
		"close": session.On(func(_ *kernel.Event, id wheel.ID) {
			p.Note("close", "after", len(errs), "errors, wheel", ownID(id, w.ID()))
			w.Close()
		}),
		"reaped": func(e *kernel.Event) { p.Note("reaped", arg(e, 0), ends(e)) },
		kernel.Stop: func(*kernel.Event) {
			p.Note("stop", "session")
		},
	})
	p.run()
	slices.Sort(errs)
	for _, line := range errs {
		p.Note("error", line)
	}
	p.PrintNotes()
}

func runStdin(p *program) {
	var w *wheel.Run
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = wheel.NewRun(e.Session, wheel.RunOptions{
				Program: "/bin/cat", Args: []string{"-u"}, StdinEvent: "flushed",
				StdoutEvent: "stdout", ErrorEvent: "error", CloseEvent: "close",
			})
			p.watch(e, w, "reaped")
			p.Out("put returns", code(putAll(w, "first", "second")), "buffered", w.OutOctets())
		},
		"flushed": session.On(func(_ *kernel.Event, id wheel.ID) {
			p.Out("flushed", "args", len(positions(id)), "wheel", ownID(id, w.ID()), "buffered",
				w.OutOctets())
		}),
		"stdout": session.On(func(_ *kernel.Event, in *wheel.Input) {
			line := string(in.Bytes)
			p.Out("stdout", Show(line))
			switch line {
			case "second":
				_ = putAll(w, "third")
			case "third":
				w.ShutdownStdin()
				p.Out("stdin shut down")
				err := putAll(w, "too late")
				p.Out("put after shutdown", either(err == nil, "accepted", "refused"))
			}
		}),
		"error": session.On(func(_ *kernel.Event, err *wheel.RunError) {
			p.Note("end", "error", err.Op, Errname(err), err.Handle)
		}),
		"close": func(*kernel.Event) {
			p.Note("end", "close")
			w.Close()
		},
		"reaped": func(e *kernel.Event) { p.Note("reaped", ends(e)) },
	})
	p.run()
	p.PrintNotes()
}

// putAll puts the records, and returns what went wrong with the last of them.
func putAll(w *wheel.Run, records ...string) (err error) {
	for _, r := range records {
		err = w.PutString(r)
	}
	return err
}
