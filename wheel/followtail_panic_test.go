package wheel_test

import (
	"testing"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// A frail filter panics where it comes to a line that says so.
type frail struct{ filter.Filter }

func (f frail) Next() (filter.Record, bool, error) {
	r, ok, err := f.Filter.Next()
	if string(r.Bytes) == "panic" {
		panic("as it was told")
	}
	return r, ok, err
}

// A filter that panics has nothing to do with the records after that.
func TestFollowTailFilterPanics(t *testing.T) {
	p := inReality(t)
	text := "one\npanic\nthree\n"
	l := newLog(t, &text)
	var w *wheel.FollowTail
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Sig("DIE", "died")
			var err error
			w, err = wheel.NewFollowTail(e.Session, wheel.FollowTailOptions{
				Filename: l.name, Seek: new(int64), PollInterval: tick, InputEvent: "line",
				Filter: frail{filter.NewLine(filter.LineOptions{})},
			})
			if err != nil {
				t.Error(err)
			}
		},
		"line": session.On(func(e *kernel.Event, in *wheel.Input) {
			p.input(e)
			if string(in.Bytes) == "three" {
				w.Close()
			}
		}),
		"died": func(e *kernel.Event) {
			e.Kernel.SigHandled()
			p.said(e)
		},
	})
	p.runReal()
	p.want(`line "one"`, "died", `line "three"`)
}
