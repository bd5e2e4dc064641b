// Package filtertest is the suite that every filter.Filter passes.
package filtertest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/go-poe/poe/filter"
)

// A Case is some input of a filter and what the filter makes of it.
type Case struct {
	Name    string
	In      string
	Want    []filter.Record // all whole records of In, or those before the error
	Err     error           // what Next fails with after them, by errors.Is; nil means nothing
	Pending string          // what is left of In in the end, unless it fails
	Wire    string          // what Append makes of Want, one after the other; empty means unknown
}

// A Suite is a kind of filter and what to try with it. New has no default.
type Suite struct {
	New   func() filter.Filter
	Cases []Case

	// Show makes a text of a record. Records are equal if their texts are. Nil means bytes and
	// strings as they are, lists of records as lists, and other values as %#v prints them.
	Show func(r filter.Record) string

	Loose  bool // the pieces decide where records end: only all their bytes together count
	Eager  bool // a record may be returned before the last byte of its end has come
	Learns bool // what a record is depends on what came before: another filter cannot go on alike
	OneWay bool // what Append makes of the records need not give the same records again
}

// Lines returns a record for each line, as Case.Want needs them.
func Lines(lines ...string) []filter.Record {
	records := make([]filter.Record, len(lines))
	for i, line := range lines {
		records[i].Bytes = []byte(line)
	}
	return records
}

// Run runs the suite.
func (s Suite) Run(t *testing.T) {
	t.Run("no input", s.noInput)
	for _, c := range s.Cases {
		t.Run(c.Name, func(t *testing.T) {
			want := s.outcome(c)
			t.Run("pieces", func(t *testing.T) { s.pieces(t, c, want) })
			t.Run("late", func(t *testing.T) { s.late(t, c, want) })
			t.Run("clone", func(t *testing.T) { s.clone(t, c, want) })
			t.Run("output", func(t *testing.T) { s.output(t, c, want) })
			if c.Err == nil {
				t.Run("takeover", func(t *testing.T) { s.takeover(t, c, want) })
			} else {
				t.Run("failed", func(t *testing.T) { s.failed(t, c) })
			}
		})
	}
}

// An outcome is what came out of a filter: one text for each record, and then the rest.
type outcome struct {
	records []string
	rest    string // pending, or the error
}

// outcome returns what c wants.
func (s Suite) outcome(c Case) outcome {
	o := outcome{rest: fmt.Sprintf("pending %q", c.Pending)}
	if c.Err != nil {
		o.rest = "error"
	}
	for _, r := range c.Want {
		o.records = append(o.records, s.show(r))
	}
	return o
}

// noInput checks a filter that was fed nothing.
func (s Suite) noInput(t *testing.T) {
	f := s.New()
	for range 2 {
		if r, ok, err := f.Next(); ok || err != nil {
			t.Errorf("Next of nothing: got %s, %v, %v", s.show(r), ok, err)
		}
		if p := f.Pending(); p != nil {
			t.Errorf("Pending of nothing: got %q, want nil", p)
		}
		f.Feed(nil)
		f.Feed([]byte{})
	}
}

