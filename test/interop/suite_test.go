//go:build interop

package interop

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/component/smtp/client"
)

// sent sends a message in one way, and checks that everybody got it: the result says so, the text
// is the one that was sent, and the server gives it the queue ID of the result. It returns what the
// server has put before the text.
func (s *mailServer) sent(t *testing.T, w way, m client.Message, text []byte) (trace string) {
	t.Helper()
	r := w.send(t, m)
	if !r.OK() {
		t.Fatalf("%s: %v\n%s", w.name, r.Err, dialogue(r))
	}
	trace = s.take(t, text)
	if id := r.QueueID(); id == "" || !strings.Contains(trace, id) {
		t.Errorf("the queue ID of %q is %q, want it in\n%s", r.Reply, id, trace)
	}
	if t.Failed() {
		t.Logf("%s: %s", w.name, dialogue(r))
	}
	return trace
}

// refused sends a message in one way, and checks how it failed. Nothing may arrive, which the next
// message would find.
func (s *mailServer) refused(t *testing.T, w way, m client.Message, kind client.Kind,
	at client.Stage, says string,
) {
	t.Helper()
	r := w.send(t, m)
	if r.Err == nil {
		t.Fatalf("%s: sent, want a failure\n%s", w.name, dialogue(r))
	}
	if f := r.Err; f.Kind != kind || f.Stage != at || !strings.Contains(f.Error(), says) {
		t.Errorf("%s: %s: %v, want %s, at %s, with %q\n%s", w.name, f.Kind, f, kind, at, says,
			dialogue(r))
	}
}

// dialogue returns the start of a result's log.
func dialogue(r *client.Result) string {
	text := strings.Join(r.Log, "\n")
	return text[:min(len(text), 5_000)]
}

// logs reports whether a line of a result's log begins so.
func logs(r *client.Result, prefix string) bool {
	return slices.ContainsFunc(r.Log, func(line string) bool {
		return strings.HasPrefix(line, prefix)
	})
}

// testMessages sends every sample, in every manner in which a text can go out and come from.
func (s *mailServer) testMessages(t *testing.T, except ...string) {
	manners := []struct {
		name   string
		change func(t *testing.T, m *client.Message, text []byte)
	}{
		{"as the server likes it", func(_ *testing.T, m *client.Message, text []byte) {
			m.Body = text
		}},
		{"DATA", func(_ *testing.T, m *client.Message, text []byte) {
			m.Body, m.Without = text, []string{"CHUNKING"}
		}},
		{"from a file", func(t *testing.T, m *client.Message, text []byte) {
			m.MessageFile = store(t, text)
		}},
		{"from a reader, one command at a time", func(_ *testing.T, m *client.Message, text []byte) {
			m.FileHandle = struct{ io.Reader }{bytes.NewReader(text)}
			m.Without = []string{"CHUNKING", "PIPELINING"}
		}},
		{"from a writer", func(_ *testing.T, m *client.Message, text []byte) {
			m.Source = bytes.NewBuffer(slices.Clone(text))
		}},
	}
	w := way{"waiting", newClient(t, client.Options{})}
	for _, sample := range append(messages(), sample{"5MiB", sized(5 << 20)}) {
		if sample.name == "20MiB" || slices.Contains(except, sample.name) {
			continue
		}
		for _, manner := range manners {
			t.Run(sample.name+"/"+manner.name, func(t *testing.T) {
				m := s.message(t)
				m.Body = nil
				m.TransactionLog = len(sample.text) < 10_000
				manner.change(t, &m, sample.text)
				s.sent(t, w, m, sample.text)
			})
		}
	}
}

// evidence is what a server says of a connection in the line that it puts before a text.
type evidence struct {
	tls12, tls13 string // that there was TLS, and which
	client       string // that it knows the client's certificate; empty if it says nothing
	user         string // that it knows the user
}

// testTLS sends messages with TLS of each kind, and without.
func (s *mailServer) testTLS(t *testing.T, says evidence) {
	unknown := s.ca.trusts()
	unknown.RootCAs = nil
	other := s.ca.trusts()
	other.ServerName = "other.example.com"
	for _, test := range []struct {
		name   string
		mode   client.TLSMode
		config *tls.Config
		want   string // what the server says; of a failure, what the client says
		fails  bool
	}{
		{"off", client.Off, nil, "", false},
		{"opportunistic", client.Opportunistic, nil, says.tls13, false},
		{"opportunistic, and careful", client.Opportunistic, s.ca.trusts(), says.tls13, false},
		{"required", client.Required, s.ca.trusts(), says.tls13, false},
		{"required, 1.2", client.Required, older(s.ca.trusts()), says.tls12, false},
		{"required, with a certificate", client.Required, s.ca.shows(), says.client, false},
		{"required, with a certificate, 1.2", client.Required, older(s.ca.shows()), says.client, false},
		{"required, of an unknown authority", client.Required, unknown, "unknown authority", true},
		{"required, of another name", client.Required, other, "other.example.com", true},
		{"implicit", client.Implicit, s.ca.trusts(), says.tls13, false},
		{"implicit, 1.2", client.Implicit, older(s.ca.trusts()), says.tls12, false},
		{"implicit, with a certificate", client.Implicit, s.ca.shows(), says.client, false},
		{"implicit, of an unknown authority", client.Implicit, unknown, "unknown authority", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := s.message(t)
			m.TLS, m.TLSConfig = test.mode, test.config
			if test.mode == client.Implicit {
				if s.implicit == "" {
					t.Skip("the server has none")
				}
				m.Port = port(t, s.implicit)
			}
			for _, w := range ways {
				if test.fails {
					s.refused(t, w, m, client.NotSecure, client.StageTLS, test.want)
					continue
				}
				trace := s.sent(t, w, m, m.Body)
				if !strings.Contains(trace, test.want) {
					t.Errorf("%s: the server has\n%swant %q in it", w.name, trace, test.want)
				}
				for _, tls := range []string{says.tls12, says.tls13} {
					if test.mode == client.Off && strings.Contains(trace, tls) {
						t.Errorf("%s: the server has\n%swant it without TLS", w.name, trace)
					}
				}
			}
		})
	}
}

