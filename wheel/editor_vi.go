package wheel

import "strings"

// viFunctions are those of vi. Some do one thing or another, after the key that has called them.
var viFunctions = map[string]EditFunc{
	"vi-append-eol":     func(e *Editor) { e.pos = len(e.s); e.insertMode() },
	"vi-append-mode":    func(e *Editor) { e.pos = e.next(e.pos); e.insertMode() },
	"vi-arg-digit":      (*Editor).argument,
	"vi-change-case":    (*Editor).viChangeCase,
	"vi-change-char":    (*Editor).viChangeChar,
	"vi-change-to":      (*Editor).viOperator,
	"vi-char-search":    (*Editor).viCharSearch,
	"vi-column":         (*Editor).viColumn,
	"vi-complete":       (*Editor).viComplete,
	"vi-delete":         (*Editor).viDelete,
	"vi-delete-to":      (*Editor).viOperator,
	"vi-editing-mode":   func(e *Editor) { e.setMode("vi") },
	"vi-end-word":       (*Editor).viEndWord,
	"vi-eof-maybe":      (*Editor).eofMaybe,
	"vi-fetch-history":  (*Editor).viFetch,
	"vi-first-print":    func(e *Editor) { e.pos = e.skip(0, notSpace, false) },
	"vi-goto-mark":      func(e *Editor) { e.await(e.viGotoMark) },
	"vi-insert-beg":     func(e *Editor) { e.pos = 0; e.insertMode() },
	"vi-insertion-mode": (*Editor).insertMode,
	"vi-match":          (*Editor).viMatch,
	"vi-movement-mode":  (*Editor).movementMode,
	"vi-next-word":      (*Editor).viNextWord,
	"vi-prev-word":      (*Editor).viPrevWord,
	"vi-put":            (*Editor).viPut,
	"vi-redo":           (*Editor).viRedo,
	"vi-replace":        func(e *Editor) { e.insertMode(); e.overwrite = true },
	"vi-rubout":         (*Editor).viRubout,
	"vi-search":         func(e *Editor) { e.beginSearch(e.key == "?", false) },
	"vi-search-again":   func(e *Editor) { e.searchAgain(e.found.forward != (e.key == "N")) },
	"vi-set-mark":       func(e *Editor) { e.await(e.viSetMark) },
	"vi-spec-cancel":    func(e *Editor) { e.vi.operator = "" },
	"vi-spec-line":      (*Editor).viSpecLine,
	"vi-subst":          (*Editor).viSubst,
	"vi-tilde-expand":   (*Editor).tildeExpand,
	"vi-undo":           (*Editor).undoChange,
	"vi-yank-arg":       (*Editor).viYankArg,
	"vi-yank-to":        (*Editor).viOperator,
}

// A vi is what vi knows besides the line.
type vi struct {
	operator string // c, d or y, which waits for a movement
	fresh    bool   // and has not had a chance yet to get one
	from     int    // where the cursor was
	count    int    // the operator's own argument, or 1
	before   int    // the revision of the line
	covers   bool   // the movement takes the character under the cursor with it

	sought  string // the last character search: f, F, t or T
	soughtC string // and for what
	marks   map[string]int

	typing   string // of the command that goes on
	revision int    // of the line when it began
	silent   bool   // it is none to be repeated
	redo     string // the last one that is
	redoing  bool
}

// begin is when a line is about to be read, by inserting.
func (v *vi) begin() {
	*v = vi{sought: v.sought, soughtC: v.soughtC, redo: v.redo, typing: "i"}
}

// record notes what was typed, for redo.
func (v *vi) record(c string, most int) {
	if !v.redoing && len(v.typing)+len(c) <= most {
		v.typing += c
	}
}

// afterVi is when a function is done. While commands are typed, the cursor is on a character, and
// not behind the last one.
func (e *Editor) afterVi() {
	v := &e.vi
	if !e.viCommand || e.now == counting {
		return
	}
	switch {
	case v.operator == "":
	case v.fresh:
		v.fresh = false
		return
	default:
		e.applyOperator()
	}
	v.covers = false
	if !e.viCommand || e.search != nil {
		return
	}
	if e.pos == len(e.s) {
		e.pos = e.prev(e.pos)
	}
	e.commandDone()
}

// commandDone is when a command is over, with all that was inserted by it.
func (e *Editor) commandDone() {
	v := &e.vi
	if v.redoing {
		return
	}
	if e.revision != v.revision && !v.silent {
		v.redo = v.typing
	}
	v.typing, v.revision, v.silent = "", e.revision, false
}

// viRedo does once more what has changed the line last.
func (e *Editor) viRedo() {
	v := &e.vi
	if v.redo == "" || v.redoing {
		e.Bell()
		return
	}
	n, _ := e.Arg()
	e.noArg()
	v.silent, v.redoing = true, true
	for range min(n, maxPlayed) {
		if e.budget == 0 || !e.reading {
			break
		}
		e.play(v.redo)
	}
	v.redoing = false
}

// insertMode has keys insert characters.
func (e *Editor) insertMode() { e.viCommand, e.vi.operator = false, "" }

// movementMode has keys be commands.
func (e *Editor) movementMode() {
	if !e.viCommand {
		e.pos = e.prev(e.pos)
	}
	e.viCommand, e.overwrite, e.vi.operator = true, false, ""
}

// viOperator is c, d or y, up to where the next movement leads, or, as a capital, to the end of the
// line.
func (e *Editor) viOperator() {
	n, _ := e.Arg()
	e.vi.operator, e.vi.from = strings.ToLower(e.key), e.pos
	e.vi.count, e.vi.before, e.vi.fresh = n, e.revision, true
	if e.vi.operator != e.key {
		e.pos, e.vi.fresh = len(e.s), false
	}
}

// viSpecLine is an operator on the whole line, as in dd.
func (e *Editor) viSpecLine() {
	if e.key != e.vi.operator {
		e.vi.operator = ""
		e.Bell()
		return
	}
	if e.key == "y" { // the cursor stays
		e.vi.operator = ""
		e.copyText(0, len(e.s))
		return
	}
	e.vi.from, e.pos = 0, len(e.s)
}

// applyOperator does what waited for a movement.
func (e *Editor) applyOperator() {
	v := &e.vi
	op := v.operator
	v.operator = ""
	from, to := min(v.from, e.pos), max(v.from, e.pos)
	if v.covers {
		to = e.next(to)
	}
	if e.revision != v.before {
		return // that was no movement
	}
	if from < to {
		e.copyText(from, to)
	}
	switch op {
	case "y":
		e.pos = from
	case "c":
		_ = e.replace(from, to, "")
		e.insertMode()
	default:
		_ = e.replace(from, to, "")
	}
}
