package wheel

import (
	"os"
	"time"

	"github.com/go-poe/poe/kernel"
)

// A PutMode says when Put shows its lines while the user types.
type PutMode uint8

const (
	// PutIdle shows them when the user has not typed for a while, and at the latest when the line
	// is entered.
	PutIdle PutMode = iota

	// PutImmediate shows them at once, above the line that is being typed.
	PutImmediate

	// PutAfter shows them when the line is entered.
	PutAfter
)

// DefaultIdleTime is how long the user does not type before PutIdle shows something.
const DefaultIdleTime = 2 * time.Second

// ReadLineOptions are the options of a ReadLine. InputEvent has no default.
type ReadLineOptions struct {
	Input  kernel.Handle // nil means the standard input; the wheel closes it
	Output kernel.Handle // nil means Input, or else the standard output; the wheel closes it

	InputEvent string // *Line: a line was entered, or there is none; it is posted
	ErrorEvent string // *Error: writing failed

	PutMode  PutMode       // the zero value is PutIdle
	IdleTime time.Duration // for PutIdle; 0 means DefaultIdleTime
	Complete Completer     // what the words could be; nil means that nobody knows

	AppName string // what $if in an inputrc knows the program by; "" means poe-readline
	Inputrc string // its name; "" means that of $INPUTRC, or ~/.inputrc. os.DevNull has none
	Term    string // the kind of terminal; "" means that of $TERM

	MaxLine    int // bytes of one line; 0 means DefaultMaxLine
	MaxHistory int // lines that are remembered; 0 means DefaultMaxHistory
	MaxOutput  int // bytes that may wait to be shown; 0 means DefaultMaxOutput
}

// check panics if the programmer made a mistake, and fills in what was left out.
func (o *ReadLineOptions) check() {
	switch {
	case o.InputEvent == "":
		panic("wheel: ReadLineOptions has no InputEvent")
	case o.PutMode > PutAfter:
		panic("wheel: ReadLineOptions has an unknown PutMode")
	case o.MaxLine < 0 || o.MaxHistory < 0 || o.MaxOutput < 0:
		panic("wheel: ReadLineOptions has a size below 0")
	case o.IdleTime < 0:
		panic("wheel: ReadLineOptions has an IdleTime below 0")
	case o.Input == nil && o.Output != nil:
		panic("wheel: ReadLineOptions has an Output and no Input")
	}
	if o.MaxOutput == 0 {
		o.MaxOutput = DefaultMaxOutput
	}
	if o.MaxLine == 0 {
		o.MaxLine = DefaultMaxLine
	}
	if o.IdleTime == 0 {
		o.IdleTime = DefaultIdleTime
	}
	if o.Term == "" {
		o.Term = os.Getenv("TERM")
	}
}

// editor returns the editor that the options ask for.
func (o *ReadLineOptions) editor(cols, rows int) *Editor {
	return NewEditor(EditorOptions{
		AppName: o.AppName, Term: o.Term, Complete: o.Complete, Cols: cols, Rows: rows,
		MaxLine: o.MaxLine, MaxHistory: o.MaxHistory,
	})
}

// open opens the standard streams, where there are no handles.
func (o *ReadLineOptions) open() error {
	if o.Input != nil {
		if o.Output == nil {
			o.Output = o.Input
		}
		return nil
	}
	var err error
	if o.Input, err = kernel.NewHandle(os.Stdin); err != nil {
		return err
	}
	if o.Output, err = kernel.NewHandle(os.Stdout); err != nil {
		_ = o.Input.Close()
	}
	return err
}
