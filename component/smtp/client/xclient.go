package client

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/go-poe/poe/component/smtp"
)

// An xclientAttr is one attribute of XCLIENT: its name, and its value as it is meant.
type xclientAttr struct {
	name, value string
}

// checkXClient returns an error if one of attrs is not of the form NAME=value, or may not go on the
// wire, or if all of them do not fit in one command.
func checkXClient(attrs []string) error {
	parsed, err := parseXClient(attrs)
	if err == nil && len(parsed) > 0 {
		_, err = encodeXClient(nil, parsed)
	}
	return err
}

// appendXClient appends the command XCLIENT with attrs to dst and returns the extended slice. An
// attribute is NAME=value, with the value as it is meant: it becomes xtext here, and an IPv6
// address gets the prefix that belongs before it. Of a value that is not known, [UNAVAILABLE] is
// sent, and [TEMPUNAVAIL] if it may be known later; nobody but the caller knows which.
//
// Attributes that are not among those offered, which are the parameters of the server's keyword
// XCLIENT, are left out. If none is left, that is an error.
func appendXClient(dst []byte, attrs []string, offered []string) ([]byte, error) {
	parsed, err := parseXClient(attrs)
	if err != nil {
		return dst, err
	}
	parsed = slices.DeleteFunc(parsed, func(a xclientAttr) bool {
		return !slices.ContainsFunc(offered, func(name string) bool {
			return strings.EqualFold(name, a.name)
		})
	})
	return encodeXClient(dst, parsed)
}

// parseXClient reads attributes. None may come twice: the server would take the last.
func parseXClient(attrs []string) ([]xclientAttr, error) {
	parsed := make([]xclientAttr, 0, len(attrs))
	for _, s := range attrs {
		name, value, _ := strings.Cut(s, "=")
		a := xclientAttr{name, value}
		if err := a.check(); err != nil {
			return nil, fmt.Errorf("smtp client: XClient %.*q: %w", maxQuoted, s, err)
		}
		a.name = strings.ToUpper(name)
		twice := func(b xclientAttr) bool { return b.name == a.name }
		if slices.ContainsFunc(parsed, twice) {
			return nil, fmt.Errorf("smtp client: XClient has %s twice", a.name)
		}
		if a.name == "ADDR" || a.name == "DESTADDR" {
			a.value = xclientAddr(a.value)
		}
		parsed = append(parsed, a)
	}
	return parsed, nil
}

// check returns what is wrong with the attribute. Names that nobody knows yet are not.
func (a xclientAttr) check() error {
	for i := range len(a.name) {
		switch c := a.name[i]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return errXClientName
		}
	}
	switch {
	case a.name == "":
		return errXClientName
	case a.value == "":
		return errors.New("it has no value")
	case strings.Contains(a.value, "\t"):
		return errors.New("it has a tab in it")
	}
	return smtp.CheckText(a.name, a.value)
}

// What is wrong with attributes.
var (
	errXClientName = errors.New("an attribute is a name, an equals sign, and a value")
	errXClientNone = errors.New("smtp client: XClient has no attribute that the server takes")
)

// xclientAddr returns an address with the prefix of IPv6, if it is one and has none. The server
// knows no zones.
func xclientAddr(value string) string {
	ip, err := netip.ParseAddr(value)
	if err != nil || !ip.Unmap().Is6() {
		return value
	}
	return "IPV6:" + ip.WithZone("").String()
}

// encodeXClient appends the command.
func encodeXClient(dst []byte, attrs []xclientAttr) ([]byte, error) {
	if len(attrs) == 0 {
		return dst, errXClientNone
	}
	line := append(dst, extXClient...)
	for _, a := range attrs {
		line = append(append(append(line, ' '), a.name...), '=')
		line = smtp.AppendXtext(line, a.value)
	}
	line = append(line, "\r\n"...)
	if n := len(line) - len(dst); n > smtp.MaxCommandLine {
		return dst, fmt.Errorf("smtp client: XClient: %d octets in one command, and %d at the most",
			n, smtp.MaxCommandLine)
	}
	return line, nil
}
