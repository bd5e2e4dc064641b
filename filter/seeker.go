package filter

import "bytes"

// A seeker finds one byte in a buffer again and again, and remembers where it has looked. Two of
// them find the first of two bytes, in time that does not depend on where the other one is.
type seeker struct {
	at    int  // between the last start and here there is no c
	found bool // and here is one
	c     byte
}

// find returns the index of the first c of p at start or after it, or len(p). The start never goes
// back, and p only grows.
func (s *seeker) find(p []byte, start int) int {
	if s.at < start {
		s.at, s.found = start, false
	}
	if s.found {
		return s.at
	}
	i := bytes.IndexByte(p[s.at:], s.c)
	s.found = i >= 0
	if !s.found {
		i = len(p) - s.at
	}
	s.at += i
	return s.at
}

// shift says that the first n bytes of the buffer are gone.
func (s *seeker) shift(n int) {
	s.at -= n
	if s.at < 0 {
		s.at, s.found = 0, false
	}
}
