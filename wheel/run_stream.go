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
