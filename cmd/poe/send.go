package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"time"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/spf13/cobra"
)

// passwordVariable is where the password is looked for if no file is named.
const passwordVariable = "POE_AUTH_PASSWORD"

// A sendCommand is the flags of poe send, and what became of the message.
type sendCommand struct {
	server       string
	from         string
	to           []string
	file         string
	helo         string
	timeout      time.Duration
	user         string
	passwordFile string
	allOrNothing bool
	log          bool
	json         bool

	stdin          io.Reader
	stdout, stderr io.Writer
	at             string // the server, as HOST:PORT
	dialogue       dialogue
	result         *client.Result
	signal         string // that ended it
}

func newSend() *cobra.Command {
	var c sendCommand
	cmd := &cobra.Command{
		Use:   "send --server HOST[:PORT] --from ADDRESS --to ADDRESS... [--file FILE]",
		Short: "Send one message to a server",
		Long: `Send one message, header and all, to one server. It is read from a file, or from
standard input, and sent while it is read, so it may be of any size. Line ends may be of any kind.

Nothing is printed if all goes well. What went wrong is one line on standard error, and the
exit status says whether it is worth trying again:

   0  all recipients were accepted
  64  the command line is wrong
  65  an address, or the message, cannot be sent as it is
  66  the message cannot be read
  68  there is no such host
  69  the server refused the message, or a recipient, for good
  75  it may work later: nobody answered, or the server refused for now
  76  the server does not speak SMTP
 130  interrupted`,
		Example: `  poe send --server mx.example.org --from me@example.com --to you@example.org \
    --file note.eml

  printf 'Subject: backup done\n\nAll is well.\n' |
    poe send --server [::1]:2525 --from cron@example.com --to root@example.com --log

  # A report that nobody is to answer, for two people, and all or none of them.
  poe send --server localhost --from '<>' --to a@example.com --to b@example.com \
    --all-or-nothing --file report.eml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.stdin, c.stdout, c.stderr = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
			return c.run(cmd)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.server, "server", "", "`HOST[:PORT]` to send to; no port is 25")
	f.StringVar(&c.from, "from", "", "sender's `ADDRESS`, or <> for none")
	f.StringArrayVar(&c.to, "to", nil, "recipient's `ADDRESS`; may be given again")
	f.StringVar(&c.file, "file", "-", "`FILE` with the message; - is standard input")
	f.StringVar(&c.helo, "helo", "",
		"`NAME` of this host, for the greeting (default: what it is called)")
	f.DurationVar(&c.timeout, "timeout", client.DefaultTimeout, "longest `TIME` without progress")
	f.StringVar(&c.user, "auth-user", "",
		"`NAME` to authenticate as, by PLAIN; the password travels in the clear")
	f.StringVar(&c.passwordFile, "auth-password-file", "",
		"`FILE` whose first line is the password (default: $"+passwordVariable+")")
	f.BoolVar(&c.allOrNothing, "all-or-nothing", false,
		"send to nobody if one recipient is refused")
	f.BoolVar(&c.log, "log", false, "show the dialogue on standard error")
	f.BoolVar(&c.json, "json", false, "print the result as a line of JSON")
	for _, name := range []string{"server", "from", "to"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // there is no such flag
		}
	}
	return cmd
}

// run sends the message, and waits until it is clear what became of it.
func (c *sendCommand) run(cmd *cobra.Command) error {
	m, err := c.message()
	if err != nil {
		return err
	}
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		return fail(exitSoftware, err)
	}
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Sig("INT", "interrupted")
			e.Session.Sig("TERM", "interrupted")
			if _, err := client.Send(e.Session, m); err != nil {
				panic(err) // there is a session
			}
		},
		"progress": session.On(func(_ *kernel.Event, p *client.Progress) { c.show(p) }),
		"result":   session.On(func(_ *kernel.Event, r *client.Result) { c.result = r }),
		// It is not handled, so it stops all sessions, and the connection with them.
		"interrupted": session.On(func(_ *kernel.Event, name string) { c.signal = name }),
	})
	if err := k.Run(cmd.Context()); err != nil {
		return fail(exitSoftware, err)
	}
	return c.report()
}

// message makes the message of the flags.
func (c *sendCommand) message() (client.Message, error) {
	host, port, err := splitHostPort(c.server, client.DefaultPort)
	switch {
	case err != nil:
		return client.Message{}, fmt.Errorf("--server: %w", err)
	case host == "":
		return client.Message{}, errors.New("--server: the host is missing")
	case c.timeout <= 0:
		return client.Message{}, errors.New("--timeout must be above 0")
	case c.from == "":
		return client.Message{}, errors.New("--from is empty; for a message from nobody, say <>")
	case c.file == "":
		return client.Message{}, errors.New("--file is empty; for standard input, say -")
	}
	c.at = net.JoinHostPort(host, port)
	m := client.Message{
		From: c.from, To: c.to, Server: host, Port: port, MyHostname: c.helo, Timeout: c.timeout,
		AllOrNothing: c.allOrNothing, ResultEvent: "result",
	}
	if m.MyHostname == "" {
		m.MyHostname = ownName()
	}
	if c.log {
		m.Progress = "progress"
	}
	if c.file == "-" {
		m.FileHandle = c.stdin
	} else {
		m.MessageFile = c.file
	}
	m.Auth, err = c.auth()
	return m, err
}

// ownName returns what this host is called, if that can be said to a server.
func ownName() string {
	name, err := os.Hostname()
	if err != nil || smtp.CheckDomain(name, false) != nil {
		return client.DefaultHostname
	}
	return name
}

// auth returns the credentials, or nil if there are to be none.
func (c *sendCommand) auth() (*client.Auth, error) {
	if c.user == "" {
		if c.passwordFile != "" {
			return nil, errors.New("--auth-password-file without --auth-user")
		}
		return nil, nil
	}
	password := os.Getenv(passwordVariable)
	if c.passwordFile != "" {
		text, err := os.ReadFile(c.passwordFile)
		if err != nil {
			return nil, fail(exitNoInput, err)
		}
		password, _, _ = strings.Cut(string(text), "\n")
		password = strings.TrimSuffix(password, "\r")
	}
	if password == "" {
		return nil, fmt.Errorf("--auth-user without a password in --auth-password-file or $%s",
			passwordVariable)
	}
	return &client.Auth{Mechanism: "PLAIN", User: c.user, Password: password}, nil
}

// show prints one step of the dialogue.
func (c *sendCommand) show(p *client.Progress) {
	for _, line := range c.dialogue.lines(p) {
		fmt.Fprintln(c.stderr, line)
	}
}

// report tells what became of the message: nothing if it was accepted.
func (c *sendCommand) report() error {
	r := c.result
	if c.json && r != nil {
		if err := json.NewEncoder(c.stdout).Encode(newSendResult(r)); err != nil {
			return fail(exitSoftware, err)
		}
	}
	switch {
	case c.signal != "" && r != nil && r.Err != nil && r.Err.Stage == client.StageFinal:
		return fail(exitInterrupted, errors.New("interrupted; the server may have the message"))
	case c.signal != "" && (r == nil || r.Err != nil):
		return fail(exitInterrupted, errors.New("interrupted; the message was not sent"))
	case r == nil:
		return fail(exitSoftware, errors.New("nothing is known about the message"))
	case r.Err != nil && r.Err.Stage == client.StageRcpt && refusals(r.Recipients) > 1:
		return refusedRecipients(r.Recipients)
	case r.Err != nil:
		return c.explain(r.Err)
	case !r.OK():
		return refusedRecipients(r.Recipients)
	}
	return nil
}

// explain makes a failure of why nobody got the message.
func (c *sendCommand) explain(f *client.Failure) error {
	switch f.Kind {
	case client.Configure:
		if f.Stage != client.StageConfigure { // the server cannot do what the message needs
			return failf(exitUnavailable, "%s: %w", c.at, f.Err)
		}
		return fail(exitData, f.Err)
	case client.NoFile, client.Lost:
		if file, ok := errors.AsType[*fs.PathError](f.Err); ok {
			return failf(exitNoInput, "cannot read %s: %w", file.Path, file.Err)
		}
		return failf(exitTempFail, "lost the connection to %s at %s: %w", c.at, f.Stage, f.Err)
	case client.NoConnect:
		if dns, ok := errors.AsType[*net.DNSError](f.Err); ok && dns.IsNotFound {
			return failf(exitNoHost, "there is no host %s", dns.Name)
		}
		return failf(exitTempFail, "cannot connect to %s: %w", c.at, f.Err)
	case client.TimedOut:
		if f.Err != nil {
			return failf(exitTempFail, "%w for %v", f.Err, c.timeout)
		}
		return failf(exitTempFail, "%s did not answer for %v at %s", c.at, c.timeout, f.Stage)
	case client.ServerError:
		return c.explainReply(f)
	}
	return fail(exitTempFail, f)
}

// explainReply makes a failure of what the server said.
func (c *sendCommand) explainReply(f *client.Failure) error {
	switch r := f.Reply; {
	case r == nil:
		return failf(exitProtocol, "%s does not speak SMTP: at %s it said %q",
			c.at, f.Stage, f.Line)
	case r.Permanent():
		return failf(exitUnavailable, "%s refused at %s: %w", c.at, f.Stage, r)
	case r.Temporary():
		return failf(exitTempFail, "%s refused for now at %s: %w", c.at, f.Stage, r)
	default:
		return failf(exitProtocol, "%s said at %s what makes no sense: %w", c.at, f.Stage, r)
	}
}

// refusals returns how many recipients the server refused.
func refusals(recipients []client.Recipient) (n int) {
	for _, to := range recipients {
		if to.Reply != nil && !to.Reply.Positive() {
			n++
		}
	}
	return n
}

// refusedRecipients makes a failure of the recipients whom the server refused.
func refusedRecipients(recipients []client.Recipient) error {
	status := exitTempFail
	var refused []string
	for _, to := range recipients {
		if to.Verdict == client.Accepted || to.Reply == nil || to.Reply.Positive() {
			continue
		}
		refused = append(refused, fmt.Sprintf("%s: %v", to.Address, to.Reply))
		if to.Reply.Permanent() {
			status = exitUnavailable
		}
	}
	return failf(status, "refused for %d of %d recipients: %s",
		len(refused), len(recipients), strings.Join(refused, "; "))
}

// A sendResult is the result as JSON.
type sendResult struct {
	OK         bool              `json:"ok"`
	Reply      string            `json:"reply,omitempty"`
	Recipients []recipientResult `json:"recipients"`
	Error      *failureResult    `json:"error,omitempty"`
	Seconds    float64           `json:"seconds"`
}

type recipientResult struct {
	Address  string `json:"address"`
	Accepted bool   `json:"accepted"`
	Reply    string `json:"reply,omitempty"`
}

type failureResult struct {
	Kind      string `json:"kind"`
	Stage     string `json:"stage"`
	Temporary bool   `json:"temporary"`
	Text      string `json:"text"`
}

func newSendResult(r *client.Result) sendResult {
	v := sendResult{OK: r.OK(), Recipients: []recipientResult{}, Seconds: r.Took.Seconds()}
	if r.Reply != nil {
		v.Reply = printable(r.Reply.String())
	}
	for _, to := range r.Recipients {
		one := recipientResult{Address: to.Address, Accepted: to.Verdict == client.Accepted}
		if to.Reply != nil {
			one.Reply = printable(to.Reply.String())
		}
		v.Recipients = append(v.Recipients, one)
	}
	if f := r.Err; f != nil {
		v.Error = &failureResult{
			Kind: string(f.Kind), Stage: string(f.Stage), Temporary: f.Temporary(),
			Text: printable(f.Error()),
		}
	}
	return v
}
