package wheel_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/go-poe/poe/wheel"
)

// However often a log is rotated, the system is asked to tell of one folder and one file.
func TestFollowTailForgets(t *testing.T) {
	const rotations = 30
	before := openFiles(t)
	p := inReality(t)
	l := newLog(t, new(""))
	f := p.follow(wheel.FollowTailOptions{Filename: l.name, PollInterval: tick})
	n, watches := 0, 0
	next := func() {
		n++
		l.append(fmt.Sprintf("line %d\n", n))
	}
	f.then = func(line string) {
		switch {
		case line == "idle" && n == 0:
			next()
		case line != fmt.Sprint("line ", n):
		case n == rotations:
			watches = countWatches(t)
			f.w.Close()
		default:
			if err := os.Rename(l.name, fmt.Sprint(l.name, ".", n)); err != nil {
				t.Error(err)
			}
			next()
		}
	}
	p.runReal()
	if watches != 2 {
		t.Errorf("the system is to tell of %d things, want a folder and a file", watches)
	}
	if after := openFiles(t); after != before {
		t.Errorf("%d descriptors are open, of which %d were before", after, before)
	}
}

// countWatches returns how many watches the inotify instances of the process have, each of which
// is open twice.
func countWatches(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fdinfo")
	if err != nil {
		t.Skip(err)
	}
	n := 0
	for _, entry := range list {
		text, err := os.ReadFile("/proc/self/fdinfo/" + entry.Name())
		if err == nil { // it may be that of the folder itself
			n += strings.Count(string(text), "inotify wd:")
		}
	}
	return n / 2
}

// Where the system has nothing left to tell of changes by, they are found by looking.
func TestFollowTailIsNotTold(t *testing.T) {
	for left := 1; left <= 2; left++ {
		before := openFiles(t)
		p := inReality(t)
		l := newLog(t, new(""))
		restore := limitFiles(t, left)
		f := p.follow(wheel.FollowTailOptions{Filename: l.name, PollInterval: tick})
		restore()
		said := false
		f.then = func(line string) {
			if line == "idle" && !said {
				said = true
				l.append("one\n")
			}
			if line == "one" {
				f.w.Close()
			}
		}
		p.runReal()
		wantLines(p, "one")
		if after := openFiles(t); after != before {
			t.Errorf("%d descriptors are open, of which %d were before", after, before)
		}
	}
}
