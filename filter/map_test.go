package filter_test

import (
	"bytes"
	"testing"

	"github.com/go-poe/poe/filter"
)

// upper, lower and repeat are functions for a Map.
func upper(dst []filter.Record, r filter.Record) []filter.Record {
	return append(dst, filter.Record{Bytes: bytes.ToUpper(r.Bytes)})
}

func lower(dst []filter.Record, r filter.Record) []filter.Record {
	return append(dst, filter.Record{Bytes: bytes.ToLower(r.Bytes)})
}

func repeat(dst []filter.Record, r filter.Record) []filter.Record {
	for range r.Bytes {
		dst = append(dst, r)
	}
	return dst
}

// dropping returns f, but for the record drop.
func dropping(f filter.MapFunc) filter.MapFunc {
	return func(dst []filter.Record, r filter.Record) []filter.Record {
		if string(r.Bytes) == "drop" {
			return dst
		}
		return f(dst, r)
	}
}

func TestMap(t *testing.T) {
	f := filter.NewMap(filter.MapOptions{Get: upper, Put: lower})
	wants(t, "map get", getRecords(t, f, "Ab", "cD"), "AB", "CD")
	wants(t, "put", putRecords(t, f, records("Ab", "cD")...), "ab", "cd")
	f.Modify(nil, func(dst []filter.Record, r filter.Record) []filter.Record {
		return append(dst, filter.Record{Value: "<" + string(r.Bytes) + ">"})
	})
	wants(t, "map after modify", getRecords(t, f, "q"), "Q")
	wants(t, "map after modify", put(t, f, records("q")...), "<q>")
	wants(t, "clone", put(t, f.Clone(), records("q")...), "<q>")
	f.Modify(lower, nil)
	wants(t, "map after modify", get(t, f, "Q"), "q")
}

func TestMapOneToMany(t *testing.T) {
	f := filter.NewMap(filter.MapOptions{Code: repeat})
	wants(t, "put", putRecords(t, f, records("a", "bb", "", "ccc")...),
		"a", "bb", "bb", "ccc", "ccc", "ccc")
	wants(t, "put as bytes", put(t, f, records("bb", "")...), "bbbb")
	f.FeedRecord(filter.Record{Bytes: []byte("xx")})
	f.FeedRecord(filter.Record{Bytes: []byte("y")})
	wants(t, "map get_one", one(t, f), "xx")
	wants(t, "map get_one", one(t, f), "xx")
	wants(t, "pending", showAll(f.PendingRecords()), "y")
	wants(t, "map get_one", one(t, f), "y")
	wants(t, "map get_one", one(t, f))
}

// What was mapped and not returned is still there, and is not spoiled by what comes next.
func TestMapHalfReturned(t *testing.T) {
	f := filter.NewMap(filter.MapOptions{
		Get: func(dst []filter.Record, r filter.Record) []filter.Record {
			for _, field := range bytes.Split(r.Bytes, []byte(",")) {
				dst = append(dst, filter.Record{Bytes: field})
			}
			return dst
		},
		Put: func(dst []filter.Record, r filter.Record) []filter.Record {
			return append(dst, filter.Record{Bytes: append([]byte("put "), r.Bytes...)})
		},
	})
	f.Feed([]byte("one,two,three"))
	wants(t, "first", one(t, f), "one")
	wants(t, "pending", showAll(f.PendingRecords()), "put two", "put three")
	f.Feed([]byte("ONE,TWO"))
	wants(t, "pending", showAll(f.PendingRecords()), "put two", "put three", "ONE,TWO")
	wants(t, "the rest", rest(t, f), "two", "three", "ONE", "TWO")
}

// The Perl filter stops at a record that is mapped to nothing.
func TestFilterMapEmptyBug(t *testing.T) {
	f := filter.NewMap(filter.MapOptions{
		Code: dropping(func(dst []filter.Record, r filter.Record) []filter.Record {
			return append(dst, r)
		}),
	})
	wants(t, "get", getRecords(t, f, "a", "drop", "b", "c"), "a", "b", "c")
	wants(t, "get again", rest(t, f))
	s := filter.NewStackable(
		filter.NewLine(filter.LineOptions{Literal: "\n"}),
		filter.NewMap(filter.MapOptions{Code: dropping(upper)}),
	)
	wants(t, "stack of line and map", get(t, s, "one\ndrop\ntwo\n"), "ONE", "TWO")
	wants(t, "stack of line and map", get(t, s, "three\n"), "THREE")
}

func TestMapErrors(t *testing.T) {
	for name, opts := range map[string]filter.MapOptions{
		"nothing":        {},
		"only Get":       {Get: upper},
		"only Put":       {Put: upper},
		"Code and Put":   {Code: upper, Put: upper},
		"negative limit": {Code: upper, MaxBuffer: -1},
	} {
		t.Run(name, func(t *testing.T) {
			mustPanic(t, func() { filter.NewMap(opts) })
		})
	}
	f := filter.NewMap(filter.MapOptions{Code: repeat, MaxBuffer: 50})
	f.Feed([]byte("more than ten"))
	_, _, err := f.Next()
	wantError(t, "Next", err, filter.ErrBufferFull)
	g := filter.NewMap(filter.MapOptions{Code: dropping(func(
		dst []filter.Record, r filter.Record,
	) []filter.Record {
		return append(dst, filter.Record{Bytes: []byte("x")}, r)
	})})
	got, err := g.Append([]byte("was there"), filter.Record{Value: 1})
	wantError(t, "Append of a number", err, filter.ErrRecord)
	wants(t, "Append of a number", []string{string(got)}, "was there")
}
