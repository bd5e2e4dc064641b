package wheel

import (
	"os"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
)

// The names of the streams, as a RunError has them.
const (
	stdinName  = "STDIN"
	stdoutName = "STDOUT"
	stderrName = "STDERR"
)

// ends are the program's sides of its streams.
type ends struct {
	stdin, stdout, stderr *os.File // a nil stdin is /dev/null
	made                  []*os.File
}

// close closes those that were made for the program, which has its own by now.
func (f *ends) close() {
	for _, file := range f.made {
		_ = file.Close()
	}
}

// open makes the streams.
func (w *Run) open(far *ends) *RunError {
	o := &w.opts
	if o.Conduit != Pipe {
		if err := w.openTerminal(far); err != nil {
			return &RunError{Op: "pty", Err: err, Wheel: w.id}
		}
	} else {
		if err := w.openStdin(far); err != nil {
			return &RunError{Op: "pipe", Handle: stdinName, Err: err, Wheel: w.id}
		}
		far.stdout = choose(o.RedirectStdout, os.Stdout)
		if err := w.openOutput(&w.stdout, o.StdoutFilter, far, &far.stdout); err != nil {
			return &RunError{Op: "pipe", Handle: stdoutName, Err: err, Wheel: w.id}
		}
	}
	if o.Conduit == PTY {
		far.stderr = far.stdout
		return nil
	}
	far.stderr = choose(o.RedirectStderr, os.Stderr)
	if err := w.openOutput(&w.stderr, o.StderrFilter, far, &far.stderr); err != nil {
		return &RunError{Op: "pipe", Handle: stderrName, Err: err, Wheel: w.id}
	}
	return nil
}

func choose(file, or *os.File) *os.File {
	if file != nil {
		return file
	}
	return or
}

// openTerminal makes a terminal for the input and the output.
func (w *Run) openTerminal(far *ends) error {
	near, tty, err := openTerminal(w.opts.Winsize, w.opts.Cooked)
	if err != nil {
		return err
	}
	far.made = append(far.made, tty)
	far.stdin, far.stdout = tty, tty
	o := &w.stdout
	o.got = w.state(o.name, o.input)
	o.rw, err = NewReadWrite(w.owner, ReadWriteOptions{
		Handle:       near,
		InputFilter:  w.opts.StdoutFilter,
		OutputFilter: w.opts.StdinFilter,
		InputEvent:   o.got,
		FlushedEvent: w.state(stdinName+" flushed", w.flushed),
		ErrorEvent:   w.state(o.name+" error", o.failed),
		MaxOutput:    w.opts.MaxOutput,
		BlockSize:    w.opts.BlockSize,
	})
	w.stdin, w.terminal = o.rw, near
	return err
}

// openStdin makes a pipe to the program, unless it reads elsewhere.
func (w *Run) openStdin(far *ends) error {
	if w.opts.NoStdin || w.opts.RedirectStdin != nil {
		far.stdin = w.opts.RedirectStdin
		return nil
	}
	r, write, err := os.Pipe()
	if err != nil {
		return err
	}
	far.stdin, far.made = r, append(far.made, r)
	near, err := kernel.NewHandle(write)
	if err != nil {
		_ = write.Close()
		return err
	}
	w.stdin, err = NewReadWrite(w.owner, ReadWriteOptions{
		Handle:       near,
		Filter:       w.opts.StdinFilter,
		FlushedEvent: w.state(stdinName+" flushed", w.flushed),
		ErrorEvent:   w.state(stdinName+" error", w.stdinError),
		MaxOutput:    w.opts.MaxOutput,
	})
	return err
}

// openOutput makes a pipe from the program, if the owner wants to have what comes.
func (w *Run) openOutput(o *output, f filter.Filter, far *ends, side **os.File) error {
	if !o.ours {
		return nil
	}
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	*side, far.made = write, append(far.made, write)
	near, err := kernel.NewHandle(read)
	if err != nil {
		_ = read.Close()
		return err
	}
	o.got = w.state(o.name, o.input)
	o.rw, err = NewReadWrite(w.owner, ReadWriteOptions{
		Handle:     near,
		Filter:     f,
		InputEvent: o.got,
		ErrorEvent: w.state(o.name+" error", o.failed),
		BlockSize:  w.opts.BlockSize,
	})
	return err
}

// closeStreams closes the wheel's sides of the streams.
func (w *Run) closeStreams() {
	if w.stdinErr == nil {
		w.stdinErr = ErrClosed
	}
	for _, rw := range []*ReadWrite{w.stdin, w.stdout.rw, w.stderr.rw} {
		if rw != nil {
			rw.Close()
		}
	}
	w.stdin, w.stdout.rw, w.stderr.rw = nil, nil, nil
}

