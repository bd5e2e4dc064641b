package main

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// keep sends all messages over connections that stay, on one thread.
func (f *floor) keep(j job) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	to, err := sockaddr(j.Addr)
	if err != nil {
		return err
	}
	poller, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(poller)
	conns := make(map[int32]*floorKept, j.AtOnce)
	for i := range j.AtOnce {
		fd, err := dial(to)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}
		if err := unix.EpollCtl(poller, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
			return err
		}
		conns[int32(fd)] = &floorKept{floor: f, fd: fd, messages: j.part(i), lines: 1}
	}
	events, in := make([]unix.EpollEvent, 1024), make([]byte, 4096)
	for left := len(conns); left > 0; {
		n, err := unix.EpollWait(poller, events, int(patience/time.Millisecond))
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return err
		case n == 0:
			return errors.New("nothing comes back")
		}
		for _, e := range events[:n] {
			c := conns[e.Fd]
			if err := c.receive(in); err != nil {
				return err
			}
			if c.step == floorBye && c.lines == 0 {
				left--
				if err := unix.EpollCtl(poller, unix.EPOLL_CTL_DEL, c.fd, nil); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// The steps of a dialogue, by what was sent last.
const (
	floorGreeting = iota
	floorHello
	floorEnvelope
	floorLast
	floorBye
)

// A floorKept is a connection that stays.
type floorKept struct {
	*floor
	fd       int
	step     int
	lines    int // that are to come back
	messages int // that are to be sent
}

// receive counts what came back, and sends what comes next.
func (c *floorKept) receive(in []byte) error {
	n, err := unix.Read(c.fd, in)
	switch {
	case err != nil:
		return err
	case n == 0:
		return errors.New("the sink has hung up")
	case in[0] > '3':
		return fmt.Errorf("%q came back", in[:n])
	}
	if c.lines -= bytes.Count(in[:n], []byte("\n")); c.lines > 0 {
		return nil
	}
	var out []byte
	switch c.step {
	case floorGreeting:
		out, c.lines, c.step = c.hello, offeredLines, floorHello
	case floorHello:
		out, c.lines, c.step = c.envelope, 3, floorEnvelope
	case floorEnvelope:
		if c.messages--; c.messages > 0 {
			out, c.lines = c.next, 4
		} else {
			out, c.lines, c.step = c.text, 1, floorLast
		}
	case floorLast:
		out, c.lines, c.step = c.quit, 1, floorBye
	case floorBye:
		return nil
	}
	for len(out) > 0 {
		n, err := unix.Write(c.fd, out)
		if errors.Is(err, unix.EAGAIN) {
			room := []unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLOUT}}
			_, err = unix.Poll(room, int(patience/time.Millisecond))
			n = 0
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		out = out[max(n, 0):]
	}
	return nil
}
