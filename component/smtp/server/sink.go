package server

import "github.com/go-poe/poe/kernel"

// A Sink is where messages go. Its methods, and those of its Messages, are called on the kernel's
// goroutine and must not block.
type Sink interface {
	// Begin is called when a client is about to send the text of a message. What takes time is work
	// of s, the session of the connection, which lasts as long as that work. The envelope is the
	// sink's to keep. With an error the client may not send the text; see Options about what it is
	// told.
	Begin(s *kernel.Session, env *Envelope) (Message, error)
}

// A Message takes the text of one message. After Begin come any number of Writes, and then either
// Commit or Abort, once. One thing is done at a time: the next call comes when the last one has
// called its done. Only Abort does not wait for that; what is under way then need not call done any
// more.
type Message interface {
	// Write takes the next piece of the text, and calls done, now or later, when it is ready for
	// more. Until then p is good. After an error comes Abort.
	Write(p []byte, done func(error))

	// Commit says that the text is complete. It calls done, now or later, when the message is
	// stored so that it outlasts whatever may happen, or when that has failed.
	Commit(done func(error))

	// Abort says that nothing more will come. The message leaves nothing behind.
	Abort()
}

// Discard is the Sink that accepts everything and keeps nothing.
type Discard struct{}

// Begin begins to drop a message.
func (Discard) Begin(*kernel.Session, *Envelope) (Message, error) { return discarded{}, nil }

type discarded struct{}

func (discarded) Write(_ []byte, done func(error)) { done(nil) }
func (discarded) Commit(done func(error))          { done(nil) }
func (discarded) Abort()                           {}
