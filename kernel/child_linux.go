package kernel

import (
	"errors"

	"golang.org/x/sys/unix"
)

// A childNotice learns that a process has ended. On Linux that is a descriptor of the process,
// which becomes ready to read: no signal, and no search through all the children.
type childNotice struct {
	fd int
}

func (n *childNotice) begin(k *Kernel, w *childWatch) error {
	fd, err := unix.PidfdOpen(w.pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return ErrNoChild
	}
	if err != nil {
		return err
	}
	var parent unix.Siginfo
	err = unix.Waitid(unix.P_PIDFD, fd, &parent, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	if errors.Is(err, unix.ECHILD) {
		err = ErrNoChild
	}
	if err == nil {
		err = k.watchOwn(fd, func(Mode) { k.reap(w) })
	}
	if err != nil {
		_ = unix.Close(fd)
		return err
	}
	n.fd = fd
	return nil
}

func (n *childNotice) end(k *Kernel, _ *childWatch) {
	_ = k.watchOwn(n.fd, nil)
	_ = unix.Close(n.fd)
}
