package wheel

import (
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
)

// maxUnshown is how many bytes may wait to be shown before a ReadLine stops to read keys.
const maxUnshown = 64 << 10

// A Line is what the user has entered, or why there is nothing. It is the receiver's to keep.
//
// POE: the line, the exception (cancel, eot, interrupt), and the wheel.
type Line struct {
	Text  string
	Err   error // nil, io.EOF, ErrInterrupt, ErrCancel, or an *Error: nothing more can be read
	Wheel ID
}

// A ReadLine reads lines that a user types at a terminal, with a prompt, a history, and the keys of
// emacs or vi, as GNU readline has them.
//
// Nothing is read before Get, which asks for one line. What is typed between that line and the next
// Get waits. All that the program shows meanwhile it should show by Put.
//
// The terminal is raw until Close, so C-c and C-d are keys, which end the reading with an error,
// and C-z is one too, which stops the program as ever. It gets back what it was at Close, also when
// the owner or the kernel ends, by whatever: a panic of a handler, or TERM, INT, HUP or QUIT, which
// as long as the wheel is open do in POE's manner what they else do to a process. A process that
// ends in another way, such as os.Exit, leaves the terminal raw.
//
// Where the input or the output is no terminal, or a dumb one, lines come as they are, the last one
// also without an end, and no prompt is shown but on a dumb terminal.
//
// The wheel reads the user's inputrc, and a history where it is asked to, and waits for the disk.
//
// POE: POE::Wheel::ReadLine, of which there can be one.
type ReadLine struct {
	base
	opts    ReadLineOptions
	editor  *Editor
	console *console // nil if lines come as they are
	dumb    bool     // but from a terminal
	signals *signals // nil likewise
	lines   filter.Filter
	rw      *ReadWrite

	read   string // the wheel's own events
	report string
	idle   string
	decide string
	again  string

	prompt   string
	reading  bool // a line is asked for
	watching bool
	polling  bool // read is in the kernel's queue: the input is a file
	isFile   bool
	blocked  bool // too much waits to be shown
	late     bool // report is in the kernel's queue
	behind   bool // again is, because there was too much to do
	closing  bool
	ahead    []byte // what was typed ahead
	inErr    error  // why nothing can be read any more

	held     []string // what Put has not shown yet
	heldSize int
	lastKey  time.Time
}

// NewReadLine begins to edit lines on behalf of owner. The wheel works until Close. The error is
// that of kernel.NewHandle, of Session.SelectRead, of an inputrc that cannot be read, what the
// system has against the terminal, or kernel.ErrNoSession if owner has ended; then the handles are
// closed. What is wrong within an inputrc is told by the kernel's logger alone.
func NewReadLine(owner *kernel.Session, opts ReadLineOptions) (*ReadLine, error) {
	opts.check()
	w := &ReadLine{base: newBase(readLine, owner), opts: opts}
	if err := w.start(); err != nil {
		w.Close()
		return nil, err
	}
	w.owner.AtEnd(w) // after that of rw, which is closed after the wheel has said its last
	return w, nil
}

// start opens all that the wheel needs.
func (w *ReadLine) start() error {
	o := &w.opts
	if err := o.open(); err != nil {
		return err
	}
	w.read = w.state("read", w.readable)
	w.report = w.state("line", w.reported)
	w.idle = w.state("idle", w.idled)
	w.decide = w.state("decide", w.decided)
	w.again = w.state("again", w.fedAgain)
	var cols, rows int
	w.console = newConsole(o.Input, o.Output)
	if w.dumb = w.console != nil && o.Term == "dumb"; w.dumb {
		w.console = nil
	}
	if w.console != nil {
		cols, rows = w.console.size()
	}
	w.editor = o.editor(cols, rows)
	w.lines = filter.NewLine(filter.LineOptions{Literal: "\n", MaxLength: o.MaxLine})
	rw, err := NewReadWrite(w.owner, ReadWriteOptions{
		Handle: o.Output, Filter: filter.NewStream(filter.StreamOptions{}), MaxOutput: o.MaxOutput,
		FlushedEvent: w.state("flushed", w.flushed),
		ErrorEvent:   w.state("failed", w.outputFailed),
	})
	if err != nil {
		return err
	}
	w.rw = rw
	if err := w.configure(); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if w.console != nil {
		w.signals = newSignals(w)
		return w.console.enter()
	}
	return nil
}

// Prompt returns the prompt of the last Get.
func (w *ReadLine) Prompt() string { return w.prompt }

// Get shows a prompt, and asks for one line: InputEvent comes when it is entered, or will not be.
// While a line is being read already, only the prompt changes. The error is ErrClosed. After an
// error of the input, and its end where it is no terminal, each Get brings it again.
//
// POE: get, whose prompt is ">" at first, and the last one later.
func (w *ReadLine) Get(prompt string) error {
	if w.closed {
		return ErrClosed
	}
	w.prompt = prompt
	switch {
	case !w.reading:
		w.reading = true
		if !w.late {
			w.begin()
		}
	case w.console != nil && !w.late:
		w.editor.Begin(prompt)
		w.show()
	}
	return nil
}

// begin begins to read a line.
func (w *ReadLine) begin() {
	switch {
	case w.console != nil:
		w.editor.Begin(w.prompt)
		w.show()
	case w.dumb:
		w.send([]byte(w.prompt))
	}
	w.consume()
}

// consume takes what was read already, and reads on if that is no line.
func (w *ReadLine) consume() {
	switch {
	case !w.reading || w.late || w.behind:
		return
	case w.console != nil:
		w.feed()
	default:
		w.nextLine()
	}
	if w.reading && w.inErr != nil && !w.blocked && !w.behind && !w.closing {
		w.finish("", w.inErr)
	}
	w.watch()
}

