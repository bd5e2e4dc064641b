package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"strings"
	"time"
)

// maxHeader is how long the header of a message may be in octets, where it has to be looked at.
const maxHeader = 1 << 20

var errHeaderTooLong = fmt.Errorf("the header of the message is longer than %d octets", maxHeader)

// A header is the fields of a message, in their order.
type header struct{ fields []field }

// A field is one field of a header, as it stands in the message: folded, and with its line ends.
type field struct {
	name string
	raw  []byte
}

// readHeader reads the header of a message, and leaves r where the body begins. A message may have
// no header at all: the body begins with the first line that cannot be of one. What a mailbox file
// has in front of a message is dropped.
func readHeader(r *bufio.Reader) (*header, error) {
	h := &header{}
	for size := 0; ; {
		first, err := r.Peek(1)
		switch {
		case errors.Is(err, io.EOF):
			return h, nil
		case err != nil:
			return nil, err
		}
		if len(h.fields) > 0 && (first[0] == ' ' || first[0] == '\t') {
			line, err := readLine(r, maxHeader-size)
			if err != nil {
				return nil, err
			}
			size += len(line)
			last := &h.fields[len(h.fields)-1]
			last.raw = append(last.raw, line...)
			continue
		}
		envelope := size == 0 && (startsWith(r, "From ") || startsWith(r, ">From "))
		name, isField := fieldName(r)
		if !isField && !envelope {
			return h, skipBlank(r)
		}
		line, err := readLine(r, maxHeader-size)
		if err != nil {
			return nil, err
		}
		size += len(line)
		if !envelope {
			h.fields = append(h.fields, field{name, line})
		}
	}
}

// maxFieldName is how far the colon is looked for.
const maxFieldName = 256

// fieldName returns the name of the field that comes next, if one does.
func fieldName(r *bufio.Reader) (string, bool) {
	next, _ := r.Peek(maxFieldName) // fewer will do
	name, _, ok := bytes.Cut(next, []byte(":"))
	name = bytes.TrimRight(name, " \t")
	if !ok || len(name) == 0 {
		return "", false
	}
	for _, c := range name {
		if c <= ' ' || c > '~' {
			return "", false
		}
	}
	return string(name), true
}

func startsWith(r *bufio.Reader, s string) bool {
	next, _ := r.Peek(len(s))
	return string(next) == s
}

// skipBlank skips the line between header and body, if it is there.
func skipBlank(r *bufio.Reader) error {
	for _, end := range []string{"\r\n", "\n"} {
		if startsWith(r, end) {
			_, err := r.Discard(len(end))
			return err
		}
	}
	return nil
}

// readLine reads one line with its end, which the last line of all may lack.
func readLine(r *bufio.Reader, most int) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > most {
			return nil, errHeaderTooLong
		}
		line = append(line, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return append(line, "\r\n"...), nil
		default:
			return line, err
		}
	}
}

// values returns the values of all fields of a name.
func (h *header) values(name string) []string {
	var values []string
	for _, f := range h.fields {
		if strings.EqualFold(f.name, name) {
			_, value, _ := strings.Cut(string(f.raw), ":")
			values = append(values, strings.TrimSpace(value))
		}
	}
	return values
}

func (h *header) has(name string) bool { return len(h.values(name)) > 0 }

// remove takes all fields of a name out.
func (h *header) remove(name string) {
	kept := h.fields[:0]
	for _, f := range h.fields {
		if !strings.EqualFold(f.name, name) {
			kept = append(kept, f)
		}
	}
	h.fields = kept
}

// add adds a field, whose value is one line.
func (h *header) add(name, value string) {
	h.fields = append(h.fields, field{name, []byte(name + ": " + value + "\r\n")})
}

// bytes returns the header with the empty line after it.
func (h *header) bytes() []byte {
	var text []byte
	for _, f := range h.fields {
		text = append(text, f.raw...)
	}
	return append(text, "\r\n"...)
}

// takeRecipients returns the addresses in To, Cc and Bcc. Of a message that is sent again by
// somebody else, they are in Resent-To, Resent-Cc and Resent-Bcc (RFC 5322, section 3.6.6). Bcc is
// taken out.
func (h *header) takeRecipients(domain string) []string {
	prefix := ""
	if h.has("Resent-To") || h.has("Resent-Cc") || h.has("Resent-Bcc") {
		prefix = "Resent-"
	}
	var to []string
	seen := make(map[string]bool)
	for _, name := range []string{"To", "Cc", "Bcc"} {
		for _, value := range h.values(prefix + name) {
			for _, address := range headerAddresses(value) {
				if address = qualify(address, domain); !seen[address] {
					seen[address] = true
					to = append(to, address)
				}
			}
		}
	}
	h.remove("Bcc")
	h.remove("Resent-Bcc")
	return to
}

// complete adds what each message must have: RFC 5322, section 3.6.
func (h *header) complete(from mailbox, domain string, now time.Time) {
	if !h.has("From") {
		address := mail.Address{Name: from.name, Address: from.address}
		h.add("From", address.String())
	}
	if !h.has("Date") {
		h.add("Date", now.Format(dateFormat))
	}
	if !h.has("Message-ID") {
		h.add("Message-ID", newMessageID(domain, now))
	}
}

// dateFormat is the date of RFC 5322, section 3.3.
const dateFormat = "Mon, 02 Jan 2006 15:04:05 -0700"

// newMessageID returns an identifier that no other message has.
func newMessageID(domain string, now time.Time) string {
	return fmt.Sprintf("<%s.%s@%s>", now.UTC().Format("20060102150405"), rand.Text(), domain)
}
