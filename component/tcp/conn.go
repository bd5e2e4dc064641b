package tcp

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/wheel"
)

// A Conn is one end of a connection, and what its functions are called with. It is the Heap of its
// session.
//
// Only the kernel's goroutine may use it.
type Conn struct {
	Session *kernel.Session // of this connection: it takes alarms, aliases, posts and so on
	Heap    any             // the program's own

	protocol *protocol
	rw       *wheel.ReadWrite // the last one that there was
	unwanted bool             // the socket that PreConnect looks at
	opening  bool             // its first handshake is not over
	up       bool             // Connected was called, and Disconnected not yet
	ending   bool             // nothing more comes in, and Disconnected is on its way
	counted  bool             // among the clients of a server
	socket   kernel.Socket
	remote   net.Addr
	secured  *wheel.Secured // what its last handshake has settled
}

// ConnOf returns the Conn of the session that handles e. It is for the handlers among the events
// that the options add. In a session that is none of a Server's clients, nor a Client's, it panics.
func ConnOf(e *kernel.Event) *Conn {
	if c, ok := e.Heap.(*Conn); ok {
		return c
	}
	return &e.Heap.(*Client).Conn
}

// Connected reports whether there is a connection: between Connected and Disconnected.
func (c *Conn) Connected() bool { return c.up }

