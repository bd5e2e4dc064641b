package filter

import "bytes"

// A MessageDecoder takes a message from the wire: it removes the dot that begins a line, and finds
// the line that is only a dot, which ends the message (RFC 5321, section 4.5.2). It is the
// counterpart of MessageEncoder, and does the work of SMTP without cutting the message into lines.
//
// Nothing but CR LF is a newline. A CR or an LF elsewhere is an error, or else a byte like any
// other: it neither ends a line nor the message.
//
// The zero value is ready for one message. It holds at most the CR of a newline.
type MessageDecoder struct {
	// KeepBare passes a bare CR or LF as a part of the message. When it is false, which is safer,
	// that is ErrBareNewline.
	KeepBare bool

	at   dotState
	err  error
	done bool
}

// A dotState says what the last bytes were.
type dotState uint8

const (
	atLine  dotState = iota // CR LF, or nothing yet
	inLine                  // anything that has no meaning
	afterCR                 // a CR, which is not passed on yet
	atDot                   // a dot that begins a line, which is not passed on
	dotCR                   // that, and then a CR, which is not passed on yet
)

// Append appends what chunk has of the message to dst and returns the extended slice. It returns
// how many bytes of chunk it used: all of them, unless the message ended, which done tells, or
// failed. From then on it uses none and returns the same. For another message take another
// decoder.
func (d *MessageDecoder) Append(dst, chunk []byte) (out []byte, used int, done bool, err error) {
	for used < len(chunk) && !d.done && d.err == nil {
		p := chunk[used:min(len(chunk), used+messageBlock)]
		var n int
		if dst, n = d.canonical(dst, p); n == 0 {
			dst, n = d.anything(dst, p)
		}
		used += n
	}
	return dst, used, d.done, d.err
}

// canonical decodes whole lines that all end in CR LF, and copies as many at once as there are
// without a dot. It stops before a dot that may be the end. If there is another newline before
// that, it changes nothing, as it does when p begins with something else than that.
func (d *MessageDecoder) canonical(dst, p []byte) (out []byte, used int) {
	if d.at > inLine {
		return dst, 0
	}
	out = dst
	copied, pairs, at := 0, 0, d.at
	for {
		if at == atLine && used < len(p) && p[used] == '.' {
			if used+1 == len(p) || p[used+1] == '\r' {
				break
			}
			out = append(out, p[copied:used]...)
			used++
			copied, at = used, inLine
		}
		i := bytes.IndexByte(p[used:], '\n')
		if i < 0 {
			break
		}
		used += i + 1
		if used < 2 || p[used-2] != '\r' {
			return dst, 0
		}
		pairs++
		at = atLine
	}
	if bytes.Count(p[:used], []byte{'\r'}) != pairs {
		return dst, 0
	}
	d.at = at
	return append(out, p[copied:used]...), used
}

// anything decodes p whatever is in it.
func (d *MessageDecoder) anything(dst, p []byte) (out []byte, used int) {
	cr, lf := seeker{c: '\r'}, seeker{c: '\n'}
	for used < len(p) {
		next := p[used]
		switch {
		case d.at == atLine && next == '.':
			d.at = atDot
			used++
		case d.at == atDot && next == '\r':
			d.at = dotCR
			used++
		case d.at == dotCR && next == '\n':
			d.done = true
			return dst, used + 1
		case d.at == afterCR && next == '\n':
			d.at = atLine
			dst = append(dst, "\r\n"...)
			used++
		case d.at == afterCR || d.at == dotCR:
			if !d.KeepBare {
				d.err = ErrBareNewline
				return dst, used
			}
			d.at = inLine
			dst = append(dst, '\r')
		default:
			end := min(cr.find(p, used), lf.find(p, used))
			dst = append(dst, p[used:end]...)
			used = end
			d.at = inLine
			switch {
			case end == len(p):
			case p[end] == '\r':
				d.at = afterCR
				used++
			case !d.KeepBare:
				d.err = ErrBareNewline
				return dst, used
			default:
				dst = append(dst, '\n')
				used++
			}
		}
	}
	return dst, used
}
