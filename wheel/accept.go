package wheel

import (
	"net"
	"time"

	"github.com/go-poe/poe/kernel"
)

// A Connection is a socket that a wheel made. The receiver of the event owns it, and closes it.
type Connection struct {
	Socket kernel.Socket
	Remote net.Addr // the other end; nil for a datagram socket
	Wheel  ID
}

// acceptsPerTurn is how many connections a listener accepts before others get their turn.
const acceptsPerTurn = 16

// acceptPause is how long a listener waits when it cannot accept, mostly because the process or the
// system has no descriptors left. The connections wait in the listener's queue.
const acceptPause = 100 * time.Millisecond

// A listener is a wheel that accepts connections.
type listener struct {
	base
	socket   kernel.Socket // nil while there is none
	accepted string        // the owner's event: *Connection
	failed   string        // the owner's event: *Error
	resume   string        // the wheel's own event for the end of acceptPause; "" until it listens
	paused   bool          // by PauseAccept
	refusing bool          // the last Accept has failed, and the owner knows
}

// watch begins to accept connections at the socket, which listens.
func (l *listener) watch() error {
	l.resume = l.state("resume", func(*kernel.Event) { l.pause(l.paused) })
	if err := l.owner.SelectRead(l.socket, l.state("accept", l.acceptable)); err != nil {
		return err
	}
	l.pause(l.paused)
	return nil
}

// acceptable accepts the connections that wait, but not so many that others have to wait for it.
func (l *listener) acceptable(*kernel.Event) {
	for i := 0; i < acceptsPerTurn && !l.closed && !l.paused; i++ {
		s, err := l.socket.Accept()
		if err == kernel.ErrAgain {
			return
		}
		if err != nil {
			l.acceptFailed(err)
			return
		}
		remote, err := s.RemoteAddr()
		if err != nil {
			_ = s.Close() // it is gone again
			continue
		}
		l.refusing = false
		l.give(&Connection{Socket: s, Remote: remote, Wheel: l.id})
	}
}

// acceptFailed goes on listening. To try again at once would keep the kernel busy with nothing
// else, and to tell of each try would be little better.
func (l *listener) acceptFailed(err error) {
	l.pause(true)
	l.owner.Delay(l.resume, acceptPause)
	if l.refusing {
		return
	}
	l.refusing = true
	_ = l.tell(l.failed, &Error{Op: "accept", Err: err, Wheel: l.id})
}

// give hands a connection over, or closes it if nobody takes it.
func (l *listener) give(c *Connection) {
	if err := l.tell(l.accepted, c); err != nil {
		_ = c.Socket.Close() // nobody has seen it
	}
}

func (l *listener) pause(paused bool) {
	if l.closed || l.socket == nil || l.resume == "" {
		return
	}
	if paused {
		_ = l.owner.SelectPauseRead(l.socket)
	} else {
		_ = l.owner.SelectResumeRead(l.socket)
	}
}

// PauseAccept leaves those who call waiting. It may be called before the wheel listens.
//
// POE: pause_accept.
func (l *listener) PauseAccept() {
	l.paused = true
	l.pause(true)
}

// ResumeAccept accepts again.
//
// POE: resume_accept.
func (l *listener) ResumeAccept() {
	l.paused = false
	l.pause(false)
}

// unwatch ends what watch began.
func (l *listener) unwatch() {
	if l.socket != nil {
		_ = l.owner.SelectRead(l.socket, "")
	}
	if l.resume != "" {
		l.owner.AlarmClear(l.resume)
	}
}
