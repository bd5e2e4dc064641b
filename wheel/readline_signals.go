package wheel

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/go-poe/poe/kernel"
)

// signals is a session that hears the system's signals for a ReadLine. The owner may want some of
// them too, and can have one event for each.
type signals struct {
	w *ReadLine
	s *kernel.Session
}

// The events of the session, besides Start.
const (
	resized   = "resized"
	stopped   = "stopped"
	continued = "continued"
	ending    = "ending"
)

const signalsTag = "ReadLine"

func newSignals(w *ReadLine) *signals {
	g := &signals{w: w}
	g.s = w.owner.Kernel().Root().Create(kernel.HandlerFunc(g.handle))
	return g
}

func (g *signals) handle(e *kernel.Event) {
	switch e.Name {
	case kernel.Start:
		g.start(e.Session)
	case resized:
		g.resized()
	case stopped:
		g.stopped()
	case continued:
		g.continued()
	case ending, kernel.Stop: // that a signal is known here is why the kernel stops in peace
	default:
		e.Unhandled()
	}
}

// start asks for the signals.
func (g *signals) start(s *kernel.Session) {
	_, _ = s.RefcountIncrement(signalsTag)
	s.Sig("WINCH", resized)
	s.Sig("TSTP", stopped)
	s.Sig("CONT", continued)
	for _, name := range []string{"TERM", "INT", "HUP", "QUIT"} {
		s.Sig(name, ending)
	}
}

// end is when the wheel is closed.
func (g *signals) end() { g.s.End() }

// resized is when the window has another size.
func (g *signals) resized() {
	g.w.editor.Resize(g.w.console.size())
	g.w.show()
}

// stop stops all that runs at the terminal with us, as the terminal itself does at C-z.
func (g *signals) stop() {
	if unix.Kill(0, unix.SIGTSTP) != nil {
		g.w.editor.Bell()
		g.w.show()
	}
}

// hasShell reports whether there is likely a shell that can let us go on: one that has given us a
// process group of our own. Else the system would not stop us for SIGTSTP, but for SIGSTOP it does.
func hasShell() bool {
	leader, err := unix.Getsid(0)
	return err == nil && leader != unix.Getpgrp()
}

// stopped is when the user wants the program to stop, with the terminal as it was before.
func (g *signals) stopped() {
	if !hasShell() {
		g.w.editor.Bell()
		g.w.show()
		return
	}
	g.w.editor.Leave()
	g.w.show()
	g.w.rw.Flush()
	g.w.console.leave()
	_ = unix.Kill(os.Getpid(), unix.SIGSTOP) // which cannot fail
}

// continued is when the program goes on. Others may have done anything to the terminal.
func (g *signals) continued() {
	if g.w.console.enter() == nil {
		g.w.editor.Restore(g.w.console.size())
		g.w.show()
	}
}
