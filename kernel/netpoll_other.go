//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package kernel

import (
	"errors"
	"os"

	"github.com/panjf2000/gnet/v2/pkg/netpoll"
	"golang.org/x/sys/unix"
)

// A registry is what a loop needs beside the poller to watch descriptors: here a kqueue of its own,
// which the poller watches. The poller's cannot delete a descriptor, nor stop to report that one
// can be read and go on to report that it can be written, nor have one with the number 0.
type registry struct {
	queue int
	batch [64]unix.Kevent_t
}

func (r *registry) open(poller *netpoll.Poller) error {
	queue, err := unix.Kqueue()
	if err != nil {
		return os.NewSyscallError("kqueue", err)
	}
	unix.CloseOnExec(queue)
	if err := poller.AddRead(&netpoll.PollAttachment{FD: queue}, false); err != nil {
		_ = unix.Close(queue)
		return err
	}
	r.queue = queue
	return nil
}

func (r *registry) close() {
	_ = unix.Close(r.queue)
}

// register makes the queue report fd in the ways of want, where it was told to report those of
// have.
func (l *netpollLoop) register(fd int, have, want Mode) error {
	if want&Expedite != 0 { // for which not all of these systems have a filter
		return errors.ErrUnsupported
	}
	for _, f := range [...]struct {
		way    Mode
		filter int
	}{{Read, unix.EVFILT_READ}, {Write, unix.EVFILT_WRITE}} {
		switch {
		case want&f.way != 0:
			if err := l.registry.change(fd, f.filter, unix.EV_ADD); err != nil {
				return err
			}
		case have&f.way != 0: // unless it is closed, and so deleted already
			_ = l.registry.change(fd, f.filter, unix.EV_DELETE)
		}
	}
	if l.running && want != 0 {
		// The batch may hold reports on another descriptor that had this number.
		l.entry(fd).stale = true
	}
	return nil
}

// change adds a descriptor to the queue, or deletes it.
func (r *registry) change(fd, filter, flags int) error {
	changes := make([]unix.Kevent_t, 1)
	unix.SetKevent(&changes[0], fd, filter, flags)
	_, err := unix.Kevent(r.queue, changes, nil, nil)
	return os.NewSyscallError("kevent", err)
}

// rearm has nothing to do: the queue reports levels.
func (*netpollLoop) rearm(int) {}

// collect serves the descriptors that the queue reports.
func (l *netpollLoop) collect(int, netpoll.IOEvent) error {
	n, err := unix.Kevent(l.registry.queue, nil, l.registry.batch[:], new(unix.Timespec))
	if err != nil {
		return nil // interrupted, and to be reported again
	}
	batch := l.registry.batch[:n]
	for i := range batch {
		fd := int(batch[i].Ident)
		if fd < 0 {
			continue // it was served
		}
		how := ways(batch[i:])
		if err := l.serve(fd, how&l.want(fd)); err != nil {
			return err
		}
	}
	return nil
}

// ways returns the ways in which the descriptor of the first event is ready. There is an event for
// each way, also of an end or an error, and ways takes them all.
func ways(events []unix.Kevent_t) Mode {
	var how Mode
	ident := events[0].Ident
	for i := range events {
		e := &events[i]
		switch {
		case e.Ident != ident:
			continue
		case e.Filter == unix.EVFILT_READ:
			how |= Read
		default:
			how |= Write
		}
		e.Ident = ^ident // which is negative for int
	}
	return how
}
