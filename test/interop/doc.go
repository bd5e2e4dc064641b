// Package interop exchanges mail with programs that others wrote.
//
// The client package sends to Postfix, Exim, OpenSMTPD, aiosmtpd and Dovecot's LMTP, in each of the
// ways in which a program can use it, with every extension that the server offers. What arrives is
// compared byte for byte, and what the server noted of the connection is compared too. These
// servers have folders and ports of their own, and end with the test, however that ends.
//
// The poe command is known only from outside: its arguments, its exit status, what it prints, and
// what arrives. It exchanges mail with aiosmtpd, Python's smtplib, and the smtp-sink and
// smtp-source of Postfix; and with servers that misbehave on purpose. The tests build it once. With
// POE_BINARY set, they test that binary and build none.
//
// The tests have the build tag interop. They need Debian, root, since the servers change to users
// of their own, and what .ci/install installs.
package interop
