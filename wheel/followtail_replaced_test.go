package wheel_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// A file that is replaced over and over again loses no line and repeats none, and no file that it
// was is held open.
func TestFollowTailReplacedOften(t *testing.T) {
	const times = 100
	p := simulated(t, sim.Options{})
	l := newLog(t, new(""))
	f := p.follow(wheel.FollowTailOptions{Filename: l.name})
	open, most := openFiles(t), 0
	var do []func()
	var want []string
	for n := range times {
		do = append(do,
			func() { l.append(fmt.Sprintf("old %d\nand not whole", n)) },
			func() {
				next := l.name + ".new"
				l.appendTo(next, fmt.Sprintf("new %d\n", n))
				if err := os.Rename(next, l.name); err != nil {
					t.Error(err)
				}
				most = max(most, openFiles(t))
			})
		want = append(want, fmt.Sprintf("old %d", n), "reset", fmt.Sprintf("new %d", n))
	}
	f.steps(do...)
	p.run()
	wantLines(p, want...)
	if most > open+2 { // the one that is followed, and the one that tells of changes
		t.Errorf("%d files were open, and %d before", most, open)
	}
}

// A line without end in a file is an error once, costs no more memory than the longest line that is
// allowed, and what is written after it comes: after an empty line, which is the end of that one.
func TestFollowTailLineWithoutEnd(t *testing.T) {
	const size = 32 << 20
	p := simulated(t, sim.Options{})
	l := newLog(t, new(""))
	f := p.follow(wheel.FollowTailOptions{
		Filename: l.name, Filter: filter.NewLine(filter.LineOptions{MaxLength: 10_000}),
	})
	held := 0
	f.then = func(string) { held = max(held, len(f.w.Filter().Pending())) }
	block := strings.Repeat("x", 1<<20)
	var before, after int64
	f.steps(
		func() {
			before = heap()
			for range size / len(block) {
				l.append(block)
			}
		},
		func() { after = heap(); l.append("\nfine\n") },
		func() { l.append(block) },
		func() { l.append("\nagain\n") },
	)
	p.run()
	wantLines(p, "read: errno 0", "", "fine", "read: errno 0", "", "again")
	if held > 10_000+64<<10 || after-before > 1<<20 {
		t.Errorf("the filter held %d bytes, and the heap grew by %d", held, after-before)
	}
}
