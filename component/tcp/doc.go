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
// With TLS, which is an option of both, Connected comes when the handshake is over, and Secured
// next, with what that has settled. A handshake that fails, or takes longer than HandshakeTimeout,
// costs no more than its own connection: a Server tells ClientError, a Client tells ConnectError,
// and there is neither Connected nor Disconnected. The same goes for any wheel.Layer that
// PreConnect returns. For TLS in the middle of a stream, Conn.Wheel has StartTLS; Secured says when
// that works, and the function for errors, with the operation "handshake", why it does not.
//
// POE: POE::Component::Server::TCP, POE::Component::Client::TCP.
package tcp
