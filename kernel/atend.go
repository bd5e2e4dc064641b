package kernel

// AtEnd has c closed when s ends, whatever ends it, after its Stop is handled: what a program would
// leave open because nobody was asked. A wheel asks for that by itself. See NotAtEnd.
//
// POE: the end of the heap, and of the wheels in it.
func (s *Session) AtEnd(c interface{ Close() }) {
	if s.ended() {
		return
	}
	s.closers = append(s.closers, c)
}

// NotAtEnd takes AtEnd back, for what was closed or given away meanwhile.
func (s *Session) NotAtEnd(c interface{ Close() }) {
	list := s.closers
	for i := len(list) - 1; i >= 0; i-- {
		if list[i] == c {
			last := len(list) - 1
			copy(list[i:], list[i+1:])
			list[last] = nil
			s.closers = list[:last]
			return
		}
	}
}

// closeAll closes what AtEnd was asked for, the last first.
func (s *Session) closeAll() {
	for len(s.closers) > 0 {
		last := len(s.closers) - 1
		c := s.closers[last]
		s.closers = s.closers[:last]
		s.close(c)
	}
}

// close closes c. What it panics with is not handled by anybody, as in Stop.
func (s *Session) close(c interface{ Close() }) {
	defer func() {
		if p := recover(); p != nil {
			s.kernel.fail(&Exception{Value: p, Session: s, Sender: s.kernel.root, Stack: stack()})
		}
	}()
	c.Close()
}
