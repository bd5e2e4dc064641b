package wheel

import (
	"strings"

	"github.com/go-poe/poe/kernel"
)

// Put shows lines, above the one that is being typed. PutMode says when; while no line is asked
// for, that is at once. What is in the lines goes to the terminal as it is; see Printable. The
// error is ErrClosed, ErrOutputFull, or what went wrong with the output earlier.
//
// POE: put.
func (w *ReadLine) Put(lines ...string) error {
	size := 0
	for _, line := range lines {
		size += len(line) + len("\r\n") + strings.Count(line, "\n")
	}
	switch {
	case w.closed || w.closing:
		return ErrClosed
	case w.heldSize+w.rw.OutOctets()+size > w.opts.MaxOutput:
		return ErrOutputFull
	case w.rw.outErr != nil:
		return w.rw.outErr
	}
	w.held = append(w.held, lines...)
	w.heldSize += size
	if !w.mayShow() {
		if w.opts.PutMode == PutIdle {
			w.idleLater()
		}
		return nil
	}
	w.showHeld()
	return w.rw.outErr
}

// mayShow reports whether the user would not be disturbed, or is to be.
func (w *ReadLine) mayShow() bool {
	switch {
	case !w.reading || w.console == nil || w.opts.PutMode == PutImmediate:
		return true
	case w.opts.PutMode == PutAfter:
		return false
	}
	return w.owner.Kernel().Now().Sub(w.lastKey) >= w.opts.IdleTime
}

// idleLater looks again when the user has not typed for long enough, if that is what will be.
func (w *ReadLine) idleLater() {
	idle := w.owner.Kernel().Now().Sub(w.lastKey)
	w.owner.Delay(w.idle, max(0, w.opts.IdleTime-idle))
}

// idled is when the user may have been idle.
func (w *ReadLine) idled(*kernel.Event) {
	switch {
	case len(w.held) == 0:
	case w.mayShow():
		w.showHeld()
	default:
		w.idleLater()
	}
}

// showHeld shows what was put.
func (w *ReadLine) showHeld() {
	if len(w.held) == 0 {
		return
	}
	lines := w.held
	w.held, w.heldSize = nil, 0
	w.owner.AlarmClear(w.idle)
	if w.console == nil {
		w.send([]byte(strings.Join(lines, "\n") + "\n"))
		return
	}
	w.editor.Print(lines...)
	w.show()
}

// Clear clears the terminal, and shows the line that is being read at its top.
//
// POE: clear.
func (w *ReadLine) Clear() {
	if w.console != nil && !w.closed {
		w.editor.ClearScreen()
		w.show()
	}
}

// TerminalSize returns the size of the terminal's window in characters; 0 and 0 if there is none,
// or it is unknown.
//
// POE: terminal_size.
func (w *ReadLine) TerminalSize() (cols, rows int) {
	if w.console == nil || w.closed {
		return 0, 0
	}
	return w.console.size()
}

// IsTerminal reports whether the lines are edited, and do not come as they are.
func (w *ReadLine) IsTerminal() bool { return w.console != nil }

// show sends the terminal what the editor has for it.
func (w *ReadLine) show() { w.send(w.editor.Output()) }

// send writes to the output. What cannot be written any more is lost, and ErrorEvent has told so.
func (w *ReadLine) send(p []byte) {
	if len(p) == 0 || w.rw == nil || w.rw.Put(p) != nil {
		return
	}
	if w.rw.OutOctets() > maxUnshown && !w.blocked && !w.closing {
		w.blocked = true // by a terminal that is slower than the user, or the program
		w.watch()
	}
}

// flushed is when all is shown.
func (w *ReadLine) flushed(*kernel.Event) {
	if w.blocked && !w.closing {
		w.blocked = false
		w.consume()
	}
}

// outputFailed is when nothing can be shown any more.
func (w *ReadLine) outputFailed(e *kernel.Event) {
	if w.blocked && !w.closing {
		w.blocked = false
		w.consume()
	}
	err := kernel.Arg[*Error](e, 0)
	_ = w.tell(w.opts.ErrorEvent, &Error{Op: err.Op, Err: err.Err, Wheel: w.id})
}
