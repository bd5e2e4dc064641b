package wheel_test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"github.com/go-poe/poe/wheel"
)

// A display is what a user sees of what a terminal gets: a VT100 as far as an Editor uses it. What
// it does not know is an error.
type display struct {
	cols, rows int
	grid       [][]string // "" is the second half of a wide character
	row, col   int
	wrap       bool // the last column is full, and the next character goes to the next row
	bells      int
	scrolled   int
	paste      bool
	rest       string // the beginning of a sequence, or a character, whose end is to come
	bad        []string
}

func newDisplay(cols, rows int) *display {
	d := &display{cols: cols, rows: rows}
	for range rows {
		d.grid = append(d.grid, d.blank())
	}
	return d
}

func (d *display) blank() []string { return strings.Split(strings.Repeat(" ", d.cols), "") }

// write is what the terminal gets.
func (d *display) write(p []byte) {
	s := d.rest + string(p)
	for d.rest = ""; s != ""; {
		switch c := s[0]; {
		case c == 0x1b:
			n := d.sequence(s)
			if n == 0 {
				d.rest = s
				return
			}
			s = s[n:]
			continue
		case c == '\r':
			d.col, d.wrap = 0, false
		case c == '\n':
			d.lineFeed()
		case c == '\b':
			d.col, d.wrap = max(0, d.col-1), false
		case c == '\a':
			d.bells++
		case c < ' ' || c == 0x7f:
			d.bad = append(d.bad, fmt.Sprintf("%q", c))
		case !utf8.FullRuneInString(s):
			d.rest = s
			return
		default:
			cluster, _, width, _ := uniseg.FirstGraphemeClusterInString(s, -1)
			d.show(cluster, min(width, 2))
			s = s[len(cluster):]
			continue
		}
		s = s[1:]
	}
}

func (d *display) lineFeed() {
	d.wrap = false
	if d.row++; d.row == d.rows {
		d.row--
		d.scrolled++
		d.grid = append(d.grid[1:], d.blank())
	}
}

func (d *display) show(cluster string, width int) {
	if d.wrap || d.col+width > d.cols {
		d.col = 0
		d.lineFeed()
	}
	if width == 0 || !unicode.IsGraphic([]rune(cluster)[0]) {
		d.bad = append(d.bad, fmt.Sprintf("%q", cluster))
		return
	}
	d.grid[d.row][d.col] = cluster
	if width == 2 {
		d.grid[d.row][d.col+1] = ""
	}
	if d.col += width; d.col == d.cols {
		d.col, d.wrap = d.cols-1, true
	}
}

// sequence does what an escape sequence does, and returns its length, or 0 if it has no end.
func (d *display) sequence(s string) int {
	end := strings.IndexFunc(s, func(c rune) bool { return c >= '@' && c <= '~' && c != '[' })
	switch {
	case len(s) > 1 && s[1] != '[':
		d.bad = append(d.bad, strconv.Quote(s[:2]))
		return 2
	case end < 0:
		return 0
	}
	arg := s[2:end]
	n, err := strconv.Atoi(arg)
	if err != nil {
		n = 1
	}
	switch full := arg + s[end:end+1]; {
	case s[end] == 'A':
		d.row, d.wrap = max(0, d.row-n), false
	case s[end] == 'B':
		d.row, d.wrap = min(d.rows-1, d.row+n), false
	case s[end] == 'C':
		d.col, d.wrap = min(d.cols-1, d.col+n), false
	case full == "J" || full == "K":
		d.clear(full == "J")
	case full == "2J":
		for i := range d.grid {
			d.grid[i] = d.blank()
		}
	case full == "H":
		d.row, d.col, d.wrap = 0, 0, false
	case full == "?2004h" || full == "?2004l":
		d.paste = full == "?2004h"
	case full == "?5h" || full == "?5l" || s[end] == 'm':
	default:
		d.bad = append(d.bad, strconv.Quote(s[:end+1]))
	}
	return end + 1
}

