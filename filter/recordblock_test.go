package filter_test

import (
	"testing"

	"github.com/go-poe/poe/filter"
)

func TestRecordBlock(t *testing.T) {
	f := filter.NewRecordBlock(filter.RecordBlockOptions{BlockSize: 3})
	wants(t, "get", getRecords(t, f, 1, 2))
	wants(t, "get", getRecords(t, f, 3, 4), "[1 2 3]")
	wants(t, "get", getRecords(t, f, 5, 6, 7, 8, 9, 10), "[4 5 6]", "[7 8 9]")
	wants(t, "pending", showAll(f.PendingRecords()), "10")
	wants(t, "put flattens",
		putRecords(t, f, block("a", "b"), block("c"), block("d", "e", "f", "g")),
		"a", "b", "c", "d", "e", "f", "g")
	if p := f.PutPending(); p != nil {
		t.Errorf("put pending: got %v, want nil", p)
	}
	for _, r := range records(11, 12, 13, 14) {
		f.FeedRecord(r)
	}
	wants(t, "get_one", one(t, f), "[10 11 12]")
	wants(t, "get_one", one(t, f))
	wants(t, "pending", showAll(f.PendingRecords()), "13", "14")
	f.SetBlockSize(2)
	f.SetBlockSize(0)
	if got := f.BlockSize(); got != 2 {
		t.Errorf("block size: got %d, want 2", got)
	}
	wants(t, "get with new size", getRecords(t, f, 15), "[13 14]")
}

func TestRecordBlockChecksPut(t *testing.T) {
	f := filter.NewRecordBlock(filter.RecordBlockOptions{BlockSize: 3, CheckPut: true})
	wants(t, "checked put", putRecords(t, f, block(1, 2), block(3, 4)), "1", "2", "3")
	wants(t, "put pending", showAll(f.PutPending()), "4")
	wants(t, "checked put", putRecords(t, f, block(5), block(6, 7)), "4", "5", "6")
	wants(t, "put pending", showAll(f.PutPending()), "7")
	clone := f.Clone().(*filter.RecordBlock)
	f.SetCheckPut(false)
	if f.CheckPut() {
		t.Error("CheckPut is still on")
	}
	wants(t, "unchecked put", putRecords(t, f, block(8)), "7", "8")
	if clone.BlockSize() != 3 || !clone.CheckPut() || clone.PutPending() != nil {
		t.Errorf("clone: %d, %v, %v", clone.BlockSize(), clone.CheckPut(), clone.PutPending())
	}
	wants(t, "clone", getRecords(t, clone, 1, 2, 3), "[1 2 3]")
}

// Output that is held back comes out of Flush, and is not spoiled when the caller uses its bytes
// again.
func TestRecordBlockFlush(t *testing.T) {
	f := filter.NewRecordBlock(filter.RecordBlockOptions{BlockSize: 3, CheckPut: true})
	text := []byte("one")
	wants(t, "checked put", put(t, f, filter.Record{Value: []filter.Record{{Bytes: text}}}))
	copy(text, "###")
	wants(t, "checked put", put(t, f, block("two")))
	out, err := f.Flush([]byte("before "))
	if string(out) != "before onetwo" || err != nil {
		t.Errorf("Flush: got %q, %v, want before onetwo", out, err)
	}
	if out, err := f.Flush(nil); out != nil || err != nil {
		t.Errorf("Flush again: got %q, %v, want nothing", out, err)
	}
	putRecords(t, f, block(1))
	_, err = f.Flush(nil)
	wantError(t, "Flush of a number", err, filter.ErrRecord)
	wants(t, "what Flush could not do", showAll(f.FlushRecords(nil)), "1")
}

// A smaller block size lets more of what is held back go.
func TestRecordBlockShrinks(t *testing.T) {
	f := filter.NewRecordBlock(filter.RecordBlockOptions{BlockSize: 9, CheckPut: true})
	wants(t, "put", putRecords(t, f, block(1, 2, 3, 4, 5)))
	f.SetBlockSize(2)
	wants(t, "put", putRecords(t, f, block()), "1", "2", "3", "4")
	wants(t, "put pending", showAll(f.PutPending()), "5")
}

// The records of a block are the receiver's.
func TestRecordBlockIsTheReceivers(t *testing.T) {
	f := filter.NewRecordBlock(filter.RecordBlockOptions{BlockSize: 2})
	f.Feed([]byte("a"))
	f.Feed([]byte("b"))
	r, _, _ := f.Next()
	f.Feed([]byte("c"))
	f.Feed([]byte("d"))
	f.Next()
	wants(t, "block", []string{show(r)}, "[a b]")
}

func TestRecordBlockErrors(t *testing.T) {
	for _, bad := range []filter.RecordBlockOptions{
		{}, {BlockSize: -1}, {BlockSize: 1, MaxBuffer: -1},
	} {
		mustPanic(t, func() { filter.NewRecordBlock(bad) })
	}
	f := filter.NewRecordBlock(filter.RecordBlockOptions{BlockSize: 2})
	_, err := f.Append(nil, filter.Record{Bytes: []byte("no block")})
	wantError(t, "Append of bytes", err, filter.ErrRecord)
	_, err = f.AppendRecords(nil, filter.Record{Value: "no block"})
	wantError(t, "AppendRecords of a string", err, filter.ErrRecord)
	_, err = f.Append(nil, block(1))
	wantError(t, "Append of a block of numbers", err, filter.ErrRecord)
}
