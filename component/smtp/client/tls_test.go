package client_test

import (
	"crypto/tls"
	"fmt"
	"testing"
	"time"

	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/chat"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// secure lets a server offer STARTTLS.
func (m *mta) secure() {
	m.tls = chat.ServerTLS(m.k.Now)
	m.answer = func(_ *caller, verb string) string {
		if verb == "EHLO" {
			return "250-mx.example.org\r\n250-STARTTLS\r\n250 PIPELINING"
		}
		return ""
	}
}

// The connections to one destination resume the TLS sessions of those before them. Those in whose
// TLS nobody has to prove anything do so among themselves alone.
func TestTLSIsResumed(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(m *client.Message)
		want   []bool
	}{
		{"verified", func(m *client.Message) {
			m.TLS, m.TLSConfig = client.Required, verified
		}, []bool{false, true, true, true}},
		{"opportunistic", func(*client.Message) {}, []bool{false, true, true, true}},
		{"one by one", func(m *client.Message) {
			m.TLS = client.Opportunistic
			if m.Context.(int)%2 == 0 {
				m.TLS, m.TLSConfig = client.Required, verified
			}
		}, []bool{false, false, true, true}},
		{"not wanted", func(m *client.Message) {
			m.TLS, m.TLSConfig = client.Required, unresumed
		}, []bool{false, false, false, false}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t, sim.Options{Latency: time.Millisecond})
			mta := p.mta()
			mta.secure()
			mta.secured = func(s *wheel.Secured) { p.note("resumed %v", s.DidResume) }
			p.spawn(client.Options{MaxDeliveries: 1, MessagesPerConnection: 1})
			results := 0
			p.k.Create(session.Events{
				kernel.Start: func(e *kernel.Event) {
					for i := range test.want {
						m := message()
						m.Context, m.ResultEvent = i, "result"
						test.change(&m)
						e.Session.Post(mail, "send", &m)
					}
				},
				"result": session.On(func(_ *kernel.Event, r *client.Result) {
					if !r.OK() {
						t.Error(r.Err)
					}
					if results++; results == len(test.want) {
						mta.close()
					}
				}),
			})
			p.run()
			var want []string
			for _, resumed := range test.want {
				want = append(want, fmt.Sprintf("resumed %v", resumed))
			}
			p.want(want...)
		})
	}
}

var (
	verified  = &tls.Config{RootCAs: chat.Roots()}
	unresumed = &tls.Config{RootCAs: chat.Roots(), SessionTicketsDisabled: true}
)

// A client with a certificate shows it to a server that asks, and another does not.
func TestClientCertificate(t *testing.T) {
	for _, mode := range []client.TLSMode{client.Opportunistic, client.Required} {
		p := newPlace(t, sim.Options{})
		mta := p.mta()
		mta.secure()
		mta.secured = func(s *wheel.Secured) {
			p.note("%d certificates", len(s.PeerCertificates))
		}
		// Any certificate will do: the server's own.
		own := &tls.Config{RootCAs: chat.Roots(), Certificates: mta.tls.Certificates}
		p.spawn(client.Options{MaxDeliveries: 1, MessagesPerConnection: 1})
		configs := []*tls.Config{own, verified, own}
		results := 0
		p.k.Create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				for i, config := range configs {
					m := message()
					m.Context, m.ResultEvent = i, "result"
					m.TLS, m.TLSConfig = mode, config
					e.Session.Post(mail, "send", &m)
				}
			},
			"result": session.On(func(_ *kernel.Event, r *client.Result) {
				if !r.OK() {
					t.Error(r.Err)
				}
				if results++; results == len(configs) {
					mta.close()
				}
			}),
		})
		p.run()
		// Messages of one route go first where a connection is: their order is the route's.
		p.want("1 certificates", "0 certificates", "1 certificates")
	}
}
