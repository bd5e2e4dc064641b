// Package v002 sends mail with the interface of version 0.02: one sender, one recipient, headers
// that are made of parameters, and two events with positions.
//
//	v002.Send(e.Session, v002.Message{
//		Server: "mx.example.org", Sender: "me@example.com", Recipient: "you@example.org",
//		Subject: "Dinner", Data: text,
//		SuccessEvent: "sent", FailureEvent: "not_sent",
//	})
//
// It is for programs that come from there. What it sends goes through package client, with that
// package's dialogue and its verdict; others use that package itself.
//
// POE: POE::Component::Client::SMTP 0.02, with what 0.04 to 0.06 added.
package v002
