package kernel

import (
	"errors"

	"github.com/panjf2000/gnet/v2/pkg/netpoll"
	"golang.org/x/sys/unix"
)

// A registry is what a loop needs beside the poller to watch descriptors: here it needs nothing.
type registry struct{}

func (*registry) open(*netpoll.Poller) error { return nil }

func (*registry) close() {}

// register makes the poller report fd in the ways of want, where it was told to report those of
// have. It believes the poller more than have: a descriptor that was closed while it was watched is
// not there any more, and the number may have come to stand for another.
func (l *netpollLoop) register(fd int, have, want Mode) error {
	switch {
	case want == 0:
		err := l.poller.Delete(fd)
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EBADF) {
			return nil
		}
		return err
	case have == 0:
		return l.add(fd, want)
	case want == Write: // for which the poller has no way to change what there is
		_ = l.poller.Delete(fd)
		return l.add(fd, want)
	}
	err := l.modify(fd, want)
	if errors.Is(err, unix.ENOENT) {
		l.doubt(fd)
		return l.add(fd, want)
	}
	return err
}

// add begins to report fd.
func (l *netpollLoop) add(fd int, want Mode) error {
	pa := netpoll.PollAttachment{FD: fd}
	switch {
	case want == Write:
		return l.poller.AddWrite(&pa, false)
	case want&Write != 0:
		return l.poller.AddReadWrite(&pa, byEdge(want))
	default:
		return l.poller.AddRead(&pa, byEdge(want))
	}
}

// modify reports fd in other ways than before. They are not Write alone.
func (l *netpollLoop) modify(fd int, want Mode) error {
	pa := netpoll.PollAttachment{FD: fd}
	if want&Write != 0 {
		return l.poller.ModReadWrite(&pa, byEdge(want))
	}
	return l.poller.ModRead(&pa, byEdge(want))
}

// byEdge reports whether want has Expedite without Read. The poller cannot report out-of-band data
// without reporting the stream, which nobody reads then, so that a level would be reported for
// ever. Such a descriptor is reported by its edges, and rearm makes levels of those that are
// wanted.
func byEdge(want Mode) bool {
	return want&(Read|Expedite) == Expedite
}

// rearm makes the poller look anew at a descriptor that it reports by its edges.
func (l *netpollLoop) rearm(fd int) {
	if want := l.want(fd); byEdge(want) {
		_ = l.modify(fd, want)
	}
}

// collect serves the descriptor of an event.
func (l *netpollLoop) collect(fd int, event netpoll.IOEvent) error {
	return l.serve(fd, ways(event, l.want(fd)))
}

// ways returns those ways of want in which an event says that a descriptor is ready.
func ways(event netpoll.IOEvent, want Mode) Mode {
	if event&(unix.EPOLLERR|unix.EPOLLHUP) != 0 {
		return want
	}
	var how Mode
	if event&(unix.EPOLLIN|unix.EPOLLRDHUP) != 0 {
		how |= Read
	}
	if event&unix.EPOLLOUT != 0 {
		how |= Write
	}
	if event&unix.EPOLLPRI != 0 {
		if want&Expedite != 0 {
			how |= Expedite
		} else {
			how |= Read
		}
	}
	return how & want
}
