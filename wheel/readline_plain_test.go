package wheel_test

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// A reader is a session that reads lines as they are, until their end, and says hello.
func (p *place) reader(in, out kernel.Handle, opts wheel.ReadLineOptions) {
	var w *wheel.ReadLine
	opts.Input, opts.Output, opts.InputEvent, opts.ErrorEvent = in, out, "line", "error"
	opts.Inputrc = os.DevNull
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			var err error
			if w, err = wheel.NewReadLine(e.Session, opts); err != nil {
				p.Fatal(err)
			}
			if cols, rows := w.TerminalSize(); w.IsTerminal() || cols != 0 || rows != 0 {
				p.Errorf("that is a terminal of %d by %d", cols, rows)
			}
			w.Clear()
			w.AddHistory("x")
			w.Put("hello", "you")
			w.Get("> ")
		},
		"line": session.On(func(_ *kernel.Event, l *wheel.Line) {
			if l.Err != nil {
				p.note("%v", l.Err)
				w.Close()
				return
			}
			p.note("%q", l.Text)
			w.Get("> ")
			w.Get("> ")
		}),
		"error":        p.failed,
		kernel.Default: p.unknown,
	})
}

// Where there is no terminal, lines come as they are, and nothing but text goes out.
func TestReadLinePlain(t *testing.T) {
	everywhere(t, func(p *place) {
		near, far := p.pair()
		p.open = 1
		p.reader(near, nil, wheel.ReadLineOptions{})
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				p.write(far, "one\r\ntwo\n\nth\x01ree\nrest")
				if err := far.CloseWrite(); err != nil {
					p.Error(err)
				}
			},
		})
		p.run()
		if got := p.read(far); got != "hello\nyou\nEOF" {
			t.Errorf("got %q", got)
		}
		far.Close()
		p.want(`"one"`, `"two"`, `""`, `"th\x01ree"`, `"rest"`, "EOF")
	})
}

// A line without end is an error.
func TestReadLinePlainTooLong(t *testing.T) {
	p := inReality(t)
	in, write, err := kernel.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read, out, err := kernel.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.reader(in, out, wheel.ReadLineOptions{MaxLine: 10})
	p.write(write, "0123456789\n0123456789x\n")
	p.run()
	write.Close()
	read.Close()
	if len(p.lines) != 2 || p.lines[0] != `"0123456789"` ||
		!strings.HasPrefix(p.lines[1], "read: filter: record is too long") {
		t.Errorf("got %q", p.lines)
	}
}

// Files, and what has nothing, can be read, too.
func TestReadLineFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	text := strings.Repeat("line\n", 50_000) + "last"
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		want int
	}{{name, 50_001}, {os.DevNull, 0}} {
		p := inReality(t)
		f, err := os.Open(test.name)
		if err != nil {
			t.Fatal(err)
		}
		read, out, err := kernel.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		p.reader(p.handle(f), out, wheel.ReadLineOptions{})
		p.run()
		if got := p.read(read); got != "hello\nyou\nEOF" {
			t.Errorf("got %q", got)
		}
		read.Close()
		if len(p.lines) != test.want+1 || p.lines[test.want] != "EOF" {
			t.Errorf("%s: got %d lines, want %d", test.name, len(p.lines)-1, test.want)
		}
	}
}

// Close while a line is on its way, or a file is being read, is the end all the same.
func TestReadLineClosedInTime(t *testing.T) {
	p := inReality(t)
	f, err := os.Open("readline_plain_test.go")
	if err != nil {
		t.Fatal(err)
	}
	near, far := p.pair()
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			for _, in := range []kernel.Handle{p.handle(f), near} {
				w, err := wheel.NewReadLine(e.Session, wheel.ReadLineOptions{
					Input: in, InputEvent: "line", Inputrc: os.DevNull,
				})
				if err != nil {
					t.Fatal(err)
				}
				w.Get("")
				e.Session.Yield("close", w)
			}
			p.write(far, "line\n")
		},
		"close":        session.On(func(_ *kernel.Event, w *wheel.ReadLine) { w.Close() }),
		"line":         func(*kernel.Event) { p.note("line") },
		kernel.Default: p.unknown,
	})
	p.run()
	far.Close()
	if slices.Contains(p.lines, "unknown") || len(p.lines) > 1 {
		t.Errorf("got %q", p.lines)
	}
}

// What goes wrong with the output is told, and with the input, too.
func TestReadLineFails(t *testing.T) {
	p := inReality(t)
	in, write, err := kernel.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read, out, err := kernel.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read.Close()
	broken := &handle{Handle: in, read: func([]byte) (int, error) { return 0, io.ErrNoProgress }}
	p.reader(broken, out, wheel.ReadLineOptions{})
	p.write(write, "x")
	p.run()
	write.Close()
	slices.Sort(p.lines)
	p.want("error write: write: broken pipe", "read: "+io.ErrNoProgress.Error())
}
