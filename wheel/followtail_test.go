package wheel_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// A log is a file that a test writes, and somebody follows.
type log struct {
	testing.TB
	name string
}

// newLog returns a log in a folder of its own, with a text, or for nil without being there.
func newLog(t testing.TB, text *string) *log {
	l := &log{t, filepath.Join(t.TempDir(), "log")}
	if text != nil {
		l.append(*text)
	}
	return l
}

// append writes to the end of the log, which it makes if it is not there.
func (l *log) append(text string) {
	l.Helper()
	l.appendTo(l.name, text)
}

func (l *log) appendTo(name, text string) {
	l.Helper()
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		l.Error(err)
	}
}

// replace shortens the log to nothing and writes a text.
func (l *log) replace(text string) {
	l.Helper()
	if err := os.WriteFile(l.name, []byte(text), 0o600); err != nil {
		l.Error(err)
	}
}

// rotate gives the log another name.
func (l *log) rotate() (name string) {
	l.Helper()
	name = l.name + ".1"
	if err := os.Rename(l.name, name); err != nil {
		l.Error(err)
	}
	return name
}

func (l *log) remove() {
	l.Helper()
	if err := os.Remove(l.name); err != nil {
		l.Error(err)
	}
}

// A follower is a session that follows something, and notes what comes. Idle events in a row are
// one.
type follower struct {
	*place
	w *wheel.FollowTail
	s *kernel.Session
	// then is called for each line that was noted, if it is not nil.
	then func(line string)
}

func (f *follower) heard(line string) {
	if line != "idle" || len(f.lines) == 0 || f.lines[len(f.lines)-1] != line {
		f.note("%s", line)
	}
	if f.then != nil {
		f.then(line)
	}
}

// follow makes a session that follows, with an event for everything.
func (p *place) follow(opts wheel.FollowTailOptions) *follower {
	p.Helper()
	f := &follower{place: p}
	opts.InputEvent, opts.ErrorEvent = "line", "error"
	opts.ResetEvent, opts.IdleEvent = "reset", "idle"
	said := session.On(func(e *kernel.Event, id wheel.ID) {
		if f.w != nil && id != f.w.ID() {
			p.Errorf("%s of wheel %d, want %d", e.Name, id, f.w.ID())
		}
		f.heard(e.Name)
	})
	f.s = p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			var err error
			if f.w, err = wheel.NewFollowTail(e.Session, opts); err != nil {
				p.Fatal(err)
			}
		},
		"line": session.On(func(_ *kernel.Event, in *wheel.Input) {
			if in.Wheel != f.w.ID() {
				p.Errorf("a record of wheel %d, want %d", in.Wheel, f.w.ID())
			}
			f.heard(string(in.Bytes))
		}),
		"error": session.On(func(_ *kernel.Event, err *wheel.Error) {
			if err.Wheel != f.w.ID() {
				p.Errorf("an error of wheel %d, want %d", err.Wheel, f.w.ID())
			}
			f.heard(fmt.Sprintf("%s: %v", err.Op, kernel.Errno(err)))
		}),
		"reset":        said,
		"idle":         said,
		"step":         session.On(func(_ *kernel.Event, do func()) { do() }),
		kernel.Default: p.unknown,
	})
	return f
}

// steps does one thing after the other, with enough time between them for what comes of each, and
// closes the wheel at last.
func (f *follower) steps(list ...func()) {
	after := stepTime
	for _, do := range list {
		f.s.DelayAdd("step", after, do)
		after += stepTime
	}
	f.s.DelayAdd("step", after, func() { f.w.Close() })
}

// wantLines checks what was noted, but for idle events.
func wantLines(p *place, want ...string) {
	p.Helper()
	var lines []string
	for _, line := range p.lines {
		if line != "idle" {
			lines = append(lines, line)
		}
	}
	p.lines = lines
	p.want(want...)
}

// stepTime is time for a few looks.
const stepTime = 5 * time.Second

