// Package server receives mail over SMTP, with events.
//
// Spawn makes a session that listens, and each client gets a session of its own, a child of that
// one:
//
//	server.Spawn(e.Session, server.Options{
//		Address: "127.0.0.1", Port: "2525", Hostname: "mx.example.org",
//		Sink: maildir, MessageEvent: "got_mail",
//	})
//
// Where the messages go is the Sink's: Maildir stores them, Memory hands them to a session, Discard
// drops them. A message is never held as a whole. Its text goes to the sink in pieces, and while
// the sink is busy with one, nothing more is read from the client. The client is told that its
// message is accepted when the sink says that it is stored, and not before.
//
// The way of a message: server.accept, conn.start, gotCommand, mail, rcpt, data, gotText,
// text.take, text.end, text.stored, text.finish.
//
// The dialogue is RFC 5321's, with PIPELINING (RFC 2920), 8BITMIME (RFC 6152), SIZE (RFC 1870),
// ENHANCEDSTATUSCODES (RFC 2034) and SMTPUTF8 (RFC 6531). Whatever a client sends costs a bounded
// amount of memory; what is bounded, and how, is in Options.
//
// POE: POE::Component::Server::SMTP.
package server
