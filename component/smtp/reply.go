package smtp

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxReplyLine is the length in octets of the longest reply line that a server sends, with its
// CRLF: RFC 5321, section 4.5.3.1.5.
const MaxReplyLine = 512

// A Reply is a server's answer to a command. It is an error, for whoever had hoped for another one.
type Reply struct {
	Code     int          // three digits
	Enhanced EnhancedCode // zero if it has none

	// Lines is the text of each line, without the codes. A reply that was received has one line at
	// least, and it may hold control characters and invalid UTF-8.
	Lines []string
}

// Preliminary reports whether the code is 1yz, which no command of SMTP may be answered with.
func (r *Reply) Preliminary() bool { return r.Code/100 == 1 }

// Positive reports whether the code is 2yz: the command is done.
func (r *Reply) Positive() bool { return r.Code/100 == 2 }

// Intermediate reports whether the code is 3yz: the server waits for the rest.
func (r *Reply) Intermediate() bool { return r.Code/100 == 3 }

// Temporary reports whether the code is 4yz: the same may succeed at another time.
func (r *Reply) Temporary() bool { return r.Code/100 == 4 }

// Permanent reports whether the code is 5yz: the same will fail again.
func (r *Reply) Permanent() bool { return r.Code/100 == 5 }

// Error returns what String returns.
func (r *Reply) Error() string { return r.String() }

// String returns the whole reply as one line that is safe to show: "550 5.1.1 No such user".
// Control characters are blanks in it, and invalid UTF-8 is question marks.
func (r *Reply) String() string {
	line := strconv.AppendInt(nil, int64(r.Code), 10)
	if r.Enhanced != (EnhancedCode{}) {
		line = r.Enhanced.Append(append(line, ' '))
	}
	for _, text := range r.Lines {
		line = appendClean(append(line, ' '), text, true)
	}
	return strings.TrimRight(string(line), " ")
}

// Append appends the reply to dst as a server sends it, and returns the extended slice. No line is
// longer than MaxReplyLine: longer text goes on in the next line, at a space where there is one.
// Each line has the enhanced code. Whatever is in the text, one line stays one line: control
// characters become blanks. All that is not ASCII becomes question marks.
//
// A Reply whose code is not in 100 to 599 makes Append panic.
//
// POE: put of POE::Filter::SMTP.
func (r *Reply) Append(dst []byte) []byte { return r.append(dst, false) }

// AppendUTF8 is Append for a client that asked for SMTPUTF8: it keeps UTF-8 that is valid. RFC
// 6531, section 3.7.4.
func (r *Reply) AppendUTF8(dst []byte) []byte { return r.append(dst, true) }

func (r *Reply) append(dst []byte, keepUTF8 bool) []byte {
	if r.Code < 100 || r.Code > 599 {
		panic(fmt.Sprintf("smtp: Reply has Code %d", r.Code))
	}
	if len(r.Lines) == 0 {
		return r.appendLine(dst, ' ', "", keepUTF8)
	}
	room := MaxReplyLine - len("250-") - len("\r\n")
	if enhanced := r.Enhanced.String(); enhanced != "" {
		room -= len(enhanced) + len(" ")
	}
	last := len(r.Lines) - 1
	for i, rest := range r.Lines {
		for more := true; more; {
			var text string
			text, rest, more = cutText(rest, room)
			separator := byte('-')
			if i == last && !more {
				separator = ' '
			}
			dst = r.appendLine(dst, separator, text, keepUTF8)
		}
	}
	return dst
}

// appendLine appends one line that is known to fit.
func (r *Reply) appendLine(dst []byte, separator byte, text string, keepUTF8 bool) []byte {
	dst = strconv.AppendInt(dst, int64(r.Code), 10)
	dst = append(dst, separator)
	if r.Enhanced != (EnhancedCode{}) {
		dst = append(r.Enhanced.Append(dst), ' ')
	}
	dst = appendClean(dst, text, keepUTF8)
	return append(dst, "\r\n"...)
}

// cutText cuts s so that the first piece is no longer than room, and reports whether there is more.
func cutText(s string, room int) (text, rest string, more bool) {
	if len(s) <= room {
		return s, "", false
	}
	if space := strings.LastIndexByte(s[:room+1], ' '); space > 0 {
		return s[:space], s[space+1:], space+1 < len(s)
	}
	end := room
	for end > room-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end], s[end:], true
}

// appendClean appends text without what could end the line or confuse a terminal.
func appendClean(dst []byte, text string, keepUTF8 bool) []byte {
	for i, r := range text {
		switch {
		case isControl(r):
			dst = append(dst, ' ')
		case r < utf8.RuneSelf:
			dst = append(dst, byte(r))
		case keepUTF8 && !isInvalid(text[i:], r):
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, '?')
		}
	}
	return dst
}
