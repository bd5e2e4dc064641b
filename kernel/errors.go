package kernel

import "syscall"

// A sentinel is an error of the kernel that stands for one of the system's: the one that POE leaves
// in $! in its place. So errors.Is finds both.
type sentinel struct {
	text  string
	errno syscall.Errno
}

func (e *sentinel) Error() string { return e.text }
func (e *sentinel) Unwrap() error { return e.errno }

// What can go wrong with a request to the kernel. Each is also one of the system's errors, by
// errors.Is, where POE sets that one.
var (
	ErrNoSession   error = &sentinel{"kernel: no such session", syscall.ESRCH}
	ErrNoHandler   error = &sentinel{"kernel: no handler for the event", syscall.ENOSYS}
	ErrNoAlarm     error = &sentinel{"kernel: no such alarm", syscall.ESRCH}
	ErrNoAlias     error = &sentinel{"kernel: no such alias", syscall.ESRCH}
	ErrAliasTaken  error = &sentinel{"kernel: alias is taken", syscall.EEXIST}
	ErrNoRefcount  error = &sentinel{"kernel: no such reference count", syscall.ESRCH}
	ErrNoChild     error = &sentinel{"kernel: no such child process", syscall.ECHILD}
	ErrNotOwner    error = &sentinel{"kernel: belongs to another session", syscall.EPERM}
	ErrNotChild    error = &sentinel{"kernel: not a child of the session", syscall.EPERM}
	ErrNotWatched  error = &sentinel{"kernel: handle is not watched in that way", syscall.ENOENT}
	ErrInvalid     error = &sentinel{"kernel: missing or invalid argument", syscall.EINVAL}
	ErrRunning     error = &sentinel{"kernel: is running already", syscall.EBUSY}
	ErrTooDeep     error = &sentinel{"kernel: handlers call each other without end", syscall.ELOOP}
	ErrDoorFull    error = &sentinel{"kernel: too many events wait at the door", syscall.ENOBUFS}
	ErrDoorClosed  error = &sentinel{"kernel: door is closed", syscall.EPIPE}
	ErrTooMuchWork error = &sentinel{"kernel: too much slow work waits", syscall.EAGAIN}
)
