package filter_test

import (
	"testing"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/test/filtertest"
)

// newline returns a filter for lines that end in LF.
func newline() filter.Filter {
	return filter.NewLine(filter.LineOptions{Literal: "\n"})
}

// pairs returns a filter for two records at a time.
func pairs() filter.Filter {
	return filter.NewRecordBlock(filter.RecordBlockOptions{BlockSize: 2})
}

// shouting returns lines without comments, in upper case.
func shouting() *filter.Stackable {
	return filter.NewStackable(
		newline(),
		filter.NewGrep(filter.GrepOptions{
			Get: matches(`^([^#]|$)`),
			Put: func(r filter.Record) bool { return string(r.Bytes) != "SECRET" },
		}),
		filter.NewMap(filter.MapOptions{Get: upper, Put: lower}),
	)
}

func TestFilterStackable(t *testing.T) {
	s := shouting()
	wants(t, "types", s.Types(), "Line", "Grep", "Map")
	wants(t, "get", get(t, s, "one\n# comment\ntw"), "ONE")
	wants(t, "get", get(t, s, "o\n#x\n"), "TWO")
	wants(t, "get", get(t, s, "\n"), "")
	wants(t, "put", put(t, s, records("ABC", "DEF")...), "abc\n", "def\n")
	s.Feed([]byte("a\n#b\nc\nd"))
	wants(t, "get_one", one(t, s), "A")
	wants(t, "get_one", one(t, s), "C")
	wants(t, "get_one", one(t, s))
	s.Push(pairs())
	wants(t, "types", s.Types(), "Line", "Grep", "Map", "RecordBlock")
	wants(t, "get pairs", get(t, s, "\ne\nf\n"), "[D E]")
	wants(t, "get pairs", get(t, s, "g\n"), "[F G]")
	wants(t, "put pairs", put(t, s, block("X", "Y"), block("Z")), "x\ny\n", "z\n")
	if _, ok := s.Pop().(*filter.RecordBlock); !ok {
		t.Error("popped something that is no RecordBlock")
	}
	wants(t, "types", s.Types(), "Line", "Grep", "Map")
	s.Unshift(filter.NewBlock(filter.BlockOptions{BlockSize: 4}))
	wants(t, "types", s.Types(), "Block", "Line", "Grep", "Map")
	wants(t, "with blocks below", get(t, s, "h\ni"))
	wants(t, "with blocks below", get(t, s, "\njk\nl"), "H", "I", "JK")
	if _, ok := s.Shift().(*filter.Block); !ok {
		t.Error("shifted something that is no Block")
	}
	wants(t, "types", s.Types(), "Line", "Grep", "Map")
	if n := len(s.Filters()); n != 3 {
		t.Errorf("%d filters, want 3", n)
	}
	wants(t, "clone", get(t, s.Clone(), "q\n"), "Q")
	mustPanic(t, func() { s.Push(newline(), nil) })
	wants(t, "types", s.Types(), "Line", "Grep", "Map")
}

// What Put of a Grep above Map drops is dropped, and one below sees what Map made.
func TestStackablePutDrops(t *testing.T) {
	s := filter.NewStackable(newline(),
		filter.NewMap(filter.MapOptions{Get: upper, Put: lower}),
		filter.NewGrep(filter.GrepOptions{Code: matches(`^[^S]`)}))
	wants(t, "put", put(t, s, records("ABC", "SECRET", "DEF")...), "abc\n", "def\n")
	wants(t, "all dropped", put(t, s, records("SECRET")...))
}

func TestStackableStartedEmpty(t *testing.T) {
	s := filter.NewStackable()
	wants(t, "empty stack", get(t, s, "bytes", "pass"), "bytes", "pass")
	wants(t, "empty stack", put(t, s, records("bytes")...), "bytes")
	if s.Pop() != nil || s.Shift() != nil {
		t.Error("popped a filter of an empty stack")
	}
	s.Feed([]byte("a;"))
	s.Feed([]byte("b;c"))
	if p := string(s.Pending()); p != "a;b;c" {
		t.Errorf("pending: got %q, want a;b;c", p)
	}
	s.Push(filter.NewLine(filter.LineOptions{Literal: ";"}))
	wants(t, "started empty", get(t, s, ";"), "a", "b", "c")
}

// The Perl filter forgets what its lower filters hold.
func TestFilterStackablePendingBug(t *testing.T) {
	s := filter.NewStackable(newline(), filter.NewMap(filter.MapOptions{Code: upper}))
	wants(t, "get", get(t, s, "one\ntw"), "ONE")
	wants(t, "half a line below a map", []string{string(s.Pending())}, "tw")
	wants(t, "the data is still there", get(t, s, "o\n"), "TWO")

	s = filter.NewStackable(newline(), pairs())
	wants(t, "get", get(t, s, "a\nb\nc\nd"), "[a b]")
	wants(t, "half a pair above half a line", []string{string(s.Pending())}, "c\nd")

	s = filter.NewStackable(newline())
	if p := s.Pending(); p != nil {
		t.Errorf("nothing pending: got %q, want nil", p)
	}

	s = filter.NewStackable(filter.NewBlock(filter.BlockOptions{BlockSize: 4}), newline())
	wants(t, "get", get(t, s, "x\ny"))
	s.Shift()
	wants(t, "after shift of a block filter that held 3 bytes", get(t, s, "z\n"), "x", "yz")
}

