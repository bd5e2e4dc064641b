package smtp

import (
	"encoding/base64"
	"strings"
)

// maxMechanism is the length of a mechanism's name: RFC 4422, section 3.1.
const maxMechanism = 20

// AppendAuth appends an AUTH command to dst and returns the extended slice: RFC 4954, section 4. A
// nil initial response is none; one that is empty but not nil is sent as such. It returns dst as it
// was and a *ValueError if mechanism cannot be the name of one, or if the line would be longer than
// MaxAuthLine: such a response goes in answer to the server's first challenge.
func AppendAuth(dst []byte, mechanism string, initial []byte) ([]byte, error) {
	if !isMechanism(mechanism) {
		return dst, valueError("AUTH", mechanism, "it is not a mechanism")
	}
	length := len("AUTH ") + len(mechanism) + len(" ") +
		base64.StdEncoding.EncodedLen(len(initial)) + len("\r\n")
	if length > MaxAuthLine {
		return dst, valueError("AUTH", mechanism, "the initial response is too long")
	}
	dst = append(dst, "AUTH "...)
	dst = append(dst, mechanism...)
	switch {
	case initial == nil:
	case len(initial) == 0:
		dst = append(dst, " ="...)
	default:
		dst = append(dst, ' ')
		dst = base64.StdEncoding.AppendEncode(dst, initial)
	}
	return append(dst, "\r\n"...), nil
}

// ParseAuth reads the argument of AUTH: the mechanism, in upper case, and the initial response,
// which is nil if there is none. The error is a *Reply with 501.
func ParseAuth(arg string) (mechanism string, initial []byte, err error) {
	word, encoded := cutWord(arg)
	mechanism = upper(word)
	switch {
	case !isMechanism(mechanism):
		return "", nil, refuse(CodeArgumentError, EnhancedCode{5, 5, 4},
			"Syntax: AUTH mechanism [initial-response]")
	case encoded == "":
		return mechanism, nil, nil
	case encoded == "=":
		return mechanism, []byte{}, nil
	}
	initial, err = decodeBase64(encoded)
	return mechanism, initial, err
}

// AppendAuthResponse appends the line to dst that answers a challenge, and returns the extended
// slice.
func AppendAuthResponse(dst, response []byte) []byte {
	dst = base64.StdEncoding.AppendEncode(dst, response)
	return append(dst, "\r\n"...)
}

// ParseAuthResponse reads the line that answers a challenge, without its CRLF. The error is a
// *Reply: 501 if the client gave up with a single *, or sent what is not base64, and 500 if the
// line is longer than MaxAuthLine.
func ParseAuthResponse(line []byte) ([]byte, error) {
	switch {
	case string(line) == "*":
		return nil, refuse(CodeArgumentError, EnhancedCode{5, 7, 0}, "Authentication cancelled")
	case len(line)+len("\r\n") > MaxAuthLine:
		return nil, refuse(CodeSyntaxError, EnhancedCode{5, 5, 6}, "Authentication line too long")
	}
	return decodeBase64(string(line))
}

// Challenge returns what the server says in a reply with the code 334, without its encoding: RFC
// 4954, section 4. It returns false if the text is not base64.
func (r *Reply) Challenge() (challenge []byte, ok bool) {
	challenge, err := decodeBase64(strings.TrimSpace(strings.Join(r.Lines, "")))
	return challenge, err == nil
}

// decodeBase64 is as strict as RFC 4954 asks: the decoder of the standard library passes over line
// ends, but these are no part of a line.
func decodeBase64(s string) ([]byte, error) {
	decoded, err := base64.StdEncoding.DecodeString(s)
	if err != nil || !isVisible(s) {
		return nil, refuse(CodeArgumentError, EnhancedCode{5, 5, 2}, "Malformed base64")
	}
	return decoded, nil
}

// isMechanism reports whether s, in any case, can name a mechanism.
func isMechanism(s string) bool {
	for i := range len(s) {
		if !isLetDig(s[i]) && s[i] != '-' && s[i] != '_' {
			return false
		}
	}
	return s != "" && len(s) <= maxMechanism
}
