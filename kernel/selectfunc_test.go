package kernel_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// The function gets the event in place of the session's handler, as long as the handle is watched,
// and what it panics with is the session's exception.
func TestSelectFunc(t *testing.T) {
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	note := func(format string, args ...any) { got = append(got, fmt.Sprintf(format, args...)) }
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			r, w, err := kernel.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			s := e.Session
			fails := func(*kernel.Event) { panic("enough") }
			reads := func(e *kernel.Event) {
				note("%s of %v: %v", e.Name, e.Session == s, e.Args)
				if err := s.SelectFunc(r, kernel.Read, "second", fails); err != nil {
					t.Error(err)
				}
			}
			err = errors.Join(
				s.SelectRead(r, "first", "an argument"),
				s.SelectFunc(r, kernel.Read, "first", reads),
			)
			s.Sig("DIE", "failed")
			if _, writeErr := w.Write([]byte("x")); err != nil || writeErr != nil {
				t.Fatal(err, writeErr)
			}
			s.State("failed", func(e *kernel.Event) {
				note("failed")
				e.Kernel.SigHandled()
				if err := s.SelectFunc(r, kernel.Read, "", nil); err != nil {
					t.Error(err)
				}
				r.Close()
				w.Close()
			})
		},
		"first": func(*kernel.Event) { t.Error("the session's handler was asked") },
	})
	if err := k.Run(t.Context()); err != nil {
		t.Error(err)
	}
	if want := []string{"first of true: []", "failed"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
