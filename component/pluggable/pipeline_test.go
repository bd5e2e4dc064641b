package pluggable_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/go-poe/poe/component/pluggable"
)

// A plugin does what the test tells it, and registers for the events of type EV that it is told,
// which are all of them if it is told none.
type plugin struct {
	name     string
	events   []string
	register func(p *pluggable.Pipeline) error
	leave    func(p *pluggable.Pipeline)
	handle   func(e *pluggable.Event) pluggable.Eat
}

func (x *plugin) PluginRegister(p *pluggable.Pipeline, alias string) error {
	if x.register != nil {
		if err := x.register(p); err != nil {
			return err
		}
	}
	events := x.events
	if events == nil {
		events = []string{"all"}
	}
	return p.Register(alias, "EV", events...)
}

func (x *plugin) PluginUnregister(p *pluggable.Pipeline, alias string) {
	if x.leave != nil {
		x.leave(p)
	}
}

func (x *plugin) PluginEvent(e *pluggable.Event) pluggable.Eat {
	if x.handle == nil {
		return pluggable.EatNone
	}
	return x.handle(e)
}

// A host is a component with a pipeline, which notes what it is told.
type host struct {
	*testing.T
	*pluggable.Pipeline
	notices []string
	ran     []string
}

func newHost(t *testing.T) *host {
	h := &host{T: t}
	h.Pipeline = pluggable.New(pluggable.Options{
		Prefix: "Host_",
		Types:  map[string]string{"EV": "", "USER": "U"},
		Notify: func(n pluggable.Notice) {
			line := strings.TrimPrefix(n.Name, "Host_plugin_") + " " + n.Alias
			if n.Err != nil {
				line += ": " + n.Err.Error()
			}
			h.notices = append(h.notices, line)
		},
	})
	return h
}

// noting returns a plugin that notes that it ran, and then does as it is told.
func (h *host) noting(name string, then func(e *pluggable.Event) pluggable.Eat) *plugin {
	return &plugin{name: name, handle: func(e *pluggable.Event) pluggable.Eat {
		h.ran = append(h.ran, name)
		if then == nil {
			return pluggable.EatNone
		}
		return then(e)
	}}
}

// full returns a host with plugins a to e.
func full(t *testing.T) *host {
	h := newHost(t)
	for _, name := range strings.Split("abcde", "") {
		h.must(h.Push(name, h.noting(name, nil)))
	}
	h.notices = nil
	return h
}

func (h *host) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// order returns the aliases in their order.
func (h *host) order() string {
	var all []string
	for alias := range h.All() {
		all = append(all, alias)
	}
	return strings.Join(all, "")
}

// process sends an event, and returns who saw it.
func (h *host) process(args ...any) string {
	h.ran = nil
	h.Process("EV", "host_go", args...)
	return strings.Join(h.ran, "")
}

func (h *host) wantNotices(want ...string) {
	h.Helper()
	if !slices.Equal(h.notices, want) {
		h.Errorf("noticed %q, want %q", h.notices, want)
	}
	h.notices = nil
}

// taken returns what Pop and Shift do, in one value.
func taken(alias string, x pluggable.Plugin, ok bool) (any, error) {
	if x.(*plugin).name != alias {
		return nil, fmt.Errorf("%s is another plugin", alias)
	}
	return fmt.Sprintf("%s %v", alias, ok), nil
}