func TestFollowTailOptions(t *testing.T) {
	p := simulated(t, sim.Options{})
	for _, test := range []struct {
		want string
		opts wheel.FollowTailOptions
	}{
		{"no Filename", wheel.FollowTailOptions{InputEvent: "e"}},
		{"more than one of Filename, File and Handle",
			wheel.FollowTailOptions{Filename: "a", File: os.Stdin, InputEvent: "e"}},
		{"no InputEvent", wheel.FollowTailOptions{Filename: "a"}},
		{"Seek and SeekBack", wheel.FollowTailOptions{
			Filename: "a", InputEvent: "e", Seek: new(int64(0)), SeekBack: new(int64(0))}},
		{"a position below 0",
			wheel.FollowTailOptions{Filename: "a", InputEvent: "e", Seek: new(int64(-1))}},
		{"a position below 0",
			wheel.FollowTailOptions{Filename: "a", InputEvent: "e", SeekBack: new(int64(-1))}},
		{"a PollInterval or a BlockSize below 0",
			wheel.FollowTailOptions{Filename: "a", InputEvent: "e", PollInterval: -1}},
		{"a PollInterval or a BlockSize below 0",
			wheel.FollowTailOptions{Filename: "a", InputEvent: "e", BlockSize: -1}},
	} {
		wantPanic(t, "wheel: FollowTailOptions has "+test.want, func() {
			wheel.NewFollowTail(p.k.Root(), test.opts)
		})
	}
}

// Where it begins, for a file of which somebody has written a part of the next line.
func TestFollowTailBegins(t *testing.T) {
	const text = "one\ntwo\npart"
	long := strings.Repeat("x", 5000)
	for _, test := range []struct {
		name  string
		text  string
		opts  wheel.FollowTailOptions
		lines []string
	}{
		{"default", text, wheel.FollowTailOptions{}, []string{"idle", "partial", "idle"}},
		{"Seek 0", text, wheel.FollowTailOptions{Seek: new(int64(0))},
			[]string{"one", "two", "idle", "partial", "idle"}},
		{"Seek 5", text, wheel.FollowTailOptions{Seek: new(int64(5))},
			[]string{"wo", "idle", "partial", "idle"}},
		{"Seek beyond the end", text, wheel.FollowTailOptions{Seek: new(int64(99))},
			[]string{"idle", "ial", "idle"}},
		{"SeekBack 0", text, wheel.FollowTailOptions{SeekBack: new(int64(0))},
			[]string{"idle", "ial", "idle"}},
		{"SeekBack 6", text, wheel.FollowTailOptions{SeekBack: new(int64(6))},
			[]string{"o", "idle", "partial", "idle"}},
		{"SeekBack beyond the beginning", text, wheel.FollowTailOptions{SeekBack: new(int64(99))},
			[]string{"one", "two", "idle", "partial", "idle"}},
		{"after a long line", long + "\npart", wheel.FollowTailOptions{},
			[]string{"idle", "partial", "idle"}},
		{"in a long line", long, wheel.FollowTailOptions{},
			[]string{"idle", long[:4096] + "ial", "idle"}},
		{"after what is no record", long, wheel.FollowTailOptions{
			Filter: filter.NewLine(filter.LineOptions{MaxLength: 100})},
			[]string{"idle", "ial", "idle"}},
		{"in small blocks", text, wheel.FollowTailOptions{BlockSize: 3},
			[]string{"idle", "partial", "idle"}},
		{"an empty file", "", wheel.FollowTailOptions{}, []string{"idle", "ial", "idle"}},
	} {
		for _, open := range []bool{false, true} {
			t.Run(fmt.Sprint(test.name, ", open ", open), func(t *testing.T) {
				p := simulated(t, sim.Options{})
				l := newLog(t, &test.text)
				opts := test.opts
				if opts.Filter != nil {
					opts.Filter = opts.Filter.Clone()
				}
				if open {
					file, err := os.Open(l.name)
					if err != nil {
						t.Fatal(err)
					}
					opts.File = file
				} else {
					opts.Filename = l.name
				}
				f := p.follow(opts)
				l2 := l
				f.steps(func() { l2.append("ial\n") })
				p.run()
				p.want(test.lines...)
			})
		}
	}
}

