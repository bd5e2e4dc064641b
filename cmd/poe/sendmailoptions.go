package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// sendmailOptions are the options of one letter.
type sendmailOptions struct {
	recipients bool   // -t
	ignoreDots bool   // -i
	from       string // -f, -r
	fullName   string // -F
	notify     string // -N
	ret        string // -R
	envelopeID string // -V
	logFile    string // -X
	verbose    bool   // -v
	mode       string // the letter after -b
	help       bool
	to         []string
}

// Which letters have a value, in the same word or in the next. That of -d, -e and -q is only looked
// for in the same word.
const (
	sendmailValues   = "ABCDFLNOQRVXbfhopr"
	sendmailAttached = "deq"
	sendmailPlain    = "GIMTUcimntvx"
)

// parseSendmail takes the arguments apart: letters in the manner of sendmail, flags with two
// dashes, and recipients. Those may stand before the letters, as long as no -- comes.
func parseSendmail(args []string, flags *pflag.FlagSet) (
	o sendmailOptions, long []string, err error,
) {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			o.to = append(o.to, args...)
			return o, long, nil
		case arg == "--help" || arg == "-help":
			o.help = true
		case strings.HasPrefix(arg, "--"):
			long = append(long, arg)
			name, _, joined := strings.Cut(arg[2:], "=")
			f := flags.Lookup(name)
			if !joined && f != nil && f.NoOptDefVal == "" && len(args) > 0 {
				long = append(long, args[0])
				args = args[1:]
			}
		case len(arg) > 1 && arg[0] == '-':
			if args, err = o.letters(arg[1:], args); err != nil {
				return o, nil, err
			}
		default:
			o.to = append(o.to, arg)
		}
	}
	return o, long, nil
}

// letters takes the letters of one word, and returns the arguments after it and its value.
func (o *sendmailOptions) letters(word string, args []string) ([]string, error) {
	for word != "" {
		letter := word[0]
		word = word[1:]
		value := ""
		switch {
		case strings.IndexByte(sendmailValues, letter) >= 0:
			if value, word = word, ""; value == "" {
				if len(args) == 0 {
					return nil, fmt.Errorf("-%c has no value", letter)
				}
				value, args = args[0], args[1:]
				if value == "" && (letter == 'f' || letter == 'r') {
					value = "<>"
				}
			}
		case strings.IndexByte(sendmailAttached, letter) >= 0:
			value, word = word, ""
		case strings.IndexByte(sendmailPlain, letter) < 0:
			return nil, fmt.Errorf("there is no option -%c", letter)
		}
		if err := o.set(letter, value); err != nil {
			return nil, err
		}
	}
	return args, nil
}

// set takes one letter. Those that ask for nothing here are not looked at.
func (o *sendmailOptions) set(letter byte, value string) error {
	switch letter {
	case 'f', 'r':
		o.from = value
	case 'F':
		o.fullName = value
	case 'N':
		o.notify = value
	case 'R':
		o.ret = value
	case 'V':
		o.envelopeID = value
	case 'X':
		o.logFile = value
	case 'i':
		o.ignoreDots = true
	case 't':
		o.recipients = true
	case 'v':
		o.verbose = true
	case 'I':
		o.mode = "i"
	case 'q':
		return errors.New("-q: there is no queue to run")
	case 'o':
		o.ignoreDots = o.ignoreDots || value == "i" || value == "iTrue" || value == "iyes"
	case 'O':
		name, set, _ := strings.Cut(value, "=")
		if strings.EqualFold(name, "IgnoreDots") {
			o.ignoreDots = strings.EqualFold(set, "true") || set == ""
		}
	case 'b':
		return o.setMode(value)
	}
	return nil
}

var errServes = errors.New("this command sends what is on standard input; poe sink receives mail")

// setMode takes the letter after -b.
func (o *sendmailOptions) setMode(mode string) error {
	switch mode {
	case "m", "p", "i":
		o.mode = mode
		return nil
	case "d", "D", "l", "s":
		return fmt.Errorf("-b%s: %w", mode, errServes)
	}
	return fmt.Errorf("-b%s: this command cannot do that; it sends messages", mode)
}
