package kernel

import (
	"context"
	"net/netip"
	"time"
)

// A Mode is a set of the ways in which a handle can be ready.
type Mode uint8

// The three ways. A handler of a select event gets exactly one of them as its second argument.
const (
	Read     Mode = 1 << iota // there is something to read, or the end of the stream
	Write                     // there is room to write, or the outcome of a connect
	Expedite                  // there is out-of-band data
)

// String names the ways in m: "read", "read|write", or "none".
func (m Mode) String() string {
	s := ""
	for i, name := range [...]string{"read", "write", "expedite"} {
		if m&(1<<i) != 0 {
			if s != "" {
				s += "|"
			}
			s += name
		}
	}
	if s == "" {
		return "none"
	}
	return s
}

// Forever is the wait that a pass asks for when nothing is due until the world outside does
// something.
const Forever time.Duration = -1

// A Loop is the outside world of one kernel: it waits, tells the time, and opens sockets. A
// simulation replaces the Loop, and the Handles that come from it, and nothing else.
//
// Only Wake may be called from other goroutines than the one that runs the loop, and Resolve, which
// may block, is called from no other place than slow work (see Session.Work).
//
// POE: POE::Loop.
type Loop interface {
	// Now returns the time, which never goes back.
	Now() time.Time

	// Watch asks for the readiness of fd in the ways of want, and in no others; with none, the loop
	// forgets fd. Readiness is a level: it is reported again for as long as it lasts.
	Watch(fd int, want Mode) error

	// Run calls pass first of all, ready for each descriptor that became ready, and pass after each
	// such call, or after several, and when the wait that the last pass asked for is over: at once
	// for 0, never for Forever. It may call pass earlier than it has to. It returns nil when pass
	// reports no more work. A descriptor that hangs up, or has an error, is ready in each way in
	// which it is watched.
	Run(ready func(fd int, how Mode), pass func() (wait time.Duration, more bool)) error

	// Wake makes Run call pass soon. A Wake before Run counts for the next Run.
	Wake()

	// Go runs f, which may block, outside the loop: a real loop on a goroutine of its own. The
	// kernel bounds how many there are at once.
	Go(f func())

	// Socket opens a socket that never waits. The network is one of "tcp4", "tcp6", "udp4", "udp6"
	// and "unix".
	Socket(network string) (Socket, error)

	// Resolve returns the addresses of a host name, IPv6 and IPv4, in the order in which they
	// should be tried. It blocks.
	Resolve(ctx context.Context, host string) ([]netip.Addr, error)
}
