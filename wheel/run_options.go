package wheel

import (
	"os"
	"syscall"

	"github.com/go-poe/poe/filter"
)

// A Conduit is what joins a program to its Run.
type Conduit uint8

const (
	// Pipe has a pipe for each of the three streams.
	//
	// POE: pipe, and what POE treats as that: socketpair and inet.
	Pipe Conduit = iota

	// PTY has one pseudo-terminal for all three, which is the program's controlling terminal. What
	// the program writes to its standard error comes with its output.
	//
	// POE: pty.
	PTY

	// PTYPipe is PTY, with a pipe for the standard error.
	//
	// POE: pty-pipe.
	PTYPipe
)

// RunOptions are the options of a Run. Program has no default, nor has Shell, which takes its
// place; with a terminal, StdoutEvent has none either.
type RunOptions struct {
	Program string   // the program; looked up in PATH if it has no slash
	Shell   string   // a command for /bin/sh, in place of Program
	Args    []string // what follows the program's name, or, for Shell, is $1 and so on
	Dir     string   // where it runs; "" means where this process does
	Env     []string // its environment, as NAME=value; nil means that of this process

	Conduit Conduit // the zero value is Pipe
	Winsize Winsize // of the terminal
	Cooked  bool    // the terminal echoes, and edits lines, and has ends of its own for them

	StdinEvent  string // ID: the last of what was put is written
	StdoutEvent string // *Input: a record of its output; without it, that goes where ours does
	StderrEvent string // *Input: a record of its standard error; without it, as StdoutEvent
	ErrorEvent  string // *RunError: it did not start, or a stream of it failed or is at its end
	CloseEvent  string // ID: all streams with StdoutEvent and StderrEvent are at their end
	ExitEvent   string // *Exit: it has ended, though there may be output of it to come
	DoneEvent   string // *Exit: it is over, as after both ExitEvent and CloseEvent, or never began

	StdioFilter  filter.Filter // for input and output, the wheel's alone; nil means lines
	StdinFilter  filter.Filter // nil means StdioFilter
	StdoutFilter filter.Filter // nil means StdioFilter
	StderrFilter filter.Filter // nil means lines, which end in \n, as those of StdioFilter do

	NoStdin        bool     // nothing will be put: the program reads from /dev/null
	RedirectStdin  *os.File // what it reads; the file stays the caller's
	RedirectStdout *os.File // where it writes; likewise
	RedirectStderr *os.File // where its standard error goes; likewise
	RedirectOutput *os.File // for RedirectStdout and RedirectStderr

	Nice       int                 // its niceness, from -20 to 19; 0 means that of this process
	Credential *syscall.Credential // its user and groups; nil means those of this process
	NoSetpgid  bool                // it stays in our process group; one with a terminal never does

	MaxOutput int // bytes that may wait to be written; 0 means DefaultMaxOutput
	BlockSize int // bytes that are read at once, at most and by default 64 KiB
}

// check panics if the programmer made a mistake, and fills in what was left out.
func (o *RunOptions) check() {
	if o.RedirectOutput != nil {
		o.checkOutput()
		o.RedirectStdout, o.RedirectStderr = o.RedirectOutput, o.RedirectOutput
	}
	switch {
	case o.Program == "" && o.Shell == "":
		panic("wheel: RunOptions has no Program")
	case o.Program != "" && o.Shell != "":
		panic("wheel: RunOptions has a Program and a Shell")
	case o.Conduit > PTYPipe:
		panic("wheel: RunOptions has an unknown Conduit")
	case o.MaxOutput < 0 || o.BlockSize < 0:
		panic("wheel: RunOptions has a size below 0")
	case o.RedirectStdin != nil && (o.StdinEvent != "" || o.NoStdin):
		panic("wheel: RunOptions has a RedirectStdin, and StdinEvent or NoStdin")
	case o.NoStdin && o.StdinEvent != "":
		panic("wheel: RunOptions has NoStdin and a StdinEvent")
	case o.RedirectStdout != nil && o.StdoutEvent != "":
		panic("wheel: RunOptions has a RedirectStdout and a StdoutEvent")
	case o.RedirectStderr != nil && o.StderrEvent != "":
		panic("wheel: RunOptions has a RedirectStderr and a StderrEvent")
	case o.Conduit == Pipe && (o.Winsize != Winsize{} || o.Cooked):
		panic("wheel: RunOptions has Winsize or Cooked, and no terminal")
	case o.Conduit != Pipe:
		o.checkTerminal()
	}
	o.fillFilters()
}

// checkOutput panics if RedirectOutput is not alone.
func (o *RunOptions) checkOutput() {
	if o.RedirectStdout != nil || o.RedirectStderr != nil {
		panic("wheel: RunOptions has a RedirectOutput, and RedirectStdout or RedirectStderr")
	}
}

// checkTerminal panics over what a program with a terminal cannot have.
func (o *RunOptions) checkTerminal() {
	switch {
	case o.StdoutEvent == "":
		panic("wheel: RunOptions has a terminal and no StdoutEvent")
	case o.RedirectStdin != nil || o.RedirectStdout != nil || o.NoStdin:
		panic("wheel: RunOptions has a terminal, and NoStdin or a redirection")
	case o.Conduit == PTY && (o.StderrEvent != "" || o.RedirectStderr != nil):
		panic("wheel: RunOptions has PTY, and StderrEvent or a redirection")
	}
}

func (o *RunOptions) fillFilters() {
	lines := func() filter.Filter { return filter.NewLine(filter.LineOptions{Literal: "\n"}) }
	if o.StdioFilter == nil && (o.StdinFilter == nil || o.StdoutFilter == nil) {
		o.StdioFilter = lines()
	}
	if o.StdinFilter == nil {
		o.StdinFilter = o.StdioFilter
	}
	if o.StdoutFilter == nil {
		o.StdoutFilter = o.StdioFilter
	}
	if o.StderrFilter == nil {
		o.StderrFilter = lines()
	}
}
