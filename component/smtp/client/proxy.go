package client

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
)

// A Proxy is whom a proxy speaks for: the header of HAProxy's PROXY protocol. Source and
// Destination are both IPv4 or both IPv6; an IPv4 address that is mapped to IPv6 counts as IPv4.
type Proxy struct {
	Version     int            // 1, of text, or 2, binary; 0 means 1
	Source      netip.AddrPort // the client's; the zero value means that it is not known
	Destination netip.AddrPort // where the client had connected to; if Source is known, so is this
}

// What begins, and what follows in, a header of version 2.
const (
	proxySignature = "\r\n\r\n\x00\r\nQUIT\n"

	proxyLocal = 0x20 // version 2, LOCAL: the proxy speaks for itself
	proxyProxy = 0x21 // version 2, PROXY

	proxyNone = 0x00
	proxyTCP4 = 0x11
	proxyTCP6 = 0x21
)

// check returns what makes it impossible to announce p. nil means that nothing is announced.
func (p *Proxy) check() error {
	switch {
	case p == nil:
		return nil
	case p.Version < 0 || p.Version > 2:
		return fmt.Errorf("smtp client: Proxy: version %d is unknown", p.Version)
	case !p.Source.IsValid():
		return nil
	case !p.Destination.IsValid():
		return errors.New("smtp client: Proxy has a Source and no Destination")
	}
	if from, to := p.ends(); from.Addr().Is4() != to.Addr().Is4() {
		return errors.New("smtp client: Proxy: one address is IPv4 and one IPv6")
	}
	return nil
}

// append appends the header to dst and returns the extended slice. The error is check's.
func (p *Proxy) append(dst []byte) ([]byte, error) {
	if err := p.check(); err != nil || p == nil {
		return dst, err
	}
	if p.Version == 2 {
		return p.appendBinary(dst), nil
	}
	return p.appendText(dst), nil
}

func (p *Proxy) appendText(dst []byte) []byte {
	if !p.Source.IsValid() {
		return append(dst, "PROXY UNKNOWN\r\n"...)
	}
	from, to := p.ends()
	family := "PROXY TCP6 "
	if from.Addr().Is4() {
		family = "PROXY TCP4 "
	}
	dst = append(dst, family...)
	dst = append(from.Addr().AppendTo(dst), ' ')
	dst = append(to.Addr().AppendTo(dst), ' ')
	dst = append(strconv.AppendUint(dst, uint64(from.Port()), 10), ' ')
	return append(strconv.AppendUint(dst, uint64(to.Port()), 10), "\r\n"...)
}

func (p *Proxy) appendBinary(dst []byte) []byte {
	dst = append(dst, proxySignature...)
	if !p.Source.IsValid() {
		return append(dst, proxyLocal, proxyNone, 0, 0)
	}
	from, to := p.ends()
	family := byte(proxyTCP6)
	if from.Addr().Is4() {
		family = proxyTCP4
	}
	fromIP, toIP := from.Addr().AsSlice(), to.Addr().AsSlice()
	dst = append(dst, proxyProxy, family)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(fromIP)+len(toIP)+2+2))
	dst = append(append(dst, fromIP...), toIP...)
	dst = binary.BigEndian.AppendUint16(dst, from.Port())
	return binary.BigEndian.AppendUint16(dst, to.Port())
}

// ends returns the two ends in the form in which the header has them: a zone means nothing to
// others.
func (p *Proxy) ends() (from, to netip.AddrPort) {
	plain := func(a netip.AddrPort) netip.AddrPort {
		return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
	}
	return plain(p.Source), plain(p.Destination)
}
