package conformance

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// The ports of the cases about following a file. In the simulated world the files are real, and
// the time is not.
func init() {
	inBothWorlds("wheel-followtail-append", followAppend)
	inBothWorlds("wheel-followtail-seek", followSeek)
}

// appendFile writes a text to the end of a file, which it makes if it is not there.
func (p *program) appendFile(name, text string) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.T.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		p.T.Error(err)
	}
	closeAll(f)
}

// follow makes a FollowTail.
func (p *program) follow(e *kernel.Event, opts wheel.FollowTailOptions) *wheel.FollowTail {
	w, err := wheel.NewFollowTail(e.Session, opts)
	if err != nil {
		p.T.Fatal(err)
	}
	return w
}

func followAppend(p *program) {
	name := filepath.Join(p.T.TempDir(), "log")
	p.appendFile(name, "old one\nold two\n")
	var w *wheel.FollowTail
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.follow(e, wheel.FollowTailOptions{
				Filename: name, PollInterval: ms(50), InputEvent: "line", ErrorEvent: "error",
				ResetEvent: "reset",
			})
			e.Session.Delay("s1", ms(300))
		},
		"line": session.On(func(_ *kernel.Event, in *wheel.Input) {
			p.Out("line", Show(in.Bytes), "wheel", ownID(in.Wheel, w.ID()), "args",
				len(positions(in)))
		}),
		"error": session.On(func(_ *kernel.Event, err *wheel.Error) {
			p.Out("error", err.Op, Errname(err))
		}),
		"reset": session.On(func(_ *kernel.Event, id wheel.ID) {
			p.Out("reset", "args", len(positions(id)))
		}),
		"s1": func(e *kernel.Event) {
			p.appendFile(name, "new one\nnew two\npart")
			e.Session.Delay("s2", ms(300))
		},
		"s2": func(e *kernel.Event) {
			p.Out("-- complete the line")
			p.appendFile(name, "ial\n")
			p.Out("tell", either(w.Tell() < 40, "before the new bytes", "too far"))
			e.Session.Delay("s3", ms(300))
		},
		"s3": func(e *kernel.Event) {
			p.Out("-- truncate")
			if err := os.WriteFile(name, []byte("fresh\n"), 0o600); err != nil {
				p.T.Error(err)
			}
			e.Session.Delay("s4", ms(300))
		},
		"s4": func(e *kernel.Event) {
			p.Out("-- append after truncation")
			p.appendFile(name, "more\n")
			e.Session.Delay("s5", ms(300))
		},
		"s5": func(*kernel.Event) {
			w.Close()
			p.appendFile(name, "unseen\n")
			p.Out("wheel dropped")
		},
		kernel.Stop: func(*kernel.Event) { p.Out("_stop") },
	})
	p.run()
}

func followSeek(p *program) {
	dir, n := p.T.TempDir(), 0
	try := func(what, content string, opts wheel.FollowTailOptions, byHandle bool) {
		n++
		name := filepath.Join(dir, fmt.Sprint(n))
		p.appendFile(name, content)
		got := []string{}
		heard := func(line string) {
			if line != "(idle)" || len(got) == 0 || got[len(got)-1] != line {
				got = append(got, line)
			}
		}
		var w *wheel.FollowTail
		p.k.Create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				opts.PollInterval, opts.InputEvent, opts.IdleEvent = ms(50), "line", "idle"
				if byHandle {
					f, err := os.Open(name)
					if err != nil {
						p.T.Fatal(err)
					}
					opts.File = f
				} else {
					opts.Filename = name
				}
				w = p.follow(e, opts)
				e.Session.Delay("add", ms(200))
			},
			"line": session.On(func(_ *kernel.Event, in *wheel.Input) { heard(string(in.Bytes)) }),
			"idle": func(*kernel.Event) { heard("(idle)") },
			"add": func(e *kernel.Event) {
				p.appendFile(name, "appended\n")
				e.Session.Delay("end", ms(200))
			},
			"end": func(*kernel.Event) {
				w.Close()
				p.Out(what+":", Show(got))
			},
		})
		p.run()
	}
	const text = "aaa\nbbb\nccc\n"
	seek := func(at int64) wheel.FollowTailOptions { return wheel.FollowTailOptions{Seek: &at} }
	back := func(by int64) wheel.FollowTailOptions { return wheel.FollowTailOptions{SeekBack: &by} }
	try("default", text, wheel.FollowTailOptions{}, false)
	try("Seek 0", text, seek(0), false)
	try("Seek 4", text, seek(4), false)
	try("Seek 6, middle of a line", text, seek(6), false)
	try("Seek beyond the end", text, seek(100), false)
	try("SeekBack 0", text, back(0), false)
	try("SeekBack 4", text, back(4), false)
	try("SeekBack 100", text, back(100), false)
	try("Handle with Seek 0", text, seek(0), true)
	try("Handle, default", text, wheel.FollowTailOptions{}, true)
	try("empty file", "", seek(0), false)

	refused := func(opts wheel.FollowTailOptions) string {
		opts.InputEvent = "l"
		err := refusal(func() { _, _ = wheel.NewFollowTail(p.k.Root(), opts) })
		return either(err == nil, "accepted", "refused")
	}
	zero := new(int64)
	p.Out("Seek and SeekBack", refused(wheel.FollowTailOptions{
		Filename: "x", Seek: zero, SeekBack: zero,
	}))
	p.Out("neither Filename nor Handle", refused(wheel.FollowTailOptions{}))
}
