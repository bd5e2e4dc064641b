package session

import (
	"errors"
	"fmt"

	"github.com/go-poe/poe/kernel"
)

// ErrTooDeep is in the panic of a machine in which more states have been called than its
// MaxDepth.
var ErrTooDeep = errors.New("session: too many states of the NFA wait for a return")

// The events by which a machine tells itself what to do. No state may handle them.
const (
	gotoEvent = "poe_nfa_goto_state"
	pushEvent = "poe_nfa_push_state"
	popEvent  = "poe_nfa_pop_state"
	stopEvent = "poe_nfa_stop"
)

func isReserved(event string) bool {
	switch event {
	case gotoEvent, pushEvent, popEvent, stopEvent:
		return true
	}
	return false
}

// A transition is a change of state that waits for its turn.
type transition struct {
	back  string // for a call of a state: the event that its return sends
	state string // the new state
	event string // of entering it, or ""
	args  []any  // of that event
}

// A frame is a state that has called another, and the event for when that returns.
type frame struct {
	state string
	event string
}

// GotoState changes to another state, or to the same again. First the current state, if it
// handles Leave, is sent that. Then the machine changes, and sends itself the event with args; it
// calls its handler, so nothing comes in between. Without an event it only changes.
//
// All that waits until the events that are in the queue by now are delivered, which are still
// handled in the old state. Two things happen at once: the very first change, and any in a
// machine that is Immediate (or whose session has the option "immediate" set). Whatever the
// handler that called GotoState does after that, it does in the new state. A change that the
// handler of Leave asks for always waits.
//
// What a wheel reads is not in the queue: the second of two lines that arrive together is handled
// before a change that waits. A machine that a peer drives is better Immediate.
//
// If the handler of Leave panics, the machine stays in the old state. A state that is not in the
// machine's table, or an event that is not in the state's, is a mistake of the programmer, and
// panics. After the session has ended nothing happens.
//
// POE: goto_state.
func (n *NFA) GotoState(state, event string, args ...any) {
	n.mustBeCreated("GotoState")
	n.mustHandle(state, event)
	t := n.transition(args)
	t.state, t.event = state, event
	n.send(gotoEvent, t)
}

// CallState is GotoState with a way back: ReturnState, in the new state or one further on,
// changes to the state from which CallState left, and sends the event back with its arguments.
// With "" for it, it only changes. Calls may be nested, as deep as the MaxDepth of the options:
// where that is up to what comes in from outside, ask Depth first, since one call more panics,
// with ErrTooDeep.
//
// The event back must be in the table of the state that is left. A machine that is in no state
// yet has no way back, and panics.
//
// POE: call_state.
func (n *NFA) CallState(back, state, event string, args ...any) {
	n.mustBeCreated("CallState")
	n.mustHandle(state, event)
	t := n.transition(args)
	t.back, t.state, t.event = back, state, event
	n.send(pushEvent, t)
}

// ReturnState changes back to the state of the last CallState that has not returned, and sends it
// the event that was named there, with args. If there is none, that is a mistake of the
// programmer, and panics.
//
// POE: return_state.
func (n *NFA) ReturnState(args ...any) {
	n.mustBeCreated("ReturnState")
	n.send(popEvent, n.transition(args))
}

// Depth returns the number of states that CallState has left and ReturnState has not yet come
// back to.
func (n *NFA) Depth() int { return len(n.stack) }

// mustHandle panics if there is no such state, or the event of entering it has no handler there.
func (n *NFA) mustHandle(state, event string) {
	table, ok := n.states[state]
	if !ok {
		panic(fmt.Sprintf("session: the NFA has no state %q", state))
	}
	if event != "" && table[event] == nil {
		panic(fmt.Sprintf("session: state %q of the NFA has no event %q", state, event))
	}
}

// send makes a transition now, or posts it.
func (n *NFA) send(how string, t *transition) {
	switch {
	case n.session.Ended():
	case n.state == "" || n.immediate() && !n.leaving:
		n.change(how, t)
	default:
		n.session.Yield(how, t)
	}
}

// immediate reports whether the machine changes at once. The option is the session's, so that it
// can be set while that runs.
func (n *NFA) immediate() bool {
	switch n.session.Option("immediate") {
	case nil, 0, "", "0":
		return false
	}
	return true
}

// change makes a transition.
func (n *NFA) change(how string, t *transition) {
	from := frame{n.state, t.back}
	switch how {
	case pushEvent:
		n.mustReturn(from)
	case popEvent:
		if len(n.stack) == 0 {
			panic("session: NFA: ReturnState without a CallState")
		}
		top := n.stack[len(n.stack)-1]
		t.state, t.event = top.state, top.event
	}
	if !n.leave() {
		return
	}
	switch how {
	case pushEvent:
		n.stack = append(n.stack, from)
	case popEvent:
		n.stack = n.stack[:len(n.stack)-1]
	}
	n.state, n.table = t.state, n.states[t.state]
	if t.event != "" {
		_, _ = n.session.Call(n.session, t.event, t.args...) // a panic has become a signal
	}
	n.release(t)
}

// mustReturn panics if a state that is about to call another could not be returned to.
func (n *NFA) mustReturn(to frame) {
	switch {
	case to.state == "":
		panic("session: NFA: CallState before the first GotoState")
	case len(n.stack) >= n.opts.MaxDepth:
		panic(fmt.Errorf("session: NFA: CallState in state %q: %w", to.state, ErrTooDeep))
	}
	n.mustHandle(to.state, to.event)
}

// leave has the current state left, and reports whether the machine may change: not if that went
// wrong, which has become a signal by now, or was the end of the session.
func (n *NFA) leave() bool {
	if n.table[Leave] == nil {
		return true
	}
	n.leaving = true
	_, err := n.session.Call(n.session, Leave)
	n.leaving = false
	return err == nil && !n.session.Ended()
}

// maxSpare is how many transitions a machine keeps for their next use. One waits and one is being
// made, as a rule.
const maxSpare = 4

// transition returns one with a copy of args.
func (n *NFA) transition(args []any) *transition {
	last := len(n.spare) - 1
	if last < 0 {
		return &transition{args: append([]any(nil), args...)}
	}
	t := n.spare[last]
	n.spare = n.spare[:last]
	t.args = append(t.args, args...)
	return t
}

// release takes a transition back that has been made.
func (n *NFA) release(t *transition) {
	if len(n.spare) == maxSpare {
		return
	}
	clear(t.args)
	*t = transition{args: t.args[:0]}
	n.spare = append(n.spare, t)
}

var _ kernel.Stater = (*NFA)(nil)
