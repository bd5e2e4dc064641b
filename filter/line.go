package filter

import (
	"bytes"
	"fmt"
	"regexp"
)

// A Newline says what ends a line of input, where neither a literal nor an expression does.
type Newline uint8

const (
	// AnyNewline ends a line at CR LF, LF CR, CR or LF, whichever comes.
	//
	// A line that ends in CR, or LF, is returned at once. If its other half comes later it belongs
	// to that line; it does not end another one. A program that hands the stream over to another
	// filter at that very point may not know of the half that is still to come: a protocol should
	// say what its newline is.
	AnyNewline Newline = iota

	// NetNewline ends a line at LF, and a CR in front of it belongs to the newline: what a server
	// should accept from people and programs that mean CR LF. Any other CR is part of the line.
	NetNewline

	// DetectNewline decides by the first newline, which is one of those of AnyNewline. Nothing else
	// ends a line from then on.
	DetectNewline
)

// LineOptions are the options of a Line. The zero value reads lines that end in any newline, and
// writes CR LF. At most one of Literal, InputLiteral, InputRegexp and Newline may be set.
//
// InputRegexp is tried on all of the line so far whenever a piece of input came, and ends the line
// as soon as it matches. So a line costs more the more pieces it comes in, and a newline that the
// expression lets be longer or shorter, as x+ does, may be found before all of it came. A match of
// no bytes ends nothing.
type LineOptions struct {
	Literal      string         // the newline, in both directions
	InputLiteral string         // the newline of the input
	InputRegexp  *regexp.Regexp // matches the newline of the input
	Newline      Newline        // the newline of the input; the zero value is AnyNewline

	OutputLiteral   string // the newline of the output; empty means Literal, or CR LF without one
	NoOutputLiteral bool   // write nothing after a record

	// MaxLength is the limit of a line, in bytes, without its newline. 0 means DefaultMaxLine, or
	// 64 KiB with InputRegexp; or half of MaxBuffer if that is less.
	MaxLength int

	// MaxBuffer is the limit of all that waits, in bytes. 0 means DefaultMaxBuffer, or twice
	// MaxLength if that is more.
	MaxBuffer int
}

// The limits where an expression ends the lines. Each piece of input is another search through the
// line, so that is shorter, and nobody knows how many of its last bytes may belong to a newline.
const (
	maxRegexpLine    = 64 << 10
	maxRegexpNewline = 1 << 10
)

// A Line is the filter for lines of text.
//
// The Bytes of a record are the line without its newline. They lie in the filter's buffer, are good
// until the next call on the filter, and may be changed until then. Neither Feed nor Next nor
// Append allocates, once the buffer has its size. An idle Line keeps at most 4 KiB, or, with a
// [Lender], what has come of an unfinished line.
//
// Next returns ErrTooLong for a line of more than MaxLength bytes, whether its end has come or not.
//
// POE: POE::Filter::Line.
type Line struct {
	*lineKind
	end *lineEnd // that of the kind, or the one that was detected
	in  input

	scanned int    // rest[:scanned] has no newline
	cr, lf  seeker // the same for AnyNewline, which looks for two bytes

	swallow byte // if the next byte of input is this one, it belongs to the newline before; or 0
}

// A lineKind is what the options of a Line have become. All clones share it.
type lineKind struct {
	opts LineOptions // with the limits filled in
	end  lineEnd
	out  string // what Append writes after a record
}

// A lineEnd is how the end of a line is found.
type lineEnd struct {
	// find returns the length of the first line of rest, without and with its newline, or two
	// zeros if rest has no newline.
	find    func(l *Line, rest []byte) (line, whole int)
	literal string // what findLiteral looks for
	reach   int    // how many bytes at the end of an unfinished line may belong to its newline
}

// NewLine returns a filter for lines.
func NewLine(opts LineOptions) *Line {
	opts.check()
	return newLine(&lineKind{opts: opts, end: opts.end(), out: opts.out()})
}

func newLine(kind *lineKind) *Line {
	l := &Line{lineKind: kind, end: &kind.end, cr: seeker{c: '\r'}, lf: seeker{c: '\n'}}
	l.in.max = kind.opts.MaxBuffer
	return l
}

// out returns the newline of the output.
func (o *LineOptions) out() string {
	switch {
	case o.NoOutputLiteral:
		return ""
	case o.OutputLiteral != "":
		return o.OutputLiteral
	case o.Literal != "":
		return o.Literal
	default:
		return "\r\n"
	}
}

// end returns the newline of the input.
func (o *LineOptions) end() lineEnd {
	switch {
	case o.Literal != "":
		return literalEnd(o.Literal)
	case o.InputLiteral != "":
		return literalEnd(o.InputLiteral)
	case o.InputRegexp != nil:
		return lineEnd{find: (*Line).findRegexp, reach: maxRegexpNewline}
	case o.Newline == NetNewline:
		return lineEnd{find: (*Line).findNet, reach: 1}
	case o.Newline == DetectNewline:
		return lineEnd{find: (*Line).detect}
	default:
		return lineEnd{find: (*Line).findAny}
	}
}

// literalEnd has newline as the only newline.
func literalEnd(newline string) lineEnd {
	return lineEnd{find: (*Line).findLiteral, literal: newline, reach: len(newline) - 1}
}

