package pluggable_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/go-poe/poe/component/pluggable"
)

// The codes, alone and after each other. A plugin that is not there has the code of the last.
func TestEat(t *testing.T) {
	const none, client, plug, all = pluggable.EatNone, pluggable.EatClient, pluggable.EatPlugin,
		pluggable.EatAll
	tests := []struct {
		a, b  pluggable.Eat
		saw   string
		eaten bool
	}{
		{none, none, "abc", false},
		{none, client, "abc", true},
		{none, plug, "ab", false},
		{none, all, "ab", true},
		{client, none, "abc", true},
		{client, plug, "ab", true},
		{client, all, "ab", true},
		{plug, none, "a", false},
		{plug, all, "a", false},
		{all, none, "a", true},
	}
	for _, tt := range tests {
		h := newHost(t)
		for name, eat := range map[string]pluggable.Eat{"a": tt.a, "b": tt.b, "c": none} {
			h.must(h.Push(name, h.noting(name, func(*pluggable.Event) pluggable.Eat { return eat })))
		}
		for _, name := range []string{"a", "b", "c"} {
			if _, err := h.BumpDown(name, 9); err != nil {
				t.Fatal(err)
			}
		}
		h.ran = nil
		eaten := h.Process("EV", "go")
		saw := ""
		for _, name := range h.ran {
			saw += name
		}
		if saw != tt.saw || eaten != tt.eaten {
			t.Errorf("%v, %v: %q saw it, eaten %v, want %q and %v", tt.a, tt.b, saw, eaten, tt.saw, tt.eaten)
		}
	}
}

// The component is asked ahead of its plugins, and its codes count as theirs.
func TestSelf(t *testing.T) {
	for eat, want := range map[pluggable.Eat]string{
		pluggable.EatNone: "self plugin false", pluggable.EatClient: "self plugin true",
		pluggable.EatPlugin: "self false", pluggable.EatAll: "self true",
		pluggable.EatAll + 1: "error self plugin false",
	} {
		got := ""
		p := pluggable.New(pluggable.Options{
			Types: map[string]string{"EV": ""},
			Self: func(e *pluggable.Event) pluggable.Eat {
				got += "self "
				if e.Alias != "" || e.Method != "EV_go" {
					t.Errorf("%q, %q", e.Alias, e.Method)
				}
				return eat
			},
			Notify: func(n pluggable.Notice) {
				if n.Err == nil {
					return
				}
				if !errors.Is(n.Err, pluggable.ErrBadEat) || n.Plugin != nil ||
					n.Name != "pluggable_plugin_error" {
					t.Errorf("noticed %+v", n)
				}
				got = "error " + got
			},
		})
		x := &plugin{handle: func(*pluggable.Event) pluggable.Eat {
			got += "plugin "
			return pluggable.EatNone
		}}
		if err := p.Push("x", x); err != nil {
			t.Fatal(err)
		}
		if p.Process("EV", "pluggable_go") {
			got += "true"
		} else {
			got += "false"
		}
		if got != want {
			t.Errorf("%v: %q, want %q", eat, got, want)
		}
	}
}

// What a plugin does wrong is told, and is no more than if it had not been there.
func TestWrongPlugins(t *testing.T) {
	h := newHost(t)
	oops := errors.New("oops")
	h.must(h.Push("a", h.noting("a", func(*pluggable.Event) pluggable.Eat { panic(oops) })))
	h.must(h.Push("b", h.noting("b", func(*pluggable.Event) pluggable.Eat { return 77 })))
	h.must(h.Push("c", h.noting("c", func(e *pluggable.Event) pluggable.Eat {
		pluggable.Arg[int](e, 0)
		return pluggable.EatAll
	})))
	h.must(h.Push("d", h.noting("d", nil)))
	h.notices = nil
	if saw := h.process("text"); saw != "abcd" {
		t.Errorf("%q saw it", saw)
	}
	h.wantNotices(`error a: event "EV_go": panic: oops`,
		`error b: event "EV_go": Eat(77): pluggable: a handler returned what is no Eat`,
		`error c: event "EV_go": panic: event "EV_go": argument 0 is a string, and not a int`)
	p := &pluggable.Panic{Value: oops}
	if !errors.Is(p, oops) || errors.Is(&pluggable.Panic{Value: "text"}, oops) {
		t.Error("a Panic does not unwrap to its value")
	}
}

// Plugins see what those before them have changed, and so does the caller.
func TestArguments(t *testing.T) {
	h := newHost(t)
	change := func(e *pluggable.Event) pluggable.Eat {
		*pluggable.Arg[*string](e, 0) += "!"
		e.Args[1] = pluggable.Arg[int](e, 1) + 1
		return pluggable.EatNone
	}
	h.must(h.Push("a", h.noting("a", change)))
	h.must(h.Push("b", h.noting("b", change)))
	text, args := "hello", []any{nil, 5}
	args[0] = &text
	h.Process("EV", "go", args...)
	if text != "hello!!" || args[1] != 7 {
		t.Errorf("%q, %v", text, args[1])
	}
}

