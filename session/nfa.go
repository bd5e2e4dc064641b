package session

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/go-poe/poe/kernel"
)

// States is a state machine as a table: for each of its states, the events that it handles there.
// Like each of its tables, it is not changed once a machine uses it.
//
// In the table of a state, Leave is the event of leaving it.
//
// POE: inline_states, object_states, package_states of POE::NFA. Join makes one state of several
// tables.
type States map[string]Events

// Leave is the event that a machine sends itself before it changes to another state, for what has
// to be tidied up. It has no arguments, and a state need not handle it. It is not sent when the
// session ends; that is kernel.Stop.
//
// POE: leave.
const Leave = "leave"

// Check reports what the programmer got wrong: no states at all, a state or an event without a
// name or without a function, the events that a machine keeps for itself (their names begin with
// "poe_nfa_"), and the name _signal, which POE has given up in favour of Session.Sig.
func (t States) Check() error {
	if len(t) == 0 {
		return errors.New("session: States has no state")
	}
	var wrong []error
	if _, ok := t[""]; ok {
		wrong = append(wrong, errors.New("session: States has a state without a name"))
	}
	for _, state := range slices.Sorted(maps.Keys(t)) {
		for _, event := range slices.Sorted(maps.Keys(t[state])) {
			var what string
			switch {
			case event == "":
				what = "has no name"
			case event == "_signal":
				what = "cannot have a handler; see Sig"
			case isReserved(event):
				what = "is the machine's own"
			case t[state][event] == nil:
				what = "has no function"
			default:
				continue
			}
			wrong = append(wrong, fmt.Errorf("session: state %q: event %q %s", state, event, what))
		}
	}
	return errors.Join(wrong...)
}

// NFAOptions are the options of an NFA. The zero value makes a machine that is in no state until
// its first GotoState, as in POE.
type NFAOptions struct {
	Initial   string // the state in which it begins, and handles Start; "" means none
	Runstate  any    // Event.Heap of its handlers; nil leaves the heap that Create was given
	Immediate bool   // states change at once, and not in their turn; see GotoState
	MaxDepth  int    // states that CallState left and that wait for ReturnState; 0 means 1,024
}

// An NFA is a session that is a state machine: which handler an event gets depends on the state
// in which the machine is when the event is delivered, not on the one in which it was sent.
//
// The handler of an event is looked for in the table of the current state, and then among those
// that Session.State has added, such as a wheel's, which count in every state. If neither has
// one, the event goes as kernel.Default to the handler for that, looked for in the same way. An
// event that finds nothing is a mistake of the programmer, and panics; a kernel.Default that is
// added by Session.State prevents that in all states at once. The kernel's own events are exempt:
// Child and Parent without a handler are ignored, and so are Start and Stop, which do not even go
// to a Default.
//
// With an initial state, the machine is in it when it handles Start, whose handler may be there.
// Without one, nobody handles Start, and whoever made the machine sends it on its way with
// GotoState.
//
// A handler knows its machine in the way in which it knows any other variable: by the receiver if
// it is a method, or because its function encloses it. A Handler may also hold a machine: it
// answers what it likes itself, in every state, and leaves the rest to Handle.
//
// POE: POE::NFA, which panics on Child and Parent too, and has no handlers for Start and Stop.
type NFA struct {
	states States
	opts   NFAOptions
	added  Events // by Session.State

	session *kernel.Session // nil before Create
	state   string          // "" before the first GotoState
	table   Events          // states[state]
	stack   []frame
	spare   []*transition // for use again
	leaving bool          // Leave is being handled
}

