// Command poe sends and receives mail with the components of this module, and shows what they do.
//
// See poe help, and poe help with the name of a command.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

func main() {
	args := os.Args[1:]
	if filepath.Base(os.Args[0]) == sendmailName {
		args = append([]string{sendmailName}, args...)
	}
	os.Exit(run(args, os.Stdin, os.Stdout, os.Stderr))
}

// run runs one command line and returns its exit status. What went wrong is one line on stderr.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteC()
	if err == nil {
		return exitOK
	}
	text := oneLine(err)
	failed, ok := errors.AsType[*failure](err)
	if !ok {
		fmt.Fprintf(stderr, "%s: %s; see %[1]s --help\n", cmd.CommandPath(), text)
		return exitUsage
	}
	fmt.Fprintf(stderr, "%s: %s\n", cmd.CommandPath(), text)
	return failed.status
}

// oneLine returns the text of an error as one line that is safe to show.
func oneLine(err error) string { return printable(strings.Join(strings.Fields(err.Error()), " ")) }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "poe",
		Short: "Send and receive mail by events",
		Long: `poe sends and receives mail by events: everything it does is sessions on one kernel.

Begin with

  poe demo                                      send a few messages to a server of its own
  poe sink --listen 127.0.0.1:2525              receive mail
  poe send --server 127.0.0.1:2525 \
      --from me@example.com --to you@example.org --file message.eml

Each command explains itself: poe help send. Under the name sendmail the program is one.
The exit status says what went wrong in the way of sysexits.h.`,
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newDemo(), newSend(), newSendmail(), newSink())
	refuseUnknown(root)
	return root
}

// refuseUnknown makes a mistake of a topic that help, or a shell that completion, does not know. By
// themselves they print a text and say that all is well.
func refuseUnknown(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Run = nil
			c.RunE = func(_ *cobra.Command, args []string) error {
				topic, rest, err := root.Find(args)
				if err != nil || len(rest) > 0 {
					return fmt.Errorf("there is no help on %q", strings.Join(args, " "))
				}
				return topic.Help()
			}
		case "completion":
			c.Args = cobra.NoArgs
			c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		}
	}
}

// version returns the version with which the program was built.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
