package wheel

import (
	"maps"
	"slices"
	"strings"
)

// functions returns what keys can do, by the names of GNU readline.
func functions() map[string]EditFunc {
	table := map[string]EditFunc{
		"abort":                 (*Editor).abort,
		"accept-line":           (*Editor).AcceptLine,
		"bracketed-paste-begin": (*Editor).paste,
		"clear-screen":          (*Editor).ClearScreen,
		"delete-char-or-eot":    (*Editor).endOrDelete,
		"digit-argument":        (*Editor).argument,
		"dump-functions":        (*Editor).dumpFunctions,
		"dump-key":              (*Editor).dumpKey,
		"dump-macros":           (*Editor).dumpMacros,
		"dump-variables":        (*Editor).dumpVariables,
		"emacs-editing-mode":    (*Editor).emacsMode,
		"interrupt":             (*Editor).interrupt,
		"overwrite-mode":        (*Editor).overwriteMode,
		"quoted-insert":         (*Editor).quotedInsert,
		"redraw-current-line":   (*Editor).redraw,
		"self-insert":           (*Editor).selfInsert,
		"suspend":               (*Editor).suspend,
		"tab-insert":            (*Editor).tabInsert,
		"undo":                  (*Editor).undoChange,
		"revert-line":           (*Editor).revert,
		"universal-argument":    (*Editor).universalArgument,

		"call-last-kbd-macro": (*Editor).callMacro,
		"end-kbd-macro":       (*Editor).endMacro,
		"insert-macro":        (*Editor).insertMacro,
		"start-kbd-macro":     (*Editor).startMacro,

		"complete":             (*Editor).complete,
		"insert-comment":       (*Editor).insertComment,
		"insert-completions":   (*Editor).insertCompletions,
		"possible-completions": (*Editor).possibleCompletions,
		"tilde-expand":         (*Editor).tildeExpand,
	}
	for _, more := range []map[string]EditFunc{
		movements, changes, kills, recalls, searches, viFunctions,
	} {
		maps.Copy(table, more)
	}
	return table
}

func (e *Editor) tabInsert() {
	n, _ := e.Arg()
	e.insert("\t", n)
}

func (e *Editor) undoChange() {
	e.vi.silent = true
	n, _ := e.Arg()
	for range n {
		if !e.undo() {
			e.Bell()
			return
		}
	}
}

// revert undoes all that was done to the line.
func (e *Editor) revert() {
	e.vi.silent = true
	for e.undo() {
		continue
	}
}

// insertMacro inserts what calls the last macro, as an inputrc has it.
func (e *Editor) insertMacro() { e.insert(KeyName(e.macro.typed), 1) }

// insertComment makes the line a comment, which is one no more with an argument, and ends it.
func (e *Editor) insertComment() {
	begin := e.vars["comment-begin"]
	_, given := e.Arg()
	var err error
	if given && strings.HasPrefix(e.s, begin) {
		err = e.replace(0, len(begin), "")
	} else {
		err = e.replace(0, 0, begin)
	}
	if err != nil {
		e.Bell()
		return
	}
	e.end(nil)
}

// emacsMode changes to the bindings of emacs.
func (e *Editor) emacsMode() { e.setMode("emacs") }

// dumpFunctions shows all functions, with the keys that call them.
func (e *Editor) dumpFunctions() {
	keys := map[string][]string{}
	for k, b := range e.modeMap().bound {
		if !b.macro {
			keys[b.does] = append(keys[b.does], `"`+KeyName(k)+`"`)
		}
	}
	var rows []string
	for _, name := range slices.Sorted(maps.Keys(e.functions)) {
		if len(keys[name]) == 0 {
			rows = append(rows, "# "+name+" (not bound)")
		}
		for _, k := range slices.Sorted(slices.Values(keys[name])) {
			rows = append(rows, k+": "+name)
		}
	}
	e.showBelow(rows)
}

// dumpMacros shows all keys that stand for others.
func (e *Editor) dumpMacros() {
	var rows []string
	bound := e.modeMap().bound
	for _, k := range slices.Sorted(maps.Keys(bound)) {
		if b := bound[k]; b.macro {
			rows = append(rows, `"`+KeyName(k)+`": "`+KeyName(b.does)+`"`)
		}
	}
	e.showBelow(rows)
}

// dumpVariables shows all variables.
func (e *Editor) dumpVariables() {
	var rows []string
	for _, name := range slices.Sorted(maps.Keys(e.vars)) {
		rows = append(rows, "set "+name+" "+e.vars[name])
	}
	e.showBelow(rows)
}

// dumpKey shows what the terminal sends for the next key, as far as it is one character.
func (e *Editor) dumpKey() {
	e.await(func(c string) { e.showBelow([]string{`"` + KeyName(c) + `"`}) })
}
