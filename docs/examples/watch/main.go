// Command watch follows log files and counts the lines that match. Every so often it reports how
// many there were, and how many that is per second.
//
//	go run ./docs/examples/watch -match 'failed=(?i)failed|refused' -alarm 2 /var/log/*.log
//
// A file may be rotated, shortened, or come later: it is followed by its name. A line of the report
// that ends in ALARM is about a pattern that matched at least -alarm times a second. SIGINT and
// SIGTERM end the program, with a last report.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/go-poe/poe/kernel"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program, and returns its exit code.
func run(ctx context.Context, args []string, out, log io.Writer) int {
	o, err := parse(args, log)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2 // parse has said why
	}
	k, err := kernel.New(kernel.Options{})
	if err == nil {
		err = watch(k, o, out)
	}
	if err == nil {
		err = k.Run(ctx)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(log, "watch:", err)
		return 1
	}
	return 0
}

// options are what the command line says.
type options struct {
	files    []string
	patterns []pattern
	every    time.Duration // between two reports
	alarm    float64       // matches of one pattern in a second; 0 means none is too many
}

// A pattern is what to look for, and what to call it.
type pattern struct {
	name string
	*regexp.Regexp
}

// maxPatterns is how many patterns there may be. Each line is held against all of them.
const maxPatterns = 100

// parse reads the command line. What is wrong with it, and how it should be, goes to log.
func parse(args []string, log io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("watch", flag.ContinueOnError)
	flags.SetOutput(log)
	flags.Usage = func() {
		fmt.Fprint(log, "usage: watch [flags] FILE...\n\n",
			"Counts the lines of growing files that match.\n\n")
		flags.PrintDefaults()
	}
	flags.DurationVar(&o.every, "every", 10*time.Second, "how often to report")
	flags.Float64Var(&o.alarm, "alarm", 0, "`matches` in a second that are too many; 0 means none is")
	flags.Func("match", "`name=expression` to count; once for each", o.match)
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.files = flags.Args()
	switch {
	case len(o.files) == 0:
		err = errors.New("no FILE to watch")
	case o.every <= 0 || o.alarm < 0:
		err = errors.New("a number is too small")
	}
	if err != nil {
		fmt.Fprintln(log, "watch:", err)
		flags.Usage()
	}
	return o, err
}

// match takes one of the patterns.
func (o *options) match(text string) error {
	name, expr, ok := strings.Cut(text, "=")
	if !ok || name == "" || expr == "" {
		return errors.New("it needs a name and an expression")
	}
	if len(o.patterns) == maxPatterns {
		return fmt.Errorf("there are %d already", maxPatterns)
	}
	re, err := regexp.Compile(expr)
	if err == nil {
		o.patterns = append(o.patterns, pattern{name, re})
	}
	return err
}
