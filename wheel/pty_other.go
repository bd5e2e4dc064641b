//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package wheel

import "golang.org/x/sys/unix"

// The requests that get and set the state of a terminal.
const (
	getTermios = unix.TIOCGETA
	setTermios = unix.TIOCSETA
)
