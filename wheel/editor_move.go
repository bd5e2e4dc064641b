package wheel

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// movements are the functions that move the cursor.
var movements = map[string]EditFunc{
	"backward-char":             (*Editor).backwardChar,
	"backward-word":             (*Editor).backwardWord,
	"beginning-of-line":         func(e *Editor) { e.pos = 0 },
	"character-search":          (*Editor).charSearch,
	"character-search-backward": (*Editor).charSearchBack,
	"end-of-line":               func(e *Editor) { e.pos = len(e.s) },
	"exchange-point-and-mark":   (*Editor).exchangeMark,
	"forward-char":              (*Editor).forwardChar,
	"forward-word":              (*Editor).forwardWord,
	"set-mark":                  func(e *Editor) { e.mark = e.pos },
}

func (e *Editor) forwardChar() {
	n, back := e.count()
	e.move(n, back, e.next, e.prev)
}

func (e *Editor) backwardChar() {
	n, back := e.count()
	e.move(n, !back, e.next, e.prev)
}

func (e *Editor) forwardWord() {
	n, back := e.count()
	e.move(n, back, e.wordEnd, e.wordStart)
}

func (e *Editor) backwardWord() {
	n, back := e.count()
	e.move(n, !back, e.wordEnd, e.wordStart)
}

// move moves the cursor n times, and rings where that does nothing.
func (e *Editor) move(n int, back bool, forth, backward func(int) int) {
	to := e.step(e.pos, n, back, forth, backward)
	if to == e.pos && n > 0 {
		e.Bell()
	}
	e.pos = to
}

// step returns where n steps lead.
func (e *Editor) step(from, n int, back bool, forth, backward func(int) int) int {
	f := forth
	if back {
		f = backward
	}
	for range n {
		to := f(from)
		if to == from {
			break
		}
		from = to
	}
	return from
}

// A class is what characters belong to that make a word.
type class func(r rune) bool

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func notSpace(r rune) bool { return !unicode.IsSpace(r) }

// runeAt returns the first rune of the character at pos.
func (e *Editor) runeAt(pos int) rune {
	r, _ := utf8.DecodeRuneInString(e.s[pos:])
	return r
}

// skip returns the end of the characters from pos on whose being in a class is as given.
func (e *Editor) skip(pos int, in class, is bool) int {
	for pos < len(e.s) && in(e.runeAt(pos)) == is {
		pos = e.next(pos)
	}
	return pos
}

// skipBack returns the beginning of such characters before pos.
func (e *Editor) skipBack(pos int, in class, is bool) int {
	for pos > 0 && in(e.runeAt(e.prev(pos))) == is {
		pos = e.prev(pos)
	}
	return pos
}

// wordEnd returns the end of the word at pos, or of the next one.
func (e *Editor) wordEnd(pos int) int { return e.skip(e.skip(pos, inWord, false), inWord, true) }

// wordStart returns the beginning of the word before pos.
func (e *Editor) wordStart(pos int) int {
	return e.skipBack(e.skipBack(pos, inWord, false), inWord, true)
}

// exchangeMark swaps the cursor and the mark.
func (e *Editor) exchangeMark() { e.pos, e.mark = e.snapBack(e.mark), e.pos }

// region returns the text between the mark and the cursor.
func (e *Editor) region() (from, to int) {
	m := e.snapBack(e.mark)
	return min(m, e.pos), max(m, e.pos)
}

func (e *Editor) charSearch() {
	n, back := e.count()
	e.await(func(c string) { e.searchChar(c, n, back) })
}

func (e *Editor) charSearchBack() {
	n, back := e.count()
	e.await(func(c string) { e.searchChar(c, n, !back) })
}

// searchChar moves the cursor to the nth c from here.
func (e *Editor) searchChar(c string, n int, back bool) {
	to, ok := e.findChar(e.pos, c, n, back)
	if !ok {
		e.Bell()
		return
	}
	e.pos = to
}

// findChar returns the place of the nth character from pos that begins with c.
func (e *Editor) findChar(pos int, c string, n int, back bool) (int, bool) {
	for range n {
		for {
			to := e.next(pos)
			if back {
				to = e.prev(pos)
			}
			if to == pos || to == len(e.s) {
				return 0, false
			}
			if pos = to; strings.HasPrefix(e.s[pos:], c) {
				break
			}
		}
	}
	return pos, true
}
