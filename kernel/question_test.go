package kernel_test

import (
	"context"
	"errors"
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

var errNo = errors.New("no")

// answering makes a session that answers what it is asked, and returns the door to it. The kernel
// runs until the session is told to end.
func answering(t *testing.T) (door *kernel.Door, wait func() error) {
	t.Helper()
	k := newKernel(t)
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { door = e.Session.Door() },
		"double": func(e *kernel.Event) {
			q, n := kernel.Arg[*kernel.Question](e, 0), kernel.Arg[int](e, 1)
			q.Answer(2*n, nil)
			q.Answer(0, errNo) // comes too late
		},
		"refuse": session.On(func(_ *kernel.Event, q *kernel.Question) { q.Answer(nil, errNo) }),
		"ignore": session.On(func(e *kernel.Event, q *kernel.Question) {}),
		"watch": session.On(func(_ *kernel.Event, q *kernel.Question) {
			context.AfterFunc(q.Context(), func() { door.Post("end") })
		}),
		"end": func(*kernel.Event) { door.Close() },
	})
	return door, k.Go(t.Context())
}

// Many goroutines ask, and each gets its own answer.
func TestAsk(t *testing.T) {
	door, wait := answering(t)
	const askers, each = 8, 200
	wrong := make(chan error, askers)
	for range askers {
		go func() {
			var err error
			for i := range each {
				v, failed := door.Ask(t.Context(), "double", i)
				if err == nil && (failed != nil || v != 2*i) {
					err = errors.Join(errors.New("a wrong answer"), failed)
				}
			}
			wrong <- err
		}()
	}
	for range askers {
		if err := <-wrong; err != nil {
			t.Error(err)
		}
	}
	if _, err := door.Ask(t.Context(), "refuse"); err != errNo {
		t.Errorf("refused: got %v, want %v", err, errNo)
	}
	door.Post("end")
	if err := wait(); err != nil {
		t.Error(err)
	}
	if err := wait(); err != nil {
		t.Errorf("the second wait: %v", err)
	}
	if _, err := door.Ask(t.Context(), "double", 1); !errors.Is(err, kernel.ErrDoorClosed) {
		t.Errorf("at the end: got %v, want %v", err, kernel.ErrDoorClosed)
	}
}

// Whoever asks stops waiting when the session ends, or when its own context does, of which the
// session can learn.
func TestAskWithoutAnswer(t *testing.T) {
	for _, test := range []struct {
		name string
		ask  func(door *kernel.Door) error
		want error
	}{
		{"the session ends", func(door *kernel.Door) error {
			go door.Post("end")
			_, err := door.Ask(t.Context(), "ignore")
			return err
		}, kernel.ErrDoorClosed},
		{"the context ends", func(door *kernel.Door) error {
			ctx, cancel := context.WithCancelCause(t.Context())
			go cancel(errNo)
			_, err := door.Ask(ctx, "watch") // which ends the session then
			return err
		}, errNo},
	} {
		t.Run(test.name, func(t *testing.T) {
			door, wait := answering(t)
			if err := test.ask(door); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if err := wait(); err != nil {
				t.Error(err)
			}
		})
	}
}
