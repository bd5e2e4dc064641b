package wheel_test

import (
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// Wheels that share their options go on alike until one of them is changed.
func TestReadWriteShare(t *testing.T) {
	p := simulated(t, sim.Options{})
	opts := wheel.ReadWriteOptions{InputEvent: "line", MaxOutput: 5}
	opts.Share()
	begin := func(text string, change func(opts *wheel.ReadWriteOptions)) *wheel.ReadWrite {
		near, far := p.pair()
		mine := opts
		mine.Handle = near
		change(&mine)
		w := p.readWrite(p.k.ActiveSession(), mine)
		p.write(far, text)
		far.Close()
		return w
	}
	same := func(*wheel.ReadWriteOptions) {}
	p.create(session.Events{
		kernel.Start: func(*kernel.Event) {
			begin("the first\n", same)
			second := begin("the second\n", same)
			third := begin("the third\n", func(opts *wheel.ReadWriteOptions) {
				opts.InputEvent, opts.MaxOutput = "changed before", 100
			})
			begin("the fourth\n", same)
			if err := second.SetInputEvent("changed after"); err != nil {
				t.Error(err)
			}
			p.note("%v, %v", second.PutString("too long"), third.PutString("not too long"))
		},
		"line":           p.input,
		"changed before": p.input,
		"changed after":  p.input,
	})
	p.run()
	p.want(
		wheel.ErrOutputFull.Error()+", <nil>",
		`line "the first"`,
		`changed after "the second"`,
		`changed before "the third"`,
		`line "the fourth"`,
	)
}
