package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/component/smtp/server"
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
	"github.com/spf13/cobra"
)

// A demo is one run of poe demo: a server, a client, and the session that posts it messages, all on
// one kernel.
type demo struct {
	out    io.Writer
	quiet  bool
	colour bool

	messages []*demoMessage
	server   *kernel.Session
	open     int // messages without a result
	began    time.Time
	took     time.Duration
	failed   error
	signal   string
}

// A demoMessage is a message to be sent, and what became of it.
type demoMessage struct {
	tag   string
	about string
	to    []string
	text  []byte

	started  bool
	dialogue dialogue
	result   *client.Result
	stored   *server.Mail
}

const (
	mailer kernel.Alias = "mailer"

	// unknownUser is the local part of the recipient whom the server does not know.
	unknownUser = "nobody"
)

func newDemo() *cobra.Command {
	var d demo
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Send a few messages to a server of its own, and show each dialogue",
		Long: `Start a mail server on a free port of this machine, post a few messages to a client
by events, and show what the two say to each other, as it is said. The server, the client, and the
session that posts are sessions on one kernel, on one goroutine.

At the end comes a table of what became of the messages. What the server got is compared, byte
for byte, with what was sent. The exit status is 0 if every outcome was the expected one, and
70 if not.`,
		Example: `  poe demo
  poe demo --quiet`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.out, d.colour = cmd.OutOrStdout(), isTerminal(cmd.OutOrStdout())
			return d.run(cmd)
		},
	}
	cmd.Flags().BoolVar(&d.quiet, "quiet", false, "show only the table at the end")
	return cmd
}

// isTerminal reports whether colours have a place in w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// demoMessages are messages that show something. Their text is as a program may have it: with the
// line ends of Unix, and perhaps without the last one.
func demoMessages() []*demoMessage {
	text := func(subject, body string) []byte {
		return []byte("From: Demo <demo@example.com>\nSubject: " + subject + "\n\n" + body)
	}
	return []*demoMessage{
		{
			tag: "plain", about: "three recipients, in one transaction",
			to:   []string{"ada@example.org", "grace@example.org", "edsger@example.org"},
			text: text("Hello", "Three of you get this, and it is sent once.\n"),
		},
		{
			tag: "dots", about: "leading dots, a dot alone, a command, and no newline at the end",
			to:   []string{"ada@example.org"},
			text: text("Dots", ".one\n..two\n.\nQUIT\n.\n\n.no newline here"),
		},
		{
			tag: "long", about: "a line of 5000 octets",
			to:   []string{"grace@example.org"},
			text: text("A long line", strings.Repeat(".long line", 500)+"\nand a short one\n"),
		},
		{
			tag: "utf-8", about: "UTF-8, in the address too",
			to:   []string{"grüße@example.org"},
			text: text("Grüße", "Viele Grüße aus Köln. 日本語もどうぞ。 📮\n"),
		},
		{
			tag: "large", about: "a megabyte, sent while it is read",
			to:   []string{"edsger@example.org"},
			text: text("Large", strings.Repeat("One of very many lines.\n", 40_000)),
		},
		{
			tag: "partly", about: "the server does not know one of two recipients",
			to:   []string{"ada@example.org", unknownUser + "@example.org"},
			text: text("For one of you", "The other one is unknown.\n"),
		},
		{
			tag: "refused", about: "the server does not know the recipient",
			to:   []string{unknownUser + "@example.org"},
			text: text("For nobody", "This is never sent.\n"),
		},
	}
}

// run runs the demo to its end.
func (d *demo) run(cmd *cobra.Command) error {
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		return fail(exitSoftware, err)
	}
	d.messages = demoMessages()
	k.Create(session.Events{
		kernel.Start:  d.start,
		"listening":   session.On(d.listening),
		"failed":      session.On(d.cannotListen),
		"progress":    session.On(d.progress),
		"sent":        session.On(d.sent),
		"got_mail":    session.On(d.gotMail),
		"interrupted": session.On(func(_ *kernel.Event, name string) { d.signal = name }),
	})
	switch err := k.Run(cmd.Context()); {
	case err != nil:
		return fail(exitSoftware, err)
	case d.signal != "":
		return fail(exitInterrupted, errors.New("interrupted"))
	case d.failed != nil:
		return fail(exitUnavailable, d.failed)
	}
	return d.summary()
}

