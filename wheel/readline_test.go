package wheel_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// A line comes when it is entered, and nothing before Get. What is typed ahead waits.
func TestReadLine(t *testing.T) {
	u := sit(t, wheel.ReadLineOptions{})
	u.once(func() bool { return u.w != nil }, func() {
		if !isRaw(t, u.tty) || !u.w.IsTerminal() {
			t.Error("the terminal is not raw")
		}
		if cols, rows := u.w.TerminalSize(); cols != 20 || rows != 6 {
			t.Errorf("the terminal has %d by %d", cols, rows)
		}
		u.get("> ")
		u.types("helo\x02l")
	})
	u.sees("> hell|o", func() { u.types("\rone\rtwo\rhalf") })
	u.told(1, func() { u.get("1> ") })
	u.told(2, func() { u.get("2> ") })
	u.told(3, func() { u.get("3> ") })
	u.sees("> hello\n1> one\n2> two\n3> half|", func() { u.get("other> ") })
	u.sees("> hello\n1> one\n2> two\nother> half|", func() {
		if u.w.Prompt() != "other> " {
			t.Errorf("the prompt is %q", u.w.Prompt())
		}
		u.leaves()
	})
	u.run(`"hello"`, `"one"`, `"two"`)
	if err := u.w.Get(""); err != wheel.ErrClosed {
		t.Errorf("Get: %v, want ErrClosed", err)
	}
	if err := u.w.Put(""); err != wheel.ErrClosed {
		t.Errorf("Put: %v, want ErrClosed", err)
	}
	u.w.Clear()
	u.w.Close()
}

// The keys that end a line otherwise end no more than that.
func TestReadLineEnds(t *testing.T) {
	u := sit(t, wheel.ReadLineOptions{})
	u.once(func() bool { return u.w != nil }, func() { u.get("> "); u.types("ab\x03") })
	u.told(1, func() { u.get("> "); u.types("ab\x07") })
	u.told(2, func() { u.get("> "); u.types("\x04") })
	u.told(3, func() { u.get("> "); u.types("still here\r") })
	u.told(4, u.leaves)
	u.run("wheel: interrupted", "wheel: line was cancelled", "EOF", `"still here"`)
}

// What the program shows does not disturb the line, and comes when it is to.
func TestReadLinePut(t *testing.T) {
	for _, test := range []struct {
		opts   wheel.ReadLineOptions
		during string
	}{
		{wheel.ReadLineOptions{PutMode: wheel.PutImmediate}, "first\n1\n2\n> ab|"},
		{wheel.ReadLineOptions{IdleTime: time.Millisecond}, "first\n1\n2\n> ab|"},
		{wheel.ReadLineOptions{PutMode: wheel.PutAfter}, ""},
		{wheel.ReadLineOptions{IdleTime: time.Hour}, ""},
	} {
		u := sit(t, test.opts)
		u.once(func() bool { return u.w != nil }, func() {
			u.w.Put("first")
			u.get("> ")
			u.types("ab")
		})
		after := "first\n> ab\n1\n2\n|"
		u.sees("first\n> ab|", func() {
			if err := u.w.Put("1", "2"); err != nil {
				t.Error(err)
			}
			if test.during == "" {
				u.types("\r")
			}
		})
		if test.during != "" {
			u.sees(test.during, func() { u.types("\r") })
			after = "first\n1\n2\n> ab\n|"
		}
		u.sees(after, u.leaves)
		u.run(`"ab"`)
	}
}

// A window of another size shows the line anew.
func TestReadLineResize(t *testing.T) {
	redrawn := false
	u := sit(t, wheel.ReadLineOptions{})
	u.once(func() bool { return u.w != nil }, func() { u.get("> "); u.types("1234567890") })
	u.sees("> 1234567890|", func() {
		if err := pty.Setsize(u.tty, &pty.Winsize{Cols: 8, Rows: 5}); err != nil {
			t.Fatal(err)
		}
		u.d = newDisplay(8, 5)
		u.d.write([]byte("> 1234567890"))
		u.s.State("changed", func(e *kernel.Event) { e.Session.Yield("redrawn") })
		u.s.State("redrawn", func(*kernel.Event) { redrawn = true; u.look() })
		u.s.Sig("WINCH", "changed")
		if err := unix.Kill(os.Getpid(), unix.SIGWINCH); err != nil {
			t.Fatal(err)
		}
	})
	u.once(func() bool { return redrawn }, func() { u.types("ab\x01") })
	u.sees("> |123456\n7890ab", u.leaves)
	u.run()
}

