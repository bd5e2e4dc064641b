package filter

import "fmt"

// ReferenceOptions are the options of a Reference. The zero value sends values of any registered
// type by gob, not compressed.
type ReferenceOptions struct {
	Serializer  Serializer  // turns values into bytes; nil means Gob{}
	Compression Compression // of the bytes; the zero value is none
	Level       int         // of the compression, from 1, fast, to 9, small; 0 means the usual one

	// NoFatals makes a record of a value that cannot be decoded: its Value is the error, and the
	// next value follows. Otherwise Next returns the error and the stream is lost. A length that
	// makes no sense loses it in any case.
	NoFatals bool

	MaxLength   int // bytes of a value on the wire; as in BlockOptions
	MaxBuffer   int // bytes that may wait in all; as in BlockOptions
	MaxExpanded int // bytes of a value that was compressed; 0 means MaxLength
}

// A Reference is the filter for the values of a program. On the wire a value is its length in
// decimal digits, a NUL, and its encoding. A record's Value is the receiver's to keep.
//
// What it trusts is the Serializer's to say: Gob trusts the peer to be no adversary, JSON trusts
// nobody. The filter itself holds every length to its limit, and does not expand what was
// compressed beyond that.
//
// Append refuses a record without a Value, which is ErrRecord.
//
// POE: POE::Filter::Reference.
type Reference struct {
	opts  ReferenceOptions // with what was left out filled in
	given ReferenceOptions
	block *Block
	err   error
}

// NewReference returns a filter for values.
func NewReference(opts ReferenceOptions) *Reference {
	f := &Reference{opts: opts, given: opts}
	f.block = NewBlock(BlockOptions{MaxLength: opts.MaxLength, MaxBuffer: opts.MaxBuffer})
	switch {
	case opts.Compression > Gzip:
		panic("filter: ReferenceOptions has an unknown Compression")
	case opts.Level < 0 || opts.Level > 9:
		panic("filter: ReferenceOptions has a Level that is not from 0 to 9")
	case opts.MaxExpanded < 0:
		panic("filter: ReferenceOptions has a negative limit")
	}
	if opts.Serializer == nil {
		f.opts.Serializer = Gob{}
	}
	if opts.MaxExpanded == 0 {
		f.opts.MaxExpanded = f.block.opts.MaxLength
	}
	return f
}

// Feed takes a piece of input.
func (f *Reference) Feed(p []byte) {
	if f.err == nil {
		f.block.Feed(p)
	}
}

// Next returns the next value.
func (f *Reference) Next() (r Record, ok bool, err error) {
	if f.err != nil {
		return Record{}, false, f.err
	}
	r, ok, f.err = f.block.Next()
	if !ok {
		return Record{}, false, f.err
	}
	v, err := f.decode(r.Bytes)
	switch {
	case err == nil:
		return Record{Value: v}, true, nil
	case f.opts.NoFatals:
		return Record{Value: err}, true, nil
	}
	f.err = err
	return Record{}, false, err
}

// decode returns the value that p is the encoding of.
func (f *Reference) decode(p []byte) (any, error) {
	text, err := f.opts.Compression.expand(p, f.opts.MaxExpanded)
	if err != nil {
		return nil, err
	}
	v, err := f.opts.Serializer.Decode(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return v, nil
}

// Append appends the encoding of r.Value.
func (f *Reference) Append(dst []byte, r Record) ([]byte, error) {
	if r.Value == nil {
		return dst, fmt.Errorf("%w: Reference needs a Value", ErrRecord)
	}
	text, err := f.encode(r.Value)
	if err != nil {
		return dst, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	return f.block.Append(dst, Record{Bytes: text})
}

// encode returns the encoding of v.
func (f *Reference) encode(v any) ([]byte, error) {
	text, err := f.opts.Serializer.Append(nil, v)
	if err != nil || f.opts.Compression == NoCompression {
		return text, err
	}
	return f.opts.Compression.compress(nil, text, f.opts.Level)
}

// Pending returns the input that Next has not returned.
func (f *Reference) Pending() []byte {
	return f.block.Pending()
}

// Clone returns a Reference with the same options and no input.
func (f *Reference) Clone() Filter {
	return NewReference(f.given)
}