func TestOrder(t *testing.T) {
	tests := []struct {
		name string
		do   func(h *host) (any, error)
		want string // the order, and what was returned
	}{
		{"Push", func(h *host) (any, error) { return nil, h.Push("x", h.noting("x", nil)) },
			"abcdex <nil>"},
		{"Unshift", func(h *host) (any, error) { return nil, h.Unshift("x", h.noting("x", nil)) },
			"xabcde <nil>"},
		{"InsertBefore", func(h *host) (any, error) {
			return nil, h.InsertBefore("c", "x", h.noting("x", nil))
		}, "abxcde <nil>"},
		{"InsertAfter", func(h *host) (any, error) {
			return nil, h.InsertAfter("c", "x", h.noting("x", nil))
		}, "abcxde <nil>"},
		{"InsertAfter the last", func(h *host) (any, error) {
			return nil, h.InsertAfter("e", "x", h.noting("x", nil))
		}, "abcdex <nil>"},
		{"Pop", func(h *host) (any, error) { return taken(h.Pop()) }, "abcd e true"},
		{"Shift", func(h *host) (any, error) { return taken(h.Shift()) }, "bcde a true"},
		{"Remove", func(h *host) (any, error) { x, err := h.Remove("c"); return x.(*plugin).name, err },
			"abde c"},
		{"Replace", func(h *host) (any, error) { return nil, h.Replace("c", "x", h.noting("x", nil)) },
			"abxde <nil>"},
		{"Index", func(h *host) (any, error) { return h.Index("d") }, "abcde 3"},
		{"BumpUp", func(h *host) (any, error) { return h.BumpUp("d", 1) }, "abdce 2"},
		{"BumpUp by 0", func(h *host) (any, error) { return h.BumpUp("d", 0) }, "abcde 3"},
		{"BumpUp beyond the first", func(h *host) (any, error) { return h.BumpUp("d", 9) }, "dabce 0"},
		{"BumpUp by much", func(h *host) (any, error) { return h.BumpUp("d", math.MaxInt) }, "dabce 0"},
		{"BumpUp below 0", func(h *host) (any, error) { return h.BumpUp("b", -2) }, "acdbe 3"},
		{"BumpUp far below 0", func(h *host) (any, error) { return h.BumpUp("b", math.MinInt) },
			"acdeb 4"},
		{"BumpDown", func(h *host) (any, error) { return h.BumpDown("b", 2) }, "acdbe 3"},
		{"BumpDown beyond the last", func(h *host) (any, error) { return h.BumpDown("b", 9) }, "acdeb 4"},
		{"BumpDown by much", func(h *host) (any, error) { return h.BumpDown("b", math.MaxInt) },
			"acdeb 4"},
		{"BumpDown far below 0", func(h *host) (any, error) { return h.BumpDown("d", math.MinInt) },
			"dabce 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := full(t)
			result, err := tt.do(h)
			h.must(err)
			if got := fmt.Sprintf("%s %v", h.order(), result); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got := h.process(); got != h.order() {
				t.Errorf("the event went to %q, and the order is %q", got, h.order())
			}
		})
	}
}

