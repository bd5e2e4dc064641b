package wheel_test

import (
	"fmt"
	"testing"

	"github.com/go-poe/poe/wheel"
)

// The functions that no key has, or few terminals, do what they are named for.
func TestEditorUnbound(t *testing.T) {
	for _, test := range []struct {
		functions []string // bound to \C-xa, \C-xb and so on
		keys      string
		seen      string
		bells     int
	}{
		{[]string{"universal-argument"}, "\x18ax\x18a\x18ay\x18a2z",
			"> xxxxyyyyyyyyyyyyyyyyzz|", 0},
		{[]string{"kill-region"}, "one two\x1bb\x00\x05\x18a\x19\x19", "> one twotwo|", 0},
		{[]string{"kill-region"}, "one\x00\x18a", "> one|", 1},
		{[]string{"copy-region-as-kill"}, "one two\x00\x1bb\x18a\x05\x19", "> one twotwo|", 0},
		{[]string{"copy-region-as-kill"}, "\x00\x18a", "> |", 1},
		{[]string{"copy-backward-word", "copy-forward-word"}, "one two\x18a\x19\x01\x18b\x05\x19",
			"> one twotwoone|", 0},
		{[]string{"kill-whole-line"}, "one\x02\x18a\x19!", "> one!|", 0},
		{[]string{"unix-filename-rubout"}, "a/b/c\x18a\x18a", "> a/|", 0},
		{[]string{"delete-char-or-list"}, "ab\x01\x18a\x18a\x18a", "> |", 1},
		{[]string{"forward-backward-delete-char"}, "abc\x18a\x01\x18a", "> |b", 0},
		{[]string{"redraw-current-line"}, "abc\x18a", "> abc|", 0},
		{[]string{"vi-undo"}, "one\x17\x18a", "> one|", 0},
		{[]string{"kill-word"}, "one two\x1b-\x18a", "> one |", 0},
		{[]string{"no-such-function"}, "a\x18ab", "> ab|", 1},
		{nil, "abcd\x1b-\x14", "> abdc|", 0},
		{nil, "abcd\x02\x1b-\x1b2\x14", "> c|abd", 0},
		{nil, "a\x02\x1b-\x14", "> |a", 1},
		{nil, "one two three\x01\x1bf\x1b2\x1bt", "> three two one|", 0},
		{nil, "a\x1b[[Ab", "> ab|", 1},
		{nil, "a\x1b[" + seventy + "mb", "> ab|", 1},
		{nil, "\x18(\x18(a\x18)", "> a|", 1},
		{nil, "a\x1b0x\x1b0\x1bd", "> a|", 1},
		{nil, "\x1b--5x", "> 5x|", 0},
		{nil, "12345\x1b-3\x04", "> 12|", 0},
	} {
		t.Run(fmt.Sprint(test.functions, test.keys), func(t *testing.T) {
			d := newDesk(t, wheel.EditorOptions{})
			for i, name := range test.functions {
				if err := d.e.Bind(`\C-x`+string(rune('a'+i)), name); err != nil {
					t.Fatal(err)
				}
			}
			d.begin("> ")
			d.types(test.keys)
			d.sees(test.seen)
			d.hears(test.bells)
		})
	}
}

const seventy = "0000000000000000000000000000000000000000000000000000000000000000000000"

// In a prompt, what sets colours takes no room, and can be marked as such.
func TestEditorPrompt(t *testing.T) {
	for _, prompt := range []string{
		"\x1b[1;31mred\x1b[0m> ", "\x01\x1b[1;31m\x02red> ", "red> ",
	} {
		d := newDesk(t, wheel.EditorOptions{Cols: 10, Rows: 4})
		d.begin(prompt)
		d.types("12345\x01x")
		d.sees("red> x|1234\n5")
		d.begin("\x1b[31m" + prompt)
		d.sees("red> x|1234\n5")
	}
	for prompt, want := range map[string]string{
		"\x01open": "^Aopen|", "\x1b]0;": "^[]0;|", "\x1b[1": "^[[1|", "\x1b[\x01": "^[[^A|",
		"a\xff": "a\ufffd|",
	} {
		d := newDesk(t, wheel.EditorOptions{Cols: 10, Rows: 4})
		d.begin(prompt)
		d.sees(want)
	}
}

// The past that can be undone has a limit.
func TestEditorUndoLimit(t *testing.T) {
	d := newDesk(t, wheel.EditorOptions{Cols: 300, Rows: 24})
	d.begin("> ")
	for range 1200 {
		d.types("x\x02")
	}
	n := 0
	for d.e.Line() != "" && d.d.bells == 0 {
		d.types("\x1f")
		n++
	}
	if n != 1001 || len(d.e.Line()) != 200 {
		t.Errorf("%d changes were undone, and %d are left", n, len(d.e.Line()))
	}
}

// In vi's manner, words are completed up to the cursor, and inserting goes on behind them.
func TestEditorViComplete(t *testing.T) {
	for _, test := range []struct{ keys, seen string }{
		{"q\x1b\\!", "> quit !|"},
		{"q\x1b*!", "> quit !|"},
		{"hel\x1b=", "> hel\nhelp         hello world\n> he|l"},
	} {
		d := newDesk(t, wheel.EditorOptions{Complete: commands, Cols: 30, Rows: 8})
		if err := d.e.SetOption("editing-mode", "vi"); err != nil {
			t.Fatal(err)
		}
		d.begin("> ")
		d.types(test.keys)
		d.sees(test.seen)
	}
}
