package filter_test

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/test/filtertest"
)

var lines = filtertest.Lines

// lineSuites are the kinds of Line, each with its cases.
var lineSuites = map[string]struct {
	opts  filter.LineOptions
	suite filtertest.Suite
}{
	"default": {filter.LineOptions{}, filtertest.Suite{Eager: true, Cases: []filtertest.Case{
		{Name: "whole line", In: "alpha\r\n", Want: lines("alpha"), Wire: "alpha\r\n"},
		{Name: "partial", In: "bravo\r\ncharlie\r\ndel", Want: lines("bravo", "charlie"), Pending: "del"},
		{Name: "lone LF", In: "foxtrot\n", Want: lines("foxtrot"), Wire: "foxtrot\r\n"},
		{Name: "lone CR", In: "golf\rhotel\r\n", Want: lines("golf", "hotel")},
		{Name: "LF CR is one", In: "india\n\rjuliet\n\r", Want: lines("india", "juliet")},
		{Name: "empty lines", In: "\r\n\r\n\n\n", Want: lines("", "", "", "")},
		{Name: "CR CR LF LF", In: "kilo\r\r\n\nlima\n", Want: lines("kilo", "", "", "lima")},
		{Name: "filter-line-crlf-split-bug", In: "one\r\ntwo\r\n", Want: lines("one", "two")},
		{Name: "LF CR split", In: "a\n\rb\r\n", Want: lines("a", "b")},
		{Name: "every newline", In: "a\r\nb\nc\rd\n\re\r\r\nf\n\nlast", Pending: "last",
			Want: lines("a", "b", "c", "d", "e", "", "f", "")},
		{Name: "only CR", In: "\r\r\r", Want: lines("", "", "")},
	}}},
	"net": {filter.LineOptions{Newline: filter.NetNewline}, filtertest.Suite{Cases: []filtertest.Case{
		{Name: "CR LF", In: "a\r\nb\r\n", Want: lines("a", "b"), Wire: "a\r\nb\r\n"},
		{Name: "LF", In: "a\nb\n\n", Want: lines("a", "b", "")},
		{Name: "CR stays", In: "a\rb\r\r\nc\r", Want: lines("a\rb\r"), Pending: "c\r"},
	}}},
	"CR LF": {filter.LineOptions{Literal: "\r\n"}, filtertest.Suite{Cases: []filtertest.Case{
		{Name: "bare ones stay", In: "a\nb\rc\r\n", Want: lines("a\nb\rc")},
		{Name: "split", In: "x\r\ny\r\n", Want: lines("x", "y"), Wire: "x\r\ny\r\n"},
		{Name: "CR CR LF", In: "x\r\r\n\r", Want: lines("x\r"), Pending: "\r"},
	}}},
	"NUL": {filter.LineOptions{Literal: "\x00"}, filtertest.Suite{Cases: []filtertest.Case{
		{Name: "literal NUL", In: "a\x00b\x00c", Want: lines("a", "b"), Pending: "c",
			Wire: "a\x00b\x00"},
	}}},
	"dot star": {filter.LineOptions{Literal: ".*"}, filtertest.Suite{Cases: []filtertest.Case{
		{Name: "literal is not regexp", In: "a.*b.c.*d", Want: lines("a", "b.c"), Pending: "d"},
	}}},
	"arrow": {filter.LineOptions{InputLiteral: "--=>", OutputLiteral: "--=>"},
		filtertest.Suite{Cases: []filtertest.Case{
			{Name: "multi-char literal", In: "one--=>two--=>three", Want: lines("one", "two"),
				Pending: "three", Wire: "one--=>two--=>"},
			{Name: "almost", In: "-=>--->-=>--=>", Want: lines("-=>--->-=>")},
			{Name: "overlap", In: "---=>", Want: lines("-")},
		}}},
	"detect": {filter.LineOptions{Newline: filter.DetectNewline, OutputLiteral: "!"},
		filtertest.Suite{OneWay: true, Eager: true, Learns: true, Cases: []filtertest.Case{
			{Name: "CRLF in one piece", In: "one\r\ntwo\r\n", Want: lines("one", "two")},
			{Name: "LF only", In: "one\ntwo\nthree\r\n", Want: lines("one", "two", "three\r")},
			{Name: "CR only", In: "one\rtwo\rthree\r\n", Want: lines("one", "two", "three"),
				Pending: "\n"},
			{Name: "LF CR", In: "one\n\rtwo\n\r", Want: lines("one", "two")},
			{Name: "LF LF", In: "one\n\ntwo\n", Want: lines("one", "", "two")},
			{Name: "LF, then text CR", In: "one\ntwo\r\nthree\n", Want: lines("one", "two\r", "three")},
			{Name: "byte by byte CRLF", In: "ab\r\nc\r\n\r\nd\r\n", Want: lines("ab", "c", "", "d")},
			{Name: "starts with line end", In: "\r\nx\r\n", Want: lines("", "x")},
			{Name: "T-27 CRLF", In: "a\r\nb\r\nc\n\r\n", Want: lines("a", "b", "c\n")},
			{Name: "T-27 LFCR", In: "a\n\r\rb\n\rc\r\n\r", Want: lines("a", "\rb", "c\r")},
			{Name: "T-27 LF", In: "a\nb\r\nc\r\n", Want: lines("a", "b\r", "c\r")},
		}}},
	"regexp": {filter.LineOptions{InputRegexp: regexp.MustCompile(`[;,]`), OutputLiteral: ";"},
		filtertest.Suite{Cases: []filtertest.Case{
			{Name: "regexp", In: "a; b,c ,d", Want: lines("a", " b", "c "), Pending: "d",
				Wire: "a; b;c ;"},
		}}},
	"digits": {filter.LineOptions{InputRegexp: regexp.MustCompile(`(\d)(\d)`), OutputLiteral: "00"},
		filtertest.Suite{Cases: []filtertest.Case{
			{Name: "regexp with group", In: "a12b34c56d", Want: lines("a", "b", "c"), Pending: "d"},
		}}},
	"no output literal": {filter.LineOptions{NoOutputLiteral: true},
		filtertest.Suite{Eager: true, OneWay: true, Cases: []filtertest.Case{
			{Name: "empty output literal", In: "a\nb\n", Want: lines("a", "b"), Wire: "ab"},
		}}},
	"limit": {filter.LineOptions{Literal: "\r\n", MaxLength: 5},
		filtertest.Suite{Cases: []filtertest.Case{
			{Name: "MaxLength", In: "12345\r\n123456\r\nx\r\n", Want: lines("12345"),
				Err: filter.ErrTooLong},
			{Name: "just fits", In: "12345\r", Pending: "12345\r"},
			{Name: "no end", In: "1\r\n1234567", Want: lines("1"), Err: filter.ErrTooLong},
		}}},
	"any limit": {filter.LineOptions{MaxLength: 3}, filtertest.Suite{
		Eager: true, Cases: []filtertest.Case{
			{Name: "too long", In: "abc\rabcd\n", Want: lines("abc"), Err: filter.ErrTooLong},
		}}},
	"net limit": {filter.LineOptions{Newline: filter.NetNewline, MaxLength: 3}, filtertest.Suite{
		Cases: []filtertest.Case{
			{Name: "too long", In: "abc\r\nabc\r\r\n", Want: lines("abc"), Err: filter.ErrTooLong},
			{Name: "fits", In: "abc\nabc\r\nabc\r", Want: lines("abc", "abc"), Pending: "abc\r"},
		}}},
	"regexp limit": {filter.LineOptions{InputRegexp: regexp.MustCompile(`,`), MaxLength: 3},
		filtertest.Suite{OneWay: true, Cases: []filtertest.Case{
			{Name: "too long", In: "abc,abcd,", Want: lines("abc"), Err: filter.ErrTooLong},
			{Name: "no end", In: "a," + strings.Repeat("x", 1028), Want: lines("a"),
				Err: filter.ErrTooLong},
		}}},
}

