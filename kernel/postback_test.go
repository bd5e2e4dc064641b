package kernel_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// A postback that was weakened, or closed, keeps nobody alive, and still works while the session is
// there.
func TestWeakPostbacks(t *testing.T) {
	k := newKernel(t)
	var weak *kernel.Postback
	var back *kernel.Callback
	n := 0
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			weak = e.Session.Postback("later", "given").Weaken()
			back = e.Session.Callback("now").Weaken()
			back.Close()
			weak.Close() // a second time does nothing
			if err := weak.Post(1, 2); err != nil {
				t.Error(err)
			}
			if got, err := back.Call(); got != "answer" || err != nil {
				t.Errorf("got %v, %v", got, err)
			}
		},
		"later": func(e *kernel.Event) {
			n++
			if !slices.Equal(kernel.Arg[[]any](e, 0), []any{"given"}) ||
				!slices.Equal(kernel.Arg[[]any](e, 1), []any{1, 2}) {
				t.Errorf("got %v", e.Args)
			}
		},
		"now": func(e *kernel.Event) { e.Result = "answer" },
	})
	run(t, k)
	if n != 1 {
		t.Errorf("got %d events, want 1", n)
	}
	if err := weak.Post(); !errors.Is(err, kernel.ErrNoSession) {
		t.Errorf("to a session that has ended: got %v, want ErrNoSession", err)
	}
	if _, err := back.Call(); !errors.Is(err, kernel.ErrNoSession) {
		t.Errorf("to a session that has ended: got %v, want ErrNoSession", err)
	}
}

// Outside of any session, a postback sends in the name of the root.
func TestPostbackOutsideOfSessions(t *testing.T) {
	k := newKernel(t)
	var pb *kernel.Postback
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { pb = e.Session.Postback("later") },
		"later": func(e *kernel.Event) {
			if e.Sender != k.Root() {
				t.Errorf("the sender is %v", e.Sender)
			}
			pb.Close()
		},
	})
	if err := pb.Post(); err != nil {
		t.Error(err)
	}
	run(t, k)
}
