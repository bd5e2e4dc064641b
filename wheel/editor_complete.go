package wheel

import (
	"fmt"
	"os"
	"strings"
)

const (
	maxCandidates = 10_000 // that a Completer may return
	maxShown      = 200    // rows that are shown below the line
)

// wordBreaks are the characters between words that can be completed.
const wordBreaks = " \t\n\"\\'`@$><=;|&{("

// candidates returns what the word before the cursor could be, and where it begins.
func (e *Editor) candidates() (list []string, start int) {
	start = strings.LastIndexAny(e.s[:e.pos], wordBreaks) + 1
	if e.opts.Complete == nil {
		return nil, start
	}
	for _, c := range e.opts.Complete(e.s[start:e.pos], e.s, start) {
		if len(list) == maxCandidates {
			break
		}
		list = append(list, valid(c))
	}
	return list, start
}

// complete completes the word before the cursor as far as there is no choice. Where there is one,
// a second time shows it.
func (e *Editor) complete() {
	list, start := e.candidates()
	if len(list) == 0 {
		e.Bell()
		return
	}
	e.now = completed
	if len(list) == 1 {
		e.completeWord(start, list[0])
		return
	}
	if p := commonPrefix(list); len(p) > e.pos-start {
		if e.replace(start, e.pos, p) != nil {
			e.Bell()
		}
	}
	if e.last == completed || e.enabled("show-all-if-ambiguous") {
		e.showBelow(e.columns(list))
		return
	}
	e.Bell()
}

// completeWord puts the only word there is in place, and a space behind it.
func (e *Editor) completeWord(start int, word string) {
	if !strings.HasPrefix(e.s[e.pos:], " ") {
		word += " "
	}
	if e.replace(start, e.pos, word) != nil {
		e.Bell()
	}
}

func (e *Editor) possibleCompletions() {
	list, _ := e.candidates()
	if len(list) == 0 {
		e.Bell()
		return
	}
	e.showBelow(e.columns(list))
}

// insertCompletions inserts all that the word could be.
func (e *Editor) insertCompletions() {
	list, start := e.candidates()
	if len(list) == 0 || e.replace(start, e.pos, strings.Join(list, " ")+" ") != nil {
		e.Bell()
	}
}

// tildeExpand replaces the ~ at the beginning of the word at the cursor by the user's home.
func (e *Editor) tildeExpand() {
	start := e.skipBack(e.pos, notSpace, true)
	end := e.skip(start, notSpace, true)
	word := e.s[start:end]
	home, err := os.UserHomeDir()
	if err != nil || word != "~" && !strings.HasPrefix(word, "~/") ||
		e.replace(start, end, home+word[1:]) != nil {
		e.Bell()
	}
}

// commonPrefix returns what all words begin with.
func commonPrefix(list []string) string {
	p := list[0]
	for _, s := range list[1:] {
		n := 0
		for n < len(p) && n < len(s) && p[n] == s[n] {
			n++
		}
		p = p[:n]
	}
	return strings.ToValidUTF8(p, "")
}

// columns sets words in columns.
func (e *Editor) columns(list []string) []string {
	widest := 0
	shown := make([]string, len(list))
	for i, s := range list {
		shown[i] = Printable(s)
		widest = max(widest, textWidth(shown[i]))
	}
	n := max(1, e.cols/(widest+2))
	height := (len(list) + n - 1) / n
	rows := make([]string, height)
	for i, s := range shown {
		row := i % height
		if e.enabled("print-completions-horizontally") {
			row = i / n
		}
		if rows[row] != "" {
			rows[row] += "  "
		}
		rows[row] += s + strings.Repeat(" ", widest-textWidth(s))
	}
	for i := range rows {
		rows[i] = strings.TrimRight(rows[i], " ")
	}
	return rows
}

// showBelow shows rows below the line, and the line again below them.
func (e *Editor) showBelow(rows []string) {
	if more := len(rows) - maxShown; more > 0 {
		rows = append(rows[:maxShown:maxShown], fmt.Sprintf("... and %d more", more))
	}
	e.draw()
	e.moveTo(e.endRow, e.endCol)
	e.put("\r\n")
	for _, row := range rows {
		e.put(Printable(row) + "\r\n")
	}
	e.forget()
	e.draw()
}
