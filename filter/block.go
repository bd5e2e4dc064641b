package filter

import (
	"fmt"
	"math"
	"strconv"
)

// A LengthCodec is the form of the length that goes in front of a block. It keeps no state, since
// clones of the filter share it.
type LengthCodec interface {
	// AppendLength appends the length n and returns the extended slice.
	AppendLength(dst []byte, n int) []byte

	// Length reads the length n, and how many bytes of p it takes. If p, which is not empty, is too
	// short to tell, size is 0.
	Length(p []byte) (n, size int, err error)
}

// BlockOptions are the options of a Block. The zero value is for blocks of any length, each with
// its length in front of it as decimal digits and a NUL.
type BlockOptions struct {
	BlockSize   int         // the length of every block, without anything in front of it
	LengthCodec LengthCodec // the form of the length; nil means digits and a NUL

	// MaxLength is the limit of a block, in bytes. 0 means DefaultMaxBlock, or half of MaxBuffer if
	// that is less. It does not go with BlockSize.
	MaxLength int

	// MaxBuffer is the limit of all that waits, in bytes. 0 means DefaultMaxBuffer, or twice
	// MaxLength, or BlockSize, if that is more.
	MaxBuffer int
}

// A Block is the filter for blocks of bytes, of one length or with their length in front.
//
// The Bytes of a record lie in the filter's buffer. They are good until the next call on the
// filter, and may be changed until then.
//
// Memory is taken for what came, and not for what a length announces. Next returns ErrTooLong for a
// length above MaxLength, and ErrMalformed for something that is no length.
//
// POE: POE::Filter::Block, which skips what is no length.
type Block struct {
	opts  BlockOptions // with the limits and the codec filled in
	given BlockOptions
	in    input
}

// NewBlock returns a filter for blocks.
func NewBlock(opts BlockOptions) *Block {
	b := &Block{opts: opts, given: opts}
	b.opts.check()
	b.in.max = b.opts.MaxBuffer
	return b
}

// check panics if the options contradict each other, and fills in the others.
func (o *BlockOptions) check() {
	if o.BlockSize == 0 {
		limits("BlockOptions", &o.MaxLength, &o.MaxBuffer, DefaultMaxBlock)
		if o.LengthCodec == nil {
			o.LengthCodec = decimal{}
		}
		length := o.LengthCodec.AppendLength(nil, o.MaxLength)
		if o.MaxBuffer-len(length) < o.MaxLength {
			panic("filter: BlockOptions has a MaxBuffer too small for its MaxLength")
		}
		return
	}
	switch {
	case o.BlockSize < 0:
		panic("filter: BlockOptions has a negative BlockSize")
	case o.LengthCodec != nil:
		panic("filter: BlockOptions has both BlockSize and LengthCodec")
	case o.MaxLength != 0:
		panic("filter: BlockOptions has both BlockSize and MaxLength")
	}
	o.MaxLength = o.BlockSize
	limits("BlockOptions", &o.MaxLength, &o.MaxBuffer, DefaultMaxBlock)
}

// Feed takes a piece of input.
func (b *Block) Feed(p []byte) {
	b.in.add(p)
}

// Next returns the next block.
func (b *Block) Next() (r Record, ok bool, err error) {
	if b.in.err != nil {
		return Record{}, false, b.in.err
	}
	rest := b.in.rest()
	n, size, err := b.length(rest)
	if err != nil {
		b.in.drop(size)
		return Record{}, false, b.in.fail(err)
	}
	if n < 0 || len(rest)-size < n {
		b.in.settle()
		return Record{}, false, nil
	}
	return Record{Bytes: b.in.take(size + n)[size:]}, true, nil
}

// length returns the length of the next block, and the size of what is in front of it. If that has
// not come yet, n is -1.
func (b *Block) length(rest []byte) (n, size int, err error) {
	if b.opts.BlockSize > 0 {
		return b.opts.BlockSize, 0, nil
	}
	if len(rest) == 0 {
		return -1, 0, nil
	}
	n, size, err = b.opts.LengthCodec.Length(rest)
	switch {
	case err != nil:
		return 0, 0, err
	case size == 0:
		return -1, 0, nil
	case n < 0 || size < 0 || size > len(rest):
		return 0, 0, fmt.Errorf("%w: a block of %d bytes", ErrMalformed, n)
	case n > b.opts.MaxLength:
		return 0, size, fmt.Errorf("%w: a block of %d bytes, and not of at most %d",
			ErrTooLong, n, b.opts.MaxLength)
	}
	return n, size, nil
}

// Append appends a block, with its length unless all have one size. It does not check that size.
func (b *Block) Append(dst []byte, r Record) ([]byte, error) {
	out := dst
	if b.opts.BlockSize == 0 {
		out = b.opts.LengthCodec.AppendLength(out, textLen(r))
	}
	out, err := appendText(out, r, "Block")
	if err != nil {
		return dst, err
	}
	return out, nil
}

// Pending returns the input that Next has not returned, with the length of the block that is not
// complete, if that has come.
func (b *Block) Pending() []byte {
	return b.in.pending()
}

// Clone returns a Block with the same options and no input.
func (b *Block) Clone() Filter {
	return NewBlock(b.given)
}

// decimal is the usual LengthCodec: decimal digits and a NUL.
type decimal struct{}

// AppendLength appends the length n.
func (decimal) AppendLength(dst []byte, n int) []byte {
	return append(strconv.AppendInt(dst, int64(n), 10), 0)
}

// Length reads a length.
func (decimal) Length(p []byte) (n, size int, err error) {
	for i, c := range p {
		switch {
		case c == 0 && i > 0:
			return n, i + 1, nil
		case c < '0' || c > '9':
			return 0, 0, fmt.Errorf("%w: a length with the byte %q in it", ErrMalformed, c)
		case i == maxDigits || n > (math.MaxInt-9)/10:
			return 0, 0, fmt.Errorf("%w: a length of too many digits", ErrTooLong)
		}
		n = 10*n + int(c-'0')
	}
	return 0, 0, nil
}

// maxDigits is more than any length needs. It stops a length that is all zeros.
const maxDigits = 20
