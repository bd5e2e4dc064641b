package wheel_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/wheel"
)

// Each script is typed, and what is read, and seen just before that, is as written. The first six
// are what POE's own test asks for (T-118).
func TestEditor(t *testing.T) {
	for _, test := range []struct {
		name, keys string
		seen       string // with | for the cursor
		bells      int
	}{
		{"typing", "this is a line", "> this is a line|", 0},
		{"deleting", "xhis is a tessst\b\b\bt\x01\x04t", "> t|his is a test", 0},
		{"moving", "one three\x01\x02\x1bb\x06\x06\x06 two\x1bf\x1bf\x06\x05!", "> one two three!|", 4},
		{"killing words", "one two three four\x1bb\x1b\x7f\x01\x1bd\x1bd", "> | four", 0},
		{"case", "lower upper other\x01\x1bu\x02\x02\x1bl\x06\x06\x06\x06\x1bu\x1bc",
			"> LOWer uppER Other|", 0},
		{"transposing", "ab two one\x02\x02\x02\x1bt\x01\x06\x14", "> ba| one two", 0},

		{"bad move", "\x02\x06\x1bb\x1bf", "> |", 4},
		{"delete nothing", "\b\x1b\x7f\x1bd", "> |", 3},
		{"kill and yank", "one two\x01\x0b\x19 \x19", "> one two one two|", 0},
		{"kills in a row", "one two three\x17\x17\x19\x19", "> one two threetwo three|", 0},
		{"yank pop", "one\x15two\x15\x19\x1by", "> one|", 0},
		{"yank pop wraps", "one\x15two\x15\x19\x1by\x1by", "> two|", 0},
		{"yank pop alone", "one\x1by", "> one|", 1},
		{"yank nothing", "\x19", "> |", 1},
		{"kill line back", "one two\x02\x02\x02\x15", "> |two", 0},
		{"kill with minus", "one two\x02\x1b-\x0b", "> |o", 0},
		{"kill big word", "one two-three \x17", "> one |", 0},
		{"undo typing", "one two\x1f", "> one|", 0},
		{"undo kill", "one two\x17\x1f", "> one two|", 0},
		{"undo all", "one\x17two\x1br", "> |", 0},
		{"undo nothing", "\x1f", "> |", 1},
		{"transpose at end", "ab\x14", "> ba|", 0},
		{"transpose one", "a\x14", "> a|", 1},
		{"transpose words in line", "one, two three\x01\x1bf\x1bf\x1bt", "> one, three two|", 0},
		{"transpose one word", "one\x1bt", "> one|", 1},
		{"capitals", "über straße\x01\x1bu\x1bc", "> ÜBER Straße|", 0},
		{"case back", "one TWO\x1b-\x1bl", "> one two|", 0},
		{"quoted", "\x16\x01\x16\x1b\x16\t.", "> ^A^[  .|", 0},
		{"argument", "\x1b5x\x1b12y", "> xxxxxyyyyyyyyyyyy|", 0},
		{"negative argument", "abcdef\x1b-2\x06X", "> abcdX|ef", 0},
		{"argument deletes", "abcdef\x1b3\b\x19", "> abcdef|", 0},
		{"character search", "a,b,c\x01\x1d,\x1d,X", "> a,bX|,c", 0},
		{"character search back", "a,b,c\x1b\x1d,X", "> a,bX|,c", 0},
		{"character search fails", "abc\x01\x1dx", "> |abc", 1},
		{"spaces", "a   b\x02\x02\x1b\\", "> a|b", 0},
		{"mark", "one two\x00\x01\x18\x18X", "> one twoX|", 0},
		{"overwrite", "abcd\x01\x1b[2~XY", "> XY|cd", 0},
		{"arrows", "ac\x1b[Db\x1bOC!", "> abc!|", 0},
		{"home and end", "bc\x1b[Ha\x1b[F!\x1bOHx\x1b[4~y\x1b[1~z", "> z|xabc!y", 0},
		{"delete key", "abc\x01\x1b[3~", "> |bc", 0},
		{"control arrows", "one two\x1b[1;5DX", "> one X|two", 0},
		{"unknown keys", "a\x1b[99~b\x1b[1;2;3Zc\x1bOzd", "> abcd|", 3},
		{"unknown meta", "a\x1b\x01b", "> ab|", 1},
		{"meta capital", "one two\x01\x1bF!", "> one!| two", 0},
		{"paste", "a\x1b[200~\x01b\r\nc\td\x1b[C\r\n\x1b[201~e", "> a^Ab c        d^[[Ce|", 0},
		{"umlauts", "äöü\x02\b", "> ä|ü", 0},
		{"accents", "e\u0301a\u0308\x02\x02\x04", "> |a\u0308", 0},
		{"wide", "日本語\x02\b", "> 日|語", 0},
		{"emoji", "👩‍👧🇩🇪👍🏽\x02\b", "> 👩‍👧|👍🏽", 0},
		{"joined", "👩👧\x02\u200dx", "> 👩‍👧x|", 0},
		{"not UTF-8", "a\xffb\xc3(", "> a\ufffdb\ufffd(|", 0},
		{"not shown", "a\u202eb\u0085\u200b", "> a<U+202E>b<U+0085><U+200B>|", 0},
		{"accent alone", "\u0301a", "> <U+0301>a|", 0},
		{"macro", "\x18(ab\x18)\x18e\x18e", "> ababab|", 0},
		{"macro argument", "\x18(a\x18)\x1b3\x18e", "> aaaa|", 0},
		{"no macro", "\x18e\x18)", "> |", 2},
		{"redraw", "one\x0c", "> one|", 0},
		{"tilde", "~\x1b~", "> /home/user|", 0},
		{"no tilde", "a~\x1b~", "> a~|", 1},
		{"tab without words", "a\t", "> a|", 1},
		{"half a key", "a\x1b[", "> a|", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("HOME", "/home/user")
			d := newDesk(t, wheel.EditorOptions{})
			d.begin("> ")
			d.types(test.keys)
			d.sees(test.seen)
			d.hears(test.bells)
			want := d.e.Line()
			if strings.HasSuffix(test.keys, "\x1b[") {
				d.types("C")
			}
			d.types("\r")
			d.reads(want)
		})
	}
}

