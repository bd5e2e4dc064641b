package filter_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/test/filtertest"
)

// byteLength is a length of one byte.
type byteLength struct{}

func (byteLength) AppendLength(dst []byte, n int) []byte { return append(dst, byte(n)) }
func (byteLength) Length(p []byte) (n, size int, err error) {
	return int(p[0]), 1, nil
}

// bigEndian is a length of four bytes.
type bigEndian struct{}

func (bigEndian) AppendLength(dst []byte, n int) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(n))
}

func (bigEndian) Length(p []byte) (n, size int, err error) {
	if len(p) < 4 {
		return 0, 0, nil
	}
	return int(binary.BigEndian.Uint32(p)), 4, nil
}

// liar is a codec with a bug.
type liar struct{}

func (liar) AppendLength(dst []byte, n int) []byte    { return append(dst, 'x') }
func (liar) Length(p []byte) (n, size int, err error) { return -7, 1, nil }

var blockSuites = map[string]struct {
	opts  filter.BlockOptions
	cases []filtertest.Case
}{
	"fixed": {filter.BlockOptions{BlockSize: 4}, []filtertest.Case{
		{Name: "fixed", In: "abcdefghijklmnopqrs", Pending: "qrs",
			Want: lines("abcd", "efgh", "ijkl", "mnop"), Wire: "abcdefghijklmnop"},
	}},
	"variable": {filter.BlockOptions{}, []filtertest.Case{
		{Name: "whole", In: "5\x00hello0\x003\x00a\x00b12\x00xxxxxxxxxxxx",
			Want: lines("hello", "", "a\x00b", "xxxxxxxxxxxx"),
			Wire: "5\x00hello0\x003\x00a\x00b12\x00xxxxxxxxxxxx"},
		{Name: "length and data apart", In: "12\x00twelve bytes1", Want: lines("twelve bytes"),
			Pending: "1"},
		{Name: "T-24", In: "10\x00klmnopqrst", Want: lines("klmnopqrst")},
		{Name: "in a block", In: "1\x00a3\x00bc", Want: lines("a"), Pending: "3\x00bc"},
		{Name: "leading zeros", In: "005\x00hello", Want: lines("hello")},
		{Name: "garbage", In: "1\x00a!1\x00b", Want: lines("a"), Err: filter.ErrMalformed},
		{Name: "no digits", In: "\x00", Err: filter.ErrMalformed},
		{Name: "negative", In: "-1\x00", Err: filter.ErrMalformed},
		{Name: "too many digits", In: "99999999999999999999999", Err: filter.ErrTooLong},
		{Name: "zeros without end", In: strings.Repeat("0", 21), Err: filter.ErrTooLong},
		{Name: "a lie", In: "16777217\x00", Err: filter.ErrTooLong},
	}},
	"own codec": {filter.BlockOptions{LengthCodec: byteLength{}}, []filtertest.Case{
		{Name: "own codec", In: "\x03abc\x00\x02xy\x01", Want: lines("abc", "", "xy"), Pending: "\x01",
			Wire: "\x03abc\x00\x02xy"},
	}},
	"big endian": {filter.BlockOptions{LengthCodec: bigEndian{}}, []filtertest.Case{
		{Name: "blocks", In: "\x00\x00\x00\x01a\x00\x00\x00\x02bc\x00\x00\x00", Want: lines("a", "bc"),
			Pending: "\x00\x00\x00"},
		{Name: "too long", In: "\xff\xff\xff\xff", Err: filter.ErrTooLong},
	}},
	"limits": {filter.BlockOptions{MaxLength: 10}, []filtertest.Case{
		{Name: "limits", In: "10\x00aaaaaaaaaa11\x00", Want: lines("aaaaaaaaaa"),
			Err: filter.ErrTooLong},
		{Name: "T-24 limit", In: "134\x00", Err: filter.ErrTooLong},
	}},
	"codec with a bug": {filter.BlockOptions{LengthCodec: liar{}}, []filtertest.Case{
		{Name: "negative", In: "x", Err: filter.ErrMalformed},
	}},
}

func TestBlock(t *testing.T) {
	for name, s := range blockSuites {
		suite := filtertest.Suite{
			New:   func() filter.Filter { return filter.NewBlock(s.opts) },
			Cases: s.cases,
		}
		t.Run(name, suite.Run)
	}
}

