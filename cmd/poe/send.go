package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// A sendCommand is the flags of poe send.
type sendCommand struct {
	way         *wayFlags
	compose     composeFlags
	to          []string
	fromHeader  bool
	file        string
	stdin       io.Reader
	stderr      io.Writer
	stdinIsUsed bool
}

func newSend() *cobra.Command {
	c := sendCommand{way: newWayFlags()}
	cmd := &cobra.Command{
		Use:   "send --server HOST[:PORT] --from ADDRESS --to ADDRESS... [flags] [FILE...]",
		Short: "Send messages to a server",
		Long: `Send messages to one server: from files, Maildirs, mailbox files or standard input,
header and all, or one that is put together of a subject, a body and attachments. They are sent
while they are read, so they may be of any size. Line ends may be of any kind.

Nothing is printed if a single message goes well. What went wrong is one line on standard error, and
the exit status says whether it is worth trying again:

   0  all recipients were accepted
  64  the command line is wrong
  65  an address, or the message, cannot be sent as it is
  66  the message, or another file, cannot be read
  68  there is no such host
  69  the server refused the message, or a recipient, for good; or cannot be trusted
  73  the log cannot be made
  74  all was delivered, but the result cannot be printed
  75  it may work later: nobody answered, or the server refused for now
  76  the server does not speak SMTP
  77  the server refused the user or the password, or wants one
  78  the file of accounts is wrong
 130  interrupted

With many messages there is a progress bar at a terminal, and a summary. An interruption lets those
arrive that are on their way; a second one does not. If messages fail for different reasons, the
status is 69.

What is said on every command line can be kept in the file of accounts, ~/.config/poe/accounts on
most systems: on each line a flag and its value. The account "default" needs no --account.

  [default]
  server smtp.example.com:587
  tls required
  user me@example.com
  password-file ~/.config/poe/password
  from me@example.com`,
		Example: `  poe send --server mx.example.org --from me@example.com --to you@example.org \
    note.eml

  printf 'Subject: backup done\n\nAll is well.\n' |
    poe send --server [::1]:2525 --from cron@example.com --to root@example.com --log

  # Put a message together, and submit it to a provider. The password is asked for.
  poe send --server smtp.example.com:587 --tls required --user me@example.com \
    --from 'Me <me@example.com>' --to you@example.org --subject 'The plans' \
    --body 'Here they are.' --attach plans.pdf

  # Test a server: the dialogue, on TLS from the first octet, with a certificate of one's own.
  poe send --server localhost:465 --ca ca.pem --log --from a@example.com --to b@example.com \
    --subject test --body test

  # A report that nobody is to answer, for two people, and all or none of them.
  poe send --server localhost --from '<>' --to a@example.com --to b@example.com \
    --all-or-nothing report.eml

  # A whole Maildir into a mailbox, by LMTP, with a line of JSON for each message.
  poe send --server /run/dovecot/lmtp --protocol lmtp --from '<>' --to me --json Maildir`,
		RunE: func(cmd *cobra.Command, args []string) error {
			c.stdin, c.stderr = cmd.InOrStdin(), cmd.ErrOrStderr()
			return c.run(cmd, args)
		},
	}
	addGroups(cmd, append([]flagGroup{c.envelopeFlags(), c.compose.group()}, c.way.groups()...))
	return cmd
}

func (c *sendCommand) envelopeFlags() flagGroup {
	g := newFlagGroup("The message, and for whom it is")
	f := g.flags
	f.StringVarP(&c.way.from, "from", "f", "", "sender's `ADDRESS`, or <> for none")
	f.StringArrayVar(&c.to, "to", nil, "recipient's `ADDRESS`; may be given again")
	f.BoolVarP(&c.fromHeader, "header-recipients", "t", false,
		"send to those in To, Cc and Bcc too, and take Bcc out")
	f.StringVar(&c.file, "file", "-", "`FILE` with the message; - is standard input")
	return g
}

