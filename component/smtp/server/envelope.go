package server

import (
	"net"
	"time"

	"github.com/go-poe/poe/component/smtp"
)

// An Envelope is what the server knows of a message without its text.
type Envelope struct {
	// ID names the message in replies, logs and its Received line. It is a word of letters, digits
	// and dots. A server does not use one twice, not even after a restart.
	ID string

	Client   net.Addr  // where the connection comes from
	Hello    string    // what the client calls itself; that may be anything printable
	Extended bool      // the client said EHLO, not HELO
	Began    time.Time // when MAIL came

	From smtp.Mail   // the sender, and the parameters of MAIL
	To   []smtp.Rcpt // the recipients that were accepted, in their order
}

// A Received is a message that is stored.
type Received struct {
	Envelope
	Size int64 // octets of the text, as it was before its dots were doubled
}
