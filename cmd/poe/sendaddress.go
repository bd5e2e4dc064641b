package main

import (
	"fmt"
	"net/mail"
	"strings"
)

// A mailbox is an address, with the name of whom it is of, if that is known.
type mailbox struct {
	name    string
	address string
}

// parseMailbox reads one address as a person gives it: bare, or Name <address>. The null path, <>,
// is a mailbox without an address.
func parseMailbox(s string) (mailbox, error) {
	s = strings.TrimSpace(s)
	if !strings.HasSuffix(s, ">") {
		return mailbox{address: s}, nil
	}
	name, address, _ := strings.Cut(s[:len(s)-1], "<")
	if parsed, err := mail.ParseAddress(s); err == nil {
		return mailbox{name: parsed.Name, address: address}, nil
	}
	if strings.ContainsAny(address, "<>") {
		return mailbox{}, fmt.Errorf("%q is not an address", s)
	}
	return mailbox{name: strings.Trim(strings.TrimSpace(name), `"`), address: address}, nil
}

// qualify adds a domain to the address of somebody on this host.
func qualify(address, domain string) string {
	if address == "" || strings.Contains(address, "@") {
		return address
	}
	return address + "@" + domain
}

// newlines takes out what folds a field, and what is no newline by itself.
var newlines = strings.NewReplacer("\r", "", "\n", "")

// headerAddresses returns the addresses in the value of a field such as To: RFC 5322, section 3.4.
// It is not strict, since what is meant is mostly clear. Comments, names, groups and routes are
// left out.
func headerAddresses(value string) []string {
	value = newlines.Replace(value)
	var found []string
	var word strings.Builder // what is outside of comments
	angle := ""
	inAngle, comments := false, 0
	take := func() {
		address := angle
		if angle == "" {
			address = strings.TrimSpace(word.String())
		}
		if i := strings.LastIndexByte(address, ':'); i >= 0 && strings.HasPrefix(address, "@") {
			address = address[i+1:] // a route: RFC 5322, section 4.4
		}
		if address != "" {
			found = append(found, address)
		}
		word.Reset()
		angle = ""
	}
	quoted := false
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case c == '\\' && (quoted || comments > 0) && i+1 < len(value):
			if comments == 0 {
				word.WriteString(value[i : i+2])
			}
			i++
		case comments > 0:
			comments += depth(c)
		case c == '"':
			quoted = !quoted
			word.WriteByte(c)
		case quoted:
			word.WriteByte(c)
		case c == '(':
			comments++
		case c == '<':
			word.Reset()
			inAngle = true
		case c == '>' && inAngle:
			angle = strings.TrimSpace(word.String())
			inAngle = false
			word.Reset()
		case c == ':' && !inAngle:
			word.Reset() // the name of a group
		case (c == ',' || c == ';') && !inAngle:
			take()
		default:
			word.WriteByte(c)
		}
	}
	take()
	return found
}

// depth is what a character in a comment does to its depth.
func depth(c byte) int {
	switch c {
	case '(':
		return 1
	case ')':
		return -1
	}
	return 0
}
