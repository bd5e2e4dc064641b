// Package tcp has the two components that most network programs begin with: a Server, which gives
// each client a session of its own, and a Client, which connects, and connects again.
//
//	tcp.SpawnServer(k.Root(), tcp.ServerOptions{
//		Port:        "7",
//		ClientInput: func(c *tcp.Conn, in *wheel.Input) { c.Put(in.Bytes) },
//	})
//
// Both speak of streams, over TCP and over sockets of the unix kind. A connection is a Conn at
// either end: it is read and written by a wheel.ReadWrite, in records of a filter, and the options
// say what is done with them, by functions. These are called in the session of the connection, on
// the kernel's goroutine, and like all handlers they never wait. One session has one connection, so
// whatever such a function takes, an alarm for instance, belongs to that connection: Conn.Session
// takes it, and what the program wants to keep for the connection is in Conn.Heap.
//
// The order is the same at both ends. Connected comes first and once. Input comes while the
// connection is there. What went wrong, or io.EOF at the end of the input, comes by the function
// for errors. Then the wheel is closed, and at the very end Disconnected comes, once for each
// Connected, whatever it was that ended the connection: the peer, an error, Shutdown, Close, or the
// end of the session. It never comes from within a method of Conn.
//
// For TLS, PreConnect wraps the socket in a wheel.TLS.
//
// POE: POE::Component::Server::TCP, POE::Component::Client::TCP.
package tcp
