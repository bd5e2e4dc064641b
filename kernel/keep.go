package kernel

import "fmt"

// A reason is something that keeps a session alive. There is one counter for each, so that a leak
// says what leaked.
type reason uint8

const (
	hasEvents   reason = iota // events in the queue to it, alarms too
	hasSent                   // events in the queue from it to others
	hasChildren               // children
	hasAlias                  // aliases, which keep it alive only until the program is idle
	hasWatch                  // handles that it watches
	hasRefcount               // tags with a count
	hasPid                    // child processes that it waits for
	hasPostback               // postbacks and callbacks
	hasDoor                   // doors
	hasWork                   // slow work
	reasons                   // the number of reasons
)

var reasonNames = [reasons]string{
	"events to it", "events from it", "children", "aliases", "handles", "reference counts",
	"child processes", "postbacks", "doors", "slow work",
}

func (r reason) String() string { return reasonNames[r] }

// outside reports whether r stands for a world outside that may yet do something. While anybody has
// such a reason, the kernel is not idle.
func (r reason) outside() bool { return r >= hasWatch }

const unmarked = -1

// keep notes one more thing that keeps s alive.
func (s *Session) keep(why reason) {
	if s.life == over {
		return
	}
	s.kept[why]++
	s.total++
	s.markedAt = unmarked
	if why.outside() && s != s.kernel.root {
		s.kernel.busy++
	}
}

// drop takes back one keep. A session that nothing keeps is marked, and it stops at the
// next sweep unless something keeps it again before that.
func (s *Session) drop(why reason) {
	if s.life == over {
		return
	}
	if s.kept[why] == 0 {
		panic(fmt.Sprintf("kernel: %v: dropped %v, of which it has none", s, why))
	}
	s.kept[why]--
	s.total--
	if why.outside() && s != s.kernel.root {
		s.kernel.busy--
	}
	if s.total == 0 {
		s.markedAt = int32(len(s.kernel.marked))
		s.kernel.marked = append(s.kernel.marked, s)
	}
}

// sweep stops the sessions that nothing keeps, the one that was marked last first. What a session
// does in its Stop may save others, and stopping it may leave its parent with nothing: so each is
// looked at anew.
func (k *Kernel) sweep() {
	for len(k.marked) > 0 {
		n := len(k.marked) - 1
		s := k.marked[n]
		k.marked[n] = nil
		k.marked = k.marked[:n]
		if int(s.markedAt) == n && s.total == 0 && s != k.root {
			s.markedAt = unmarked
			k.end(s)
		}
	}
}
