package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// A load is what is asked of a server that sends lines back.
type load struct {
	connections int
	inFlight    int // lines that are on their way on each
}

// line is what is sent, and comes back.
const line = "a line of sixty-four bytes, with the two that end it, goes far\r\n"

// A crowd is all connections of a load, on one thread: it costs less than any server that it is
// for.
type crowd struct {
	load
	poller int
	fds    []int
	got    []int  // bytes that have come of the first line that is not whole, by descriptor
	out    []byte // as many lines as are in flight
	in     []byte
	events [256]unix.EpollEvent
}

// connect makes the connections.
func (l load) connect(addr string) (*crowd, error) {
	if err := allow(l.connections + 100); err != nil {
		return nil, err
	}
	to, err := sockaddr(addr)
	if err != nil {
		return nil, err
	}
	poller, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	c := &crowd{load: l, poller: poller,
		out: bytes.Repeat([]byte(line), l.inFlight), in: make([]byte, 64<<10)}
	for range l.connections {
		fd, err := dial(to)
		if err != nil {
			c.close()
			return nil, err
		}
		c.fds = append(c.fds, fd)
		c.got = append(c.got, make([]int, max(0, fd+1-len(c.got)))...)
		event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}
		if err := unix.EpollCtl(poller, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
			c.close()
			return nil, err
		}
	}
	return c, nil
}

// sockaddr returns an address as the system wants it.
func sockaddr(addr string) (unix.Sockaddr, error) {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	return &unix.SockaddrInet4{Addr: at.Addr().As4(), Port: int(at.Port())}, nil
}

// dial connects a socket, which does not wait after that. It leaves nothing behind when it is
// closed, so that the next round finds a free port.
func dial(to unix.Sockaddr) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	for _, err := range []error{
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}),
		unix.Connect(fd, to),
		unix.SetNonblock(fd, true),
	} {
		if err != nil {
			_ = unix.Close(fd)
			return -1, err
		}
	}
	return fd, nil
}

// allow lets the process have so many descriptors open.
func allow(n int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Cur >= uint64(n) {
		return nil
	}
	if limit.Max < uint64(n) {
		return fmt.Errorf("needs %d descriptors, and may have %d", n, limit.Max)
	}
	limit.Cur = limit.Max
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
}

// client is connect, for those who take turns.
func (l load) client(addr string) (client, error) { return l.connect(addr) }

// work sends lines for so long, waits until all have come back, and returns how many those are.
func (c *crowd) work(during time.Duration) (lines float64, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := c.sendAll(c.inFlight); err != nil {
		return 0, err
	}
	end := time.Now().Add(during)
	for under := c.connections * c.inFlight; under > 0; {
		again := time.Now().Before(end)
		n, err := c.wait(again)
		if err != nil {
			return lines, err
		}
		lines += float64(n)
		if !again {
			under -= n
		}
	}
	return lines, nil
}

// greet sends one line on each connection, and waits until all have come back.
func (c *crowd) greet() error {
	if err := c.sendAll(1); err != nil {
		return err
	}
	for lines := 0; lines < c.connections; {
		n, err := c.wait(false)
		if err != nil {
			return err
		}
		lines += n
	}
	return nil
}

// wait takes what has come back, on any connection, and returns how many lines are whole by that.
// It may send as many again.
func (c *crowd) wait(again bool) (lines int, err error) {
	n, err := unix.EpollWait(c.poller, c.events[:], int(patience/time.Millisecond))
	switch {
	case err == unix.EINTR:
		return 0, nil
	case err != nil:
		return 0, err
	case n == 0:
		return 0, errors.New("nothing comes back")
	}
	for _, e := range c.events[:n] {
		whole, err := c.receive(int(e.Fd))
		if err == nil && again {
			err = c.send(int(e.Fd), whole)
		}
		if err != nil {
			return lines, err
		}
		lines += whole
	}
	return lines, nil
}

// receive takes what has come back on one connection.
func (c *crowd) receive(fd int) (lines int, err error) {
	n, err := unix.Read(fd, c.in)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return 0, nil
	case err != nil:
		return 0, err
	case n == 0:
		return 0, errors.New("the server has hung up")
	}
	before := c.got[fd]
	if before+n > len(c.out) || !bytes.Equal(c.in[:n], c.out[before:before+n]) {
		return 0, fmt.Errorf("%d bytes come back, and are not those that were sent", n)
	}
	c.got[fd] = (before + n) % len(line)
	return (before + n) / len(line), nil
}

// sendAll sends so many lines on each connection.
func (c *crowd) sendAll(lines int) error {
	for _, fd := range c.fds {
		if err := c.send(fd, lines); err != nil {
			return err
		}
	}
	return nil
}

// send sends so many lines. There is always room for them: no more than inFlight are on their way.
func (c *crowd) send(fd, lines int) error {
	if lines == 0 {
		return nil
	}
	n, err := unix.Write(fd, c.out[:lines*len(line)])
	if err == nil && n < lines*len(line) {
		err = errors.New("no room for the lines in flight")
	}
	return err
}

// close ends the connections.
func (c *crowd) close() {
	for _, fd := range c.fds {
		_ = unix.Close(fd)
	}
	_ = unix.Close(c.poller)
}
