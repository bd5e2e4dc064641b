//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package kernel

import (
	"errors"

	"github.com/panjf2000/gnet/v2/pkg/netpoll"
	"golang.org/x/sys/unix"
)

// A registry is what the poller does not remember. On kqueue it cannot delete a descriptor, nor
// the reading of one that is written too, nor have one with the number 0. So it gets a duplicate
// of each descriptor: to close that is to delete it.
type registry struct {
	duplicates map[int]int // by watched descriptor
	owners     map[int]int // by duplicate
}

// owner returns the watched descriptor that the poller knows by number, or -1.
func (l *netpollLoop) owner(number int) int {
	if fd, ok := l.owners[number]; ok {
		return fd
	}
	return -1
}

// register makes the poller report fd in the ways of want, where it was told to report those of
// have.
func (l *netpollLoop) register(fd int, have, want Mode) error {
	if have != 0 {
		l.unregister(fd)
	}
	switch {
	case want == 0:
		return nil
	case want&Expedite != 0: // EVFILT_EXCEPT, which the poller does not have
		return errors.ErrUnsupported
	}
	number, err := duplicate(fd)
	if err != nil {
		return err
	}
	pa := netpoll.PollAttachment{FD: number}
	switch want {
	case Read:
		err = l.poller.AddRead(&pa, false)
	case Write:
		err = l.poller.AddWrite(&pa, false)
	default:
		err = l.poller.AddReadWrite(&pa, false)
	}
	if err != nil {
		_ = unix.Close(number)
		return err
	}
	if l.owners == nil {
		l.duplicates, l.owners = make(map[int]int), make(map[int]int)
	}
	l.duplicates[fd], l.owners[number] = number, fd
	if l.running {
		// The batch may hold reports on another duplicate that had this number.
		l.entry(fd).stale = everyWay
	}
	return nil
}

// unregister makes the poller forget fd.
func (l *netpollLoop) unregister(fd int) {
	number, ok := l.duplicates[fd]
	if !ok {
		return
	}
	delete(l.duplicates, fd)
	delete(l.owners, number)
	_ = unix.Close(number)
}

// rearm has nothing to do: the poller reports levels.
func (*netpollLoop) rearm(int) {}

// ways returns the ways of which an event tells, and those of want in which it says that a
// descriptor is ready. An end or an error comes with an event for each way.
func ways(event netpoll.IOEvent, _ netpoll.IOFlags, want Mode) (told, how Mode) {
	switch {
	case netpoll.IsReadEvent(event):
		told = Read
	case netpoll.IsWriteEvent(event):
		told = Write
	}
	return told, told & want
}
