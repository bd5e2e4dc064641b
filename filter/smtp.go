package filter

import (
	"bytes"
	"fmt"
)

// SMTPOptions are the options of an SMTP.
type SMTPOptions struct {
	MaxLength int // bytes of a line as it travels; as in LineOptions
	MaxBuffer int // bytes that may wait in all; as in LineOptions
}

// SMTP is the filter for a message in transit: lines of text whose leading dots are doubled, and
// then a dot alone (RFC 5321, section 4.5.2). Its newline is CR LF and nothing else.
//
// The record after the last line has the Value End. What comes then may be another message.
//
// Whoever wants the message and not its lines takes a [MessageDecoder], which is faster.
//
// POE: POE::Filter::Transparent::SMTP, which cannot tell End from a line that is one dot. For a
// filter that does all as that one, see [Transparent].
type SMTP struct {
	Line
}

// NewSMTP returns a filter for messages.
func NewSMTP(opts SMTPOptions) *SMTP {
	return &SMTP{Line: *NewLine(LineOptions{
		Literal:   "\r\n",
		MaxLength: opts.MaxLength,
		MaxBuffer: opts.MaxBuffer,
	})}
}

// Next returns the next line of text, with its dots as the sender wrote them, or End. It returns
// ErrBareNewline if a line has a CR or an LF in it.
func (f *SMTP) Next() (r Record, ok bool, err error) {
	r, ok, err = f.Line.Next()
	switch {
	case !ok:
		return r, ok, err
	case hasNewline(r.Bytes):
		return Record{}, false, f.fail(ErrBareNewline)
	case string(r.Bytes) == ".":
		return Record{Value: End}, true, nil
	}
	r.Bytes = bytes.TrimPrefix(r.Bytes, []byte("."))
	return r, true, nil
}

// Append appends a line of text, or the end of the message if r is End. It returns ErrBareNewline
// if there is a CR or an LF in the line: what the reader would make of it is unknown.
func (f *SMTP) Append(dst []byte, r Record) ([]byte, error) {
	if r.Value == End {
		return append(dst, ".\r\n"...), nil
	}
	out, err := appendText(dst, r, "SMTP")
	if err != nil {
		return dst, err
	}
	line := out[len(dst):]
	if hasNewline(line) {
		return dst, fmt.Errorf("%w in a line of text", ErrBareNewline)
	}
	if len(line) > 0 && line[0] == '.' {
		out = doubleDot(out, len(dst))
	}
	return append(out, "\r\n"...), nil
}

// Clone returns an SMTP with the same limits and no input.
func (f *SMTP) Clone() Filter {
	return NewSMTP(SMTPOptions{MaxLength: f.opts.MaxLength, MaxBuffer: f.opts.MaxBuffer})
}

// hasNewline reports whether line has a CR or an LF in it.
func hasNewline(line []byte) bool {
	return bytes.IndexByte(line, '\n') >= 0 || bytes.IndexByte(line, '\r') >= 0
}

// doubleDot puts a dot in front of dst[start:], which begins with a dot.
func doubleDot(dst []byte, start int) []byte {
	dst = append(dst, 0)
	copy(dst[start+1:], dst[start:])
	return dst
}
