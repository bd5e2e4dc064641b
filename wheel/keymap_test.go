package wheel_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-poe/poe/wheel"
)

func TestBind(t *testing.T) {
	for _, test := range []struct{ keys, typed string }{
		{`"\C-xg"`, "\x18g"},
		{`\C-xg`, "\x18g"},
		{`Control-g`, "\x07"},
		{`C-G`, "\x07"},
		{`Meta-Rubout`, "\x1b\x7f"},
		{`Control-Meta-g`, "\x1b\x07"},
		{`"\M-g"`, "\x1bg"},
		{`"\M-\C-g"`, "\x1b\x07"},
		{`"\C-\M-g"`, "\x07"},
		{`"\C-?"`, "\x7f"},
		{`"\x41\102\\\"\e\t"`, "AB\\\"\x1b\t"},
		{`"\a\b\d\f\n\r\v"`, "\a\b\x7f\f\n\r\v"},
		{`"é"`, "é"},
		{`TAB`, "\t"},
		{`space`, " "},
		{`up`, "\x1bOA"},
		{`del`, "\x1b[3~"},
		{`home`, "\x1b[1~"},
		{`g`, "g"},
	} {
		d := newDesk(t, wheel.EditorOptions{})
		called := 0
		d.e.AddFunction("f", func(*wheel.Editor) { called++ })
		if err := d.e.Bind(test.keys, "f"); err != nil {
			t.Errorf("%s: %v", test.keys, err)
			continue
		}
		d.begin("")
		d.types(test.typed)
		if want := 1; test.keys != `"\C-\M-g"` && called != want {
			t.Errorf("%s: called %d times by %q, want once", test.keys, called, test.typed)
		}
		if err := d.e.Bind(test.keys, ""); err != nil {
			t.Errorf("%s: %v", test.keys, err)
		}
		called = 0
		d.begin("")
		if d.e.Feed([]byte(test.typed)); called != 0 {
			t.Errorf("%s: called without a binding", test.keys)
		}
	}
}

func TestBindBadKeys(t *testing.T) {
	d := newDesk(t, wheel.EditorOptions{})
	for _, keys := range []string{
		``, `"`, `"a`, `"a" b`, `""`, `Hyper-x`, `Control-xy`, `"` + strings.Repeat("x", 33) + `"`,
	} {
		if err := d.e.Bind(keys, "abort"); !errors.Is(err, wheel.ErrBadKey) {
			t.Errorf("%s: got %v, want ErrBadKey", keys, err)
		}
	}
	var err error
	for i := 0; i < 20_000 && err == nil; i++ {
		err = d.e.Bind(fmt.Sprintf("\"\\C-x%d\"", i), "abort")
	}
	if !errors.Is(err, wheel.ErrBadKey) {
		t.Errorf("got %v, want ErrBadKey", err)
	}
}

func TestConfigure(t *testing.T) {
	d := newDesk(t, wheel.EditorOptions{AppName: "my-app", Term: "xterm-256color"})
	files := map[string]string{"more": "set comment-begin //\n"}
	err := d.e.Configure("rc", `
# a comment
set Bell-Style none
"\C-xa": end-of-line
Control-b: beginning-of-line # and why
Meta-q: "say \C-a"
$if mode=emacs
"\C-xb": beginning-of-line
$else
"\C-xb": abort
$endif
$if mode=vi
$if my-app
"\C-xc": abort
$else
"\C-xc": abort
$endif
"\C-xc": abort
$else
"\C-xc": end-of-line
$endif
$if MY-APP
$include more
$endif
$if term=xterm
"\C-xd": "D"
$endif
$if other
"\C-xd": abort
$endif
set keymap vi-insert
"\C-xe": abort
`, func(name string) ([]byte, error) { return []byte(files[name]), nil })
	if err != nil {
		t.Fatal(err)
	}
	d.begin("> ")
	d.types("ab\x02[\x18a]\x18b(\x18c)\x18d\x1bq")
	d.sees("> |([ab])Dsay")
	if got := d.e.Option("comment-begin"); got != "//" {
		t.Errorf("comment-begin is %q", got)
	}
	if got := d.e.Attribs()["bell-style"]; got != "none" {
		t.Errorf("bell-style is %q", got)
	}
	d.types("\x18\x0f") // which means nothing
	d.hears(0)
}

func TestConfigureMistakes(t *testing.T) {
	d := newDesk(t, wheel.EditorOptions{})
	loop := func(string) ([]byte, error) { return []byte("$include x\n$include x\n"), nil }
	for _, test := range []struct {
		text string
		want error
		says string
	}{
		{"\n\"\\C-x", wheel.ErrBadKey, "rc:2: "},
		{`"a" abort`, wheel.ErrBadKey, "rc:1: "},
		{"abort", wheel.ErrBadKey, ""},
		{"Control-x: \"abc", wheel.ErrBadKey, ""},
		{"$else", wheel.ErrBadKey, ""},
		{"$endif", wheel.ErrBadKey, ""},
		{"set", wheel.ErrBadValue, ""},
		{"set editing-mode ed", wheel.ErrBadValue, ""},
		{"set keymap none", wheel.ErrBadValue, ""},
		{"set keyseq-timeout x", wheel.ErrBadValue, ""},
		{"$include x", wheel.ErrTooManyIncludes, ""},
		{manyVariables(), wheel.ErrBadValue, ""},
	} {
		err := d.e.Configure("rc", test.text+"\nset comment-begin %", loop)
		if !errors.Is(err, test.want) || !strings.Contains(fmt.Sprint(err), test.says) {
			t.Errorf("%q: got %v, want %v", test.text, err, test.want)
		}
		if len(fmt.Sprint(err)) > 10_000 {
			t.Errorf("%q: the error has %d bytes", test.text, len(fmt.Sprint(err)))
		}
		if d.e.Option("comment-begin") != "%" {
			t.Errorf("%q: the rest does not count", test.text)
		}
		_ = d.e.SetOption("comment-begin", "#")
	}
	if err := d.e.Configure("rc", "$include x", nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got %v, want ErrUnsupported", err)
	}
}

func manyVariables() string {
	var b strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&b, "set x%d on\n", i)
	}
	return b.String()
}

// The bell is heard, seen, or not there.
func TestBellStyle(t *testing.T) {
	for style, want := range map[string]string{
		"audible": "\a", "visible": "\x1b[?5h\x1b[?5l", "none": "",
	} {
		d := newDesk(t, wheel.EditorOptions{})
		if err := d.e.SetOption("bell-style", style); err != nil {
			t.Fatal(err)
		}
		d.e.Bell()
		if got := string(d.e.Output()); got != want {
			t.Errorf("%s: got %q, want %q", style, got, want)
		}
	}
}
