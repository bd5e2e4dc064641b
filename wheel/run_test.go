package wheel_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// A job is a session with a program, and what came of that, by kind of event. What comes on one
// stream has an order, and so has the end; between the streams there is none.
type job struct {
	*place
	s     *kernel.Session
	w     *wheel.Run
	heard map[string][]string
	exit  *wheel.Exit
	line  func(line string) // called for each line of the output, if it is not nil
	then  map[string]func() // called for other events, by name
}

// tell keeps what was heard.
func (j *job) tell(kind, format string, args ...any) {
	j.heard[kind] = append(j.heard[kind], fmt.Sprintf(format, args...))
	if f := j.then[kind]; f != nil {
		f()
	}
}

// wantHeard checks what was heard of one kind.
func (j *job) wantHeard(kind string, want ...string) {
	j.Helper()
	if got := j.heard[kind]; !slices.Equal(got, want) {
		j.Errorf("%s: got %q, want %q", kind, got, want)
	}
}

// wantOver checks that the job is over, by which status, and that it was so once.
func (j *job) wantOver(status string) {
	j.Helper()
	j.wantHeard("exit", "exit")
	j.wantHeard("done", "done")
	if j.exit == nil {
		return
	}
	if got := describe(j.exit.Status); got != status || j.exit.Err != nil {
		j.Errorf("ended with %s, %v, want %s", got, j.exit.Err, status)
	}
}

func describe(s syscall.WaitStatus) string {
	if s.Signaled() {
		return s.Signal().String()
	}
	return fmt.Sprint(s.ExitStatus())
}

// job makes a session that runs a program, with an event for everything.
func (p *place) job(opts wheel.RunOptions, then map[string]func()) *job {
	j := &job{place: p, heard: map[string][]string{}, then: then}
	if !opts.NoStdin && opts.RedirectStdin == nil {
		opts.StdinEvent = "flushed"
	}
	if opts.RedirectStdout == nil && opts.RedirectOutput == nil {
		opts.StdoutEvent = "stdout"
	}
	if opts.RedirectStderr == nil && opts.RedirectOutput == nil && opts.Conduit != wheel.PTY {
		opts.StderrEvent = "stderr"
	}
	opts.ErrorEvent, opts.CloseEvent = "error", "close"
	opts.ExitEvent, opts.DoneEvent = "exit", "done"
	ended := func(e *kernel.Event, x *wheel.Exit) {
		if x.Wheel != j.w.ID() || x.PID != j.w.PID() {
			p.Errorf("%s of wheel %d, process %d", e.Name, x.Wheel, x.PID)
		}
		j.exit = x
		j.tell(e.Name, "%s", e.Name)
	}
	input := func(e *kernel.Event, in *wheel.Input) {
		if in.Wheel != j.w.ID() {
			p.Errorf("a record of wheel %d, want %d", in.Wheel, j.w.ID())
		}
		j.tell(e.Name, "%s", in.Bytes)
		if e.Name == "stdout" && j.line != nil {
			j.line(string(in.Bytes))
		}
	}
	id := func(e *kernel.Event, id wheel.ID) {
		if id != j.w.ID() {
			p.Errorf("%s of wheel %d, want %d", e.Name, id, j.w.ID())
		}
		j.tell(e.Name, "%s", e.Name)
	}
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			j.s = e.Session
			j.w = wheel.NewRun(e.Session, opts)
		},
		"flushed": session.On(id),
		"stdout":  session.On(input),
		"stderr":  session.On(input),
		"error": session.On(func(_ *kernel.Event, err *wheel.RunError) {
			if err.Wheel != j.w.ID() {
				p.Errorf("an error of wheel %d, want %d", err.Wheel, j.w.ID())
			}
			j.tell("error", "%v", err)
		}),
		"close":        session.On(id),
		"exit":         session.On(ended),
		"done":         session.On(ended),
		kernel.Default: p.unknown,
	})
	return j
}

// inReality returns a place in the real world.
func inReality(t *testing.T) *place {
	t.Helper()
	return newPlace(t, kernel.NewLoop())
}

// enough is time for everything that a test has to do in the real world, many times over.
const enough = time.Minute

// runReal is run, but not for ever, and checks that no process is left.
func (p *place) runReal() {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), enough)
	defer cancel()
	if err := p.k.Run(ctx); err != nil {
		p.Fatalf("Run: %v\n%s\n%v", err, strings.Join(p.lines, "\n"), p.k.WhyAlive())
	}
	for _, entry := range p.logs.All() {
		p.Errorf("the kernel logged %q %v", entry.Message, entry.ContextMap())
	}
	if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); err != unix.ECHILD {
		p.Errorf("a process is left: %d, %v", pid, err)
	}
}

