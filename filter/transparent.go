package filter

import "fmt"

// TransparentOptions are the options of a Transparent. The zero value reads lines that end in any
// newline, and writes CR LF.
type TransparentOptions struct {
	InputLiteral  string  // the newline of the input; empty means Newline
	Newline       Newline // the newline of the input if there is no InputLiteral
	OutputLiteral string  // the newline of the output; empty means CR LF

	// EscapeSingleInputDot doubles the dot of a record that is a dot alone. Otherwise such a record
	// is the end of the message.
	EscapeSingleInputDot bool

	// Warn is called with a line of input that begins with a single dot and goes on, which a sender
	// that doubles its dots cannot mean. It may not keep the line. Nil means nobody cares.
	Warn func(line []byte)

	MaxLength int // bytes of a line as it travels; as in LineOptions
	MaxBuffer int // bytes that may wait in all; as in LineOptions
}

// A Transparent is the filter for lines whose leading dots are doubled, with all that
// POE::Filter::Transparent::SMTP does. It is for programs that come from there. Others take SMTP,
// MessageEncoder or MessageDecoder, because of these habits:
//
// Input that is two dots, and the dot that ends a message, both become the line of one dot: the
// reader cannot tell them apart. Input that begins with a single dot stays as it is. A newline
// within a record that is written does not begin a new line, so a dot after it is not doubled.
//
// POE: POE::Filter::Transparent::SMTP 0.2. Here a CR LF that comes in two pieces is one newline, a
// clone is a filter of its own, an OutputLiteral is not a pattern, and Warn does not concern lines
// whose dots are right.
type Transparent struct {
	opts TransparentOptions
	line *Line
}

// NewTransparent returns a filter for lines with dots.
func NewTransparent(opts TransparentOptions) *Transparent {
	if opts.InputLiteral != "" && opts.Newline != AnyNewline {
		panic("filter: TransparentOptions has both InputLiteral and Newline")
	}
	return &Transparent{opts: opts, line: NewLine(LineOptions{
		InputLiteral:  opts.InputLiteral,
		Newline:       opts.Newline,
		OutputLiteral: opts.OutputLiteral,
		MaxLength:     opts.MaxLength,
		MaxBuffer:     opts.MaxBuffer,
	})}
}

// Feed takes a piece of input.
func (f *Transparent) Feed(p []byte) {
	f.line.Feed(p)
}

// Next returns the next line. Of two dots that begin it, one is gone.
func (f *Transparent) Next() (r Record, ok bool, err error) {
	r, ok, err = f.line.Next()
	if len(r.Bytes) < 2 || r.Bytes[0] != '.' {
		return r, ok, err
	}
	if r.Bytes[1] == '.' {
		r.Bytes = r.Bytes[1:]
	} else if f.opts.Warn != nil {
		f.opts.Warn(r.Bytes)
	}
	return r, true, nil
}

// Append appends a line. If it begins with a dot it gets another one, but for the dot alone, where
// EscapeSingleInputDot decides.
func (f *Transparent) Append(dst []byte, r Record) ([]byte, error) {
	if !isText(r) {
		return dst, fmt.Errorf("%w: Transparent cannot encode a %T", ErrRecord, r.Value)
	}
	start := len(dst)
	dst, _ = appendText(dst, r, "Transparent")
	if text := dst[start:]; len(text) > 0 && text[0] == '.' &&
		(len(text) > 1 || f.opts.EscapeSingleInputDot) {
		dst = doubleDot(dst, start)
	}
	return append(dst, f.line.out...), nil
}

// Pending returns the input that Next has not returned, with its dots as they came.
func (f *Transparent) Pending() []byte {
	return f.line.Pending()
}

// Clone returns a Transparent with the same options and no input.
func (f *Transparent) Clone() Filter {
	return NewTransparent(f.opts)
}
