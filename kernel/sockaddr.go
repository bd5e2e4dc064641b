package kernel

import (
	"bytes"
	"net"
	"strconv"

	"golang.org/x/sys/unix"
)

// family returns what the system calls a network.
func family(network string) (domain, kind int, err error) {
	switch network {
	case "tcp4":
		return unix.AF_INET, unix.SOCK_STREAM, nil
	case "tcp6":
		return unix.AF_INET6, unix.SOCK_STREAM, nil
	case "udp4":
		return unix.AF_INET, unix.SOCK_DGRAM, nil
	case "udp6":
		return unix.AF_INET6, unix.SOCK_DGRAM, nil
	case "unix":
		return unix.AF_UNIX, unix.SOCK_STREAM, nil
	default:
		return 0, 0, net.UnknownNetworkError(network)
	}
}

// networkOf returns the network of a socket with the name and the kind, or "" if it is none of
// ours.
func networkOf(name unix.Sockaddr, kind int) string {
	stream, datagram := "", ""
	switch name.(type) {
	case *unix.SockaddrInet4:
		stream, datagram = "tcp4", "udp4"
	case *unix.SockaddrInet6:
		stream, datagram = "tcp6", "udp6"
	case *unix.SockaddrUnix:
		stream = "unix"
	}
	switch kind {
	case unix.SOCK_STREAM:
		return stream
	case unix.SOCK_DGRAM:
		return datagram
	default:
		return ""
	}
}

// sockaddrOf returns addr in the form that the system takes for a network. An address of another
// network is an *net.AddrError.
func sockaddrOf(network string, addr net.Addr) (unix.Sockaddr, error) {
	switch a := addr.(type) {
	case *net.TCPAddr:
		if a != nil && (network == "tcp4" || network == "tcp6") {
			return inet(network == "tcp6", a.IP, a.Port, a.Zone)
		}
	case *net.UDPAddr:
		if a != nil && (network == "udp4" || network == "udp6") {
			return inet(network == "udp6", a.IP, a.Port, a.Zone)
		}
	case *net.UnixAddr:
		if a != nil && network == "unix" {
			return &unix.SockaddrUnix{Name: a.Name}, nil
		}
	}
	text := "<nil>"
	if addr != nil {
		text = addr.String()
	}
	return nil, &net.AddrError{Err: "not an address of network " + network, Addr: text}
}

// inet returns an address of IPv4, or of IPv6 if six. No ip is any address of this machine. On an
// IPv6 socket an IPv4 address is one that is mapped.
func inet(six bool, ip net.IP, port int, zone string) (unix.Sockaddr, error) {
	if port < 0 || port > 65535 {
		return nil, &net.AddrError{Err: "invalid port", Addr: strconv.Itoa(port)}
	}
	if !six {
		sa := &unix.SockaddrInet4{Port: port}
		if len(ip) > 0 {
			four := ip.To4()
			if four == nil {
				return nil, &net.AddrError{Err: "not an IPv4 address", Addr: ip.String()}
			}
			copy(sa.Addr[:], four)
		}
		return sa, nil
	}
	id, err := zoneID(zone)
	if err != nil {
		return nil, err
	}
	sa := &unix.SockaddrInet6{Port: port, ZoneId: id}
	if len(ip) > 0 && !ip.Equal(net.IPv4zero) {
		sixteen := ip.To16()
		if sixteen == nil {
			return nil, &net.AddrError{Err: "not an IPv6 address", Addr: ip.String()}
		}
		copy(sa.Addr[:], sixteen)
	}
	return sa, nil
}

// addrOf returns an address of the system as one of net's, or nil for nil.
func addrOf(network string, name unix.Sockaddr) net.Addr {
	switch sa := name.(type) {
	case *unix.SockaddrInet4:
		return inetAddr(network, bytes.Clone(sa.Addr[:]), sa.Port, "") // sa is larger, and goes
	case *unix.SockaddrInet6:
		ip := net.IP(sa.Addr[:])
		if four := ip.To4(); four != nil {
			ip = four
		}
		return inetAddr(network, ip, sa.Port, zoneName(sa.ZoneId))
	case *unix.SockaddrUnix:
		if sa.Name == "@" { // how x/sys writes that there is none
			return &net.UnixAddr{Net: network}
		}
		return &net.UnixAddr{Name: sa.Name, Net: network}
	default:
		return nil
	}
}

func inetAddr(network string, ip net.IP, port int, zone string) net.Addr {
	if network == "udp4" || network == "udp6" {
		return &net.UDPAddr{IP: ip, Port: port, Zone: zone}
	}
	return &net.TCPAddr{IP: ip, Port: port, Zone: zone}
}

// zoneID returns the number of an IPv6 zone, which is the name of a network interface or its
// number. No zone has the number 0.
func zoneID(zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index), nil
	}
	id, err := strconv.ParseUint(zone, 10, 32)
	if err != nil {
		return 0, &net.AddrError{Err: "no such zone", Addr: zone}
	}
	return uint32(id), nil
}

// zoneName is the reverse of zoneID.
func zoneName(id uint32) string {
	if id == 0 {
		return ""
	}
	if i, err := net.InterfaceByIndex(int(id)); err == nil {
		return i.Name
	}
	return strconv.FormatUint(uint64(id), 10)
}
