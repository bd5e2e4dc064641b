package filter_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/go-poe/poe/filter"
)

// matches returns a function that tells whether a record's bytes match.
func matches(pattern string) func(filter.Record) bool {
	re := regexp.MustCompile(pattern)
	return func(r filter.Record) bool { return re.Match(r.Bytes) }
}

func TestGrep(t *testing.T) {
	f := filter.NewGrep(filter.GrepOptions{
		Get: matches(`^[a-m]`),
		Put: func(r filter.Record) bool { return len(r.Bytes) > 0 },
	})
	wants(t, "grep get", getRecords(t, f, "apple", "zebra", "mango", "plum"), "apple", "mango")
	wants(t, "grep put", putRecords(t, f, records("a", "", "b")...), "a", "b")
	wants(t, "put as bytes", put(t, f, records("a", "", "b")...), "a", "b")
	for _, r := range records("zoo", "ant", "yak", "bee") {
		f.FeedRecord(r)
	}
	wants(t, "grep get_one", one(t, f), "ant")
	wants(t, "pending", showAll(f.PendingRecords()), "yak", "bee")
	if p := string(f.Pending()); p != "yakbee" {
		t.Errorf("pending bytes: got %q, want yakbee", p)
	}
	clone := f.Clone().(*filter.Grep)
	wants(t, "grep get_one", one(t, f), "bee")
	wants(t, "grep get_one", one(t, f))
	if p := f.Pending(); p != nil {
		t.Errorf("pending: got %q, want nil", p)
	}
	f.Modify(matches(`z`), nil)
	wants(t, "grep after modify", getRecords(t, f, "apple", "zebra"), "zebra")
	wants(t, "clone", getRecords(t, clone, "apple", "zebra"), "apple")
	f.Modify(nil, matches(`z`))
	wants(t, "put after modify", putRecords(t, f, records("apple", "zebra")...), "zebra")
}

func TestGrepWithOneCode(t *testing.T) {
	f := filter.NewGrep(filter.GrepOptions{
		Code: func(r filter.Record) bool { return r.Value.(int)%2 == 1 },
	})
	wants(t, "get", getRecords(t, f, 1, 2, 3, 4, 5), "1", "3", "5")
	wants(t, "put", putRecords(t, f, records(1, 2, 3, 4, 5)...), "1", "3", "5")
	_, err := f.Append(nil, filter.Record{Value: 1})
	wantError(t, "Append of a number", err, filter.ErrRecord)
}

func TestGrepRefusesOptions(t *testing.T) {
	all := func(filter.Record) bool { return true }
	for name, opts := range map[string]filter.GrepOptions{
		"nothing":        {},
		"only Get":       {Get: all},
		"only Put":       {Put: all},
		"Code and Get":   {Code: all, Get: all},
		"negative limit": {Code: all, MaxBuffer: -1},
	} {
		t.Run(name, func(t *testing.T) {
			mustPanic(t, func() { filter.NewGrep(opts) })
		})
	}
}

// Records that nobody takes are limited, however many were taken before.
func TestRecordsAreBounded(t *testing.T) {
	all := func(filter.Record) bool { return true }
	f := filter.NewGrep(filter.GrepOptions{Code: all, MaxBuffer: 1000})
	f.Feed([]byte("always one that waits"))
	for range 1000 {
		f.Feed([]byte("always one that waits"))
		wants(t, "get", one(t, f), "always one that waits")
	}
	wants(t, "get", one(t, f), "always one that waits")
	for range 17 {
		f.Feed([]byte("twenty bytes of text"))
	}
	_, _, err := f.Next()
	wantError(t, "Next", err, filter.ErrBufferFull)
	f.Feed([]byte("more"))
	if n := len(f.PendingRecords()); n != 17 {
		t.Errorf("%d records pending, want 17", n)
	}
}

// What waits within blocks of records counts too.
func TestBlocksOfRecordsAreBounded(t *testing.T) {
	f := filter.NewStackable(
		filter.NewLine(filter.LineOptions{}),
		filter.NewRecordBlock(filter.RecordBlockOptions{BlockSize: 2}),
		filter.NewRecordBlock(filter.RecordBlockOptions{BlockSize: 1000, MaxBuffer: 10_000}),
	)
	line := []byte(strings.Repeat("x", 1000) + "\n")
	for i := range 20 {
		f.Feed(line)
		if _, _, err := f.Next(); err != nil {
			wantError(t, "Next", err, filter.ErrBufferFull)
			if i < 7 {
				t.Errorf("line %d of 1000 bytes is too much already", i)
			}
			return
		}
	}
	t.Error("20,000 bytes wait, want at most 10,000")
}

func TestRecordsCostNoMemory(t *testing.T) {
	f := filter.NewStackable(
		filter.NewLine(filter.LineOptions{}),
		filter.NewGrep(filter.GrepOptions{Code: func(r filter.Record) bool { return len(r.Bytes) > 0 }}),
		filter.NewMap(filter.MapOptions{Code: func(dst []filter.Record, r filter.Record) []filter.Record {
			return append(dst, r)
		}}),
	)
	in, out := []byte("one\r\ntwo\r\n\r\nthree\r\n"), make([]byte, 0, 100)
	noAllocs(t, func() {
		out = out[:0]
		f.Feed(in)
		for {
			r, ok, _ := f.Next()
			if !ok {
				break
			}
			out, _ = f.Append(out, r)
		}
		if string(out) != "one\r\ntwo\r\nthree\r\n" {
			t.Fatalf("got %q", out)
		}
	})
}