// What is written as soon as the wheel is there is not missed.
func TestFollowTailMissesNothing(t *testing.T) {
	p := simulated(t, sim.Options{})
	l := newLog(t, new("old\n"))
	f := p.follow(wheel.FollowTailOptions{Filename: l.name})
	l.append("new\n")
	if got := f.w.Tell(); got != 0 { // it has gone back to look for the border
		t.Errorf("the next block is at %d, want 0", got)
	}
	f.steps(func() {
		if got := f.w.Tell(); got != 8 {
			t.Errorf("the next block is at %d, want 8", got)
		}
	})
	p.run()
	p.want("new", "idle")
	if got := f.w.Tell(); got != 0 {
		t.Errorf("after Close, the next block is at %d, want 0", got)
	}
}

// A file that becomes shorter is read from its beginning, and what there was of a record before
// that is not taken for a part of the next one (W-FT-25).
func TestFollowTailShortened(t *testing.T) {
	p := simulated(t, sim.Options{})
	l := newLog(t, new("old1\nold2\npart"))
	f := p.follow(wheel.FollowTailOptions{Filename: l.name})
	f.then = func(line string) {
		if line == "reset" {
			f.note("of the old %q", f.w.Filter().Pending())
		}
	}
	f.steps(
		func() { l.append("ial\nnew\nunfini") },
		func() { l.replace("t1\n") },
		func() { l.append("t2\n") },
	)
	p.run()
	p.want("idle", "partial", "new", "idle", "reset", `of the old "unfini"`, "t1", "idle", "t2",
		"idle")
}

// When another file takes the name, what comes late to the first one is not lost (W-FT-25).
func TestFollowTailRotated(t *testing.T) {
	p := simulated(t, sim.Options{})
	l := newLog(t, new(""))
	var old string
	f := p.follow(wheel.FollowTailOptions{Filename: l.name, PollInterval: 10 * stepTime})
	f.steps(
		func() { l.append("a\nb\n") },
		func() {
			f.w.PauseInput() // and so looks when it is resumed
			old = l.rotate()
			l.append("n1\n")
			f.w.ResumeInput()
			f.s.DelayAdd("step", 10*time.Millisecond, func() { l.appendTo(old, "late\n") })
		},
		func() { l.appendTo(old, "too late\n") },
		func() { f.w.PauseInput(); l.append("n2\n"); f.w.ResumeInput() },
	)
	p.run()
	p.want("idle", "a", "b", "idle", "late", "reset", "n1", "idle", "n2", "idle")
}

// A file that comes later is read from its beginning, also after it was away (T-126).
func TestFollowTailComesLater(t *testing.T) {
	p := simulated(t, sim.Options{})
	l := newLog(t, nil)
	f := p.follow(wheel.FollowTailOptions{Filename: l.name})
	left := 2
	f.then = func(line string) {
		if _, err := os.Stat(l.name); line == "idle" && err != nil && left > 0 {
			left--
			l.append("moo\n")
		}
		if line == "moo" {
			l.remove()
		}
	}
	f.steps(func() {}, func() {})
	p.run()
	p.want("idle", "reset", "moo", "idle", "reset", "moo", "idle")
}

// While nothing has the name, the file that had it is still followed.
func TestFollowTailAway(t *testing.T) {
	p := simulated(t, sim.Options{})
	l := newLog(t, new(""))
	f := p.follow(wheel.FollowTailOptions{Filename: l.name})
	var old string
	f.steps(
		func() { old = l.rotate() },
		func() { l.appendTo(old, "late\n") },
		func() { l.append("n1\n") },
	)
	p.run()
	p.want("idle", "late", "idle", "reset", "n1", "idle")
}

