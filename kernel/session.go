package kernel

import (
	"fmt"
)

// A Session is one actor of a program: it has a Handler for its events, a place in the tree of
// sessions, and all that it has taken from the kernel.
//
// Its methods are for the kernel's goroutine. Those that take something (alarms, selects, aliases)
// keep the session alive with it. After the session has ended they do nothing, or return
// ErrNoSession.
//
// POE: POE::Session, and the methods of POE::Kernel that act for the active session.
type Session struct {
	kernel  *Kernel
	id      ID
	life    life
	flags   flags // of the options that the kernel itself asks for
	known   bool  // its parent has heard of it
	handler Handler
	states  map[string]HandlerFunc // added at run time; nil for a name that was taken away
	heap    any

	kept     [reasons]int32
	total    int32
	markedAt int32 // its place in Kernel.marked, or unmarked

	parent          *Session
	firstChild      *Session
	lastChild       *Session
	nextSibling     *Session
	previousSibling *Session
	children        int32

	alarms  map[string]*Event // the first of each name
	watches []*watch
	closers []interface{ Close() } // see AtEnd
	taken   *taken                 // what few sessions have
}

// taken is what a session has from the kernel that few sessions have.
type taken struct {
	aliases   []Alias
	refcounts map[string]int
	signals   map[string]sigWatch
	pids      []int
	doors     map[*Door]struct{}
	work      map[*job]struct{}
	options   map[string]any
}

// A life is how far a session has come.
type life uint8

const (
	alive life = iota
	ending
	over
)

// CreateOptions are what a new session may be given. The zero value gives it nothing.
type CreateOptions struct {
	Heap    any            // the session's own data: Event.Heap
	Args    []any          // the arguments of its Start
	Options map[string]any // see Session.SetOption
}

// Create makes a session, a child of the one whose handler runs, or else of the root. Its Start is
// handled before Create returns, with args. The session lives at least until all that is in the
// queue by now is delivered, so that its creator may give it something to do.
//
// A handler without Start is a mistake of the programmer, and panics.
//
// POE: POE::Session->create.
func (k *Kernel) Create(h Handler, args ...any) *Session {
	return k.ActiveSession().CreateWith(h, CreateOptions{Args: args})
}

// CreateWith is Create with more options.
func (k *Kernel) CreateWith(h Handler, opts CreateOptions) *Session {
	return k.ActiveSession().CreateWith(h, opts)
}

// Create makes a session that is a child of s. See Kernel.Create.
func (s *Session) Create(h Handler, args ...any) *Session {
	return s.CreateWith(h, CreateOptions{Args: args})
}

// CreateWith is Create with more options. A child of a session that is ending becomes one of the
// next session up the tree that is not.
func (s *Session) CreateWith(h Handler, opts CreateOptions) *Session {
	if h == nil {
		panic("kernel: Create without a Handler")
	}
	if c, ok := h.(Checker); ok {
		if err := c.Check(); err != nil {
			panic(err)
		}
	}
	k, parent := s.kernel, s
	for parent != k.root && parent.life != alive {
		if parent = parent.parent; parent == nil {
			parent = k.root
		}
	}
	k.lastID++
	c := &Session{kernel: k, id: k.lastID, handler: h, heap: opts.Heap, markedAt: unmarked}
	for name, value := range opts.Options {
		c.SetOption(name, value)
	}
	k.sessions[c.id] = c
	parent.adopt(c)
	k.start(c, s, opts.Args)
	return c
}

// start has c handle its Start, tells its parent, and gives it its first turn to live for.
func (k *Kernel) start(c, creator *Session, args []any) {
	if k.trace&TraceSessions != 0 {
		k.traceSession("created", c)
	}
	e := k.pool.get()
	e.Session, e.Sender, e.Name = c, creator, Start
	e.setArgs(args)
	err := k.dispatch(e)
	result, unhandled := e.Result, e.unhandled
	k.pool.put(e)
	if err != nil {
		result = nil
	}
	if err == nil && unhandled {
		c.free()
		panic(fmt.Sprintf("kernel: Create: the handler, a %T, has no %q", c.handler, Start))
	}
	if c.ended() {
		return
	}
	c.known = true
	k.tellFamily(c.parent, Child, ChildCreate, c, result)
	if c.ended() {
		return
	}
	e = k.pool.get()
	e.Session, e.Sender, e.Name, e.kind = c, c, "", fresh
	k.enqueue(e)
}

