package client

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

func TestProxy(t *testing.T) {
	var (
		v4   = netip.MustParseAddrPort("192.0.2.1:56324")
		v4to = netip.MustParseAddrPort("198.51.100.2:25")
		v6   = netip.MustParseAddrPort("[2001:db8::1]:65535")
		v6to = netip.MustParseAddrPort("[2001:db8::2]:0")
		zone = netip.MustParseAddrPort("[fe80::1%eth0]:1")
	)
	const signature = "\r\n\r\n\x00\r\nQUIT\n"
	for _, c := range []struct {
		name string
		p    *Proxy
		want string // or, if err is set, what is in the error
		err  bool
	}{
		{"none", nil, "", false},
		{"text, unknown", &Proxy{}, "PROXY UNKNOWN\r\n", false},
		{"text, unknown source", &Proxy{Version: 1, Destination: v4}, "PROXY UNKNOWN\r\n", false},
		{"text, IPv4", &Proxy{Source: v4, Destination: v4to},
			"PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\n", false},
		{"text, IPv6", &Proxy{Version: 1, Source: v6, Destination: v6to},
			"PROXY TCP6 2001:db8::1 2001:db8::2 65535 0\r\n", false},
		{"text, IPv4 in IPv6", &Proxy{Source: mapped(v4), Destination: v4to},
			"PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\n", false},
		{"text, zone", &Proxy{Source: zone, Destination: v6to},
			"PROXY TCP6 fe80::1 2001:db8::2 1 0\r\n", false},
		{"binary, unknown", &Proxy{Version: 2}, signature + "\x20\x00\x00\x00", false},
		{"binary, IPv4", &Proxy{Version: 2, Source: v4, Destination: v4to}, signature +
			"\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x02\xdc\x04\x00\x19", false},
		{"binary, IPv6", &Proxy{Version: 2, Source: v6, Destination: v6to}, signature +
			"\x21\x21\x00\x24" +
			"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" +
			"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02" +
			"\xff\xff\x00\x00", false},
		{"IPv4 to IPv6", &Proxy{Source: v4, Destination: v6to}, "one address", true},
		{"IPv6 to IPv4", &Proxy{Version: 2, Source: v6, Destination: v4to}, "one address", true},
		{"no destination", &Proxy{Source: v4}, "no Destination", true},
		{"version 3", &Proxy{Version: 3}, "version 3", true},
		{"version -1", &Proxy{Version: -1}, "version -1", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.p.append([]byte("> "))
			if check := c.p.check(); fmt.Sprint(check) != fmt.Sprint(err) {
				t.Errorf("check says %v, and append %v", check, err)
			}
			if c.err {
				if err == nil || !strings.Contains(err.Error(), c.want) || string(got) != "> " {
					t.Errorf("got %q %v, want %q", got, err, c.want)
				}
				return
			}
			if string(got) != "> "+c.want || err != nil {
				t.Errorf("got %q %v, want %q", got, err, c.want)
			}
		})
	}
}

func mapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(a.Addr().As16()), a.Port())
}

// Any two ends arrive as they are, in both versions, or are refused in both.
func FuzzProxy(f *testing.F) {
	f.Add([]byte{192, 0, 2, 1}, []byte{198, 51, 100, 2}, uint16(1), uint16(25))
	f.Add(make([]byte, 16), bytes.Repeat([]byte{1}, 16), uint16(0), uint16(65535))
	f.Add(append(make([]byte, 10), 255, 255, 1, 2, 3, 4), []byte{1, 2, 3, 4}, uint16(1), uint16(2))
	f.Fuzz(func(t *testing.T, from, to []byte, fromPort, toPort uint16) {
		a, _ := netip.AddrFromSlice(from)
		b, _ := netip.AddrFromSlice(to)
		p := &Proxy{
			Source:      netip.AddrPortFrom(a, fromPort),
			Destination: netip.AddrPortFrom(b, toPort),
		}
		text, err := p.append(nil)
		p.Version = 2
		bin, err2 := p.append(nil)
		if fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Fatalf("version 1: %v, version 2: %v", err, err2)
		}
		if err != nil {
			return
		}
		gotFrom, gotTo := readProxy(t, text)
		binFrom, binTo := readBinaryProxy(t, bin)
		if gotFrom != binFrom || gotTo != binTo {
			t.Errorf("version 1: %v %v, version 2: %v %v", gotFrom, gotTo, binFrom, binTo)
		}
		wantFrom, wantTo := p.ends()
		if !a.IsValid() {
			wantFrom, wantTo = netip.AddrPort{}, netip.AddrPort{}
		}
		if gotFrom != wantFrom || gotTo != wantTo {
			t.Errorf("got %v %v, want %v %v", gotFrom, gotTo, wantFrom, wantTo)
		}
	})
}

func readProxy(t *testing.T, header []byte) (from, to netip.AddrPort) {
	t.Helper()
	const longest = 107 // of version 1, as its authors count
	line, err := bufio.NewReader(bytes.NewReader(header)).ReadString('\n')
	if err != nil || len(line) != len(header) || len(line) > longest {
		t.Fatalf("header %q", header)
	}
	if line == "PROXY UNKNOWN\r\n" {
		return from, to
	}
	var family, a, b string
	var aPort, bPort uint16
	const form = "PROXY %s %s %s %d %d\r\n"
	if _, err := fmt.Sscanf(line, form, &family, &a, &b, &aPort, &bPort); err != nil {
		t.Fatalf("header %q: %v", header, err)
	}
	from = netip.AddrPortFrom(netip.MustParseAddr(a), aPort)
	to = netip.AddrPortFrom(netip.MustParseAddr(b), bPort)
	if (family == "TCP4") != from.Addr().Is4() || (family == "TCP4") != to.Addr().Is4() {
		t.Errorf("header %q", header)
	}
	return from, to
}

func readBinaryProxy(t *testing.T, header []byte) (from, to netip.AddrPort) {
	t.Helper()
	rest, ok := bytes.CutPrefix(header, []byte("\r\n\r\n\x00\r\nQUIT\n"))
	if !ok || len(rest) < 4 || int(binary.BigEndian.Uint16(rest[2:])) != len(rest)-4 {
		t.Fatalf("header %q", header)
	}
	var n int
	switch kind := string(rest[:2]); kind {
	case "\x20\x00":
	case "\x21\x11":
		n = 4
	case "\x21\x21":
		n = 16
	default:
		t.Fatalf("header %q", header)
	}
	rest = rest[4:]
	if n == 0 && len(rest) == 0 {
		return from, to
	}
	if len(rest) != 2*n+4 {
		t.Fatalf("header %q", header)
	}
	a, _ := netip.AddrFromSlice(rest[:n])
	b, _ := netip.AddrFromSlice(rest[n : 2*n])
	return netip.AddrPortFrom(a, binary.BigEndian.Uint16(rest[2*n:])),
		netip.AddrPortFrom(b, binary.BigEndian.Uint16(rest[2*n+2:]))
}
