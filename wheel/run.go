package wheel

import (
	"errors"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-poe/poe/kernel"
)

// A Run is a program that runs in a process of its own.
//
// What is put is written to its standard input, and what it writes comes in as records. It is over
// when it has ended and its output too, in whichever order: then DoneEvent comes, and the wheel is
// closed. Processes that it leaves behind may keep its output open for longer than itself.
//
// The wheel waits for the process, whatever becomes of the wheel or its owner, so that there is
// never one that has ended and cannot go away. The owner may watch the process with SigChild
// besides. A session of the kernel's own does the waiting, and lives as long as the process.
//
// POE: POE::Wheel::Run. Go has no fork, so a program is never a function.
type Run struct {
	base
	opts     RunOptions
	idArg    any
	child    *child    // nil if it did not start
	terminal *terminal // nil if it has none
	stdin    *ReadWrite
	stdinErr error // why nothing can be put any more
	ending   bool  // a terminal is to be told so once all is written
	atEnd    bool  // and it was
	stdout   output
	stderr   output
	told     bool   // by CloseEvent
	exit     *Exit  // nil until it has ended
	report   string // the wheel's own event for what went wrong at the start
	late     bool   // report is in the kernel's queue
}

// An Exit says how a program has ended. It is the receiver's to keep.
type Exit struct {
	PID    int
	Status syscall.WaitStatus
	Err    error // why there is no Status: it did not start, or somebody else has waited for it
	Wheel  ID
}

// A RunError is what went wrong with a program, and in which operation. At the end of one of its
// streams, Op is "read" and Err is io.EOF.
//
// POE: the operation, the number and the text of the error, the wheel, and the handle's name.
type RunError struct {
	Op     string // "read", "write", "start", "nice", or what could not be made: "pipe", "pty"
	Handle string // STDIN, STDOUT or STDERR; "" if it was about none of them
	Err    error
	Wheel  ID
}

// Error returns the operation, the stream and what went wrong.
func (e *RunError) Error() string {
	if e.Handle == "" {
		return e.Op + ": " + e.Err.Error()
	}
	return e.Op + " " + e.Handle + ": " + e.Err.Error()
}

// Unwrap returns an *Error that says the same, but for the stream.
func (e *RunError) Unwrap() error { return &Error{Op: e.Op, Err: e.Err, Wheel: e.Wheel} }

// Errno is Error.Errno.
func (e *RunError) Errno() syscall.Errno { return kernel.Errno(e.Err) }

// Text is Error.Text.
func (e *RunError) Text() string { return (&Error{Err: e.Err}).Text() }

// NewRun starts a program on behalf of owner. It returns when the system has loaded the program, or
// could not. That takes a millisecond or so, in which the kernel does nothing else, and longer if
// the program is on a file system that does not answer. In exchange, there is a process from the
// start, which has exactly one keeper.
//
// If the program does not start, ErrorEvent says why, and then comes DoneEvent, both after NewRun
// has returned. The wheel is closed then.
func NewRun(owner *kernel.Session, opts RunOptions) *Run {
	opts.check()
	w := &Run{base: newBase(run, owner), opts: opts}
	w.owner.AtEnd(w)
	w.idArg = w.id
	w.stdout = newOutput(w, stdoutName, opts.StdoutEvent)
	w.stderr = newOutput(w, stderrName, opts.StderrEvent)
	if owner.Ended() {
		w.Close()
		return w
	}
	w.hold()
	w.report = w.state("report", w.reported)
	if err := w.start(); err != nil {
		w.closeStreams()
		w.later(err)
	}
	return w
}

// start makes the streams and then the process.
func (w *Run) start() *RunError {
	var far ends
	defer far.close()
	if err := w.open(&far); err != nil {
		return err
	}
	cmd := w.command(&far)
	if err := cmd.Start(); err != nil {
		return &RunError{Op: "start", Err: startError(err), Wheel: w.id}
	}
	w.child = newChild(w.owner.Kernel(), cmd.Process, cmd.SysProcAttr, w.exited)
	if w.opts.Nice != 0 {
		err := unix.Setpriority(unix.PRIO_PROCESS, w.child.pid, w.opts.Nice)
		if err != nil {
			err = os.NewSyscallError("setpriority", err)
			w.later(&RunError{Op: "nice", Err: err, Wheel: w.id})
		}
	}
	return nil
}

