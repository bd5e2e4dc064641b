package session_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// fiveHandlers returns a Multi with the handlers a to e for one event.
func fiveHandlers() *session.Multi {
	m := new(session.Multi)
	for _, name := range strings.Split("abcde", "") {
		m.Add("x", name, nothing)
	}
	return m
}

func TestMultiOrder(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(m *session.Multi) error
		want string
	}{
		{"up", func(m *session.Multi) error { return m.Up("x", "d", 1) }, "abdce"},
		{"up by 2", func(m *session.Multi) error { return m.Up("x", "d", 2) }, "adbce"},
		{"up too far", func(m *session.Multi) error { return m.Up("x", "c", 9) }, "cabde"},
		{"up from the top", func(m *session.Multi) error { return m.Up("x", "a", 1) }, "abcde"},
		{"up by 0", func(m *session.Multi) error { return m.Up("x", "c", 0) }, "abcde"},
		{"up by -2", func(m *session.Multi) error { return m.Up("x", "b", -2) }, "acdbe"},
		{"down", func(m *session.Multi) error { return m.Down("x", "b", 1) }, "acbde"},
		{"down by 2", func(m *session.Multi) error { return m.Down("x", "b", 2) }, "acdbe"},
		{"down too far", func(m *session.Multi) error { return m.Down("x", "c", 9) }, "abdec"},
		{"down from the end", func(m *session.Multi) error { return m.Down("x", "e", 1) }, "abcde"},
		{"down by -2", func(m *session.Multi) error { return m.Down("x", "d", -2) }, "adbce"},
		{"down by the most", func(m *session.Multi) error {
			return m.Down("x", "b", math.MaxInt)
		}, "acdeb"},
		{"up by the most", func(m *session.Multi) error {
			return m.Up("x", "d", math.MaxInt)
		}, "dabce"},
		{"first", func(m *session.Multi) error { return m.First("x", "d") }, "dabce"},
		{"first is first", func(m *session.Multi) error { return m.First("x", "a") }, "abcde"},
		{"last", func(m *session.Multi) error { return m.Last("x", "b") }, "acdeb"},
		{"last is last", func(m *session.Multi) error { return m.Last("x", "e") }, "abcde"},
		{"swap", func(m *session.Multi) error { return m.Swap("x", "b", "e") }, "aecdb"},
		{"swap with self", func(m *session.Multi) error { return m.Swap("x", "b", "b") }, "abcde"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := fiveHandlers()
			if err := test.do(m); err != nil {
				t.Error(err)
			}
			if got := strings.Join(m.Names("x"), ""); got != test.want {
				t.Errorf("the order is %s, want %s", got, test.want)
			}
		})
	}
}

// In POE, a name that is not there stands for the first handler.
func TestMultiOrderOfUnknownHandler(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(m *session.Multi, event, handler string) error
	}{
		{"Up", func(m *session.Multi, event, h string) error { return m.Up(event, h, 1) }},
		{"Down", func(m *session.Multi, event, h string) error { return m.Down(event, h, 1) }},
		{"First", (*session.Multi).First},
		{"Last", (*session.Multi).Last},
		{"Remove", (*session.Multi).Remove},
		{"Swap", func(m *session.Multi, event, h string) error { return m.Swap(event, h, "a") }},
		{"Swap other", func(m *session.Multi, event, h string) error {
			return m.Swap(event, "a", h)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := fiveHandlers()
			for _, at := range []struct{ event, handler string }{{"x", "z"}, {"y", "a"}} {
				err := test.do(m, at.event, at.handler)
				if !errors.Is(err, kernel.ErrNoHandler) {
					t.Errorf("handler %q of %q: error %v, want %v",
						at.handler, at.event, err, kernel.ErrNoHandler)
				}
			}
			if got := m.Names("x"); !slices.Equal(got, []string{"a", "b", "c", "d", "e"}) {
				t.Errorf("the order is %q", got)
			}
		})
	}
}