// ID returns the session's number.
func (s *Session) ID() ID { return s.id }

// Kernel returns the kernel that the session is of.
func (s *Session) Kernel() *Kernel { return s.kernel }

// Heap returns the data that the session was created with.
//
// POE: get_heap.
func (s *Session) Heap() any { return s.heap }

// Parent returns the session's parent, which may be the root, or nil if the session has ended.
func (s *Session) Parent() *Session { return s.parent }

// Children returns the session's children, oldest first.
func (s *Session) Children() []*Session {
	list := make([]*Session, 0, s.children)
	for c := s.firstChild; c != nil; c = c.nextSibling {
		list = append(list, c)
	}
	return list
}

// Ended reports whether the session has ended: it gets no more events.
func (s *Session) Ended() bool { return s.ended() }

func (s *Session) ended() bool { return s.life == over }

// String returns the session's number and, if it has any, its first alias.
func (s *Session) String() string {
	switch {
	case s == nil:
		return "no session"
	case s == s.kernel.root:
		return "kernel"
	case len(s.names()) > 0:
		return fmt.Sprintf("session %d (%s)", s.id, s.names()[0])
	}
	return fmt.Sprintf("session %d", s.id)
}

// State sets the handler for an event, whether there was one or not. With nil it takes the handler
// away, and the event is then as unknown as any other. The handler is looked up on delivery: an
// event that waits in the queue goes to the new one.
//
// POE: state.
func (s *Session) State(name string, f HandlerFunc) {
	if name == "" {
		panic(fmt.Errorf("kernel: State without a name: %w", ErrInvalid))
	}
	if name == "_signal" && f != nil {
		panic(fmt.Errorf("kernel: no handler is named _signal; see Sig: %w", ErrInvalid))
	}
	if s.ended() {
		return
	}
	if st, ok := s.handler.(Stater); ok {
		st.State(name, f)
		return
	}
	if s.flags&debugs != 0 && f != nil && s.states[name] != nil {
		s.kernel.warnf("%v: event %q gets another handler", s, name)
	}
	if s.states == nil {
		s.states = make(map[string]HandlerFunc)
	}
	s.states[name] = f
}

// RemoveState takes away a handler that State has set, so that the session's Handler is asked for
// the event again, if it knows it.
func (s *Session) RemoveState(name string) {
	if st, ok := s.handler.(Stater); ok {
		st.State(name, nil)
		return
	}
	delete(s.states, name)
}

// handle finds the handler for e and calls it: one set by State, else the session's Handler, else
// what there is for Default.
func (s *Session) handle(e *Event) { s.handleBy(e, nil) }

// handleBy is handle where f is what find has returned.
func (s *Session) handleBy(e *Event, f HandlerFunc) {
	if s.kernel.trace&TraceEvents != 0 || s.flags&traces != 0 {
		s.kernel.traceDispatch(e)
	}
	if f != nil && len(s.states) == 0 {
		f(e)
	} else {
		s.ask(e)
	}
	if e.unhandled && e.Name != Start {
		s.handleDefault(e)
	}
}

// handleDefault packs e up and gives it to what there is for Default. If there is nothing, e stays
// unhandled. The event that the kernel counts as active is still e itself.
func (s *Session) handleDefault(e *Event) {
	if s.knowsDefault() {
		packed := s.kernel.pool.get()
		packed.Session, packed.Heap = s, e.Heap
		packed.Name, packed.Sender, packed.SenderEvent = Default, e.Sender, e.SenderEvent
		packed.Args = []any{e.Name, append([]any{}, e.Args...)}
		s.ask(packed)
		e.unhandled, e.Result = packed.unhandled, packed.Result
		s.kernel.pool.put(packed)
	}
	if e.unhandled && (s.flags&warns != 0 || s.kernel.assert&AssertStates != 0) {
		s.kernel.warnf("event %q was sent from %v to %v, which has no handler for it, nor for %s",
			e.Name, e.Sender, s, Default)
	}
}

