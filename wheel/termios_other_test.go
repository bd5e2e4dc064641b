//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package wheel_test

import "golang.org/x/sys/unix"

// getTermios is the request that gets the state of a terminal.
const getTermios = unix.TIOCGETA
