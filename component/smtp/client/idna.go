package client

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"

	"github.com/go-poe/poe/component/smtp"
)

// maxUnicodeName is how long, in octets, a name in another script may be: as long as one whose
// every character takes four octets.
const maxUnicodeName = 4 * smtp.MaxDomain

// asciiHost returns the name of a host as the DNS has it: labels in other scripts become A-labels
// (RFC 5891, section 5, after the mapping of UTS 46). A name or an IP address in ASCII comes back
// as it is. The path of a unix socket is neither.
func asciiHost(name string) (string, error) {
	if !smtp.NeedsUTF8(name) {
		return name, smtp.CheckHost("host", name)
	}
	if err := smtp.CheckText("host", name); err != nil {
		return "", err
	}
	if len(name) > maxUnicodeName {
		return "", hostError(name, errors.New("it is too long"))
	}
	ascii, err := idna.Lookup.ToASCII(name)
	if err == nil {
		err = smtp.CheckDomain(strings.TrimSuffix(ascii, "."), false)
	}
	if err != nil {
		return "", hostError(name, err)
	}
	// Digits of other scripts are mapped, too, and whoever allows a name means no address by it.
	if _, err := netip.ParseAddr(strings.TrimSuffix(ascii, ".")); err == nil {
		return "", hostError(name, errors.New("it stands for an IP address"))
	}
	return ascii, nil
}

func hostError(name string, err error) error {
	return fmt.Errorf("smtp client: host %.*q: %w", maxQuoted, name, err)
}

// asciiAddress returns an address for a server without SMTPUTF8. If only its domain is in another
// script, that becomes A-labels. It returns false if there is no such address, since the local part
// means something to the server of its domain only, or the domain cannot be that of a host.
func asciiAddress(addr string) (ascii string, ok bool) {
	if !smtp.NeedsUTF8(addr) {
		return addr, true
	}
	local, domain := smtp.SplitAddress(addr)
	if smtp.NeedsUTF8(local) {
		return "", false
	}
	host, err := asciiHost(domain)
	if err != nil || strings.HasSuffix(host, ".") {
		return "", false
	}
	return local + "@" + host, true
}
