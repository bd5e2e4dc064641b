package wheel

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"
)

// maxVariables is how many variables an Editor keeps, with those that mean nothing to it.
const maxVariables = 1000

// ErrBadValue reports a value that a variable cannot have.
var ErrBadValue = errors.New("wheel: not a value of this variable")

// keyTimeout is how long the escape key waits for others, in vi's manner.
const keyTimeout = 100 * time.Millisecond

func defaultVariables() map[string]string {
	return map[string]string{
		"bell-style":                     "audible",
		"comment-begin":                  "#",
		"editing-mode":                   "emacs",
		"enable-bracketed-paste":         "on",
		"keyseq-timeout":                 strconv.Itoa(int(keyTimeout / time.Millisecond)),
		"print-completions-horizontally": "off",
		"show-all-if-ambiguous":          "off",
	}
}

// Attribs returns all variables of GNU readline that are set.
//
// POE: attribs, which returns the hash itself.
func (e *Editor) Attribs() map[string]string { return maps.Clone(e.vars) }

// Option returns a variable of GNU readline, or "" if it is not set.
//
// POE: option.
func (e *Editor) Option(name string) string { return e.vars[name] }

// SetOption sets a variable of GNU readline. These mean something: bell-style (none, audible,
// visible), comment-begin, editing-mode (emacs, vi), enable-bracketed-paste, isearch-terminators,
// keymap, keyseq-timeout (milliseconds), print-completions-horizontally and show-all-if-ambiguous.
// Others are kept. The error is ErrBadValue.
//
// POE: attribs.
func (e *Editor) SetOption(name, value string) error {
	bad := fmt.Errorf("%w: set %s %s", ErrBadValue, name, value)
	switch name {
	case "editing-mode":
		if value != "emacs" && value != "vi" {
			return bad
		}
		e.setMode(value)
		return nil
	case "keymap":
		m := e.keymapNamed(value)
		if m == nil {
			return bad
		}
		e.binding = m
		return nil
	case "isearch-terminators":
		e.setTerminators(value)
	case "keyseq-timeout":
		if n, err := strconv.Atoi(value); err != nil || n < 0 || n > 60_000 {
			return bad
		}
	}
	if _, ok := e.vars[name]; !ok && len(e.vars) == maxVariables {
		return fmt.Errorf("%w: there are too many", bad)
	}
	e.vars[name] = value
	return nil
}

// keymapNamed returns the keymap of a name, of which some have several.
func (e *Editor) keymapNamed(name string) *keymap {
	switch name {
	case "emacs-standard":
		name = "emacs"
	case "vi", "vi-move":
		name = "vi-command"
	}
	return e.maps[name]
}

// setMode changes to the bindings of emacs, or of vi.
func (e *Editor) setMode(name string) {
	e.vars["editing-mode"] = name
	e.viMode, e.viCommand, e.vi.operator = name == "vi", false, ""
	e.binding = nil
}

// enabled reports whether a variable is on.
func (e *Editor) enabled(name string) bool {
	v := e.vars[name]
	return v == "on" || v == "On" || v == "1"
}

// KeyTimeout returns how long Undecided may be true before Decide is to be called.
func (e *Editor) KeyTimeout() time.Duration {
	n, _ := strconv.Atoi(e.vars["keyseq-timeout"]) // SetOption has seen to it that it is one
	return time.Duration(n) * time.Millisecond
}
