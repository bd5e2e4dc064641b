package filter_test

import (
	"strings"
	"testing"
)

// mustPanic checks that f panics, with a text that says which package it is.
func mustPanic(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		text, _ := recover().(string)
		if !strings.HasPrefix(text, "filter: ") {
			t.Errorf("panicked with %q, want a text that begins with filter:", text)
		}
	}()
	f()
}

// noAllocs checks that f allocates nothing.
func noAllocs(t *testing.T, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(100, f); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
