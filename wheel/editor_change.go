package wheel

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// changes are the functions that change the line, and keep nothing of what was there.
var changes = map[string]EditFunc{
	"backward-delete-char":    (*Editor).backwardDelete,
	"capitalize-word":         func(e *Editor) { e.changeCase(capitalize) },
	"delete-char":             (*Editor).deleteChar,
	"delete-horizontal-space": (*Editor).deleteSpace,
	"downcase-word":           func(e *Editor) { e.changeCase(strings.ToLower) },
	"transpose-chars":         (*Editor).transposeChars,
	"transpose-words":         (*Editor).transposeWords,
	"upcase-word":             func(e *Editor) { e.changeCase(strings.ToUpper) },
}

// deleteChar deletes the character under the cursor. With an argument, what it deletes is killed.
func (e *Editor) deleteChar() { e.deleteChars(false) }

// backwardDelete deletes the character before the cursor, likewise.
func (e *Editor) backwardDelete() { e.deleteChars(true) }

func (e *Editor) deleteChars(back bool) {
	n, negative := e.count()
	back = back != negative
	to := e.step(e.pos, n, back, e.next, e.prev)
	switch {
	case to == e.pos:
		e.Bell()
	case e.argGiven:
		e.kill(e.pos, to)
	default:
		_ = e.replace(min(e.pos, to), max(e.pos, to), "") // what is shorter is not too long
	}
}

// deleteSpace deletes the spaces around the cursor.
func (e *Editor) deleteSpace() {
	_ = e.replace(e.skipBack(e.pos, notSpace, false), e.skip(e.pos, notSpace, false), "")
}

// changeCase changes the letters up to the end of a word, or those of the word before the cursor.
func (e *Editor) changeCase(f func(string) string) {
	n, back := e.count()
	pos := e.pos
	to := e.step(pos, n, back, e.wordEnd, e.wordStart)
	if to == pos {
		e.Bell()
		return
	}
	from, to := min(pos, to), max(pos, to)
	var b strings.Builder
	for rest := e.s[from:to]; rest != ""; {
		i := strings.IndexFunc(rest, inWord)
		if i < 0 {
			i = len(rest)
		}
		b.WriteString(rest[:i])
		rest = rest[i:]
		end := strings.IndexFunc(rest, func(r rune) bool {
			return !inWord(r) && !unicode.Is(unicode.M, r)
		})
		if end < 0 {
			end = len(rest)
		}
		b.WriteString(f(rest[:end]))
		rest = rest[end:]
	}
	if e.replace(from, to, b.String()) != nil {
		e.Bell() // some letters have capitals that are longer
		return
	}
	if back {
		e.pos = e.snapBack(min(pos, len(e.s)))
	}
}

// capitalize makes the first letter of a word a capital, and the others none.
func capitalize(word string) string {
	_, n := utf8.DecodeRuneInString(word)
	return strings.ToTitle(word[:n]) + strings.ToLower(word[n:])
}

// transposeChars swaps the characters around the cursor, or the last two at the end of the line.
func (e *Editor) transposeChars() {
	n, back := e.count()
	if e.pos == 0 || len(e.cells) < 2 {
		e.Bell()
		return
	}
	at := e.pos
	if at == len(e.s) {
		at, n, back = e.prev(at), 1, false
	}
	from := e.prev(at)
	c := e.s[from:at]
	if back {
		to := e.step(from, n, true, e.next, e.prev)
		if to == from {
			e.Bell()
			return
		}
		_ = e.replace(to, at, c+e.s[to:from])
		e.pos = e.snapBack(to + len(c))
		return
	}
	to := e.step(at, n, false, e.next, e.prev)
	_ = e.replace(from, to, e.s[at:to]+c)
}

// transposeWords swaps the word at the cursor, or that of a number from there, with the one so many
// words before that.
func (e *Editor) transposeWords() {
	n, back := e.count()
	end2 := e.step(e.pos, n, back, e.wordEnd, e.wordStart)
	start2 := e.wordStart(end2)
	start1 := e.step(start2, n, !back, e.wordEnd, e.wordStart)
	end1 := e.wordEnd(start1)
	if start1 == start2 || start2 < end1 {
		e.Bell()
		return
	}
	_ = e.replace(start1, end2, e.s[start2:end2]+e.s[end1:start2]+e.s[start1:end1])
}