func (d *demo) start(e *kernel.Event) {
	d.began = e.Kernel.Now()
	e.Session.Sig("INT", "interrupted")
	e.Session.Sig("TERM", "interrupted")
	d.server, d.failed = server.Spawn(e.Session, server.Options{
		Address:        "127.0.0.1",
		Port:           "0",
		Hostname:       "mx.example.org",
		Sink:           server.NewMemory(server.MemoryOptions{To: e.Session, Event: "got_mail"}),
		CheckRecipient: checkRecipient,
		ListenEvent:    "listening",
		FailureEvent:   "failed",
	})
}

// checkRecipient is the server's idea of who lives here.
func checkRecipient(_ *server.Envelope, to smtp.Rcpt) error {
	if to.To.Local != unknownUser {
		return nil
	}
	return &smtp.Reply{
		Code:     smtp.CodeUnavailable,
		Enhanced: smtp.EnhancedCode{5, 1, 1},
		Lines:    []string{"No such user here"},
	}
}

func (d *demo) cannotListen(_ *kernel.Event, failed *wheel.Error) {
	d.failed = fmt.Errorf("cannot listen: %w", failed)
}

// listening spawns the client, and posts it all messages. It sends one at a time, so that the
// dialogues are not mixed up.
func (d *demo) listening(e *kernel.Event, l *server.Listening) {
	_, port, err := splitHostPort(l.Addr.String(), "")
	if err == nil {
		_, err = client.Spawn(e.Session, client.Options{
			Alias:         mailer,
			MaxDeliveries: 1,
			Defaults: client.Message{
				Server: "127.0.0.1", Port: port, MyHostname: "client.example.com",
			},
		})
	}
	if err != nil {
		d.failed = err
		_ = e.Session.Post(d.server, "shutdown") // it has just said that it is there
		return
	}
	d.printf("A mail server listens on %v. %d messages go there, each as an event.\n",
		l.Addr, len(d.messages))
	for _, m := range d.messages {
		d.open++
		_ = e.Session.Post(mailer, "send", m.message()) // it is there since a moment
	}
}

// message makes the message for the client. A large one is read from a stream.
func (m *demoMessage) message() *client.Message {
	v := &client.Message{
		From:        m.tag + "@example.com",
		To:          m.to,
		Context:     m,
		Progress:    "progress",
		ResultEvent: "sent",
	}
	if len(m.text) > 100_000 {
		v.FileHandle = bytes.NewReader(m.text)
	} else {
		v.Body = m.text
	}
	return v
}

// progress shows one step of a dialogue.
func (d *demo) progress(_ *kernel.Event, p *client.Progress) {
	m := p.Context.(*demoMessage)
	if !m.started {
		m.started = true
		d.printf("\n%s\n", d.paint(bold, m.tag+": "+m.about))
	}
	for _, line := range m.dialogue.lines(p) {
		tag := fmt.Sprintf("%-7s", m.tag)
		d.printf("  %s %s\n", d.paint(faint, tag), d.paint(inkOf(line), line))
	}
}

// inkOf returns the colour for a line of a dialogue.
func inkOf(line string) ink {
	switch {
	case strings.HasPrefix(line, "C: "):
		return blue
	case strings.HasPrefix(line, "S: 4"), strings.HasPrefix(line, "S: 5"):
		return red
	}
	return green
}

// sent notes what became of a message. After the last one, client and server have nothing left to
// do.
func (d *demo) sent(e *kernel.Event, r *client.Result) {
	r.Message.Context.(*demoMessage).result = r
	d.open--
	if d.open == 0 {
		d.took = e.Kernel.Now().Sub(d.began)
		_ = e.Session.Post(mailer, "smtp_shutdown") // both may be about to end
		_ = e.Session.Post(d.server, "drain")
	}
}

