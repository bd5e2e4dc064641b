package main

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"time"
)

// A usage is what a process has used so far. All but the time is zero unless it was asked for.
type usage struct {
	Processor  time.Duration
	Resident   uint64 // bytes of it that are in memory; 0 where the system does not say
	Heap       uint64 // bytes of its objects that are alive
	Stack      uint64 // bytes of stacks
	Goroutines int
}

// currentUsage returns the usage of this process. The heap is measured after the rest: what it
// takes to do so does not count.
func currentUsage(all bool) usage {
	u := usage{Processor: processorTime()}
	if !all {
		return u
	}
	u.Resident, u.Goroutines = resident("self"), runtime.NumGoroutine()
	runtime.GC()
	runtime.GC() // for what has a finalizer, or is in a pool
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u.Heap, u.Stack = m.HeapAlloc, m.StackInuse
	return u
}

// resident returns the bytes of a process that are in memory, or 0 where there is no /proc.
func resident(process string) uint64 {
	status, err := os.ReadFile("/proc/" + process + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("VmRSS:"))
	text, _, _ := bytes.Cut(rest, []byte("kB"))
	kilobytes, err := strconv.ParseUint(string(bytes.TrimSpace(text)), 10, 64)
	if err != nil {
		return 0
	}
	return kilobytes << 10
}
