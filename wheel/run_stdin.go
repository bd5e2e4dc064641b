package wheel

import (
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
)

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
	w.stdin, w.ending = nil, false
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

// StdinFilter returns the filter that writes. It is the wheel's.
//
// POE: get_stdin_filter.
func (w *Run) StdinFilter() filter.Filter { return w.opts.StdinFilter }

// SetStdinFilter changes the filter that writes, for what is put from now on.
//
// POE: set_stdin_filter.
func (w *Run) SetStdinFilter(f filter.Filter) {
	w.opts.StdinFilter = f
	if w.stdin != nil {
		w.stdin.SetOutputFilter(f)
	}
}

// SetStdioFilter changes the filter for input and output. See SetStdoutFilter.
//
// POE: set_stdio_filter.
func (w *Run) SetStdioFilter(f filter.Filter) {
	w.SetStdinFilter(f)
	w.SetStdoutFilter(f)
}

// SetStdinEvent changes the event for the end of what was put.
func (w *Run) SetStdinEvent(name string) { w.opts.StdinEvent = name }
