package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
)

// A loop is a world in which nothing happens but time, which passes when the kernel waits for it.
type loop struct{ now time.Time }

var errNothing = errors.New("the kernel waits for what will not happen")

func (l *loop) Now() time.Time { return l.now }

func (l *loop) Run(_ func(int, kernel.Mode), pass func() (time.Duration, bool)) error {
	for {
		wait, more := pass()
		switch {
		case !more:
			return nil
		case wait == kernel.Forever:
			return errNothing
		}
		l.now = l.now.Add(wait)
	}
}

func (l *loop) Watch(int, kernel.Mode) error { return errors.ErrUnsupported }
func (l *loop) Wake()                        {}
func (l *loop) Go(f func())                  { f() }

func (l *loop) Socket(string) (kernel.Socket, error) { return nil, errors.ErrUnsupported }

func (l *loop) Resolve(context.Context, string) ([]netip.Addr, error) {
	return nil, errors.ErrUnsupported
}

// newKernel returns a kernel in a world of its own.
func newKernel(t testing.TB) *kernel.Kernel {
	t.Helper()
	k, err := kernel.New(kernel.Options{Loop: &loop{time.Unix(1e9, 0)}})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// run runs k to its end, which has to be a good one.
func run(t testing.TB, k *kernel.Kernel) {
	t.Helper()
	if err := k.Run(t.Context()); err != nil {
		t.Fatalf("Run: %v", err)
	}
}

// A diary is what a test's handlers have written down, a line for each.
type diary []string

func (d *diary) add(format string, args ...any) { *d = append(*d, fmt.Sprintf(format, args...)) }

// check compares the diary with what should be in it.
func (d diary) check(t testing.TB, want ...string) {
	t.Helper()
	if !slices.Equal(d, want) {
		t.Errorf("happened:\n\t%s\nwant:\n\t%s",
			strings.Join(d, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// panics calls f, and checks that it panics with a text that begins with want.
func panics(t testing.TB, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := fmt.Sprint(recover()); !strings.HasPrefix(got, want) {
			t.Errorf("panic %q, want %q", got, want)
		}
	}()
	f()
}

// fails runs k, and checks that a handler has panicked with a text that begins with want.
func fails(t testing.TB, k *kernel.Kernel, want string) {
	t.Helper()
	err := k.Run(t.Context())
	var x *kernel.Exception
	if !errors.As(err, &x) {
		t.Fatalf("Run returned %v, want an Exception", err)
	}
	if got := fmt.Sprint(x.Value); !strings.HasPrefix(got, want) {
		t.Errorf("a handler panicked with %q, want %q", got, want)
	}
}
