// Package sim is a world for tests: a kernel.Loop with a virtual clock, a network in memory, and
// faults that come from a seed.
//
// A World takes the place of the system's loop, and everything above the kernel runs in it
// unchanged:
//
//	world := sim.NewWorld()
//	k, err := kernel.New(kernel.Options{Loop: world})
//
// # Time
//
// The clock stands still while handlers run. When nothing is ready, it jumps to the next thing
// that is due, so that a day of waiting takes no time. A program that never waits does not stop
// the clock for ever: after many turns without a wait, each turn takes a little time.
//
// When nothing is ready, nothing is due, and the kernel would wait for ever, nothing will ever
// happen, and Run returns ErrDeadlock: a test fails, and does not hang. A program that goes on
// without end fails in the same way, with ErrEndless.
//
// # The network
//
// Sockets of TCP, UDP and the unix kind reach each other inside the world, and nothing outside of
// it. All machines of a world share one network and one clock. World is itself the first machine;
// NewMachine adds more, for kernels that are to be as if on hosts of their own, and Together runs
// them side by side.
//
// What the sockets do, and which errors they give, is what Linux does: a connect is under way
// until the loop has run, a close with unread input resets the connection, the first write after
// that fails with ECONNRESET, and later ones with EPIPE. Descriptors are reused lowest first. They
// begin at 1000, so that one of the system's own is never taken for one of the world's. There are
// no child processes, and no out-of-band data.
//
// # The same again
//
// All that is random comes from Options.Seed. Slow work, which a real loop does elsewhere, is done
// in Run, when its time has come. So everything happens on one goroutine, and the same program
// with the same seed does the same, byte for byte: Options.Trace shows it. That ends where other
// goroutines call Wake: when they do is not the world's to say.
package sim