// What the last filter held is returned as it is when that one goes.
func TestStackablePopKeepsInput(t *testing.T) {
	s := filter.NewStackable(newline(), pairs())
	wants(t, "get", get(t, s, "a\nb\nc\nd"), "[a b]")
	s.Pop()
	wants(t, "pending", []string{string(s.Pending())}, "c\nd")
	wants(t, "after pop", get(t, s, "\n"), "c", "d")
	wants(t, "get", get(t, s, "e"))
	s.Pop()
	wants(t, "without any filter", rest(t, s), "e")
}

// The stack runs the suite with each shape that keeps input in another place.
func TestStackableSuite(t *testing.T) {
	blocks := func() filter.Filter { return filter.NewBlock(filter.BlockOptions{}) }
	for _, s := range []struct {
		name    string
		filters []filter.Filter
		cases   []filtertest.Case
	}{
		{"line", []filter.Filter{newline()}, []filtertest.Case{
			{Name: "lines", In: "a\nb\nc", Want: lines("a", "b"), Pending: "c", Wire: "a\nb\n"},
		}},
		{"line, map, pairs", []filter.Filter{
			newline(), filter.NewMap(filter.MapOptions{Get: upper, Put: lower}), pairs(),
		}, []filtertest.Case{
			{Name: "pairs", In: "a\nb\nc\nd\ne\nf", Want: []filter.Record{block("A", "B"), block("C", "D")},
				Pending: "e\nf", Wire: "a\nb\nc\nd\n"},
		}},
		{"blocks, line", []filter.Filter{blocks(), newline()}, []filtertest.Case{
			{Name: "half a line", In: "4\x00a\nb\n5\x00c\ndef3\x00g", Want: lines("a", "b", "c"),
				Pending: "3\x00def3\x00g"},
			{Name: "garbage", In: "2\x00a\nx", Want: lines("a"), Err: filter.ErrMalformed},
		}},
		{"pairs of pairs", []filter.Filter{newline(), filter.NewStackable(pairs(), pairs())},
			[]filtertest.Case{
				{Name: "pairs", In: "a\nb\nc\nd\ne\nf\ng\n",
					Want:    []filter.Record{block(block("a", "b").Value, block("c", "d").Value)},
					Pending: "e\nf\ng\n"},
			}},
		{"values", []filter.Filter{filter.NewSMTP(filter.SMTPOptions{}),
			filter.NewGrep(filter.GrepOptions{Code: func(filter.Record) bool { return true }})},
			[]filtertest.Case{
				{Name: "message", In: "..\r\n.\r\nQUIT", Want: message("."), Pending: "QUIT"},
			}},
	} {
		t.Run(s.name, filtertest.Suite{
			New:    filter.NewStackable(s.filters...).Clone,
			Cases:  s.cases,
			OneWay: s.name == "blocks, line",
		}.Run)
	}
}

func FuzzStackable(f *testing.F) {
	filtertest.Suite{
		New:   filter.NewStackable(newline(), pairs()).Clone,
		Cases: []filtertest.Case{{In: "a\nb\nc\nd"}, {In: "\n\n\n"}},
	}.Fuzz(f)
}

// A filter for bytes cannot get a record that has none.
func TestStackableErrors(t *testing.T) {
	s := filter.NewStackable(filter.NewSMTP(filter.SMTPOptions{}), newline())
	s.Feed([]byte("x\r\n.\r\n"))
	for range 2 {
		_, _, err := s.Next()
		wantError(t, "Next", err, filter.ErrRecord)
	}
	out, err := s.Append([]byte("x"), filter.Record{Value: 1})
	wantError(t, "Append", err, filter.ErrRecord)
	wants(t, "Append", []string{string(out)}, "x")
	out, err = filter.NewStackable().Append([]byte("x"), filter.Record{Value: 1})
	wantError(t, "Append", err, filter.ErrRecord)
	wants(t, "Append", []string{string(out)}, "x")
}

// Text that is a Value reaches a filter for bytes.
func TestStackableFeedsText(t *testing.T) {
	s := filter.NewStackable(
		filter.NewMap(filter.MapOptions{
			Get: func(dst []filter.Record, r filter.Record) []filter.Record {
				return append(dst, filter.Record{Value: string(r.Bytes)},
					filter.Record{Value: []byte("!")})
			},
			Put: lower,
		}),
		filter.NewLine(filter.LineOptions{Literal: "!"}),
	)
	wants(t, "get", get(t, s, "a", "b"), "a", "b")
}

// Output that a filter of the stack holds back comes out of Flush.
func TestStackableFlush(t *testing.T) {
	s := filter.NewStackable(newline(),
		filter.NewRecordBlock(filter.RecordBlockOptions{BlockSize: 3, CheckPut: true}),
		filter.NewStackable(pairs()))
	wants(t, "put", put(t, s, filter.Record{Value: []filter.Record{block("a", "b"), block("c", "d")}}),
		"a\nb\nc\n")
	out, err := s.Flush([]byte("x"))
	if string(out) != "xd\n" || err != nil {
		t.Errorf("Flush: got %q, %v, want xd and LF", out, err)
	}
}
