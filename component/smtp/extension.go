package smtp

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Keywords of extensions, as Extensions has them.
const (
	Ext8BitMIME   = "8BITMIME"            // RFC 6152
	ExtAuth       = "AUTH"                // RFC 4954: the mechanisms
	ExtBinaryMIME = "BINARYMIME"          // RFC 3030
	ExtChunking   = "CHUNKING"            // RFC 3030
	ExtDSN        = "DSN"                 // RFC 3461
	ExtEnhanced   = "ENHANCEDSTATUSCODES" // RFC 2034
	ExtHelp       = "HELP"                // RFC 5321
	ExtLimits     = "LIMITS"              // RFC 9422: names and values
	ExtPipelining = "PIPELINING"          // RFC 2920
	ExtRequireTLS = "REQUIRETLS"          // RFC 8689
	ExtSMTPUTF8   = "SMTPUTF8"            // RFC 6531
	ExtSize       = "SIZE"                // RFC 1870: the limit in octets
	ExtStartTLS   = "STARTTLS"            // RFC 3207
	ExtVRFY       = "VRFY"                // RFC 5321
	ExtEXPN       = "EXPN"                // RFC 5321
)

const (
	maxExtensions    = 128 // keywords of one reply, and parameters of one keyword
	maxExtensionLine = MaxReplyLine - len("250-") - len("\r\n")
)

// Extensions are what a server offers in its answer to EHLO or LHLO: for each keyword, in upper
// case, its parameters as they were written. A nil map is what a server has that knows only HELO.
type Extensions map[string][]string

// Limits are those of a server that offers LIMITS: RFC 9422. 0 means that it states none.
type Limits struct {
	MailMax       int // transactions of one connection
	RcptMax       int // recipients of one transaction
	RcptDomainMax int // domains that the recipients of one transaction may have
}

// ParseExtensions reads the answer to EHLO or LHLO. The first line is the server's name and
// greeting. A line that is malformed is passed over, and so is what exceeds 128 keywords, or 128
// parameters of one. Of a keyword that comes again the parameters count that are new; an equals
// sign after it, as in the AUTH=LOGIN of old servers, is taken for the space that belongs there.
func ParseExtensions(r *Reply) Extensions {
	x := make(Extensions, len(r.Lines))
	for i, line := range r.Lines {
		if i > 0 {
			x.addLine(line)
		}
	}
	return x
}

func (x Extensions) addLine(line string) {
	end := strings.IndexAny(line, " \t=")
	if end < 0 {
		end = len(line)
	}
	keyword := upper(line[:end])
	params, known := x[keyword]
	if !isKeyword(keyword) || !known && len(x) >= maxExtensions {
		return
	}
	for rest := line[min(end+1, len(line)):]; rest != "" && len(params) < maxExtensions; {
		var param string
		param, rest = cutWord(rest)
		if !badParam(param) && !slices.Contains(params, param) {
			params = append(params, param)
		}
	}
	x[keyword] = params
}

// Has reports whether the extension with this keyword, in upper case, is offered.
func (x Extensions) Has(keyword string) bool {
	_, ok := x[keyword]
	return ok
}

// Size reports whether SIZE is offered, and the largest message in octets that the server takes. A
// limit of 0 means that it has none, or does not say. RFC 1870, section 3.
func (x Extensions) Size() (limit int64, ok bool) {
	params, ok := x[ExtSize]
	if len(params) > 0 {
		limit, _ = parseOctets(params[0])
	}
	return limit, ok
}

// Auth returns the mechanisms of AUTH, in upper case and in the server's order: RFC 4954.
func (x Extensions) Auth() []string {
	var mechanisms []string
	for _, m := range x[ExtAuth] {
		mechanisms = append(mechanisms, upper(m))
	}
	return mechanisms
}

// Limits returns the limits of LIMITS. Those that are unknown or malformed are passed over.
func (x Extensions) Limits() Limits {
	var l Limits
	for _, param := range x[ExtLimits] {
		name, value, _ := strings.Cut(param, "=")
		n, ok := parseOctets(value)
		if !ok || n > math.MaxInt32 {
			continue
		}
		switch upper(name) {
		case "MAILMAX":
			l.MailMax = int(n)
		case "RCPTMAX":
			l.RcptMax = int(n)
		case "RCPTDOMAINMAX":
			l.RcptDomainMax = int(n)
		}
	}
	return l
}

// Params returns the limits as the parameters of LIMITS.
func (l Limits) Params() []string {
	var params []string
	for _, limit := range []struct {
		name string
		max  int
	}{{"MAILMAX", l.MailMax}, {"RCPTDOMAINMAX", l.RcptDomainMax}, {"RCPTMAX", l.RcptMax}} {
		if limit.max > 0 {
			params = append(params, limit.name+"="+strconv.Itoa(limit.max))
		}
	}
	return params
}

// Reply returns the answer to EHLO or LHLO: the greeting, which begins with the server's name, and
// then the extensions in the order of their keywords.
//
// A keyword or a parameter that the grammar does not allow, or that would not fit in one line,
// makes Reply panic.
func (x Extensions) Reply(greeting string) *Reply {
	lines := []string{greeting}
	for _, keyword := range slices.Sorted(maps.Keys(x)) {
		line := strings.Join(append([]string{keyword}, x[keyword]...), " ")
		if !isKeyword(keyword) || upper(keyword) != keyword ||
			slices.ContainsFunc(x[keyword], badParam) || len(line) > maxExtensionLine {
			panic(fmt.Sprintf("smtp: Extensions has the line %q", line))
		}
		lines = append(lines, line)
	}
	return &Reply{Code: CodeOK, Lines: lines}
}

func badParam(s string) bool { return s == "" || !isVisible(s) }

// isKeyword reports whether s is the keyword of an extension or a parameter: ASCII letters, digits
// and hyphens, with no hyphen in front.
func isKeyword(s string) bool {
	for i := range len(s) {
		if !isLetDig(s[i]) && (s[i] != '-' || i == 0) {
			return false
		}
	}
	return s != ""
}

// parseOctets reads a number of digits only. One that is too large for the type is the largest of
// the type: what it limits, or measures, is no smaller.
func parseOctets(s string) (n int64, ok bool) {
	const maxDigits = 20 // RFC 1870, section 3
	if s == "" || len(s) > maxDigits {
		return 0, false
	}
	for i := range len(s) {
		if !isDigit(s[i]) {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return math.MaxInt64, true
	}
	return n, true
}

// cutWord cuts s at its first run of spaces and tabs. Only the first word of s may be empty.
func cutWord(s string) (word, rest string) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimLeft(s[i:], " \t")
}