func TestRunOptions(t *testing.T) {
	p := simulated(t, sim.Options{})
	file := os.Stdin
	for _, test := range []struct {
		want string
		opts wheel.RunOptions
	}{
		{"has no Program", wheel.RunOptions{}},
		{"has a Program and a Shell", wheel.RunOptions{Program: "a", Shell: "a"}},
		{"has an unknown Conduit", wheel.RunOptions{Program: "a", Conduit: 3}},
		{"has a size below 0", wheel.RunOptions{Program: "a", MaxOutput: -1}},
		{"has a size below 0", wheel.RunOptions{Program: "a", BlockSize: -1}},
		{"has a RedirectStdin, and StdinEvent or NoStdin",
			wheel.RunOptions{Program: "a", RedirectStdin: file, NoStdin: true}},
		{"has a RedirectStdin, and StdinEvent or NoStdin",
			wheel.RunOptions{Program: "a", RedirectStdin: file, StdinEvent: "e"}},
		{"has NoStdin and a StdinEvent",
			wheel.RunOptions{Program: "a", NoStdin: true, StdinEvent: "e"}},
		{"has a RedirectStdout and a StdoutEvent",
			wheel.RunOptions{Program: "a", RedirectStdout: file, StdoutEvent: "e"}},
		{"has a RedirectStderr and a StderrEvent",
			wheel.RunOptions{Program: "a", RedirectOutput: file, StderrEvent: "e"}},
		{"has a RedirectOutput, and RedirectStdout or RedirectStderr",
			wheel.RunOptions{Program: "a", RedirectOutput: file, RedirectStderr: file}},
		{"has Winsize or Cooked, and no terminal", wheel.RunOptions{Program: "a", Cooked: true}},
		{"has Winsize or Cooked, and no terminal",
			wheel.RunOptions{Program: "a", Winsize: wheel.Winsize{Rows: 1}}},
		{"has a terminal and no StdoutEvent", wheel.RunOptions{Program: "a", Conduit: wheel.PTY}},
		{"has a terminal, and NoStdin or a redirection", wheel.RunOptions{
			Program: "a", Conduit: wheel.PTY, StdoutEvent: "e", NoStdin: true}},
		{"has a terminal, and NoStdin or a redirection", wheel.RunOptions{
			Program: "a", Conduit: wheel.PTYPipe, StdoutEvent: "e", RedirectStdin: file}},
		{"has PTY, and StderrEvent or a redirection", wheel.RunOptions{
			Program: "a", Conduit: wheel.PTY, StdoutEvent: "e", StderrEvent: "e"}},
	} {
		wantPanic(t, "wheel: RunOptions "+test.want, func() {
			wheel.NewRun(p.k.Root(), test.opts)
		})
	}
}

// Each stream arrives in its order, and the job is over once, however its program is joined to the
// wheel (T-120).
func TestRunConduits(t *testing.T) {
	const script = `
while read line; do
	case $line in
	out*) echo "$line" ;;
	err*) echo "$line" >&2 ;;
	bye) echo bye; exit 3 ;;
	esac
done
exit 9`
	for _, test := range []struct {
		name    string
		conduit wheel.Conduit
		stdout  []string
		stderr  []string
		errors  []string
	}{
		{"pipe", wheel.Pipe, []string{"out 1", "out 2", "bye"}, []string{"err 1"},
			[]string{"read STDERR: EOF", "read STDOUT: EOF"}},
		{"pty", wheel.PTY, []string{"out 1", "err 1", "out 2", "bye"}, nil,
			[]string{"read STDOUT: EOF"}},
		{"pty-pipe", wheel.PTYPipe, []string{"out 1", "out 2", "bye"}, []string{"err 1"},
			[]string{"read STDERR: EOF", "read STDOUT: EOF"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := inReality(t)
			j := p.job(wheel.RunOptions{Shell: script, Conduit: test.conduit}, nil)
			for _, line := range []string{"out 1", "err 1", "out 2", "bye"} {
				if err := j.w.PutString(line); err != nil {
					t.Error(err)
				}
			}
			if n, m := j.w.OutOctets(), j.w.OutMessages(); n != 22 || m != 4 {
				t.Errorf("%d bytes in %d records wait to be written, want 22 in 4", n, m)
			}
			if j.w.PID() <= 0 {
				t.Errorf("the process is %d", j.w.PID())
			}
			p.runReal()
			slices.Sort(j.heard["error"])
			j.wantHeard("stdout", test.stdout...)
			j.wantHeard("stderr", test.stderr...)
			j.wantHeard("error", test.errors...)
			j.wantHeard("close", "close")
			j.wantHeard("flushed", "flushed")
			j.wantOver("3")
			if n := j.w.OutOctets(); n != 0 {
				t.Errorf("%d bytes wait to be written, want none", n)
			}
		})
	}
}

// A line longer than what a pipe or a terminal holds arrives whole (T-128).
func TestRunLongLine(t *testing.T) {
	for _, conduit := range []wheel.Conduit{wheel.Pipe, wheel.PTY, wheel.PTYPipe} {
		p := inReality(t)
		long := strings.Repeat("0123456789ab", 10_000)
		j := p.job(wheel.RunOptions{
			Shell: `read line; echo "$line"; echo done`, Conduit: conduit,
		}, nil)
		if err := j.w.PutString(long); err != nil {
			t.Error(err)
		}
		p.runReal()
		if got := j.heard["stdout"]; len(got) != 2 || got[0] != long || got[1] != "done" {
			t.Errorf("conduit %d: got %d lines, want a long one and done", conduit, len(got))
		}
		j.wantOver("0")
	}
}

// What was put before ShutdownStdin is written, however long the program takes to read it, and
// then the program sees the end.
func TestRunShutdownStdin(t *testing.T) {
	const size, records = 100_000, 20
	p := inReality(t)
	j := p.job(wheel.RunOptions{Program: "wc", Args: []string{"-c"}}, nil)
	for range records {
		if err := j.w.Put(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
	}
	j.w.ShutdownStdin()
	j.w.ShutdownStdin()
	if err := j.w.PutString("late"); err != wheel.ErrOutputShut {
		t.Errorf("put after the end: %v, want ErrOutputShut", err)
	}
	p.runReal()
	got := strings.TrimSpace(strings.Join(j.heard["stdout"], ""))
	if want := fmt.Sprint((size + 1) * records); got != want {
		t.Errorf("the program read %s bytes, want %s", got, want)
	}
	j.wantHeard("flushed", "flushed")
	j.wantOver("0")
	if err := j.w.PutString("late"); err != wheel.ErrOutputShut {
		t.Errorf("put after all: %v, want ErrOutputShut", err)
	}
}

func TestRunEnvironment(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := inReality(t)
	j := p.job(wheel.RunOptions{
		Shell: `pwd; echo "$NAME"; echo "$1,$2"`,
		Args:  []string{"a b", "*"},
		Dir:   dir,
		Env:   []string{"NAME=value", "PATH=" + os.Getenv("PATH")},
	}, nil)
	p.runReal()
	j.wantHeard("stdout", dir, "value", "a b,*")
}

func TestRunCredential(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only the superuser may run a program as somebody else")
	}
	p := inReality(t)
	j := p.job(wheel.RunOptions{
		Shell: "id -u; id -g", Dir: "/", Credential: &syscall.Credential{Uid: 65534, Gid: 65533},
	}, nil)
	p.runReal()
	j.wantHeard("stdout", "65534", "65533")
}

func TestRunRedirect(t *testing.T) {
	in, out, both := temporary(t, "one\ntwo\n"), temporary(t, ""), temporary(t, "")
	p := inReality(t)
	j := p.job(wheel.RunOptions{
		Shell: "tac; echo oops >&2", RedirectStdin: in, RedirectStdout: out,
	}, nil)
	k := p.job(wheel.RunOptions{
		Shell: "cat; echo out; echo err >&2", NoStdin: true, RedirectOutput: both,
	}, nil)
	wantPanic(t, "wheel: Put to a Run that has NoStdin or RedirectStdin", func() {
		j.w.PutString("x")
	})
	j.w.ShutdownStdin()
	j.w.PauseStdout()
	j.w.ResumeStdout()
	p.runReal()
	j.wantHeard("stderr", "oops")
	j.wantHeard("error", "read STDERR: EOF")
	j.wantHeard("close", "close")
	j.wantOver("0")
	k.wantHeard("error")
	k.wantHeard("close")
	k.wantOver("0")
	wantFile(t, out, "two\none\n")
	wantFile(t, both, "out\nerr\n")
}

// temporary returns an open file.
func temporary(t *testing.T, text string) *os.File {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	return f
}

// wantFile checks what is in a file, which is still open: the wheel does not close it.
func wantFile(t *testing.T, f *os.File, want string) {
	t.Helper()
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(f); string(got) != want || err != nil {
		t.Errorf("the file has %q, %v, want %q", got, err, want)
	}
}

