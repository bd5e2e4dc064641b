package client

import (
	"crypto/tls"
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
	DefaultPort     = "25" // but 465 for TLS from the first octet, and 24 for LMTP
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

	// The text of the message, its header too, from one of four places: Source if it is set, else
	// FileHandle, else MessageFile, else Body. Line ends may be of any kind, and the last may be
	// missing. All are read while the message is sent, so they must not change until the result
	// comes. A FileHandle or a Source that takes longer than Timeout is given up, but as long as it
	// does not return, it takes one of the kernel's workers.
	Body        []byte
	MessageFile string
	FileHandle  io.Reader   // it is not closed; only an io.Seeker can be sent a second time
	Source      io.WriterTo // one that is an io.Reader too is read, as a FileHandle is

	// DKIM, if set, signs the message.
	DKIM *DKIM

	// Binary says that the text is to arrive octet for octet: its line ends are not made CR LF.
	// That needs a server with BINARYMIME (RFC 3030).
	Binary bool

	// The envelope, beyond the addresses. The server must offer what is asked for.
	Return     smtp.Return       // how much of it comes back with a report (RFC 3461)
	EnvelopeID string            // comes back with a report (RFC 3461)
	RcptParams []smtp.RcptParams // the i-th is of To[i]; it may be shorter than To
	RequireTLS bool              // each server on the way uses TLS, or refuses (RFC 8689)
	MailParams []smtp.Param      // of MAIL, of extensions that this package does not know

	Server     string   // name, IP address, or path of a unix socket; empty means DefaultServer
	Port       string   // number or name of a service; empty means DefaultPort
	MyHostname string   // the argument of HELO, EHLO and LHLO; empty means DefaultHostname
	Protocol   Protocol // "" means SMTP

	BindAddress string // name or IP address of this end; empty means any
	BindPort    string // number or name of a service; empty means any

	TLS       TLSMode     // "" means Opportunistic, but with Compat Off
	TLSConfig *tls.Config // nil means the system's authorities, and the server's name is Server;
	// it must not allow renegotiation, and nobody changes it any more

	Auth *Auth // nil means no authentication

	// Proxy is announced before all else, for a server behind a proxy: the client in whose name
	// this one speaks. nil means no announcement.
	Proxy *Proxy

	// XClient is sent to a server that offers XCLIENT, for the same purpose: "ADDR=192.0.2.1". The
	// values are plain: their encoding, and IPV6: before an address, are added.
	XClient []string

	// Without are extensions that are not used even if they are offered: "CHUNKING".
	Without []string

	Timeout  time.Duration // the longest time without progress; 0 means DefaultTimeout
	Timeouts Timeouts      // the same for single phases
	Deadline time.Duration // the longest time until the result; 0 means any

	Alias   string // a name for the session that sends; empty means none. Spawn's clients ignore it
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

	// AllOrNothing sends nothing to anybody if one recipient of a transaction is refused; of a
	// server that limits these, there may be several (RFC 9422). Without it, the others get the
	// message, and the Result says who did not. Since SuccessEvent and FailureEvent cannot say
	// that, a message with one of them is all or nothing.
	AllOrNothing bool

	// Compat speaks as version 0.22 of the original does: HELO unless there is Auth, AUTH whether
	// it is offered or not, a space after the colons of MAIL and RCPT, one command at a time, LF CR
	// is one newline, any code below 400 will do, no QUIT after a failure, and the reply to QUIT
	// decides.
	Compat bool
}

// A Protocol is what is spoken.
type Protocol string

// The protocols.
const (
	SMTP Protocol = "smtp" // RFC 5321
	LMTP Protocol = "lmtp" // RFC 2033: each recipient gets a verdict of its own
)

// A TLSMode is whether, and how, a connection is encrypted.
type TLSMode string