// RemoteAddr returns the address of the other end. It is known from PreConnect on, and afterwards;
// before that it is nil.
//
// POE: remote_addr in the heap, which is never set.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// RemoteAddrPort returns the IP address and the port of the other end, or zero where it has none,
// as with a unix socket. An IPv4 address is one of 4 bytes, also on a socket of IPv6.
//
// POE: remote_ip and remote_port in the heap.
func (c *Conn) RemoteAddrPort() netip.AddrPort {
	a, ok := c.remote.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	at := a.AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

// LocalAddr returns the address of this end. Without a connection it returns net.ErrClosed.
func (c *Conn) LocalAddr() (net.Addr, error) {
	if c.socket == nil {
		return nil, net.ErrClosed
	}
	return c.socket.LocalAddr()
}

// Secured returns what the last handshake of the connection has settled, or nil for one in plain
// text. It is known from Connected on, and afterwards.
func (c *Conn) Secured() *wheel.Secured { return c.secured }

// Wheel returns the wheel of the connection, for all that a Conn does not do: filters, marks,
// half-closing, StartTLS. It is the Conn's to close, and is nil before there is a connection.
//
// POE: client, server in the heap.
func (c *Conn) Wheel() *wheel.ReadWrite { return c.rw }

// Put writes p, as one record, when the turn ends. It keeps nothing of p. The error is that of
// wheel.ReadWrite.PutRecord, and without a connection, or after Shutdown, wheel.ErrClosed.
//
// POE: put.
func (c *Conn) Put(p []byte) error { return c.PutRecord(filter.Record{Bytes: p}) }

// PutString is Put for a string.
func (c *Conn) PutString(s string) error { return c.Put([]byte(s)) }

// PutRecord is Put for a record that is not bytes.
func (c *Conn) PutRecord(r filter.Record) error {
	if !c.up {
		return wheel.ErrClosed
	}
	return c.rw.PutRecord(r)
}

// PauseInput leaves what comes in where it is, so that the peer has to wait. What was read already
// still comes. The end of the connection is not noticed meanwhile.
//
// POE: pause_input.
func (c *Conn) PauseInput() {
	if c.up {
		c.rw.PauseInput()
	}
}

// ResumeInput reads on.
//
// POE: resume_input.
func (c *Conn) ResumeInput() {
	if c.up {
		c.rw.ResumeInput()
	}
}

// Shutdown ends the connection once what was put is written. Nothing more comes in, and nothing
// more can be put. A peer that takes none of it for FlushTimeout is given up. Disconnected comes
// when it is over, and never from within Shutdown. A second Shutdown does nothing. Before
// Connected, it gives the handshake up, and nothing comes of that.
//
// POE: the event shutdown, after which the rest of the block that was read still comes.
func (c *Conn) Shutdown() {
	c.giveUp()
	if !c.up || c.ending {
		return
	}
	c.ending = true
	c.rw.Finish()
	if c.protocol.flushTimeout > 0 {
		c.Session.Delay(eventStalled, c.protocol.flushTimeout, c.rw.OutOctets())
	}
}

// Close ends the connection now. What is not written is lost. Disconnected comes soon, and never
// from within Close. A second Close does nothing. Before Connected, it is Shutdown.
func (c *Conn) Close() {
	c.giveUp()
	if c.up {
		c.end()
	}
}

// end closes the wheel, and has Disconnected come.
func (c *Conn) end() {
	c.ending = true
	c.rw.Close()
	c.Session.Yield(eventGone, c.rw.ID())
}

// closed reports whether the wheel has closed itself.
func (c *Conn) closed() bool { return c.rw.OutputHandle().FD() < 0 }

// open makes a connection of a socket, and tells that there is one, if that needs no handshake.
// Otherwise it has closed the socket: because PreConnect refused it, or something failed.
func (c *Conn) open(s kernel.Socket, remote net.Addr) (opened bool, failed *wheel.Error) {
	c.remote, c.secured = remote, nil
	h := c.prepare(s)
	if h == nil {
		return false, nil
	}
	rw, err := wheel.NewReadWrite(c.Session, c.protocol.options(h))
	if err != nil {
		return false, &wheel.Error{Op: "watch", Err: err}
	}
	c.socket, c.rw = s, rw
	if _, ok := h.(wheel.Layer); !ok {
		c.connected()
		return true, nil
	}
	c.opening = true
	if c.protocol.handshakeTimeout > 0 {
		c.Session.Delay(eventHandshake, c.protocol.handshakeTimeout)
	}
	return true, nil
}

// prepare returns the handle to use: what PreConnect says, or TLS over it. If there is none, also
// because PreConnect panics, or has ended the connection, it closes the socket.
func (c *Conn) prepare(s kernel.Socket) (h kernel.Handle) {
	defer func() {
		if h == nil {
			_ = s.Close() // PreConnect may have closed it
		}
	}()
	under := kernel.Handle(s)
	if c.protocol.preConnect != nil {
		c.unwanted = false
		under = c.protocol.preConnect(c, s)
		if under != nil && c.unwanted {
			_ = under.Close() // nobody has seen it
			return nil
		}
	}
	if under == nil || c.protocol.tls == nil {
		return under
	}
	return wheel.NewTLS(c.Session.Kernel(), under, c.protocol.tls())
}

// connected tells that there is a connection.
func (c *Conn) connected() {
	c.opening, c.up, c.ending = false, true, false
	tell(c.protocol.connected, c)
}

// gotSecured is when a handshake is over: the first, or one that StartTLS began.
func (c *Conn) gotSecured(s *wheel.Secured) {
	c.secured = s
	if c.opening {
		c.Session.AlarmClear(eventHandshake)
		c.connected()
	}
	if c.up && !c.ending && c.protocol.secured != nil {
		c.protocol.secured(c, s)
	}
}

// refuse is when the first handshake has failed, so that there never was a connection.
func (c *Conn) refuse(err *wheel.Error) {
	c.giveUp()
	c.protocol.refused(c, err)
}

// giveUp ends a connection that waits for its first handshake, or for PreConnect to return.
func (c *Conn) giveUp() {
	c.unwanted = true
	if !c.opening {
		return
	}
	c.opening, c.socket = false, nil
	c.rw.Close()
	c.Session.AlarmClear(eventHandshake)
	if c.protocol.left != nil {
		c.protocol.left(c)
	}
}

// drop is the end of the connection: first of the wheel, then Disconnected.
func (c *Conn) drop() {
	if !c.up {
		return
	}
	c.up, c.socket = false, nil
	c.rw.Close()
	c.Session.AlarmClear(eventStalled)
	c.protocol.gone(c)
}

// hangUp ends a connection of which something went wrong. At the end of the input, the peer may
// still wait for what was put; after any other error it is gone.
func (c *Conn) hangUp(err error) {
	switch {
	case !c.up:
	case errors.Is(err, io.EOF):
		c.Shutdown()
	default:
		c.end()
	}
}

// stalled is when FlushTimeout is over: it goes on for a peer that has read something meanwhile.
func (c *Conn) stalled(e *kernel.Event) {
	before, left := kernel.Arg[int](e, 0), c.rw.OutOctets()
	switch {
	case c.closed():
		c.drop()
	case left < before:
		c.Session.Delay(eventStalled, c.protocol.flushTimeout, left)
	default:
		defer c.end()
		c.protocol.fail(c, &wheel.Error{Op: "write", Err: syscall.ETIMEDOUT, Wheel: c.rw.ID()})
	}
}
