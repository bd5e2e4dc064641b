package main

import "fmt"

// The exit statuses, after sysexits.h.
const (
	exitOK          = 0
	exitUsage       = 64  // EX_USAGE: the command line is wrong
	exitData        = 65  // EX_DATAERR: the message, or an address, cannot be sent as it is
	exitNoInput     = 66  // EX_NOINPUT: the message cannot be read
	exitNoHost      = 68  // EX_NOHOST: there is no host of that name
	exitUnavailable = 69  // EX_UNAVAILABLE: refused for good; or the address cannot be listened at
	exitSoftware    = 70  // EX_SOFTWARE: something went otherwise than it should
	exitCantCreate  = 73  // EX_CANTCREAT: the Maildir, or the log, cannot be made
	exitOutput      = 74  // EX_IOERR: all is done, but what is to be printed cannot be
	exitTempFail    = 75  // EX_TEMPFAIL: it may work later
	exitProtocol    = 76  // EX_PROTOCOL: the server does not speak SMTP
	exitNoPerm      = 77  // EX_NOPERM: the server wants another user, or another password
	exitConfig      = 78  // EX_CONFIG: the file of accounts is wrong
	exitInterrupted = 130 // as a shell has it for SIGINT
)

// A failure is an error with an exit status. Any other error of a command is one of usage.
type failure struct {
	status int
	err    error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// fail makes a failure of an error.
func fail(status int, err error) error { return &failure{status, err} }

// failf makes a failure of a text, as fmt.Errorf does an error.
func failf(status int, format string, args ...any) error {
	return &failure{status, fmt.Errorf(format, args...)}
}
