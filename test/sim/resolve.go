package sim

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// A host is what a name leads to.
type host struct {
	addrs []netip.Addr
	err   error
}

// AddHost makes a name known to Resolve, with its addresses in the order in which Resolve gives
// them. It takes the place of what the name led to before. The case of letters, and a final dot,
// make no difference. The name localhost is there from the start.
func (w *World) AddHost(name string, addrs ...netip.Addr) {
	w.hosts[canonical(name)] = host{addrs: slices.Clone(addrs)}
}

// FailHost makes Resolve return err for a name.
func (w *World) FailHost(name string, err error) { w.hosts[canonical(name)] = host{err: err} }

// Resolve returns the addresses that AddHost has given to a name, and an address itself for its
// text. For other names it returns a *net.DNSError with IsNotFound.
func (m *Machine) Resolve(ctx context.Context, name string) ([]netip.Addr, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	if addr, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{addr}, nil
	}
	h, ok := m.w.hosts[canonical(name)]
	if !ok || h.err == nil && len(h.addrs) == 0 {
		h.err = &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	m.w.tracef("resolve %q: %v %v", name, h.addrs, h.err)
	return slices.Clone(h.addrs), h.err
}

func canonical(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }
