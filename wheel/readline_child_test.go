package wheel_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// TestConsoleProgram is no test but a program: what the tests below run on a terminal of its own.
func TestConsoleProgram(t *testing.T) {
	if os.Getenv("POE_TEST_CONSOLE") == "" {
		t.Skip("not asked for")
	}
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var w *wheel.ReadLine
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w, err = wheel.NewReadLine(e.Session, wheel.ReadLineOptions{
				InputEvent: "line", PutMode: wheel.PutImmediate,
			})
			if err != nil {
				t.Fatal(err)
			}
			w.Get("> ")
		},
		"line": session.On(func(_ *kernel.Event, l *wheel.Line) {
			switch {
			case l.Text == "panic":
				panic("oh")
			case strings.HasPrefix(l.Text, "SIG"):
				_ = unix.Kill(os.Getpid(), unix.SignalNum(l.Text))
				w.Get("")
			case l.Err != nil:
				w.Close()
			default:
				w.Put("got " + l.Text)
				w.Get("> ")
			}
		}),
	})
	err = k.Run(context.Background())
	fmt.Println("ended:", err != nil)
	os.Exit(0)
}

// console runs that program by a shell, which then says how the terminal is. The steps are what is
// typed once the output has some text in it.
func console(t *testing.T, script string, steps ...[2]string) string {
	t.Helper()
	p := inReality(t)
	var out strings.Builder
	env := append(os.Environ(), "POE_TEST_CONSOLE=1", "TERM=xterm", "INPUTRC="+os.DevNull)
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w := wheel.NewRun(e.Session, wheel.RunOptions{
				Shell: script, Args: []string{os.Args[0], "-test.run=^TestConsoleProgram$"}, Env: env,
				Conduit: wheel.PTY, Cooked: true, Winsize: wheel.Winsize{Rows: 24, Cols: 80},
				StdioFilter: filter.NewStream(filter.StreamOptions{}), StdoutEvent: "out", DoneEvent: "done",
			})
			e.Session.State("out", func(e *kernel.Event) {
				out.Write(kernel.Arg[*wheel.Input](e, 0).Bytes)
				for len(steps) > 0 && strings.Contains(out.String(), steps[0][0]) {
					if err := w.PutString(steps[0][1]); err != nil {
						t.Error(err)
					}
					steps = steps[1:]
				}
			})
		},
		"done": func(*kernel.Event) {},
	})
	p.runReal()
	if len(steps) > 0 {
		t.Errorf("never saw %q in %q", steps[0][0], out.String())
	}
	return out.String()
}

// wantCooked checks that the shell has found the terminal as it was, in what stty has said.
func wantCooked(t *testing.T, said string) {
	t.Helper()
	for _, want := range []string{"icanon", "echo", "isig"} {
		if !slices.Contains(strings.Fields(said), want) {
			t.Errorf("no %s in what the terminal is: %q", want, said)
		}
	}
}

// Whatever ends the program, the terminal is as it was.
func TestReadLineProgramEnds(t *testing.T) {
	for _, test := range []struct{ keys, want string }{
		{"\x04", "ended: false"},
		{"panic\r", "ended: true"},
		{"SIGTERM\r", "ended: false"},
		{"SIGHUP\r", "ended: false"},
		{"SIGINT\r", "ended: false"},
		{"SIGQUIT\r", "ended: false"},
	} {
		out := console(t, `"$@"; stty -a`, [2]string{"> ", test.keys})
		_, said, ok := strings.Cut(out, test.want)
		if !ok {
			t.Errorf("%q: no %q in %q", test.keys, test.want, out)
		}
		wantCooked(t, said)
	}
}

// C-z stops the program, and the terminal is as it was until the program goes on; then the line is
// there again.
func TestReadLineStops(t *testing.T) {
	out := console(t, `set -m; "$@"; echo has stopped; stty -a; echo; fg; stty -a`,
		[2]string{"> ", "ab\x1a"},
		[2]string{"\x1b[?2004h\r\x1b[J> ab", "c\r"},
		[2]string{"got abc", "\x04"})
	_, said, _ := strings.Cut(out, "has stopped")
	said, again, _ := strings.Cut(said, "> ab")
	wantCooked(t, said)
	wantCooked(t, again)
}

// Where nobody can let the program go on, C-z does not stop it.
func TestReadLineStopsAlone(t *testing.T) {
	out := console(t, `exec "$@"`, [2]string{"> ", "ab\x1a"},
		[2]string{"\a", "c\r"}, [2]string{"got abc", "\x04"})
	if !strings.Contains(out, "ended: false") {
		t.Errorf("the program has not ended: %q", out)
	}
}
