package pluggable

import (
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
)

// Options are the options of a Pipeline. Types has no default.
type Options struct {
	// Types are the types of events that there are, each with the prefix of its handlers. An empty
	// prefix means the name of the type.
	Types map[string]string

	Prefix string // of the names of events, which plugins see without it; empty means "pluggable_"

	// Self is the component's own handler, which is asked ahead of all plugins, about every event.
	Self func(e *Event) Eat

	// Notify learns what happens to the plugins. nil means nobody.
	//
	// POE: _pluggable_event.
	Notify func(n Notice)
}

// The names of notices, behind Options.Prefix.
const (
	PluginAdd   = "plugin_add"   // a plugin was added
	PluginDel   = "plugin_del"   // a plugin was removed
	PluginError = "plugin_error" // a plugin did something wrong; Err says what
)

// A Notice says what happened to a plugin.
type Notice struct {
	Name   string // Options.Prefix and PluginAdd, PluginDel or PluginError
	Alias  string // empty for Options.Self
	Plugin Plugin // nil for Options.Self
	Err    error
}

// What can go wrong with a request to a Pipeline.
var (
	ErrAliasTaken    = errors.New("pluggable: alias is taken")
	ErrNoPlugin      = errors.New("pluggable: no such plugin")
	ErrUnknownType   = errors.New("pluggable: no such type of events")
	ErrNotRegistered = errors.New("pluggable: not registered for the event")
	ErrBadEat        = errors.New("pluggable: a handler returned what is no Eat")
)

// A Panic is what a plugin panicked with, as an error.
type Panic struct {
	Value any
	Stack []byte // where the plugin was
}

// Error says what it panicked with.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Unwrap returns what it panicked with, if that is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// all stands for every event of a type.
const all = "all"

// Register has the plugin of that alias see events of a type: those of the names, which may have
// the prefix and are the same in any case, or every one for "all". What it sees already makes no
// difference. It returns ErrNoPlugin, ErrUnknownType, or, without a name, ErrNotRegistered.
//
// POE: plugin_register of the pluggable object.
func (p *Pipeline) Register(alias, typ string, events ...string) error {
	x, err := p.registering(alias, typ, events)
	if err != nil {
		return err
	}
	if x.wants[typ] == nil {
		x.wants[typ] = make(map[string]bool)
	}
	for _, event := range events {
		x.wants[typ][p.plain(event)] = true
	}
	return nil
}

// Unregister is the reverse of Register. A name for which the plugin is not registered is
// ErrNotRegistered, and then nothing has changed. Who is registered for "all" cannot take single
// names out of that.
//
// POE: plugin_unregister of the pluggable object.
func (p *Pipeline) Unregister(alias, typ string, events ...string) error {
	x, err := p.registering(alias, typ, events)
	if err != nil {
		return err
	}
	for _, event := range events {
		if !x.wants[typ][p.plain(event)] {
			return fmt.Errorf("plugin %q, %s %q: %w", alias, typ, event, ErrNotRegistered)
		}
	}
	for _, event := range events {
		delete(x.wants[typ], p.plain(event))
	}
	return nil
}

func (p *Pipeline) registering(alias, typ string, events []string) (*entry, error) {
	x := p.find(alias)
	if p.adding != nil && p.adding.alias == alias {
		x = p.adding // it may take the place of the other
	}
	_, known := p.opts.Types[typ]
	switch {
	case x == nil:
		return nil, fmt.Errorf("plugin %q: %w", alias, ErrNoPlugin)
	case !known:
		return nil, fmt.Errorf("type %q: %w", typ, ErrUnknownType)
	case len(events) == 0:
		return nil, fmt.Errorf("plugin %q, %s: no event: %w", alias, typ, ErrNotRegistered)
	}
	return x, nil
}

// plain returns an event's name as plugins see it.
func (p *Pipeline) plain(name string) string {
	return strings.TrimPrefix(strings.ToLower(name), strings.ToLower(p.opts.Prefix))
}

// Process runs an event through the pipeline: Options.Self is asked first, and then, in their
// order, the plugins that are registered for it. It reports whether the event was eaten, so that
// clients must not see it. It panics for a type that Options does not have.
//
// Plugins may be added, removed and moved meanwhile. One that is added does not see this event any
// more, nor does one that is removed, and the others see it once.
//
// POE: _pluggable_process.
func (p *Pipeline) Process(typ, name string, args ...any) (eaten bool) {
	prefix, ok := p.opts.Types[typ]
	if !ok {
		panic(fmt.Sprintf("pluggable: Process: the options have no type %q", typ))
	}
	if prefix == "" {
		prefix = typ
	}
	plain := p.plain(name)
	e := &Event{Pipeline: p, Type: typ, Name: plain, Method: prefix + "_" + plain, Args: args}
	if p.opts.Self != nil {
		eat, err := p.ask(e, p.opts.Self)
		if err != nil {
			p.wrong(e, nil, err)
		}
		eaten = eat == EatClient || eat == EatAll
		if eat == EatPlugin || eat == EatAll {
			return eaten
		}
	}
	for _, x := range p.entries { // the slice is replaced, and never changed
		if x.removed || !x.wants[typ][plain] && !x.wants[typ][all] {
			continue
		}
		e.Alias = x.alias
		eat, err := p.ask(e, x.plugin.PluginEvent)
		if err != nil {
			p.wrong(e, x, err)
		}
		eaten = eaten || eat == EatClient || eat == EatAll
		if eat == EatPlugin || eat == EatAll {
			return eaten
		}
	}
	return eaten
}

// ask calls a handler. What it must not do counts as EatNone, with an error.
func (p *Pipeline) ask(e *Event, handler func(e *Event) Eat) (eat Eat, err error) {
	err = isolate(func() error {
		eat = handler(e)
		if eat > EatAll {
			return fmt.Errorf("%v: %w", eat, ErrBadEat)
		}
		return nil
	})
	if err != nil {
		return EatNone, err
	}
	return eat, nil
}

// wrong tells what a handler did wrong.
func (p *Pipeline) wrong(e *Event, x *entry, err error) {
	p.notify(PluginError, x, fmt.Errorf("event %q: %w", e.Method, err))
}

// isolate calls f, and makes an error of what it panics with.
func isolate(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Panic{Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}

// notify tells the component.
func (p *Pipeline) notify(what string, x *entry, err error) {
	if p.opts.Notify == nil {
		return
	}
	n := Notice{Name: p.opts.Prefix + what, Err: err}
	if x != nil {
		n.Alias, n.Plugin = x.alias, x.plugin
	}
	p.opts.Notify(n)
}

// check panics if the programmer made a mistake, and fills in what was left out.
func (o *Options) check() {
	if len(o.Types) == 0 {
		panic("pluggable: Options has no Types")
	}
	if slices.Contains(slices.Collect(maps.Keys(o.Types)), "") {
		panic("pluggable: Options has a type without a name")
	}
	o.Types = maps.Clone(o.Types)
	if o.Prefix == "" {
		o.Prefix = "pluggable_"
	}
}
