//go:build !linux

package kernel

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// A childNotice learns that a process has ended. Where a process has no descriptor that is a
// goroutine that asks again whenever any child has ended.
type childNotice struct {
	caught chan os.Signal
}

func (n *childNotice) begin(k *Kernel, w *childWatch) error {
	if err := unix.Kill(w.pid, 0); err != nil {
		return ErrNoChild
	}
	caught := make(chan os.Signal, 1)
	n.caught = caught
	signal.Notify(caught, unix.SIGCHLD)
	ask := func() {
		if k.children.byPid[w.pid] == w {
			k.reap(w)
		}
	}
	k.doors.do(k, ask) // it may have ended before the signal was asked for
	go func() {
		for range caught {
			k.doors.do(k, ask)
		}
	}()
	return nil
}

func (n *childNotice) end(*Kernel, *childWatch) {
	signal.Stop(n.caught)
	close(n.caught)
}