// A program that was stopped by others, and goes on, finds the terminal as it has left it.
func TestReadLineContinues(t *testing.T) {
	on := false
	u := sit(t, wheel.ReadLineOptions{})
	u.once(func() bool { return u.w != nil }, func() { u.get("> "); u.types("ab\x02") })
	u.sees("> a|b", func() {
		u.s.State("continued", func(e *kernel.Event) { e.Session.Yield("on") })
		u.s.State("on", func(*kernel.Event) { on = true; u.look() })
		u.s.Sig("CONT", "continued")
		if err := unix.Kill(os.Getpid(), unix.SIGCONT); err != nil {
			t.Fatal(err)
		}
	})
	u.once(func() bool { return on }, func() {
		if !isRaw(t, u.tty) {
			t.Error("the terminal is not raw")
		}
		u.types("x")
	})
	u.sees("> ax|b", u.leaves)
	u.run()
}

// Clear shows the line at the top.
func TestReadLineClear(t *testing.T) {
	u := sit(t, wheel.ReadLineOptions{PutMode: wheel.PutImmediate})
	u.once(func() bool { return u.w != nil }, func() { u.get("> "); u.w.Put("x"); u.types("ab") })
	u.sees("x\n> ab|", func() { u.w.Clear() })
	u.sees("> ab|", u.leaves)
	u.run()
}

// The escape key of vi is one when nothing follows it for a while.
func TestReadLineEscape(t *testing.T) {
	u := sit(t, wheel.ReadLineOptions{})
	u.once(func() bool { return u.w != nil }, func() {
		for name, value := range map[string]string{"editing-mode": "vi", "keyseq-timeout": "1"} {
			if err := u.w.SetOption(name, value); err != nil {
				t.Error(err)
			}
		}
		u.get("> ")
		u.types("ab\x1b")
	})
	u.sees("> a|b", func() { u.types("x") })
	u.sees("> |a", u.leaves)
	u.run()
}

// A user who hangs up is the end of the input, now and later.
func TestReadLineHangup(t *testing.T) {
	u := sit(t, wheel.ReadLineOptions{ErrorEvent: "error"})
	u.once(func() bool { return u.w != nil }, func() { u.get("> "); u.types("ab") })
	u.sees("> ab|", func() {
		u.tty.Close()
		u.line.Close()
		u.far.Close()
	})
	u.told(1, func() { u.get("> ") })
	u.told(2, func() { u.w.Close() })
	u.runReal()
	if !slices.Equal(u.lines, []string{"EOF", "EOF"}) {
		t.Errorf("got %q", u.lines)
	}
}

// However the session ends, the terminal gets back what it was.
func TestReadLineEndsWithItsOwner(t *testing.T) {
	for name, end := range map[string]func(e *kernel.Event){
		"Kernel.Stop": func(e *kernel.Event) { e.Kernel.Stop() },
		"Session.End": func(e *kernel.Event) { e.Session.End() },
		"KILL":        func(e *kernel.Event) { _ = e.Kernel.Signal(e.Session, "KILL") },
		"SIGTERM":     func(e *kernel.Event) { _ = unix.Kill(os.Getpid(), unix.SIGTERM) },
		"panic":       func(*kernel.Event) { panic("oh") },
	} {
		t.Run(name, func(t *testing.T) {
			u := sit(t, wheel.ReadLineOptions{})
			u.once(func() bool { return u.w != nil }, func() { u.get("> ") })
			u.sees("> |", func() {
				if !isRaw(t, u.tty) {
					t.Error("the terminal is not raw")
				}
				u.s.State("end", end)
				u.s.Yield("end")
			})
			u.place.create(session.Events{
				kernel.Start: func(e *kernel.Event) { e.Session.Sig("DIE", "x"); e.Session.Yield("x") },
				"x": func(e *kernel.Event) {
					if u.s.Ended() {
						u.far.Close()
						return
					}
					e.Session.Delay("x", time.Millisecond)
				},
			})
			err := u.k.Run(t.Context())
			if name == "panic" != (err != nil) {
				t.Errorf("Run: %v", err)
			}
			if isRaw(t, u.tty) {
				t.Error("the terminal is raw")
			}
		})
	}
}

// What takes long is done to its end, though others get their turns.
func TestReadLineFlood(t *testing.T) {
	u := sit(t, wheel.ReadLineOptions{})
	u.once(func() bool { return u.w != nil }, func() {
		u.get("> ")
		u.types("\x1b[200~" + strings.Repeat("x", 5000) + "\x1b[201~")
		u.types(strings.Repeat("\x1b99999\x02\x1b99999\x06", 2000) + "\x15short\r")
	})
	u.told(1, u.leaves)
	u.run(`"short"`)
}

