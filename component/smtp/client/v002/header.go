package v002

import (
	"mime"
	"net/mail"
	"strings"
	"time"

	"github.com/go-poe/poe/component/smtp"
)

// userAgent is who says that it has written the header.
const userAgent = "POE for Go"

// dateFormat is that of RFC 5322, section 3.3.
const dateFormat = "Mon, 02 Jan 2006 15:04:05 -0700"

// text returns the whole message: the header, unless the caller has written it, and what is below.
func (m *Message) text(now time.Time) []byte {
	if m.Complete != "" {
		return []byte(m.Complete)
	}
	subject := strings.TrimSpace(m.Subject)
	if subject == "" {
		subject = DefaultSubject
	}
	var text []byte
	for _, field := range []string{
		"To: " + mailbox(m.To, m.Recipient),
		"From: " + mailbox(m.From, m.Sender),
		"Subject: " + mime.QEncoding.Encode("utf-8", subject),
		"Date: " + now.UTC().Format(dateFormat),
		"User-Agent: " + userAgent,
	} {
		text = appendField(text, field)
	}
	text = append(text, "\r\n"...)
	for _, line := range m.Lines {
		text = append(append(text, line...), "\r\n"...)
	}
	return append(text, m.Data...)
}

// mailbox returns an address, with a name if there is one, as a header has it: RFC 5322, section
// 3.4, and RFC 2047, section 5. An address that is not quite right is quoted until it is.
func mailbox(name, addr string) string {
	a, err := smtp.ParseAddress(addr, smtp.AddressOptions{UTF8: true, LongLocal: true})
	if err != nil {
		a.Local, a.Domain = smtp.SplitAddress(addr)
	}
	name = strings.TrimSpace(name)
	if name == "" {
		return a.String()
	}
	phrase := strings.TrimSuffix((&mail.Address{Name: name}).String(), " <@>")
	return phrase + " <" + a.String() + ">"
}

// lineLength is how long a line of a header should be at the most: RFC 5322, section 2.1.1.
const lineLength = 78

// appendField appends a field, folded at its blanks where it is long. Nothing is lost or added but
// the newlines.
func appendField(dst []byte, field string) []byte {
	length := 0
	for field != "" {
		word := nextWord(field)
		if length > 0 && length+len(word) > lineLength {
			dst, length = append(dst, "\r\n"...), 0
		}
		dst = append(dst, word...)
		length += len(word)
		field = field[len(word):]
	}
	return append(dst, "\r\n"...)
}

// nextWord returns s up to the first single blank that is not at its beginning. More than one blank
// in a row stay together, since who reads the header may take a fold for one.
func nextWord(s string) string {
	for i := 1; i < len(s)-1; i++ {
		if s[i] == ' ' && s[i-1] != ' ' && s[i+1] != ' ' {
			return s[:i]
		}
	}
	return s
}
