package wheel_test

import (
	"bufio"
	"os/exec"
	"testing"
	"time"
	"runtime"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

func BenchmarkRunCat(b *testing.B) {
	k, _ := kernel.New(kernel.Options{})
	n := 0
	var w *wheel.Run
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Yield("start") },
		"start": func(e *kernel.Event) {
			w = wheel.NewRun(e.Session, wheel.RunOptions{Program: "/bin/cat", StdoutEvent: "line", DoneEvent: "done", ErrorEvent: "err"})
			w.PutString("hello")
		},
		"line": func(*kernel.Event) { w.ShutdownStdin() },
		"err":  func(*kernel.Event) {},
		"done": func(e *kernel.Event) {
			if n++; n < b.N {
				e.Session.Yield("start")
			}
		},
	})
	k.Run(b.Context())
}

func BenchmarkExecCat(b *testing.B) {
	for range b.N {
		c := exec.Command("/bin/cat")
		in, _ := c.StdinPipe()
		out, _ := c.StdoutPipe()
		c.Start()
		in.Write([]byte("hello\n"))
		r := bufio.NewReader(out)
		r.ReadString('\n')
		in.Close()
		r.ReadString('\n')
		c.Wait()
	}
}

func TestZZLatency(t *testing.T) {
	p := real(t)
	l := newLog(t, new(""))
	f := p.follow(wheel.FollowTailOptions{Filename: l.name, PollInterval: never})
	n := 0
	var at time.Time
	var sum time.Duration
	var m0, m1 runtime.MemStats
	runtime.ReadMemStats(&m0)
	f.then = func(line string) {
		if line == "x" {
			sum += time.Since(at)
			n++
			if n == 1000 {
				f.w.Close()
				return
			}
		}
		if line == "idle" {
			at = time.Now()
			l.append("x\n")
		}
	}
	p.runReal()
	runtime.ReadMemStats(&m1)
	t.Log(sum/1000, (m1.TotalAlloc-m0.TotalAlloc)/1000, (m1.Mallocs-m0.Mallocs)/1000)
}
