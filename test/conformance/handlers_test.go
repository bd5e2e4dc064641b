package conformance

import (
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// The ports of the cases about handlers, Default, postbacks and options.
func init() {
	inBothWorlds("callback-sync", callbackSync)
	inBothWorlds("default-pack-args", defaultPacksArgs)
	inBothWorlds("object-package-states", objectPackageStates)
	inBothWorlds("postback-keepalive", postbackKeeps)
	inBothWorlds("state-add-remove", stateAddRemove)
	inBothWorlds("unknown-state-option-default", optionDefault)
}

// A closure of Perl's that goes out of scope is here one that is closed.
func callbackSync(p *program) {
	var cb *kernel.Callback
	call := func(args ...any) any { return valueOr(cb.Call(args...)) }
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "owner")
			cb = e.Session.Callback("sum", 10, 20)
			p.Out("own call", call(1))
		},
		"sum": func(e *kernel.Event) {
			given, called := kernel.Arg[[]any](e, 0), kernel.Arg[[]any](e, 1)
			t := 0
			for _, n := range slices.Concat(given, called) {
				t += n.(int)
			}
			p.Out("owner sum", Show(given), Show(called), "sender", p.who(e.Sender),
				"active", p.who(p.k.ActiveSession()))
			e.Result = t
		},
		kernel.Stop: p.stops("owner"),
	})
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "user")
			e.Session.Delay("use", ms(50))
		},
		"use": func(*kernel.Event) {
			p.Out("result", call(5, 6))
			var sorted []int
			for _, n := range []int{3, 1, 2} {
				sorted = append(sorted, call(n).(int))
			}
			slices.Sort(sorted)
			p.Out("used three times", Show(sorted))
			p.Out("active after", p.who(p.k.ActiveSession()))
			cb.Close()
			p.Out("dropped")
		},
		kernel.Stop: p.stops("user"),
	})
	p.run()
}

func defaultPacksArgs(p *program) {
	const d = kernel.Alias("D")
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "D")
			s := e.Session
			_ = s.AliasSet(d)
			s.Yield("known", 1)
			s.Yield("unknown", 1, "two", []int{3, 4})
			s.Yield("bare")
			s.Delay("timer", ms(20), "late")
			s.Create(session.Events{
				kernel.Start: p.starts("kid", func(e *kernel.Event) { e.Session.Yield("x") }),
				"x":          func(e *kernel.Event) { _ = e.Session.Post(d, "from_kid", "hi") },
				kernel.Stop:  func(e *kernel.Event) { e.Result = "kid-stop" },
			})
		},
		"known": func(e *kernel.Event) { p.Out("known", Show(e.Args)) },
		kernel.Default: func(e *kernel.Event) {
			args := slices.Clone(kernel.Arg[[]any](e, 1))
			for i, a := range args {
				if s, ok := a.(*kernel.Session); ok {
					args[i] = "(" + p.who(s) + ")"
				}
			}
			p.Out("_default", "STATE="+e.Name, "event", e.Args[0], "args", Show(args),
				"extra", len(e.Args)-2, "sender", p.who(e.Sender), "from", from(e))
		},
	})
	p.run()
}

// An animal is an object or, without a name, what stands for the package Animal.
type animal struct {
	*program
	class, name string
}

func (a *animal) desc() string {
	if a.name == "" {
		return "package " + a.class
	}
	return a.class + "(" + a.name + ")"
}

// Eat and Sleep are exported so that they can be looked up by name.
func (a *animal) Eat(e *kernel.Event) {
	a.Out(a.desc(), "eat as", e.Name, Show(e.Args[0]))
	e.Result = "ate"
}

func (a *animal) Sleep(e *kernel.Event) {
	a.Out(a.desc(), "sleep as", e.Name, Show(e.Args[0]))
	e.Result = "slept"
}

// A dog is an animal that eats in its own way.
type dog struct{ animal }

func (d *dog) Eat(e *kernel.Event) {
	d.Out(d.desc(), "wolfs as", e.Name, Show(e.Args[0]))
	e.Result = "wolfed"
}

