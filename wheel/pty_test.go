package wheel_test

import (
	"testing"

	"github.com/go-poe/poe/wheel"
)

// A terminal is raw, so that bytes pass as they are, or as the system makes it.
func TestTerminal(t *testing.T) {
	p := inReality(t)
	const script = `test -t 0 && test -t 1 && test -t 2 && echo terminal; read x; echo "got $x"`
	raw := p.job(wheel.RunOptions{Shell: script, Conduit: wheel.PTY}, nil)
	cooked := p.job(wheel.RunOptions{Shell: script, Conduit: wheel.PTY, Cooked: true}, nil)
	raw.line = func(line string) {
		if line == "terminal" {
			raw.w.PutString("x\x03\r")
		}
	}
	cooked.line = func(line string) {
		if line == "terminal\r" {
			cooked.w.PutString("wrong\x15right")
		}
	}
	p.runReal()
	raw.wantHeard("stdout", "terminal", "got x\x03\r")
	raw.wantOver("0")
	got := cooked.heard["stdout"]
	if len(got) != 3 || got[0] != "terminal\r" || got[2] != "got right\r" {
		t.Errorf("got %q, want what came of the edited line, after its echo", got)
	}
	cooked.wantOver("0")
}

// Where a terminal has a character for the end of input, ShutdownStdin writes it.
func TestTerminalShutdownStdin(t *testing.T) {
	for _, late := range []bool{false, true} {
		terminalShutdownStdin(t, late)
	}
}

// terminalShutdownStdin shuts down while there is something to write, or when it is written.
func terminalShutdownStdin(t *testing.T, late bool) {
	p := inReality(t)
	j := p.job(wheel.RunOptions{
		Shell: "stty -echo; echo ready; cat; echo end", Conduit: wheel.PTY, Cooked: true,
	}, nil)
	j.line = func(line string) {
		if line == "ready\r" {
			if late {
				j.then = map[string]func(){"flushed": func() { j.w.ShutdownStdin() }}
				j.w.PutString("line")
				return
			}
			j.w.PutString("line")
			j.w.ShutdownStdin()
			j.w.ShutdownStdin()
			if err := j.w.PutString("late"); err != wheel.ErrOutputShut {
				t.Errorf("put after the end: %v, want ErrOutputShut", err)
			}
		}
	}
	p.runReal()
	j.wantHeard("stdout", "ready\r", "line\r", "end\r")
	j.wantHeard("flushed", "flushed")
	j.wantOver("0")
}

// The size of the window is known to the program, and a change comes with a signal (T-121).
func TestWinsize(t *testing.T) {
	p := inReality(t)
	j := p.job(wheel.RunOptions{
		// A shell may miss a signal that comes just before it begins to wait, so it does not wait long.
		Shell:   `trap 'stty size; exit' WINCH; stty size; while sleep 0.05; do :; done`,
		Conduit: wheel.PTY, Winsize: wheel.Winsize{Rows: 7, Cols: 11},
	}, nil)
	j.line = func(line string) {
		if line == "7 11" {
			if err := j.w.SetWinsize(wheel.Winsize{Rows: 8, Cols: 12, XPixels: 1}); err != nil {
				t.Error(err)
			}
		}
	}
	none := p.job(wheel.RunOptions{Shell: "exit 0", NoStdin: true}, nil)
	if err := none.w.SetWinsize(wheel.Winsize{}); err != wheel.ErrNoTerminal {
		t.Errorf("got %v, want ErrNoTerminal", err)
	}
	p.runReal()
	j.wantHeard("stdout", "7 11", "8 12")
	if err := j.w.SetWinsize(wheel.Winsize{}); err != wheel.ErrClosed {
		t.Errorf("got %v, want ErrClosed", err)
	}
}
