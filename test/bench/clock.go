package main

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// perOperation returns the processor time of the whole process, garbage collector and all, that f
// takes for each of n operations.
func perOperation(n int, f func()) float64 {
	runtime.GC()
	began := processorTime()
	f()
	return float64(processorTime()-began) / float64(n)
}

// processorTime returns the time that the process has spent on processors so far.
func processorTime() time.Duration {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// heap returns the bytes in use after a collection.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
