package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// openFiles lets this process, and those that it starts, have n descriptors open. Without it, those
// of other programs would have what they come with: Go raises the limit for itself alone.
func openFiles(n int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if uint64(limit.Max) < uint64(n) { //nolint:unconvert // on some systems it has a sign
		return fmt.Errorf("needs %d descriptors, and may have %d", n, limit.Max)
	}
	limit.Cur = limit.Max
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
}

// processMemory returns what the system says of a process's memory: "VmRSS:" is what is resident,
// and "VmHWM:" the most that was. It is 0 where there is no /proc.
func processMemory(pid, field string) (octets uint64) {
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte(field))
	number, _, _ := bytes.Cut(rest, []byte("kB"))
	kilobytes, err := strconv.ParseUint(string(bytes.TrimSpace(number)), 10, 64)
	if err != nil {
		return 0
	}
	return kilobytes << 10
}
