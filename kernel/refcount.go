package kernel

import "fmt"

// RefcountIncrement counts one more use of the session under a tag, and returns the count of that
// tag. Any count keeps the session alive. It returns ErrNoSession if the session has ended.
//
// POE: refcount_increment.
func (s *Session) RefcountIncrement(tag string) (int, error) {
	if s.ended() {
		return 0, s.kernel.noSession(s)
	}
	t := s.takes()
	if t.refcounts == nil {
		t.refcounts = make(map[string]int)
	}
	t.refcounts[tag]++
	n := t.refcounts[tag]
	if n == 1 {
		s.keep(hasRefcount)
	}
	if s.kernel.trace&TraceRefcnt != 0 {
		s.kernel.traceRefcount(s, tag, n)
	}
	return n, nil
}

// RefcountDecrement takes one use back, and returns the count of that tag. It returns
// ErrNoRefcount, and changes nothing, if the count is 0 already.
//
// POE: refcount_decrement, which goes below 0.
func (s *Session) RefcountDecrement(tag string) (int, error) {
	if s.ended() {
		return 0, s.kernel.noSession(s)
	}
	if s.taken == nil || s.taken.refcounts[tag] == 0 {
		return 0, s.kernel.failed(fmt.Errorf("tag %q of %v: %w", tag, s, ErrNoRefcount))
	}
	s.taken.refcounts[tag]--
	n := s.taken.refcounts[tag]
	if n == 0 {
		delete(s.taken.refcounts, tag)
		s.drop(hasRefcount)
	}
	if s.kernel.trace&TraceRefcnt != 0 {
		s.kernel.traceRefcount(s, tag, n)
	}
	return n, nil
}

// takes returns the place for what few sessions have.
func (s *Session) takes() *taken {
	if s.taken == nil {
		s.taken = new(taken)
	}
	return s.taken
}