// knowsDefault reports whether anybody may handle Default.
func (s *Session) knowsDefault() bool {
	if f, ok := s.states[Default]; ok {
		return f != nil
	}
	h, ok := s.handler.(Finder)
	return !ok || h.Find(Default) != nil
}

// find returns what the session's own handler always calls for an event, or nil if that is not
// known.
func (s *Session) find(name string) HandlerFunc {
	if h, ok := s.handler.(Finder); ok {
		return h.Find(name)
	}
	return nil
}

// ask gives e to whoever knows its name.
func (s *Session) ask(e *Event) {
	if len(s.states) > 0 {
		if f, ok := s.states[e.Name]; ok {
			if f == nil {
				e.Unhandled()
			} else {
				f(e)
			}
			return
		}
	}
	s.handler.Handle(e)
}

// End stops s at once, whatever keeps it: it handles its Stop, its parent hears of it, and its
// children go to its parent. What others have posted to it, and it to others, is dropped. A
// session that does so in a handler of its own sees the handler to its end. A second End does
// nothing, and neither does that of the root; see Kernel.Stop.
func (s *Session) End() {
	if s != s.kernel.root {
		s.kernel.end(s)
	}
}

// end stops s: it leaves its children to its parent, handles its Stop, its parent hears of it, and
// what it had is given back. It does nothing for a session that is ending already.
func (k *Kernel) end(s *Session) {
	if s.life != alive {
		return
	}
	s.life = ending
	if k.trace&TraceSessions != 0 {
		k.traceSession("ends", s)
	}
	for c := s.firstChild; c != nil; c = s.firstChild {
		k.tellFamily(s.parent, Child, ChildGain, c)
		if c.parent != s { // it ended, or was detached, meanwhile
			continue
		}
		k.tellFamily(c, Parent, s, s.parent)
		if c.parent == s {
			s.disown(c)
			s.parent.adopt(c)
		}
	}
	e := k.pool.get()
	e.Session, e.Sender, e.Name = s, k.ActiveSession(), Stop
	var result any
	if k.dispatch(e) == nil {
		result = e.Result
	}
	k.pool.put(e)
	k.tellFamily(s.parent, Child, ChildLose, s, result)
	s.closeAll()
	s.free()
}

// free gives back all that s has. The events in the queue to and from s are cancelled: deliver
// skips them.
func (s *Session) free() {
	k := s.kernel
	s.life = over
	k.dead += int(s.kept[hasEvents]) + int(s.kept[hasSent])
	s.freeAlarms()
	for len(s.watches) > 0 {
		w := s.watches[len(s.watches)-1]
		s.unwatch(w)
	}
	s.freeTaken()
	for why := range s.kept {
		if reason(why).outside() {
			k.busy -= int(s.kept[why])
		}
	}
	s.kept, s.total = [reasons]int32{}, 0
	s.parent.disown(s)
	s.parent = nil
	s.heap, s.states = nil, nil
	delete(k.sessions, s.id)
}

// freeTaken gives back what few sessions have.
func (s *Session) freeTaken() {
	t := s.taken
	if t == nil {
		return
	}
	for _, name := range t.aliases {
		delete(s.kernel.aliases, name)
	}
	for name := range t.signals {
		s.kernel.osSignals.drop(name)
	}
	for len(t.pids) > 0 {
		s.forgetChild(t.pids[0])
	}
	for d := range t.doors {
		d.closed.Store(true)
		close(d.gone)
	}
	for j := range t.work {
		j.cancel()
		if !j.begun {
			j.f, j.args = nil, nil
			s.kernel.slow.waiting--
		}
	}
	s.taken = nil
}
