// Package interop exchanges mail between the poe command and programs that others wrote: aiosmtpd,
// Python's smtplib, and the smtp-sink and smtp-source of Postfix; and with servers that misbehave
// on purpose.
//
// The tests have the build tag interop, build the command once, and know it only from outside: its
// arguments, its exit status, what it prints, and what arrives. On Debian they need the packages
// postfix and python3-aiosmtpd. With POE_BINARY set, they test that binary and build none.
package interop
