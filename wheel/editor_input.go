package wheel

import (
	"strings"
	"unicode/utf8"
)

const (
	maxPlayed   = 5000    // characters that macros may stand for, in one Feed
	maxDepth    = 16      // macros within macros
	maxSequence = 64      // bytes of what a terminal sends for one key
	maxCount    = 100_000 // of a numeric argument
	maxGroup    = 20      // characters that one undo takes back
)

// What a terminal says before and after what is pasted, and what makes it say so.
const (
	pasteBegin = "\x1b[200~"
	pasteEnd   = "\x1b[201~"
	pasteOn    = "\x1b[?2004h"
	pasteOff   = "\x1b[?2004l"
)

// A deed is what a function did, as far as the next one has to know.
type deed uint8

const (
	other deed = iota
	counting
	inserted
	killing
	yanked
	yankedArg
	completed
)

// An input is what was typed, on its way to what it means.
type input struct {
	partial string // of a character of several bytes
	keys    string // of a key that sends several characters
	key     string // the whole of it, for its function
	strange bool   // the rest of a sequence that nobody knows is to come
	awaited func(c string)

	pasting bool
	pasted  []byte
	tooMuch bool // was pasted

	arg       int // numeric argument
	argGiven  bool
	argSign   bool // it began with a minus
	argDigits bool

	now, last deed
	overwrite bool
	budget    int
	plays     int
}

// take takes one byte.
func (e *Editor) take(b byte) {
	if e.pasting {
		e.takePasted(b)
		return
	}
	if b < utf8.RuneSelf && e.partial == "" {
		e.char(string(rune(b)))
		return
	}
	e.partial += string([]byte{b})
	if !utf8.FullRuneInString(e.partial) {
		return
	}
	_, n := utf8.DecodeRuneInString(e.partial)
	c, rest := e.partial[:n], e.partial[n:]
	e.partial = ""
	e.char(valid(c))
	for i := 0; i < len(rest) && e.reading; i++ {
		e.take(rest[i])
	}
}

// char takes one character.
func (e *Editor) char(c string) {
	e.macro.record(c, e.max)
	if e.viMode {
		e.vi.record(c, e.max)
	}
	if f := e.awaited; f != nil {
		e.awaited = nil
		f(c)
		e.after()
		return
	}
	if e.strange {
		e.strange = !endsSequence(c)
		return
	}
	if e.keys == "" && e.last == counting && e.digit(c) {
		return
	}
	e.keys += c
	e.look()
}

// look finds out what the keys mean so far.
func (e *Editor) look() {
	b, from, bound, longer := e.find(e.keys)
	switch {
	case longer:
	case bound:
		e.use(b, from, e.keys)
	default:
		e.unbound()
	}
}

// find looks keys up in the keymap, and in the one behind it.
func (e *Editor) find(keys string) (b binding, from *keymap, bound, longer bool) {
	for m := e.keymap(); m != nil; m = m.behind {
		longer = longer || m.begins[keys] > 0
		if x, ok := m.bound[keys]; ok && !bound {
			b, from, bound = x, m, true
		}
	}
	return b, from, bound, longer
}

// keymap returns the bindings that count at the moment.
func (e *Editor) keymap() *keymap {
	switch {
	case e.search != nil && e.search.incremental:
		m := e.maps["isearch"]
		m.behind = e.modeMap()
		return m
	case e.search != nil:
		return e.maps["vi-search"]
	default:
		return e.modeMap()
	}
}

func (e *Editor) modeMap() *keymap {
	switch {
	case !e.viMode:
		return e.maps["emacs"]
	case e.vi.operator != "":
		return e.maps["vi-specification"]
	case e.viCommand:
		return e.maps["vi-command"]
	default:
		return e.maps["vi-insert"]
	}
}

// use does what is bound to keys.
func (e *Editor) use(b binding, from *keymap, keys string) {
	e.keys, e.key = "", keys
	if e.search != nil && e.search.incremental && from != e.maps["isearch"] && keys != pasteBegin {
		e.endSearch()
	}
	if b.macro {
		e.play(b.does)
		return
	}
	e.do(b.does, e.functions[b.does])
}

