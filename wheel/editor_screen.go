package wheel

import (
	"slices"
	"strconv"
	"strings"
)

const (
	tabStop = 8 // columns
	minCols = 2 // what is narrower cannot show every character
)

// A screen is what the user sees of the line: the cells of the prompt and of the line, in rows that
// begin where the prompt does. It knows what it has shown, and sends what is different.
//
// Where there are more rows than the terminal has, the screen shows those around the cursor.
type screen struct {
	out        []byte
	cols, rows int

	prompt string
	before []cell // the prompt's

	shown    []cell // what the terminal shows
	row, col int    // where its cursor is; col may be cols, just behind the last column
	reached  int    // the number of the last row that was reached
	top      int    // rows that are not shown, above those that are
	endRow   int    // the end of what is shown
	endCol   int
}

func (c *screen) put(s string) { c.out = append(c.out, s...) }

func (c *screen) setSize(cols, rows int) {
	if cols <= 0 {
		cols = 80
	}
	if rows <= 0 {
		rows = 24
	}
	c.cols, c.rows = max(cols, minCols), rows
}

// forget is when the cursor is at the beginning of a row, and nothing is shown there or below.
func (c *screen) forget() {
	c.shown, c.row, c.col, c.reached, c.top, c.endRow, c.endCol = c.shown[:0], 0, 0, 0, 0, 0, 0
}

// setPrompt sets the prompt, and returns the rows of it before the last.
func (c *screen) setPrompt(prompt string) (head []string) {
	c.prompt = prompt
	head = strings.Split(valid(prompt), "\n")
	last := len(head) - 1
	c.before = promptCells(head[last])
	return head[:last]
}

// draw makes the terminal show the line.
func (e *Editor) draw() {
	if !e.reading {
		return
	}
	l := e.layout(e.cols)
	e.top = l.window(e.top, e.rows)
	same := 0
	for same < len(l.cells) && same < len(e.shown) && l.cells[same] == e.shown[same] {
		same++
	}
	oldRow, oldCol := e.endRow, e.endCol
	if same < len(l.cells) || same < len(e.shown) {
		e.drawFrom(&l, same)
		if (oldRow > l.endRow || oldRow == l.endRow && oldCol > l.endCol) && e.col < e.cols {
			e.put("\x1b[J")
		}
	}
	e.shown = append(e.shown[:0], l.cells...)
	e.endRow, e.endCol = l.endRow, l.endCol
	e.moveTo(l.row, l.col)
}

// drawFrom sends the cells from one on, and leaves the cursor behind the last.
func (e *Editor) drawFrom(l *layout, from int) {
	if hidden := slices.IndexFunc(l.cells, isHidden); hidden >= 0 && from < len(e.before) {
		from = 0 // what sets a colour is about what follows
	}
	if from < len(l.cells) {
		e.moveTo(l.cells[from].row, l.cells[from].col)
	} else {
		e.moveTo(l.endRow, l.endCol)
	}
	for _, c := range l.cells[from:] {
		if c.row > e.row {
			if e.col < e.cols {
				e.put("\x1b[K\r\n") // a wide one that does not fit
			}
			e.row, e.col = c.row, 0
		}
		e.put(c.s)
		e.col += c.width
	}
	if l.endRow > e.row {
		e.put("\r\n")
		e.row, e.col = l.endRow, l.endCol
	}
	e.reached = max(e.reached, e.row)
}

// moveTo moves the terminal's cursor. The row must have been reached before.
func (e *Editor) moveTo(row, col int) {
	switch {
	case row == e.row && col == e.col:
		return
	case row < e.row:
		e.put("\x1b[" + strconv.Itoa(e.row-row) + "A")
	case row > e.row && row <= e.reached:
		e.put("\x1b[" + strconv.Itoa(row-e.row) + "B")
	case row > e.row:
		e.put(strings.Repeat("\r\n", row-e.row))
		e.col, e.reached = 0, row
	}
	switch {
	case col == e.col:
	case col == e.col-1 && e.col < e.cols:
		e.put("\b")
	case col == 0:
		e.put("\r")
	case col > e.col && e.col < e.cols:
		e.put("\x1b[" + strconv.Itoa(col-e.col) + "C")
	default:
		e.put("\r\x1b[" + strconv.Itoa(col) + "C")
	}
	e.row, e.col = row, col
}

// erase takes the prompt and the line off the terminal.
func (e *Editor) erase() {
	if len(e.shown) > 0 || e.reached > 0 {
		e.moveTo(0, 0)
		e.put("\x1b[J")
	}
	e.forget()
}

// Print shows lines above the line that is being read. What is in them goes to the terminal as it
// is; see Printable. In a line, a line feed begins another.
func (e *Editor) Print(lines ...string) {
	if e.reading {
		e.erase()
	}
	for _, line := range lines {
		line = strings.ReplaceAll(line, "\r\n", "\n")
		e.put(strings.ReplaceAll(line, "\n", "\r\n") + "\r\n")
	}
	e.draw()
}

// ClearScreen clears the terminal, and shows the line at its top.
//
// POE: clear.
func (e *Editor) ClearScreen() {
	e.put("\x1b[H\x1b[2J")
	e.forget()
	e.draw()
}

// redraw shows the line anew.
func (e *Editor) redraw() {
	e.erase()
	e.draw()
}

// Resize is when the terminal has another size. A 0 is for what is unknown. Most terminals have
// arranged what they show anew, so the row of the cursor is another one.
func (e *Editor) Resize(cols, rows int) {
	before := e.cols
	e.setSize(cols, rows)
	if !e.reading {
		return
	}
	if before != e.cols && e.top == 0 {
		l := layout{cols: e.cols}
		for _, c := range e.shown {
			if c.row > e.row || c.row == e.row && c.col >= e.col {
				break
			}
			l.add(c)
		}
		l.here()
		e.row = l.row
	}
	e.row = min(e.row, e.rows-1)
	if e.row > 0 {
		e.put("\x1b[" + strconv.Itoa(e.row) + "A")
	}
	e.put("\r\x1b[J")
	e.forget()
	e.draw()
}

// Restore shows the line on a terminal of a size that may show anything by now: in the row where
// the cursor is, and below.
func (e *Editor) Restore(cols, rows int) {
	e.setSize(cols, rows)
	if !e.reading {
		return
	}
	if e.enabled("enable-bracketed-paste") {
		e.put(pasteOn)
	}
	e.put("\r\x1b[J")
	e.forget()
	e.draw()
}

// Leave moves the cursor below the line, so that others can use the terminal until Restore.
func (e *Editor) Leave() {
	if e.reading {
		e.leave()
	}
}
