package filter

import (
	"fmt"
	"slices"
)

// RecordBlockOptions are the options of a RecordBlock. BlockSize has no default.
type RecordBlockOptions struct {
	BlockSize int  // how many records make a block
	CheckPut  bool // give only whole blocks on output, and hold the rest

	MaxBuffer int // bytes that may wait, counting 40 more for each record; 0 means DefaultMaxBuffer
}

// A RecordBlock is the filter that makes one record of several: its Value is a []Record, which is
// the receiver's to keep. On output it makes single records of such a block.
//
// With CheckPut it gives the records of the output only in multiples of the block's size, and holds
// the others until more come, or until Flush.
//
// POE: POE::Filter::RecordBlock, which cannot flush.
type RecordBlock struct {
	opts RecordBlockOptions
	in   queue
	held []Record // of the output; the bytes are copies
}

// NewRecordBlock returns a filter for blocks of records.
func NewRecordBlock(opts RecordBlockOptions) *RecordBlock {
	if opts.BlockSize < 1 {
		panic("filter: RecordBlockOptions has no BlockSize")
	}
	return &RecordBlock{opts: opts, in: newQueue("RecordBlockOptions", opts.MaxBuffer)}
}

// BlockSize returns how many records make a block.
//
// POE: blocksize.
func (b *RecordBlock) BlockSize() int {
	return b.opts.BlockSize
}

// SetBlockSize changes how many records make a block, unless n is less than 1. Records that wait
// are for blocks of the new size.
//
// POE: blocksize.
func (b *RecordBlock) SetBlockSize(n int) {
	if n > 0 {
		b.opts.BlockSize = n
	}
}

// CheckPut reports whether only whole blocks are given on output.
//
// POE: checkput.
func (b *RecordBlock) CheckPut() bool {
	return b.opts.CheckPut
}

// SetCheckPut says whether only whole blocks are given on output. What was held back until then
// comes with the next record.
//
// POE: checkput.
func (b *RecordBlock) SetCheckPut(check bool) {
	b.opts.CheckPut = check
}

// Feed takes p as one record, unless it is empty.
func (b *RecordBlock) Feed(p []byte) {
	if len(p) > 0 {
		b.in.add(Record{Bytes: p})
	}
}

// FeedRecord takes one record.
func (b *RecordBlock) FeedRecord(r Record) {
	b.in.add(r)
}

// Next returns the next block.
func (b *RecordBlock) Next() (r Record, ok bool, err error) {
	if b.in.err != nil || b.in.len() < b.opts.BlockSize {
		b.in.settle()
		return Record{}, false, b.in.err
	}
	block := make([]Record, b.opts.BlockSize)
	for i := range block {
		block[i] = owned(b.in.take())
	}
	return Record{Value: block}, true, nil
}

// owned returns r with bytes of its own.
func owned(r Record) Record {
	r.Bytes = slices.Clone(r.Bytes)
	return r
}

// Append appends the bytes of the records of a block.
func (b *RecordBlock) Append(dst []byte, r Record) ([]byte, error) {
	block, err := blockOf(r)
	if err != nil {
		return dst, err
	}
	for _, r := range slices.Concat(b.held, block) {
		if !isText(r) {
			return dst, fmt.Errorf("%w: RecordBlock cannot encode a %T", ErrRecord, r.Value)
		}
	}
	return appendRecords(dst, b.put(nil, block))
}

// AppendRecords appends the records of a block.
func (b *RecordBlock) AppendRecords(dst []Record, r Record) ([]Record, error) {
	block, err := blockOf(r)
	if err != nil {
		return dst, err
	}
	return b.put(dst, block), nil
}

// blockOf returns the records of a block.
func blockOf(r Record) ([]Record, error) {
	block, ok := r.Value.([]Record)
	if !ok {
		return nil, fmt.Errorf("%w: RecordBlock needs a []Record, and not a %T", ErrRecord, r.Value)
	}
	return block, nil
}

// put appends the records of a block, after those that were held, and holds those of them that must
// wait.
func (b *RecordBlock) put(dst, block []Record) []Record {
	if !b.opts.CheckPut {
		return append(b.FlushRecords(dst), block...)
	}
	whole := (len(b.held) + len(block)) / b.opts.BlockSize * b.opts.BlockSize
	old := min(whole, len(b.held))
	dst = append(dst, b.held[:old]...)
	b.held = slices.Delete(b.held, 0, old)
	dst = append(dst, block[:whole-old]...)
	for _, r := range block[whole-old:] {
		b.held = append(b.held, owned(r))
	}
	return dst
}

// PutPending returns the records of the output that are held back. It is good until the next call
// on the filter, and nil if there are none.
//
// POE: put_pending.
func (b *RecordBlock) PutPending() []Record {
	if len(b.held) == 0 {
		return nil
	}
	return b.held
}

// Flush appends the bytes of the records that are held back. If one has none, it fails and holds
// them all as before.
func (b *RecordBlock) Flush(dst []byte) ([]byte, error) {
	dst, err := appendRecords(dst, b.held)
	if err == nil {
		b.held = nil
	}
	return dst, err
}

// FlushRecords appends the records that are held back.
func (b *RecordBlock) FlushRecords(dst []Record) []Record {
	dst = append(dst, b.held...)
	b.held = nil
	return dst
}

// appendRecords appends the bytes of records.
func appendRecords(dst []byte, records []Record) ([]byte, error) {
	out := dst
	for _, r := range records {
		var err error
		if out, err = appendText(out, r, "RecordBlock"); err != nil {
			return dst, err
		}
	}
	return out, nil
}

// Pending returns the bytes of PendingRecords.
func (b *RecordBlock) Pending() []byte {
	return joined(b.in.pending())
}

// PendingRecords returns the records that no block was made of.
func (b *RecordBlock) PendingRecords() []Record {
	return b.in.pending()
}

// Clone returns a RecordBlock with the same options, no input, and no output that is held back.
func (b *RecordBlock) Clone() Filter {
	return NewRecordBlock(b.opts)
}
