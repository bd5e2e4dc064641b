package smtp

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrXtext reports a value that is not xtext, or that decodes to a control character or to invalid
// UTF-8. No parameter of a command has a use for these, and in a header of a report they do harm.
var ErrXtext = errors.New("smtp: malformed xtext")

const upperHex = "0123456789ABCDEF"

// AppendXtext appends s to dst in xtext, which is visible ASCII without + and =, and returns the
// extended slice: RFC 3461, section 4.
func AppendXtext(dst []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if isPlain(c) {
			dst = append(dst, c)
			continue
		}
		dst = append(dst, '+', upperHex[c>>4], upperHex[c&15])
	}
	return dst
}

// DecodeXtext returns what s, which is xtext, stands for. Hexadecimal digits may have either case.
func DecodeXtext(s string) (string, error) {
	if !isVisible(s) {
		return "", ErrXtext
	}
	if !strings.Contains(s, "+") {
		return s, nil
	}
	decoded := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '+' {
			if i+2 >= len(s) {
				return "", ErrXtext
			}
			n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil {
				return "", ErrXtext
			}
			c = byte(n)
			i += 2
		}
		decoded = append(decoded, c)
	}
	return checkDecoded(string(decoded))
}

// AppendAddrXtext appends s, which is valid UTF-8, to dst as utf-8-addr-xtext and returns the
// extended slice. That is the form of an original recipient of type utf-8 that passes through
// servers without SMTPUTF8: RFC 6533, section 3.
func AppendAddrXtext(dst []byte, s string) []byte {
	for _, r := range s {
		if r < utf8.RuneSelf && isPlain(byte(r)) && r != '\\' {
			dst = append(dst, byte(r))
			continue
		}
		dst = append(dst, `\x{`...)
		if r < 0x10 {
			dst = append(dst, '0')
		}
		start := len(dst)
		dst = strconv.AppendUint(dst, uint64(r), 16)
		for i := start; i < len(dst); i++ {
			if dst[i] >= 'a' {
				dst[i] -= 'a' - 'A'
			}
		}
		dst = append(dst, '}')
	}
	return dst
}

// DecodeAddrXtext returns what s stands for, which is utf-8-addr-xtext or, where SMTPUTF8 is in
// use, utf-8-addr-unitext: RFC 6533, section 3.
func DecodeAddrXtext(s string) (string, error) {
	if strings.ContainsAny(s, " +=") {
		return "", ErrXtext
	}
	var decoded []byte
	for {
		plain, rest, found := strings.Cut(s, `\`)
		decoded = append(decoded, plain...)
		if !found {
			return checkDecoded(string(decoded))
		}
		digits, ok := strings.CutPrefix(rest, "x{")
		digits, s, found = strings.Cut(digits, "}")
		if !ok || !found || len(digits) > len("10FFFF") {
			return "", ErrXtext
		}
		r, err := strconv.ParseUint(digits, 16, 32)
		if err != nil || !utf8.ValidRune(rune(r)) {
			return "", ErrXtext
		}
		decoded = utf8.AppendRune(decoded, rune(r))
	}
}

// checkDecoded returns s unless it holds what must not come out of an encoding.
func checkDecoded(s string) (string, error) {
	if textFault(s) != "" {
		return "", ErrXtext
	}
	return s, nil
}

// isPlain reports whether c stands for itself in xtext.
func isPlain(c byte) bool {
	return ' ' < c && c <= '~' && c != '+' && c != '='
}