// method returns the method of an object that has a name, and nil if none has. A program that knows
// its methods writes object.Method, and the compiler sees to the rest.
func method(object any, name string) kernel.HandlerFunc {
	m := reflect.ValueOf(object).MethodByName(name)
	if !m.IsValid() {
		return nil
	}
	return m.Interface().(func(*kernel.Event))
}

// What Perl refuses in words of its own is refused here with others; that it is, is what counts.
func objectPackageStates(p *program) {
	rex := &dog{animal{p, "Dog", "rex"}}
	tom := &animal{p, "Animal", "tom"}
	packageAnimal, packageDog := &animal{p, "Animal", ""}, &dog{animal{p, "Dog", ""}}
	events := []string{"eat", "sleep", "cat_eat", "nap", "pkg_eat", "dog_pkg_eat", "dog_pkg_sleep"}
	var object any // of an inline state: a function has none
	p.k.Create(session.Join(
		session.Events{"eat": rex.Eat, "sleep": rex.Sleep},
		session.Events{"cat_eat": tom.Eat, "nap": tom.Sleep},
		session.Events{"pkg_eat": packageAnimal.Eat},
		session.Events{"dog_pkg_eat": packageDog.Eat, "dog_pkg_sleep": packageDog.Sleep},
		session.Events{kernel.Start: func(e *kernel.Event) {
			p.Out("inline OBJECT", object)
			s := e.Session
			for _, name := range events {
				p.Out("->", valueOr(s.Call(s, name, name+"!")))
			}
			s.Yield("eat", "queued")
		}},
	))
	start := session.Events{kernel.Start: func(*kernel.Event) {}}
	for _, bad := range []struct {
		text   string // Perl's
		reason string // that is given here
		create func()
	}{
		{"object Dog does not have a 'bark' method", `event "bark" has no function`, func() {
			p.k.Create(session.Join(start, session.Events{"bark": method(rex, "Bark")}))
		}},
		{"package Dog does not have a 'bark' method", `event "x" has no function`, func() {
			p.k.Create(session.Join(start, session.Events{"x": method(packageDog, "Bark")}))
		}},
		{"inline state for '_start' needs a CODE reference", `"_start" has no function`, func() {
			p.k.Create(session.Events{kernel.Start: nil})
		}},
		{"unknown POE::Session parameter: nonsense", "reflect: ", func() {
			var opts kernel.CreateOptions
			reflect.ValueOf(&opts).Elem().FieldByName("Nonsense").Set(reflect.ValueOf(1))
			p.k.CreateWith(start, opts)
		}},
	} {
		err := refusal(bad.create)
		if err == nil || !strings.Contains(err.Error(), bad.reason) {
			p.T.Errorf("refused with %v, want %s", err, bad.reason)
			continue
		}
		p.Out("refused:", bad.text)
	}
	p.run()
}

func postbackKeeps(p *program) {
	var pb, pb2 *kernel.Postback
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "owner")
			pb = e.Session.Postback("answer", "tag", 7)
			pb2 = e.Session.Postback("answer")
		},
		"answer": func(e *kernel.Event) {
			p.Out("owner answer", Show(e.Args[0]), Show(e.Args[1]), "sender", p.who(e.Sender),
				"args", len(e.Args))
		},
		kernel.Stop: p.stops("owner"),
	})
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "user")
			e.Session.Delay("use", ms(50))
		},
		"use": func(e *kernel.Event) {
			p.Out("invoke returns", code(pb.Post("a", "b", []string{"c"})))
			p.Out("invoke again returns", code(pb.Post()))
			_ = pb2.Post("second")
			p.Out("user done for now")
			e.Session.Delay("drop", ms(50))
		},
		"drop": func(e *kernel.Event) {
			pb.Close()
			p.Out("first dropped")
			e.Session.Delay("drop2", ms(50))
		},
		"drop2": func(e *kernel.Event) {
			pb2.Close()
			p.Out("second dropped")
			e.Session.Delay("end", ms(50))
		},
		"end": func(*kernel.Event) { p.Out("user end") },
	})
	p.run()
}

// A poker is an object that counts how often it was poked.
type poker struct {
	*program
	n int
}