// What is typed at once comes to the same as what is typed key by key.
func TestEditorAtOnce(t *testing.T) {
	d := newDesk(t, wheel.EditorOptions{})
	d.begin("> ")
	keys := "one two\x01\x1bd日本\x1b[Cé\rthree\r"
	n := d.e.Feed([]byte(keys))
	d.show()
	d.reads("日本 étwo")
	d.sees("> 日本 étwo\n|")
	d.begin("> ")
	if m := d.e.Feed([]byte(keys[n:])); n+m != len(keys) {
		t.Errorf("%d of %d bytes were taken", n+m, len(keys))
	}
	d.reads("three")
}

// A line ends in other ways than by its end.
func TestEditorEnds(t *testing.T) {
	for _, test := range []struct {
		keys string
		want error
		seen string
	}{
		{"ab\x03", wheel.ErrInterrupt, "> ab\n|"},
		{"ab\x07", wheel.ErrCancel, "> ab\n|"},
		{"\x04", io.EOF, "> \n|"},
		{"ab\x02\x04\b\x04", io.EOF, "> \n|"},
	} {
		d := newDesk(t, wheel.EditorOptions{})
		d.begin("> ")
		d.types(test.keys)
		if line, err := d.e.Result(); line != "" || !errors.Is(err, test.want) || d.e.Reading() {
			t.Errorf("%q: got %q, %v, want %v", test.keys, line, err, test.want)
		}
		d.sees(strings.ReplaceAll(test.seen, " \n", "\n"))
		if d.e.Feed([]byte("x")) != 0 {
			t.Error("a key was taken when the line was over")
		}
	}
}

// A comment is a line, too.
func TestEditorComment(t *testing.T) {
	d := newDesk(t, wheel.EditorOptions{})
	d.begin("> ")
	d.types("rm -r\x1b#")
	d.reads("#rm -r")
	d.begin("> ")
	d.types("#rm -r\x1b1\x1b#")
	d.reads("rm -r")
}

