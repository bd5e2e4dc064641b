package main

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// splitHostPort cuts HOST:PORT. The port may be missing, and then is def; it may be the name of a
// service. An IPv6 address needs its brackets only if a port follows.
func splitHostPort(s, def string) (host, port string, err error) {
	host, port = s, def
	switch {
	case strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]"):
		host = s[1 : len(s)-1]
	case strings.HasPrefix(s, "[") || strings.Count(s, ":") == 1:
		if host, port, err = net.SplitHostPort(s); err != nil {
			return "", "", fmt.Errorf("%q is not HOST:PORT", s)
		}
	}
	if strings.Contains(host, ":") || strings.HasPrefix(s, "[") {
		if ip, err := netip.ParseAddr(host); err != nil || !ip.Is6() {
			return "", "", fmt.Errorf("%q has no IPv6 address in it", s)
		}
	}
	if _, err := net.LookupPort("tcp", port); err != nil || port == "" {
		return "", "", fmt.Errorf("%q has no port %q", s, port)
	}
	return host, port, nil
}
