package smtp

import (
	"net/netip"
	"strings"
	"unicode"
)

// maxLabel is the length of a label of a domain in octets: RFC 1035, section 2.3.4.
const maxLabel = 63

// CheckDomain returns a *ValueError unless s is a domain name or an address literal, as RFC 5321,
// section 4.1.2, wants it in an address or after EHLO. With utf8 the labels of a domain may be in
// any script: RFC 6531, section 3.3.
//
// Underscores are none of the grammar's characters, but Windows hosts have them in their names. A
// server that checks what comes after EHLO had better not refuse mail for them.
func CheckDomain(s string, utf8 bool) error {
	if reason := domainFault(s, utf8); reason != "" {
		return &ValueError{Field: "domain", Value: s, Reason: reason}
	}
	return nil
}

// ParseLiteral reads an address literal, brackets included: [192.0.2.1] or [IPv6:2001:db8::1]. RFC
// 5321, section 4.1.3. There is no other kind today.
func ParseLiteral(s string) (ip netip.Addr, ok bool) {
	if len(s) > MaxDomain || !strings.HasPrefix(s, "[") || !strings.HasSuffix(s, "]") {
		return netip.Addr{}, false
	}
	inner := s[1 : len(s)-1]
	inner6, six := cutPrefixFold(inner, "IPv6:")
	if six {
		inner = inner6
	}
	ip, err := netip.ParseAddr(inner)
	if err != nil || ip.Is6() != six || ip.Zone() != "" {
		return netip.Addr{}, false
	}
	return ip, true
}

// domainFault says what is wrong with a domain or an address literal; nothing if it is right.
func domainFault(s string, utf8 bool) (reason string) {
	switch {
	case s == "":
		return "the domain is missing"
	case len(s) > MaxDomain:
		return "the domain is too long"
	case s[0] == '[':
		if _, ok := ParseLiteral(s); !ok {
			return "the address literal is malformed"
		}
		return ""
	case !utf8 && NeedsUTF8(s):
		return "the domain is not ASCII"
	}
	for label := range strings.SplitSeq(s, ".") {
		if reason = labelFault(label); reason != "" {
			return reason
		}
	}
	return ""
}

// labelFault says what is wrong with one label of a domain. The length of a label in another
// script is that of its encoded form, so it is left to whoever encodes it.
func labelFault(label string) (reason string) {
	switch {
	case label == "":
		return "the domain has a dot with nothing before or after it"
	case len(label) > maxLabel && !NeedsUTF8(label):
		return "the domain has a label that is too long"
	case label[0] == '-' || label[len(label)-1] == '-':
		return "the domain has a label that begins or ends with a hyphen"
	}
	for _, r := range label {
		if r != '-' && !isLabelRune(r) {
			return "the domain has a character that it may not have"
		}
	}
	return ""
}

// isLabelRune reports whether r may stand in a label. Outside of ASCII that is about what RFC 5892
// allows; invalid UTF-8 is not among it.
func isLabelRune(r rune) bool {
	switch {
	case r < 0x80:
		return isLetDig(byte(r))
	case unicode.In(r, unicode.Letter, unicode.Mark, unicode.Nd):
		return true
	default:
		return strings.ContainsRune("\u00b7\u0375\u05f3\u05f4\u200c\u200d\u30fb", r)
	}
}

// isLetDig reports whether c is an ASCII letter or digit.
func isLetDig(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || isDigit(c)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
