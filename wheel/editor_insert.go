package wheel

import (
	"bytes"
	"strings"
)

// selfInsert inserts what was typed.
func (e *Editor) selfInsert() {
	n, _ := e.Arg()
	if e.last == inserted && e.typed < maxGroup && !e.viMode && e.key != " " {
		e.group--
	} else {
		e.typed = 0
	}
	e.typed++
	e.now = inserted
	e.insert(e.key, n)
}

// insert inserts s n times, or rings.
func (e *Editor) insert(s string, n int) {
	if n <= 0 || s == "" {
		return
	}
	to := e.pos
	if e.overwrite {
		for range min(n, len(e.s)) {
			to = e.next(to)
		}
	}
	if n > e.max/len(s) || e.replace(e.pos, to, strings.Repeat(s, n)) != nil {
		e.Bell()
	}
}

// quotedInsert inserts the next character, whatever is bound to it.
func (e *Editor) quotedInsert() {
	n, _ := e.Arg()
	e.await(func(c string) { e.insert(c, n) })
}

func (e *Editor) overwriteMode() { e.overwrite = !e.overwrite }

// paste begins to take what is pasted.
func (e *Editor) paste() { e.pasting, e.pasted, e.tooMuch = true, nil, false }

// takePasted takes one byte of what is pasted, for what it is: no function is bound to it.
func (e *Editor) takePasted(b byte) {
	if len(e.pasted) == e.max+len(pasteEnd) {
		e.tooMuch = true
		e.pasted = append(e.pasted[:0], e.pasted[len(e.pasted)-len(pasteEnd):]...)
	}
	e.pasted = append(e.pasted, b)
	if b != '~' || !bytes.HasSuffix(e.pasted, []byte(pasteEnd)) {
		return
	}
	s := cleanPaste(string(e.pasted[:len(e.pasted)-len(pasteEnd)]))
	tooMuch := e.tooMuch
	e.pasting, e.pasted, e.tooMuch = false, nil, false
	e.now = other
	e.group++
	switch {
	case tooMuch:
		e.Bell()
	case e.search != nil:
		e.searchAdd(s)
	case e.Insert(s) != nil:
		e.Bell()
	}
	e.after()
}

// cleanPaste makes one line of what was pasted: a line feed in it must not be taken for the end of
// a line by whoever gets it.
func cleanPaste(s string) string {
	s = strings.TrimRight(valid(s), "\r\n")
	return strings.NewReplacer("\r\n", " ", "\r", " ", "\n", " ").Replace(s)
}
