package looptest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/go-poe/poe/kernel"
)

// kernels is the suite for whole kernels on a loop.
var kernels = slices.Concat(alarms, selects, signals, lives)

// A table is a kind of session for the suite: its handlers by the names of their events.
type table map[string]kernel.HandlerFunc

func (t table) Handle(e *kernel.Event) {
	if f := t[e.Name]; f != nil {
		f(e)
		return
	}
	e.Unhandled()
}

// nothing is a handler that does nothing.
func nothing(*kernel.Event) {}

// newKernel returns a kernel on the loop that keeps its log to itself.
func newKernel(t *testing.T, loop kernel.Loop) *kernel.Kernel {
	t.Helper()
	k, err := kernel.New(kernel.Options{
		Loop:   loop,
		Log:    zap.NewNop(),
		Getenv: func(string) string { return "" },
	})
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return k
}

// runKernel runs k to its end, which must be a good one.
func runKernel(t *testing.T, k *kernel.Kernel) {
	t.Helper()
	if err := tryKernel(t, k); err != nil {
		t.Fatalf("Run: %v", err)
	}
	if report := k.WhyAlive(); len(report.Sessions) > 0 {
		t.Errorf("sessions are left after Run:\n%v", report)
	}
}

// tryKernel runs k to its end, and returns what that was.
func tryKernel(t *testing.T, k *kernel.Kernel) error {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), limit, errLate)
	defer cancel()
	err := k.Run(ctx)
	if errors.Is(err, errLate) {
		t.Fatal(err)
	}
	return err
}

var errLate = fmt.Errorf("the kernel still runs after %v", limit)

// A story is what happened, in order.
type story struct {
	t     *testing.T
	lines []string
}

func (s *story) tell(format string, args ...any) {
	s.lines = append(s.lines, fmt.Sprintf(format, args...))
}

// is compares what happened with what should have.
func (s *story) is(want ...string) {
	s.t.Helper()
	if !slices.Equal(s.lines, want) {
		s.t.Errorf("got:\n\t%s\nwant:\n\t%s",
			strings.Join(s.lines, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// must fails the test if a request to the kernel does.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("a request failed: %v", err)
	}
}

// wants fails the test if err is not want.
func wants(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got the error %v, want %v", err, want)
	}
}
