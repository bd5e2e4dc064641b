package wheel

import (
	"os"

	"go.uber.org/zap"
)

// AddHistory adds lines to those that the user can bring back. A line that is entered is not among
// them before that.
//
// POE: add_history.
func (w *ReadLine) AddHistory(lines ...string) { w.editor.AddHistory(lines...) }

// History returns the lines that the user can bring back, the first first.
//
// POE: get_history.
func (w *ReadLine) History() []string { return w.editor.History() }

// ReadHistory adds the lines of a file, from the line start on, which is 0 for the first, up to the
// line end, or all of them if end is before start. Without a name the file is ~/.history.
//
// POE: read_history.
func (w *ReadLine) ReadHistory(name string, start, end int) error {
	name, err := homeFile(name, historyFile)
	if err != nil {
		return err
	}
	lines, err := readLines(name, start, end)
	w.editor.AddHistory(lines...)
	return err
}

const historyFile = ".history"

// WriteHistory writes all lines of the history to a file, which others but the user cannot read.
// Without a name the file is ~/.history.
//
// POE: write_history.
func (w *ReadLine) WriteHistory(name string) error {
	name, err := homeFile(name, historyFile)
	if err != nil {
		return err
	}
	return writeLines(name, w.editor.history.lines)
}

// TruncateHistoryFile leaves the last n lines of a file. Without a name the file is ~/.history.
//
// POE: history_truncate_file.
func (w *ReadLine) TruncateHistoryFile(name string, n int) error {
	name, err := homeFile(name, historyFile)
	if err != nil {
		return err
	}
	lines, err := readLines(name, 0, -1)
	if err != nil {
		return err
	}
	return writeLines(name, lines[max(0, len(lines)-max(n, 0)):])
}

// BindKey is Editor.Bind.
//
// POE: bind_key.
func (w *ReadLine) BindKey(keys, function string) error { return w.editor.Bind(keys, function) }

// AddDefun is Editor.AddFunction, and binds the function to keys, unless these are "". The function
// gets the wheel's Editor, and keeps nothing of it. The error is ErrBadKey.
//
// POE: add_defun, whose functions look into the wheel.
func (w *ReadLine) AddDefun(name string, f EditFunc, keys string) error {
	w.editor.AddFunction(name, f)
	if keys == "" {
		return nil
	}
	return w.editor.Bind(keys, name)
}

// Attribs is Editor.Attribs.
//
// POE: attribs.
func (w *ReadLine) Attribs() map[string]string { return w.editor.Attribs() }

// Option is Editor.Option.
//
// POE: option.
func (w *ReadLine) Option(name string) string { return w.editor.Option(name) }

// SetOption is Editor.SetOption.
//
// POE: attribs.
func (w *ReadLine) SetOption(name, value string) error { return w.editor.SetOption(name, value) }

// SetComplete changes what knows the words; nil knows none.
//
// POE: completion_function.
func (w *ReadLine) SetComplete(c Completer) { w.editor.opts.Complete = c }

// configure reads the inputrc, also when the user wants it to be read again.
func (w *ReadLine) configure() error {
	w.editor.AddFunction("re-read-init-file", func(e *Editor) {
		if w.readInputrc() != nil {
			e.Bell()
		}
	})
	return w.readInputrc()
}

func (w *ReadLine) readInputrc() error {
	name := w.opts.Inputrc
	if name == "" {
		name = os.Getenv("INPUTRC")
	}
	if name == os.DevNull {
		return nil
	}
	name, err := homeFile(name, ".inputrc")
	if err != nil {
		return nil // where nobody is at home there is none
	}
	text, err := readFile(name)
	if err != nil {
		return err
	}
	read := func(name string) ([]byte, error) {
		if len(name) > 1 && name[:2] == "~/" {
			if name, err = homeFile("", name[2:]); err != nil {
				return nil, err
			}
		}
		return readFile(name)
	}
	if err := w.editor.Configure(name, string(text), read); err != nil {
		w.owner.Kernel().Log().Warn("an inputrc has mistakes", zap.Error(err))
	}
	return nil
}
