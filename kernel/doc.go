// Package kernel delivers named events to sessions on a single goroutine, and watches time,
// handles, signals and child processes for them.
//
// A program is a set of sessions. A Session is something that handles events: it has a Handler, a
// place in a tree of sessions, and what it has asked the kernel for, such as alarms, aliases and
// handles to watch. As long as it has any of that, or somebody may still send it something, it
// lives; when nothing keeps it any more, the kernel stops it. When no session is left, Run returns.
//
//	k, err := kernel.New(kernel.Options{})
//	k.Create(session.Events{
//		kernel.Start: func(e *kernel.Event) { e.Session.Delay("tick", time.Second) },
//		"tick":       func(e *kernel.Event) { fmt.Println("tick") },
//	})
//	err = k.Run(ctx)
//
// # The order of events
//
// Events are delivered in the order of the time at which they are due, and then in the order in
// which they were sent. Post and Yield are due at once, and Delay of nothing is the same as Yield.
// An alarm in the past goes ahead of all that waits. A turn of the kernel first hands over the
// readiness of handles, each with a call, and then passes through the queue; what a handler posts
// during a pass waits for the next one. After each pass, the sessions that nothing keeps are
// stopped.
//
// # One goroutine
//
// Handlers run one at a time, on the goroutine that called Run, and must not block. Everything in
// this package is for that goroutine alone, with three exceptions, the doors: a Door takes events
// from any goroutine, Session.Work does slow work elsewhere and brings the result back as an
// event, and signals of the operating system come in by themselves.
//
// # Failure
//
// A handler that panics does not bring the kernel down. The panic becomes a signal, DIE, to the
// session and its ancestors; if none of them says that it is handled, the kernel stops all sessions
// and Run returns the panic as an *Exception.
//
// POE: POE::Kernel, and what POE::Session has in common with other kinds of session.
package kernel
