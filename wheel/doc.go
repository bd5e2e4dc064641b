// Package wheel has the wheels: each lives in one session, hides the handles that it works with,
// and tells the session what happened by events whose names the session chose.
//
// SocketFactory makes connections, in either direction, ListenAccept accepts them at a socket that
// was there before, and ReadWrite turns what comes in on one into records, and records into what
// goes out, in plain text or, by a TLS handle over the handle, encrypted. Run does so with the
// streams of another program, and FollowTail with what is added to a file. ReadLine has a user edit
// lines at a terminal.
//
// A wheel acts for the session that made it, its owner, whoever calls its methods. Its work shows
// in a trace under events of its own. It keeps its owner alive until Close, and what it tells comes
// at once, by a call from the owner to itself, unless its documentation says otherwise. After Close
// nothing comes. A wheel that is open when its owner ends is closed then.
//
// POE: POE::Wheel.
package wheel