// A terminal that takes no more holds up what is shown, not the memory.
func TestReadLineBlocked(t *testing.T) {
	u := sit(t, wheel.ReadLineOptions{MaxOutput: 300_000})
	u.once(func() bool { return u.w != nil }, func() {
		u.far.PauseInput()
		line := strings.Repeat("x", 9_998)
		puts := 0
		for ; u.w.Put(line) == nil && puts < 100; puts++ {
			continue
		}
		if err := u.w.Put(line); err != wheel.ErrOutputFull || puts != 30 {
			t.Errorf("%d lines were taken, then %v; want 30, ErrOutputFull", puts, err)
		}
		u.get("> ")
		u.types("ab\r")
		u.s.State("later", func(*kernel.Event) { u.far.ResumeInput() })
		u.s.Delay("later", 10*time.Millisecond)
	})
	u.told(1, u.leaves)
	u.run(`"ab"`)
}

// Keys that show more than a terminal takes wait for it, and nothing that is shown is lost.
func TestReadLineKeysWait(t *testing.T) {
	u := sit(t, wheel.ReadLineOptions{MaxOutput: 200_000})
	u.once(func() bool { return u.w != nil }, func() {
		u.get("> ")
		u.far.PauseInput()
		u.types(strings.Repeat("\x0c", 100_000) + "short")
		left, still := 0, 0
		u.s.State("look", func(e *kernel.Event) {
			if n := u.far.OutOctets(); n != left {
				left, still = n, 0
			} else if still++; still == 10 {
				if left == 0 {
					t.Error("all keys were read")
				}
				u.far.ResumeInput()
				return
			}
			e.Session.Delay("look", time.Millisecond)
		})
		u.s.Yield("look")
	})
	u.sees("> short|", u.leaves)
	u.run()
}

// A dumb terminal edits lines by itself, and gets nothing but text.
func TestReadLineDumb(t *testing.T) {
	u := sit(t, wheel.ReadLineOptions{Term: "dumb"})
	u.once(func() bool { return u.w != nil }, func() {
		if isRaw(t, u.tty) || u.w.IsTerminal() {
			t.Error("the terminal is raw")
		}
		u.get("> ")
	})
	u.sees("> |", func() { u.types("ac\x7fb\n") })
	u.told(1, func() {
		if err := u.w.Put("got it"); err != nil {
			t.Error(err)
		}
	})
	u.once(func() bool { return strings.Contains(u.d.seen(), "got it") }, u.leaves)
	u.run(`"ab"`)
}

// A function of the program's own may do with the wheel what it likes.
func TestReadLineFunctions(t *testing.T) {
	u := sit(t, wheel.ReadLineOptions{PutMode: wheel.PutImmediate})
	u.once(func() bool { return u.w != nil }, func() {
		for keys, f := range map[string]wheel.EditFunc{
			`\C-xp`: func(*wheel.Editor) { u.w.Put("put") },
			`\C-xg`: func(*wheel.Editor) { u.get("got> ") },
			`\C-xc`: func(*wheel.Editor) { u.leaves() },
			`\C-xi`: func(e *wheel.Editor) { _ = e.Insert("inserted") },
		} {
			if err := u.w.AddDefun(keys, f, keys); err != nil {
				t.Error(err)
			}
		}
		if err := u.w.AddDefun("alone", func(*wheel.Editor) {}, ""); err != nil {
			t.Error(err)
		}
		if err := u.w.BindKey("C-o", "end-of-line"); err != nil {
			t.Error(err)
		}
		if err := u.w.BindKey("Control-Foo", "end-of-line"); !errors.Is(err, wheel.ErrBadKey) {
			t.Errorf("got %v, want ErrBadKey", err)
		}
		u.w.SetComplete(commands)
		if len(u.w.Attribs()) == 0 || u.w.Option("comment-begin") != "#" {
			t.Error("there are no variables")
		}
		u.get("> ")
		u.types("q\t\x18i\x01\x18p\x0f!\x18g")
	})
	u.sees("put\ngot> quit inserted!|", func() { u.types("\x18cx") })
	u.run()
}

func TestReadLineHistoryFiles(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	u := sit(t, wheel.ReadLineOptions{MaxHistory: 4})
	u.once(func() bool { return u.w != nil }, func() {
		defer u.leaves()
		historyFiles(t, u.w, home)
	})
	u.run()
}

