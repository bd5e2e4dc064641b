package smtp

import (
	"strconv"
	"strings"
)

// An EnhancedCode is the class, subject and detail of a reply: RFC 3463 and RFC 2034. The zero
// value stands for none.
type EnhancedCode [3]uint16

// String returns the code as it stands in a reply, "5.1.1", and the empty string for none.
func (c EnhancedCode) String() string {
	if c == (EnhancedCode{}) {
		return ""
	}
	return string(c.Append(nil))
}

// Append appends the code to dst and returns the extended slice.
func (c EnhancedCode) Append(dst []byte) []byte {
	for i, n := range c {
		if i > 0 {
			dst = append(dst, '.')
		}
		dst = strconv.AppendUint(dst, uint64(n), 10)
	}
	return dst
}

// CutEnhancedCode reads the code at the beginning of the text of a reply and returns the text
// behind it, without the space between them. If there is none, it returns the whole text and false.
func CutEnhancedCode(text string) (c EnhancedCode, rest string, ok bool) {
	word, rest, _ := strings.Cut(text, " ")
	for i := range c {
		part, more, dot := strings.Cut(word, ".")
		if dot != (i < len(c)-1) {
			return EnhancedCode{}, text, false
		}
		n, ok := enhancedPart(part)
		if !ok {
			return EnhancedCode{}, text, false
		}
		c[i], word = n, more
	}
	if c[0] != 2 && c[0] != 4 && c[0] != 5 {
		return EnhancedCode{}, text, false
	}
	return c, rest, true
}

// enhancedPart reads one of the three numbers: up to three digits, with no zero in front.
func enhancedPart(s string) (n uint16, ok bool) {
	if s == "" || len(s) > 3 || len(s) > 1 && s[0] == '0' {
		return 0, false
	}
	for i := range len(s) {
		if !isDigit(s[i]) {
			return 0, false
		}
		n = 10*n + uint16(s[i]-'0')
	}
	return n, true
}
