package wheel

import (
	"strings"
	"unicode"
)

// viCount returns the argument of a movement, with that of the operator before it.
func (e *Editor) viCount() int {
	n, _ := e.count()
	if e.vi.operator != "" {
		n *= max(1, e.vi.count)
	}
	return min(n, maxCount)
}

// inIdent is what vi takes for parts of a word.
func inIdent(r rune) bool { return r == '_' || inWord(r) }

// viClass returns the class of a character: a big word ends only at a space.
func viClass(r rune, big bool) class {
	switch {
	case unicode.IsSpace(r):
		return unicode.IsSpace
	case big:
		return notSpace
	case inIdent(r):
		return inIdent
	default:
		return func(r rune) bool { return !unicode.IsSpace(r) && !inIdent(r) }
	}
}

// isBig reports whether the key is one for big words.
func (e *Editor) isBig() bool { return e.key != strings.ToLower(e.key) }

// viNextWord moves to the beginning of a word. For cw, that is the end of one.
func (e *Editor) viNextWord() {
	if e.vi.operator == "c" && e.pos < len(e.s) && notSpace(e.runeAt(e.pos)) {
		e.viToEnd(true)
		return
	}
	big := e.isBig()
	e.move(e.viCount(), false, func(pos int) int {
		if pos == len(e.s) {
			return pos
		}
		return e.skip(e.skip(pos, viClass(e.runeAt(pos), big), true), unicode.IsSpace, true)
	}, nil)
}

func (e *Editor) viPrevWord() {
	big := e.isBig()
	e.move(e.viCount(), true, nil, func(pos int) int {
		if pos = e.skipBack(pos, unicode.IsSpace, true); pos == 0 {
			return 0
		}
		return e.skipBack(pos, viClass(e.runeAt(e.prev(pos)), big), true)
	})
}

func (e *Editor) viEndWord() { e.viToEnd(false) }

// viToEnd moves to the last character of a word, which is the one here, or the next one.
func (e *Editor) viToEnd(here bool) {
	big := e.isBig()
	e.vi.covers = true
	pos := e.pos
	if here {
		pos = e.prev(pos) // so that a word of one character is one
		if e.pos == 0 {
			pos = -1
		}
	}
	for range min(e.viCount(), len(e.s)+1) {
		next := 0
		if pos >= 0 {
			next = e.next(pos)
		}
		if next = e.skip(next, unicode.IsSpace, true); next == len(e.s) {
			break
		}
		pos = e.prev(e.skip(next, viClass(e.runeAt(next), big), true))
	}
	if pos = max(pos, 0); pos == e.pos && !here {
		e.Bell()
	}
	e.pos = pos
}

func (e *Editor) viColumn() {
	n := e.viCount()
	e.pos = e.step(0, n-1, false, e.next, nil)
}

// viCharSearch is f, F, t or T, or ; or , which repeat it.
func (e *Editor) viCharSearch() {
	n := e.viCount()
	v := &e.vi
	switch e.key {
	case ";", ",":
		kind := v.sought
		if e.key == "," && kind != "" {
			kind = string(kind[0] ^ 0x20)
		}
		e.viSeek(kind, v.soughtC, n, true)
	default:
		kind := e.key
		e.await(func(c string) {
			if c == "\x1b" {
				v.operator = ""
				return
			}
			v.sought, v.soughtC = kind, c
			e.viSeek(kind, c, n, false)
		})
	}
}

func (e *Editor) viSeek(kind, c string, n int, again bool) {
	back := kind == "F" || kind == "T"
	from := e.pos
	if again && kind == "t" {
		from = e.next(from)
	} else if again && kind == "T" {
		from = e.prev(from)
	}
	to, ok := 0, false
	if c != "" {
		to, ok = e.findChar(from, c, n, back)
	}
	if !ok {
		e.vi.operator = ""
		e.Bell()
		return
	}
	switch kind {
	case "t":
		to = e.prev(to)
	case "T":
		to = e.next(to)
	}
	e.pos, e.vi.covers = to, !back
}

// viMatch moves to the bracket that belongs to the first one from here.
func (e *Editor) viMatch() {
	const brackets = "()[]{}"
	pos := e.pos
	for pos < len(e.s) && !strings.ContainsRune(brackets, e.runeAt(pos)) {
		pos = e.next(pos)
	}
	if pos == len(e.s) {
		e.vi.operator = ""
		e.Bell()
		return
	}
	i := strings.IndexRune(brackets, e.runeAt(pos))
	one, other := rune(brackets[i]), rune(brackets[i^1])
	for depth := 0; ; {
		switch e.runeAt(pos) {
		case one:
			depth++
		case other:
			depth--
		}
		if depth == 0 {
			e.pos, e.vi.covers = pos, true
			return
		}
		next := e.next(pos)
		if i%2 == 1 {
			next = e.prev(pos)
		}
		if next == pos || next == len(e.s) {
			e.vi.operator = ""
			e.Bell()
			return
		}
		pos = next
	}
}

func (e *Editor) viSetMark(c string) {
	if c < "a" || c > "z" {
		e.Bell()
		return
	}
	if e.vi.marks == nil {
		e.vi.marks = map[string]int{}
	}
	e.vi.marks[c] = e.pos
}

func (e *Editor) viGotoMark(c string) {
	pos, ok := e.vi.marks[c]
	if !ok {
		e.vi.operator = ""
		e.Bell()
		return
	}
	e.pos = e.snapBack(min(pos, len(e.s)))
}

// viFetch brings back the line of a number, or the first.
func (e *Editor) viFetch() {
	n, given := e.Arg()
	if !given {
		n = 1
	}
	if n < 1 || n > len(e.history.lines) {
		e.Bell()
		return
	}
	e.recallOrRing(n - 1)
}
