package sim

import (
	"net"
	"net/netip"
	"slices"
	"syscall"

	"github.com/go-poe/poe/kernel"
)

// The ports that the machine chooses itself.
const (
	firstPort = 32768
	lastPort  = 60999
)

// A port is one of TCP or of UDP.
type port struct {
	network string // "tcp" or "udp"
	number  uint16
}

// A binding is a socket's hold on a port.
type binding struct {
	port  port
	ip    netip.Addr // never an IPv4 address in an IPv6 one
	dual  bool       // ip is ::, and IPv4 is meant as well
	reuse bool       // ReuseAddr was set
	s     *stream    // one of the two
	d     *datagram
}

// covers reports whether what is sent to ip is for b.
func (b *binding) covers(ip netip.Addr) bool {
	if b.ip.IsUnspecified() {
		return b.dual || b.ip.Is4() == ip.Is4()
	}
	return b.ip == ip
}

// clashes reports whether b cannot have its port because of other. With ReuseAddr it can while the
// other does not listen.
func (b *binding) clashes(other *binding) bool {
	if !b.covers(other.ip) && !other.covers(b.ip) {
		return false
	}
	return !b.reuse || !other.reuse || other.listens()
}

func (b *binding) listens() bool { return b.s != nil && b.s.state == listening }

// bind gives b its port, or one that is free if it names none.
func (m *Machine) bind(b *binding) error {
	if !b.ip.IsUnspecified() && !b.ip.IsLoopback() {
		switch owner := m.w.owners[b.ip]; owner {
		case m:
		case nil:
			m.AddAddress(b.ip)
		default:
			return syscall.EADDRNOTAVAIL
		}
	}
	if b.port.number == 0 {
		return m.bindAny(b)
	}
	if m.taken(b) {
		return syscall.EADDRINUSE
	}
	m.ports[b.port] = append(m.ports[b.port], b)
	return nil
}

func (m *Machine) taken(b *binding) bool {
	return slices.ContainsFunc(m.ports[b.port], func(other *binding) bool {
		return other != b && b.clashes(other)
	})
}

// bindAny gives b the next port that nobody has.
func (m *Machine) bindAny(b *binding) error {
	for range lastPort - firstPort + 1 {
		b.port.number = m.nextPt
		if m.nextPt++; m.nextPt > lastPort {
			m.nextPt = firstPort
		}
		if len(m.ports[b.port]) == 0 {
			m.ports[b.port] = []*binding{b}
			return nil
		}
	}
	b.port.number = 0
	return syscall.EADDRINUSE
}

func (m *Machine) unbind(b *binding) {
	if b == nil {
		return
	}
	rest := slices.DeleteFunc(m.ports[b.port], func(x *binding) bool { return x == b })
	if len(rest) == 0 {
		delete(m.ports, b.port)
		return
	}
	m.ports[b.port] = rest
}

// bound returns the binding that accept takes of those that what is sent to an address is for. One
// to the address itself goes before one to all addresses.
func (m *Machine) bound(network string, to netip.AddrPort, accept func(*binding) bool) *binding {
	var best *binding
	for _, b := range m.ports[port{network, to.Port()}] {
		if b.covers(to.Addr()) && accept(b) && (best == nil || best.ip.IsUnspecified()) {
			best = b
		}
	}
	return best
}

// route returns the machine that has an address, as seen from m, or nil.
func (m *Machine) route(ip netip.Addr) *Machine {
	if ip.IsLoopback() {
		return m
	}
	return m.w.owners[ip]
}

// source returns the address from which m sends to an address.
func (m *Machine) source(to netip.Addr) netip.Addr {
	if to.IsLoopback() || m.w.owners[to] == m {
		return to
	}
	i := slices.IndexFunc(m.addrs, func(a netip.Addr) bool { return a.Is4() == to.Is4() })
	return m.addrs[i] // each machine has one of each kind
}

// BlackHole makes the addresses of a prefix swallow what is sent to them: a connect fails with
// ETIMEDOUT, after Options.ConnectTimeout, and datagrams are lost. Connections that exist are left
// alone.
func (w *World) BlackHole(prefix netip.Prefix) { w.holes = append(w.holes, prefix.Masked()) }

