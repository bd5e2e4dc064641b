package client

import (
	"errors"

	"github.com/go-poe/poe/kernel"
)

// ErrNoOwner is why a message is not sent for the kernel's root: nobody would learn what became of
// it.
var ErrNoOwner = errors.New("smtp client: called outside of any session")

// Send sends one message, and has owner told what became of it. It returns the session that does
// it, which is a child of owner, and keeps it alive until then. Nothing has happened when Send
// returns: all failures but ErrNoOwner come as events, also those of m itself.
//
// POE: POE::Component::Client::SMTP->send.
func Send(owner *kernel.Session, m Message) (*kernel.Session, error) {
	if owner == owner.Kernel().Root() {
		return nil, ErrNoOwner
	}
	return owner.Create(connEvents.Of(newConn(nil, newDelivery(owner, &m, &Message{})))), nil
}