// testAuth authenticates by each mechanism, the strongest first, with TLS and without.
func (s *mailServer) testAuth(t *testing.T, says evidence, mechanisms ...string) {
	for _, mode := range []client.TLSMode{client.Off, client.Required} {
		for _, mechanism := range append([]string{""}, mechanisms...) {
			t.Run(string(mode)+"/"+cmp.Or(mechanism, "the strongest"), func(t *testing.T) {
				m := s.message(t)
				m.TLS, m.TLSConfig = mode, s.ca.trusts()
				m.Auth = &client.Auth{Mechanism: mechanism, User: userName, Password: password}
				for _, w := range ways {
					trace := s.sent(t, w, m, m.Body)
					if !strings.Contains(trace, says.user) {
						t.Errorf("%s: the server has\n%swant %q in it", w.name, trace, says.user)
					}
				}
				if mechanism == "" {
					r := byWaiting(t, m)
					s.take(t, m.Body)
					if !logs(r, "-> AUTH "+mechanisms[0]) {
						t.Errorf("not by %s:\n%s", mechanisms[0], dialogue(r))
					}
				}
				wrong := *m.Auth
				wrong.Password = "wrong"
				m.Auth = &wrong
				s.refused(t, ways[0], m, client.ServerError, client.StageAuth, "535")
			})
		}
	}
}

// testRecipients sends to some who are refused, for good or for now, and to one who is not.
func (s *mailServer) testRecipients(t *testing.T) {
	m := s.message(t)
	m.To = []string{"refused@example.com", "b@example.com", "deferred@example.com"}
	for _, w := range ways {
		r := w.send(t, m)
		s.take(t, m.Body)
		for i, want := range []client.Verdict{client.Refused, client.Accepted, client.Deferred} {
			if to := r.Recipients[i]; to.Verdict != want || to.Reply == nil {
				t.Errorf("%s: %s is %s, %v, want %s", w.name, to.Address, to.Verdict, to.Reply, want)
			}
		}
		m := m
		m.AllOrNothing = true
		s.refused(t, w, m, client.ServerError, client.StageRcpt, "550")
	}
}

// testMany sends to more recipients than the server takes at once, and each gets it once.
func (s *mailServer) testMany(t *testing.T, addressed *regexp.Regexp) {
	m := s.message(t)
	m.To = nil
	for i := range 2*recipients + 20 {
		m.To = append(m.To, fmt.Sprintf("to-%d@example.com", i))
	}
	for _, without := range [][]string{nil, {"PIPELINING", "CHUNKING"}} {
		m.Without = without
		r := byWaiting(t, m)
		if !r.OK() {
			t.Fatalf("%v\n%s", r.Err, dialogue(r))
		}
		var got []string
		for range m.To {
			found := addressed.FindStringSubmatch(s.take(t, m.Body))
			if found == nil {
				t.Fatalf("nobody is addressed by %s", addressed)
			}
			got = append(got, found[1])
		}
		slices.Sort(got)
		want := slices.Sorted(slices.Values(m.To))
		if !slices.Equal(got, want) {
			t.Errorf("got by %q, want %q", got, want)
		}
	}
}