// clear clears from the cursor to the end of the row, or of all.
func (d *display) clear(all bool) {
	copy(d.grid[d.row][d.col:], d.blank())
	for i := d.row + 1; all && i < d.rows; i++ {
		d.grid[i] = d.blank()
	}
}

// lines returns what is seen, without the spaces at the end of each row, and the rows at the end.
func (d *display) lines() []string {
	var list []string
	for _, row := range d.grid {
		list = append(list, strings.TrimRight(strings.Join(row, ""), " "))
	}
	for len(list) > 0 && list[len(list)-1] == "" {
		list = list[:len(list)-1]
	}
	return list
}

// seen returns all of that, with | where the cursor is.
func (d *display) seen() string {
	var rows []string
	for i, row := range d.grid {
		s := strings.Join(row, "")
		if i == d.row {
			col := d.col
			if d.wrap {
				col++
			}
			s = strings.Join(row[:col], "") + "|" + strings.Join(row[col:], "")
		}
		rows = append(rows, strings.TrimRight(s, " "))
	}
	return strings.TrimRight(strings.Join(rows, "\n"), "\n")
}

// A desk is an Editor and what its user sees.
type desk struct {
	*testing.T
	e *wheel.Editor
	d *display
}

func newDesk(t *testing.T, opts wheel.EditorOptions) *desk {
	t.Helper()
	if opts.Cols == 0 {
		opts.Cols, opts.Rows = 40, 8
	}
	return &desk{t, wheel.NewEditor(opts), newDisplay(opts.Cols, opts.Rows)}
}

// show is what Output is for.
func (d *desk) show() {
	d.Helper()
	d.d.write(d.e.Output())
	if len(d.d.bad) > 0 {
		d.Fatalf("the terminal got %v", d.d.bad)
	}
}

// begin begins to read a line.
func (d *desk) begin(prompt string) {
	d.Helper()
	d.e.Begin(prompt)
	d.show()
}

// types types keys, one after the other, as \C-a and so on.
func (d *desk) types(keys string) {
	d.Helper()
	for _, c := range []byte(keys) {
		if d.e.Feed([]byte{c}) != 1 {
			d.Fatalf("%q was not taken, of %q", c, keys)
		}
		d.show()
	}
}

// pause is when no key comes for a while.
func (d *desk) pause() {
	d.Helper()
	d.e.Decide()
	d.show()
}

// sees checks what the user sees.
func (d *desk) sees(want string) {
	d.Helper()
	if got := d.d.seen(); got != want {
		d.Errorf("the user sees\n%s\nand not\n%s", got, want)
	}
}

// hears checks how often the bell rang since the last time.
func (d *desk) hears(want int) {
	d.Helper()
	if d.d.bells != want {
		d.Errorf("the bell rang %d times, want %d", d.d.bells, want)
	}
	d.d.bells = 0
}

// reads checks the line that was read.
func (d *desk) reads(want string) {
	d.Helper()
	if d.e.Reading() {
		d.Fatalf("the line goes on: %q", d.e.Line())
	}
	if got, err := d.e.Result(); got != want || err != nil {
		d.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// expect shows a line on a terminal of its own, as it should be seen.
func expect(cols, rows int, prompt, line string, cursor int) *display {
	d := newDisplay(cols, rows)
	d.write([]byte(prompt))
	plainly(d, line[:cursor])
	at := *d
	plainly(d, line[cursor:])
	d.row, d.col, d.wrap = at.row-(d.scrolled-at.scrolled), at.col, at.wrap
	return d
}

// plainly writes text as an Editor should show it.
func plainly(d *display, s string) {
	for i, part := range strings.Split(s, "\t") {
		if i > 0 {
			col := d.col
			if d.wrap {
				col = d.cols
			}
			d.write(bytes.Repeat([]byte(" "), 8-col%8))
		}
		d.write([]byte(wheel.Printable(part)))
	}
}