// An output is one of the two streams that come from a program.
type output struct {
	w     *Run
	name  string
	ours  bool       // it does not go elsewhere
	event string     // the owner's, for what comes in
	got   string     // the wheel's own, likewise
	rw    *ReadWrite // nil if the stream goes elsewhere
	over  bool       // it is at its end
}

func newOutput(w *Run, name, event string) output {
	return output{w: w, name: name, ours: event != "", event: event}
}

// isOpen reports whether there may be more to come.
func (o *output) isOpen() bool { return o.rw != nil && !o.over }

// input hands a record on.
func (o *output) input(e *kernel.Event) {
	in := kernel.Arg[*Input](e, 0)
	in.Wheel = o.w.id
	_ = o.w.tell(o.event, in)
}

// failed is the end of the stream, or, of a terminal, of the other direction.
func (o *output) failed(e *kernel.Event) {
	err := kernel.Arg[*Error](e, 0)
	if err.Op == "write" {
		o.w.stdinFailed(err)
		return
	}
	o.w.ended(o, err)
}

// ended tells of the end of an output, and of the end of all.
func (w *Run) ended(o *output, err *Error) {
	o.over = true
	if w.terminal == nil || o != &w.stdout {
		o.rw.Close()
	} else {
		// The program has closed its side, and may be about to end. To close ours before it has
		// would be to hang up: a signal that it could die of in the middle of that.
		w.dropStdin(ErrClosed)
	}
	_ = w.tell(w.opts.ErrorEvent, &RunError{err.Op, o.name, err.Err, w.id})
	if !w.closed && !w.told && !w.stdout.isOpen() && !w.stderr.isOpen() {
		w.told = true
		_ = w.tell(w.opts.CloseEvent, w.idArg)
	}
	w.finish()
}

// stdinError is when the program does not read any more.
func (w *Run) stdinError(e *kernel.Event) { w.stdinFailed(kernel.Arg[*Error](e, 0)) }

func (w *Run) stdinFailed(err *Error) {
	failed := &RunError{err.Op, stdinName, err.Err, w.id}
	w.dropStdin(failed)
	_ = w.tell(w.opts.ErrorEvent, failed)
}

// dropStdin ends the stream to the program, because of err. A terminal stays open, to be read.
func (w *Run) dropStdin(err error) {
	if w.stdinErr == nil {
		w.stdinErr = err
	}
	if w.stdin != nil && w.terminal == nil {
		w.stdin.Close()
	}
	w.stdin = nil
}

// flushed is when all that was put is written, and the end of it or not.
func (w *Run) flushed(*kernel.Event) {
	if w.atEnd {
		return
	}
	if w.ending {
		w.endTerminal()
	}
	_ = w.tell(w.opts.StdinEvent, w.idArg)
}

// endTerminal writes what means to a terminal that no more will come.
func (w *Run) endTerminal() {
	w.ending, w.atEnd = false, true
	f := w.stdin.OutputFilter()
	w.stdin.SetOutputFilter(filter.NewStream(filter.StreamOptions{}))
	_ = w.stdin.Put(w.terminal.endOfInput()) // a terminal that takes no more has an event for that
	w.stdin.SetOutputFilter(f)
}

// Put writes p to the program, as one record. See PutRecord.
//
// POE: put.
func (w *Run) Put(p []byte) error { return w.PutRecord(filter.Record{Bytes: p}) }

// PutString is Put for a string.
func (w *Run) PutString(s string) error { return w.Put([]byte(s)) }

// PutRecord writes r to the program's standard input, as ReadWrite.PutRecord does. The error is
// ErrOutputShut after ShutdownStdin, ErrClosed after Close or where the program did not start, and
// else as there. PutRecord panics if the options have NoStdin or RedirectStdin.
func (w *Run) PutRecord(r filter.Record) error {
	switch {
	case w.opts.NoStdin || w.opts.RedirectStdin != nil:
		panic("wheel: Put to a Run that has NoStdin or RedirectStdin")
	case w.stdinErr != nil:
		return w.stdinErr
	}
	return w.stdin.PutRecord(r)
}

// ShutdownStdin tells the program that no more will come, once all that was put is written. What is
// put from now on is refused.
//
// A terminal cannot be closed in one direction, so its character for the end of input is written,
// if it has one by now: a raw terminal has none.
//
// POE: shutdown_stdin, which drops what is not written.
func (w *Run) ShutdownStdin() {
	if w.stdin == nil || w.stdinErr != nil {
		return
	}
	w.stdinErr = ErrOutputShut
	switch {
	case w.terminal == nil:
		w.stdin.Finish()
	case w.stdin.OutOctets() > 0:
		w.ending = true
	default:
		w.endTerminal()
	}
}

