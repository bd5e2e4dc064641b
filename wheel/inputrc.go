package wheel

import (
	"errors"
	"fmt"
	"strings"
)

const (
	maxIncludes = 10  // how deep a file may include others
	maxIncluded = 100 // and how many there may be
)

// ErrTooManyIncludes reports an inputrc that includes itself, as it seems.
var ErrTooManyIncludes = errors.New("wheel: $include is too deep")

// Configure takes bindings and variables as they stand in an inputrc, for example
//
//	set editing-mode vi
//	$if mode=emacs
//	"\C-x\C-r": re-read-init-file
//	Meta-Rubout: backward-kill-word
//	"\C-xq": "\eb\"\ef\""
//	$endif
//
// $if knows mode=, term= and the program's name. The name is that of the file, for errors, and read
// returns the text of an included one; nil means that there is none. What cannot be understood is
// in the error, and the rest counts.
//
// POE: the inputrc.
func (e *Editor) Configure(name, text string, read func(name string) ([]byte, error)) error {
	p := parser{e: e, read: read}
	keymap := e.binding
	p.file(name, text, 0)
	e.binding = keymap
	return errors.Join(p.errs...)
}

// maxErrors is how many mistakes in an inputrc are told.
const maxErrors = 20

// A parser reads an inputrc.
type parser struct {
	e    *Editor
	read func(name string) ([]byte, error)
	errs []error
	skip []bool // for each $if that is open: what follows does not count

	included int
}

// file reads one file.
func (p *parser) file(name, text string, depth int) {
	open := len(p.skip)
	for i, row := range strings.Split(text, "\n") {
		row = strings.TrimSpace(row)
		if row == "" || row[0] == '#' {
			continue
		}
		if err := p.row(row, depth, open); err != nil && len(p.errs) < maxErrors {
			p.errs = append(p.errs, fmt.Errorf("%s:%d: %w", name, i+1, err))
		}
	}
	p.skip = p.skip[:open]
}

// row reads one row.
func (p *parser) row(row string, depth, open int) error {
	word, rest, _ := strings.Cut(row, " ")
	rest = strings.TrimSpace(rest)
	skipping := len(p.skip) > 0 && p.skip[len(p.skip)-1]
	switch strings.ToLower(word) {
	case "$if":
		p.skip = append(p.skip, skipping || !p.holds(rest))
		return nil
	case "$else":
		if len(p.skip) == open {
			return fmt.Errorf("%w: $else without $if", ErrBadKey)
		}
		outer := len(p.skip) > 1 && p.skip[len(p.skip)-2]
		p.skip[len(p.skip)-1] = outer || !skipping
		return nil
	case "$endif":
		if len(p.skip) == open {
			return fmt.Errorf("%w: $endif without $if", ErrBadKey)
		}
		p.skip = p.skip[:len(p.skip)-1]
		return nil
	}
	switch {
	case skipping:
		return nil
	case strings.EqualFold(word, "$include"):
		return p.include(rest, depth)
	case strings.EqualFold(word, "set"):
		return p.set(rest)
	default:
		return p.bind(row)
	}
}

// holds reports whether the condition of an $if does.
func (p *parser) holds(condition string) bool {
	if mode, ok := strings.CutPrefix(condition, "mode="); ok {
		return mode == p.e.vars["editing-mode"]
	}
	if term, ok := strings.CutPrefix(condition, "term="); ok {
		base, _, _ := strings.Cut(p.e.opts.Term, "-")
		return term == p.e.opts.Term || term == base
	}
	return strings.EqualFold(condition, p.e.opts.AppName)
}

func (p *parser) include(name string, depth int) error {
	switch {
	case p.read == nil:
		return errors.ErrUnsupported
	case depth == maxIncludes || p.included == maxIncluded:
		return ErrTooManyIncludes
	}
	p.included++
	text, err := p.read(name)
	if err == nil {
		p.file(name, string(text), depth+1)
	}
	return err
}

// set reads a variable and its value.
func (p *parser) set(rest string) error {
	name, value, _ := strings.Cut(rest, " ")
	if name == "" {
		return ErrBadValue
	}
	return p.e.SetOption(strings.ToLower(name), strings.TrimSpace(value))
}

// bind reads a binding.
func (p *parser) bind(row string) error {
	var keys, does string
	if row[0] == '"' {
		_, rest, err := unquote(row)
		if err != nil {
			return err
		}
		keys, does = row[:len(row)-len(rest)], strings.TrimSpace(rest)
		if !strings.HasPrefix(does, ":") {
			return fmt.Errorf("%w: there is no colon", ErrBadKey)
		}
		does = does[1:]
	} else {
		i := strings.LastIndex(row, ":")
		if q := strings.IndexAny(row, `"'`); q > 0 {
			i = strings.LastIndex(row[:q], ":")
		}
		if i <= 0 {
			return fmt.Errorf("%w: there is no colon", ErrBadKey)
		}
		keys, does = row[:i], row[i+1:]
	}
	does = strings.TrimSpace(does)
	if does != "" && (does[0] == '"' || does[0] == '\'') {
		text, _, err := unquote(does)
		if err != nil {
			return err
		}
		return p.e.BindMacro(strings.TrimSpace(keys), text)
	}
	does, _, _ = strings.Cut(does, " ")
	return p.e.Bind(strings.TrimSpace(keys), does)
}
