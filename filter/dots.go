package filter

import "bytes"

// A MessageEncoder makes a message ready for its way to a mail server: every line ends in CR LF, a
// dot that begins a line is doubled, and a dot alone ends it (RFC 5321, sections 2.3.8 and 4.5.2).
// The message comes in chunks of any size, cut anywhere, and is as long as it likes.
//
// A line of the message ends in CR LF, in LF or in CR. None of them is lost and no bare one is
// sent.
//
// The zero value is ready for one message. It holds no bytes of it, only where in a line it is.
type MessageEncoder struct {
	// NoDots leaves out the doubled dots and the last one: the form of a message that is sent with
	// its length (BDAT, RFC 3030).
	NoDots bool

	inLine bool // the last byte was not the end of a line
	cr     bool // the last byte was a CR: an LF that comes next belongs to it
}

// messageBlock is how much is worked on at a time, so that the bytes are in the processor's nearest
// cache when they are looked at again.
const messageBlock = 16 << 10

// Append appends the encoding of chunk to dst and returns the extended slice.
func (e *MessageEncoder) Append(dst, chunk []byte) []byte {
	for len(chunk) > 0 {
		n := min(len(chunk), messageBlock)
		dst = e.block(dst, chunk[:n])
		chunk = chunk[n:]
	}
	return dst
}

// Finish appends the end: a CR LF if the last line has none, and then the dot. After that the
// encoder is ready for another message.
func (e *MessageEncoder) Finish(dst []byte) []byte {
	if e.inLine {
		dst = append(dst, "\r\n"...)
	}
	if !e.NoDots {
		dst = append(dst, ".\r\n"...)
	}
	*e = MessageEncoder{NoDots: e.NoDots}
	return dst
}

// block encodes a few lines.
func (e *MessageEncoder) block(dst, p []byte) []byte {
	if e.cr && p[0] == '\n' {
		p = p[1:]
	}
	e.cr = false
	if len(p) == 0 {
		return dst
	}
	if last := len(p) - 1; p[last] == '\r' {
		dst = append(e.lines(dst, p[:last]), "\r\n"...)
		e.cr, e.inLine = true, false
		return dst
	}
	return e.lines(dst, p)
}

// lines encodes what neither begins within a CR LF nor ends there. Most messages have the right
// newlines, so it tries that first.
func (e *MessageEncoder) lines(dst, p []byte) []byte {
	if out, ok := e.canonical(dst, p); ok {
		return out
	}
	return e.repair(dst, p)
}

// canonical encodes lines that all end in CR LF. It copies as many at once as there are without a
// dot. If there is another newline, it changes nothing and returns false.
func (e *MessageEncoder) canonical(dst, p []byte) (out []byte, ok bool) {
	out = dst
	copied, next, pairs := 0, 0, 0
	inLine := e.inLine
	for next < len(p) {
		if !inLine && !e.NoDots && p[next] == '.' {
			out = append(append(out, p[copied:next]...), '.')
			copied = next
		}
		i := bytes.IndexByte(p[next:], '\n')
		inLine = i < 0
		if inLine {
			break
		}
		next += i + 1
		if next < 2 || p[next-2] != '\r' {
			return dst, false
		}
		pairs++
	}
	if bytes.Count(p, []byte{'\r'}) != pairs {
		return dst, false
	}
	e.inLine = inLine
	return append(out, p[copied:]...), true
}

// repair encodes lines whatever they end in.
func (e *MessageEncoder) repair(dst, p []byte) []byte {
	cr, lf := seeker{c: '\r'}, seeker{c: '\n'}
	for next := 0; next < len(p); {
		if !e.inLine && !e.NoDots && p[next] == '.' {
			dst = append(dst, '.')
		}
		end := min(cr.find(p, next), lf.find(p, next))
		dst = append(dst, p[next:end]...)
		e.inLine = end == len(p)
		if e.inLine {
			break
		}
		dst = append(dst, "\r\n"...)
		next = end + 1
		if p[end] == '\r' && next < len(p) && p[next] == '\n' {
			next++
		}
	}
	return dst
}
