package filter_test

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/test/filtertest"
)

func init() {
	gob.Register([]any{})
	gob.Register(map[string]any{})
	gob.Register(ref{})
}

// A ref stands for a reference to a scalar.
type ref struct{ To string }

// values are what the recorded case sends: a list, a nested table and a reference to a scalar.
func values() []filter.Record {
	return records(
		[]any{1, "two", []any{3}},
		map[string]any{"k": "v", "n": map[string]any{"deep": []any{nil, "bin\x00\xff"}}},
		ref{"scalar"},
	)
}

func newReference() filter.Filter {
	return filter.NewReference(filter.ReferenceOptions{})
}

// referenceSuite runs with the usual Reference.
func referenceSuite() filtertest.Suite {
	var wire []byte
	f := newReference()
	for _, r := range values() {
		wire, _ = f.Append(wire, r)
	}
	all := string(wire)
	return filtertest.Suite{
		New: newReference,
		Cases: []filtertest.Case{
			{Name: "filter-reference-roundtrip", In: all, Want: values()},
			{Name: "junk", In: all + "4\x00junk" + all, Want: values(), Err: filter.ErrMalformed},
			{Name: "empty value", In: "0\x00", Err: filter.ErrMalformed},
			{Name: "no length", In: "x", Err: filter.ErrMalformed},
			{Name: "too long", In: "16777217\x00", Err: filter.ErrTooLong},
		},
	}
}

func TestReference(t *testing.T) { referenceSuite().Run(t) }

func FuzzReference(f *testing.F) {
	s := referenceSuite()
	s.OneWay = true // the same value may have another encoding
	s.Fuzz(f)
}

// A frame is a length in digits, a NUL, and so many bytes.
func TestReferenceFrames(t *testing.T) {
	for _, r := range values() {
		frame, err := newReference().Append(nil, r)
		length, data, ok := bytes.Cut(frame, []byte{0})
		if want := fmt.Sprint(len(data)); string(length) != want || !ok || err != nil {
			t.Errorf("length: got %q, %v, want %s", length, err, want)
		}
	}
}

// All but the last byte is two values, and the third comes with the byte.
func TestReferenceLastByte(t *testing.T) {
	f := newReference()
	var wire []byte
	for _, r := range values() {
		wire, _ = f.Append(wire, r)
	}
	last := len(wire) - 1
	f.Feed(wire[:last])
	if got := rest(t, f); len(got) != 2 || f.Pending() == nil {
		t.Errorf("got %d values and pending %q, want 2 and some", len(got), f.Pending())
	}
	f.Feed(wire[last:])
	if got := rest(t, f); len(got) != 1 || f.Pending() != nil {
		t.Errorf("got %d values and pending %q, want 1 and none", len(got), f.Pending())
	}
}

func TestReferenceCompression(t *testing.T) {
	big := map[string]any{"text": strings.Repeat("abc", 1000)}
	for _, c := range []filter.Compression{filter.Zlib, filter.Gzip} {
		for _, level := range []int{0, 9} {
			f := filter.NewReference(filter.ReferenceOptions{Compression: c, Level: level})
			packed, err := f.Append([]byte("x"), filter.Record{Value: big})
			if err != nil || len(packed) > 500 {
				t.Errorf("compression %d: %d bytes, %v, want less than 500", c, len(packed), err)
			}
			f.Feed(packed[1:])
			r, ok, err := f.Next()
			if !ok || !reflect.DeepEqual(r.Value, big) {
				t.Errorf("compression %d: got %v, %v, want what was sent", c, r.Value, err)
			}
		}
	}
}

// A few bytes do not become more than the limit, and nothing hides behind what is compressed.
func TestReferenceExpandsWithinLimits(t *testing.T) {
	for _, c := range []filter.Compression{filter.Zlib, filter.Gzip} {
		bomb, err := filter.NewReference(filter.ReferenceOptions{Compression: c}).
			Append(nil, filter.Record{Value: strings.Repeat("x", 1<<20)})
		if err != nil {
			t.Fatal(err)
		}
		_, packed, _ := bytes.Cut(bomb, []byte{0})
		for name, in := range map[string]struct {
			wire []byte
			want error
		}{
			"bomb":     {bomb, filter.ErrTooLong},
			"trailing": {fmt.Appendf(nil, "%d\x00%sx", len(packed)+1, packed), filter.ErrMalformed},
			"cut":      {fmt.Appendf(nil, "%d\x00%s", len(packed)-9, packed), filter.ErrMalformed},
			"no start": {[]byte("4\x00junk"), filter.ErrMalformed},
		} {
			most := 1 << 21
			if name == "bomb" {
				most = 1 << 19
			}
			f := filter.NewReference(filter.ReferenceOptions{Compression: c, MaxExpanded: most})
			f.Feed(in.wire)
			_, _, err := f.Next()
			wantError(t, fmt.Sprintf("compression %d, %s", c, name), err, in.want)
		}
		f := filter.NewReference(filter.ReferenceOptions{Compression: c, MaxExpanded: math.MaxInt})
		f.Feed(bomb)
		if r, _, err := f.Next(); err != nil || len(r.Value.(string)) != 1<<20 {
			t.Errorf("compression %d, no limit: got %.10v, %v", c, r.Value, err)
		}
	}
}