// testAtOnce sends many messages by one client at the same time, and each arrives once, under the
// queue ID of its result.
func (s *mailServer) testAtOnce(t *testing.T, connections int) {
	const count = 60
	send := newClient(t, client.Options{MaxConnections: connections})
	ids := make([]string, count)
	var all sync.WaitGroup
	for i := range count {
		m := s.message(t)
		m.Body = fmt.Appendf(nil, "Subject: %d\r\n\r\nhello\r\n", i)
		all.Go(func() {
			r := send(t, m)
			if !r.OK() {
				t.Errorf("%d: %v\n%s", i, r.Err, dialogue(r))
			}
			ids[i] = r.QueueID()
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	seen := make([]int, count)
	for range count {
		_, text := s.takeAny(t)
		var i int
		subject := text[max(0, bytes.Index(text, []byte("Subject: "))):]
		if _, err := fmt.Sscanf(string(subject), "Subject: %d", &i); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		seen[i]++
		if seen[i] > 1 || ids[i] == "" || !bytes.Contains(text, []byte(ids[i])) {
			t.Errorf("%d came %d times, with the ID %s:\n%s", i, seen[i], ids[i], text)
		}
	}
}

// testTooLarge sends a message that is too large for an address, one whose size is known, and one
// whose size is not.
func (s *mailServer) testTooLarge(t *testing.T, addr string, limit int) {
	text := sized(limit + 1<<16)
	for _, w := range ways {
		for _, without := range [][]string{nil, {"CHUNKING"}, {"CHUNKING", "PIPELINING"}} {
			m := s.message(t)
			m.Port, m.Without, m.TransactionLog = port(t, addr), without, false
			m.Body = text
			s.refused(t, w, m, client.Configure, client.StageMail, fmt.Sprint(limit))

			m.FileHandle = struct{ io.Reader }{bytes.NewReader(text)}
			r := w.send(t, m)
			to := r.Recipients[0]
			if to.Verdict != client.Refused || to.Reply == nil ||
				!slices.Contains([]int{552, 554}, to.Reply.Code) {
				t.Errorf("%s: without %q: %s, %v, want refused with 552", w.name, without,
					to.Verdict, errors.Join(r.Err))
			}

			m = s.message(t)
			m.Port = port(t, addr)
			s.sent(t, w, m, m.Body)
		}
	}
}

// testUTF8 sends to an address that is not ASCII. Where the server cannot have that, one of which
// only the domain is not ASCII gets it nonetheless.
func (s *mailServer) testUTF8(t *testing.T, offered bool) {
	m := s.message(t)
	m.From = "absender@bücher.example.com"
	m.Body = []byte("Subject: Grüße\r\n\r\nhello\r\n")
	for _, w := range ways {
		m.To = []string{"jörg@example.com"}
		if !offered {
			s.refused(t, w, m, client.Configure, client.StageMail, "SMTPUTF8")
			m.To = []string{"b@example.com"}
		}
		trace := s.sent(t, w, m, m.Body)
		want := m.From
		if !offered {
			want = "absender@xn--bcher-kva.example.com"
		}
		if !strings.Contains(trace, want) {
			t.Errorf("%s: the server has\n%swant %q in it", w.name, trace, want)
		}
	}
}

// testReport asks for a report, which the server sends to the sender.
func (s *mailServer) testReport(t *testing.T, says ...string) {
	m := s.message(t)
	m.Return, m.EnvelopeID = smtp.ReturnHeaders, "an+id=1"
	m.RcptParams = []smtp.RcptParams{{
		Notify:   smtp.NotifySuccess | smtp.NotifyFailure | smtp.NotifyDelay,
		Original: smtp.OriginalRecipient{Address: "origin+al@example.com"},
	}}
	r := byWaiting(t, m)
	if !r.OK() {
		t.Fatalf("%v\n%s", r.Err, dialogue(r))
	}
	_, text := s.takeAny(t)
	_, more := s.takeAny(t)
	both := string(text) + string(more)
	for _, want := range says {
		if !strings.Contains(both, want) {
			t.Errorf("the message and the report are\n%swant %q in them", both, want)
		}
	}
}

// testRequireTLS asks for REQUIRETLS, which no server offers.
func (s *mailServer) testRequireTLS(t *testing.T) {
	m := s.message(t)
	m.TLS, m.TLSConfig, m.RequireTLS = client.Required, s.ca.trusts(), true
	for _, w := range ways {
		s.refused(t, w, m, client.NotSecure, client.StageMail, "REQUIRETLS")
	}
}

// testSeenAs sends a message in each way, and checks how the server sees the client.
func (s *mailServer) testSeenAs(t *testing.T, m client.Message, want string) {
	t.Helper()
	for _, w := range ways {
		if trace := s.sent(t, w, m, m.Body); !strings.Contains(trace, want) {
			t.Errorf("%s: the server has\n%swant %q in it", w.name, trace, want)
		}
	}
}

// testProxy sends messages in the name of other clients, in versions of the protocol.
func (s *mailServer) testProxy(t *testing.T, addr string, versions ...int) {
	here := netip.MustParseAddrPort("192.0.2.8:25")
	for _, version := range versions {
		m := s.message(t)
		m.Port = port(t, addr)
		m.Proxy = &client.Proxy{Version: version, Destination: here,
			Source: netip.MustParseAddrPort("192.0.2.7:4321")}
		s.testSeenAs(t, m, "192.0.2.7")
		m.Proxy = &client.Proxy{Version: version,
			Destination: netip.MustParseAddrPort("[2001:db8::8]:25"),
			Source:      netip.MustParseAddrPort("[2001:db8::7]:4321")}
		s.testSeenAs(t, m, "2001:db8::7")
	}
}

// none checks that no message has arrived but those that were taken. The server has delivered all
// that it has before it delivers another one to the same place.
func (s *mailServer) none(t *testing.T) {
	t.Helper()
	m := s.message(t)
	s.sent(t, ways[0], m, m.Body)
}
