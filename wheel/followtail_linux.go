package wheel

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/go-poe/poe/kernel"
)

// A notifier tells when a file changes, or another one gets a name: what inotify(7) calls an
// instance. A nil one tells nothing.
//
// The kernel's goroutine reads what it tells by the handle. Slow work says by the file, which is
// the same, what it is to tell of: that goes through folders, and may take time.
type notifier struct {
	handle kernel.Handle
	file   *os.File
}

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

// watchFolder tells of new names in a folder, and not any more of those in the one that it told of
// by the number old, if that is another. It returns the number, or 0 if it cannot.
func (n *notifier) watchFolder(name string, old int) int {
	return n.watch(name, changesOfFolder, old)
}

// watchFile is watchFolder for the content of a file.
func (n *notifier) watchFile(f *os.File, old int) (number int) {
	if n == nil {
		return 0
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) { // by its name it might be another one by now
		number = n.watch(fmt.Sprintf("/proc/self/fd/%d", fd), changesOfFile, old)
	})
	return number
}

func (n *notifier) watch(name string, changes uint32, old int) (number int) {
	if n == nil {
		return 0
	}
	raw, err := n.file.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) { // if it is closed, number is 0
		number, err = unix.InotifyAddWatch(int(fd), name, changes)
		if err != nil {
			number = 0
		}
		if old != 0 && old != number {
			_, _ = unix.InotifyRmWatch(int(fd), uint32(old)) // it may be gone with what it was for
		}
	})
	return number
}

// mine reads what there is to tell, by way of buf, and reports whether any of it may be about the
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

// pause has it wait with what it has to tell, or not any more.
func (n *notifier) pause(owner *kernel.Session, paused bool) {
	switch {
	case n == nil:
	case paused:
		_ = owner.SelectPauseRead(n.handle)
	default:
		_ = owner.SelectResumeRead(n.handle)
	}
}

// close ends it. A second close does nothing.
func (n *notifier) close(owner *kernel.Session) {
	if n != nil {
		_ = owner.SelectRead(n.handle, "")
		_ = n.handle.Close()
		_ = n.file.Close()
	}
}