// gotMail notes what arrived at the server. The sender's address says which message it is.
func (d *demo) gotMail(_ *kernel.Event, got *server.Mail) {
	from := got.From.From.Local
	i := slices.IndexFunc(d.messages, func(m *demoMessage) bool { return m.tag == from })
	if i < 0 || d.messages[i].stored != nil {
		d.failed = fmt.Errorf("a message came that was not sent, from <%v>", got.From.From)
		return
	}
	d.messages[i].stored = got
}

// expected returns the recipients who should get the message.
func (m *demoMessage) expected() []string {
	return slices.DeleteFunc(slices.Clone(m.to), func(to string) bool {
		return strings.HasPrefix(to, unknownUser+"@")
	})
}

// check returns what is wrong with what became of the message.
func (m *demoMessage) check() error {
	if m.result == nil {
		return errors.New("no result came")
	}
	expected := m.expected()
	for _, to := range m.result.Recipients {
		known := slices.Contains(expected, to.Address)
		refused := to.Reply != nil && to.Reply.Code == smtp.CodeUnavailable
		if known != (to.Verdict == client.Accepted) || known == refused {
			return fmt.Errorf("accepted for %s is %v, refused is %v",
				to.Address, to.Verdict, refused)
		}
	}
	if len(expected) == 0 {
		if m.stored != nil {
			return errors.New("it was stored all the same")
		}
		return nil
	}
	return m.checkStored(expected)
}

// checkStored compares what arrived with what was sent.
func (m *demoMessage) checkStored(expected []string) error {
	if m.stored == nil {
		return errors.New("it was not stored")
	}
	var got []string
	for _, to := range m.stored.To {
		got = append(got, to.To.String())
	}
	encoder := filter.MessageEncoder{NoDots: true}
	want := encoder.Finish(encoder.Append(nil, m.text))
	switch {
	case !slices.Equal(got, expected):
		return fmt.Errorf("it arrived for %q", got)
	case !bytes.Equal(m.stored.Text, want):
		return fmt.Errorf("it arrived with %d octets that are not the %d that were sent",
			len(m.stored.Text), len(want))
	}
	return nil
}

// summary prints the table, and returns a failure if something in it is not as expected.
func (d *demo) summary() error {
	d.printf("\n")
	var wrong []string
	table := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "MESSAGE\tACCEPTED\tARRIVED\tOUTCOME")
	for _, m := range d.messages {
		outcome := "as expected"
		if err := m.check(); err != nil {
			outcome = "WRONG: " + printable(err.Error())
			wrong = append(wrong, m.tag)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", m.tag, m.accepted(), m.arrived(), outcome)
	}
	if err := table.Flush(); err != nil {
		return fail(exitSoftware, err)
	}
	if len(wrong) > 0 {
		return failf(exitSoftware, "not as expected: %s", strings.Join(wrong, ", "))
	}
	verdict := fmt.Sprintf("%d messages, every outcome as expected, in %v.",
		len(d.messages), d.took.Round(100*time.Microsecond))
	fmt.Fprintf(d.out, "\n%s\n", d.paint(green, verdict))
	return nil
}

// accepted says for how many of the recipients the message was accepted.
func (m *demoMessage) accepted() string {
	n := 0
	if m.result != nil {
		for _, to := range m.result.Recipients {
			if to.Verdict == client.Accepted {
				n++
			}
		}
	}
	return fmt.Sprintf("for %d of %d", n, len(m.to))
}

func (m *demoMessage) arrived() string {
	if m.stored == nil {
		return "nothing"
	}
	return fmt.Sprintf("%d octets", len(m.stored.Text))
}

// printf prints a part of the dialogues.
func (d *demo) printf(format string, args ...any) {
	if !d.quiet {
		fmt.Fprintf(d.out, format, args...)
	}
}

// An ink is how a terminal is told to show a text: ECMA-48, section 8.3.117.
type ink string

const (
	bold  ink = "1"
	faint ink = "2"
	red   ink = "31"
	green ink = "32"
	blue  ink = "34"
)

func (d *demo) paint(with ink, text string) string {
	if !d.colour {
		return text
	}
	return "\x1b[" + string(with) + "m" + text + "\x1b[0m"
}
