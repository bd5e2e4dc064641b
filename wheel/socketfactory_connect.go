package wheel

import (
	"net"
	"slices"
	"strings"
	"time"

	"github.com/go-poe/poe/kernel"
)

// DefaultAttemptDelay is how long a SocketFactory waits for one address of a name before it tries
// the next one, too (RFC 8305, section 8).
const DefaultAttemptDelay = 250 * time.Millisecond

// mostAttempts is how many addresses of a name are tried at the same time. Who answers for the name
// may give it any number.
const mostAttempts = 8

// A race is what a SocketFactory that connects knows of its attempts.
type race struct {
	left     []net.Addr // not tried yet
	runners  []kernel.Socket
	failures []*Error
	outcome  string        // the wheel's own event for the end of an attempt
	next     string        // the wheel's own event for the end of delay
	delay    time.Duration // 0 means that there is one attempt at a time
}

// gotRemote begins to connect to one of the addresses.
func (w *SocketFactory) gotRemote(addrs []net.Addr) {
	w.race.left = interleave(addrs)
	w.race.outcome = w.state("connect", w.connected)
	w.race.next = w.state("next", func(*kernel.Event) { w.connectNext() })
	switch {
	case w.opts.BindPort != "" || w.opts.AttemptDelay < 0:
	case w.opts.AttemptDelay == 0:
		w.race.delay = DefaultAttemptDelay
	default:
		w.race.delay = w.opts.AttemptDelay
	}
	w.connectNext()
}

// interleave has the versions of IP take turns, beginning with that of the first address (RFC 8305,
// section 4).
func interleave(addrs []net.Addr) []net.Addr {
	var first, second []net.Addr
	for _, addr := range addrs {
		if isIPv6(addr) == isIPv6(addrs[0]) {
			first = append(first, addr)
		} else {
			second = append(second, addr)
		}
	}
	turns := make([]net.Addr, 0, len(addrs))
	for len(first) > 0 && len(second) > 0 {
		turns = append(turns, first[0], second[0])
		first, second = first[1:], second[1:]
	}
	return append(append(turns, first...), second...)
}

// connectNext begins to connect to the next address that there can be an attempt at, as far as
// there is room for it. If there is no such address, and no attempt is left, the race is lost.
func (w *SocketFactory) connectNext() {
	r := &w.race
	for began := false; !began && len(r.left) > 0 && len(r.runners) < mostAttempts; {
		failed := w.connect(r.left[0])
		r.left = r.left[1:]
		if began = failed == nil; !began {
			r.failures = append(r.failures, failed)
		}
	}
	if r.delay > 0 && len(r.left) > 0 && len(r.runners) < mostAttempts {
		w.owner.Delay(r.next, r.delay)
	} else {
		w.owner.AlarmClear(r.next)
	}
	if len(r.runners) == 0 {
		last := r.failures[len(r.failures)-1]
		w.fail(last.Op, joinFailures(r.failures))
	}
}

// connect begins to connect. The outcome comes with the readiness to write, also where it is known
// at once: the constructor may still be running.
func (w *SocketFactory) connect(remote net.Addr) *Error {
	s, failed := w.open(remote)
	if failed != nil {
		return failed
	}
	err := s.Connect(remote)
	if err == nil || err == kernel.ErrAgain {
		err = w.owner.SelectWrite(s, w.race.outcome)
	}
	if err != nil {
		_ = s.Close() // it never was a connection
		return &Error{Op: "connect", Err: err}
	}
	w.race.runners = append(w.race.runners, s)
	return nil
}

// connected learns the outcome of an attempt, if it is known by now.
func (w *SocketFactory) connected(e *kernel.Event) {
	s := kernel.Arg[kernel.Socket](e, 0)
	err := s.ConnectError()
	if err == kernel.ErrAgain {
		return
	}
	op := "connect"
	var remote net.Addr
	if err == nil {
		op = "getpeername"
		remote, err = s.RemoteAddr()
	}
	_ = w.owner.SelectWrite(s, "")
	r := &w.race
	r.runners = slices.DeleteFunc(r.runners, func(other kernel.Socket) bool { return other == s })
	if err == nil {
		w.handOver(s, remote)
		return
	}
	_ = s.Close() // what it may say is less than what it has said
	r.failures = append(r.failures, &Error{Op: op, Err: err})
	w.connectNext()
}

// giveUp ends the attempts that are under way.
func (w *SocketFactory) giveUp() {
	r := &w.race
	for _, s := range r.runners {
		_ = w.owner.SelectWrite(s, "")
		_ = s.Close() // nobody waits for what this may say
	}
	r.runners = nil
	if r.next != "" {
		w.owner.AlarmClear(r.next)
	}
}

// joinFailures returns one error for all failures, or the only one itself.
func joinFailures(failures []*Error) error {
	if len(failures) == 1 {
		return failures[0].Err
	}
	all := make(attemptsError, len(failures))
	for i, failed := range failures {
		all[i] = failed.Err
	}
	return all
}

// An attemptsError is why none of several addresses can be connected to, in the order in which the
// attempts failed.
type attemptsError []error

func (e attemptsError) Error() string {
	texts := make([]string, len(e))
	for i, err := range e {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns the last failure first, so that its number is that of the whole.
func (e attemptsError) Unwrap() []error {
	last := slices.Clone(e)
	slices.Reverse(last)
	return last
}
