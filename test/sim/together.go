package sim

import (
	"errors"
	"iter"
	"time"
)

// A task is one of the functions of Together.
type task struct {
	resume func() (struct{}, bool)
	yield  func(struct{}) bool
	m      *Machine // that waits, once the task has begun
	until  time.Duration
	failed error // what its wait is to return
	err    error // what the function has returned
}

var errAbandoned = errors.New("sim: another of the runs has panicked")

// Together calls functions that run kernels on machines of this world, one kernel each, side by
// side: while one kernel waits, another makes its turns, always in the same order. It is one
// goroutine's work as far as any of them can tell. It returns when all of them have, with all
// their errors.
//
// When none of them will ever do anything again, they all end with ErrDeadlock. After a panic of
// one the others are broken off.
func (w *World) Together(runs ...func() error) error {
	if w.task != nil {
		panic("sim: Together inside of Together")
	}
	tasks := make([]*task, len(runs))
	for i, run := range runs {
		t := &task{}
		next, stop := iter.Pull(func(yield func(struct{}) bool) {
			t.yield = yield
			t.err = run()
		})
		t.resume = next
		tasks[i] = t
		defer stop()
	}
	defer func() { w.task = nil }()
	var errs []error
	for live := tasks; len(live) > 0; {
		live = w.round(live, &errs)
	}
	return errors.Join(errs...)
}

// round lets each task make its turns, if it can make any, and the clock advance if none can. It
// returns those that go on.
func (w *World) round(live []*task, errs *[]error) []*task {
	w.settle()
	ran := false
	var rest []*task
	for _, t := range live {
		if !t.runnable(w) {
			rest = append(rest, t)
			continue
		}
		ran = true
		w.task = t
		_, more := t.resume()
		w.task = nil
		if more {
			rest = append(rest, t)
		} else {
			*errs = append(*errs, t.err)
		}
	}
	if ran {
		return rest
	}
	until := never
	for _, t := range rest {
		until = min(until, t.until)
	}
	if err := w.advance(until); err != nil {
		for _, t := range rest {
			t.failed = err
		}
	}
	return rest
}

func (t *task) runnable(w *World) bool {
	return t.m == nil || t.failed != nil || w.now >= t.until || t.m.woken.Load() || t.m.collect()
}

// park lets the other tasks go on until there is something for m to do.
func (t *task) park(m *Machine, until time.Duration) error {
	t.m, t.until = m, until
	if !t.yield(struct{}{}) {
		return errAbandoned
	}
	return t.failed
}
