package smtp

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxSentAddress = MaxCommandLine - len("MAIL FROM:<>\r\n")
	maxShown       = 100 // octets of a value that an error shows

	reasonControl = "it has a line end, another control character, or invalid UTF-8"
)

// A ValueError reports a value that must not go on the wire, or that came from it and is malformed.
type ValueError struct {
	Field  string // what the value was meant for, such as From
	Value  string // the whole of it
	Reason string
}

// Error returns one line that shows the value in quotes, cut short if it is long.
func (e *ValueError) Error() string {
	return "smtp: " + e.Field + " " + quote(e.Value) + ": " + e.Reason
}

// CheckAddress returns a *ValueError if addr, given for field, would do harm between the angle
// brackets of MAIL or RCPT: with a control character, with an angle bracket outside of quotes, with
// invalid UTF-8, or too long for a command line. The empty string is the null path.
//
// This is less than ParseAddress asks for. A sender who has an odd address, such as one with two
// dots in a row, knows better than RFC 5321 that somebody has it, and the server will say if not.
func CheckAddress(field, addr string) error {
	if isSimple(addr) && len(addr) <= maxSentAddress {
		return nil
	}
	reason := textFault(addr)
	if reason == "" && len(addr) > maxSentAddress {
		reason = "it is too long"
	}
	if reason == "" && strings.ContainsAny(addr, "<>") {
		// Where the quotes begin and end is certain only in an address that is right.
		_, err := ParseAddress(addr, AddressOptions{UTF8: true, LongLocal: true})
		if err != nil {
			reason = "it has an angle bracket"
		}
	}
	return valueError(field, addr, reason)
}

// CheckHost returns a *ValueError if host, given for field, cannot be the argument of HELO, EHLO or
// LHLO: if it is empty, longer than MaxDomain, or has anything but visible ASCII characters. A name
// in another script goes on the wire in its ASCII form. Whether it is the name of anything is not
// asked; CheckDomain is stricter.
func CheckHost(field, host string) error {
	reason := ""
	switch {
	case host == "":
		reason = "it is empty"
	case len(host) > MaxDomain:
		reason = "it is too long"
	case !isVisible(host):
		reason = "it has a character that is not visible ASCII"
	}
	return valueError(field, host, reason)
}

// CheckText returns a *ValueError if text, given for field, would not stay on one line: if it has a
// control character other than a tab, or invalid UTF-8.
func CheckText(field, text string) error {
	return valueError(field, text, textFault(strings.ReplaceAll(text, "\t", " ")))
}

// NeedsUTF8 reports whether s has anything but ASCII.
func NeedsUTF8(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return true
		}
	}
	return false
}

// SplitAddress cuts an address, odd or not, at its last @. The domain is empty if there is none.
func SplitAddress(addr string) (local, domain string) {
	i := strings.LastIndexByte(addr, '@')
	if i < 0 {
		return addr, ""
	}
	return addr[:i], addr[i+1:]
}

// textFault says what keeps s from standing in a line.
func textFault(s string) (reason string) {
	for i, r := range s {
		if isControl(r) || isInvalid(s[i:], r) {
			return reasonControl
		}
	}
	return ""
}

// valueError returns an error if there is a reason for one. Only then does it cost memory.
func valueError(field, value, reason string) error {
	if reason == "" {
		return nil
	}
	return &ValueError{Field: field, Value: value, Reason: reason}
}

// isControl reports whether r is a control character of ASCII or Unicode, or one of the two that
// Unicode has for ending lines.
func isControl(r rune) bool {
	return r < ' ' || 0x7f <= r && r < 0xa0 || r == '\u2028' || r == '\u2029'
}

// isInvalid reports whether r, decoded from the beginning of s, stands for an invalid byte.
func isInvalid(s string, r rune) bool {
	if r != utf8.RuneError {
		return false
	}
	_, size := utf8.DecodeRuneInString(s)
	return size < 2
}

// isSimple reports whether s is nothing but printable ASCII, without angle brackets.
func isSimple(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '<' || c == '>' {
			return false
		}
	}
	return true
}

// isVisible reports whether all of s is visible ASCII: no spaces, no controls.
func isVisible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// quote returns s in quotes, with everything that is not printable as an escape, and cut short.
func quote(s string) string {
	if len(s) > maxShown {
		return strconv.Quote(s[:maxShown]) + "..."
	}
	return strconv.Quote(s)
}

// upper returns s with its letters in upper case if all of it is ASCII. Otherwise it returns s, and
// no letter of another script becomes an ASCII one.
func upper(s string) string {
	if NeedsUTF8(s) {
		return s
	}
	return strings.ToUpper(s)
}

// equalFold reports whether s is the ASCII word in any case. Letters of other scripts that Unicode
// folds into ASCII ones are more than one octet, so they do not count.
func equalFold(s, word string) bool {
	return len(s) == len(word) && strings.EqualFold(s, word)
}

// cutPrefixFold is strings.CutPrefix for an ASCII prefix in any case.
func cutPrefixFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !equalFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
