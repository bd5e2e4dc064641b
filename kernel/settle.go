package kernel

// A settling is an event that waits for the end of the turn.
type settling struct {
	s     *Session
	event string
	f     HandlerFunc // handles it, if it is not the session that does
}

// Settle asks for an event at the end of this turn: when all that is due, and all that is ready,
// was handed over, and before the kernel waits again. It is how a wheel writes once what was put
// many times. A Settle at the end of a turn is for the end of the next one, which comes at once.
// Until then it keeps s alive. The event has no arguments; its sender is s itself.
func (s *Session) Settle(event string) { s.SettleFunc(event, nil) }

// SettleFunc is Settle with a function that handles the event. See SelectFunc.
func (s *Session) SettleFunc(event string, f HandlerFunc) {
	if s.ended() {
		return
	}
	k := s.kernel
	s.keep(hasEvents)
	k.settling = append(k.settling, settling{s, event, f})
}

// settle delivers what waits for the end of the turn. It takes no more than there is when it
// begins, and returns their number.
func (k *Kernel) settle() int {
	if len(k.settling) == 0 {
		return 0
	}
	list := k.settling
	k.settling, k.settled = k.settled[:0], nil
	for i, x := range list {
		list[i] = settling{}
		if x.s.ended() {
			k.dead-- // free counted it among the events in the queue
			continue
		}
		x.s.drop(hasEvents)
		e := k.pool.get()
		e.Session, e.Sender, e.Name = x.s, x.s, x.event
		_ = k.dispatchTo(e, x.f) // what it panics with becomes a signal
		k.pool.put(e)
	}
	if cap(list) <= maxSpareKnocks {
		k.settled = list[:0]
	}
	return len(list)
}