// With NoFatals a value that cannot be decoded is its error, and the next one follows.
func TestReferenceNoFatals(t *testing.T) {
	f := filter.NewReference(filter.ReferenceOptions{NoFatals: true})
	good, _ := f.Append(nil, values()[0])
	f.Feed(append([]byte("4\x00junk"), good...))
	r, ok, err := f.Next()
	if bad, isError := r.Value.(error); !ok || err != nil || !isError {
		t.Errorf("got %v, %v, %v, want a record that is an error", r, ok, err)
	} else {
		wantError(t, "the record", bad, filter.ErrMalformed)
	}
	wants(t, "after it", rest(t, f), "[1 two [3]]")
	f.Feed([]byte("not a length"))
	_, _, err = f.Next()
	wantError(t, "no length", err, filter.ErrMalformed)
}

// A value without a name, and a value that is none, cannot be sent.
func TestReferenceRefusesValues(t *testing.T) {
	type unregistered struct{ A int }
	f := newReference()
	for _, r := range []filter.Record{
		{Bytes: []byte("no reference")}, {Value: unregistered{1}}, {Value: func() {}},
	} {
		out, err := f.Append([]byte("x"), r)
		wantError(t, fmt.Sprintf("Append of %v", r), err, filter.ErrRecord)
		wants(t, "dst", []string{string(out)}, "x")
	}
	f = filter.NewReference(filter.ReferenceOptions{
		Serializer: filter.Gob{New: func() any { return new(point) }},
	})
	out, err := f.Append([]byte("x"), filter.Record{Value: (*point)(nil)})
	wantError(t, "Append of a nil pointer", err, filter.ErrRecord)
	wants(t, "dst", []string{string(out)}, "x")
}

// point is what the serializers with a New decode to.
type point struct{ X, Y int }

func TestReferenceSerializers(t *testing.T) {
	newPoint := func() any { return new(point) }
	for name, c := range map[string]struct {
		serializer filter.Serializer
		value      any
		want       any
	}{
		"gob with New":     {filter.Gob{New: newPoint}, point{1, 2}, &point{1, 2}},
		"gob of a pointer": {filter.Gob{New: newPoint}, &point{1, 2}, &point{1, 2}},
		"JSON":             {filter.JSON{}, point{1, 2}, map[string]any{"X": 1.0, "Y": 2.0}},
		"JSON with New":    {filter.JSON{New: newPoint}, point{1, 2}, &point{1, 2}},
		"JSON of a string": {filter.JSON{}, "text", "text"},
	} {
		t.Run(name, func(t *testing.T) {
			f := filter.NewReference(filter.ReferenceOptions{Serializer: c.serializer})
			wire, err := f.Append(nil, filter.Record{Value: c.value})
			if err != nil {
				t.Fatal(err)
			}
			g := f.Clone()
			g.Feed(wire)
			r, _, err := g.Next()
			if !reflect.DeepEqual(r.Value, c.want) {
				t.Errorf("got %#v, %v, want %#v", r.Value, err, c.want)
			}
			g.Feed([]byte("4\x00{}{}"))
			_, _, err = g.Next()
			wantError(t, "junk", err, filter.ErrMalformed)
		})
	}
}

// Bytes after a value are no part of it.
func TestGobUsesAllBytes(t *testing.T) {
	p, err := filter.Gob{}.Append(nil, "text")
	if err != nil {
		t.Fatal(err)
	}
	if v, err := (filter.Gob{}).Decode(append(p, 0)); err == nil {
		t.Errorf("got %v, want an error", v)
	}
}

func TestReferenceRefusesOptions(t *testing.T) {
	for name, opts := range map[string]filter.ReferenceOptions{
		"unknown compression":  {Compression: 3},
		"negative level":       {Level: -1},
		"level 10":             {Level: 10},
		"negative MaxExpanded": {MaxExpanded: -1},
		"negative MaxLength":   {MaxLength: -1},
	} {
		t.Run(name, func(t *testing.T) {
			mustPanic(t, func() { filter.NewReference(opts) })
		})
	}
}
