//go:build dragonfly || freebsd || netbsd

package wheel

import "golang.org/x/sys/unix"

// As in followtail_kqueue_darwin.go.
const (
	onlyWatched = unix.O_RDONLY
	shortened   = 0
)
