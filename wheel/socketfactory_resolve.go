package wheel

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"syscall"

	"github.com/go-poe/poe/kernel"
)

// lookUp finds the addresses for a host and a port, and gives them to then: at once if no name has
// to be looked up for that.
func (w *SocketFactory) lookUp(host, port string, then func([]net.Addr)) {
	network := w.opts.Network
	if network == "unix" {
		then([]net.Addr{&net.UnixAddr{Name: host, Net: network}})
		return
	}
	if port == "" {
		port = "0"
	}
	ips := numeric(host)
	number, err := strconv.ParseUint(port, 10, 16)
	if ips != nil && err == nil {
		w.found(ips, uint16(number), then)
		return
	}
	w.late = w.state("resolve "+host, func(e *kernel.Event) {
		w.late = ""
		w.cancel()
		switch done := kernel.Arg[*kernel.Done](e, 0); v := done.Value.(type) {
		case answer:
			w.found(v.ips, v.port, then)
		case *Error:
			w.fail(v.Op, v.Err)
		default: // the loop has panicked
			w.fail("inet_aton", addressError{done.Err})
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	loop := w.owner.Kernel().Loop()
	work := func(life context.Context) (any, error) {
		defer context.AfterFunc(life, cancel)()
		return ask(ctx, loop, network, host, port), nil
	}
	if err := w.owner.Work(work, w.late); err != nil {
		w.late = ""
		w.fail("inet_aton", addressError{err})
	}
}

// numeric returns the addresses of a host that need not be looked up: no host at all means any
// address, of IPv4 if there is a choice.
func numeric(host string) []netip.Addr {
	if host == "" {
		return []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return nil
	}
	return []netip.Addr{ip}
}

// An answer is what a host and a port stand for.
type answer struct {
	ips  []netip.Addr
	port uint16
}

// ask looks a host and a port up, and blocks. It returns an answer, or an *Error.
func ask(ctx context.Context, loop kernel.Loop, network, host, port string) any {
	number, err := net.DefaultResolver.LookupPort(ctx, network, port)
	if err != nil {
		return &Error{Op: "getservbyname", Err: addressError{err}}
	}
	ips := numeric(host)
	if ips == nil {
		ips, err = loop.Resolve(ctx, host)
	}
	if err != nil {
		return &Error{Op: "inet_aton", Err: addressError{err}}
	}
	return answer{ips, uint16(number)}
}

// found keeps the addresses that the network can use.
func (w *SocketFactory) found(ips []netip.Addr, port uint16, then func([]net.Addr)) {
	var addrs []net.Addr
	for _, ip := range ips {
		ip = ip.Unmap()
		if v := version(w.opts.Network); v == '4' && !ip.Is4() || v == '6' && !ip.Is6() {
			continue
		}
		at := netip.AddrPortFrom(ip, port)
		if w.opts.isDatagram() {
			addrs = append(addrs, net.UDPAddrFromAddrPort(at))
		} else {
			addrs = append(addrs, net.TCPAddrFromAddrPort(at))
		}
	}
	if len(addrs) == 0 {
		w.fail("inet_aton", addressError{errNoAddress})
		return
	}
	then(addrs)
}

var errNoAddress = errors.New("no address of the wanted kind")

// An addressError is the failure to find an address. It counts as EADDRNOTAVAIL, as in POE.
type addressError struct{ err error }

func (e addressError) Error() string   { return e.err.Error() }
func (e addressError) Unwrap() []error { return []error{syscall.EADDRNOTAVAIL, e.err} }
