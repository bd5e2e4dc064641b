package wheel_test

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/go-poe/poe/wheel"
)

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
