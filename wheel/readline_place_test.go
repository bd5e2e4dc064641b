package wheel_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// A user sits at a terminal that a ReadLine has, sees what is there, and waits for that before
// anything is done.
type user struct {
	*place
	d     *display
	s     *kernel.Session // of the ReadLine
	w     *wheel.ReadLine
	far   *wheel.ReadWrite
	tty   *os.File // the terminal, once more, to see what becomes of it
	line  *os.File // the user's end of it, likewise: nobody hangs up
	lines []string // what the session was told
	steps []step
}

// A step is what the user does once something has come true.
type step struct {
	when func() bool
	do   func()
}

// sit has a user sit down at a terminal of 20 by 6, whose ReadLine is made with opts, and does the
// first step. A handler may call get for more.
func sit(t *testing.T, opts wheel.ReadLineOptions) *user {
	t.Helper()
	p := inReality(t)
	master, tty, err := pty.Open()
	if err != nil {
		t.Skip(err)
	}
	if err := pty.Setsize(tty, &pty.Winsize{Cols: 20, Rows: 6}); err != nil {
		t.Fatal(err)
	}
	u := &user{place: p, d: newDisplay(20, 6), tty: tty, line: reopen(t, master)}
	t.Cleanup(func() { tty.Close(); u.line.Close() })
	opts.Input = p.handle(reopen(t, tty))
	opts.InputEvent = "line"
	if opts.Inputrc == "" {
		opts.Inputrc = os.DevNull
	}
	if opts.Term == "" {
		opts.Term = "xterm"
	}
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			u.s = e.Session
			var err error
			if u.w, err = wheel.NewReadLine(e.Session, opts); err != nil {
				t.Fatal(err)
			}
		},
		"line": session.On(func(_ *kernel.Event, l *wheel.Line) {
			if l.Wheel != u.w.ID() {
				t.Errorf("a line of wheel %d, want %d", l.Wheel, u.w.ID())
			}
			if l.Err != nil {
				u.lines = append(u.lines, l.Err.Error())
			} else {
				u.lines = append(u.lines, fmt.Sprintf("%q", l.Text))
			}
			u.look()
		}),
		"error":        p.failed,
		kernel.Default: p.unknown,
	})
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			u.far = p.readWrite(e.Session, wheel.ReadWriteOptions{
				Handle: p.handle(master), Filter: filter.NewStream(filter.StreamOptions{}),
				InputEvent: "shown", ErrorEvent: "gone",
			})
			e.Session.Yield("look")
		},
		"shown": session.On(func(_ *kernel.Event, in *wheel.Input) {
			u.d.write(in.Bytes)
			if len(u.d.bad) > 0 {
				t.Errorf("the terminal got %v", u.d.bad)
				u.d.bad = nil
			}
			u.look()
		}),
		"look": func(*kernel.Event) { u.look() },
		"gone": func(*kernel.Event) { u.far.Close() },
	})
	return u
}

func (p *place) handle(f *os.File) kernel.Handle {
	p.Helper()
	h, err := kernel.NewHandle(f)
	if err != nil {
		p.Fatal(err)
	}
	return h
}

// reopen returns the file once more.
func reopen(t *testing.T, f *os.File) *os.File {
	t.Helper()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), f.Name())
}

// look does the steps whose time has come.
func (u *user) look() {
	for len(u.steps) > 0 && u.steps[0].when() {
		do := u.steps[0].do
		u.steps = u.steps[1:]
		do()
	}
}

// once has something done once something else is true, after all that was asked for before.
func (u *user) once(when func() bool, do func()) {
	u.steps = append(u.steps, step{when, do})
}

// sees has something done once the user sees all that is given, with | for the cursor.
func (u *user) sees(want string, do func()) {
	u.once(func() bool { return u.d.seen() == want }, do)
}

// told has something done once the session has heard of so many lines.
func (u *user) told(n int, do func()) {
	u.once(func() bool { return len(u.lines) == n }, do)
}

// types types keys.
func (u *user) types(keys string) {
	if err := u.far.PutString(keys); err != nil {
		u.Error(err)
	}
}

// get asks for a line.
func (u *user) get(prompt string) {
	if err := u.w.Get(prompt); err != nil {
		u.Error(err)
	}
}

// leaves is the end: the wheel is closed, and so is the terminal.
func (u *user) leaves() {
	u.w.Close()
	u.far.Close()
}

// run runs the kernel until all steps are done, and checks what the session was told.
func (u *user) run(want ...string) {
	u.Helper()
	u.runReal()
	if len(u.steps) > 0 {
		u.Errorf("%d steps were not reached; the user sees\n%s", len(u.steps), u.d.seen())
	}
	u.place.lines = u.lines
	u.want(want...)
	if isRaw(u.T, u.tty) {
		u.Error("the terminal is raw")
	}
}

// isRaw reports whether a terminal hands over single keys.
func isRaw(t *testing.T, tty *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(tty.Fd()), getTermios)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&(unix.ICANON|unix.ECHO|unix.ISIG) == 0
}
