package client

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-poe/poe/component/smtp"
)

// NullSender is the From of a message that nobody is to answer, such as a report of failure: the
// null path, <>.
const NullSender = "<>"

// The defaults of a Message.
const (
	DefaultAddress  = "root@localhost" // From and To
	DefaultServer   = "localhost"
	DefaultPort     = "25"
	DefaultHostname = "localhost"
	DefaultTimeout  = 30 * time.Second
)

// A Message is one message, and the way in which it is sent. The zero value is an empty message to
// root.
//
// POE: the parameters of POE::Component::Client::SMTP's send.
type Message struct {
	From string   // the sender's address alone, or NullSender; empty means DefaultAddress
	To   []string // the recipients' addresses alone; none means DefaultAddress

	// The text of the message, its header too, from one of three places: FileHandle if it is set,
	// else MessageFile if that is, else Body. Line ends may be of any kind, and the last may be
	// missing. All three are read while the message is sent, so they must not change until the
	// result comes. A FileHandle that takes longer than Timeout to read is given up, but as long
	// as its Read does not return, it takes one of the kernel's workers.
	Body        []byte
	MessageFile string
	FileHandle  io.Reader // it is not closed

	Server     string // name or IP address; empty means DefaultServer
	Port       string // number or name of a service; empty means DefaultPort
	MyHostname string // the argument of HELO and EHLO; empty means DefaultHostname

	BindAddress string // name or IP address of this end; empty means any
	BindPort    string // number or name of a service; empty means any

	Timeout time.Duration // the longest time without progress; 0 means DefaultTimeout
	Auth    *Auth         // nil means no authentication

	Alias   string // a name for the session that sends; empty means none
	Context any    // comes back with the result

	// TransactionLog asks for all lines of the dialogue with the result. Secrets are masked, but
	// for Compat.
	TransactionLog bool

	// Progress, if set, is an event for the session that sends: a *Progress for each step.
	Progress string

	// The session that sends gets the result by one of these events. An empty name means no event.
	SuccessEvent string // the Context, and the log as []string or nil
	FailureEvent string // the Context, the reason as map[string]any, the log, the reason in a line
	ResultEvent  string // *Result, whether it is good or bad

	// AllOrNothing sends nothing to anybody if one recipient is refused. Without it, the others
	// get the message, and the Result says who did not. Since SuccessEvent and FailureEvent cannot
	// say that, a message with one of them is all or nothing.
	AllOrNothing bool

	// Compat speaks as version 0.22 of the original does: HELO unless there is Auth, AUTH whether
	// it is offered or not, a space after the colons of MAIL and RCPT, one command at a time, LF CR
	// is one newline, any code below 400 will do, no QUIT after a failure, and the reply to QUIT
	// decides.
	Compat bool
}

// Auth is how to authenticate.
type Auth struct {
	Mechanism string // "PLAIN", in any case of letters; empty means no authentication
	User      string
	Password  string
}

// withDefaults returns m with what was left out filled in.
func (m Message) withDefaults() *Message {
	def := func(s *string, d string) {
		if *s == "" {
			*s = d
		}
	}
	def(&m.From, DefaultAddress)
	def(&m.Server, DefaultServer)
	def(&m.Port, DefaultPort)
	def(&m.MyHostname, DefaultHostname)
	if m.From == NullSender {
		m.From = ""
	}
	if len(m.To) == 0 {
		m.To = []string{DefaultAddress}
	}
	if m.Timeout == 0 {
		m.Timeout = DefaultTimeout
	}
	if m.SuccessEvent != "" || m.FailureEvent != "" || m.Compat {
		m.AllOrNothing = true
	}
	return &m
}

// check returns the first thing that makes it impossible to send m, before anything is sent: an
// address, say, that holds a line end would be a command of its own.
func (m *Message) check() error {
	if m.Timeout < 0 {
		return errors.New("smtp client: Timeout is below 0")
	}
	err := m.Auth.check()
	if err == nil {
		err = smtp.CheckAddress("From", m.From)
	}
	if err == nil {
		err = smtp.CheckHost("MyHostname", m.MyHostname)
	}
	for i, to := range m.To {
		switch {
		case err != nil:
			return err
		case to == "":
			return fmt.Errorf("smtp client: To[%d] is empty", i)
		}
		err = smtp.CheckAddress(fmt.Sprintf("To[%d]", i), to)
	}
	return err
}
