package filter_test

import (
	"slices"
	"testing"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/test/filtertest"
)

func newTransparent() filter.Filter {
	return filter.NewTransparent(filter.TransparentOptions{})
}

// dotLines are the lines of the recorded case.
var dotLines = []any{"plain", "", ".", "..", "...", ".x", "..x", "a.b", "end.", " .", ". "}

func TestTransparentSMTPDots(t *testing.T) {
	f := newTransparent()
	e := filter.NewTransparent(filter.TransparentOptions{EscapeSingleInputDot: true})
	wants(t, "put", put(t, f, records(dotLines...)...), "plain\r\n", "\r\n", ".\r\n", "...\r\n",
		"....\r\n", "..x\r\n", "...x\r\n", "a.b\r\n", "end.\r\n", " .\r\n", ".. \r\n")
	wants(t, "put with EscapeSingleInputDot", put(t, e, records(dotLines...)...),
		"plain\r\n", "\r\n", "..\r\n", "...\r\n", "....\r\n", "..x\r\n", "...x\r\n",
		"a.b\r\n", "end.\r\n", " .\r\n", ".. \r\n")
	for _, g := range []filter.Filter{f, e} {
		for _, line := range dotLines {
			g.Feed([]byte(line.(string) + "\r\n"))
		}
		wants(t, "get", rest(t, g), "plain", "", ".", ".", "..", ".x", ".x", "a.b", "end.", " .", ". ")
	}
	for _, wire := range put(t, e, records(dotLines...)...) {
		e.Feed([]byte(wire))
	}
	wants(t, "round trip", rest(t, e), showAll(records(dotLines...))...)
	wants(t, "put of one record with several lines",
		put(t, e, records("one\r\n.two\r\n.", ".three\r\nfour")...),
		"one\r\n.two\r\n.\r\n", "..three\r\nfour\r\n")
}

// Perl's filters disturb each other, and a clone is the same filter.
func TestTransparentSMTPStateBug(t *testing.T) {
	first := filter.NewTransparent(filter.TransparentOptions{EscapeSingleInputDot: true})
	second := filter.NewTransparent(filter.TransparentOptions{
		EscapeSingleInputDot: true, OutputLiteral: "#",
	})
	wants(t, "first filter, CRLF", put(t, first, records(".")...), "..\r\n")
	wants(t, "second filter, # as terminator", put(t, second, records(".")...), "..#")

	f := newTransparent()
	wants(t, "get", get(t, f, "half a "))
	if p := f.Clone().Pending(); p != nil {
		t.Errorf("clone has pending %q, want nil", p)
	}
	wants(t, "the original goes on", get(t, f, "line\r\n"), "half a line")

	p := filter.NewTransparent(filter.TransparentOptions{OutputLiteral: "|"})
	wants(t, "literal |", put(t, p, records("a", ".b")...), "a|", "..b|")
}

func TestTransparentPut(t *testing.T) {
	for _, c := range []struct {
		name  string
		opts  filter.TransparentOptions
		lines []any
		want  []string
	}{
		{"none", filter.TransparentOptions{}, []any{".", "..", ".a", "a.", "", ".\r\n", ".x\r\n.y"},
			[]string{".\r\n", "...\r\n", "..a\r\n", "a.\r\n", "\r\n", "..\r\n\r\n", "..x\r\n.y\r\n"}},
		{"EscapeSingleInputDot", filter.TransparentOptions{EscapeSingleInputDot: true},
			[]any{".", "..", ".a", ""}, []string{"..\r\n", "...\r\n", "..a\r\n", "\r\n"}},
		{"OutputLiteral LF", filter.TransparentOptions{OutputLiteral: "\n"}, []any{".", ".a", ".."},
			[]string{".\n", "..a\n", "...\n"}},
		{"OutputLiteral is no pattern", filter.TransparentOptions{OutputLiteral: "."},
			[]any{".", "a", ".b"}, []string{"..", "a.", "..b."}},
		{"020 compat", filter.TransparentOptions{OutputLiteral: "\n"},
			[]any{"first thing(no new line)", "second thing (with new line)\n"},
			[]string{"first thing(no new line)\n", "second thing (with new line)\n\n"}},
		{"030 put", filter.TransparentOptions{OutputLiteral: "\r"},
			[]any{"1st line", "..2nd line", ".3rd line", "4th line", "."},
			[]string{"1st line\r", "...2nd line\r", "..3rd line\r", "4th line\r", ".\r"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := put(t, filter.NewTransparent(c.opts), records(c.lines...)...)
			wants(t, "put", got, c.want...)
		})
	}
	out, err := newTransparent().Append([]byte("x"), filter.Record{Value: 1})
	wantError(t, "Append of a number", err, filter.ErrRecord)
	wants(t, "dst", []string{string(out)}, "x")
}

// Only a line whose sender cannot have doubled its dots is worth a warning.
func TestTransparentWarn(t *testing.T) {
	var warned []string
	f := filter.NewTransparent(filter.TransparentOptions{
		InputLiteral: "\r\n",
		Warn:         func(line []byte) { warned = append(warned, string(line)) },
	})
	wants(t, "get", get(t, f, ".a\r\n..a\r\n.\r\n...a\r\n"), ".a", ".a", ".", "..a")
	if !slices.Equal(warned, []string{".a"}) {
		t.Errorf("warned of %q, want .a", warned)
	}
}

func TestTransparentRefusesOptions(t *testing.T) {
	mustPanic(t, func() {
		filter.NewTransparent(filter.TransparentOptions{
			InputLiteral: "x", Newline: filter.NetNewline,
		})
	})
	mustPanic(t, func() { filter.NewTransparent(filter.TransparentOptions{MaxLength: -1}) })
}

// The suite runs for each newline, as the tests of the original do.
func TestTransparentSuite(t *testing.T) {
	for name, newline := range map[string]string{"CR LF": "\r\n", "CR": "\r", "LF": "\n"} {
		text := ".line one" + newline + "line two" + newline + "...line tree" + newline +
			"line four" + newline + "." + newline
		want := lines(".line one", "line two", "..line tree", "line four", ".")
		suite := filtertest.Suite{
			New: func() filter.Filter {
				return filter.NewTransparent(filter.TransparentOptions{
					InputLiteral: newline, OutputLiteral: newline,
				})
			},
			Cases: []filtertest.Case{
				{Name: "030 get", In: text + text, Want: append(want, want...)},
				{Name: "010 clone", In: "first linesecond line", Pending: "first linesecond line"},
				{Name: "others stay", In: "a#b" + newline, Want: lines("a#b"), Wire: "a#b" + newline},
			},
		}
		t.Run(name, suite.Run)
	}
	t.Run("any newline", filtertest.Suite{
		New:   newTransparent,
		Eager: true,
		Cases: []filtertest.Case{
			{Name: "every newline", In: "a\r\nb\nc\rd\n\re\r\r\nf\n\nlast", Pending: "last",
				Want: lines("a", "b", "c", "d", "e", "", "f", "")},
			{Name: "TF-B3", In: "x\r\ny\r\n", Want: lines("x", "y")},
		},
	}.Run)
	t.Run("detect", filtertest.Suite{
		New: func() filter.Filter {
			return filter.NewTransparent(filter.TransparentOptions{Newline: filter.DetectNewline})
		},
		Eager: true, Learns: true, OneWay: true,
		Cases: []filtertest.Case{
			{Name: "InputLiteral empty", In: "a\nb\r\nc\n", Want: lines("a", "b\r", "c")},
		},
	}.Run)
}
