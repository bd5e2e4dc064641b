package conformance

import (
	"errors"
	"strings"

	"github.com/go-poe/poe/component/pluggable"
)

// The ports of the cases about plugins. They need no kernel.
func init() {
	Register("pluggable-eat-codes", eatCodes)
	Register("pluggable-pipeline-bug", pipelineOrder)
}

// A plug is a plugin that prints what it sees, and lets others see it as it was told.
type plug struct {
	c    *Case
	name string
	eats map[string]pluggable.Eat // by the handler's name
	only []string                 // of the server's events; nil means all
	user bool                     // the user's, too
}

func (x *plug) PluginRegister(p *pluggable.Pipeline, alias string) error {
	x.c.Out(x.name, "register")
	only := x.only
	if only == nil {
		only = []string{"all"}
	}
	err := p.Register(alias, "SERVER", only...)
	if x.user {
		err = errors.Join(err, p.Register(alias, "USER", "all"))
	}
	return err
}

func (x *plug) PluginUnregister(*pluggable.Pipeline, string) { x.c.Out(x.name, "unregister") }

func (x *plug) PluginEvent(e *pluggable.Event) pluggable.Eat {
	words := []any{" ", x.name, e.Method}
	if len(e.Args) > 0 {
		text := pluggable.Arg[*string](e, 0)
		words = append(words, Show(*text))
		*text += "+" + x.name // plugins may change arguments
	}
	x.c.Out(words...)
	return x.eats[e.Method]
}

func eatCodes(c *Case) {
	selfish := pluggable.EatNone
	bot := pluggable.New(pluggable.Options{
		Prefix: "bot_",
		Types:  map[string]string{"SERVER": "S", "USER": "U"},
		Notify: func(n pluggable.Notice) { c.Out("event", n.Name, Show(n.Alias)) },
		Self: func(e *pluggable.Event) pluggable.Eat {
			if e.Method != "S_selfish" {
				return pluggable.EatNone
			}
			c.Out("bot S_selfish")
			return selfish
		},
	})
	push := func(x *plug) {
		x.c = c
		if err := bot.Push(x.name, x); err != nil {
			c.T.Error(err)
		}
	}
	fire := func(typ, event string, args ...any) {
		eaten := bot.Process(typ, event, args...)
		c.Out(typ, event, "->", either(eaten, "ALL", "NONE"),
			either(eaten, "(not sent to clients)", "(sent to clients)"))
	}
	push(&plug{name: "first", eats: map[string]pluggable.Eat{
		"S_client": pluggable.EatClient, "S_plugin": pluggable.EatPlugin, "S_all": pluggable.EatAll,
	}})
	push(&plug{name: "second", user: true, eats: map[string]pluggable.Eat{
		"S_late": pluggable.EatPlugin,
	}})
	push(&plug{name: "third", only: []string{"late", "client", "hello"}})
	text := "x"
	fire("SERVER", "bot_hello", &text)
	fire("SERVER", "other")
	fire("SERVER", "CLIENT")
	fire("SERVER", "plugin")
	fire("SERVER", "all")
	fire("SERVER", "late")
	fire("USER", "hello")
	for selfish = pluggable.EatNone; selfish <= pluggable.EatAll; selfish++ {
		fire("SERVER", "selfish")
	}
	if _, err := bot.Remove("second"); err != nil {
		c.T.Error(err)
	}
	fire("SERVER", "late")
	if text != "x+first+second+third" {
		c.T.Errorf("the argument is %q after all have changed it", text)
	}
}

// A step of a pipeline notes that it ran.
type stepPlugin struct {
	name   string
	failed func() error // how it registers instead
	ran    *strings.Builder
}

func (x *stepPlugin) PluginRegister(p *pluggable.Pipeline, alias string) error {
	if x.failed != nil {
		return x.failed()
	}
	return p.Register(alias, "EV", "go")
}

func (x *stepPlugin) PluginUnregister(*pluggable.Pipeline, string) {}

func (x *stepPlugin) PluginEvent(*pluggable.Event) pluggable.Eat {
	x.ran.WriteString(x.name)
	return pluggable.EatNone
}

func pipelineOrder(c *Case) {
	var ran strings.Builder
	verbose := false
	p := pluggable.New(pluggable.Options{
		Prefix: "h_",
		Types:  map[string]string{"EV": ""},
		Notify: func(n pluggable.Notice) {
			if !verbose {
				return
			}
			what := Show(n.Alias)
			if n.Err != nil {
				what = "for " + what
			}
			c.Out("event", n.Name, what)
		},
	})
	push := func(name string, failed func() error) any {
		err := p.Push(name, &stepPlugin{name: name, failed: failed, ran: &ran})
		return valueOr(p.Len(), err)
	}
	order := func(label string) {
		ran.Reset()
		p.Process("EV", "h_go")
		c.Out(label+":", ran.String())
	}
	for _, name := range strings.Split("abcde", "") {
		push(name, nil)
	}
	order("start")
	to, err := p.BumpUp("b", 3)
	c.Out("bump_up b by 3 returns", valueOr(to, err))
	order("b up 3")
	to, err = p.BumpDown("d", 9)
	c.Out("bump_down d by 9 returns", valueOr(to, err))
	order("d down 9")
	verbose = true
	c.Out("push of one that dies", push("r1", func() error { panic("cannot register") }))
	c.Out("push of one that returns false", push("r2", func() error { return errors.New("false") }))
	verbose = false
	order("they do not run")
	for _, name := range []string{"r1", "r2"} {
		_, err := p.Get(name)
		c.Out(name, "get", either(err == nil, "found", "undef"), "push again", push(name, nil))
	}
}
