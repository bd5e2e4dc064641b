// Package session has the kinds of sessions: Events, a table from the names of events to their
// handlers; Multi, where an event may have several; and NFA, a state machine with a table for each
// state.
//
// Each is a kernel.Handler, and becomes a session by Kernel.Create. What a session can do once it
// is there are the methods of kernel.Session.
//
// POE: POE::Session, POE::Session::MultiDispatch, POE::NFA.
package session
