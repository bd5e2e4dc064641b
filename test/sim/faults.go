package sim

import "time"

// Faults are what goes wrong in a world. Numbers with a fraction are probabilities, from 0, never,
// to 1, always. Unix sockets and pipes know only the first four faults, and Descriptors.
type Faults struct {
	Split    float64 // a read, a write, or what is under way is cut: a random part of it is first
	Again    float64 // a read, a write or an accept gets ErrAgain, although it need not wait
	Spurious float64 // a turn reports a descriptor as ready that is not
	Shuffle  bool    // descriptors are reported in random order, and not in that of their numbers

	Descriptors float64       // Socket or Accept fails with EMFILE
	Refuse      float64       // a connect is refused
	Reset       float64       // a write resets its connection
	ResetAfter  int           // bytes one way that reset a connection; 0 means none
	SlowAccept  time.Duration // random time, up to this, before a new connection can be accepted

	Drop      float64 // a datagram is lost
	Duplicate float64 // a datagram arrives twice
}

func (f *Faults) check() {
	for _, p := range [...]float64{f.Split, f.Again, f.Spurious, f.Descriptors, f.Refuse, f.Reset,
		f.Drop, f.Duplicate} {
		if !(p >= 0 && p <= 1) {
			panic("sim: a probability must be from 0 to 1")
		}
	}
	if f.ResetAfter < 0 || f.SlowAccept < 0 {
		panic("sim: a fault below 0")
	}
}

// chance draws whether a fault of probability p happens. Where p is 0 it draws nothing.
func (w *World) chance(p float64) bool { return p > 0 && w.random.Float64() < p }

// cut draws how many of n bytes come first.
func (w *World) cut(n int) int {
	if n > 1 && w.chance(w.opts.Faults.Split) {
		return 1 + w.random.IntN(n)
	}
	return n
}
