package sim

import "time"

// A schedule is what will happen, a heap by time and, at the same time, in the order in which it
// was put there.
type schedule struct {
	heap []appointment
	seq  uint64
}

type appointment struct {
	at  time.Duration
	seq uint64
	do  func()
}

func (a appointment) before(b appointment) bool {
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}

// first returns when the next thing is due, or never.
func (s *schedule) first() time.Duration {
	if len(s.heap) == 0 {
		return never
	}
	return s.heap[0].at
}

func (s *schedule) push(at time.Duration, do func()) {
	s.seq++
	s.heap = append(s.heap, appointment{at, s.seq, do})
	for i := len(s.heap) - 1; i > 0; {
		above := (i - 1) / 2
		if !s.heap[i].before(s.heap[above]) {
			break
		}
		s.heap[i], s.heap[above] = s.heap[above], s.heap[i]
		i = above
	}
}

// pop takes the first thing, of which there must be one.
func (s *schedule) pop() (do func()) {
	do = s.heap[0].do
	n := len(s.heap) - 1
	s.heap[0], s.heap[n] = s.heap[n], appointment{}
	s.heap = s.heap[:n]
	for i := 0; ; {
		least := i
		for c := 2*i + 1; c < n && c <= 2*i+2; c++ {
			if s.heap[c].before(s.heap[least]) {
				least = c
			}
		}
		if least == i {
			return do
		}
		s.heap[i], s.heap[least] = s.heap[least], s.heap[i]
		i = least
	}
}
