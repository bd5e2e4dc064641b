package kernel

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Assert is a set of mistakes that panic, each of which otherwise returns an error or is ignored.
//
// POE: ASSERT_DATA and so on.
type Assert uint8

// The mistakes. Those that the types of Go rule out have no place here.
const (
	AssertData    Assert = 1 << iota // a session that is not there
	AssertRetvals                    // whatever returns an error of the kernel's
	AssertUsage                      // the kernel's own event names sent by hand
	AssertStates                     // an event that has no handler: a warning, not a panic
	AssertAll     = AssertData | AssertRetvals | AssertUsage | AssertStates
)

// Trace is a set of parts of the kernel's work that the log tells of.
//
// POE: TRACE_EVENTS and so on.
type Trace uint8

// The parts.
const (
	TraceEvents   Trace = 1 << iota // events queued and delivered
	TraceFiles                      // handles watched and forgotten
	TraceRefcnt                     // reference counts, and what keeps a session
	TraceRetvals                    // errors returned
	TraceSessions                   // sessions created and ended
	TraceSignals                    // signals queued and delivered
	TraceAll      = TraceEvents | TraceFiles | TraceRefcnt | TraceRetvals | TraceSessions |
		TraceSignals
)

var assertNames = map[string]Assert{
	"DATA": AssertData, "RETVALS": AssertRetvals, "USAGE": AssertUsage, "STATES": AssertStates,
	"DEFAULT": AssertAll, "EVENTS": 0, "FILES": 0,
}

var traceNames = map[string]Trace{
	"EVENTS": TraceEvents, "FILES": TraceFiles, "REFCNT": TraceRefcnt, "RETVALS": TraceRetvals,
	"SESSIONS": TraceSessions, "SIGNALS": TraceSignals, "DEFAULT": TraceAll,
}

// SetAssert changes the mistakes that panic.
func (k *Kernel) SetAssert(a Assert) { k.assert = a }

// SetTrace changes what the log tells of. A logger that was made by New shows it only if New was
// asked for some trace, too.
func (k *Kernel) SetTrace(t Trace) { k.trace = t }

// environment adds what the environment asks for to the traces and assertions, and opens the file
// that the trace goes to.
func (k *Kernel) environment(getenv func(string) string) error {
	for name, flag := range assertNames {
		if on(getenv("POE_ASSERT_" + name)) {
			k.assert |= flag
		}
	}
	for name, flag := range traceNames {
		if on(getenv("POE_TRACE_" + name)) {
			k.trace |= flag
		}
	}
	name := getenv("POE_TRACE_FILENAME")
	if name == "" || k.trace == 0 {
		return nil
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("kernel: POE_TRACE_FILENAME: %w", err)
	}
	k.log = logTo(f, zap.DebugLevel)
	return nil
}

func on(value string) bool {
	switch strings.ToLower(value) {
	case "", "0", "no", "off", "false":
		return false
	}
	return true
}

// stderr is the log of a kernel that was given none.
func (k *Kernel) stderr() *zap.Logger {
	level := zap.WarnLevel
	if k.trace != 0 {
		level = zap.DebugLevel
	}
	return logTo(os.Stderr, level)
}

func logTo(f *os.File, level zapcore.Level) *zap.Logger {
	encoder := zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig())
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(f), level))
}

func (k *Kernel) warnf(format string, args ...any) { k.log.Warn(fmt.Sprintf(format, args...)) }

// failed is what every method of the kernel returns an error through.
func (k *Kernel) failed(err error) error {
	if k.trace&TraceRetvals != 0 {
		k.log.Debug("<rv> "+err.Error(), zap.String("event", k.ActiveEvent()))
	}
	if k.assert&AssertRetvals != 0 {
		panic(err)
	}
	return err
}

func (k *Kernel) traceQueued(e *Event) {
	k.log.Debug("<ev> queued", zap.Uint64("seq", e.seq), zap.String("event", e.Name),
		zap.Stringer("from", e.Sender), zap.Stringer("to", e.Session), zap.Duration("due", e.due))
}

func (k *Kernel) traceDispatch(e *Event) {
	k.log.Info("<ev> dispatch", zap.String("event", e.Name), zap.Stringer("from", e.Sender),
		zap.Stringer("to", e.Session), zap.String("sender event", e.SenderEvent))
}

func (k *Kernel) traceSession(what string, s *Session) {
	k.log.Debug("<ss> "+what, zap.Stringer("session", s), zap.Stringer("parent", s.parent))
}

func (k *Kernel) traceSignal(what, name string, to *Session) {
	k.log.Debug("<sg> "+what, zap.String("signal", name), zap.Stringer("to", to))
}

func (k *Kernel) traceRefcount(s *Session, tag string, n int) {
	k.log.Debug("<rc> count", zap.Stringer("session", s), zap.String("tag", tag),
		zap.Int("count", n))
}

func (k *Kernel) traceFile(what string, s *Session, fd int, mode Mode) {
	k.log.Debug("<fh> "+what, zap.Stringer("session", s), zap.Int("fd", fd),
		zap.Stringer("mode", mode))
}

// Errno returns the number of the system's error that err stands for, or 0. It is what a program
// that was ported from Perl would look for in $!.
func Errno(err error) syscall.Errno {
	var errno syscall.Errno
	errors.As(err, &errno)
	return errno
}
