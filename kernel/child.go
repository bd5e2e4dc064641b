package kernel

import (
	"errors"
	"fmt"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// childWatches are the child processes that sessions wait for, by process id.
type childWatches struct {
	byPid map[int]*childWatch
}

// A childWatch is a child process that at least one session waits for.
type childWatch struct {
	pid     int
	waiters []childWaiter
	notice  childNotice
}

type childWaiter struct {
	s     *Session
	event string
	args  []any
}

// SigChild asks for one event when a child process ends, or, without an event, for none. The event
// carries "CHLD", the process id, a syscall.WaitStatus, and args. After it, the signal CHLD goes
// to the root with the first three of these. Waiting keeps the session alive. A second SigChild
// for the same process replaces the first.
//
// The kernel waits for this process, and for no other. Nobody else may: not os.Process.Wait, nor
// exec.Cmd.Wait. If somebody does, the third argument is an error instead. SigChild returns
// ErrNoChild if there is no such child, or it was waited for already.
//
// POE: sig_child.
func (s *Session) SigChild(pid int, event string, args ...any) error {
	k := s.kernel
	if event == "" {
		s.forgetChild(pid)
		return nil
	}
	if s.ended() {
		return k.noSession(s)
	}
	if pid <= 0 {
		return k.failed(fmt.Errorf("process %d: %w", pid, ErrInvalid))
	}
	w := k.children.byPid[pid]
	if w == nil {
		w = &childWatch{pid: pid}
		if err := w.notice.begin(k, w); err != nil {
			return k.failed(fmt.Errorf("process %d: %w", pid, err))
		}
		if k.children.byPid == nil {
			k.children.byPid = make(map[int]*childWatch)
		}
		k.children.byPid[pid] = w
	}
	waiter := childWaiter{s, event, append([]any(nil), args...)}
	if i := w.find(s); i >= 0 {
		w.waiters[i] = waiter
		return nil
	}
	w.waiters = append(w.waiters, waiter)
	t := s.takes()
	t.pids = append(t.pids, pid)
	s.keep(hasPid)
	return nil
}

func (w *childWatch) find(s *Session) int {
	return slices.IndexFunc(w.waiters, func(x childWaiter) bool { return x.s == s })
}

// forgetChild ends the wait of s for a process. When it was the last, the kernel does not wait
// either.
func (s *Session) forgetChild(pid int) {
	k := s.kernel
	w := k.children.byPid[pid]
	if w == nil {
		return
	}
	i := w.find(s)
	if i < 0 {
		return
	}
	w.waiters = slices.Delete(w.waiters, i, i+1)
	s.forgetPid(pid)
	if len(w.waiters) == 0 {
		delete(k.children.byPid, pid)
		w.notice.end(k, w)
	}
}

func (s *Session) forgetPid(pid int) {
	i := slices.Index(s.taken.pids, pid)
	s.taken.pids = slices.Delete(s.taken.pids, i, i+1)
	s.drop(hasPid)
}

// reap takes the status of a process that may have ended, and tells those who wait.
func (k *Kernel) reap(w *childWatch) {
	var status unix.WaitStatus
	pid, err := unix.Wait4(w.pid, &status, unix.WNOHANG, nil)
	for errors.Is(err, unix.EINTR) {
		pid, err = unix.Wait4(w.pid, &status, unix.WNOHANG, nil)
	}
	if err == nil && pid == 0 {
		return // it lives
	}
	var outcome any = syscall.WaitStatus(status)
	if err != nil {
		outcome = fmt.Errorf("process %d was waited for by somebody else: %w", w.pid, err)
	}
	delete(k.children.byPid, w.pid)
	w.notice.end(k, w)
	for _, x := range w.waiters {
		e := k.event(k.root, x.s, x.event)
		e.setArgs(append([]any{chld, w.pid, outcome}, x.args...))
		k.enqueue(e)
		x.s.forgetPid(w.pid)
	}
	k.signal(k.root, chld, w.pid, outcome)
}