// check panics if the options contradict each other, and fills in the limits.
func (o *LineOptions) check() {
	given := 0
	for _, set := range []bool{
		o.Literal != "", o.InputLiteral != "", o.InputRegexp != nil, o.Newline != AnyNewline,
	} {
		if set {
			given++
		}
	}
	switch {
	case given > 1:
		panic("filter: LineOptions has more than one newline for its input")
	case o.Newline > DetectNewline:
		panic(fmt.Sprintf("filter: LineOptions has an unknown Newline %d", o.Newline))
	case o.OutputLiteral != "" && (o.NoOutputLiteral || o.Literal != ""):
		panic("filter: LineOptions has an OutputLiteral and something else that says the same")
	}
	usual := DefaultMaxLine
	if o.InputRegexp != nil {
		usual = maxRegexpLine
	}
	limits("LineOptions", &o.MaxLength, &o.MaxBuffer, usual)
}

// Feed takes a piece of input.
func (l *Line) Feed(p []byte) {
	l.in.add(l.continued(p))
}

// continued returns p without what belongs to the newline before it.
func (l *Line) continued(p []byte) []byte {
	if l.swallow != 0 && len(p) > 0 {
		return l.completeNewline(p)
	}
	return p
}

// completeNewline takes the second half of a newline off p, if it is there. The first half was the
// last byte of the input so far.
func (l *Line) completeNewline(p []byte) []byte {
	second := l.swallow
	l.swallow = 0
	first := '\r' + '\n' - second
	pair := p[0] == second
	if l.opts.Newline == DetectNewline {
		l.decide(first, pair)
	}
	if pair {
		return p[1:]
	}
	return p
}

// Next returns the next line.
func (l *Line) Next() (r Record, ok bool, err error) {
	if l.in.err != nil {
		return Record{}, false, l.in.err
	}
	rest := l.in.rest()
	line, whole := l.end.find(l, rest)
	most := l.opts.MaxLength
	switch {
	case whole == 0 && len(rest)-l.end.reach > most:
		whole = len(rest)
		fallthrough
	case line > most:
		l.in.drop(whole)
		return Record{}, false, l.fail(fmt.Errorf("%w: a line of more than %d bytes",
			ErrTooLong, most))
	case whole == 0:
		l.in.settle()
		return Record{}, false, nil
	}
	l.scanned = 0
	l.cr.shift(whole)
	l.lf.shift(whole)
	return Record{Bytes: l.in.take(whole)[:line:line]}, true, nil
}

// Append appends a line and the newline of the output. It leaves newlines within the line alone.
func (l *Line) Append(dst []byte, r Record) ([]byte, error) {
	out, err := appendText(dst, r, "Line")
	if err != nil {
		return dst, err
	}
	return append(out, l.out...), nil
}

// Pending returns the input that Next has not returned.
func (l *Line) Pending() []byte {
	return l.in.pending()
}

// Clone returns a Line with the same options and no input. It has detected nothing.
func (l *Line) Clone() Filter {
	return newLine(l.lineKind)
}

// fail ends the stream with err, and returns it.
func (l *Line) fail(err error) error {
	return l.in.fail(err)
}

// endsIn makes newline, which was detected, the only newline.
func (l *Line) endsIn(newline string) {
	end := literalEnd(newline)
	l.end = &end
}

// findLiteral looks for the last byte of the literal, and then whether the rest of it is there.
func (l *Line) findLiteral(rest []byte) (line, whole int) {
	literal := l.end.literal
	last := literal[len(literal)-1]
	for {
		i := bytes.IndexByte(rest[l.scanned:], last)
		if i < 0 {
			l.scanned = len(rest)
			return 0, 0
		}
		l.scanned += i + 1
		line = l.scanned - len(literal)
		if line >= 0 && string(rest[line:l.scanned]) == literal {
			return line, l.scanned
		}
	}
}

// findNet finds an LF, with or without a CR in front of it.
func (l *Line) findNet(rest []byte) (line, whole int) {
	i := bytes.IndexByte(rest[l.scanned:], '\n')
	if i < 0 {
		l.scanned = len(rest)
		return 0, 0
	}
	line = l.scanned + i
	whole = line + 1
	if line > 0 && rest[line-1] == '\r' {
		line--
	}
	return line, whole
}

// findAny finds a CR or an LF, whichever is first, with the other one if that comes next.
func (l *Line) findAny(rest []byte) (line, whole int) {
	line = min(l.cr.find(rest, 0), l.lf.find(rest, 0))
	if line == len(rest) {
		return 0, 0
	}
	other := '\r' + '\n' - rest[line]
	switch {
	case line+1 == len(rest):
		l.swallow = other
	case rest[line+1] == other:
		return line, line + 2
	}
	return line, line + 1
}

// detect finds the first newline, and from then on only that one is a newline. When the input so
// far ends in half of a pair, perhaps, the next byte decides.
func (l *Line) detect(rest []byte) (line, whole int) {
	line, whole = l.findAny(rest)
	if whole != 0 && l.swallow == 0 {
		l.decide(rest[line], whole == line+2)
	}
	return line, whole
}

// decide fixes the newline that was detected.
func (l *Line) decide(first byte, pair bool) {
	switch {
	case !pair:
		l.endsIn(string(rune(first)))
	case first == '\r':
		l.endsIn("\r\n")
	default:
		l.endsIn("\n\r")
	}
}

// findRegexp finds the first match of the expression.
func (l *Line) findRegexp(rest []byte) (line, whole int) {
	if l.scanned == len(rest) {
		return 0, 0
	}
	match := l.opts.InputRegexp.FindIndex(rest)
	if match == nil || match[0] == match[1] {
		l.scanned = len(rest)
		return 0, 0
	}
	return match[0], match[1]
}