// What goes wrong is told once, and tried again.
func TestFollowTailFails(t *testing.T) {
	p := simulated(t, sim.Options{})
	l := newLog(t, nil)
	f := p.follow(wheel.FollowTailOptions{Filename: l.name + "/in/it"})
	here := filepath.Dir(l.name)
	f.steps(
		func() { l.append("not a folder\n") },
		func() { l.remove() },
		func() { l.append("not a folder again\n") },
		func() {
			l.remove()
			if err := os.MkdirAll(l.name+"/in/it", 0o700); err != nil {
				t.Error(err)
			}
		},
		func() {
			l.appendTo(here+"/other", "at last\n")
			if err := errors.Join(os.Remove(l.name+"/in/it"),
				os.Rename(here+"/other", l.name+"/in/it")); err != nil {
				t.Error(err)
			}
		},
	)
	p.run()
	p.want("idle", "open: not a directory", "idle", "open: not a directory",
		"open: is a directory", "reset", "at last", "idle")
}

// A record that the filter cannot take is an error, and does not end the following.
func TestFollowTailFilterFails(t *testing.T) {
	p := simulated(t, sim.Options{})
	l := newLog(t, new(""))
	f := p.follow(wheel.FollowTailOptions{
		Filename: l.name, Filter: filter.NewLine(filter.LineOptions{MaxLength: 10}),
	})
	f.steps(
		func() { l.append("fine\nmuch too long\nlost\n") },
		func() { l.append("fine again\n") },
	)
	p.run()
	p.want("idle", "fine", "read: errno 0", "idle", "fine again", "idle")
}

// A large file comes whole and in order, in blocks, and no further than the owner lets it.
func TestFollowTailPause(t *testing.T) {
	const lines = 50_000
	var text bytes.Buffer
	for n := range lines {
		fmt.Fprintln(&text, "line", n)
	}
	everywhere(t, func(p *place) {
		l := newLog(p, new(text.String()))
		got := 0
		var w *wheel.FollowTail
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				var err error
				w, err = wheel.NewFollowTail(e.Session, wheel.FollowTailOptions{
					Filename: l.name, Seek: new(int64(0)), BlockSize: 10_000,
					InputEvent: "line", IdleEvent: "idle",
				})
				if err != nil {
					p.Fatal(err)
				}
			},
			"line": session.On(func(e *kernel.Event, in *wheel.Input) {
				if want := fmt.Sprint("line ", got); string(in.Bytes) != want {
					p.Fatalf("got %q, want %q", in.Bytes, want)
				}
				if got++; got == 1000 {
					w.PauseInput()
					e.Session.Delay("resume", 20*tick, w.Tell())
				}
			}),
			"resume": session.On(func(_ *kernel.Event, at int64) {
				if got := w.Tell(); got != at || at > 30_000 {
					p.Errorf("the next block is at %d, and was at %d", got, at)
				}
				w.ResumeInput()
			}),
			"idle": func(*kernel.Event) { w.Close() },
		})
		p.run()
		if got != lines {
			p.Errorf("got %d lines, want %d", got, lines)
		}
	})
}

// Close works at any time, and then nothing comes.
func TestFollowTailClose(t *testing.T) {
	for _, when := range []string{"at once", "looking", "line", "reset", "idle"} {
		t.Run(when, func(t *testing.T) {
			everywhere(t, func(p *place) {
				l := newLog(p, nil)
				f := p.follow(wheel.FollowTailOptions{Filename: l.name, PollInterval: tick})
				l.append("one\ntwo\n")
				end := func() {
					f.w.Close()
					f.w.Close()
					f.note("closed")
					f.then = nil
				}
				switch when {
				case "at once":
					end()
				case "looking":
					f.s.Yield("step", end)
				default:
					f.then = func(line string) {
						if line == "one" {
							line = "line"
						}
						if line == when {
							end()
						}
					}
				}
				p.run()
				if p.lines[len(p.lines)-1] != "closed" {
					p.Errorf("got %q after Close", p.lines)
				}
			})
		})
	}
}

