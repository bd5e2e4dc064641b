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
// mailed, recipient, answeredRecipient, data, dataAnswered, moreText, gotChunk, final, quit,
// goodbye. Whatever goes wrong on the way leads to fail, and each reply comes by gotLine.
//
// The reply to the whole message is the verdict, and it counts only if the message was written to
// its end before that: a server that says yes too early has accepted nothing.
//
// POE: POE::Component::Client::SMTP.
package client