// feed has the editor take what was typed, as far as that is one line, and not too much to do:
// others get their turn before the rest.
func (w *ReadLine) feed() {
	n := w.editor.Feed(w.ahead)
	w.ahead = append(w.ahead[:0], w.ahead[n:]...)
	w.edited()
	if n > 0 && len(w.ahead) > 0 && w.reading && !w.blocked && !w.closing {
		w.behind = true
		w.owner.Yield(w.again)
	}
}

// fedAgain is when that turn has come.
func (w *ReadLine) fedAgain(*kernel.Event) {
	w.behind = false
	w.consume()
}

// nextLine takes a line as it is.
func (w *ReadLine) nextLine() {
	r, ok, err := w.lines.Next()
	switch {
	case err != nil:
		w.inErr = &Error{Op: "read", Err: err, Wheel: w.id}
	case ok:
		w.finish(strings.TrimSuffix(string(r.Bytes), "\r"), nil)
	case w.inErr == io.EOF:
		if rest := w.lines.Pending(); len(rest) > 0 {
			text := string(rest)
			w.lines = filter.NewLine(filter.LineOptions{})
			w.finish(text, nil)
		}
	}
}

// watch reads as long as a line is asked for.
func (w *ReadLine) watch() {
	want := w.reading && !w.blocked && !w.behind && !w.late && w.inErr == nil
	switch {
	case w.closed || w.closing:
		return
	case w.isFile:
		if want && !w.polling {
			w.polling = true
			w.owner.Yield(w.read)
		}
		return
	case want == w.watching:
		return
	case !want:
		w.watching = false
		_ = w.owner.SelectRead(w.opts.Input, "")
		return
	}
	err := w.owner.SelectRead(w.opts.Input, w.read)
	switch {
	case err == nil:
		w.watching = true
	case errors.Is(err, syscall.EPERM): // it is always ready
		w.isFile = true
		w.watch()
	default:
		w.inErr = &Error{Op: "read", Err: err, Wheel: w.id}
		w.finish("", w.inErr)
	}
}

// readable reads what was typed.
func (w *ReadLine) readable(e *kernel.Event) {
	w.polling = false
	if !w.reading || w.late || w.blocked || w.behind {
		return
	}
	buf := e.Kernel.ReadBuffer()
	n, err := w.opts.Input.Read(buf)
	if w.console == nil {
		w.lines.Feed(buf[:n])
	} else {
		w.ahead = append(w.ahead, buf[:n]...)
	}
	switch {
	case err == nil || err == kernel.ErrAgain:
	case errors.Is(err, io.EOF) || errors.Is(err, unix.EIO): // the terminal has hung up
		w.inErr = io.EOF
	default:
		w.inErr = &Error{Op: "read", Err: err, Wheel: w.id}
	}
	if n > 0 {
		w.lastKey = e.Kernel.Now()
	}
	w.consume()
}

// edited is when the editor was told something.
func (w *ReadLine) edited() {
	if w.closed || w.closing {
		return
	}
	w.show()
	if w.editor.stop {
		w.editor.stop = false
		w.signals.stop()
	}
	switch {
	case !w.reading:
	case !w.editor.Reading():
		text, err := w.editor.Result()
		w.finish(text, err)
	case w.editor.Undecided():
		w.owner.Delay(w.decide, w.editor.KeyTimeout())
	default:
		w.owner.AlarmClear(w.decide)
	}
}

// decided is when no key has followed one that may be the first of several.
func (w *ReadLine) decided(*kernel.Event) {
	if w.reading && !w.late {
		w.editor.Decide()
		w.edited()
		w.watch()
	}
}

// finish is the end of the reading of a line.
func (w *ReadLine) finish(text string, err error) {
	w.reading, w.late = false, true
	w.owner.AlarmClear(w.decide)
	if w.console != nil && w.editor.Reading() {
		w.editor.Abandon()
		w.show()
	}
	w.showHeld()
	w.owner.Yield(w.report, &Line{Text: text, Err: err, Wheel: w.id})
}

// reported hands the line over. The next one is not begun before that.
func (w *ReadLine) reported(e *kernel.Event) {
	w.late = false
	_ = w.tell(w.opts.InputEvent, kernel.Arg[*Line](e, 0))
	if w.reading && !w.closed && !w.late {
		w.begin()
	}
}

// Close ends the wheel, now: the line that is being read is lost, the terminal gets back what it
// was, and the handles are closed. No event comes from the wheel after that. A second Close does
// nothing.
//
// POE: the end of the wheel's last reference.
func (w *ReadLine) Close() {
	if w.closed || w.closing {
		return
	}
	w.closing = true
	if w.editor != nil && w.console != nil {
		w.editor.Abandon()
		w.show()
	}
	w.showHeld()
	if w.rw != nil {
		w.rw.Flush()
	}
	if w.console != nil {
		w.console.leave()
	}
	if w.signals != nil {
		w.signals.end()
	}
	w.owner.AlarmClear(w.idle)
	w.owner.AlarmClear(w.decide)
	if w.opts.Input != nil {
		_ = w.owner.SelectRead(w.opts.Input, "")
	}
	if w.rw != nil {
		w.rw.Close()
	}
	for _, h := range []kernel.Handle{w.opts.Output, w.opts.Input} {
		if h != nil {
			_ = h.Close() // which it may be already
		}
	}
	var late []string
	if w.late {
		late = append(late, w.report)
	}
	if w.polling {
		late = append(late, w.read)
	}
	if w.behind {
		late = append(late, w.again)
	}
	w.close(w, late...)
}
