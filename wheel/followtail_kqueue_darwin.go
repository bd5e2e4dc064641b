package wheel

import "golang.org/x/sys/unix"

const (
	// onlyWatched opens a folder without keeping what it is on from being unmounted.
	onlyWatched = unix.O_EVTONLY

	// shortened is the change of a file that becomes shorter, if that has a number of its own.
	shortened = 0
)
