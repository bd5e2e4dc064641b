// Package smtp is the grammar of SMTP and LMTP: addresses, commands, replies and extensions, read
// and written, with nothing sent and nothing received. The client, the servers and their tests
// stand on it.
//
// What appends a command or a reply appends whole lines, each with its CRLF, ready for the wire.
// What reads one takes one line at a time without it. No value passes in either direction that has
// a line end, a NUL or another control character in it: a command is refused, and the text of a
// reply is made harmless when it is sent or shown.
//
// The limits of RFC 5321, section 4.5.3.1, and the few of our own are constants with names.
package smtp