func FuzzBlock(f *testing.F)      { fuzzBlock(f, "variable") }
func FuzzBlockFixed(f *testing.F) { fuzzBlock(f, "fixed") }

// fuzzBlock fuzzes one kind of Block.
func fuzzBlock(f *testing.F, name string) {
	s := blockSuites[name]
	filtertest.Suite{
		New:   func() filter.Filter { return filter.NewBlock(s.opts) },
		Cases: s.cases,
	}.Fuzz(f)
}

// The filter is fed on after records, and keeps the length that came without its block.
func TestBlockGoesOn(t *testing.T) {
	f := filter.NewBlock(filter.BlockOptions{LengthCodec: byteLength{}})
	wants(t, "own codec get", get(t, f, "\x03ab"))
	wants(t, "own codec get", get(t, f, "c\x00\x02xy\x01"), "abc", "", "xy")
	if p := string(f.Pending()); p != "\x01" {
		t.Errorf("pending: got %q, want the length", p)
	}
	wants(t, "its length is kept", get(t, f, "z"), "z")
}

func TestBlockPutJoins(t *testing.T) {
	f := filter.NewBlock(filter.BlockOptions{BlockSize: 4})
	var wire []byte
	for _, r := range records("12", "345", "6") {
		wire, _ = f.Append(wire, r)
	}
	if string(wire) != "123456" {
		t.Errorf("got %q, want 123456", wire)
	}
	_, err := filter.NewBlock(filter.BlockOptions{}).Append(nil, filter.Record{Value: 1})
	wantError(t, "Append of a number", err, filter.ErrRecord)
}

func TestBlockBufferLimit(t *testing.T) {
	f := filter.NewBlock(filter.BlockOptions{MaxLength: 10, MaxBuffer: 20})
	f.Feed(bytes.Repeat([]byte("9"), 21))
	_, _, err := f.Next()
	wantError(t, "Next", err, filter.ErrBufferFull)
	if n := len(f.Pending()); n != 21 {
		t.Errorf("%d bytes pending, want 21", n)
	}
}

// A length above the limit is gone after the error.
func TestBlockLimits(t *testing.T) {
	f := filter.NewBlock(filter.BlockOptions{MaxLength: 10, MaxBuffer: 20})
	wants(t, "limits", get(t, f, "10\x00aaaaaaaaaa"), "aaaaaaaaaa")
	f.Feed([]byte("11\x00"))
	_, _, err := f.Next()
	wantError(t, "Next", err, filter.ErrTooLong)
	if p := f.Pending(); p != nil {
		t.Errorf("pending: got %q, want nil", p)
	}
}

// A length alone takes no memory.
func TestBlockBelievesNoLength(t *testing.T) {
	f := filter.NewBlock(filter.BlockOptions{MaxLength: 1 << 30})
	f.Feed([]byte("1073741824\x00"))
	if n := testing.AllocsPerRun(10, func() { f.Next() }); n != 0 {
		t.Errorf("%v allocations for a block that has not come", n)
	}
}

func TestBlockRefusesOptions(t *testing.T) {
	for name, opts := range map[string]filter.BlockOptions{
		"negative size":        {BlockSize: -1},
		"size and MaxLength":   {BlockSize: 4, MaxLength: 3},
		"size and LengthCodec": {BlockSize: 4, LengthCodec: byteLength{}},
		"negative MaxLength":   {MaxLength: -1},
		"negative MaxBuffer":   {MaxBuffer: -1},
		"MaxBuffer too small":  {MaxLength: 10, MaxBuffer: 12},
		"size over MaxBuffer":  {BlockSize: 10, MaxBuffer: 9},
	} {
		t.Run(name, func(t *testing.T) {
			mustPanic(t, func() { filter.NewBlock(opts) })
		})
	}
}

func TestBlockCostsNoMemory(t *testing.T) {
	f := filter.NewBlock(filter.BlockOptions{})
	in := bytes.Repeat([]byte("11\x00hello world"), 100)
	out := make([]byte, 0, 2*len(in))
	noAllocs(t, func() {
		out = out[:0]
		f.Feed(in)
		for {
			r, ok, err := f.Next()
			if err != nil && !errors.Is(err, filter.ErrTooLong) {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			out, _ = f.Append(out, r)
		}
	})
}