// OutOctets returns how many bytes are put and not yet written.
//
// POE: get_driver_out_octets.
func (w *Run) OutOctets() int {
	if w.stdin == nil {
		return 0
	}
	return w.stdin.OutOctets()
}

// OutMessages returns how many records were put since all was last written.
//
// POE: get_driver_out_messages.
func (w *Run) OutMessages() int {
	if w.stdin == nil {
		return 0
	}
	return w.stdin.OutMessages()
}

// PauseStdout leaves the program's output where it is, so that the program has to wait when there
// is too much of it. The records that were read already still arrive.
//
// POE: pause_stdout.
func (w *Run) PauseStdout() { w.stdout.pause(true) }

// ResumeStdout reads on.
//
// POE: resume_stdout.
func (w *Run) ResumeStdout() { w.stdout.pause(false) }

// PauseStderr is PauseStdout for the standard error.
//
// POE: pause_stderr.
func (w *Run) PauseStderr() { w.stderr.pause(true) }

// ResumeStderr reads on.
//
// POE: resume_stderr.
func (w *Run) ResumeStderr() { w.stderr.pause(false) }

func (o *output) pause(paused bool) {
	switch {
	case o.rw == nil:
	case paused:
		o.rw.PauseInput()
	default:
		o.rw.ResumeInput()
	}
}

// StdinFilter returns the filter that writes. It is the wheel's.
//
// POE: get_stdin_filter.
func (w *Run) StdinFilter() filter.Filter { return w.opts.StdinFilter }

// StdoutFilter returns the filter that reads the output. It is the wheel's.
//
// POE: get_stdout_filter.
func (w *Run) StdoutFilter() filter.Filter { return w.opts.StdoutFilter }

// StderrFilter returns the filter that reads the standard error. It is the wheel's.
//
// POE: get_stderr_filter.
func (w *Run) StderrFilter() filter.Filter { return w.opts.StderrFilter }

// SetStdioFilter changes the filter for input and output. See SetStdoutFilter.
//
// POE: set_stdio_filter.
func (w *Run) SetStdioFilter(f filter.Filter) {
	w.SetStdinFilter(f)
	w.SetStdoutFilter(f)
}

// SetStdinFilter changes the filter that writes, for what is put from now on.
//
// POE: set_stdin_filter.
func (w *Run) SetStdinFilter(f filter.Filter) {
	w.opts.StdinFilter = f
	if w.stdin != nil {
		w.stdin.SetOutputFilter(f)
	}
}

// SetStdoutFilter changes the filter that reads the output. What the old one holds goes to the new
// one, and the records that it finds there arrive before SetStdoutFilter returns.
//
// POE: set_stdout_filter.
func (w *Run) SetStdoutFilter(f filter.Filter) {
	w.opts.StdoutFilter = f
	w.stdout.setFilter(f)
}

// SetStderrFilter is SetStdoutFilter for the standard error.
//
// POE: set_stderr_filter.
func (w *Run) SetStderrFilter(f filter.Filter) {
	w.opts.StderrFilter = f
	w.stderr.setFilter(f)
}

func (o *output) setFilter(f filter.Filter) {
	if o.rw != nil {
		o.rw.SetInputFilter(f)
	}
}

// SetStdoutEvent changes the event for the output; with "" nothing is read until there is one
// again. It panics if there was none from the start: then the output goes elsewhere. The error is
// that of Session.SelectRead.
//
// POE: event, which does nothing then.
func (w *Run) SetStdoutEvent(name string) error { return w.stdout.setEvent(name) }

// SetStderrEvent is SetStdoutEvent for the standard error.
//
// POE: event.
func (w *Run) SetStderrEvent(name string) error { return w.stderr.setEvent(name) }

func (o *output) setEvent(name string) error {
	if !o.ours {
		panic("wheel: an event for " + o.name + " of a Run that had none from the start")
	}
	o.event = name
	switch {
	case o.rw == nil:
		return nil
	case name == "":
		return o.rw.SetInputEvent("")
	}
	return o.rw.SetInputEvent(o.got)
}

// SetStdinEvent changes the event for the end of what was put.
func (w *Run) SetStdinEvent(name string) { w.opts.StdinEvent = name }

// SetErrorEvent changes the event for what goes wrong, and for the end of a stream.
func (w *Run) SetErrorEvent(name string) { w.opts.ErrorEvent = name }

// SetCloseEvent changes the event for the end of all output.
func (w *Run) SetCloseEvent(name string) { w.opts.CloseEvent = name }
