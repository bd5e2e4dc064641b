// Package pluggable lets others change what a component does. The component runs each event
// through a pipeline of plugins, before its clients see it, and each plugin may look at the event,
// change its arguments, and keep it from the plugins behind it, from the clients, or from both.
//
// A component has a Pipeline, and two kinds of events mostly: those that come from outside, and the
// commands of its clients:
//
//	plugins := pluggable.New(pluggable.Options{
//		Prefix: "bot_",
//		Types:  map[string]string{"SERVER": "S", "USER": "U"},
//	})
//	...
//	if !plugins.Process("SERVER", "bot_message", &text) {
//		e.Session.Post(client, "bot_message", text)
//	}
//
// It needs no kernel, and is for one goroutine.
//
// POE: POE::Component::Pluggable.
package pluggable
