package filter_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-poe/poe/filter"
)

// mustPanic checks that f panics, with a text that says which package it is.
func mustPanic(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		text, _ := recover().(string)
		if !strings.HasPrefix(text, "filter: ") {
			t.Errorf("panicked with %q, want a text that begins with filter:", text)
		}
	}()
	f()
}

// noAllocs checks that f allocates nothing.
func noAllocs(t *testing.T, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(100, f); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// show returns a record as text.
func show(r filter.Record) string {
	switch v := r.Value.(type) {
	case nil:
		return string(r.Bytes)
	case []filter.Record:
		return fmt.Sprint(showAll(v))
	default:
		return fmt.Sprint(v)
	}
}

// showAll returns records as text.
func showAll(records []filter.Record) []string {
	texts := make([]string, len(records))
	for i, r := range records {
		texts[i] = show(r)
	}
	return texts
}

// records returns a record for each value; for a string, one with its bytes.
func records(values ...any) []filter.Record {
	list := make([]filter.Record, len(values))
	for i, v := range values {
		if text, ok := v.(string); ok {
			list[i].Bytes = []byte(text)
		} else {
			list[i].Value = v
		}
	}
	return list
}

// block returns a record that is a block of others.
func block(values ...any) filter.Record {
	return filter.Record{Value: records(values...)}
}

// get feeds the pieces and returns the records that come out then.
func get(t *testing.T, f filter.Filter, pieces ...string) []string {
	t.Helper()
	for _, p := range pieces {
		f.Feed([]byte(p))
	}
	return rest(t, f)
}

// getRecords feeds records and returns the records that come out then.
func getRecords(t *testing.T, f filter.RecordFilter, values ...any) []string {
	t.Helper()
	for _, r := range records(values...) {
		f.FeedRecord(r)
	}
	return rest(t, f)
}

// rest returns the records that come out.
func rest(t *testing.T, f filter.Filter) []string {
	t.Helper()
	var got []string
	for {
		r, ok, err := f.Next()
		if err != nil {
			t.Errorf("Next: %v", err)
		}
		if !ok {
			return got
		}
		got = append(got, show(r))
	}
}

// one returns the next record, or nothing.
func one(t *testing.T, f filter.Filter) []string {
	t.Helper()
	r, ok, err := f.Next()
	if err != nil {
		t.Errorf("Next: %v", err)
	}
	if !ok {
		return nil
	}
	return []string{show(r)}
}

// put encodes each record on its own.
func put(t *testing.T, f filter.Filter, list ...filter.Record) []string {
	t.Helper()
	var got []string
	for _, r := range list {
		out, err := f.Append(nil, r)
		if err != nil {
			t.Errorf("Append of %v: %v", r, err)
		}
		if len(out) > 0 {
			got = append(got, string(out))
		}
	}
	return got
}

// putRecords encodes each record to records.
func putRecords(t *testing.T, f filter.RecordFilter, list ...filter.Record) []string {
	t.Helper()
	var out []filter.Record
	for _, r := range list {
		var err error
		if out, err = f.AppendRecords(out, r); err != nil {
			t.Errorf("AppendRecords of %v: %v", r, err)
		}
	}
	return showAll(out)
}

// wants checks a list of texts.
func wants(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// wantError checks an error.
func wantError(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, want %v", what, got, want)
	}
}
