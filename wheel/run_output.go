package wheel

import (
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
)

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

// StdoutFilter returns the filter that reads the output. It is the wheel's.
//
// POE: get_stdout_filter.
func (w *Run) StdoutFilter() filter.Filter { return w.opts.StdoutFilter }

// StderrFilter returns the filter that reads the standard error. It is the wheel's.
//
// POE: get_stderr_filter.
func (w *Run) StderrFilter() filter.Filter { return w.opts.StderrFilter }

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

// SetErrorEvent changes the event for what goes wrong, and for the end of a stream.
func (w *Run) SetErrorEvent(name string) { w.opts.ErrorEvent = name }

// SetCloseEvent changes the event for the end of all output.
func (w *Run) SetCloseEvent(name string) { w.opts.CloseEvent = name }
