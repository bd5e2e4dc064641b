package wheel_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-poe/poe/wheel"
)

// commands knows a few words at the beginning of a line.
func commands(word, _ string, start int) []string {
	var list []string
	for _, c := range []string{"help", "history", "hello world", "quit"} {
		if start == 0 && strings.HasPrefix(c, word) {
			list = append(list, c)
		}
	}
	return list
}

func TestEditorComplete(t *testing.T) {
	for _, test := range []struct {
		keys, seen string
		bells      int
	}{
		{"q\t", "> quit |", 0},
		{"q x\x01\x06\t", "> quit| x", 0},
		{"x\t", "> x|", 1},
		{"q q\t", "> q q|", 1},
		{"he\t", "> hel|", 1},
		{"h\t\t", "> h\nhelp         hello world\nhistory\n> h|", 1},
		{"he\x1b?", "> he\nhelp         hello world\n> he|", 0},
		{"x\x1b?", "> x|", 1},
		{"hi\x1b*", "> history |", 0},
		{"x\x1b*", "> x|", 1},
	} {
		d := newDesk(t, wheel.EditorOptions{Complete: commands, Cols: 30, Rows: 8})
		d.begin("> ")
		d.types(test.keys)
		d.sees(test.seen)
		d.hears(test.bells)
	}
}

// The completions are shown at once, and in rows, if the user wants that.
func TestEditorCompleteOptions(t *testing.T) {
	d := newDesk(t, wheel.EditorOptions{Complete: commands, Cols: 30, Rows: 8})
	for _, name := range []string{"show-all-if-ambiguous", "print-completions-horizontally"} {
		if err := d.e.SetOption(name, "on"); err != nil {
			t.Fatal(err)
		}
	}
	d.begin("> ")
	d.types("h\t")
	d.sees("> h\nhelp         history\nhello world\n> h|")
	d.hears(0)
}

// Whoever knows far too many words does not fill the screen with them, nor a row with an escape
// sequence, and what is not UTF-8 does not get into the line.
func TestEditorCompleteTooMuch(t *testing.T) {
	know := func(string, string, int) []string {
		list := []string{"\x1b[2Jred\xff"}
		for i := range 100_000 {
			list = append(list, fmt.Sprint("much longer ", i))
		}
		return list
	}
	d := newDesk(t, wheel.EditorOptions{Cols: 20, Rows: 5, Complete: know})
	d.begin("> ")
	d.types("\x1b?")
	if got := d.d.lines(); len(got) != 5 || !strings.HasPrefix(got[3], "... and 9") || got[4] != ">" {
		t.Errorf("the user sees %q", got)
	}
}

// What can be shown of the bindings, the variables and the functions is shown.
func TestEditorDumps(t *testing.T) {
	d := newDesk(t, wheel.EditorOptions{Cols: 80, Rows: 300})
	err := d.e.Configure("rc", `
"\C-xf": dump-functions
"\C-xv": dump-variables
"\C-xm": dump-macros
"\C-xk": dump-key
"\C-xi": insert-macro
"\C-xq": "say \"x\""
`, nil)
	if err != nil {
		t.Fatal(err)
	}
	d.begin("> ")
	d.types("\x18f\x18v\x18m\x18k\x1b")
	got := strings.Join(d.d.lines(), "\n")
	for _, want := range []string{
		`"\C-a": beginning-of-line`, "# vi-redo (not bound)", "set bell-style audible",
		`"\C-xq": "say \"x\""`, "\n" + `"\e"` + "\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the user does not see %s in\n%s", want, got)
		}
	}
	d.types("\x0c\x18(a\x18)\x18i")
	d.sees("> aa|")
}
