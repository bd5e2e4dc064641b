package wheel

import (
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// The limits of an Editor, where EditorOptions has no others.
const (
	DefaultMaxLine    = 16 << 10 // bytes of one line
	DefaultMaxHistory = 1000     // lines that are remembered
)

// How much there may be before Feed leaves the rest for later.
const (
	maxOut  = 4 * maxUnshown // bytes to be shown
	maxWork = 4 << 20        // bytes of text that were looked at, or moved sixteen times
)

// How the reading of a line may end, besides with a line and with io.EOF.
var (
	// ErrInterrupt says that the user has interrupted, mostly by C-c.
	ErrInterrupt = errors.New("wheel: interrupted")

	// ErrCancel says that the user does not want to enter this line, mostly by C-g.
	ErrCancel = errors.New("wheel: line was cancelled")
)

// ErrLineTooLong reports text that would make a line longer than MaxLine. The line stays as it was.
var ErrLineTooLong = errors.New("wheel: line is too long")

// EditorOptions are the options of an Editor. Each has a default.
type EditorOptions struct {
	AppName  string    // what $if in an inputrc knows the program by; "" means poe-readline
	Term     string    // the kind of terminal, likewise
	Complete Completer // what the words could be; nil means that nobody knows

	Cols int // characters in a row of the terminal; 0 means 80
	Rows int // rows of the terminal; 0 means 24

	MaxLine    int // bytes of one line; 0 means DefaultMaxLine
	MaxHistory int // lines that are remembered; 0 means DefaultMaxHistory
}

// A Completer returns what a word could be that begins at a place in a line, given in bytes. The
// word ends where the cursor is.
//
// POE: completion_function.
type Completer func(word, line string, start int) []string

// An EditFunc is something that a key does.
type EditFunc func(e *Editor)

// An Editor edits a line: it takes what the user types, as it comes from a raw terminal, and gives
// what shows the line, as such a terminal takes it. It does no input and output of its own, and
// knows no time. A ReadLine has one, and hands it to the functions that a program binds to keys.
//
// A character, here, is what the user takes for one: a letter with its accents, an emoji with its
// colour. The cursor is never within one. What cannot be shown is shown as ^X or <U+200B>. Bytes
// that are not UTF-8 come in as U+FFFD.
//
// The terminal must know the sequences of the VT100, as about all do.
type Editor struct {
	opts      EditorOptions
	vars      map[string]string
	functions map[string]EditFunc
	maps      map[string]*keymap
	binding   *keymap // the one that Bind changes; nil means that of the mode
	viMode    bool
	viCommand bool

	reading bool
	line    string // what was read
	err     error  // or why not
	stop    bool   // the user wants the program to be stopped

	input
	text
	screen
	killRing
	recall
	search *search
	vi     vi
	macro  macro
}

// NewEditor returns an Editor with the bindings of emacs.
func NewEditor(opts EditorOptions) *Editor {
	if opts.AppName == "" {
		opts.AppName = "poe-readline"
	}
	if opts.MaxLine == 0 {
		opts.MaxLine = DefaultMaxLine
	}
	if opts.MaxHistory == 0 {
		opts.MaxHistory = DefaultMaxHistory
	}
	if opts.MaxLine < 0 || opts.MaxHistory < 0 || opts.Cols < 0 || opts.Rows < 0 {
		panic("wheel: EditorOptions has a size below 0")
	}
	e := &Editor{
		opts: opts, vars: defaultVariables(), functions: functions(), maps: defaultKeymaps(),
	}
	e.fromAt = -1
	e.history.max = opts.MaxHistory
	e.setSize(opts.Cols, opts.Rows)
	return e
}

// Begin begins to read a line, and shows the prompt. If a line is being read, only its prompt
// changes. In a prompt, escape sequences count as no characters, and only the last of several rows
// is shown again when that is needed.
func (e *Editor) Begin(prompt string) {
	head := e.setPrompt(prompt)
	if e.reading {
		e.draw()
		return
	}
	e.reading, e.line, e.err, e.stop = true, "", nil, false
	e.text = text{max: e.opts.MaxLine}
	e.input = input{}
	e.search, e.macro.on = nil, false
	e.vi.begin()
	e.viCommand = false
	e.beginRecall()
	e.forget()
	if e.enabled("enable-bracketed-paste") {
		e.put(pasteOn)
	}
	for _, row := range head {
		e.put(row + "\r\n")
	}
	e.draw()
}

// Feed takes what the user has typed, as far as it belongs to the line that is being read, and
// returns how many bytes these are. What is left belongs to the next line. Where there is a lot to
// be done or shown, Feed leaves some of the rest for later, too.
func (e *Editor) Feed(p []byte) int {
	e.budget, e.work = maxPlayed, 0
	n := 0
	for n < len(p) && e.reading && e.work <= maxWork && len(e.out) <= maxOut {
		e.take(p[n])
		n++
	}
	e.draw()
	return n
}

// Reading reports whether a line is being read.
func (e *Editor) Reading() bool { return e.reading }

// Result returns the line that was read, or why there is none: io.EOF, ErrInterrupt or ErrCancel.
func (e *Editor) Result() (string, error) { return e.line, e.err }

// Output returns what the terminal must be sent. It is good until the next call of any method.
func (e *Editor) Output() []byte {
	out := e.out
	e.out = e.out[:0]
	return out
}

// end ends the reading of the line.
func (e *Editor) end(err error) {
	if !e.reading {
		return
	}
	if e.search != nil {
		e.endSearch()
	}
	e.draw()
	e.leave()
	e.reading, e.err = false, err
	if err == nil {
		e.line = e.s
	}
}

// leave moves the cursor to a row of its own, below the line.
func (e *Editor) leave() {
	e.draw()
	e.moveTo(e.endRow, e.endCol)
	if e.endCol > 0 || e.endRow == 0 {
		e.put("\r\n")
	}
	if e.enabled("enable-bracketed-paste") {
		e.put(pasteOff)
	}
	e.forget()
}

// Abandon ends the reading without a result, and moves the cursor below the line.
func (e *Editor) Abandon() {
	if e.reading {
		e.leave()
		e.reading, e.err = false, ErrCancel
	}
}

// Line returns the line as it is by now.
func (e *Editor) Line() string { return e.s }

// Cursor returns the place of the cursor in the line, in bytes.
func (e *Editor) Cursor() int { return e.pos }

// SetLine changes the whole line, and puts the cursor at a place in it, given in bytes, or at the
// beginning of the character that is there. The error is ErrLineTooLong.
func (e *Editor) SetLine(line string, cursor int) error {
	e.group++
	if err := e.replace(0, len(e.s), line); err != nil {
		return err
	}
	e.pos = e.snapBack(min(max(cursor, 0), len(e.s)))
	return nil
}

// SetCursor puts the cursor at a place in the line, as SetLine does.
func (e *Editor) SetCursor(cursor int) { e.pos = e.snapBack(min(max(cursor, 0), len(e.s))) }

// Insert inserts text where the cursor is, and moves the cursor behind it. The error is
// ErrLineTooLong.
func (e *Editor) Insert(s string) error { return e.replace(e.pos, e.pos, s) }

// Run does what the function of a name does. It reports whether there is such a function. The
// names are those of GNU readline.
func (e *Editor) Run(name string) bool {
	f := e.functions[name]
	if f != nil && e.reading {
		f(e)
	}
	return f != nil
}

// AddFunction gives a name to a function of the program's own, and Bind and an inputrc may use it.
// It replaces the function that had the name.
//
// POE: add_defun.
func (e *Editor) AddFunction(name string, f EditFunc) { e.functions[name] = f }

// Bell rings.
func (e *Editor) Bell() {
	switch e.vars["bell-style"] {
	case "none", "off":
	case "visible":
		e.put("\x1b[?5h\x1b[?5l")
	default:
		e.put("\a")
	}
}

// AcceptLine ends the line, as the return key does.
func (e *Editor) AcceptLine() { e.end(nil) }

// Printable returns text as an Editor shows it: without control characters, so without anything
// that does more to a terminal than to show characters. What comes from strangers should not reach
// a terminal in another way.
func Printable(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f }) {
		return s
	}
	s = valid(s)
	var b strings.Builder
	for _, c := range clusters(s) {
		for _, x := range appearance(s[c.start:c.end], c.width, 0) {
			b.WriteString(x.s)
		}
	}
	return b.String()
}

// The functions that end a line.

func (e *Editor) interrupt() { e.end(ErrInterrupt) }

func (e *Editor) abort() { e.end(ErrCancel) }

// endOrDelete is C-d: the end of the input on an empty line, and a deletion elsewhere.
func (e *Editor) endOrDelete() {
	if e.s == "" {
		e.end(io.EOF)
		return
	}
	e.deleteChar()
}

func (e *Editor) eofMaybe() {
	if e.s == "" {
		e.end(io.EOF)
		return
	}
	e.end(nil)
}

// suspend asks for the program to be stopped, as C-z does where there is no editor.
func (e *Editor) suspend() { e.stop = true }

// valid returns s with U+FFFD for what is not UTF-8.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\ufffd")
}