// Whoever is not there cannot be found, moved or replaced, and nothing changes.
func TestUnknownAlias(t *testing.T) {
	h := full(t)
	x := h.noting("x", nil)
	x.register = func(*pluggable.Pipeline) error {
		t.Error("it was asked to register")
		return nil
	}
	for name, do := range map[string]func() error{
		"Get":          func() error { _, err := h.Get("?"); return err },
		"Index":        func() error { _, err := h.Index("?"); return err },
		"Remove":       func() error { _, err := h.Remove("?"); return err },
		"Replace":      func() error { return h.Replace("?", "x", x) },
		"InsertBefore": func() error { return h.InsertBefore("?", "x", x) },
		"InsertAfter":  func() error { return h.InsertAfter("?", "x", x) },
		"BumpUp":       func() error { _, err := h.BumpUp("?", 1); return err },
		"BumpDown":     func() error { _, err := h.BumpDown("?", 1); return err },
		"Register":     func() error { return h.Register("?", "EV", "all") },
		"Unregister":   func() error { return h.Unregister("?", "EV", "all") },
	} {
		if err := do(); !errors.Is(err, pluggable.ErrNoPlugin) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, do := range map[string]func() error{
		"Push":         func() error { return h.Push("a", x) },
		"Unshift":      func() error { return h.Unshift("a", x) },
		"Replace":      func() error { return h.Replace("b", "a", x) },
		"InsertBefore": func() error { return h.InsertBefore("b", "a", x) },
	} {
		if err := do(); !errors.Is(err, pluggable.ErrAliasTaken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.wantNotices()
	if h.order() != "abcde" || h.Len() != 5 {
		t.Errorf("the order is %q", h.order())
	}
}

// Who cannot register leaves nothing behind: not the alias, not a notice that it was added, and,
// where it was to take the place of another, not that one's.
func TestFailedRegistration(t *testing.T) {
	oops := errors.New("oops")
	fails := map[string]func(p *pluggable.Pipeline) error{
		"returns an error": func(*pluggable.Pipeline) error { return oops },
		"panics":           func(*pluggable.Pipeline) error { panic(oops) },
		"registers first": func(p *pluggable.Pipeline) error {
			return errors.Join(p.Register("x", "EV", "all"), oops)
		},
	}
	adds := map[string]func(h *host, x *plugin) error{
		"Push":    func(h *host, x *plugin) error { return h.Push("x", x) },
		"Replace": func(h *host, x *plugin) error { return h.Replace("c", "x", x) },
	}
	for how, register := range fails {
		for name, add := range adds {
			t.Run(name+" "+how, func(t *testing.T) {
				h := full(t)
				x := h.noting("x", nil)
				x.register = register
				if err := add(h, x); !errors.Is(err, oops) {
					t.Errorf("got %v", err)
				}
				if len(h.notices) != 1 || !strings.HasPrefix(h.notices[0], "error x: ") {
					t.Errorf("noticed %q", h.notices)
				}
				if got := h.process(); got != "abcde" {
					t.Errorf("the event went to %q", got)
				}
				x.register = nil
				h.must(add(h, x))
				if _, err := h.Get("x"); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestNotices(t *testing.T) {
	h := newHost(t)
	x := &plugin{events: []string{"go"}}
	h.must(h.Push("x", x))
	h.wantNotices("add x")
	h.must(h.Replace("x", "x", &plugin{}))
	h.wantNotices("del x", "add x")
	if got, err := h.Get("x"); got == x || err != nil {
		t.Errorf("x is %v, %v", got, err)
	}
	h.must(h.Replace("x", "y", &plugin{leave: func(*pluggable.Pipeline) { panic("oops") }}))
	h.wantNotices("del x", "add y")
	if _, err := h.Remove("y"); err != nil {
		t.Error(err)
	}
	h.wantNotices(`error y: plugin "y" cannot unregister: panic: oops`, "del y")
	if _, _, ok := h.Pop(); ok {
		t.Error("there was one left")
	}
}

func TestClose(t *testing.T) {
	h := full(t)
	h.must(h.Push("f", &plugin{leave: func(p *pluggable.Pipeline) {
		h.must(p.Push("again", h.noting("again", nil)))
	}}))
	h.notices = nil
	h.Close()
	h.wantNotices("add again", "del f", "del again", "del e", "del d", "del c", "del b")
	h.Close()
	if h.Len() != 0 {
		t.Errorf("%d are left", h.Len())
	}
}

// A plugin that changes the pipeline while it registers finds its place all the same, or none.
func TestChangesWhileRegistering(t *testing.T) {
	h := full(t)
	x := h.noting("x", nil)
	x.register = func(p *pluggable.Pipeline) error {
		_, err := p.BumpUp("c", 2)
		return err
	}
	h.must(h.InsertAfter("c", "x", x))
	if got := h.order(); got != "cxabde" {
		t.Errorf("the order is %q", got)
	}
	left := 0
	for _, do := range []func(y *plugin) error{
		func(y *plugin) error { return h.InsertBefore("a", "y", y) },
		func(y *plugin) error { return h.Replace("b", "y", y) },
	} {
		y := h.noting("y", nil)
		y.register = func(p *pluggable.Pipeline) error {
			for _, gone := range []string{"a", "b"} {
				p.Remove(gone)
			}
			return nil
		}
		y.leave = func(*pluggable.Pipeline) { left++ }
		if err := do(y); !errors.Is(err, pluggable.ErrNoPlugin) {
			t.Errorf("got %v", err)
		}
		h.must(h.Push("a", h.noting("a", nil)))
		h.must(h.Push("b", h.noting("b", nil)))
	}
	if left != 2 {
		t.Errorf("unregistered %d times, want 2", left)
	}
	for _, do := range []func(z *plugin) error{
		func(z *plugin) error { return h.Push("z", z) },
		func(z *plugin) error { return h.Replace("a", "z", z) },
	} {
		z := h.noting("z", nil)
		z.register = func(p *pluggable.Pipeline) error {
			return p.Push("z", h.noting("other", nil))
		}
		if err := do(z); !errors.Is(err, pluggable.ErrAliasTaken) {
			t.Errorf("got %v", err)
		}
		h.Remove("z")
	}
}

// A plugin that is replaced may take the new one along. That was never told to be there, so it is
// not told to be gone.
func TestReplacedTakesTheNewOneAlong(t *testing.T) {
	h := newHost(t)
	old := h.noting("old", nil)
	old.leave = func(p *pluggable.Pipeline) { p.Remove("new") }
	h.must(h.Push("old", old))
	h.must(h.Replace("old", "new", h.noting("new", nil)))
	h.wantNotices("add old", "del old")
	if n := h.Len(); n != 0 {
		t.Errorf("%d plugins are left", n)
	}
}
