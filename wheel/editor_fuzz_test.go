package wheel_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"github.com/go-poe/poe/wheel"
)

// Whatever is typed, in whatever pieces, the line is text, the cursor is between characters, and
// the user sees the line and the cursor as they are.
func FuzzEditor(f *testing.F) {
	f.Add([]byte("one two\x01\x1bd\x19\x1by\x1f\x14\x1bt\x1bu"), uint8(20), uint8(5), false)
	f.Add([]byte("日本語\x02\x02é👩‍👧\x02\x04\b\x1b5x\x1b[D\x1b[200~a\r\n\tb\x1b[201~"),
		uint8(3), uint8(2), false)
	f.Add([]byte("\x12git\x12\x13\x07\x10\x10\x0e\x1bpadd\r\x16\x1b\x16\t\x18(ab\x18)\x18e"),
		uint8(10), uint8(3), false)
	f.Add([]byte("one\x1b02dwcwx\x1b.uUf,;,~rxRy\x1b/a\rnN%|p3P"), uint8(7), uint8(2), true)
	f.Fuzz(func(t *testing.T, keys []byte, cols, rows uint8, vi bool) {
		c, r := max(int(cols), 4), max(int(rows), 1)
		e := wheel.NewEditor(wheel.EditorOptions{
			Cols: c, Rows: r, MaxLine: 300, MaxHistory: 5, Complete: commands,
		})
		if vi {
			_ = e.SetOption("editing-mode", "vi")
		}
		e.AddHistory("git add", "make 日本 test", "git push")
		d := newDisplay(c, r)
		prompt := ""
		for piece := 1; len(keys) > 0; piece = piece%7 + 1 {
			if !e.Reading() {
				prompt = string(rune('a'+len(keys)%26)) + ">"
				e.Begin(prompt)
			}
			n := e.Feed(keys[:min(piece, len(keys))])
			if n == 0 {
				t.Fatal("nothing was taken")
			}
			keys = keys[n:]
			if piece == 3 && e.Undecided() {
				e.Decide()
			}
			if piece == 5 {
				e.Print("printed")
				e.AddHistory(e.Line())
			}
			d.write(e.Output())
			if len(d.bad) > 0 {
				t.Fatalf("the terminal got %v", d.bad)
			}
			checkLine(t, e)
			if e.Reading() {
				checkDisplay(t, d, prompt, e.Line(), e.Cursor())
			}
		}
	})
}

// checkLine checks that the line is text, and the cursor between its characters.
func checkLine(t *testing.T, e *wheel.Editor) {
	t.Helper()
	line, cursor := e.Line(), e.Cursor()
	if len(line) > 300 || !utf8.ValidString(line) {
		t.Fatalf("the line is %q", line)
	}
	ends := []int{0}
	for g := uniseg.NewGraphemes(line); g.Next(); {
		_, to := g.Positions()
		ends = append(ends, to)
	}
	if crlf := cursor > 0 && cursor < len(line) && line[cursor-1:cursor+1] == "\r\n"; crlf {
		return // which are two here
	}
	if !slices.Contains(ends, cursor) {
		t.Fatalf("the cursor is at %d in %q", cursor, line)
	}
}

// checkDisplay checks that the user sees the line, where it is not a search that is seen, and where
// there is room for it.
func checkDisplay(t *testing.T, d *display, prompt, line string, cursor int) {
	t.Helper()
	want := expect(d.cols, d.rows+100, prompt, line, cursor)
	at := *want
	plainly(&at, firstOf(line[cursor:]))
	wantRow, wantCol := want.row, want.col
	if want.wrap {
		wantRow, wantCol = wantRow+1, 0
	} else if first := wheel.Printable(firstOf(line[cursor:])); uniseg.StringWidth(first) == 2 &&
		!strings.HasPrefix(first, "^") && want.col == d.cols-1 {
		wantRow, wantCol = wantRow+1, 0
	}
	rows := len(want.lines())
	if rows >= d.rows || wantRow >= d.rows || wantRow > d.row {
		return
	}
	top := d.row - wantRow
	if !strings.HasPrefix(strings.Join(d.grid[top], ""), prompt) {
		return
	}
	got := d.lines()
	got = got[min(top, len(got)):]
	if d.cols > 9 && !slices.Equal(got, want.lines()) || d.col != wantCol {
		t.Fatalf("the user sees\n%s\nand not\n%s\nfor %q, the cursor at %d, %d",
			d.seen(), strings.Join(want.lines(), "\n"), line, wantRow, wantCol)
	}
}

// firstOf returns the first character of s.
func firstOf(s string) string {
	c, _, _, _ := uniseg.FirstGraphemeClusterInString(s, -1)
	return c
}

// Whatever an inputrc has in it, it is read, and what it binds can be typed.
func FuzzConfigure(f *testing.F) {
	f.Add("\"\\C-x\\C-r\": \"\\M-\\C-a\\x1f\\7\"\nControl-Meta-é: abort\nset keymap vi\n" +
		"$if mode=vi\n$else\n$endif")
	f.Fuzz(func(t *testing.T, text string) {
		e := wheel.NewEditor(wheel.EditorOptions{MaxLine: 300})
		_ = e.Configure("rc", text, func(string) ([]byte, error) { return []byte(text), nil })
		e.Begin("> ")
		e.Feed([]byte(text))
		checkLine(t, e)
	})
}
