package kernel_test

import (
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// A session that is detached while it starts was never a child, as far as its parent hears,
// whoever does that and in which handler.
func TestDetachInStart(t *testing.T) {
	detachMyself := func(e *kernel.Event) {
		if err := e.Session.DetachMyself(); err != nil {
			t.Error(err)
		}
	}
	for how, detach := range map[string]kernel.HandlerFunc{
		"in Start": detachMyself,
		"in a handler that Start calls": func(e *kernel.Event) {
			_, _ = e.Session.Call(e.Session, "detach")
		},
		"by the parent": func(e *kernel.Event) {
			_, _ = e.Session.Call(e.Session.Parent(), "let go", e.Session)
		},
	} {
		t.Run(how, func(t *testing.T) {
			k := newKernel(t)
			var j journal
			k.Create(session.Events{
				kernel.Start: func(e *kernel.Event) {
					j.add("parent starts")
					e.Session.Create(session.Events{
						kernel.Start: j.note("child starts"),
						kernel.Stop:  j.note("child stops"),
					})
					e.Session.Create(session.Events{
						kernel.Start: func(e *kernel.Event) {
							j.add("other starts")
							detach(e)
						},
						"detach": detachMyself,
						kernel.Parent: func(e *kernel.Event) {
							j.add("other belongs to %v", e.Args[1])
						},
					})
				},
				"let go": session.On(func(e *kernel.Event, child *kernel.Session) {
					if err := e.Session.DetachChild(child); err != nil {
						t.Error(err)
					}
				}),
				kernel.Child: j.family("parent"),
				kernel.Stop:  j.note("parent stops"),
			})
			run(t, k)
			j.want(t, "parent starts", "child starts", "parent _child create",
				"other starts", "other belongs to kernel",
				"child stops", "parent _child lose", "parent stops")
		})
	}
}
