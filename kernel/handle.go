package kernel

import (
	"errors"
	"net"
)

// ErrAgain is what a Handle returns where it would have to wait. It is always this very value.
var ErrAgain = errors.New("kernel: operation would block")

// A Handle is one end of a stream. It never waits: where it would have to, it returns ErrAgain.
// Sockets, pipes, terminals, TLS connections and simulated streams are Handles.
//
// Only the kernel's goroutine may use a Handle.
type Handle interface {
	// Read reads what there is, up to len(p). At the end of the stream it returns io.EOF.
	Read(p []byte) (n int, err error)

	// Write writes what fits, which may be less than len(p), with no error. When nothing fits it
	// returns 0 and ErrAgain.
	Write(p []byte) (n int, err error)

	// CloseRead tells the system that no more will be read, where there is a way to tell. It
	// closes the reading end of a pipe.
	CloseRead() error

	// CloseWrite tells the other end that no more will come. Reading goes on. It closes the
	// writing end of a pipe.
	CloseWrite() error

	// Close ends both directions. A second Close returns net.ErrClosed.
	Close() error

	// FD returns the number by which the kernel's Loop knows the handle, or -1 once it is closed.
	FD() int
}

// A Socket is a Handle that can be bound, connected, listened on and asked for its addresses, which
// are *net.TCPAddr, *net.UDPAddr or *net.UnixAddr.
type Socket interface {
	Handle

	// Bind gives the socket its own address.
	Bind(addr net.Addr) error

	// Connect begins to connect. It returns nil when that is done, and ErrAgain when it is under
	// way: then the socket becomes ready to write, and ConnectError tells the outcome.
	Connect(addr net.Addr) error

	// ConnectError returns, and takes away, the outcome of a connect that was under way, or
	// ErrAgain while it still is.
	ConnectError() error

	// Listen begins to accept connections, with room for backlog that wait; 0 means the system's
	// largest.
	Listen(backlog int) error

	// Accept returns the next connection, or ErrAgain when none waits.
	Accept() (Socket, error)

	// LocalAddr returns the socket's own address.
	LocalAddr() (net.Addr, error)

	// RemoteAddr returns the address of the other end.
	RemoteAddr() (net.Addr, error)

	// SetOption switches an option on or off.
	SetOption(option SocketOption, on bool) error

	// ReadFrom reads one datagram.
	ReadFrom(p []byte) (n int, from net.Addr, err error)

	// WriteTo sends one datagram.
	WriteTo(p []byte, to net.Addr) (n int, err error)
}

// A SocketOption is a switch of a Socket.
type SocketOption uint8

// The options that the wheels use.
const (
	ReuseAddr SocketOption = iota // SO_REUSEADDR: bind though old connections linger
	NoDelay                       // TCP_NODELAY: send small packets at once
	KeepAlive                     // SO_KEEPALIVE: notice a peer that vanished
	Broadcast                     // SO_BROADCAST: datagrams to everybody
	V6Only                        // IPV6_V6ONLY: no IPv4 addresses on an IPv6 socket
)
