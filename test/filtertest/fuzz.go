package filtertest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Fuzz feeds the filter anything, in pieces of any sizes, beginning with the suite's cases.
// Whatever it makes of that, it must make the same of the same in one piece, and unless it is
// OneWay, also of what Append makes of the records. The filter's limit of its buffer should not be
// reached.
func (s Suite) Fuzz(f *testing.F) {
	for i, c := range s.Cases {
		f.Add([]byte(c.In), uint64(i))
	}
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		want := s.decode(s.New(), []string{string(in)})
		random := rand.New(rand.NewPCG(seed, 0))
		pieces := cut(string(in), func() int { return random.IntN(1 + random.IntN(40)) })
		got := s.decode(s.New(), pieces)
		failed := !strings.HasPrefix(want.rest, "pending")
		if failed != !strings.HasPrefix(got.rest, "pending") {
			t.Fatalf("in pieces %q: got %s, want %s", pieces, got.rest, want.rest)
		}
		if failed {
			got.rest = want.rest
		}
		s.compare(t, got, want, nil, "in pieces %q", pieces)
		if !s.OneWay {
			s.again(t, in, want)
		}
		if !failed && !s.Eager && !s.Loose && !s.Learns {
			s.fuzzTakeover(t, string(in), random.IntN(1+len(in)), want)
		}
	})
}

// again encodes the records of in, and decodes that.
func (s Suite) again(t *testing.T, in []byte, want outcome) {
	f := s.New()
	f.Feed(in)
	out := s.New()
	var wire []byte
	for {
		r, ok, _ := f.Next()
		if !ok {
			break
		}
		var err error
		if wire, err = out.Append(wire, r); err != nil {
			t.Fatalf("Append of %s: %v", s.show(r), err)
		}
	}
	want.rest = fmt.Sprintf("pending %q", "")
	s.compare(t, s.decode(s.New(), []string{string(wire)}), want, nil, "again, from %q", wire)
}

// fuzzTakeover lets another filter go on at some point.
func (s Suite) fuzzTakeover(t *testing.T, in string, at int, want outcome) {
	f := s.New()
	feed(f, in[:at])
	var taken []string
	if r, ok, _ := f.Next(); ok {
		taken = append(taken, s.show(r))
	}
	got := s.decode(s.New(), []string{string(f.Pending()), in[at:]})
	got.records = slices.Concat(taken, got.records)
	s.compare(t, got, want, nil, "taken over after %d bytes and a record", at)
}