// Poke is exported so that it can be looked up by name.
func (h *poker) Poke(e *kernel.Event) {
	h.n++
	h.Out("helper poke", h.n, "STATE", e.Name, "arg", e.Args[0])
	e.Result = "poked" + Show(h.n)
}

func stateAddRemove(p *program) {
	h := &poker{program: p}
	// greet returns a handler that says which version it is.
	greet := func(version string) kernel.HandlerFunc {
		return func(e *kernel.Event) {
			p.Out("greet", version, e.Args[0])
			e.Result = version
		}
	}
	// run is a function of a package, which it is given the name of.
	run := func(class string) kernel.HandlerFunc {
		return func(e *kernel.Event) {
			p.Out("package", class, "OBJECT", class)
			e.Result = "ran"
		}
	}
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "S")
			s := e.Session
			state := func(what, name string, f kernel.HandlerFunc) {
				p.Out(what, code(refusal(func() { s.State(name, f) })))
			}
			call := func(name string, args ...any) any { return valueOr(s.Call(s, name, args...)) }

			state("add", "greet", greet("v1"))
			p.Out("call", call("greet", "x"))
			s.Yield("greet", "queued before the change")
			state("replace", "greet", greet("v2"))
			p.Out("call", call("greet", "y"))
			state("object method", "poke", h.Poke)
			state("object method under another name", "prod", h.Poke)
			p.Out("call", call("poke", 1), call("prod", 2))
			state("package method", "pk", run("Helper2"))
			p.Out("call", call("pk", 3))
			bad := refusal(func() { s.State("bad", mustMethod(h, "NoSuchMethod")) })
			outcome := "unexpected"
			if _, ok := errors.AsType[*reflect.ValueError](bad); ok {
				outcome = "refused"
			}
			p.Out("bad method", outcome)
			state("remove", "poke", nil)
			p.Out("call removed", call("poke", 9))
			state("remove unknown", "never_there", nil)
			s.Yield("self_remove", 1)
			s.Yield("self_remove", 2)
		},
		"self_remove": func(e *kernel.Event) {
			p.Out("self_remove", e.Args[0])
			e.Session.State("self_remove", nil)
		},
		kernel.Stop: p.stops("S"),
	})
	p.run()
}

// mustMethod is method, and panics where there is none: State takes nil for the wish to remove.
func mustMethod(object any, name string) kernel.HandlerFunc {
	return reflect.ValueOf(object).MethodByName(name).Interface().(func(*kernel.Event))
}

// unhandled is the kernel's warning of an event that nobody handles.
var unhandled = regexp.MustCompile(`^event "(.*)" was sent from session \d+ to session \d+, .*`)

// The kernel's warning is printed in the words of Perl's, in which the recorded program has
// replaced the place that sent the event, and the numbers of the sessions.
func optionDefault(p *program) {
	p.warned = func(text string) {
		p.Out("warning:", Show(unhandled.ReplaceAllString(text,
			"a '$1' event was sent from FILE at LINE to session N "+
				"but session N has neither a handler for it nor one for _default")))
	}
	p.k.CreateWith(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "O")
			s := e.Session
			p.Out("option default is", s.Option("default"))
			s.Yield("nope")
			s.Yield("off")
			s.Yield("nope_again")
			s.Yield("on")
		},
		"off": func(e *kernel.Event) {
			p.Out("set to off, old value", e.Session.SetOption("default", "off"))
			p.Out("now", e.Session.Option("default"))
		},
		"on": func(e *kernel.Event) {
			s := e.Session
			p.Out("set to yes, old value", s.SetOption("default", "yes"))
			p.Out("now", s.Option("default"))
			all := map[string]any{
				"default": s.SetOption("default", 1),
				"trace":   s.SetOption("trace", 0),
			}
			p.Out("two at once", Show(all))
			p.Out("remove", s.SetOption("default", nil), "then", s.Option("default"))
			s.SetOption("default", 1)
			_, _ = s.Call(s, "nope_called")
		},
		kernel.Stop: p.stops("O"),
	}, kernel.CreateOptions{Options: map[string]any{"default": 1}})
	p.run()
}