// pieces feeds the input in pieces of every size, in two pieces with every cut, and in random ones,
// and takes the records between the pieces.
func (s Suite) pieces(t *testing.T, c Case, want outcome) {
	for size := range sizes(len(c.In)) {
		got := s.decode(s.New(), cut(c.In, func() int { return size }))
		s.compare(t, got, want, c.Err, "in pieces of %d", size)
	}
	for at := range sizes(len(c.In)) {
		got := s.decode(s.New(), []string{c.In[:at], c.In[at:]})
		s.compare(t, got, want, c.Err, "cut at %d", at)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 20 {
		pieces := cut(c.In, func() int { return random.IntN(9) })
		s.compare(t, s.decode(s.New(), pieces), want, c.Err, "in random pieces %d", i)
	}
}

// late takes no record before all input was fed.
func (s Suite) late(t *testing.T, c Case, want outcome) {
	for size := range sizes(len(c.In)) {
		f := s.New()
		for _, p := range cut(c.In, func() int { return size }) {
			feed(f, p)
		}
		s.compare(t, s.drain(f), want, c.Err, "late, in pieces of %d", size)
	}
}

// clone makes clones in the middle of the input. They must know nothing of it, and the filter
// must not notice.
func (s Suite) clone(t *testing.T, c Case, want outcome) {
	for at := range sizes(len(c.In)) {
		f := s.New()
		got := s.decode(f, []string{c.In[:at]})
		clone := f.Clone()
		if clone == f {
			t.Fatal("Clone returned the filter itself")
		}
		if g, w := fmt.Sprintf("%T", clone), fmt.Sprintf("%T", f); g != w {
			t.Fatalf("Clone: got a %s, want a %s", g, w)
		}
		if p := clone.Pending(); p != nil {
			t.Errorf("clone made after %d bytes: Pending is %q, want nil", at, p)
		}
		other := s.decode(clone, []string{c.In})
		s.compare(t, other, want, c.Err, "clone made after %d bytes", at)
		more := s.decode(f, []string{c.In[at:]})
		got = outcome{append(got.records, more.records...), more.rest}
		s.compare(t, got, want, c.Err, "cloned after %d bytes", at)
	}
}

// output encodes the records, and decodes what that gives.
func (s Suite) output(t *testing.T, c Case, want outcome) {
	f := s.New()
	const before = "what was there"
	wire := []byte(before)
	for _, r := range c.Want {
		var err error
		n := len(wire)
		if wire, err = f.Append(wire, r); err != nil {
			if !s.OneWay {
				t.Errorf("Append of %s: %v", s.show(r), err)
			}
			if len(wire) != n {
				t.Errorf("failed Append of %s: returned %d bytes, want the %d that were there",
					s.show(r), len(wire), n)
			}
		}
	}
	got, ok := strings.CutPrefix(string(wire), before)
	if !ok {
		t.Errorf("Append changed what was there to %.20q", wire)
	}
	if c.Wire != "" && got != c.Wire {
		t.Errorf("Append: got %q, want %q", got, c.Wire)
	}
	if p := f.Pending(); p != nil {
		t.Errorf("Pending after Append: got %q, want nil", p)
	}
	if !s.OneWay {
		want.rest = `pending ""`
		s.compare(t, s.decode(s.New(), []string{got}), want, nil, "decoding %q", got)
	}
}

// takeover replaces the filter, after each number of bytes and of records, by a new one of its
// kind, which must go on as if nothing had happened, and by a Stream, which must get what is left.
func (s Suite) takeover(t *testing.T, c Case, want outcome) {
	for at := range sizes(len(c.In)) {
		if (s.Eager || s.Loose) && at != len(c.In) {
			continue
		}
		for taken := 0; ; taken++ {
			f, ok := s.interrupted(c.In[:at], taken)
			if !ok {
				break
			}
			pending := string(f.Pending())
			if !s.Learns {
				got := s.decode(s.New(), []string{pending, c.In[at:]})
				got.records = slices.Concat(want.records[:taken], got.records)
				s.compare(t, got, want, nil, "taken over after %d bytes and %d records", at, taken)
			}
			whole, _ := s.interrupted(c.In, taken)
			left := filter.NewStream(filter.StreamOptions{})
			feed(left, pending)
			feed(left, c.In[at:])
			if !bytes.Equal(left.Pending(), whole.Pending()) {
				t.Errorf("left after %d bytes and %d records: got %q, want %q",
					at, taken, left.Pending(), whole.Pending())
			}
		}
	}
}

// interrupted returns a filter that was fed in, and that has returned so many records, if it has
// so many.
func (s Suite) interrupted(in string, taken int) (f filter.Filter, ok bool) {
	f = s.New()
	feed(f, in)
	for range taken {
		if _, ok, _ = f.Next(); !ok {
			return f, false
		}
	}
	return f, true
}

// failed checks that an error stays, and that a clone is not lost with the stream.
func (s Suite) failed(t *testing.T, c Case) {
	f := s.New()
	s.decode(f, []string{c.In})
	_, _, first := f.Next()
	for range 3 {
		feed(f, c.In)
		if r, ok, err := f.Next(); ok || !errors.Is(err, c.Err) || err != first {
			t.Errorf("Next after %v: got %s, %v, %v", first, s.show(r), ok, err)
		}
	}
	if _, _, err := f.Clone().Next(); err != nil {
		t.Errorf("the clone failed too: %v", err)
	}
}

// decode feeds the pieces and returns what comes out.
func (s Suite) decode(f filter.Filter, pieces []string) (o outcome) {
	o.records = s.take(f, nil)
	for _, p := range pieces {
		feed(f, p)
		o.records = s.take(f, o.records)
	}
	o.rest = rest(f)
	return o
}

// drain returns what comes out of f now.
func (s Suite) drain(f filter.Filter) outcome {
	return outcome{s.take(f, nil), rest(f)}
}

// take appends the records that f has.
func (s Suite) take(f filter.Filter, records []string) []string {
	for {
		r, ok, _ := f.Next()
		if !ok {
			return records
		}
		records = append(records, s.show(r))
	}
}

// rest returns the error of a filter that has no more records, or else what is pending.
func rest(f filter.Filter) string {
	if _, _, err := f.Next(); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("pending %q", f.Pending())
}

// compare complains if got is not what is wanted. The text of an error does not matter.
func (s Suite) compare(
	t *testing.T, got, want outcome, err error, format string, args ...any,
) {
	t.Helper()
	if err != nil && strings.Contains(got.rest, err.Error()) {
		got.rest, want.rest = "", ""
	}
	same := slices.Equal(got.records, want.records)
	if s.Loose {
		same = strings.Join(got.records, "") == strings.Join(want.records, "")
	}
	if !same || got.rest != want.rest {
		t.Errorf(format+":\n got %q %s\nwant %q %s",
			append(args, got.records, got.rest, want.records, want.rest)...)
	}
}

// show returns the text of a record.
func (s Suite) show(r filter.Record) string {
	if s.Show != nil {
		return s.Show(r)
	}
	switch v := r.Value.(type) {
	case nil:
		return string(r.Bytes)
	case string:
		return v
	case []filter.Record:
		texts := make([]string, len(v))
		for i, r := range v {
			texts[i] = s.show(r)
		}
		return fmt.Sprintf("%q", texts)
	default:
		return fmt.Sprintf("<%#v>", v)
	}
}

// feed feeds a copy of p, which it spoils afterwards: the filter may not keep it.
func feed(f filter.Filter, p string) {
	b := []byte(p)
	f.Feed(b)
	for i := range b {
		b[i] = '#'
	}
}

// cut cuts in into pieces of the sizes that next returns.
func cut(in string, next func() int) (pieces []string) {
	for in != "" {
		n := min(len(in), max(0, next()))
		pieces = append(pieces, in[:n])
		in = in[n:]
	}
	return pieces
}

// sizes yields the sizes of pieces to try with n bytes: each from 1 to n, unless there are many.
func sizes(n int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		step := 1
		for size := 1; size < n; size += step {
			if !yield(size) {
				return
			}
			if size >= 100 {
				step = size / 3
			}
		}
		if n > 0 {
			yield(n)
		}
	}
}