// Names are the same in any case, and with the prefix or without.
func TestRegister(t *testing.T) {
	h := newHost(t)
	h.must(h.Push("a", h.noting("a", nil)))
	h.must(h.Unregister("a", "EV", "all"))
	h.must(h.Register("a", "EV", "HOST_One", "two"))
	h.must(h.Register("a", "USER", "all"))
	saw := func(typ, name string) bool {
		h.ran = nil
		h.Process(typ, name)
		return len(h.ran) > 0
	}
	for _, tt := range []struct {
		typ, name string
		want      bool
	}{
		{"EV", "one", true}, {"EV", "Host_ONE", true}, {"EV", "host_two", true}, {"EV", "three", false},
		{"USER", "three", true},
	} {
		if got := saw(tt.typ, tt.name); got != tt.want {
			t.Errorf("%s %s: %v, want %v", tt.typ, tt.name, got, tt.want)
		}
	}
	if err := h.Unregister("a", "EV", "one", "three"); !errors.Is(err, pluggable.ErrNotRegistered) {
		t.Errorf("got %v", err)
	}
	if !saw("EV", "one") {
		t.Error("what failed has changed something")
	}
	h.must(h.Unregister("a", "EV", "host_one"))
	if saw("EV", "one") || !saw("EV", "two") {
		t.Error("one was not unregistered, or two was")
	}
	if err := h.Register("a", "OTHER", "all"); !errors.Is(err, pluggable.ErrUnknownType) {
		t.Errorf("got %v", err)
	}
	if err := h.Register("a", "EV"); !errors.Is(err, pluggable.ErrNotRegistered) {
		t.Errorf("got %v", err)
	}
}

// An event goes to those who are there when it begins, but for those who are removed meanwhile, and
// to each of them once. In POE a plugin that removes itself has the next one left out.
func TestChangesWhileProcessing(t *testing.T) {
	tests := []struct {
		name string
		do   func(h *host) error
		saw  string
		next string
	}{
		{"it removes itself", func(h *host) error { _, err := h.Remove("b"); return err },
			"abcde", "acde"},
		{"it removes the next", func(h *host) error { _, err := h.Remove("c"); return err },
			"abde", "abde"},
		{"it replaces the next", func(h *host) error { return h.Replace("c", "x", h.noting("x", nil)) },
			"abde", "abxde"},
		{"it adds one", func(h *host) error { return h.Push("x", h.noting("x", nil)) },
			"abcde", "abcdex"},
		{"it moves up", func(h *host) error { _, err := h.BumpUp("e", 9); return err }, "abcde", "eabcd"},
		{"it removes all", func(h *host) error { h.Close(); return nil }, "ab", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := full(t)
			done := false
			h.must(h.Replace("b", "b", h.noting("b", func(*pluggable.Event) pluggable.Eat {
				if !done {
					done = true
					h.must(tt.do(h))
				}
				return pluggable.EatNone
			})))
			if saw := h.process(); saw != tt.saw {
				t.Errorf("%q saw it, want %q", saw, tt.saw)
			}
			if saw := h.process(); saw != tt.next {
				t.Errorf("%q saw the next, want %q", saw, tt.next)
			}
		})
	}
}

func TestHandlers(t *testing.T) {
	var saw []string
	note := func(what string) func(e *pluggable.Event) pluggable.Eat {
		return func(e *pluggable.Event) pluggable.Eat {
			saw = append(saw, what+" "+e.Method)
			return pluggable.EatAll
		}
	}
	h := pluggable.Handlers{"S_hello": note("hello"), "_default": note("default")}
	h.PluginEvent(&pluggable.Event{Method: "S_hello"})
	h.PluginEvent(&pluggable.Event{Method: "S_other"})
	delete(h, "_default")
	if eat := h.PluginEvent(&pluggable.Event{Method: "S_other"}); eat != pluggable.EatNone {
		t.Errorf("ate %v", eat)
	}
	if want := []string{"hello S_hello", "default S_other"}; !slices.Equal(saw, want) {
		t.Errorf("saw %q, want %q", saw, want)
	}
}

func TestMistakes(t *testing.T) {
	h := newHost(t)
	for want, do := range map[string]func(){
		"pluggable: Options has no Types": func() { pluggable.New(pluggable.Options{}) },
		"pluggable: Options has a type without a name": func() {
			pluggable.New(pluggable.Options{Types: map[string]string{"": "S"}})
		},
		`pluggable: Process: the options have no type "OTHER"`: func() { h.Process("OTHER", "go") },
		"pluggable: Push without an alias or a plugin":         func() { h.Push("", &plugin{}) },
	} {
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("panic %v, want %q", got, want)
				}
			}()
			do()
		}()
	}
}