// command describes the process.
func (w *Run) command(far *ends) *exec.Cmd {
	o := &w.opts
	name, args := o.Program, o.Args
	if o.Shell != "" {
		name, args = "/bin/sh", append([]string{"-c", o.Shell, "sh"}, o.Args...)
	}
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = o.Dir, o.Env
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: o.Credential}
	if o.Conduit == Pipe {
		cmd.SysProcAttr.Setpgid = !o.NoSetpgid
	} else {
		cmd.SysProcAttr.Setsid, cmd.SysProcAttr.Setctty = true, true
	}
	if far.stdin != nil { // a nil *os.File would be a Reader, and no /dev/null
		cmd.Stdin = far.stdin
	}
	cmd.Stdout, cmd.Stderr = far.stdout, far.stderr
	return cmd
}

// startError gives an error the number that the system would have for a program that is not there.
func startError(err error) error {
	if errors.Is(err, exec.ErrNotFound) {
		return notFound{err}
	}
	return err
}

// A notFound is the failure to find a program in PATH. It counts as ENOENT, as in POE.
type notFound struct{ error }

func (e notFound) Unwrap() []error { return []error{syscall.ENOENT, e.error} }

// later reports, when the constructor has returned, what went wrong in it.
func (w *Run) later(err *RunError) {
	w.late = true
	w.owner.Yield(w.report, err)
}

// reported tells what went wrong at the start, and that it is over if it was nothing but that.
func (w *Run) reported(e *kernel.Event) {
	w.late = false
	err := kernel.Arg[*RunError](e, 0)
	_ = w.tell(w.opts.ErrorEvent, err)
	if w.child == nil && !w.closed {
		w.exit = &Exit{Err: err, Wheel: w.id}
		w.finish()
	}
}

// exited is when the process has ended.
func (w *Run) exited(status syscall.WaitStatus, err error) {
	if w.closed {
		return
	}
	w.exit = &Exit{PID: w.PID(), Status: status, Err: err, Wheel: w.id}
	_ = w.tell(w.opts.ExitEvent, w.exit)
	w.finish()
}

// finish ends the wheel when the program has ended, and its output too.
func (w *Run) finish() {
	if w.closed || w.exit == nil || w.stdout.isOpen() || w.stderr.isOpen() {
		return
	}
	w.Close()
	_ = w.tell(w.opts.DoneEvent, w.exit)
}

// PID returns the number of the process, or 0 if it did not start.
//
// POE: PID.
func (w *Run) PID() int {
	if w.child == nil {
		return 0
	}
	return w.child.pid
}

// Kill sends the process a signal, and nobody else. It returns os.ErrProcessDone if it has ended,
// or did not start. Kill works after Close, too.
//
// POE: kill.
func (w *Run) Kill(signal syscall.Signal) error {
	if w.child == nil {
		return os.ErrProcessDone
	}
	return w.child.kill(signal)
}

// KillGroup sends a signal to all processes of the group that the program leads, also to those
// that it has left behind. It returns os.ErrProcessDone if there is none. A program that leads no
// group, because of NoSetpgid, gets it alone.
func (w *Run) KillGroup(signal syscall.Signal) error {
	if w.child == nil || w.closed && w.child.ended {
		return os.ErrProcessDone
	}
	return w.child.killGroup(signal)
}

// Close ends the wheel, now, and closes its sides of the streams. What waits to be written is
// lost. No event comes from the wheel after that. The program goes on, unless it ends because of
// its streams, or because its terminal has hung up; see Kill and Terminate. A second Close does
// nothing.
//
// POE: the end of the wheel's last reference.
func (w *Run) Close() {
	if w.closed {
		return
	}
	w.closeStreams()
	if w.late {
		w.close(w, w.report)
	} else {
		w.close(w)
	}
}
