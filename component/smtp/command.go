package smtp

import (
	"fmt"
	"strings"
)

// Limits on command lines in octets, with their CRLF.
const (
	MaxCommandLine = 512   // RFC 5321, section 4.5.3.1.4
	MaxPathLine    = 2048  // MAIL and RCPT, with room for what each extension may add
	MaxAuthLine    = 12288 // AUTH, and the lines of its exchange: RFC 4954, section 4
)

// A Verb is the name of a command, in upper case.
type Verb string

// The verbs of RFC 5321, section 4.1.1, where no other RFC is named.
const (
	VerbHELO     Verb = "HELO"
	VerbEHLO     Verb = "EHLO"
	VerbLHLO     Verb = "LHLO" // RFC 2033
	VerbMAIL     Verb = "MAIL"
	VerbRCPT     Verb = "RCPT"
	VerbDATA     Verb = "DATA"
	VerbBDAT     Verb = "BDAT" // RFC 3030
	VerbRSET     Verb = "RSET"
	VerbNOOP     Verb = "NOOP"
	VerbQUIT     Verb = "QUIT"
	VerbVRFY     Verb = "VRFY"
	VerbEXPN     Verb = "EXPN"
	VerbHELP     Verb = "HELP"
	VerbAUTH     Verb = "AUTH"     // RFC 4954
	VerbSTARTTLS Verb = "STARTTLS" // RFC 3207
)

// An argumentRule is what a verb wants after it.
type argumentRule uint8

const (
	mayHave argumentRule = iota
	mustHave
	mustNotHave
)

// verbs are the verbs of the grammar with what they want after them.
var verbs = []struct {
	verb Verb
	rule argumentRule
}{
	{VerbMAIL, mustHave},
	{VerbRCPT, mustHave},
	{VerbDATA, mustNotHave},
	{VerbBDAT, mustHave},
	{VerbRSET, mustNotHave},
	{VerbQUIT, mustNotHave},
	{VerbEHLO, mustHave},
	{VerbHELO, mustHave},
	{VerbLHLO, mustHave},
	{VerbAUTH, mustHave},
	{VerbSTARTTLS, mustNotHave},
	{VerbNOOP, mayHave},
	{VerbHELP, mayHave},
	{VerbVRFY, mustHave},
	{VerbEXPN, mustHave},
}

// EndsGroup reports whether a client must wait for the reply to this command before it sends
// anything else, even where the server offers PIPELINING: RFC 2920, section 3.1. The text of a
// message needs a reply first too, but a chunk follows its BDAT at once.
func (v Verb) EndsGroup() bool {
	switch v {
	case VerbMAIL, VerbRCPT, VerbRSET, VerbBDAT:
		return false
	default:
		return true
	}
}

// A Command is one command line, cut in two. Whether there is such a command is not asked.
type Command struct {
	Verb Verb   // in upper case
	Arg  string // all that follows, without spaces and tabs at either end
}

// ParseCommand cuts a command line, without its CRLF, into its verb and its argument. The error is
// a *Reply, ready for the client: the line is too long for its verb, does not begin with a word of
// letters, or has control characters or invalid UTF-8.
func ParseCommand(line []byte) (Command, error) {
	end := 0
	for end < min(len(line), MaxCommandLine) && (isLetDig(line[end]) || line[end] == '-' && end > 0) {
		end++
	}
	verb := upperVerb(line[:end])
	switch {
	case len(line)+len("\r\n") > maxLine(verb):
		return Command{}, refuse(CodeSyntaxError, EnhancedCode{5, 5, 2}, "Line too long")
	case end == 0 || end < len(line) && line[end] != ' ' && line[end] != '\t':
		return Command{}, refuse(CodeSyntaxError, EnhancedCode{5, 5, 2}, "Command not recognized")
	}
	arg := strings.Trim(string(line[end:]), " \t")
	if CheckText("", arg) != nil {
		return Command{}, refuse(CodeSyntaxError, EnhancedCode{5, 5, 2}, "Invalid character")
	}
	return Command{Verb: verb, Arg: arg}, nil
}

// Check returns an error, which is a *Reply, if the command has no argument but needs one, or has
// one that it must not have: RFC 5321, section 4.1.1. ParseCommand does not ask, because a server
// may well be kind about it.
func (c Command) Check() error {
	for _, known := range verbs {
		switch {
		case known.verb != c.Verb:
			continue
		case known.rule == mustHave && c.Arg == "":
			return refuse(CodeArgumentError, EnhancedCode{5, 5, 4}, "%s needs an argument", c.Verb)
		case known.rule == mustNotHave && c.Arg != "":
			return refuse(CodeArgumentError, EnhancedCode{5, 5, 4}, "%s takes no argument", c.Verb)
		}
	}
	return nil
}

// upperVerb returns the verb that is written in any case. One of the grammar's costs no memory.
func upperVerb(word []byte) Verb {
	var upper [len(VerbSTARTTLS)]byte
	if len(word) > len(upper) {
		return Verb(strings.ToUpper(string(word)))
	}
	for i, c := range word {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		upper[i] = c
	}
	for _, known := range verbs {
		if string(known.verb) == string(upper[:len(word)]) {
			return known.verb
		}
	}
	return Verb(upper[:len(word)])
}

// maxLine returns the longest line that a command may have, with its CRLF.
func maxLine(v Verb) int {
	switch v {
	case VerbMAIL, VerbRCPT:
		return MaxPathLine
	case VerbAUTH:
		return MaxAuthLine
	default:
		return MaxCommandLine
	}
}

// AppendVerb appends the line of a command without an argument to dst and returns the extended
// slice.
func AppendVerb(dst []byte, verb Verb) []byte {
	dst = append(dst, verb...)
	return append(dst, "\r\n"...)
}

// AppendCommand appends a command line to dst and returns the extended slice. Without an argument
// it does what AppendVerb does. It returns dst as it was and a *ValueError if the line would not be
// one, or would be too long for its verb.
func AppendCommand(dst []byte, verb Verb, arg string) ([]byte, error) {
	if arg == "" {
		return AppendVerb(dst, verb), nil
	}
	if err := CheckText(string(verb), arg); err != nil {
		return dst, err
	}
	if len(verb)+len(" ")+len(arg)+len("\r\n") > maxLine(verb) {
		return dst, valueError(string(verb), arg, "it is too long")
	}
	return appendCommand(dst, verb, arg), nil
}

// AppendHello appends HELO, EHLO or LHLO to dst, with the name of the client, and returns the
// extended slice. It returns dst as it was and the error of CheckHost if the name cannot be sent.
func AppendHello(dst []byte, verb Verb, host string) ([]byte, error) {
	if err := CheckHost(string(verb), host); err != nil {
		return dst, err
	}
	return appendCommand(dst, verb, host), nil
}

// appendCommand appends a command line whose argument is known to be good.
func appendCommand(dst []byte, verb Verb, arg string) []byte {
	dst = append(dst, verb...)
	dst = append(dst, ' ')
	dst = append(dst, arg...)
	return append(dst, "\r\n"...)
}

// refuse returns a reply with one line of text.
func refuse(code int, enhanced EnhancedCode, format string, args ...any) *Reply {
	return &Reply{Code: code, Enhanced: enhanced, Lines: []string{fmt.Sprintf(format, args...)}}
}
