package wheel_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

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

// A file is told of as well in a folder that has taken the name of the first.
func TestFollowTailOfAnotherFolder(t *testing.T) {
	before := openFiles(t)
	p := inReality(t)
	l := newLog(t, nil)
	folder := filepath.Join(filepath.Dir(l.name), "folder")
	l.name = filepath.Join(folder, "log")
	makeFolder := func() {
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Error(err)
		}
	}
	makeFolder()
	f := p.follow(wheel.FollowTailOptions{Filename: l.name, PollInterval: never})
	looks := 0
	f.then = func(line string) {
		switch {
		case line == "idle" && looks == 0:
			if err := os.Rename(folder, folder+".1"); err != nil {
				t.Error(err)
			}
			makeFolder()
			f.w.PauseInput()
			f.w.ResumeInput() // and so looks, and finds the other
		case line == "idle" && looks == 1:
			l.append("one\n")
		case line == "one":
			f.w.Close()
		}
		looks++
	}
	p.runReal()
	wantLines(p, "reset", "one")
	if after := openFiles(t); after != before {
		t.Errorf("%d descriptors are open, of which %d were before", after, before)
	}
}

// Nothing stays open of a folder that is found when the wheel is closed already.
func TestFollowTailClosedInAnotherFolder(t *testing.T) {
	before := openFiles(t)
	for range 20 {
		p := inReality(t)
		l := newLog(t, nil)
		folder := filepath.Join(filepath.Dir(l.name), "folder")
		f := p.follow(wheel.FollowTailOptions{
			Filename: filepath.Join(folder, "log"), PollInterval: never,
		})
		f.then = func(string) {
			if err := os.Mkdir(folder, 0o700); err != nil {
				t.Error(err)
			}
			f.w.PauseInput()
			f.w.ResumeInput() // and so looks
			f.s.Yield("step", f.w.Close)
		}
		p.runReal()
		p.want("idle")
	}
	if after := openFiles(t); after != before {
		t.Errorf("%d descriptors are open, of which %d were before", after, before)
	}
}
