//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package wheel

import (
	"errors"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// A watch is a folder that a notifier tells of, which is open for that alone, or nil for none. A
// file that is read needs no watch: it is open anyway.
type watch struct {
	folder *os.File
}

// end ends it: the system forgets what is closed.
func (w watch) end() {
	if w.folder != nil {
		_ = w.folder.Close()
	}
}

// is reports whether it is of the folder that has the name now.
func (w watch) is(name string) bool {
	if w.folder == nil {
		return false
	}
	open, err := w.folder.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(name)
	return err == nil && os.SameFile(open, named)
}

// What a notifier tells of. Of a folder it cannot say which name has come or gone, and so tells of
// all. To shorten a file is for some systems to change its attributes. That the file loses its name
// is often that another one takes it, and can be seen also where the folder may not be read.
const (
	changesOfFolder = unix.NOTE_WRITE
	changesOfFile   = unix.NOTE_WRITE | unix.NOTE_EXTEND | unix.NOTE_ATTRIB | shortened |
		unix.NOTE_DELETE | unix.NOTE_RENAME
)

// newNotifier returns one that is not the last that can be opened: the file is to be read, whether
// or not its folder is watched.
func newNotifier() (*notifier, error) {
	fd, err := unix.Kqueue()
	if err != nil {
		return nil, os.NewSyscallError("kqueue", err)
	}
	unix.CloseOnExec(fd) // and what is forked meanwhile does not get it: it is no use to a child
	file := os.NewFile(uintptr(fd), "kqueue")
	one, other, err := os.Pipe() // if there is room for these, there is for a folder and a file
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	_ = one.Close()
	_ = other.Close()
	return &notifier{&queue{fd}, file}, nil
}

// watchFolder tells of names in a folder that come and go, and not any more of those in an old one,
// if that is another. It returns nothing if it cannot.
func (n *notifier) watchFolder(name string, old watch) watch {
	if n != nil && old.is(name) {
		return old
	}
	old.end()
	if n == nil {
		return watch{}
	}
	folder, err := os.OpenFile(name, unix.O_DIRECTORY|onlyWatched, 0)
	if err != nil {
		return watch{}
	}
	if !n.add(folder, changesOfFolder) {
		_ = folder.Close()
		return watch{}
	}
	return watch{folder}
}

// watchFile tells of changes of a file until that is closed.
func (n *notifier) watchFile(f *os.File, _ watch) watch {
	if n != nil {
		n.add(f, changesOfFile)
	}
	return watch{}
}

// add tells of changes of what is open, and reports whether it can.
func (n *notifier) add(f *os.File, changes uint32) (done bool) {
	withFD(n.file, func(queue int) {
		withFD(f, func(fd int) {
			change := make([]unix.Kevent_t, 1)
			unix.SetKevent(&change[0], fd, unix.EVFILT_VNODE, unix.EV_ADD|unix.EV_CLEAR)
			change[0].Fflags = changes
			_, err := kevent(queue, change, nil)
			done = err == nil
		})
	})
	return done
}

// mine takes what there is to tell, and reports whether there was any: all of it may be about the
// file, whatever its name.
func (n *notifier) mine([]byte, string) (bool, error) {
	events := make([]unix.Kevent_t, 4) // for the file and its folder, and what they were before
	count, err := kevent(n.handle.FD(), nil, events)
	return count > 0, err
}

// kevent is kevent(2), and does not wait.
func kevent(queue int, changes, events []unix.Kevent_t) (int, error) {
	for {
		n, err := unix.Kevent(queue, changes, events, new(unix.Timespec))
		if err != unix.EINTR {
			return n, os.NewSyscallError("kevent", err)
		}
	}
}

// A queue is the handle of a notifier, by which a Loop knows when there is something to tell. It is
// not one of the kernel's, since not all systems let a queue have the flag that it never waits.
//
// The descriptor is the notifier's file's, and closed by that.
type queue struct {
	fd int // -1 once it is closed
}

// Read implements kernel.Handle. What a queue tells is not read from it.
func (*queue) Read([]byte) (int, error) { return 0, errors.ErrUnsupported }

// Write implements kernel.Handle.
func (*queue) Write([]byte) (int, error) { return 0, errors.ErrUnsupported }

// CloseRead implements kernel.Handle.
func (*queue) CloseRead() error { return errors.ErrUnsupported }

// CloseWrite implements kernel.Handle.
func (*queue) CloseWrite() error { return errors.ErrUnsupported }

// Close implements kernel.Handle.
func (q *queue) Close() error {
	if q.fd < 0 {
		return net.ErrClosed
	}
	q.fd = -1
	return nil
}

// FD implements kernel.Handle.
func (q *queue) FD() int { return q.fd }