// NewNFA makes a machine, which becomes a session by Kernel.Create. The tables are not copied. A
// mistake in them or in the options panics.
//
// POE: the first half of POE::NFA->spawn.
func NewNFA(states States, opts NFAOptions) *NFA {
	if err := states.Check(); err != nil {
		panic(err)
	}
	if _, ok := states[opts.Initial]; !ok && opts.Initial != "" {
		panic(fmt.Sprintf("session: NFAOptions: Initial is %q, which is no state", opts.Initial))
	}
	if opts.MaxDepth < 0 {
		panic("session: NFAOptions: MaxDepth is below 0")
	}
	if opts.MaxDepth == 0 {
		opts.MaxDepth = 1024
	}
	return &NFA{states: states, opts: opts}
}

// CurrentState returns the name of the state that the machine is in, or "" before the first
// GotoState. A handler of Leave still sees the state that is left, and the event of entering a
// state the new one.
//
// POE: get_current_state, which is "(undef)" at first.
func (n *NFA) CurrentState() string { return n.state }

// Runstate returns the Runstate of the options.
//
// POE: get_runstate.
func (n *NFA) Runstate() any { return n.opts.Runstate }

// Session returns the session that the machine is, or nil before Create.
func (n *NFA) Session() *kernel.Session { return n.session }

// Check is for Create: it reports that the machine is a session already. It cannot be a second
// one, nor a new one after that has ended.
func (n *NFA) Check() error {
	if n.session != nil {
		return fmt.Errorf("session: the NFA is %v already, and cannot be another", n.session)
	}
	return nil
}

// State is for Session.State: it adds a handler that counts in every state which has none of its
// own for the event, or with nil takes it away.
func (n *NFA) State(name string, f kernel.HandlerFunc) {
	switch {
	case isReserved(name):
		panic(fmt.Sprintf("session: event %q is the NFA's own", name))
	case f == nil:
		delete(n.added, name)
	case n.added == nil:
		n.added = Events{name: f}
	default:
		n.added[name] = f
	}
}

// Handle gives e to the handler that it has in the current state.
func (n *NFA) Handle(e *kernel.Event) {
	if n.session != e.Session {
		n.begin(e.Session)
	}
	if n.opts.Runstate != nil {
		e.Heap = n.opts.Runstate
	}
	if f := n.handler(e.Name); f != nil {
		f(e)
		return
	}
	switch e.Name {
	case gotoEvent, pushEvent, popEvent:
		n.change(e.Name, kernel.Arg[*transition](e, 0))
	case stopEvent:
		n.session.End()
	case kernel.Start, kernel.Stop:
	case kernel.Default:
		n.unknown(e)
	default:
		e.Unhandled()
	}
}

// handler finds the handler for an event.
func (n *NFA) handler(name string) kernel.HandlerFunc {
	if f := n.table[name]; f != nil {
		return f
	}
	return n.added[name]
}

// begin makes the machine the session s, which is about to handle its Start.
func (n *NFA) begin(s *kernel.Session) {
	if err := n.Check(); err != nil {
		panic(err)
	}
	n.session = s
	n.state, n.table = n.opts.Initial, n.states[n.opts.Initial]
	if n.opts.Immediate {
		s.SetOption("immediate", true)
	}
}

// unknown is what happens to an event, packed into e, that has no handler and no Default.
func (n *NFA) unknown(e *kernel.Event) {
	name := kernel.ArgOr(e, 0, "")
	switch {
	case name == kernel.Child || name == kernel.Parent:
		e.Unhandled()
	case n.state == "":
		panic(fmt.Sprintf("session: event %q from %v came before the NFA was in any state",
			name, e.Sender))
	default:
		panic(fmt.Sprintf("session: event %q from %v has no handler in state %q of the NFA",
			name, e.Sender, n.state))
	}
}

// Stop ends the session, whatever keeps it, after all that is in the queue by now. The current
// state is not left. Its children go to its parent.
//
// POE: stop.
func (n *NFA) Stop() {
	n.mustBeCreated("Stop")
	n.session.Yield(stopEvent)
}

// mustBeCreated panics if the machine is no session yet.
func (n *NFA) mustBeCreated(method string) {
	if n.session == nil {
		panic(fmt.Sprintf("session: NFA: %s before Create", method))
	}
}
