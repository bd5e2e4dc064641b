package wheel_test

import (
	"testing"

	"github.com/go-poe/poe/wheel"
)

// Each script begins in the mode in which keys are inserted.
func TestEditorVi(t *testing.T) {
	for _, test := range []struct{ name, keys, seen string }{
		{"insert", "one two", "> one two|"},
		{"escape", "one two\x1b", "> one tw|o"},
		{"arrows at once", "ac\x1b[Db", "> ab|c"},
		{"moves", "one two.three\x1b0wx", "> one |wo.three"},
		{"ends", "one two.three\x1b0eaX\x1beaY\x1b", "> oneX two|Y.three"},
		{"back", "one two.three\x1bbbix\x1b", "> one two|x.three"},
		{"big words", "a.b c.d e.f\x1b0WdW", "> a.b |e.f"},
		{"big back", "a.b c.d\x1bBD", "> a.b|"},
		{"big end", "a.b c.d\x1b0dE", "> | c.d"},
		{"first print", "  one\x1b^iX\x1b", ">   |Xone"},
		{"line ends", "one\x1bIa\x1bAb\x1b", "> aone|b"},
		{"delete word", "one two three\x1b0dw", "> |two three"},
		{"delete words", "one two three four\x1b02dw", "> |three four"},
		{"delete by count", "one two three four\x1b0d3w", "> |four"},
		{"delete line", "one two\x1bdd", "> |"},
		{"delete to end", "one two\x1b0wD", "> one|"},
		{"delete back", "one two\x1bdb", "> one |o"},
		{"delete nothing", "one\x1b0dh", "> |one"},
		{"change word", "one two\x1b0cwsix\x1b", "> si|x two"},
		{"change one letter", "a two\x1b0cwb\x1b", "> |b two"},
		{"change line", "one two\x1bccx", "> x|"},
		{"change to end", "one two\x1b0wCx", "> one x|"},
		{"yank and put", "one two\x1b0yw$p", "> one twoone|"},
		{"yank line, put before", "ab\x1byyP", "> aa|bb"},
		{"put twice", "ab\x1byy2p", "> ababa|b"},
		{"x", "abcd\x1b02x", "> |cd"},
		{"X", "abcd\x1bX", "> ab|d"},
		{"s", "abcd\x1b02sX", "> X|cd"},
		{"S", "abcd\x1bSX", "> X|"},
		{"r", "abcd\x1b02rX", "> X|Xcd"},
		{"r is cancelled", "abc\x1br\x1bx", "> a|b"},
		{"R", "abcd\x1b0RXY\x1b", "> X|Ycd"},
		{"case", "aBc\x1b03~", "> Ab|C"},
		{"find", "a,b,c\x1b0f,x", "> a|b,c"},
		{"find again", "a,b,c\x1b0f,;x", "> a,b|c"},
		{"find and back", "a,b,c\x1b0f,;,x", "> a|b,c"},
		{"till", "a,b,c\x1b0wt,;x", "> a,|,c"},
		{"delete to find", "one,two\x1b0df,", "> |two"},
		{"delete till", "one,two\x1b0dt,", "> |,two"},
		{"delete find back", "one,two\x1bdF,", "> one|o"},
		{"delete till back", "one,two\x1bdT,", "> one,|o"},
		{"find fails", "one\x1b0dfxx", "> |ne"},
		{"match", "a(b[c])d\x1b0%x", "> a(b[c]|d"},
		{"match back", "(a)\x1b%x", "> |a)"},
		{"delete match", "f(a(b))c\x1b0d%", "> |c"},
		{"match fails", "(a\x1b0d%", "> |(a"},
		{"column", "abcdef\x1b4|x", "> abc|ef"},
		{"mark", "abcdef\x1b0lmb$`bx", "> a|cdef"},
		{"no mark", "abc\x1b`z", "> ab|c"},
		{"undo", "one\x1b0xxu", "> |ne"},
		{"undo all", "one\x1b0xxU", "> |"},
		{"undo insert", "one\x1baxyz\x1bu", "> on|e"},
		{"redo", "one two three\x1b0dw.", "> |three"},
		{"redo insert", "ab\x1b0ix\x1b..", "> |xxxab"},
		{"redo change", "a b c\x1b0cwX\x1bw.w.", "> X X |X"},
		{"redo count", "abcdef\x1b0x3.", "> |ef"},
		{"redo first insert", "ab\x1b.", "> aa|bb"},
		{"redo nothing", "\x1b.", "> |"},
		{"cancelled", "one\x1b0d\x1bx", "> |ne"},
		{"no movement", "one\x1b0dyx", "> |ne"},
		{"unknown", "one\x1b0Zx", "> |ne"},
		{"escape twice", "ab\x1b\x1bx", "> |a"},
		{"wide", "日本語\x1bhx", "> 日|語"},
		{"emacs", "ab\x1b\x05\x02x", "> x|ab"},
		{"tilde", "~/x\x1b&", "> /home/user/|x"},
		{"history", "\x1bk", "> |second line"},
		{"history and back", "new\x1bkkj", "> |second line"},
		{"first of history", "\x1bG", "> |first line"},
		{"history by number", "\x1b2G", "> |second line"},
		{"search", "\x1b/first\rx", "> |irst line"},
		{"search again", "\x1b/line\rn", "> |first line"},
		{"search forward", "\x1bkk?line\r", "> |second line"},
		{"search other way", "\x1bkk?line\rN", "> |first line"},
		{"search is cancelled", "ab\x1b/xy\x1bx", "> |a"},
		{"yank argument", "ab\x1b_", "> ab line|"},
		{"yank an argument", "ab\x1b1_", "> ab second|"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("HOME", "/home/user")
			d := newDesk(t, wheel.EditorOptions{})
			if err := d.e.SetOption("editing-mode", "vi"); err != nil {
				t.Fatal(err)
			}
			d.e.AddHistory("first line", "second line")
			d.begin("> ")
			for i, c := range []byte(test.keys) {
				d.types(string([]byte{c}))
				if c == 0x1b && (i+1 == len(test.keys) || test.keys[i+1] != '[') {
					d.pause()
				}
			}
			d.sees(test.seen)
		})
	}
}

// The escape key is decided by what follows, or by nothing that does.
func TestEditorUndecided(t *testing.T) {
	d := newDesk(t, wheel.EditorOptions{})
	if err := d.e.SetOption("editing-mode", "vi"); err != nil {
		t.Fatal(err)
	}
	d.begin("> ")
	d.types("ab\x1b")
	if !d.e.Undecided() || d.e.KeyTimeout() <= 0 {
		t.Fatal("escape is decided")
	}
	d.sees("> ab|")
	d.types("x") // no key begins so
	d.sees("> |a")
	d.types("\x04")
	d.reads("a")
	if d.e.Undecided() {
		t.Error("something is undecided where nothing is read")
	}
}
