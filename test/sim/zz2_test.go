package sim_test

import (
	"testing"
	"time"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/test/sim"
)

type spy struct{ *sim.World }

func (s spy) Run(r func(int, kernel.Mode), p func() (time.Duration, bool)) error {
	return s.World.Run(r, func() (time.Duration, bool) {
		w, m := p()
		println(w.String(), m)
		return w, m
	})
}

func TestProbeSpy(t *testing.T) {
	world := spy{sim.NewWorld()}
	k := newKernel(t, world)
	n := 0
	again := func(e *kernel.Event) {
		if n++; n < 10000 {
			e.Session.Alarm("again", time.Date(1066, 1, 1, 0, 0, 0, 0, time.UTC))
		}
	}
	k.Create(table{kernel.Start: func(e *kernel.Event) { e.Session.Delay("again", time.Second) }, "again": again})
	t.Log(k.Run(t.Context()), n, world.Elapsed())
}