// A line that is longer than a row goes on in the next one.
func TestEditorWraps(t *testing.T) {
	d := newDesk(t, wheel.EditorOptions{Cols: 10, Rows: 4})
	d.begin("> ")
	d.types("12345678")
	d.sees("> 12345678\n|")
	d.types("9")
	d.sees("> 12345678\n9|")
	d.types("\b\x02")
	d.sees("> 1234567|8")
	d.types("\x01x")
	d.sees("> x|1234567\n8")
	d.types("\x04\x04\x04")
	d.sees("> x|45678")
	d.types("\x0b日日日日日")
	d.sees("> x日日日\n日日|")
	d.types("\x02\x02")
	d.sees("> x日日日\n|日日")
	d.types("\x02a")
	d.sees("> x日日a|日\n日日")
	d.types("\r")
	d.sees("> x日日a日\n日日\n|")
	d = newDesk(t, wheel.EditorOptions{Cols: 10, Rows: 4})
	d.begin("> ")
	d.types("12345678日\x01\x04")
	d.sees("> |2345678\n日")
}

// What the terminal has no room for is not shown, but for what is around the cursor.
func TestEditorWindow(t *testing.T) {
	d := newDesk(t, wheel.EditorOptions{Cols: 4, Rows: 3})
	d.begin("> ")
	d.types("abcdefghijklmnop")
	d.sees("ghij\nklmn\nop|")
	d.types("\x01")
	d.sees("> |ab\ncdef\nghij")
	d.types("\x1b8\x06")
	d.sees("> ab\ncdef\ngh|ij")
	d.types("\x05")
	d.sees("ghij\nklmn\nop|")
	d.types("\x15x")
	d.sees("> x|")
}

// What is printed while a line is typed comes above it.
func TestEditorPrint(t *testing.T) {
	d := newDesk(t, wheel.EditorOptions{Cols: 20, Rows: 5})
	d.e.Print("before")
	d.begin("first\n\x1b[1mname\x1b[m: ")
	d.types("ab\x02")
	d.e.Print("one", "two\nthree")
	d.show()
	d.sees("first\none\ntwo\nthree\nname: a|b")
	d.begin("other? ")
	d.sees("first\none\ntwo\nthree\nother? a|b")
	d.types("\x0c")
	d.sees("other? a|b")
	d.types("\r")
	d.e.Print("after")
	d.show()
	d.sees("other? ab\nafter\n|")
}

// When the window changes its size, the line is shown anew.
func TestEditorResize(t *testing.T) {
	d := newDesk(t, wheel.EditorOptions{Cols: 10, Rows: 5})
	d.e.Print("above")
	d.begin("> ")
	d.types("1234567890ab\x02")
	d.sees("above\n> 12345678\n90a|b")
	wide := newDisplay(20, 5) // as most terminals have it: what was one line is one again
	wide.write([]byte("above\r\n> 1234567890ab\b"))
	d.d = wide
	d.e.Resize(20, 5)
	d.show()
	d.sees("above\n> 1234567890a|b")
	narrow := newDisplay(5, 8)
	narrow.write([]byte("above\r\n> 1234567890ab\b"))
	d.d = narrow
	d.e.Resize(5, 8)
	d.show()
	d.sees("above\n> 123\n45678\n90a|b")
	d.types("\x01x\r")
	d.reads("x1234567890ab")
}

// Where the terminal was used by others, the line is shown again.
func TestEditorLeave(t *testing.T) {
	d := newDesk(t, wheel.EditorOptions{Cols: 20, Rows: 5})
	d.begin("> ")
	d.types("ab\x02")
	d.e.Leave()
	d.show()
	if d.d.paste {
		t.Error("what is pasted is still marked")
	}
	d.d.write([]byte("$ fg\r\n"))
	d.e.Restore(20, 5)
	d.show()
	if !d.d.paste {
		t.Error("what is pasted is not marked")
	}
	d.sees("> ab\n$ fg\n> a|b")
}

