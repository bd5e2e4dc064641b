package wheel_test

import (
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// No two wheels of a kernel have one number, of whatever kind they are and whatever became of the
// first, and so a late event can be told from one of the wheel that took its place (T-14).
func TestNumbersAreNotUsedAgain(t *testing.T) {
	const rounds = 10
	p := simulated(t, sim.Options{})
	seen := map[wheel.ID]bool{}
	see := func(id wheel.ID) {
		if id == 0 || seen[id] {
			t.Errorf("a wheel has the number %d, which is none or another's", id)
		}
		seen[id] = true
	}
	p.create(session.Events{kernel.Start: func(e *kernel.Event) {
		for range rounds {
			near, far := p.pair()
			w := p.readWrite(e.Session, wheel.ReadWriteOptions{Handle: near})
			see(w.ID())
			w.Close()
			f := wheel.NewSocketFactory(e.Session, events(wheel.SocketFactoryOptions{}))
			see(f.ID())
			f.Close()
			see(p.readWrite(e.Session, wheel.ReadWriteOptions{Handle: far}).ID())
		}
		e.Session.End()
	}})
	p.run()
	if len(seen) != 3*rounds {
		t.Errorf("%d wheels have %d numbers", 3*rounds, len(seen))
	}
}
