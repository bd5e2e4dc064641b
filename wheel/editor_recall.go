package wheel

import (
	"slices"
	"strings"
)

// recalls are the functions that bring lines back that were entered before.
var recalls = map[string]EditFunc{
	"beginning-of-history":    func(e *Editor) { e.recallOrRing(0) },
	"end-of-history":          func(e *Editor) { e.recallOrRing(len(e.history.lines)) },
	"history-search-backward": func(e *Editor) { e.searchPrefix(-1) },
	"history-search-forward":  func(e *Editor) { e.searchPrefix(1) },
	"next-history":            func(e *Editor) { e.recallBy(1) },
	"operate-and-get-next":    (*Editor).operate,
	"previous-history":        func(e *Editor) { e.recallBy(-1) },
	"yank-last-arg":           (*Editor).yankLastArg,
	"yank-nth-arg":            (*Editor).yankNthArg,
}

// A recall is where the user is in the history. The lines stay as they were entered; what the user
// makes of them is forgotten when the reading ends.
type recall struct {
	history history
	at      int            // len(history.lines) is the new line
	edits   map[int]string // lines that were left changed, and the new line
	fromAt  int            // where the next reading begins, or -1
	found   find           // what was searched for last

	lastArg   int // the line that gave the last argument
	lastArgAt int // and where that was put
}

// AddHistory adds lines to those that the user can bring back.
//
// POE: add_history.
func (e *Editor) AddHistory(lines ...string) {
	lines = lines[max(0, len(lines)-e.history.max):] // the others would be dropped again
	for _, line := range lines {
		isNew := e.at == len(e.history.lines)
		n := e.history.add(line, e.opts.MaxLine)
		edits := make(map[int]string, len(e.edits))
		for i, s := range e.edits {
			switch {
			case i == len(e.history.lines)-1+n: // the new line, which is one further now
				edits[len(e.history.lines)] = s
			case i >= n:
				edits[i-n] = s
			}
		}
		e.edits = edits
		e.fromAt = max(-1, e.fromAt-n)
		if e.at = max(0, e.at-n); isNew {
			e.at = len(e.history.lines)
		}
	}
}

// History returns the lines that the user can bring back, the first first.
//
// POE: get_history.
func (e *Editor) History() []string { return slices.Clone(e.history.lines) }

// beginRecall begins with the new line.
func (e *Editor) beginRecall() {
	e.at, e.edits = len(e.history.lines), nil
	if e.fromAt >= 0 && e.fromAt < len(e.history.lines) {
		e.recallLine(e.fromAt)
	}
	e.fromAt = -1
}

// stored returns a line of the history, as the user has left it.
func (e *Editor) stored(i int) string {
	if s, ok := e.edits[i]; ok {
		return s
	}
	if i < len(e.history.lines) {
		return e.history.lines[i]
	}
	return ""
}

// keepEdit keeps what became of the line.
func (e *Editor) keepEdit() {
	if e.s != e.stored(e.at) {
		if e.edits == nil {
			e.edits = map[int]string{}
		}
		e.edits[e.at] = e.s
	}
}

// recallLine brings back a line.
func (e *Editor) recallLine(i int) {
	e.keepEdit()
	e.at, e.vi.silent = i, true
	e.restart(e.stored(i))
	if e.viMode && e.viCommand {
		e.pos = 0
	}
}

// recallOrRing brings back a line, or rings if it is there.
func (e *Editor) recallOrRing(i int) {
	if i == e.at {
		e.Bell()
		return
	}
	e.recallLine(i)
}

// recallBy brings back the line that is so many steps away, as far as there is one.
func (e *Editor) recallBy(step int) {
	n, _ := e.Arg()
	to := min(max(e.at+step*n, 0), len(e.history.lines))
	e.recallOrRing(to)
}

// searchPrefix brings back the nearest line that begins as this one does up to the cursor.
func (e *Editor) searchPrefix(step int) {
	prefix, pos := e.s[:e.pos], e.pos
	for i := e.at + step; i >= 0 && i < len(e.history.lines); i += step {
		if s := e.stored(i); s != e.s && strings.HasPrefix(s, prefix) {
			e.recallLine(i)
			e.pos = e.snapBack(min(pos, len(e.s)))
			return
		}
	}
	e.Bell()
}

// operate ends the line, and the next reading begins with the one behind it in the history.
func (e *Editor) operate() {
	if e.at < len(e.history.lines) {
		e.fromAt = e.at + 1
	}
	e.end(nil)
}

// words divides a line at its spaces.
func words(line string) []string { return strings.Fields(line) }

// yankLastArg inserts the last word of the line before this one, or, again, of the one before that.
func (e *Editor) yankLastArg() {
	i, from := e.at-1, e.pos
	if e.last == yankedArg && e.lastArgAt <= e.pos {
		i, from = e.lastArg-1, e.lastArgAt
	}
	for ; i >= 0; i-- {
		w := words(e.history.lines[i])
		if len(w) == 0 {
			continue
		}
		if e.replace(from, e.pos, w[len(w)-1]) != nil {
			break
		}
		e.lastArg, e.lastArgAt, e.now = i, from, yankedArg
		return
	}
	e.now = e.last
	e.Bell()
}

// yankNthArg inserts the second word of the line before this one, or that of a number.
func (e *Editor) yankNthArg() {
	n, _ := e.Arg()
	if e.at == 0 {
		e.Bell()
		return
	}
	w := words(e.history.lines[e.at-1])
	if n < 0 {
		n += len(w)
	}
	if n < 0 || n >= len(w) {
		e.Bell()
		return
	}
	e.insert(w[n], 1)
}
