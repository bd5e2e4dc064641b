package wheel

import (
	"slices"
	"sort"
	"strings"

	"github.com/rivo/uniseg"
)

// maxUndo is how much of the past an Editor can undo, in changes.
const maxUndo = 1000

// A text is the line that is edited, with its past. It is valid UTF-8, and the cursor is at a
// border between characters.
type text struct {
	s        string
	pos      int // of the cursor
	mark     int // the other end of the region
	max      int // bytes
	cells    []cluster
	revision int // how often it was changed
	work     int // what that has cost, in bytes that were looked at

	past     []change
	pastSize int // bytes in past
	group    int // changes of the same number are undone together
	typed    int // characters that were inserted one by one, since other things happened
}

// A cluster is what the user takes for a character.
type cluster struct {
	start, end int
	width      int // columns; 0 if it cannot be shown as it is
}

// A change is a piece of text that took the place of another.
type change struct {
	at       int
	old, new string
	pos      int // of the cursor, before
	group    int
}

// clusters divides a text into characters.
func clusters(s string) []cluster {
	list := make([]cluster, 0, len(s))
	for i := 0; i < len(s); {
		c := clusterAt(s, i)
		list = append(list, c)
		i = c.end
	}
	return list
}

// clusterAt returns the character that begins at i. It depends on what follows alone.
func clusterAt(s string, i int) cluster {
	if plain(s, i) {
		if s[i] < ' ' || s[i] == 0x7f {
			return cluster{i, i + 1, 0}
		}
		return cluster{i, i + 1, 1}
	}
	c, _, w, _ := uniseg.FirstGraphemeClusterInString(s[i:], -1)
	return cluster{i, i + len(c), min(w, 2)}
}

// plain reports whether the byte at i is a character of its own.
func plain(s string, i int) bool {
	return s[i] < 0x80 && (i+1 == len(s) || s[i+1] < 0x80)
}

// index returns the number of the character that begins at pos, or that pos is within.
func (t *text) index(pos int) int {
	t.work += 8
	return sort.Search(len(t.cells), func(i int) bool { return t.cells[i].end > pos })
}

// snapBack returns pos, or the beginning of the character that it is within.
func (t *text) snapBack(pos int) int {
	if i := t.index(pos); i < len(t.cells) {
		return t.cells[i].start
	}
	return len(t.s)
}

// next returns the end of the character at pos, or pos at the end of the text.
func (t *text) next(pos int) int {
	if i := t.index(pos); i < len(t.cells) {
		return t.cells[i].end
	}
	return pos
}

// prev returns the beginning of the character before pos, or 0 at the beginning of the text.
func (t *text) prev(pos int) int {
	if i := t.index(pos); i > 0 {
		return t.cells[i-1].start
	}
	return 0
}

// replace puts with in the place of what is between two places. The cursor moves behind it.
func (t *text) replace(from, to int, with string) error {
	with = valid(with)
	if len(t.s)-(to-from)+len(with) > t.max {
		return ErrLineTooLong
	}
	old := t.s[from:to]
	if old == with {
		t.pos = from + len(with)
		return nil
	}
	t.remember(change{from, old, with, t.pos, t.group})
	t.apply(from, old, with)
	return nil
}

// apply puts with in the place of old. What it is put beside may become one character with it.
func (t *text) apply(at int, old, with string) {
	end := at + len(old)
	t.s = t.s[:at] + with + t.s[end:]
	t.divide(at, end, len(with)-len(old))
	t.revision++
	if t.mark >= end {
		t.mark += len(with) - len(old)
	} else {
		t.mark = min(t.mark, at)
	}
	t.pos = at + len(with)
	if start := t.snapBack(t.pos); start < t.pos {
		t.pos = t.next(start)
	}
	t.mark = min(max(t.mark, 0), len(t.s))
}

// divide divides the text into characters again, after what was between two places was replaced by
// something that is longer by delta. What is before has not changed, but for the last character,
// and neither has what follows from the first border on that was one before.
func (t *text) divide(at, end, delta int) {
	first := max(0, t.index(at)-1)
	rest := first
	from := 0
	if first < len(t.cells) {
		from = t.cells[first].start
	}
	var list []cluster
	for ; from < len(t.s); from = list[len(list)-1].end {
		for rest < len(t.cells) && (t.cells[rest].start < end || t.cells[rest].start+delta < from) {
			rest++
		}
		if rest < len(t.cells) && t.cells[rest].start+delta == from {
			break
		}
		list = append(list, clusterAt(t.s, from))
	}
	if from == len(t.s) {
		rest = len(t.cells)
	}
	for i := rest; i < len(t.cells) && delta != 0; i++ {
		t.cells[i].start += delta
		t.cells[i].end += delta
	}
	t.cells = slices.Replace(t.cells, first, rest, list...)
	t.work += 16*len(list) + len(t.s)/16 // for what was moved
}

// remember keeps a change for undo, as far as there is room.
func (t *text) remember(c change) {
	t.past = append(t.past, c)
	t.pastSize += len(c.old) + len(c.new)
	drop := 0
	for len(t.past)-drop > maxUndo || t.pastSize > 8*t.max && drop < len(t.past)-1 {
		t.pastSize -= len(t.past[drop].old) + len(t.past[drop].new)
		drop++
	}
	if drop > 0 {
		t.past = append(t.past[:0], t.past[drop:]...)
	}
}

// undo takes the last group of changes back. It reports whether there was one.
func (t *text) undo() bool {
	if len(t.past) == 0 {
		return false
	}
	group := t.past[len(t.past)-1].group
	for n := len(t.past) - 1; n >= 0 && t.past[n].group == group; n-- {
		c := t.past[n]
		t.past = t.past[:n]
		t.pastSize -= len(c.old) + len(c.new)
		t.apply(c.at, c.new, c.old)
		t.pos = t.snapBack(min(c.pos, len(t.s)))
	}
	return true
}

// restart changes the whole text, and forgets its past.
func (t *text) restart(s string) {
	s = valid(s)
	if len(s) > t.max {
		s = strings.ToValidUTF8(s[:t.max], "")
	}
	t.s, t.cells, t.pos, t.mark = s, clusters(s), len(s), 0
	t.work += len(s)
	t.past, t.pastSize = nil, 0
	t.revision++
}
