package pluggable

import "fmt"

// A Plugin takes part in what a component does with its events.
type Plugin interface {
	// PluginRegister is called when the plugin is about to be added under an alias. It says by
	// Pipeline.Register what the plugin wants to see. If it returns an error, or panics, the plugin
	// is not added.
	//
	// POE: plugin_register.
	PluginRegister(p *Pipeline, alias string) error

	// PluginUnregister is called when the plugin is being removed.
	//
	// POE: plugin_unregister.
	PluginUnregister(p *Pipeline, alias string)

	// PluginEvent handles an event, and says who shall not see it. If it panics, the pipeline tells
	// so and goes on.
	//
	// POE: a method for each event, or _default.
	PluginEvent(e *Event) Eat
}

// An Eat says who does not get to see an event.
//
// POE: PLUGIN_EAT_NONE and so on.
type Eat uint8

// All of them.
const (
	EatNone   Eat = iota // everybody sees it
	EatClient            // the plugins behind this one see it, but not the clients
	EatPlugin            // the plugins behind this one do not, but the clients do
	EatAll               // nobody else sees it
)

// String returns the name as POE has it.
func (x Eat) String() string {
	switch x {
	case EatNone:
		return "NONE"
	case EatClient:
		return "CLIENT"
	case EatPlugin:
		return "PLUGIN"
	case EatAll:
		return "ALL"
	default:
		return fmt.Sprintf("Eat(%d)", uint8(x))
	}
}

// An Event is on its way through a pipeline. It is good until PluginEvent returns.
type Event struct {
	Pipeline *Pipeline
	Type     string // one of Options.Types
	Name     string // in lower case, without Options.Prefix
	Method   string // the prefix of the type, "_", and Name: what the handler is called in POE
	Alias    string // of the plugin that has it now; empty for Options.Self

	// Args are what was given to Process. What a plugin changes through a pointer among them is
	// changed for those behind it and for the component; so is an element that it replaces.
	Args []any
}

// Arg returns the i-th argument, from 0. A component that passed another type, or too few, is
// none that the plugin was made for, so Arg panics, and says which event, which argument and which
// types.
func Arg[T any](e *Event, i int) T {
	var got any
	if i < len(e.Args) {
		got = e.Args[i]
	}
	arg, ok := got.(T)
	if !ok {
		panic(fmt.Sprintf("event %q: argument %d is a %T, and not a %T", e.Method, i, got, arg))
	}
	return arg
}

// Handlers is a plugin as a table: for each event's Method, the function that handles it. It
// registers for no events: a type that embeds it does that. What has no function goes to the one
// for "_default", if there is one.
type Handlers map[string]func(e *Event) Eat

// PluginEvent calls the function for the event's Method.
func (t Handlers) PluginEvent(e *Event) Eat {
	f := t[e.Method]
	if f == nil {
		f = t["_default"]
	}
	if f == nil {
		return EatNone
	}
	return f(e)
}