// Events may get other names.
func TestFollowTailSetEvents(t *testing.T) {
	p := simulated(t, sim.Options{})
	l := newLog(t, nil)
	var w *wheel.FollowTail
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			var err error
			w, err = wheel.NewFollowTail(e.Session, wheel.FollowTailOptions{
				Filename: l.name, InputEvent: "line", Filter: filter.NewLine(
					filter.LineOptions{MaxLength: 3}),
			})
			if err != nil {
				t.Fatal(err)
			}
			wantPanic(t, "wheel: SetInputEvent without a name", func() { w.SetInputEvent("") })
			w.SetInputEvent("other line")
			w.SetErrorEvent("other error")
			w.SetResetEvent("other reset")
			w.SetIdleEvent("other idle")
		},
		"other line":  p.input,
		"other error": func(e *kernel.Event) { p.said(e); w.Close() },
		"other reset": p.said,
		"other idle": func(e *kernel.Event) {
			p.said(e)
			l.append("abc\nabcd\n")
		},
	})
	p.run()
	p.want("other idle", "other reset", `other line "abc"`, "other error")
}

// A socket is read as it becomes ready, in blocks, until it ends (T-126).
func TestFollowTailSocket(t *testing.T) {
	everywhere(t, func(p *place) {
		near, far := p.pair()
		f := p.follow(wheel.FollowTailOptions{
			Handle: near, BlockSize: 24,
			Filter: filter.NewBlock(filter.BlockOptions{BlockSize: 16}),
		})
		f.then = func(line string) {
			if line == "the third block." {
				f.w.PauseInput()
				f.s.DelayAdd("step", 5*tick, func() {
					f.w.ResumeInput()
					far.Close()
				})
			}
		}
		p.write(far, "the first block.the second blockthe third block.and")
		p.run()
		p.want("the first block.", "the second block", "the third block.", "read: errno 0")
		if got := f.w.Tell(); got != 0 {
			p.Errorf("the next block is at %d, want 0", got)
		}
	})
}

// A pipe that is open ends when nobody writes to it any more.
func TestFollowTailPipe(t *testing.T) {
	before := openFiles(t)
	p := inReality(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	f := p.follow(wheel.FollowTailOptions{File: r})
	f.then = func(line string) {
		if line == "one" {
			w.Close()
		}
	}
	io.WriteString(w, "one\n")
	p.runReal()
	p.want("one", "read: errno 0")
	if after := openFiles(t); after != before {
		t.Errorf("%d descriptors are open, of which %d were before", after, before)
	}
}

// Nobody follows for an owner that has ended, and what was handed over is closed.
func TestFollowTailForNobody(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	far.Close()
	s := p.create(session.Events{})
	p.open = 1
	p.run()
	p.open = 0
	file := temporary(t, "")
	for _, opts := range []wheel.FollowTailOptions{
		{Handle: near, InputEvent: "line"},
		{File: file, InputEvent: "line"},
		{Filename: file.Name(), InputEvent: "line"},
	} {
		if _, err := wheel.NewFollowTail(s, opts); err != kernel.ErrNoSession {
			t.Errorf("got %v, want ErrNoSession", err)
		}
	}
	if near.FD() >= 0 || file.Close() == nil {
		t.Error("the handle or the file is still open")
	}
	file = temporary(t, "")
	file.Close()
	p.create(session.Events{kernel.Start: func(e *kernel.Event) {
		if _, err := wheel.NewFollowTail(e.Session, wheel.FollowTailOptions{
			Handle: near, InputEvent: "line",
		}); !errors.Is(err, kernel.ErrInvalid) {
			t.Errorf("got %v, want ErrInvalid", err)
		}
	}})
	p.run()
}

// A file that is closed under the hands of the wheel is an error, told once.
func TestFollowTailOfAClosedFile(t *testing.T) {
	p := simulated(t, sim.Options{})
	file := temporary(t, "x\n")
	f := p.follow(wheel.FollowTailOptions{File: file})
	f.steps(func() { file.Close() })
	p.run()
	if !slices.Equal(p.lines, []string{"idle", "stat: errno 0"}) {
		t.Errorf("got %q", p.lines)
	}
}
