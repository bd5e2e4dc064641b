package kernel

import (
	"context"
	"sync"
)

// A Question comes through a door from a goroutine that waits for the answer. It is the first
// argument of the event that Ask sends.
type Question struct {
	ctx    context.Context
	once   sync.Once
	answer chan answer
}

type answer struct {
	value any
	err   error
}

// Answer answers the question. Only the first answer counts.
func (q *Question) Answer(value any, err error) {
	q.once.Do(func() { q.answer <- answer{value, err} })
}

// Context is done when nobody waits for the answer any more.
func (q *Question) Context() context.Context { return q.ctx }

// Ask sends an event through the door, with a *Question before args, and waits for the answer. The
// error is the answer's, or that of Post, or ctx's, or ErrDoorClosed if the door is closed, or
// its session ends, before the answer. A door of Kernel.Door does not know when its session ends.
//
// Ask must not be called on the kernel's own goroutine, which could not answer then.
func (d *Door) Ask(ctx context.Context, name string, args ...any) (any, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	q := &Question{ctx: ctx, answer: make(chan answer, 1)}
	if err := d.Post(name, append([]any{q}, args...)...); err != nil {
		return nil, err
	}
	select {
	case a := <-q.answer:
		return a.value, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-d.gone:
	}
	select {
	case a := <-q.answer: // the session has answered before it ended
		return a.value, a.err
	default:
		return nil, ErrDoorClosed
	}
}

// Go runs k on a goroutine of its own, as Run does until ctx is done or no session is left. What it
// returns waits for the end, and returns what Run did. It may be called any number of times, by any
// goroutine but k's own.
func (k *Kernel) Go(ctx context.Context) (wait func() error) {
	ended := make(chan struct{})
	var err error
	go func() {
		defer close(ended)
		err = k.Run(ctx)
	}()
	return func() error {
		<-ended
		return err
	}
}
