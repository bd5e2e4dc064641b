//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package kernel

import "golang.org/x/sys/unix"

// receive reads from a stream socket that never waits.
func receive(fd int, p []byte) (int, error) { return unix.Read(fd, p) }

// send writes to a stream socket that never waits.
func send(fd int, p []byte) (int, error) { return unix.Write(fd, p) }
