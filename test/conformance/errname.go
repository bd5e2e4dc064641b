package conformance

import (
	"errors"
	"io"
	"syscall"
)

// sentinels are the errors of the module that have the meaning of an errno. Sentinel fills it
// before the tests run.
var sentinels []sentinel

// A sentinel is one such error.
type sentinel struct {
	err    error
	symbol string
}

// Sentinel makes Errname return symbol for an error that is err. A group's test file calls it from
// its init function, for the errors of the packages that it tests.
func Sentinel(err error, symbol string) {
	if err == nil {
		panic("conformance: the sentinel of " + symbol + " is nil")
	}
	sentinels = append(sentinels, sentinel{err, symbol})
}

// Errname returns the symbol of an errno, such as ECONNREFUSED, for the error that has it: one
// given to Sentinel, or one with a syscall.Errno in it.
//
// It is none for nil and for io.EOF, since POE reports the end of input as error number 0, and
// unknown for every other error.
func Errname(err error) string {
	if err == nil {
		return "none"
	}
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			return s.symbol
		}
	}
	if errors.Is(err, io.EOF) {
		return "none"
	}
	if no, ok := errors.AsType[syscall.Errno](err); ok {
		if symbol, ok := symbols[no]; ok {
			return symbol
		}
	}
	return "unknown"
}

// symbols are the errors that a session on a POSIX system can meet.
var symbols = map[syscall.Errno]string{
	syscall.EACCES:        "EACCES",
	syscall.EADDRINUSE:    "EADDRINUSE",
	syscall.EADDRNOTAVAIL: "EADDRNOTAVAIL",
	syscall.EAFNOSUPPORT:  "EAFNOSUPPORT",
	syscall.EAGAIN:        "EAGAIN",
	syscall.EALREADY:      "EALREADY",
	syscall.EBADF:         "EBADF",
	syscall.ECHILD:        "ECHILD",
	syscall.ECONNABORTED:  "ECONNABORTED",
	syscall.ECONNREFUSED:  "ECONNREFUSED",
	syscall.ECONNRESET:    "ECONNRESET",
	syscall.EEXIST:        "EEXIST",
	syscall.EHOSTDOWN:     "EHOSTDOWN",
	syscall.EHOSTUNREACH:  "EHOSTUNREACH",
	syscall.EINPROGRESS:   "EINPROGRESS",
	syscall.EINTR:         "EINTR",
	syscall.EINVAL:        "EINVAL",
	syscall.EIO:           "EIO",
	syscall.EISCONN:       "EISCONN",
	syscall.EISDIR:        "EISDIR",
	syscall.EMFILE:        "EMFILE",
	syscall.EMSGSIZE:      "EMSGSIZE",
	syscall.ENAMETOOLONG:  "ENAMETOOLONG",
	syscall.ENETDOWN:      "ENETDOWN",
	syscall.ENETUNREACH:   "ENETUNREACH",
	syscall.ENFILE:        "ENFILE",
	syscall.ENOBUFS:       "ENOBUFS",
	syscall.ENOENT:        "ENOENT",
	syscall.ENOMEM:        "ENOMEM",
	syscall.ENOSPC:        "ENOSPC",
	syscall.ENOSYS:        "ENOSYS",
	syscall.ENOTCONN:      "ENOTCONN",
	syscall.ENOTDIR:       "ENOTDIR",
	syscall.ENOTSOCK:      "ENOTSOCK",
	syscall.EPERM:         "EPERM",
	syscall.EPIPE:         "EPIPE",
	syscall.ESPIPE:        "ESPIPE",
	syscall.ESRCH:         "ESRCH",
	syscall.ETIMEDOUT:     "ETIMEDOUT",
}