// A line has a limit, and what would exceed it is not there at all.
func TestEditorLimit(t *testing.T) {
	d := newDesk(t, wheel.EditorOptions{MaxLine: 8})
	d.begin("> ")
	d.types("12345678")
	d.hears(0)
	d.types("9")
	d.hears(1)
	d.types("\b\b\x1b[200~abc\x1b[201~")
	d.hears(1)
	d.types("\x1b[200~" + strings.Repeat("x", 100) + "\x1b[201~")
	d.hears(1)
	d.types("\x1b99x")
	d.hears(1)
	d.sees("> 123456|")
	if err := d.e.Insert("日"); err != wheel.ErrLineTooLong {
		t.Errorf("got %v, want ErrLineTooLong", err)
	}
	if err := d.e.SetLine("123456789", 0); err != wheel.ErrLineTooLong {
		t.Errorf("got %v, want ErrLineTooLong", err)
	}
	d.e.AddHistory(strings.Repeat("日", 5))
	d.types("\x10")
	d.sees("> 日日|")
}

// What takes long is done a piece at a time.
func TestEditorFlood(t *testing.T) {
	d := newDesk(t, wheel.EditorOptions{})
	d.begin("> ")
	for _, keys := range []string{
		"\x1b[200~" + strings.Repeat("日", 5000) + "\x1b[201~\x02",
		strings.Repeat("x日\b", 1000),
		strings.Repeat("\x1b99999\x02\x06\x1bt\x14\x1bu", 500),
		strings.Repeat("\x0c", 500),
	} {
		feeds := 0
		for ; keys != ""; feeds++ {
			keys = keys[d.e.Feed([]byte(keys)):]
			if n := len(d.e.Output()); n > 1<<20 {
				t.Errorf("there were %d bytes to be shown", n)
			}
		}
		if feeds > 100 {
			t.Errorf("that took %d times", feeds)
		}
	}
}

// A key that stands for itself, and for more, ends; one that stands for too much does, too.
func TestEditorMacrosEnd(t *testing.T) {
	d := newDesk(t, wheel.EditorOptions{MaxLine: 100})
	for keys, macro := range map[string]string{"a": "aa", "b": "cc", "c": "dd", "d": "x"} {
		if err := d.e.BindMacro(keys, macro); err != nil {
			t.Fatal(err)
		}
	}
	d.begin("> ")
	d.types("b")
	d.sees("> xxxx|")
	d.hears(0)
	began := time.Now()
	d.types("a")
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("that took %v", took)
	}
	if d.d.bells == 0 {
		t.Error("the bell did not ring")
	}
}

// A function of the program's own sees the line and changes it.
func TestEditorFunction(t *testing.T) {
	d := newDesk(t, wheel.EditorOptions{})
	d.e.AddFunction("reverse-line", func(e *wheel.Editor) {
		n, given := e.Arg()
		if given && n == 2 {
			e.Bell()
		}
		r := []rune(e.Line())
		for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
			r[i], r[j] = r[j], r[i]
		}
		if err := e.SetLine(string(r), e.Cursor()); err != nil {
			t.Error(err)
		}
		if e.Key() != "\x18r" || wheel.KeyName(e.Key()) != `\C-xr` {
			t.Errorf("called by %q, %s", e.Key(), wheel.KeyName(e.Key()))
		}
	})
	if err := d.e.Bind(`\C-xr`, "reverse-line"); err != nil {
		t.Fatal(err)
	}
	d.begin("> ")
	d.types("abc\x02\x18r")
	d.sees("> cb|a")
	d.types("\x1b2\x18r")
	d.hears(1)
	d.sees("> ab|c")
	d.types("\x1f")
	d.sees("> cb|a")
	if d.e.Run("no-such-function") || !d.e.Run("end-of-line") || d.e.Cursor() != 3 {
		t.Error("Run does not do what it is to")
	}
	d.e.SetCursor(-5)
	if d.e.Cursor() != 0 {
		t.Errorf("the cursor is at %d", d.e.Cursor())
	}
	d.e.AcceptLine()
	d.reads("cba")
}

func TestPrintable(t *testing.T) {
	for _, test := range []struct{ s, want string }{
		{"plain", "plain"},
		{"grün 日本", "grün 日本"},
		{"\x1b[31mred\r\n\x7f", "^[[31mred^M^J^?"},
		{"\xff\u009b\u202e\u2028", "\ufffd<U+009B><U+202E><U+2028>"},
	} {
		if got := wheel.Printable(test.s); got != test.want {
			t.Errorf("Printable(%q) = %q, want %q", test.s, got, test.want)
		}
	}
}