func historyFiles(t *testing.T, w *wheel.ReadLine, home string) {
	check := func(err error, want ...string) {
		t.Helper()
		if got := w.History(); err != nil || !slices.Equal(got, want) {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	if err := w.ReadHistory("", 0, -1); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
	w.AddHistory("one", "two\nlines", "日本")
	if err := w.WriteHistory(""); err != nil {
		t.Error(err)
	}
	name := filepath.Join(home, ".history")
	text, err := os.ReadFile(name)
	if string(text) != "one\ntwo lines\n日本\n" || err != nil {
		t.Errorf("the file is %q, %v", text, err)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
	check(w.ReadHistory("", 1, 1), "one", "two\nlines", "日本", "two lines")
	check(w.ReadHistory(name, 0, -1), "two lines", "one", "two lines", "日本")
	check(w.ReadHistory(name, 5, -1), "two lines", "one", "two lines", "日本")
	if err := w.TruncateHistoryFile("", 1); err != nil {
		t.Error(err)
	}
	check(w.ReadHistory("", 0, 100), "one", "two lines", "日本", "日本")
	if err := w.TruncateHistoryFile("", 0); err != nil {
		t.Error(err)
	}
	check(w.ReadHistory("", 0, -1), "one", "two lines", "日本", "日本")
	link := filepath.Join(home, "link")
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	if err := w.WriteHistory(link); err != nil {
		t.Error(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info, err)
	}
	fifo := filepath.Join(home, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := w.ReadHistory(fifo, 0, -1); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got %v, want ErrUnsupported", err)
	}
	if err := os.Truncate(name, 20<<20); err != nil {
		t.Fatal(err)
	}
	if err := w.ReadHistory(name, 0, -1); !errors.Is(err, wheel.ErrFileTooLong) {
		t.Errorf("got %v, want ErrFileTooLong", err)
	}
	if err := w.WriteHistory(filepath.Join(home, "no", "file")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
	if err := w.TruncateHistoryFile(filepath.Join(home, "no"), 1); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
}

// The user's inputrc counts, is read again when the user wants that, and its mistakes are logged.
func TestReadLineInputrc(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	name := filepath.Join(home, "rc")
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("rc", "$if my-app\n$include ~/more\n$endif\n")
	write("more", "Control-o: \"one\"\n")
	u := sit(t, wheel.ReadLineOptions{AppName: "my-app", Inputrc: name})
	u.once(func() bool { return u.w != nil }, func() { u.get("> "); u.types("\x0f") })
	u.sees("> one|", func() {
		write("rc", "Control-o: \"two\"\nnonsense\n")
		u.types("\x18\x12\x0f")
	})
	u.sees("> onetwo|", func() {
		if got := u.logs.TakeAll(); len(got) != 1 || !strings.Contains(got[0].Message, "inputrc") {
			t.Errorf("the log has %v", got)
		}
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
		u.types("\x18\x12")
	})
	u.once(func() bool { return u.d.bells == 1 }, u.leaves)
	u.run()
}

func TestReadLineOptions(t *testing.T) {
	p := inReality(t)
	for _, test := range []struct {
		want string
		opts wheel.ReadLineOptions
	}{
		{"has no InputEvent", wheel.ReadLineOptions{}},
		{"has an unknown PutMode", wheel.ReadLineOptions{InputEvent: "e", PutMode: 3}},
		{"has a size below 0", wheel.ReadLineOptions{InputEvent: "e", MaxLine: -1}},
		{"has a size below 0", wheel.ReadLineOptions{InputEvent: "e", MaxHistory: -1}},
		{"has a size below 0", wheel.ReadLineOptions{InputEvent: "e", MaxOutput: -1}},
		{"has an IdleTime below 0", wheel.ReadLineOptions{InputEvent: "e", IdleTime: -1}},
		{"has an Output and no Input",
			wheel.ReadLineOptions{InputEvent: "e", Output: &handle{}}},
	} {
		wantPanic(t, "wheel: ReadLineOptions "+test.want, func() {
			_, _ = wheel.NewReadLine(p.k.Root(), test.opts)
		})
	}
	wantPanic(t, "wheel: EditorOptions has a size below 0", func() {
		wheel.NewEditor(wheel.EditorOptions{MaxLine: -1})
	})
}

// A wheel for an owner that has ended is none, and its handles are closed.
func TestReadLineForNobody(t *testing.T) {
	p := inReality(t)
	s := p.create(session.Events{})
	p.runReal()
	near, far := p.pair()
	defer far.Close()
	_, err := wheel.NewReadLine(s, wheel.ReadLineOptions{
		Input: near, InputEvent: "line", Inputrc: os.DevNull,
	})
	if err != kernel.ErrNoSession || near.FD() != -1 {
		t.Errorf("got %v, descriptor %d", err, near.FD())
	}
}

// A wheel without a file that it was told to read is none.
func TestReadLineBadInputrc(t *testing.T) {
	p := inReality(t)
	near, far := p.pair()
	defer far.Close()
	p.create(session.Events{kernel.Start: func(e *kernel.Event) {
		_, err := wheel.NewReadLine(e.Session, wheel.ReadLineOptions{
			Input: near, InputEvent: "line", Inputrc: t.TempDir(),
		})
		if !errors.Is(err, errors.ErrUnsupported) || near.FD() != -1 {
			t.Errorf("got %v, descriptor %d", err, near.FD())
		}
	}})
	p.runReal()
}