func TestLine(t *testing.T) {
	for name, s := range lineSuites {
		s.suite.New = func() filter.Filter { return filter.NewLine(s.opts) }
		t.Run(name, s.suite.Run)
	}
}

func FuzzLine(f *testing.F)       { fuzzLine(f, "default") }
func FuzzLineNet(f *testing.F)    { fuzzLine(f, "net") }
func FuzzLineArrow(f *testing.F)  { fuzzLine(f, "arrow") }
func FuzzLineDetect(f *testing.F) { fuzzLine(f, "detect") }

// fuzzLine fuzzes one kind of Line.
func fuzzLine(f *testing.F, name string) {
	s := lineSuites[name]
	s.suite.New = func() filter.Filter { return filter.NewLine(s.opts) }
	s.suite.Fuzz(f)
}

// The pieces of these recorded reads decide: an expression that can match more or less ends the
// line as soon as it matches, and MaxBuffer is about what came at once.
func TestLinePieces(t *testing.T) {
	for _, c := range []struct {
		name   string
		opts   filter.LineOptions
		pieces []string
		want   string
		err    error
	}{
		{"greedy split matters", filter.LineOptions{InputRegexp: regexp.MustCompile(`x+`)},
			[]string{"axx", "xb"}, `a||pending b`, nil},
		{"regexp", filter.LineOptions{InputRegexp: regexp.MustCompile(`[;,]\s*`)},
			[]string{"a; b,c ,", " d"}, `a|b|c |pending  d`, nil},
		{"MaxBuffer", filter.LineOptions{Literal: "\n", MaxLength: 5, MaxBuffer: 8},
			[]string{"1234", "5\n67", "123456789"}, `12345|pending 67123456789`,
			filter.ErrBufferFull},
		{"MaxLength", filter.LineOptions{Literal: "\n", MaxLength: 5},
			[]string{"12345\n", "123456\n"}, `12345|pending `, filter.ErrTooLong},
		{"a match of nothing", filter.LineOptions{InputRegexp: regexp.MustCompile(`x*`)},
			[]string{"abx"}, `pending abx`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := filter.NewLine(c.opts)
			var got strings.Builder
			var err error
			for _, p := range c.pieces {
				f.Feed([]byte(p))
				var r filter.Record
				ok := true
				for ok {
					if r, ok, err = f.Next(); ok {
						got.WriteString(string(r.Bytes) + "|")
					}
				}
			}
			got.WriteString("pending " + string(f.Pending()))
			wants(t, "get", []string{got.String()}, c.want)
			wantError(t, "Next", err, c.err)
		})
	}
}

