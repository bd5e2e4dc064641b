package wheel

import (
	"os"

	"github.com/go-poe/poe/kernel"
)

// A notifier tells when a file changes, or another one gets a name: what inotify(7) calls an
// instance, and kqueue(2) a queue. A nil one tells nothing.
//
// The kernel's goroutine takes what it tells, and watches the handle for it. Slow work says by the
// file, which is the same, what it is to tell of: that goes through folders, and may take time.
type notifier struct {
	handle kernel.Handle
	file   *os.File
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

// close ends it, also under the hands of slow work, which can then say nothing to it. A second
// close does nothing.
func (n *notifier) close(owner *kernel.Session) {
	if n != nil {
		_ = owner.SelectRead(n.handle, "")
		_ = n.handle.Close()
		_ = n.file.Close()
	}
}

// withFD calls f with the descriptor of a file, which stays open until f returns. If the file is
// closed, f is not called.
func withFD(file *os.File, f func(fd int)) {
	raw, err := file.SyscallConn()
	if err == nil {
		_ = raw.Control(func(fd uintptr) { f(int(fd)) })
	}
}
