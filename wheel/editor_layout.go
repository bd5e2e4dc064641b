package wheel

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// A cell is what takes up one column, or two, or none.
type cell struct {
	s        string
	width    int
	row, col int
}

// promptCells divides a prompt into cells. The sequences that set colours, and what is between \x01
// and \x02, take no room.
func promptCells(s string) []cell {
	var list []cell
	plain := func(s string) {
		for _, c := range clusters(s) {
			list = append(list, appearance(s[c.start:c.end], c.width, textCells(list))...)
		}
	}
	for s != "" {
		i := strings.IndexAny(s, "\x01\x1b")
		if i < 0 {
			break
		}
		plain(s[:i])
		n, text := hidden(s[i:])
		if n == 0 {
			plain(s[i : i+1])
			n = 1
		} else {
			list = append(list, cell{s: text})
		}
		s = s[i+n:]
	}
	plain(s)
	return list
}

// hidden returns the length of the sequence that s begins with and that takes no room, and what of
// it the terminal gets; 0 if there is none.
func hidden(s string) (n int, text string) {
	if s[0] == '\x01' {
		i := strings.IndexByte(s, '\x02')
		if i < 0 {
			return 0, ""
		}
		return i + 1, s[1:i]
	}
	if !strings.HasPrefix(s, "\x1b[") {
		return 0, ""
	}
	for i := 2; i < len(s); i++ {
		if s[i] >= '@' && s[i] <= '~' {
			return i + 1, s[:i+1]
		}
		if s[i] < ' ' || s[i] > '?' {
			break
		}
	}
	return 0, ""
}

func isHidden(c cell) bool { return c.width == 0 }

// textCells returns the columns that cells take up.
func textCells(list []cell) int {
	n := 0
	for _, c := range list {
		n += c.width
	}
	return n
}

// textWidth returns the columns that a text takes up.
func textWidth(s string) int {
	n := 0
	for _, c := range clusters(s) {
		n += textCells(appearance(s[c.start:c.end], c.width, n))
	}
	return n
}

// isPlain reports whether a character is shown as it is, which is so with most.
func isPlain(first byte, width int) bool { return width == 1 && first >= ' ' && first < 0x7f }

// appearance returns the cells of a character that is shown at a column.
func appearance(s string, width, col int) []cell {
	first := []rune(s)[0]
	switch {
	case s == "\t":
		return slices.Repeat([]cell{{s: " ", width: 1}}, tabStop-col%tabStop)
	case first < ' ':
		return []cell{{s: "^", width: 1}, {s: string(first + '@'), width: 1}}
	case first == 0x7f:
		return []cell{{s: "^", width: 1}, {s: "?", width: 1}}
	case width > 0 && unicode.IsGraphic(first):
		return []cell{{s: s, width: width}}
	}
	var list []cell
	for _, r := range s {
		for _, x := range fmt.Sprintf("<U+%04X>", r) {
			list = append(list, cell{s: string(x), width: 1})
		}
	}
	return list
}

// A layout is where the cells are to be.
type layout struct {
	cells          []cell
	row, col       int // of the cursor
	endRow, endCol int
	cols           int
}

func (l *layout) add(c cell) {
	if l.endCol+c.width > l.cols {
		l.endRow, l.endCol = l.endRow+1, 0
	}
	c.row, c.col = l.endRow, l.endCol
	l.endCol += c.width
	l.cells = append(l.cells, c)
}

// here notes the cursor.
func (l *layout) here() {
	if l.row, l.col = l.endRow, l.endCol; l.col == l.cols {
		l.row, l.col = l.row+1, 0
	}
}

// layout arranges the line in rows of so many columns.
func (e *Editor) layout(cols int) layout {
	l := layout{cols: cols, cells: make([]cell, 0, len(e.before)+len(e.cells))}
	e.work += len(e.s)
	before := e.before
	switch {
	case e.search != nil && e.search.incremental:
		before = promptCells(e.searchPrompt())
	case e.search != nil:
		mark := "?"
		if e.search.forward {
			mark = "/"
		}
		for _, c := range promptCells(mark + Printable(e.search.query)) {
			l.add(c)
		}
		l.here()
		l.end()
		return l
	case e.argGiven && e.last == counting:
		n, _ := e.Arg()
		before = promptCells("(arg: " + strconv.Itoa(n) + ") ")
	}
	for _, c := range before {
		l.add(c)
	}
	for _, c := range e.cells {
		if c.start == e.pos {
			l.mark(e.s[c.start:c.end], c.width)
		}
		if isPlain(e.s[c.start], c.width) {
			l.add(cell{s: e.s[c.start:c.end], width: 1})
			continue
		}
		for _, x := range appearance(e.s[c.start:c.end], c.width, l.endCol) {
			l.add(x)
		}
	}
	if e.pos == len(e.s) {
		l.here()
	}
	l.end()
	return l
}

// mark notes the cursor at a character that is about to be added, and may not fit into the row.
func (l *layout) mark(s string, width int) {
	l.here()
	if first := appearance(s, width, l.endCol)[0]; l.col+first.width > l.cols {
		l.row, l.col = l.row+1, 0
	}
}

// end is when all cells are there.
func (l *layout) end() {
	if l.endCol == l.cols {
		l.endRow, l.endCol = l.endRow+1, 0
	}
}

// window takes away the rows that the terminal has no room for.
func (l *layout) window(top, rows int) int {
	if l.endRow < rows {
		return 0
	}
	top = min(top, l.endRow-rows+1)
	if l.row < top {
		top = l.row
	} else if l.row >= top+rows {
		top = l.row - rows + 1
	}
	from := slices.IndexFunc(l.cells, func(c cell) bool { return c.row >= top })
	if from < 0 {
		from = len(l.cells)
	}
	to := slices.IndexFunc(l.cells, func(c cell) bool { return c.row >= top+rows })
	if to < 0 {
		to = len(l.cells)
	}
	l.cells = l.cells[from:to]
	for i := range l.cells {
		l.cells[i].row -= top
	}
	l.row -= top
	if l.endRow -= top; l.endRow >= rows {
		l.endRow, l.endCol = rows-1, l.cols
		if n := len(l.cells); n > 0 {
			l.endCol = l.cells[n-1].col + l.cells[n-1].width
		}
	}
	return top
}
