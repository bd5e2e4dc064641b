package kernel

// A Postback is a way to send a session one event, for code that knows neither the session nor
// the event. It keeps the session alive until Close or Weaken.
//
// The event carries two lists, as []any: the arguments that were given to Session.Postback, and
// those that are given to Post. Its sender is the session that is active then.
//
// POE: postback.
type Postback struct {
	to    *Session
	event string
	given []any
	keeps bool
}

// Postback makes a Postback for an event of s.
func (s *Session) Postback(event string, args ...any) *Postback {
	p := &Postback{to: s, event: event, given: append([]any{}, args...), keeps: !s.ended()}
	if p.keeps {
		s.keep(hasPostback)
	}
	return p
}

// Post sends the event. It returns ErrNoSession if the session has ended.
func (p *Postback) Post(args ...any) error {
	return p.to.kernel.Post(p.to, p.event, p.given, append([]any{}, args...))
}

// Weaken lets the session end although the postback is still there, and returns it.
//
// POE: weaken.
func (p *Postback) Weaken() *Postback {
	if p.keeps {
		p.keeps = false
		p.to.drop(hasPostback)
	}
	return p
}

// Close gives the postback up. What is posted by it after that is posted all the same, if the
// session is still there. A second Close does nothing.
//
// POE: the end of the closure's last reference.
func (p *Postback) Close() { p.Weaken() }

// A Callback is a Postback that calls the handler at once.
//
// POE: callback.
type Callback struct{ p *Postback }

// Callback makes a Callback for an event of s.
func (s *Session) Callback(event string, args ...any) *Callback {
	return &Callback{s.Postback(event, args...)}
}

// Call has the event handled now, and returns what Session.Call returns.
func (c *Callback) Call(args ...any) (any, error) {
	return c.p.to.kernel.Call(c.p.to, c.p.event, c.p.given, append([]any{}, args...))
}

// Weaken lets the session end although the callback is still there, and returns it.
func (c *Callback) Weaken() *Callback {
	c.p.Weaken()
	return c
}

// Close gives the callback up. A second Close does nothing.
func (c *Callback) Close() { c.p.Close() }
