package main

import (
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// maxLine is the limit of a line, in bytes. A longer one is reported, and what follows it counts
// again from the next block of the file on.
const maxLine = 64 << 10

// A watcher is one session with a wheel for each file. All wheels send the same events: what comes
// with each of them says which wheel it is of.
type watcher struct {
	options
	out   io.Writer
	files []*file // in the order of the command line
	of    map[wheel.ID]*file
	since time.Time // of the last report
	err   error
}

// A file is what was counted in one file since the last report.
type file struct {
	name    string
	lines   int
	matches []int // of each pattern
}

// watch makes the session.
func watch(k *kernel.Kernel, o options, out io.Writer) error {
	w := &watcher{options: o, out: out, of: map[wheel.ID]*file{}}
	k.Create(session.Events{
		kernel.Start: w.start,
		"line":       session.On(w.line),
		"reset":      session.On(w.reset),
		"failed":     session.On(w.failed),
		"report":     w.report,
		kernel.Stop:  w.stop,
	})
	return w.err
}

func (w *watcher) start(e *kernel.Event) {
	for _, name := range w.options.files {
		tail, err := wheel.NewFollowTail(e.Session, wheel.FollowTailOptions{
			Filename:   name,
			Filter:     filter.NewLine(filter.LineOptions{Literal: "\n", MaxLength: maxLine}),
			InputEvent: "line",
			ResetEvent: "reset",
			ErrorEvent: "failed",
		})
		if err != nil {
			w.err = err // and the wheels that there are go with the program
			return
		}
		f := &file{name: filepath.Base(name), matches: make([]int, len(w.patterns))}
		w.files = append(w.files, f)
		w.of[tail.ID()] = f
	}
	w.since = e.Kernel.Now()
	e.Session.Delay("report", w.every)
}

// line counts a line.
func (w *watcher) line(_ *kernel.Event, in *wheel.Input) {
	f := w.of[in.Wheel]
	f.lines++
	for i, p := range w.patterns {
		if p.Match(in.Bytes) {
			f.matches[i]++
		}
	}
}

// reset is when another file has the name, or it has become shorter: it is read from its beginning.
func (w *watcher) reset(_ *kernel.Event, id wheel.ID) {
	fmt.Fprintf(w.out, "%s: begins anew\n", w.of[id].name)
}

// failed is when a file cannot be read. The wheel tries again by itself, and says no more of it.
func (w *watcher) failed(_ *kernel.Event, err *wheel.Error) {
	fmt.Fprintf(w.out, "%s: %v\n", w.of[err.Wheel].name, err)
}

// report is the time of a report. An alarm rings once, so this one sets the next.
func (w *watcher) report(e *kernel.Event) {
	w.tell(e.Kernel.Now())
	e.Session.Delay("report", w.every)
}

// stop is the end of the session, because the program is to end.
func (w *watcher) stop(e *kernel.Event) { w.tell(e.Kernel.Now()) }

// tell reports what was counted, and begins to count anew.
func (w *watcher) tell(now time.Time) {
	seconds := max(now.Sub(w.since), time.Millisecond).Seconds()
	w.since = now
	for _, f := range w.files {
		rate := func(n int) float64 { return float64(n) / seconds }
		fmt.Fprintf(w.out, "%s: %d lines, %.1f/s\n", f.name, f.lines, rate(f.lines))
		f.lines = 0
		for i, p := range w.patterns {
			n := f.matches[i]
			if n == 0 {
				continue
			}
			alarm := ""
			if w.alarm > 0 && rate(n) >= w.alarm {
				alarm = " ALARM"
			}
			fmt.Fprintf(w.out, "%s: %d %s, %.1f/s%s\n", f.name, n, p.name, rate(n), alarm)
			f.matches[i] = 0
		}
	}
}
