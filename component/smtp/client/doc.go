// Package client sends mail over SMTP, with events.
//
// Send sends one message, in a session of its own, and tells the session that asked how it went:
//
//	client.Send(e.Session, client.Message{
//		Server: "mx.example.org", From: "me@example.com", To: []string{"you@example.org"},
//		Body: text, ResultEvent: "sent",
//	})
//
// Spawn makes a session that stays, under an alias, and sends what is posted to it:
//
//	e.Session.Post(kernel.Alias("mail"), "send", &client.Message{ResultEvent: "sent", ...})
//
// The way of a message: Send, delivery.start, open, connect, connected, greeted, helloed, mail,
// mailed, recipient, data, text, moreText, final, accepted, quit.
//
// POE: POE::Component::Client::SMTP.
package client
