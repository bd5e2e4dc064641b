package smtp

import (
	"net/netip"
	"strings"
)

// Limits on addresses in octets, RFC 5321, section 4.5.3.1.
const (
	MaxLocalPart = 64  // with its quotes
	MaxDomain    = 255 // with the brackets of a literal
	MaxPath      = 256 // with its angle brackets, and its source route
)

const reasonLocalRune = "the local part has a character that it may not have"

// An Address is what MAIL and RCPT have between their angle brackets. The zero value is the null
// path <>, the sender of a delivery report. Two Addresses that are equal name the same mailbox; so
// may two that are not, since domains have no case.
type Address struct {
	// Local is the part before the @ as it is meant, without quotes and backslashes.
	Local string

	// Domain is a domain name, or an address literal with its brackets, as it was written. Only the
	// null path and postmaster may be without.
	Domain string
}

// AddressOptions are how strictly an address is read. The zero value is RFC 5321 without
// extensions.
type AddressOptions struct {
	// UTF8 takes letters of all scripts, in UTF-8: RFC 6531, section 3.3.
	UTF8 bool

	// LongLocal takes a local part of more than MaxLocalPart octets if the whole path is not too
	// long. Return paths that hold the recipient's address, or a signature, often are like that.
	LongLocal bool
}

// ParseAddress reads a mailbox, without angle brackets, to its end: RFC 5321, section 4.1.2. The
// only one that may have no domain is postmaster. The error is a *ValueError.
func ParseAddress(s string, opts AddressOptions) (Address, error) {
	if len(s)+len("<>") > MaxPath {
		return Address{}, badAddress(s, "it is too long")
	}
	local, domain, reason := cutLocal(s, opts)
	if reason != "" {
		return Address{}, badAddress(s, reason)
	}
	return newAddress(s, local, domain, opts)
}

// ParsePath reads the path at the beginning of s, angle brackets and all, and returns what follows
// it. A path is a mailbox, or nothing, or postmaster. A source route in front of the mailbox is
// checked and then forgotten, as RFC 5321, appendix C, asks. The error is a *ValueError.
func ParsePath(s string, opts AddressOptions) (a Address, rest string, err error) {
	inner, ok := strings.CutPrefix(s, "<")
	if !ok {
		return Address{}, s, badAddress(s, "it does not begin with <")
	}
	if rest, ok = strings.CutPrefix(inner, ">"); ok {
		return Address{}, rest, nil
	}
	inner, reason := skipRoute(inner)
	if reason != "" {
		return Address{}, s, badAddress(s, reason)
	}
	local, inner, reason := cutLocal(inner, opts)
	if reason != "" {
		return Address{}, s, badAddress(s, reason)
	}
	domain, rest, ok := strings.Cut(inner, ">")
	if !ok {
		return Address{}, s, badAddress(s, "it does not end with >")
	}
	path := s[:len(s)-len(rest)]
	if len(path) > MaxPath {
		return Address{}, s, badAddress(path, "it is too long")
	}
	a, err = newAddress(path, local, domain, opts)
	return a, rest, err
}

// newAddress makes the address of a local part that is right and a domain that may not be. The
// domain still has its @, unless there is none.
func newAddress(whole, local, domain string, opts AddressOptions) (Address, error) {
	switch {
	case domain == "" && equalFold(local, "postmaster"):
		return Address{Local: local}, nil
	case domain == "":
		return Address{}, badAddress(whole, "the domain is missing")
	case domain[0] != '@':
		return Address{}, badAddress(whole, reasonLocalRune)
	}
	domain = domain[1:]
	if reason := domainFault(domain, opts.UTF8); reason != "" {
		return Address{}, badAddress(whole, reason)
	}
	return Address{Local: local, Domain: domain}, nil
}

// IsNull reports whether a is the null path.
func (a Address) IsNull() bool { return a == Address{} }

// NeedsUTF8 reports whether the address can be sent only to a server that offers SMTPUTF8.
func (a Address) NeedsUTF8() bool { return NeedsUTF8(a.Local) || NeedsUTF8(a.Domain) }

// Literal returns the IP address of a mailbox whose domain is an address literal.
func (a Address) Literal() (ip netip.Addr, ok bool) { return ParseLiteral(a.Domain) }

