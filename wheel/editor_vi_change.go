package wheel

import (
	"strings"
	"unicode"
)

// viChangeChar puts a character in the place of others.
func (e *Editor) viChangeChar() {
	n, _ := e.count()
	e.await(func(c string) {
		to := e.pos
		for range min(n, len(e.s)+1) {
			next := e.next(to)
			if next == to {
				e.Bell()
				return
			}
			to = next
		}
		if c == "\x1b" || n == 0 || e.replace(e.pos, to, strings.Repeat(c, n)) != nil {
			e.Bell()
			return
		}
		e.pos = e.prev(e.pos)
	})
}

// viChangeCase makes capitals small, and others capitals.
func (e *Editor) viChangeCase() {
	n, _ := e.count()
	to := e.step(e.pos, n, false, e.next, nil)
	swapped := strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, e.s[e.pos:to])
	if to == e.pos || e.replace(e.pos, to, swapped) != nil {
		e.Bell()
	}
}

func (e *Editor) viDelete() {
	n, _ := e.count()
	to := e.step(e.pos, n, false, e.next, nil)
	if to == e.pos {
		e.Bell()
		return
	}
	e.copyText(e.pos, to)
	_ = e.replace(e.pos, to, "")
}

func (e *Editor) viRubout() {
	n, _ := e.count()
	from := e.step(e.pos, n, true, nil, e.prev)
	if from == e.pos {
		e.Bell()
		return
	}
	e.copyText(from, e.pos)
	_ = e.replace(from, e.pos, "")
}

// viSubst replaces a character, or the line, by what is about to be typed.
func (e *Editor) viSubst() {
	n, _ := e.count()
	from, to := e.pos, e.step(e.pos, n, false, e.next, nil)
	if e.isBig() {
		from, to = 0, len(e.s)
	}
	if from < to {
		e.copyText(from, to)
		_ = e.replace(from, to, "")
	}
	e.insertMode()
}

// viPut inserts what was deleted or yanked last, behind the cursor or, as a capital, before it.
func (e *Editor) viPut() {
	if len(e.killed) == 0 {
		e.Bell()
		return
	}
	n, _ := e.count()
	s := e.killed[e.yanking]
	if !e.isBig() {
		e.pos = e.next(e.pos)
	}
	if s == "" || n == 0 || n > e.max/len(s) || e.Insert(strings.Repeat(s, n)) != nil {
		e.Bell()
		return
	}
	e.pos = e.prev(e.pos)
}

// viYankArg inserts the last word of the line before this one, behind the cursor.
func (e *Editor) viYankArg() {
	if e.at == 0 {
		e.Bell()
		return
	}
	w := words(e.history.lines[e.at-1])
	n, given := e.Arg()
	if !given {
		n = len(w)
	}
	if n < 1 || n > len(w) {
		e.Bell()
		return
	}
	e.pos = e.next(e.pos)
	e.insertMode()
	e.insert(" "+w[n-1], 1)
}

// viComplete completes the word that ends at the cursor, or shows or inserts all completions.
func (e *Editor) viComplete() {
	e.pos = e.next(e.pos)
	switch e.key {
	case "=":
		e.possibleCompletions()
		return
	case "*":
		e.insertCompletions()
	default:
		e.complete()
	}
	e.insertMode()
}