// The modes.
const (
	Off TLSMode = "off" // never

	// Opportunistic takes STARTTLS where it is offered. Without Auth that is as in RFC 7435: the
	// certificate does not matter, and a server with which TLS fails is called again without. A
	// TLSConfig, or Auth, makes it matter.
	Opportunistic TLSMode = "opportunistic"

	Required TLSMode = "required" // STARTTLS and a good certificate, or nothing is sent
	Implicit TLSMode = "implicit" // TLS from the first octet, on port 465 (RFC 8314)
)

// Timeouts are the longest times without progress in single phases. 0 means the Timeout of the
// message.
type Timeouts struct {
	Connect  time.Duration // until there is a connection
	TLS      time.Duration // the handshake
	Greeting time.Duration // until the server says that it is ready
	Hello    time.Duration // the reply to EHLO, HELO, LHLO, STARTTLS, XCLIENT and AUTH
	Mail     time.Duration // the reply to MAIL
	Rcpt     time.Duration // the reply to RCPT
	Data     time.Duration // the reply to DATA
	Text     time.Duration // while the text is sent
	Final    time.Duration // the reply to the text
	Quit     time.Duration // the reply to QUIT, when all else is done; 0 means 5 s at the most
}

// RFCTimeouts returns the times that RFC 5321, section 4.5.3.2, recommends as the least.
func RFCTimeouts() Timeouts {
	return Timeouts{
		Greeting: 5 * time.Minute,
		Hello:    5 * time.Minute,
		Mail:     5 * time.Minute,
		Rcpt:     5 * time.Minute,
		Data:     2 * time.Minute,
		Text:     3 * time.Minute,
		Final:    10 * time.Minute,
	}
}

// Auth is how to authenticate (RFC 4954). Its values are compared: two messages with the same may
// share a connection.
type Auth struct {
	// Mechanism, in any case of letters. Empty means the strongest that the server offers and for
	// which there is what it needs; with Compat it means no authentication.
	//
	// Known are EXTERNAL, SCRAM-SHA-256-PLUS, SCRAM-SHA-1-PLUS, SCRAM-SHA-256, SCRAM-SHA-1,
	// OAUTHBEARER, XOAUTH2, CRAM-MD5, PLAIN and LOGIN.
	Mechanism string

	Identity string // on whose behalf; empty means the User's own
	User     string
	Password string
	Token    string // an OAuth access token, of OAUTHBEARER and XOAUTH2

	// Cleartext allows a mechanism that shows the password, or the token, to whoever listens, on a
	// connection without TLS that leaves this machine.
	Cleartext bool
}

// fillIn fills in what was left out of m.
func (m *Message) fillIn() {
	orElse(&m.From, DefaultAddress)
	orElse(&m.Server, DefaultServer)
	switch {
	case m.Port != "":
	case m.TLS == Implicit:
		m.Port = "465"
	case m.Protocol == LMTP:
		m.Port = "24"
	default:
		m.Port = DefaultPort
	}
	orElse(&m.MyHostname, DefaultHostname)
	if m.From == NullSender {
		m.From = ""
	}
	if len(m.To) == 0 {
		m.To = []string{DefaultAddress}
	}
	if m.Timeout == 0 {
		m.Timeout = DefaultTimeout
	}
	orElse(&m.Protocol, SMTP)
	switch {
	case m.TLS != "":
	case m.Compat:
		m.TLS = Off
	default:
		m.TLS = Opportunistic
	}
	if m.SuccessEvent != "" || m.FailureEvent != "" || m.Compat {
		m.AllOrNothing = true
	}
}

// limit is the longest time without progress at a stage.
func (m *Message) limit(at Stage) time.Duration {
	limit := m.Timeout
	if t := m.Timeouts.at(at); t != 0 {
		limit = t
	}
	if limit <= 0 {
		return DefaultTimeout // until check says what it has against it
	}
	return limit
}