// String returns the address without angle brackets, with no more quotes than it needs. The null
// path is the empty string.
func (a Address) String() string { return string(a.Append(nil)) }

// Append appends what String returns to dst and returns the extended slice.
func (a Address) Append(dst []byte) []byte {
	switch {
	case a.IsNull():
		return dst
	case isDotString(a.Local):
		dst = append(dst, a.Local...)
	default:
		dst = appendQuoted(dst, a.Local)
	}
	if a.Domain != "" {
		dst = append(dst, '@')
		dst = append(dst, a.Domain...)
	}
	return dst
}

// appendQuoted appends s as a quoted string.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, s[i])
	}
	return append(dst, '"')
}

// skipRoute returns what follows the source route at the beginning of s, if there is one.
func skipRoute(s string) (rest, reason string) {
	if !strings.HasPrefix(s, "@") {
		return s, ""
	}
	route, rest, ok := strings.Cut(s, ":")
	if !ok {
		return s, "the local part is missing"
	}
	for hop := range strings.SplitSeq(route, ",") {
		host, ok := strings.CutPrefix(hop, "@")
		if !ok || strings.HasPrefix(host, "[") || domainFault(host, false) != "" {
			return s, "the source route is malformed"
		}
	}
	return rest, ""
}

// cutLocal cuts the local part off s and returns it without quotes.
func cutLocal(s string, opts AddressOptions) (local, rest, reason string) {
	if strings.HasPrefix(s, `"`) {
		local, rest, reason = cutQuoted(s)
	} else {
		local, rest, reason = cutDotString(s)
	}
	switch written := len(s) - len(rest); {
	case reason != "":
		return "", s, reason
	case written > MaxLocalPart && !opts.LongLocal:
		return "", s, "the local part is too long"
	case !opts.UTF8 && NeedsUTF8(local):
		return "", s, "the local part is not ASCII"
	}
	return local, rest, ""
}

// cutDotString cuts off as much as may stand in a local part without quotes.
func cutDotString(s string) (local, rest, reason string) {
	end := len(s)
	for i, r := range s {
		if r != '.' && !isAtomRune(s[i:], r) {
			end = i
			break
		}
	}
	switch local = s[:end]; {
	case isDotString(local):
		return local, s[end:], ""
	case local != "":
		return "", s, "the local part has a dot with nothing before or after it"
	case s == "" || s[0] == '@' || s[0] == '>':
		return "", s, "the local part is missing"
	default:
		return "", s, reasonLocalRune
	}
}

// cutQuoted cuts off a quoted string, and takes away its quotes and backslashes.
func cutQuoted(s string) (local, rest, reason string) {
	const opening = len(`"`)
	var unescaped []byte // what is before start, once there was a backslash
	start, escaped := opening, false
	for i, r := range s[opening:] {
		i += opening
		switch {
		case isControl(r) || isInvalid(s[i:], r):
			return "", s, reasonControl
		case escaped:
			if r > '~' {
				return "", s, "a backslash stands before a character that is not ASCII"
			}
			escaped = false
		case r == '\\':
			unescaped = append(unescaped, s[start:i]...)
			start, escaped = i+1, true
		case r == '"':
			rest = s[i+1:]
			if unescaped == nil {
				return s[start:i], rest, ""
			}
			return string(append(unescaped, s[start:i]...)), rest, ""
		}
	}
	return "", s, "a quote is not closed"
}

// isDotString reports whether s is a local part that needs no quotes.
func isDotString(s string) bool {
	dot := true // the last character was one, or there was none
	for i, r := range s {
		if r == '.' && dot || r != '.' && !isAtomRune(s[i:], r) {
			return false
		}
		dot = r == '.'
	}
	return !dot
}

// isAtomRune reports whether r, the first character of s, may stand in an atom: RFC 5321, section
// 4.1.2, and RFC 6531, section 3.3. Whether UTF-8 is allowed is not its question.
func isAtomRune(s string, r rune) bool {
	switch {
	case r > '~':
		return !isControl(r) && !isInvalid(s, r)
	case isLetDig(byte(r)):
		return true
	default:
		return strings.IndexByte("!#$%&'*+-/=?^_`{|}~", byte(r)) >= 0
	}
}

func badAddress(s, reason string) error {
	return &ValueError{Field: "address", Value: s, Reason: reason}
}
