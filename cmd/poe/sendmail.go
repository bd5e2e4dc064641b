package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-poe/poe/component/smtp/client"
)

// sendmailName is the name of the command, and of a link to the program that runs it.
const sendmailName = "sendmail"

// A sendmailCommand is a command line in the manner of sendmail.
type sendmailCommand struct {
	way   *wayFlags
	opts  sendmailOptions
	cmd   *cobra.Command
	stdin io.Reader
}

func newSendmail() *cobra.Command {
	c := sendmailCommand{way: newWayFlags()}
	cmd := &cobra.Command{
		Use:   "sendmail [-t] [-i] [-f ADDRESS] [--FLAG...] [ADDRESS...]",
		Short: "Send a message in the manner of sendmail",
		Long: `Send the message on standard input, for programs that expect a sendmail. Where the
program is run by that name, as from a link /usr/sbin/sendmail, no word for the command is needed.

A message gets the lines From, Date and Message-ID if it has none. It goes to the server of the
account "default" in the file of accounts (see poe help send), and without one to localhost.
There is no queue: when the program ends, the server has the message, or the exit status says why
not. Nothing is kept.

  -t            send to those in To, Cc and Bcc too, and take Bcc out
  -i, -oi       a line with only a dot is part of the message, and does not end it
  -f, -r ADDR   the sender; <> for none (default: the account's, or you, on this host)
  -F NAME       the name of the sender, for a From that is missing
  -N EVENTS     to be told of: never, or any of success,failure,delay
  -R full|hdrs  how much comes back with a report
  -V ID         an identifier that comes back with a report
  -v            show the dialogue on standard error
  -X FILE       append the dialogue to a file
  -bp           list the queue, which is always empty
  -bi, -I       build the aliases, of which there are none

Other options of sendmail are accepted where they ask for nothing here, such as -bm, -oem and
-B8BITMIME. Those that ask for a server or a queue, such as -bs, -bd and -q, are refused.`,
		Example: `  printf 'To: root\nSubject: done\n\nAll is well.\n' | poe sendmail -t

  poe sendmail --account work -f me@example.com -i you@example.org <note.eml

  ln -s "$(command -v poe)" /usr/local/sbin/sendmail`,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			c.cmd, c.stdin = cmd, cmd.InOrStdin()
			return c.run(args)
		},
	}
	g := newFlagGroup("The sender")
	g.flags.StringVar(&c.way.from, "from", "", "as -f")
	addGroups(cmd, append([]flagGroup{g}, c.way.groups()...))
	return cmd
}

// run sends what the arguments say.
func (c *sendmailCommand) run(args []string) error {
	opts, long, err := parseSendmail(args, c.cmd.Flags())
	switch {
	case err != nil:
		return err
	case opts.help:
		return c.cmd.Help()
	}
	if err := c.cmd.Flags().Parse(long); err != nil {
		return err
	}
	c.opts = opts
	switch opts.mode {
	case "p":
		_, err := fmt.Fprintln(c.cmd.OutOrStdout(), "Mail queue is empty")
		if err != nil {
			return fail(exitOutput, err)
		}
		return nil
	case "i":
		return nil
	}
	for _, set := range []struct{ flag, value string }{
		{"from", opts.from}, {"dsn-notify", opts.notify}, {"dsn-ret", opts.ret},
		{"dsn-envid", opts.envelopeID}, {"log-file", opts.logFile},
	} {
		if set.value == "" {
			continue
		}
		if err := c.cmd.Flags().Set(set.flag, set.value); err != nil {
			return err
		}
	}
	c.way.log = c.way.log || opts.verbose
	if err := c.way.useAccount(c.cmd.Flags()); err != nil {
		return err
	}
	if c.way.server == "" {
		c.way.server = client.DefaultServer
	}
	return c.send()
}

// send sends the message.
func (c *sendmailCommand) send() error {
	s := sending{
		way: c.way, command: c.cmd.CommandPath(), stdout: c.cmd.OutOrStdout(),
		stderr: c.cmd.ErrOrStderr(),
	}
	var err error
	if s.template, err = c.way.template(); err != nil {
		return err
	}
	domain := s.template.MyHostname
	for _, arg := range c.opts.to {
		for _, address := range headerAddresses(arg) {
			s.to = append(s.to, qualify(address, domain))
		}
	}
	if len(s.to) == 0 && !c.opts.recipients {
		return errors.New("no recipient is named; -t takes those in the message")
	}
	from, err := c.sender(domain)
	if err != nil {
		return err
	}
	s.from = from.address
	if from.address == "" { // an author has to have an address
		from.address = qualify(ownUser().address, domain)
	}
	s.edit = edit{
		recipients: c.opts.recipients, complete: true, from: from, domain: domain, now: time.Now(),
	}
	in := c.stdin
	if !c.opts.ignoreDots {
		in = newUntilDot(in)
	}
	one := &outgoing{name: "standard input", text: streamText{in}}
	if c.way.again() {
		if one.text, err = spool(in); err != nil {
			return unreadable(err)
		}
	}
	s.messages = []*outgoing{one}
	return s.run(c.cmd.Context())
}

// sender returns who sends the message.
func (c *sendmailCommand) sender(domain string) (mailbox, error) {
	from := ownUser()
	if c.way.from != "" {
		given, err := parseMailbox(c.way.from)
		if err != nil {
			return from, err
		}
		from.address = given.address
		if given.name != "" {
			from.name = given.name
		}
	}
	if c.opts.fullName != "" {
		from.name = c.opts.fullName
	}
	from.address = qualify(from.address, domain)
	return from, nil
}

// ownUser is who runs the program. The address has no domain.
func ownUser() mailbox {
	who := mailbox{name: os.Getenv("NAME"), address: "root"}
	if u, err := user.Current(); err == nil {
		who.address = u.Username
		if who.name == "" {
			who.name, _, _ = strings.Cut(u.Name, ",")
		}
	}
	return who
}
