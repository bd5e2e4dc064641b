package kernel

import (
	"fmt"
	"net"
	"slices"
)

// A watch is one session's wish to hear of one way in which a handle may be ready.
type watch struct {
	s      *Session
	h      Handle
	fd     int
	mode   Mode
	paused bool
	gone   bool
	at     int // in Session.watches
	event  string
	f      HandlerFunc // handles the event, if it is not the session that does
	args   *[]any      // of the event, without f: the handle, the mode, what the session added
}

// A descriptorWatch is all that is watched of one descriptor. Its slice is never changed, only
// replaced, so that ready may go through it while handlers add and remove.
type descriptorWatch struct {
	watches []*watch
	own     func(how Mode) // the kernel's own use
	asked   Mode           // of the loop

	// The first watch, and a slice with it, have their place here: that of a connection is mostly
	// the only one, and it should not take a way through memory to find it.
	first watch
	slot  [1]*watch
}

// SelectRead asks for an event whenever h is ready to read, or is at its end, or, without an
// event, for none any more. The event carries the handle, the Mode, and args; its sender is s
// itself. It is not queued: it is delivered when the loop finds the handle ready, ahead of all
// that waits.
//
// A second SelectRead for the same handle replaces the first, and ends a pause. A watch keeps the
// session alive, even while it is paused. It ends with SelectRead without an event, which must
// come before the handle is closed. The error is the loop's, or ErrInvalid for a handle that is
// closed.
//
// POE: select_read.
func (s *Session) SelectRead(h Handle, event string, args ...any) error {
	return s.watch(h, Read, event, nil, args)
}

// SelectWrite is SelectRead for writing.
//
// POE: select_write.
func (s *Session) SelectWrite(h Handle, event string, args ...any) error {
	return s.watch(h, Write, event, nil, args)
}

// SelectExpedite is SelectRead for out-of-band data.
//
// POE: select_expedite.
func (s *Session) SelectExpedite(h Handle, event string, args ...any) error {
	return s.watch(h, Expedite, event, nil, args)
}

// SelectFunc is SelectRead, SelectWrite or SelectExpedite, as mode says, with a function that
// handles the event, which has no arguments. The session need not have a handler of that name, and
// is not asked for one: a wheel takes no room in its owner's table, and is found at once.
func (s *Session) SelectFunc(h Handle, mode Mode, event string, f HandlerFunc) error {
	return s.watch(h, mode, event, f, nil)
}

// Select is SelectRead, SelectWrite and SelectExpedite at once. An empty name ends that watch.
//
// POE: select.
func (s *Session) Select(h Handle, read, write, expedite string, args ...any) error {
	for _, want := range [...]struct {
		mode  Mode
		event string
	}{{Read, read}, {Write, write}, {Expedite, expedite}} {
		if err := s.watch(h, want.mode, want.event, nil, args); err != nil {
			return err
		}
	}
	return nil
}

// SelectPauseRead stops the events of SelectRead for a while. It returns ErrNotWatched if s does
// not watch the handle in that way.
//
// POE: select_pause_read, which pauses for all sessions that watch the handle.
func (s *Session) SelectPauseRead(h Handle) error { return s.pause(h, Read, true) }

// SelectResumeRead ends a pause.
//
// POE: select_resume_read.
func (s *Session) SelectResumeRead(h Handle) error { return s.pause(h, Read, false) }

// SelectPauseWrite is SelectPauseRead for writing.
//
// POE: select_pause_write.
func (s *Session) SelectPauseWrite(h Handle) error { return s.pause(h, Write, true) }

// SelectResumeWrite ends a pause.
//
// POE: select_resume_write.
func (s *Session) SelectResumeWrite(h Handle) error { return s.pause(h, Write, false) }

// watch begins, changes, or, without an event, ends a watch.
func (s *Session) watch(h Handle, mode Mode, event string, f HandlerFunc, args []any) error {
	k := s.kernel
	if h == nil {
		return k.failed(fmt.Errorf("watching no handle: %w", ErrInvalid))
	}
	fd := h.FD()
	if event == "" {
		if w := s.watching(h, fd, mode); w != nil {
			s.unwatch(w)
		}
		return nil
	}
	if s.ended() {
		return k.noSession(s)
	}
	if fd < 0 {
		return k.failed(fmt.Errorf("%w: %w", net.ErrClosed, ErrInvalid))
	}
	k.forgetOthers(h, fd)
	w := s.watching(h, fd, mode)
	if w == nil {
		w = k.descriptor(fd).add(watch{s: s, h: h, fd: fd, mode: mode, at: len(s.watches)})
		s.watches = append(s.watches, w)
		s.keep(hasWatch)
	}
	w.event, w.f, w.args, w.paused = event, f, nil, false
	if f == nil {
		all := append([]any{h, mode}, args...)
		w.args = &all
	}
	if k.trace&TraceFiles != 0 {
		k.traceFile("watched", s, fd, mode)
	}
	if err := k.ask(fd); err != nil {
		s.unwatch(w)
		return k.failed(fmt.Errorf("cannot watch descriptor %d: %w", fd, err))
	}
	return nil
}

