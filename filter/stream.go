package filter

// StreamOptions are the options of a Stream.
type StreamOptions struct {
	MaxBuffer int // bytes that may wait for Next; 0 means DefaultMaxBuffer
}

// A Stream is the filter that is none: bytes pass as they come. Next returns all that came since
// the last one, as one record.
//
// POE: POE::Filter::Stream.
type Stream struct {
	in input
}

// NewStream returns a filter that passes bytes.
func NewStream(opts StreamOptions) *Stream {
	if opts.MaxBuffer < 0 {
		panic("filter: StreamOptions has a negative limit")
	}
	if opts.MaxBuffer == 0 {
		opts.MaxBuffer = DefaultMaxBuffer
	}
	return &Stream{in: input{max: opts.MaxBuffer}}
}

// Feed takes a piece of input.
func (s *Stream) Feed(p []byte) {
	s.in.add(p)
}

// Next returns all the input so far.
func (s *Stream) Next() (r Record, ok bool, err error) {
	if s.in.err != nil {
		return Record{}, false, s.in.err
	}
	n := len(s.in.rest())
	if n == 0 {
		s.in.settle()
		return Record{}, false, nil
	}
	return Record{Bytes: s.in.take(n)}, true, nil
}

// Append appends the bytes of r.
func (s *Stream) Append(dst []byte, r Record) ([]byte, error) {
	return appendText(dst, r, "Stream")
}

// Pending returns the input that Next has not returned.
func (s *Stream) Pending() []byte {
	return s.in.pending()
}

// Clone returns a Stream with the same limit and no input.
func (s *Stream) Clone() Filter {
	return NewStream(StreamOptions{MaxBuffer: s.in.max})
}