// at returns the time for a stage; 0 means that there is none of its own.
func (t *Timeouts) at(at Stage) time.Duration {
	switch at {
	case StageConnect:
		return t.Connect
	case StageTLS:
		return t.TLS
	case StageGreeting:
		return t.Greeting
	case StageHello, StageAuth:
		return t.Hello
	case StageMail:
		return t.Mail
	case StageRcpt:
		return t.Rcpt
	case StageData:
		return t.Data
	case StageText:
		return t.Text
	case StageFinal:
		return t.Final
	case StageQuit:
		return t.Quit
	}
	return 0
}

// quitLimit is how long the server may take to say goodbye.
func (m *Message) quitLimit() time.Duration {
	if m.Timeouts.Quit > 0 {
		return m.Timeouts.Quit
	}
	return min(m.Timeout, quitTimeout)
}

// check returns the first thing that makes it impossible to send m, before anything is sent: an
// address, say, that holds a line end would be a command of its own.
func (m *Message) check() error {
	err := m.checkWay()
	if err == nil {
		err = m.checkAuth()
	}
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
		err = smtp.CheckAddress(recipientField(i), to)
	}
	if err != nil {
		return err
	}
	return m.checkParams()
}

// checkParams returns what is wrong with the envelope, beyond the addresses.
func (m *Message) checkParams() error {
	if m.Return != "" || m.EnvelopeID != "" || len(m.MailParams) > 0 {
		p := smtp.MailParams{Return: m.Return, EnvelopeID: m.EnvelopeID, Other: m.MailParams}
		if _, err := smtp.AppendMail(nil, m.From, p); err != nil {
			return err
		}
	}
	for i, p := range m.RcptParams {
		if _, err := smtp.AppendRcpt(nil, m.To[i], p); err != nil {
			return err
		}
	}
	return nil
}

func recipientField(i int) string {
	if i == 0 {
		return "To[0]"
	}
	return fmt.Sprintf("To[%d]", i)
}

// checkWay returns what is wrong with the way that the message is to take.
func (m *Message) checkWay() error {
	switch {
	case m.Timeout < 0:
		return errors.New("smtp client: Timeout is below 0")
	case m.Deadline < 0:
		return errors.New("smtp client: Deadline is below 0")
	case m.Timeouts.negative():
		return errors.New("smtp client: Timeouts has one below 0")
	case m.Protocol != SMTP && m.Protocol != LMTP:
		return fmt.Errorf("smtp client: Protocol %q is unknown", m.Protocol)
	case m.TLS != Off && m.TLS != Opportunistic && m.TLS != Required && m.TLS != Implicit:
		return fmt.Errorf("smtp client: TLS %q is unknown", m.TLS)
	case m.TLSConfig != nil && m.TLSConfig.Renegotiation != tls.RenegotiateNever:
		return errors.New("smtp client: TLSConfig allows renegotiation")
	case m.RequireTLS && m.TLS == Off:
		return errors.New("smtp client: RequireTLS with TLS off")
	case len(m.RcptParams) > len(m.To):
		return errors.New("smtp client: there are more RcptParams than recipients")
	case m.Compat && (m.TLS != Off || m.Protocol != SMTP || m.Binary || m.DKIM != nil):
		return errors.New("smtp client: Compat knows neither TLS nor LMTP, Binary and DKIM")
	}
	for _, err := range []error{m.DKIM.check(), m.Proxy.check(), checkXClient(m.XClient)} {
		if err != nil {
			return err
		}
	}
	if isPath(m.Server) {
		return smtp.CheckText("Server", m.Server)
	}
	if _, err := asciiHost(m.Server); err != nil {
		return fmt.Errorf("smtp client: Server: %w", err)
	}
	return nil
}

// negative reports whether any of the times is below 0.
func (t *Timeouts) negative() bool {
	return min(t.Connect, t.TLS, t.Greeting, t.Hello, t.Mail, t.Rcpt, t.Data, t.Text, t.Final,
		t.Quit) < 0
}
