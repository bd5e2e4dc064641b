package filter

// A Lender feeds a filter with input that stays where it is: in a buffer of the caller's, which
// serves all its connections. What is decoded there is not copied, and a filter that holds nothing
// has no buffer of its own. That works for a [Line], an [SMTP], a [Stream], a [Block] and an
// [HTTPD]. Any other filter is fed, and so are those that hold much.
//
// For each piece of input, the caller calls Carry, reads into the buffer behind what that has put
// there, and calls Lend. When it has had enough of the filter's records, it calls Reclaim. Then the
// buffer is its own again, and the records are not good any more.
type Lender struct {
	filter Filter
	in     *input // nil if the filter is to be fed
}

// LenderOf returns the Lender for a filter.
func LenderOf(f Filter) Lender {
	// Whoever embeds one of these has methods of his own in front of its methods, so what counts is
	// the very type.
	switch f := f.(type) {
	case *Line:
		return Lender{f, &f.in}
	case *SMTP:
		return Lender{f, &f.in}
	case *Stream:
		return Lender{f, &f.in}
	case *Block:
		return Lender{f, &f.in}
	case *HTTPD:
		return Lender{f, &f.in}
	}
	return Lender{f, nil}
}

// Carry puts what the filter holds in front of the input that is still to come, at the start of
// buf, and returns how long that is: no more than 4 KiB, of a buf that has that, and one byte
// besides. The filter holds it all the same.
func (l *Lender) Carry(buf []byte) int {
	if l.in == nil {
		return 0
	}
	rest := l.in.rest()
	if len(rest) > idleBuffer || len(rest) >= len(buf) {
		l.in = nil // to move it for each piece would cost too much
		return 0
	}
	return copy(buf, rest)
}

// Lend is Filter.Feed for what is in p: first as many bytes as were carried, and then the new ones.
func (l *Lender) Lend(p []byte) {
	if l.in == nil {
		l.filter.Feed(p)
		return
	}
	if f, ok := l.filter.(*Line); ok {
		p = f.continued(p)
	}
	l.in.lend(p)
}

// Reclaim takes the buffer back. The filter copies what it has not returned.
func (l *Lender) Reclaim() {
	if l.in != nil {
		l.in.reclaim()
	}
}
