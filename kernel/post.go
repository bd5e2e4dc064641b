package kernel

import "fmt"

// A Target is anything that names a session: a *Session, an ID, or an Alias.
type Target interface{ target() }

// An ID is the number of a session. A kernel never uses one twice; 0 is the root.
type ID uint64

// An Alias is the name of a session to others. See Session.AliasSet.
type Alias string

func (*Session) target() {}
func (ID) target()       {}
func (Alias) target()    {}

// lookup finds the session that to names, or returns nil.
func (k *Kernel) lookup(to Target) *Session {
	var s *Session
	switch to := to.(type) {
	case *Session:
		s = to
	case Alias:
		s = k.aliases[to]
	case ID:
		s = k.sessions[to]
		if to == 0 {
			s = k.root
		}
	}
	if s == nil || s.ended() {
		return nil
	}
	return s
}

// resolve is lookup with an error. Sessions of other kernels are refused.
func (k *Kernel) resolve(to Target) (*Session, error) {
	s := k.lookup(to)
	switch {
	case s == nil:
		return nil, k.noSession(to)
	case s.kernel != k:
		return nil, fmt.Errorf("%v belongs to another kernel, and needs a Door: %w", s, ErrInvalid)
	}
	return s, nil
}

// noSession is the error for a target that is not there.
func (k *Kernel) noSession(to Target) error {
	err := ErrNoSession
	switch to := to.(type) {
	case ID:
		err = fmt.Errorf("session %d: %w", to, ErrNoSession)
	case Alias:
		err = fmt.Errorf("alias %q: %w", string(to), ErrNoSession)
	}
	if k.assert&AssertData != 0 {
		panic(err)
	}
	return k.failed(err)
}

// Post sends an event to another session, or to s itself. It is delivered after all that is in the
// queue by now. Until then it keeps both sessions alive. Post returns ErrNoSession if there is no
// such session, or s has ended; whether it has a handler shows only on delivery.
//
// POE: post.
func (s *Session) Post(to Target, name string, args ...any) error {
	if s.ended() {
		return s.kernel.noSession(s)
	}
	t, err := s.kernel.resolve(to)
	if err != nil {
		return err
	}
	s.kernel.post(s, t, name, args)
	return nil
}

// Yield sends an event to s itself. If s has ended, nothing happens.
//
// POE: yield.
func (s *Session) Yield(name string, args ...any) {
	if !s.ended() {
		s.kernel.post(s, s, name, args)
	}
}

// Post sends an event in the name of the session whose handler runs, or else of the root.
//
// POE: post, outside of any session.
func (k *Kernel) Post(to Target, name string, args ...any) error {
	return k.ActiveSession().Post(to, name, args...)
}

// Call has the handler of another session, or of s itself, called at once, ahead of all that is in
// the queue, and returns the Result that it sets. It returns ErrNoSession, ErrNoHandler, or, if
// the handler panics, the *Exception, which goes to the called session as a signal, too.
//
// POE: call, which loses the last two errors.
func (s *Session) Call(to Target, name string, args ...any) (result any, err error) {
	k := s.kernel
	if s.ended() {
		return nil, k.noSession(s)
	}
	t, err := k.resolve(to)
	if err != nil {
		return nil, err
	}
	e := k.event(s, t, name)
	e.setArgs(args)
	return k.call(e)
}

// Call is Session.Call in the name of the session whose handler runs, or else of the root.
func (k *Kernel) Call(to Target, name string, args ...any) (result any, err error) {
	return k.ActiveSession().Call(to, name, args...)
}

// post puts an event into the queue.
func (k *Kernel) post(from, to *Session, name string, args []any) {
	if name == "" {
		panic(fmt.Errorf("kernel: an event without a name: %w", ErrInvalid))
	}
	if k.assert&AssertUsage != 0 && isOwn(name) {
		panic(fmt.Errorf("kernel: %q is the kernel's own event: %w", name, ErrInvalid))
	}
	if to == k.root {
		return
	}
	e := k.event(from, to, name)
	e.setArgs(args)
	k.enqueue(e)
}

// isOwn reports whether an event of that name comes from the kernel alone.
func isOwn(name string) bool {
	return name == Start || name == Stop || name == Child || name == Parent
}

// call dispatches e now, and takes its Result.
func (k *Kernel) call(e *Event) (result any, err error) {
	err = k.dispatch(e)
	result = e.Result
	if err == nil && e.unhandled {
		err = k.failed(ErrNoHandler)
	}
	k.pool.put(e)
	return result, err
}

// event takes an Event from the pool.
func (k *Kernel) event(from, to *Session, name string) *Event {
	e := k.pool.get()
	e.Session, e.Sender, e.Name = to, from, name
	if k.active != nil {
		e.SenderEvent = k.active.Name
	}
	return e
}

// enqueue puts e at the end of the line. It keeps its two sessions alive.
func (k *Kernel) enqueue(e *Event) {
	k.stamp(e)
	e.Session.keep(hasEvents)
	if e.Sender != e.Session {
		e.Sender.keep(hasSent)
	}
	k.queue.push(e)
	if k.trace&TraceEvents != 0 {
		k.traceQueued(e)
	}
}

// stamp gives e its place among the events that are due now.
func (k *Kernel) stamp(e *Event) {
	k.seq++
	e.seq, e.due = k.seq, k.now
}