// do does what one function does.
func (e *Editor) do(name string, f EditFunc) {
	if f == nil {
		e.Bell()
		e.noArg()
		return
	}
	if !e.viMode || e.viCommand {
		e.group++
	}
	e.now = other
	f(e)
	if e.awaited == nil {
		e.after()
	}
}

// after is when a function is done.
func (e *Editor) after() {
	if e.awaited != nil || !e.reading {
		return
	}
	if e.viMode {
		e.afterVi()
	}
	e.last = e.now
	if e.now != counting {
		e.noArg()
	}
	e.now = other
}

// unbound is when keys mean nothing.
func (e *Editor) unbound() {
	keys := e.keys
	_, size := utf8.DecodeLastRuneInString(keys)
	before, last := keys[:len(keys)-size], keys[len(keys)-size:]
	switch {
	case before == "" && last >= " " && last != "\x7f":
		e.keys, e.key = "", keys
		e.printable(keys)
	case isSequence(keys):
		e.sequence(keys)
	case before != "" && last >= "A" && last <= "Z" && e.known(before+strings.ToLower(last)):
		e.keys = before + strings.ToLower(last)
		e.look()
	default:
		e.split(keys)
	}
}

// known reports whether keys mean something.
func (e *Editor) known(keys string) bool {
	_, _, bound, longer := e.find(keys)
	return bound || longer
}

// printable is a character that nothing is bound to.
func (e *Editor) printable(c string) {
	switch {
	case e.search != nil:
		e.searchAdd(c)
	case e.viMode && (e.viCommand || e.vi.operator != ""):
		e.Bell()
		e.vi.operator = ""
		e.noArg()
	default:
		e.do("self-insert", e.functions["self-insert"])
	}
}

// sequence is what a terminal sends for a key that nothing is bound to. It is no text.
func (e *Editor) sequence(keys string) {
	switch {
	case keys == "\x1b[[": // what the console of Linux sends begins so
	case len(keys) > 2 && (keys[1] == 'O' || endsSequence(keys[len(keys)-1:])):
		e.keys = ""
		e.Bell()
	case len(keys) >= maxSequence:
		e.keys, e.strange = "", true
		e.Bell()
	}
}

// isSequence reports whether keys are the beginning of what a terminal sends for a key.
func isSequence(keys string) bool {
	return strings.HasPrefix(keys, "\x1b[") || strings.HasPrefix(keys, "\x1bO")
}

// endsSequence reports whether such a sequence ends with c.
func endsSequence(c string) bool { return c >= "@" && c <= "~" || c < " " || c > "~" }

// split takes keys that mean nothing together for several that may mean something.
func (e *Editor) split(keys string) {
	e.keys = ""
	for n := len(keys) - 1; n > 0; n-- {
		b, from, bound, _ := e.find(keys[:n])
		if !bound {
			continue
		}
		e.use(b, from, keys[:n])
		for _, c := range keys[n:] {
			if e.reading {
				e.charAgain(string(c))
			}
		}
		return
	}
	e.Bell()
	e.noArg()
}

// charAgain is char for one that was noted before.
func (e *Editor) charAgain(c string) {
	if f := e.awaited; f != nil {
		e.awaited = nil
		f(c)
		e.after()
		return
	}
	e.keys += c
	e.look()
}

// Undecided reports whether the keys so far mean something, and something else with more of them:
// in vi's manner, the escape key is one, and begins others.
func (e *Editor) Undecided() bool {
	if e.keys == "" || !e.reading {
		return false
	}
	_, _, bound, _ := e.find(e.keys)
	return bound
}

// Decide takes the keys so far for all that there is. Who feeds an Editor calls it when Undecided
// has been true for a while.
func (e *Editor) Decide() {
	if e.Undecided() {
		e.budget = maxPlayed
		b, from, _, _ := e.find(e.keys)
		e.use(b, from, e.keys)
		e.draw()
	}
}

// await has f called with the next character, whatever is bound to it.
func (e *Editor) await(f func(c string)) { e.awaited = f }

// Key returns the keys that have called a function, as the terminal has sent them. See KeyName.
func (e *Editor) Key() string { return e.key }
