package client

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/wheel"
)

// A Stage is how far a delivery has come: what it waits for, or did when it failed.
type Stage string

// The stages, in their order. After some of them a message never fails: see Result.
const (
	StageConfigure Stage = "configure" // nothing is sent: the message itself cannot be
	StageConnect   Stage = "connect"
	StageGreeting  Stage = "greeting"
	StageHello     Stage = "hello" // HELO, EHLO, LHLO or XCLIENT
	StageTLS       Stage = "tls"   // STARTTLS, and the handshake
	StageAuth      Stage = "auth"
	StageMail      Stage = "mail"
	StageRcpt      Stage = "rcpt"
	StageData      Stage = "data"  // DATA, or BDAT before the last
	StageText      Stage = "text"  // the message is being sent
	StageFinal     Stage = "final" // the message is sent, and the server has it or not
	StageQuit      Stage = "quit"
)

// A Kind is what kind of thing went wrong.
type Kind string

// The kinds. Their values are the keys of the reason in a FailureEvent.
const (
	ServerError Kind = "SMTP_Server_Error"         // the server refused, or spoke nonsense
	TimedOut    Kind = "Timeout"                   // nothing happened for too long
	NoConnect   Kind = "POE::Wheel::SocketFactory" // there is no connection
	Lost        Kind = "POE::Wheel::ReadWrite"     // the connection was lost, or the file
	NotSecure   Kind = "TLS"                       // the connection could not be secured as asked
	Configure   Kind = "Configure"                 // the message cannot be sent as it is
	NoFile      Kind = "MessageFile_Error"         // MessageFile cannot be opened
	ShutDown    Kind = "Shutdown"                  // the client was told to stop
)

// A Result is what became of a message: each recipient has one outcome.
//
// The server's reply to the whole message decides, and nothing that happens after it. Only with
// Compat it is the reply to QUIT.
type Result struct {
	Message    *Message // as it was sent, with its defaults; it is for reading only
	Recipients []Recipient
	Reply      *smtp.Reply          // to the message; nil if it did not come to that
	Err        *Failure             // why nobody got the message; nil if anybody did
	TLS        *tls.ConnectionState // of the last connection; nil if it was plain, or there was none
	Tries      int                  // how often the message was sent, or was to be
	Log        []string             // nil unless TransactionLog asked for it and something was said
	Took       time.Duration        // from the start to the result
}

// OK reports whether all recipients were accepted.
func (r *Result) OK() bool {
	for _, to := range r.Recipients {
		if to.Verdict != Accepted {
			return false
		}
	}
	return r.Err == nil
}

// reached reports whether anybody has the message.
func (r *Result) reached() bool {
	return slices.ContainsFunc(r.Recipients, func(to Recipient) bool { return to.Verdict == Accepted })
}

// A Verdict is what became of a message for one recipient.
type Verdict int

// The verdicts.
const (
	Deferred Verdict = iota // nothing is decided: it may be tried again later
	Refused                 // for good
	Accepted                // the server has it, and is responsible now
)

// String returns "deferred", "refused" or "accepted".
func (v Verdict) String() string {
	switch v {
	case Accepted:
		return "accepted"
	case Refused:
		return "refused"
	}
	return "deferred"
}

// A Recipient is what became of one recipient.
type Recipient struct {
	Address string
	Verdict Verdict
	Stage   Stage // at which that was decided

	// Reply is the one that decided, and nil if it was none that did. Of a recipient who is
	// accepted it is the one to RCPT, and with LMTP the one to the text.
	Reply *smtp.Reply

	taken bool // the server takes the text for this recipient
}

// A Failure is the reason why a message was not accepted.
type Failure struct {
	Kind  Kind
	Stage Stage
	Reply *smtp.Reply // of a ServerError, unless it was malformed, or came before its command
	Line  string      // the line that decided, of a ServerError
	Err   error       // a *wheel.Error for NoConnect and Lost; of a ServerError, what else is known

	// Of TimedOut, Err is nil if it was the server that did nothing, and not if the text did not
	// come.

	timeout  time.Duration
	deadline bool // timeout is that of all of it
}

// Error says what went wrong, and where.
func (f *Failure) Error() string {
	switch f.Kind {
	case ServerError:
		said := f.Line
		if f.Reply != nil && len(f.Reply.Lines) > 1 {
			said = f.Reply.String() // the last line alone may say nothing
		}
		if f.Err != nil {
			return fmt.Sprintf("%s: the server said %q: %v", f.Stage, said, f.Err)
		}
		return fmt.Sprintf("%s: the server said %q", f.Stage, said)
	case TimedOut:
		if f.deadline {
			return fmt.Sprintf("%s: not done within %v", f.Stage, f.timeout)
		}
		if f.Err != nil {
			return fmt.Sprintf("%s: %v for %v", f.Stage, f.Err, f.timeout)
		}
		return fmt.Sprintf("%s: nothing happened for %v", f.Stage, f.timeout)
	}
	var w *wheel.Error
	if errors.As(f.Err, &w) && !errors.Is(w.Err, io.EOF) {
		return fmt.Sprintf("%s: %v", f.Stage, w.Err)
	}
	if w != nil {
		return fmt.Sprintf("%s: the server closed the connection", f.Stage)
	}
	return fmt.Sprintf("%s: %v", f.Stage, f.Err)
}

// Unwrap returns the error behind the failure: the reply, where there is one.
func (f *Failure) Unwrap() error {
	if f.Reply != nil {
		return f.Reply
	}
	return f.Err
}

// Temporary reports whether the same message may succeed later.
func (f *Failure) Temporary() bool {
	switch f.Kind {
	case ServerError:
		return f.Reply == nil || !f.Reply.Permanent()
	case NoFile:
		return !errors.Is(f.Err, fs.ErrNotExist) && !errors.Is(f.Err, fs.ErrPermission)
	}
	return f.Kind != Configure
}

// Reason returns the failure as 0.22 gives it: one key, with a string, or a list of four for the
// wheels.
//
// POE: ARG1 of SMTP_Failure.
func (f *Failure) Reason() map[string]any { return map[string]any{string(f.Kind): f.value()} }

// ReasonLine returns the same in a line.
//
// POE: ARG3 of SMTP_Failure.
func (f *Failure) ReasonLine() string {
	value := f.value()
	list, ok := value.([]any)
	if !ok {
		return fmt.Sprintf("%s: %v", f.Kind, value)
	}
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = fmt.Sprint(v)
	}
	return string(f.Kind) + ": " + strings.Join(texts, ", ")
}

// value is what the reason's key stands for.
func (f *Failure) value() any {
	switch f.Kind {
	case ServerError:
		return f.Line
	case TimedOut:
		return f.timeout.Seconds()
	case NoConnect, Lost:
		var w *wheel.Error
		if errors.As(f.Err, &w) {
			return []any{w.Op, int(w.Errno()), w.Text(), uint64(w.Wheel)}
		}
	case NoFile:
		return []any{f.Err.Error()}
	}
	return f.Err.Error()
}

// A Progress is one step of a delivery.
type Progress struct {
	Context any
	Stage   Stage
	Sent    string // the line that was sent, if that is the step; of the text, nothing
	Got     string // the line that came, if that is the step
	Octets  int64  // of the message's text handed over so far

	// Answered is how many of the recipients have a reply to RCPT, or a verdict.
	Answered int
}
