package floors

import (
	"slices"
	"strings"
	"testing"
)

// floors says which of our packages each package may import. It is a statement of policy: a package
// that needs more is in the wrong place. A row may be there before its package is.
var floors = map[string][]string{
	"kernel":                {},
	"filter":                {},
	"session":               {"kernel"},
	"wheel":                 {"filter", "kernel"},
	"component/smtp":        {},
	"component/tcp":         sessions,
	"component/dns":         sessions,
	"component/pluggable":   sessions,
	"component/dnsbl":       transports,
	"component/smtp/client": transports,
	"component/smtp/client/v002": append([]string{
		"component/smtp/client",
	}, transports...),
	"component/smtp/server": transports,
	"component/smtp/simple": append([]string{
		"component/dnsbl", "component/smtp/client", "component/smtp/server",
	}, transports...),
}

// sessions is what a package needs that is made of sessions.
var sessions = []string{"filter", "kernel", "session", "wheel"}

// transports is what a package needs that talks over the network by a protocol.
var transports = append([]string{
	"component/dns", "component/pluggable", "component/smtp", "component/tcp",
}, sessions...)

// poller is what the kernel's loop is built on. One file knows it, with its variants for systems.
const poller = "github.com/panjf2000/gnet/v2/pkg/netpoll"

// TestFloors checks that each package imports only what its row allows, and that each has a row.
func TestFloors(t *testing.T) {
	for _, s := range sources(t, library) {
		if s.isTest() {
			continue
		}
		row, ok := floors[s.folder()]
		if !ok {
			t.Errorf("%s has no floor", s.folder())
		}
		for _, name := range s.ours() {
			if !slices.Contains(row, name) {
				t.Errorf("%s imports %s, which is not below it", s.path, name)
			}
		}
	}
}

// TestFloorsGoDown checks that the rows themselves have an order: no package stands on one that
// stands on it.
func TestFloorsGoDown(t *testing.T) {
	for name, row := range floors {
		for _, below := range row {
			if _, ok := floors[below]; !ok {
				t.Errorf("%s may import %s, which has no floor", name, below)
			}
			if below == name || slices.Contains(floors[below], name) {
				t.Errorf("%s and %s may import each other", name, below)
			}
		}
	}
}

// TestRoof checks that nothing imports a command, and that only tests import what tests share.
func TestRoof(t *testing.T) {
	for _, s := range sources(t, everything) {
		for _, name := range s.ours() {
			shared := strings.HasPrefix(name, "test/")
			if strings.HasPrefix(name, "cmd/") ||
				shared && !s.isTest() && !strings.HasPrefix(s.path, "test/") {
				t.Errorf("%s imports %s, which is above it", s.path, name)
			}
		}
	}
}

// TestPoller checks that only the loop that is built on the poller knows it.
func TestPoller(t *testing.T) {
	for _, s := range sources(t, everything) {
		if slices.Contains(s.imports(), poller) && !strings.HasPrefix(s.path, "kernel/netpoll") {
			t.Errorf("%s imports %s, which only kernel/netpoll.go may", s.path, poller)
		}
	}
}
