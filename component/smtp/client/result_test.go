package client_test

import (
	"testing"

	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
)

// A result says how the connection was secured, also of a message that found it so.
func TestResultTLS(t *testing.T) {
	for _, test := range []struct {
		name         string
		offers       bool
		mode         client.TLSMode
		secure, good bool
	}{
		{"required", true, client.Required, true, true},
		{"opportunistic", true, client.Opportunistic, true, false},
		{"off", true, client.Off, false, false},
		{"not offered", false, client.Opportunistic, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t, sim.Options{})
			mta := p.mta()
			if test.offers {
				mta.secure()
			}
			p.spawn(client.Options{MaxConnections: 1})
			const messages = 3
			results := 0
			p.k.Create(session.Events{
				kernel.Start: func(e *kernel.Event) {
					for range messages {
						m := message()
						m.TLS, m.ResultEvent = test.mode, "result"
						if test.good {
							m.TLSConfig = verified
						}
						e.Session.Post(mail, "send", &m)
					}
				},
				"result": session.On(func(_ *kernel.Event, r *client.Result) {
					if !r.OK() {
						t.Error(r.Err)
					}
					secure := r.TLS != nil
					if secure != test.secure || secure && len(r.TLS.VerifiedChains) > 0 != test.good {
						t.Errorf("message %d: TLS is %v", results, r.TLS)
					}
					if results++; results == messages {
						mta.close()
					}
				}),
			})
			p.run()
			if results != messages {
				t.Errorf("%d results, want %d", results, messages)
			}
		})
	}
}
