package filter

import (
	"errors"
	"fmt"
	"math"
)

// A Record is one unit of a stream: a line, a block, a request.
//
// A filter that deals in bytes sets Bytes, which is good until the next call on that filter. A
// filter that deals in anything else sets Value, which is the receiver's to keep.
//
// A filter that encodes bytes also takes a Value that is a string or a []byte.
type Record struct {
	Bytes []byte
	Value any
}

// A Filter decodes a stream into records and encodes records into a stream.
//
// The two directions do not influence each other.
//
// POE: POE::Filter.
type Filter interface {
	// Feed takes input in whatever pieces it arrived. It copies what it needs of p. After an error
	// it takes nothing more.
	//
	// POE: get_one_start.
	Feed(p []byte)

	// Next returns the next whole record. It returns ok false, and no error, when the input so
	// far holds no further one. After an error the stream is lost and Next repeats the error.
	//
	// POE: get_one.
	Next() (r Record, ok bool, err error)

	// Append appends the encoding of r to dst and returns the extended slice. If it returns an
	// error, that is dst as it was.
	//
	// POE: put.
	Append(dst []byte, r Record) ([]byte, error)

	// Pending returns the input that Next has not returned, for the filter that takes over. It is
	// good until the next call on this filter, and is nil if there is nothing. After an error the
	// record that failed may be missing.
	//
	// POE: get_pending.
	Pending() []byte

	// Clone returns a filter with the same options and no input.
	//
	// POE: clone.
	Clone() Filter
}

// What Next and Append can fail with. They wrap these and add what they know.
var (
	// ErrTooLong reports a record that is longer than the filter's MaxLength.
	ErrTooLong = errors.New("filter: record is too long")

	// ErrBufferFull reports that more than MaxBuffer bytes of input waited for Next.
	ErrBufferFull = errors.New("filter: input buffer is full")

	// ErrMalformed reports input that the filter cannot decode.
	ErrMalformed = errors.New("filter: malformed input")

	// ErrRecord reports a record that the filter cannot encode, mostly for the type of its Value.
	ErrRecord = errors.New("filter: unsuitable record")

	// ErrBareNewline reports a CR or an LF that is not part of a CRLF. Mail servers disagree on
	// whether it ends a line, and a sender who knows that can hide one message inside another.
	ErrBareNewline = errors.New("filter: bare CR or LF")
)

// end is the type of End, so that no other value equals it.
type end string

// End is the Value of the record that ends a message. It is not a line, because a line of text
// may be a single dot too, which travels as two: whoever took that line for the end would take
// the rest of the message for commands.
const End = end("end of message")

// The limits of filters whose options give none. They suit what comes from a network. The limit of
// the buffer is twice that of a record where this is more.
const (
	DefaultMaxLine   = 1 << 20  // bytes of a line
	DefaultMaxBlock  = 16 << 20 // bytes of a block
	DefaultMaxBuffer = 8 << 20  // bytes of all input that waits
)

// limits fills in the two limits of a filter's options, and panics, with the name of the options,
// if they make no sense.
func limits(options string, length, buffer *int, usual int) {
	switch {
	case *length < 0 || *buffer < 0:
		panic(fmt.Sprintf("filter: %s has a negative limit", options))
	case *length == 0 && *buffer == 0:
		*length = usual
	case *length == 0:
		*length = max(1, min(usual, *buffer/2))
	}
	if *buffer == 0 {
		*buffer = max(DefaultMaxBuffer, *length+min(*length, math.MaxInt-*length))
	}
	if *buffer < *length {
		panic(fmt.Sprintf("filter: %s has a MaxBuffer too small for its MaxLength", options))
	}
}

// isText reports whether r has bytes, and nothing else.
func isText(r Record) bool {
	switch r.Value.(type) {
	case nil, string, []byte:
		return true
	default:
		return false
	}
}

// textLen returns how many bytes r has.
func textLen(r Record) int {
	switch v := r.Value.(type) {
	case nil:
		return len(r.Bytes)
	case string:
		return len(v)
	case []byte:
		return len(v)
	default:
		return 0
	}
}

// appendText appends the bytes of r, for the filter of that name.
func appendText(dst []byte, r Record, name string) ([]byte, error) {
	switch v := r.Value.(type) {
	case nil:
		return append(dst, r.Bytes...), nil
	case string:
		return append(dst, v...), nil
	case []byte:
		return append(dst, v...), nil
	default:
		return dst, fmt.Errorf("%w: %s cannot encode a %T", ErrRecord, name, v)
	}
}