// What is paused comes only after it is resumed, and the other stream does not notice.
func TestRunPause(t *testing.T) {
	for _, paused := range []string{"stdout", "stderr"} {
		p := inReality(t)
		resumed, over := false, 0
		var j *job
		heard := func(kind string) func() {
			return func() {
				if kind == paused && !resumed {
					t.Errorf("%s came while it was paused", kind)
				}
				if over++; over == 2 {
					j.w.ShutdownStdin()
				}
			}
		}
		j = p.job(wheel.RunOptions{Shell: "echo out; echo err >&2; cat"}, map[string]func(){
			"stdout": heard("stdout"), "stderr": heard("stderr"),
		})
		pause, resume := j.w.PauseStdout, j.w.ResumeStdout
		if paused == "stderr" {
			pause, resume = j.w.PauseStderr, j.w.ResumeStderr
		}
		pause()
		// What another program does takes at least as long as what this one has done by then.
		other := p.job(wheel.RunOptions{Shell: "cat", NoStdin: true}, map[string]func(){
			"done": func() {
				resumed = true
				resume()
			},
		})
		p.runReal()
		j.wantHeard("stdout", "out")
		j.wantHeard("stderr", "err")
		j.wantOver("0")
		other.wantOver("0")
	}
}

// A program that writes faster than the owner wants to read has to wait, and costs no memory.
func TestRunBackPressure(t *testing.T) {
	p := inReality(t)
	var j *job
	lines := 0
	j = p.job(wheel.RunOptions{Shell: "yes", NoStdin: true, BlockSize: 4096}, nil)
	j.line = func(string) {
		j.heard["stdout"] = nil
		if lines++; lines == 100_000 {
			j.w.PauseStdout()
			other := p.job(wheel.RunOptions{Shell: "exit 0", NoStdin: true}, nil)
			other.then = map[string]func(){"done": func() {
				if lines > 100_000+4096/2 {
					t.Errorf("%d lines came though the output is paused", lines)
				}
				j.w.KillGroup(syscall.SIGKILL)
				j.w.ResumeStdout()
			}}
		}
	}
	p.runReal()
	j.wantOver("killed")
}

// Filters may change while there is more of the old kind to come.
func TestRunSetFilter(t *testing.T) {
	p := inReality(t)
	j := p.job(wheel.RunOptions{Shell: "printf 'four\\nabcdefgh'; printf xyz >&2; cat"}, nil)
	j.line = func(line string) {
		switch line {
		case "four":
			j.w.SetStdoutFilter(filter.NewBlock(filter.BlockOptions{BlockSize: 4}))
			j.w.SetStderrFilter(filter.NewBlock(filter.BlockOptions{BlockSize: 3}))
		case "efgh":
			j.w.SetStdioFilter(filter.NewStream(filter.StreamOptions{}))
			j.w.PutString("raw")
			j.w.ShutdownStdin()
		}
	}
	p.runReal()
	j.wantHeard("stdout", "four", "abcd", "efgh", "raw")
	j.wantHeard("stderr", "xyz")
	for name, f := range map[string]filter.Filter{
		"stdin": j.w.StdinFilter(), "stdout": j.w.StdoutFilter(),
	} {
		if _, ok := f.(*filter.Stream); !ok {
			t.Errorf("the filter of %s is a %T", name, f)
		}
	}
	if _, ok := j.w.StderrFilter().(*filter.Block); !ok {
		t.Errorf("the filter of stderr is a %T", j.w.StderrFilter())
	}
}

// An output without an event is not read until it has one again, and counts for CloseEvent all the
// same (P-32).
func TestRunSetEvent(t *testing.T) {
	p := inReality(t)
	var w *wheel.Run
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = wheel.NewRun(e.Session, wheel.RunOptions{
				Shell: "echo out; read x; echo err >&2", StdoutEvent: "one", StderrEvent: "stderr",
				DoneEvent: "done",
			})
			if err := w.SetStdoutEvent(""); err != nil {
				t.Error(err)
			}
			w.SetStdinEvent("flushed")
			w.SetErrorEvent("error")
			w.SetCloseEvent("close")
			w.PutString("go")
		},
		"flushed": p.said,
		"one":     p.input,
		"two":     p.input,
		"stderr": func(e *kernel.Event) {
			p.input(e)
			if err := w.SetStdoutEvent("two"); err != nil {
				t.Error(err)
			}
		},
		"error": func(e *kernel.Event) {},
		"close": p.said,
		"done": func(e *kernel.Event) {
			p.said(e)
			if err := w.SetStdoutEvent("one"); err != nil {
				t.Error(err)
			}
		},
	})
	p.runReal()
	p.want("flushed", `stderr "err"`, `two "out"`, "close", "done")

	none := inReality(t)
	none.create(session.Events{kernel.Start: func(e *kernel.Event) {
		w := wheel.NewRun(e.Session, wheel.RunOptions{Shell: "exit 0", NoStdin: true})
		wantPanic(t, "wheel: an event for STDOUT of a Run that had none from the start",
			func() { w.SetStdoutEvent("out") })
		wantPanic(t, "wheel: an event for STDERR of a Run that had none from the start",
			func() { w.SetStderrEvent("err") })
	}})
	none.runReal()
}
