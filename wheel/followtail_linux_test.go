package wheel_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-poe/poe/wheel"
)

// never is longer than any test runs: what comes does not come by looking every so often.
const never = 24 * time.Hour

// The system says when a file has changed, so that nobody has to wait for the next look (T-133).
func TestFollowTailIsTold(t *testing.T) {
	t.Run("file", func(t *testing.T) {
		p := inReality(t)
		l := newLog(t, nil)
		f := p.follow(wheel.FollowTailOptions{Filename: l.name, PollInterval: never})
		left := 3
		f.then = func(line string) {
			switch {
			case line == "idle" && left == 3:
				l.append("one\n") // it was not there
			case line == "one" && left == 2:
				l.append("two\n")
			case line == "two" && left == 1:
				l.replace("3\n")
			case line == "3":
				f.w.Close()
				return
			default:
				return
			}
			left--
		}
		p.runReal()
		wantLines(p, "reset", "one", "two", "reset", "3")
	})
	t.Run("open file", func(t *testing.T) {
		p := inReality(t)
		l := newLog(t, new("old\n"))
		file, err := os.Open(l.name)
		if err != nil {
			t.Fatal(err)
		}
		f := p.follow(wheel.FollowTailOptions{File: file, PollInterval: never})
		f.then = func(line string) {
			switch line {
			case "idle":
				if len(p.lines) == 1 {
					l.append("one\n")
				}
			case "one":
				l.replace("")
			case "reset":
				f.w.Close()
			}
		}
		p.runReal()
		wantLines(p, "one", "reset")
	})
}

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

// A named pipe does not end when those who write to it go away, and may come instead of a file.
func TestFollowTailNamedPipe(t *testing.T) {
	for _, later := range []bool{false, true} {
		before := openFiles(t)
		p := inReality(t)
		l := newLog(t, nil)
		makePipe := func() {
			if err := unix.Mkfifo(l.name, 0o600); err != nil {
				t.Error(err)
			}
		}
		if !later {
			makePipe()
		}
		f := p.follow(wheel.FollowTailOptions{Filename: l.name, PollInterval: tick})
		left := 3
		write := func() { l.append(fmt.Sprintf("line %d\n", left)) }
		f.then = func(line string) {
			switch {
			case line == "idle" && left == 3:
				left--
				makePipe()
				f.s.DelayAdd("step", 20*tick, write)
			case line == "line 0":
				f.w.Close()
			case line != "idle":
				left--
				write() // another one opens and closes it
			}
		}
		if !later {
			left--
			write()
		}
		p.runReal()
		wantLines(p, "line 2", "line 1", "line 0")
		if after := openFiles(t); after != before {
			t.Errorf("%d descriptors are open, of which %d were before", after, before)
		}
	}
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
