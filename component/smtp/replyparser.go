package smtp

import (
	"errors"
	"fmt"
)

// Limits on a reply that is received. They are above what RFC 5321 lets a server send, since many
// servers send more, and below what would hurt. A challenge of RFC 4954 is the longest line that
// has a use.
const (
	DefaultReplyLines = 128             // lines of one reply
	DefaultReplyLine  = MaxAuthLine + 4 // octets of one line, without its CRLF
	DefaultReplyBytes = 64 << 10        // octets of text of one reply
)

// keptReply is how much memory a ReplyParser keeps from one reply for the next, in octets.
const keptReply = 4 << 10

// Errors of a ReplyParser.
var (
	ErrReplySyntax  = errors.New("smtp: malformed reply")
	ErrReplyCodes   = errors.New("smtp: reply changes its code")
	ErrReplyTooLong = errors.New("smtp: reply is too long")
)

// A ReplyParser puts the lines of a reply together: RFC 5321, section 4.2.1. The zero value is
// ready. It uses its memory again, so that a reply costs none before Reply is called.
type ReplyParser struct {
	MaxLines int // lines of one reply; 0 means DefaultReplyLines
	MaxLine  int // octets of one line, without its CRLF; 0 means DefaultReplyLine
	MaxBytes int // octets of text of one reply; 0 means DefaultReplyBytes

	code   int
	text   []byte // of all lines
	ends   []int  // where in text each line ends
	done   bool
	err    error
	recent [2]*oneLine // that may come again, the last one first
}

// A oneLine is a reply of one line.
type oneLine struct {
	Reply
	line [1]string // its Lines
	text string    // of the line, with the enhanced code
}

// maxRecent is how long, in octets, the text of a reply may be that is kept for the next like it.
const maxRecent = 128

// Add takes the next line, without its line end, and reports whether it completes the reply. The
// next line after that begins another reply. The text may be missing, with or without the space
// before it, and the space may be a tab.
//
// The error wraps ErrReplySyntax, ErrReplyCodes or ErrReplyTooLong. Whoever got one cannot know
// any more which reply belongs to which command, so Add repeats it until Reset.
func (p *ReplyParser) Add(line []byte) (done bool, err error) {
	if p.done {
		p.Reset()
	}
	if p.err == nil {
		p.err = p.add(line)
	}
	return p.done, p.err
}

func (p *ReplyParser) add(line []byte) error {
	if len(line) > orDefault(p.MaxLine, DefaultReplyLine) {
		return fmt.Errorf("%w: a line has %d octets", ErrReplyTooLong, len(line))
	}
	code, separator, text, ok := cutReplyLine(line)
	switch {
	case !ok || code < 100 || code > 599:
		return fmt.Errorf("%w: %s", ErrReplySyntax, quote(string(line)))
	case p.code != 0 && p.code != code:
		return fmt.Errorf("%w: from %d to %d", ErrReplyCodes, p.code, code)
	case len(p.ends) >= orDefault(p.MaxLines, DefaultReplyLines):
		return fmt.Errorf("%w: it has more than %d lines", ErrReplyTooLong, len(p.ends))
	case len(p.text)+len(text) > orDefault(p.MaxBytes, DefaultReplyBytes):
		return fmt.Errorf("%w: it has more than %d octets", ErrReplyTooLong, len(p.text))
	}
	p.code = code
	p.text = append(p.text, text...)
	p.ends = append(p.ends, len(p.text))
	p.done = separator != '-'
	return nil
}

// Pending reports whether a reply has begun and is not complete.
func (p *ReplyParser) Pending() bool { return p.code != 0 && !p.done }

// Code returns the code of the reply that is complete or has begun, and 0 if none has.
func (p *ReplyParser) Code() int { return p.code }

// Reply returns the reply that is complete, or nil if none is. It is the caller's to keep, and not
// to change: most servers always accept with the same words, and such a reply of one line may be
// the same as one before.
//
// If a line begins with an enhanced code of the same class as the reply's code, that is the reply's
// enhanced code, and it is taken off each line that has it.
func (p *ReplyParser) Reply() *Reply {
	switch {
	case !p.done:
		return nil
	case len(p.ends) > 1:
		r := &Reply{Lines: make([]string, len(p.ends))}
		p.fill(r, string(p.text))
		return r
	}
	if r := p.again(); r != nil {
		return &r.Reply
	}
	r := &oneLine{text: string(p.text)}
	r.Lines = r.line[:]
	p.fill(&r.Reply, r.text)
	if p.code/100 == 2 && len(p.text) <= maxRecent {
		p.recent[0], p.recent[1] = r, p.recent[0]
	}
	return &r.Reply
}

// again returns the recent reply that is the same as the one that is complete, or nil.
func (p *ReplyParser) again() *oneLine {
	for i, r := range p.recent {
		if r != nil && r.Code == p.code && r.text == string(p.text) {
			p.recent[0], p.recent[i] = r, p.recent[0]
			return r
		}
	}
	return nil
}

// fill makes r the reply that is complete. It has room for as many lines.
func (p *ReplyParser) fill(r *Reply, text string) {
	r.Code = p.code
	start := 0
	for i, end := range p.ends {
		r.Lines[i] = text[start:end]
		start = end
		enhanced, rest, ok := CutEnhancedCode(r.Lines[i])
		if !ok || int(enhanced[0]) != r.Code/100 {
			continue
		}
		if r.Enhanced == (EnhancedCode{}) {
			r.Enhanced = enhanced
		}
		if r.Enhanced == enhanced {
			r.Lines[i] = rest
		}
	}
}

// Reset forgets the reply, complete or not, and the error. The limits stay.
func (p *ReplyParser) Reset() {
	if cap(p.text) > keptReply {
		p.text = nil
	}
	p.code, p.text, p.ends, p.done, p.err = 0, p.text[:0], p.ends[:0], false, nil
}

// cutReplyLine cuts a line into its code, the octet behind that (a space, a tab, a hyphen, or 0 for
// the end of the line), and the text.
func cutReplyLine(line []byte) (code int, separator byte, text []byte, ok bool) {
	if len(line) < 3 {
		return 0, 0, nil, false
	}
	for _, c := range line[:3] {
		if !isDigit(c) {
			return 0, 0, nil, false
		}
		code = 10*code + int(c-'0')
	}
	if len(line) == 3 {
		return code, 0, nil, true
	}
	separator = line[3]
	return code, separator, line[4:], separator == ' ' || separator == '\t' || separator == '-'
}

// orDefault returns limit, or what its zero value means.
func orDefault(limit, otherwise int) int {
	if limit == 0 {
		return otherwise
	}
	return limit
}