// forgetOthers ends all watches of another handle with the same number: it was closed while it was
// watched, and the number is h's now.
func (k *Kernel) forgetOthers(h Handle, fd int) {
	if fd >= len(k.watched) || k.watched[fd] == nil {
		return
	}
	for _, w := range k.watched[fd].watches {
		if w.h != h {
			w.s.unwatch(w)
		}
	}
}

// watching returns the watch that s has on a handle. A closed handle has no descriptor any more,
// but is known all the same.
func (s *Session) watching(h Handle, fd int, mode Mode) *watch {
	if k := s.kernel; fd >= 0 {
		if fd >= len(k.watched) || k.watched[fd] == nil {
			return nil
		}
		for _, w := range k.watched[fd].watches {
			if w.s == s && w.mode == mode {
				return w
			}
		}
		return nil
	}
	for _, w := range s.watches {
		if w.mode == mode && (w.fd == fd || w.h == h) {
			return w
		}
	}
	return nil
}

// unwatch ends a watch.
func (s *Session) unwatch(w *watch) {
	k := s.kernel
	w.gone = true
	last := len(s.watches) - 1
	s.watches[w.at] = s.watches[last]
	s.watches[w.at].at = w.at
	s.watches[last] = nil
	s.watches = s.watches[:last]
	s.drop(hasWatch)
	d := k.watched[w.fd]
	kept := make([]*watch, 0, len(d.watches))
	for _, x := range d.watches {
		if x != w {
			kept = append(kept, x)
		}
	}
	d.watches = kept
	if k.trace&TraceFiles != 0 {
		k.traceFile("forgotten", s, w.fd, w.mode)
	}
	_ = k.ask(w.fd) // the descriptor may be closed, and then the system has forgotten it
}

func (s *Session) pause(h Handle, mode Mode, paused bool) error {
	k := s.kernel
	w := s.watching(h, h.FD(), mode)
	if w == nil {
		return k.failed(fmt.Errorf("descriptor %d, %v: %w", h.FD(), mode, ErrNotWatched))
	}
	if w.paused == paused {
		return nil
	}
	w.paused = paused
	return k.ask(w.fd)
}

// descriptor returns what is watched of fd, which may be nothing yet.
func (k *Kernel) descriptor(fd int) *descriptorWatch {
	if fd >= len(k.watched) {
		k.watched = append(k.watched, make([]*descriptorWatch, fd+1-len(k.watched))...)
	}
	if k.watched[fd] == nil {
		k.watched[fd] = new(descriptorWatch)
		k.nWatched++
	}
	return k.watched[fd]
}

// add adds a watch. The place for the first one is never used again, since ready may know it.
func (d *descriptorWatch) add(w watch) *watch {
	if d.slot[0] == nil {
		d.first = w
		d.slot[0] = &d.first
		d.watches = d.slot[:]
		return &d.first
	}
	further := new(watch)
	*further = w
	d.watches = append(slices.Clip(d.watches), further)
	return further
}

// ask tells the loop what is wanted of fd now.
func (k *Kernel) ask(fd int) error {
	d := k.watched[fd]
	var want Mode
	for _, w := range d.watches {
		if !w.paused {
			want |= w.mode
		}
	}
	if d.own != nil {
		want |= Read
	}
	if len(d.watches) == 0 && d.own == nil {
		k.watched[fd] = nil
		k.nWatched--
	}
	if want == d.asked {
		return nil
	}
	d.asked = want
	return k.loop.Watch(fd, want)
}

// watchOwn has own called when fd is ready to read; nil ends that.
func (k *Kernel) watchOwn(fd int, own func(how Mode)) error {
	d := k.descriptor(fd)
	d.own = own
	err := k.ask(fd)
	if err != nil {
		d.own = nil
		_ = k.ask(fd) // which never watched it
	}
	return err
}

// ready hands over the readiness of a descriptor: to read first, then to write, then out-of-band
// data. A watch that a handler ends, or pauses, meanwhile gets nothing.
func (k *Kernel) ready(fd int, how Mode) {
	if fd < 0 || fd >= len(k.watched) || k.watched[fd] == nil {
		return
	}
	k.readied = true
	d := k.watched[fd]
	if d.own != nil {
		d.own(how)
		return
	}
	watches := d.watches
	for mode := Read; mode <= Expedite; mode <<= 1 {
		if how&mode == 0 {
			continue
		}
		for _, w := range watches {
			if w.mode == mode && !w.paused && !w.gone {
				k.dispatchReady(w)
			}
		}
	}
}

func (k *Kernel) dispatchReady(w *watch) {
	e := k.pool.get()
	e.Session, e.Sender, e.Name = w.s, w.s, w.event
	if w.args != nil {
		e.setArgs(*w.args)
	}
	_ = k.dispatchTo(e, w.f) // what it panics with becomes a signal
	k.pool.put(e)
}
