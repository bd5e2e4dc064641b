package wheel

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/go-poe/poe/kernel"
)

// A watch is a thing that a notifier tells of: the number by which it knows that, or 0 for nothing.
type watch int

// end has nothing to do: a watch ends with the notifier.
func (watch) end() {}

// What a notifier tells of. A name that goes away is nothing to hurry for.
const (
	changesOfFolder = unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_ONLYDIR
	changesOfFile   = unix.IN_MODIFY
)

func newNotifier() (*notifier, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	file := os.NewFile(uintptr(fd), "inotify")
	other, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		_ = file.Close()
		return nil, os.NewSyscallError("fcntl", err)
	}
	same := os.NewFile(uintptr(other), "inotify")
	handle, err := kernel.NewHandle(same)
	if err != nil {
		_ = same.Close()
		_ = file.Close()
		return nil, err
	}
	return &notifier{handle, file}, nil
}

// watchFolder tells of new names in a folder, and not any more of those in an old one, if that is
// another. It returns nothing if it cannot.
func (n *notifier) watchFolder(name string, old watch) watch {
	return n.watch(name, changesOfFolder, old)
}

// watchFile is watchFolder for the content of a file.
func (n *notifier) watchFile(f *os.File, old watch) (now watch) {
	withFD(f, func(fd int) { // by its name it might be another one by now
		now = n.watch(fmt.Sprintf("/proc/self/fd/%d", fd), changesOfFile, old)
	})
	return now
}

func (n *notifier) watch(name string, changes uint32, old watch) (now watch) {
	if n == nil {
		return 0
	}
	withFD(n.file, func(fd int) {
		number, err := unix.InotifyAddWatch(fd, name, changes)
		if err == nil {
			now = watch(number)
		}
		if old != 0 && old != now {
			_, _ = unix.InotifyRmWatch(fd, uint32(old)) // it may be gone with what it was for
		}
	})
	return now
}

// mine takes what there is to tell, by way of buf, and reports whether any of it may be about the
// file of that name.
func (n *notifier) mine(buf []byte, name string) (bool, error) {
	size, err := n.handle.Read(buf)
	if err == kernel.ErrAgain {
		return false, nil
	}
	return concerns(buf[:size], filepath.Base(name)), err
}

// concerns reports whether any of the events in buf is about a name in a folder, or about a file,
// or says that some were lost.
func concerns(buf []byte, name string) bool {
	for len(buf) >= unix.SizeofInotifyEvent {
		mask := binary.NativeEndian.Uint32(buf[4:])
		end := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(buf[12:]))
		if end > len(buf) {
			return true
		}
		about := unix.ByteSliceToString(buf[unix.SizeofInotifyEvent:end])
		if about == name || about == "" && mask&unix.IN_IGNORED == 0 {
			return true
		}
		buf = buf[end:]
	}
	return false
}
