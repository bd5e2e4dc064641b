package wheel

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-poe/poe/kernel"
)

// waitAgain is how long a child waits before it asks once more to be told of its end, when the
// process or the system has no descriptor left for that.
const waitAgain = 100 * time.Millisecond

// A child is a process, and the session that waits for it.
//
// It is not the session that the wheel belongs to. That one may wait for the process too, by
// SigChild, of which there is one for a session and a process; and it may end first, and then
// nobody would wait.
type child struct {
	session *kernel.Session
	process *os.Process // nil once nobody waits any more
	pid     int
	leads   bool // a process group
	ended   bool
	exited  func(status syscall.WaitStatus, err error)
}

// The events of a child's session, besides Start.
const (
	childWait = "wait"
	childExit = "exit"
	childKill = "kill"
)

// newChild begins to wait for a process, and will call exited, once.
func newChild(
	k *kernel.Kernel, p *os.Process, attr *syscall.SysProcAttr,
	exited func(status syscall.WaitStatus, err error),
) *child {
	c := &child{process: p, pid: p.Pid, leads: attr.Setpgid || attr.Setsid, exited: exited}
	c.session = k.Root().Create(kernel.HandlerFunc(c.handle))
	return c
}

func (c *child) handle(e *kernel.Event) {
	switch e.Name {
	case kernel.Start, childWait:
		c.wait(e.Session)
	case childExit:
		c.exit(e)
	case childKill:
		_ = c.killGroup(syscall.SIGKILL) // it has ended, or else it may be killed
	case kernel.Stop:
		c.release()
	default:
		e.Unhandled()
	}
}

// wait asks to be told when the process ends.
func (c *child) wait(s *kernel.Session) {
	err := s.SigChild(c.pid, childExit)
	switch {
	case err == nil:
	case errors.Is(err, kernel.ErrNoChild):
		s.Yield(childExit, nil, nil, err)
	default:
		s.Delay(childWait, waitAgain)
	}
}

// exit is the end of the process, and of the session.
func (c *child) exit(e *kernel.Event) {
	c.ended = true
	e.Session.AlarmClear(childKill)
	status, _ := e.Args[2].(syscall.WaitStatus)
	err, _ := e.Args[2].(error)
	c.exited(status, err)
}

// release is the end of the session: the process was waited for, or the kernel stops, and it never
// will be.
func (c *child) release() {
	_ = c.process.Release() // which has no way to fail
	c.process = nil
}

// kill sends a signal to the process. That is safe even if the process has just ended, and its
// number is another's: os.Process knows it by more than that, where the system has such a thing.
// When nobody waits any more, the number stays its own.
func (c *child) kill(signal syscall.Signal) error {
	switch {
	case c.ended:
		return os.ErrProcessDone
	case c.process == nil:
		return killed(unix.Kill(c.pid, signal))
	}
	return c.process.Signal(signal)
}

// killGroup sends a signal to the process and those of its group.
func (c *child) killGroup(signal syscall.Signal) error {
	if !c.leads {
		return c.kill(signal)
	}
	return killed(unix.Kill(-c.pid, signal))
}

// killed returns the error for what the system has said.
func killed(err error) error {
	if err == unix.ESRCH {
		return os.ErrProcessDone
	}
	return os.NewSyscallError("kill", err)
}

// Terminate asks the program and its group to end, with SIGTERM, and if the program has not ended
// after grace, kills all of them. What it leaves behind of its group when it does end is left
// alone; see KillGroup. Terminate returns at once, with os.ErrProcessDone if the program has ended
// or did not start. It works after Close, too. Another Terminate begins anew.
func (w *Run) Terminate(grace time.Duration) error {
	if w.child == nil || w.child.ended {
		return os.ErrProcessDone
	}
	if err := w.child.killGroup(syscall.SIGTERM); err != nil {
		return err
	}
	w.child.session.Delay(childKill, grace)
	return nil
}