// swallows reports whether an address is in a black hole.
func (w *World) swallows(ip netip.Addr) bool {
	return slices.ContainsFunc(w.holes, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// A family is what a socket of the IP kind can talk to.
type family struct {
	name    string // "tcp4" and so on
	network string // "tcp" or "udp"
	v6      bool
	v6only  bool
}

var families = map[string]family{
	"tcp4": {name: "tcp4", network: "tcp"},
	"tcp6": {name: "tcp6", network: "tcp", v6: true},
	"udp4": {name: "udp4", network: "udp"},
	"udp6": {name: "udp6", network: "udp", v6: true},
	"unix": {name: "unix"},
}

// failed says what failed, and with whom. It returns nil for nil.
func (f *family) failed(op string, addr net.Addr, err error) error {
	if err == nil {
		return nil
	}
	return &net.OpError{Op: op, Net: f.name, Addr: addr, Err: err}
}

// parse takes the address of a net.Addr. One that is not given is that of all addresses.
func (f *family) parse(addr net.Addr) (netip.AddrPort, error) {
	var ip net.IP
	var number int
	switch a := addr.(type) {
	case *net.TCPAddr:
		if f.network != "tcp" || a == nil {
			return netip.AddrPort{}, f.foreign(addr)
		}
		ip, number = a.IP, a.Port
	case *net.UDPAddr:
		if f.network != "udp" || a == nil {
			return netip.AddrPort{}, f.foreign(addr)
		}
		ip, number = a.IP, a.Port
	default:
		return netip.AddrPort{}, f.foreign(addr)
	}
	a, ok := netip.AddrFromSlice(ip)
	a = a.Unmap()
	switch {
	case number < 0 || number > 65535, !ok && len(ip) > 0, !f.v6 && a.Is6():
		return netip.AddrPort{}, f.foreign(addr)
	case !ok && f.v6, f.v6 && a == netip.IPv4Unspecified():
		a = netip.IPv6Unspecified()
	case !ok:
		a = netip.IPv4Unspecified()
	case f.v6 && f.v6only && a.Is4():
		return netip.AddrPort{}, syscall.ENETUNREACH
	}
	return netip.AddrPortFrom(a, uint16(number)), nil
}

// foreign is the error for an address of another network.
func (f *family) foreign(addr net.Addr) error {
	text := "<nil>"
	if addr != nil {
		text = addr.String()
	}
	return &net.AddrError{Err: "not an address of network " + f.name, Addr: text}
}

// destination is parse for an address to which something is to go. All addresses are then the
// machine itself.
func (f *family) destination(addr net.Addr) (netip.AddrPort, error) {
	to, err := f.parse(addr)
	if to.Addr().IsUnspecified() {
		local := netip.AddrFrom4([4]byte{127, 0, 0, 1})
		if f.v6 {
			local = netip.IPv6Loopback()
		}
		to = netip.AddrPortFrom(local, to.Port())
	}
	return to, err
}

// addr makes a net.Addr of an address.
func (f *family) addr(a netip.AddrPort) net.Addr {
	if f.network == "tcp" {
		return net.TCPAddrFromAddrPort(a)
	}
	return net.UDPAddrFromAddrPort(a)
}

// any returns the address of all addresses.
func (f *family) any() netip.AddrPort {
	if f.v6 {
		return netip.AddrPortFrom(netip.IPv6Unspecified(), 0)
	}
	return netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
}

// binding begins a binding to an address.
func (f *family) binding(to netip.AddrPort, reuse bool) *binding {
	return &binding{
		port:  port{f.network, to.Port()},
		ip:    to.Addr(),
		dual:  f.v6 && !f.v6only && to.Addr() == netip.IPv6Unspecified(),
		reuse: reuse,
	}
}

// switches are the options that a socket was given.
type switches struct {
	reuse     bool
	broadcast bool
}

// set sets an option of a socket. One that the kind of socket does not know gets ENOPROTOOPT.
func (s *switches) set(f *family, option kernel.SocketOption, on, bound bool) error {
	unknown := false
	switch option {
	case kernel.ReuseAddr:
		s.reuse = on
	case kernel.KeepAlive:
	case kernel.Broadcast:
		s.broadcast = on
	case kernel.NoDelay:
		unknown = f.network != "tcp"
	case kernel.V6Only:
		if f.v6 && bound {
			return syscall.EINVAL
		}
		unknown = !f.v6
		f.v6only = on && f.v6
	default:
		unknown = true
	}
	if unknown {
		return syscall.ENOPROTOOPT
	}
	return nil
}