// run sends what the flags say.
func (c *sendCommand) run(cmd *cobra.Command, args []string) error {
	if err := c.way.useAccount(cmd.Flags()); err != nil {
		return err
	}
	composing := ""
	for _, name := range composeNames {
		if cmd.Flags().Changed(name) {
			composing = name
		}
	}
	file := cmd.Flags().Changed("file")
	if err := c.check(composing, file || len(args) > 0); err != nil {
		return err
	}
	s := sending{
		way: c.way, command: cmd.CommandPath(),
		stdout: cmd.OutOrStdout(), stderr: cmd.ErrOrStderr(),
	}
	var err error
	if s.template, err = c.way.template(); err != nil {
		return err
	}
	from, to, err := c.addresses(&s)
	if err != nil {
		return err
	}
	if c.fromHeader {
		s.edit = edit{recipients: true, domain: s.template.MyHostname}
	}
	switch {
	case composing != "":
		s.messages, err = c.composed(from, to)
	case file || len(args) == 0:
		s.messages, err = c.find(append([]string{c.file}, args...))
	default:
		s.messages, err = c.find(args)
	}
	if err != nil {
		return err
	}
	return s.run(cmd.Context())
}

// check returns what is missing, or is too much, on the command line.
func (c *sendCommand) check(composing string, files bool) error {
	var missing []string
	for _, f := range []struct {
		name  string
		there bool
	}{
		{"--server", c.way.server != ""},
		{"--from", c.way.from != ""},
		{"--to", len(c.to)+len(c.compose.cc)+len(c.compose.bcc) > 0 || c.fromHeader},
	} {
		if !f.there {
			missing = append(missing, f.name)
		}
	}
	switch {
	case len(missing) == 1 && missing[0] == "--from":
		return errors.New("--from is empty; for a message from nobody, say <>")
	case len(missing) > 0:
		return fmt.Errorf("%s: this has to be said", strings.Join(missing, ", "))
	case c.file == "":
		return errors.New("--file is empty; for standard input, say -")
	case composing != "" && files:
		return fmt.Errorf("--%s puts a message together, and a file has one that is ready",
			composing)
	case composing != "" && c.fromHeader:
		return errors.New("--header-recipients is for a message that is ready")
	}
	return nil
}

// addresses sets who sends the messages, and who gets them. It returns the sender, and the
// recipients in To.
func (c *sendCommand) addresses(s *sending) (from mailbox, to []mailbox, err error) {
	if from, err = parseMailbox(c.way.from); err != nil {
		return from, nil, fmt.Errorf("--from: %w", err)
	}
	s.from = from.address
	for _, f := range []struct {
		name   string
		values []string
	}{{"--to", c.to}, {"--cc", c.compose.cc}, {"--bcc", c.compose.bcc}} {
		boxes, err := parseMailboxes(f.name, f.values)
		if err != nil {
			return from, nil, err
		}
		for _, box := range boxes {
			s.to = append(s.to, box.address)
		}
		if f.name == "--to" {
			to = boxes
		}
	}
	return from, to, nil
}

// composed puts a message together.
func (c *sendCommand) composed(from mailbox, to []mailbox) ([]*outgoing, error) {
	c.greet(c.compose.bodyFile == "" || c.compose.bodyFile == "-")
	text, err := c.compose.compose(from, to, c.stdin)
	if err != nil {
		return nil, err
	}
	return []*outgoing{{name: "the message", octets: int64(len(text)), text: text}}, nil
}

// find returns the messages in files.
func (c *sendCommand) find(names []string) ([]*outgoing, error) {
	var messages []*outgoing
	for _, name := range names {
		if name != "-" {
			found, err := outgoingFiles(name)
			if err != nil {
				return nil, err
			}
			messages = append(messages, found...)
			continue
		}
		if c.stdinIsUsed {
			return nil, errors.New("standard input is named twice")
		}
		c.stdinIsUsed = true
		c.greet(true)
		one := &outgoing{name: "standard input", text: streamText{c.stdin}}
		if c.way.again() {
			var err error
			if one.text, err = spool(c.stdin); err != nil {
				return nil, unreadable(err)
			}
		}
		messages = append(messages, one)
	}
	if len(messages) == 0 {
		return nil, failf(exitNoInput, "there is no message in %s", strings.Join(names, ", "))
	}
	return messages, nil
}

// again reports whether a message may have to be read more than once.
func (w *wayFlags) again() bool { return w.retries > 0 || w.dkimKey != "" }

// greet tells a person at a terminal that the program waits for them.
func (c *sendCommand) greet(waits bool) {
	file, ok := c.stdin.(*os.File)
	if waits && ok && !c.way.quiet && term.IsTerminal(int(file.Fd())) {
		fmt.Fprintln(c.stderr, "Type the message, and Ctrl-D on a line of its own after it.")
	}
}
