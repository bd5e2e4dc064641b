package wheel_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-poe/poe/wheel"
)

func TestEditorRecall(t *testing.T) {
	for _, test := range []struct {
		name, keys, seen string
		bells            int
	}{
		{"last", "\x10", "> git push|", 0},
		{"by arrow", "\x1b[A\x1b[A", "> make test|", 0},
		{"back to the new line", "new\x10\x10\x0e\x0e", "> new|", 0},
		{"no further", "\x0e\x1b3\x10\x10\x10", "> git add|", 3},
		{"ends", "new\x1b<\x01x\x1b>", "> new|", 0},
		{"a changed line is kept", "\x10!\x10\x0e", "> git push!|", 0},
		{"undo is that of the line", "\x10!\x1f\x1f", "> git push|", 1},
		{"last argument", "x \x1b.", "> x push|", 0},
		{"last arguments", "x \x1b.\x1b.\x1b.", "> x add|", 0},
		{"no more arguments", "x \x1b.\x1b.\x1b.\x1b.", "> x add|", 1},
		{"argument of a number", "\x1b0\x1b\x19", "> git|", 0},
		{"argument that is not there", "\x1b7\x1b\x19", "> |", 1},
		{"search", "\x12git", "(reverse-i-search)`git': |git push", 0},
		{"search on", "\x12git\x12", "(reverse-i-search)`git': |git add", 0},
		{"search there and back", "\x12git\x12\x13", "(i-search)`git': |git push", 0},
		{"search fails", "\x12gitx", "(failed reverse-i-search)`gitx': |git pus\nh", 1},
		{"search less", "\x12make\b\b\b\bp", "(reverse-i-search)`p': git |push", 0},
		{"search less than nothing", "\x12\b", "(reverse-i-search)`': |", 1},
		{"search ends by a key", "\x12tes\x05!", "> make test!|", 0},
		{"search ends by an arrow", "\x12tes\x1b[Cx", "> make tx|est", 0},
		{"search ends", "\x12tes\nx", "> make x|test", 0},
		{"search is given up", "new\x12tes\x07", "> new|", 0},
		{"search for the last", "\x12tes\n\x0e\x12\x12", "(reverse-i-search)`tes': make |test", 0},
		{"paste is searched for", "\x12\x1b[200~add\x1b[201~", "(reverse-i-search)`add': git |add", 0},
		{"search in the line", "one two one\x12one", "(reverse-i-search)`one': one two |one", 0},
		{"search on in the line", "one two one\x12one\x12", "(reverse-i-search)`one': |one two one", 0},
		{"search forward", "\x1b<\x13pu", "(i-search)`pu': git |push", 0},
		{"ask", "\x1bpadd", "?add|", 0},
		{"ask and find", "\x1bpadx\bd\r", "> git add|", 0},
		{"ask and find forward", "\x1b<\x1bnpush\r", "> git push|", 0},
		{"ask for nothing", "\x1bp\x15\r", "> |", 1},
		{"ask no more", "ab\x1bp\b", "> ab|", 0},
		{"ask by a key that is none", "\x1bp\x1b[Ax\x07", "> |", 1},
		{"argument is shown", "\x1b1" + "2", "(arg: 12) |", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDesk(t, wheel.EditorOptions{})
			d.e.AddHistory("git add", "make test", "git push")
			d.begin("> ")
			d.types(test.keys)
			d.sees(test.seen)
			d.hears(test.bells)
		})
	}
}

// A search is ended by the escape key, and by what a variable has in its place.
func TestEditorTerminators(t *testing.T) {
	d := newDesk(t, wheel.EditorOptions{})
	d.e.AddHistory("one", "two")
	d.begin("> ")
	d.types("\x12on\x1b")
	d.pause()
	d.types("b")
	d.sees("> b|one")
	if err := d.e.SetOption("isearch-terminators", `"q"`); err != nil {
		t.Fatal(err)
	}
	d.types("\x13twq")
	d.sees("> |two")
}

// Lines that begin as this one does.
func TestEditorPrefix(t *testing.T) {
	d := newDesk(t, wheel.EditorOptions{})
	for keys, name := range map[string]string{
		"up": "history-search-backward", "down": "history-search-forward",
	} {
		if err := d.e.Bind(keys, name); err != nil {
			t.Fatal(err)
		}
	}
	d.e.AddHistory("git add", "make", "git push")
	d.begin("> ")
	d.types("git\x1b[A")
	d.sees("> git| push")
	d.types("\x1b[A")
	d.sees("> git| add")
	d.types("\x1b[A")
	d.hears(1)
	d.types("\x1bOB")
	d.sees("> git| push")
}

// A line that is entered by C-o brings the next one.
func TestEditorOperate(t *testing.T) {
	d := newDesk(t, wheel.EditorOptions{})
	d.e.AddHistory("one", "two", "three")
	d.begin("> ")
	d.types("\x1b<\x0f")
	d.reads("one")
	d.e.AddHistory("one")
	d.begin("> ")
	d.sees("> one\n> two|")
	d.types("\x0f")
	d.begin("> ")
	d.types("!\r")
	d.reads("three!")
}

// The history has a limit, also while the user is in it.
func TestEditorHistoryLimit(t *testing.T) {
	d := newDesk(t, wheel.EditorOptions{MaxHistory: 3})
	d.e.AddHistory("a", "b", "c")
	d.begin("> ")
	d.types("new\x10\x10!")
	d.e.AddHistory("d")
	if got := d.e.History(); !slices.Equal(got, []string{"b", "c", "d"}) {
		t.Errorf("got %q", got)
	}
	d.types("\x0e")
	d.sees("> c|")
	d.types("\x10")
	d.sees("> b!|")
	d.types("\x1b>")
	d.sees("> new|")
	d.e.AddHistory(strings.Split("1 2 3 4 5", " ")...)
	d.types("\x1b<")
	d.sees("> 3|")
}