func TestLinePut(t *testing.T) {
	f := filter.NewLine(filter.LineOptions{})
	for _, c := range []struct {
		r    filter.Record
		want string
	}{
		{filter.Record{Bytes: []byte("first")}, "first\r\n"},
		{filter.Record{}, "\r\n"},
		{filter.Record{Value: "has\nnewline"}, "has\nnewline\r\n"},
		{filter.Record{Value: []byte("last")}, "last\r\n"},
	} {
		if got, err := f.Append(nil, c.r); string(got) != c.want || err != nil {
			t.Errorf("Append of %v: got %q, %v, want %q", c.r, got, err, c.want)
		}
	}
	if _, err := f.Append(nil, filter.Record{Value: 1}); !errors.Is(err, filter.ErrRecord) {
		t.Errorf("Append of a number: got %v, want %v", err, filter.ErrRecord)
	}
}

func TestLineRefusesOptions(t *testing.T) {
	for name, opts := range map[string]filter.LineOptions{
		"both":                {Literal: "a", InputLiteral: "b"},
		"both output":         {Literal: "a", OutputLiteral: "b"},
		"both regexp":         {InputLiteral: "a", InputRegexp: regexp.MustCompile("b")},
		"literal and newline": {Literal: "a", Newline: filter.NetNewline},
		"some and no output":  {OutputLiteral: "a", NoOutputLiteral: true},
		"unknown newline":     {Newline: 9},
		"bad MaxLength":       {MaxLength: -1},
		"MaxBuffer too small": {MaxBuffer: 4, MaxLength: 5},
	} {
		t.Run(name, func(t *testing.T) {
			mustPanic(t, func() { filter.NewLine(opts) })
		})
	}
}

// Bytes of a record may be written to, and appended to, without harm to the next record.
func TestLineBytesAreTheReceivers(t *testing.T) {
	f := filter.NewLine(filter.LineOptions{})
	f.Feed([]byte("one\r\ntwo\r\n"))
	r, _, _ := f.Next()
	_ = append(r.Bytes[:0], "ONE plus"...)
	if r, _, _ := f.Next(); string(r.Bytes) != "two" {
		t.Errorf("got %q, want two", r.Bytes)
	}
}

func TestLineCostsNoMemory(t *testing.T) {
	for name, s := range lineSuites {
		if s.opts.InputRegexp != nil || s.opts.Newline == filter.DetectNewline || s.opts.MaxLength != 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			f := filter.NewLine(s.opts)
			one, _ := f.Append(nil, filter.Record{Bytes: []byte("a line of some length")})
			in := bytes.Repeat(one, 50)
			out := make([]byte, 0, 2*len(in))
			noAllocs(t, func() {
				out = out[:0]
				f.Feed(in[:100])
				f.Feed(in[100:])
				for {
					r, ok, err := f.Next()
					if err != nil {
						t.Fatal(err)
					}
					if !ok {
						break
					}
					out, _ = f.Append(out, r)
				}
			})
		})
	}
}

// An endless line costs no more memory than its limit, and time in proportion to its length however
// small the pieces are.
func TestLineWithoutEnd(t *testing.T) {
	for _, opts := range []filter.LineOptions{
		{MaxLength: 1 << 20},
		{MaxLength: 1 << 20, Newline: filter.NetNewline},
		{MaxLength: 1 << 20, Literal: "\r\n"},
		{MaxLength: 1 << 20, Literal: "aab"},
	} {
		f := filter.NewLine(opts)
		fed := 0
		for {
			f.Feed([]byte("a"))
			fed++
			if _, _, err := f.Next(); err != nil {
				if !errors.Is(err, filter.ErrTooLong) {
					t.Errorf("got %v, want %v", err, filter.ErrTooLong)
				}
				break
			}
			if fed > 1<<20+10 {
				t.Fatalf("no error after %d bytes", fed)
			}
		}
		if p := f.Pending(); p != nil {
			t.Errorf("%d bytes still held after the error", len(p))
		}
	}
}

// A filter that is fed and never asked fails when its buffer is full, and holds no more then.
func TestLineNeverAsked(t *testing.T) {
	f := filter.NewLine(filter.LineOptions{MaxLength: 100, MaxBuffer: 1000})
	for range 100 {
		f.Feed([]byte("thirteen bytes\n"))
	}
	if n := len(f.Pending()); n > 1000+15 {
		t.Errorf("holds %d bytes, want no more than 1015", n)
	}
	if _, _, err := f.Next(); !errors.Is(err, filter.ErrBufferFull) {
		t.Errorf("got %v, want %v", err, filter.ErrBufferFull)
	}
}
