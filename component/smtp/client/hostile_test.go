package client_test

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/chat"
	"github.com/go-poe/poe/test/sim"
)

// A hostile server behaves until a command comes, and then says the same again and again.
type hostile struct {
	at    string        // the verb after which that begins: "" is the beginning
	first string        // what is said once
	piece string        // what is said again and again
	pause time.Duration // between two pieces
	ehlo  string        // the answer to EHLO
}

// A server that wants to hurt costs no more than some time and memory, and each message has one
// failure that says what happened.
func TestHostileServer(t *testing.T) {
	starttls := "250-mx.example.org\r\n250 STARTTLS"
	for _, test := range []struct {
		name string
		hostile
		within time.Duration
		want   string // of the failure
		octets int    // that the server may get rid of at the most
	}{
		{"endless greeting", hostile{piece: "220-and so on\r\n", pause: time.Millisecond},
			time.Second, `SMTP_Server_Error: greeting: the server said "220-and so on"`, 16 << 10},
		{"greeting without a newline", hostile{
			first: "220-mx.example.org",
			piece: strings.Repeat("x", 1000), pause: time.Millisecond,
		},
			time.Second, `SMTP_Server_Error: greeting: the server said "(a line without end)"`, 64 << 10},
		{"an octet now and then", hostile{
			first: "220-mx.example.org",
			piece: "2", pause: 9 * time.Second,
		},
			10 * time.Second, "Timeout: greeting: nothing happened for 10s", 100},
		{"a line now and then", hostile{piece: "220-one\r\n", pause: 9 * time.Second},
			10 * time.Second, "Timeout: greeting: nothing happened for 10s", 100},
		{"preliminary greeting", hostile{piece: "120 Soon\r\n", pause: time.Second},
			6 * time.Second, `SMTP_Server_Error: greeting: the server said "120 Soon"`, 1000},
		{"preliminary MAIL", hostile{at: "MAIL", piece: "150 Working\r\n", pause: time.Second},
			6 * time.Second, `SMTP_Server_Error: mail: the server said "150 Working"`, 1000},
		{"preliminary text", hostile{at: ".", piece: "150 Working\r\n", pause: time.Second},
			6 * time.Second, `SMTP_Server_Error: final: the server said "150 Working"`, 1000},
		{"preliminary STARTTLS", hostile{
			at:    "STARTTLS",
			piece: "150 Soon\r\n", pause: time.Second, ehlo: starttls,
		},
			6 * time.Second, `SMTP_Server_Error: tls: the server said "150 Soon"`, 1000},
		{"endless capabilities", hostile{at: "EHLO", piece: "250-X\r\n", pause: time.Millisecond},
			time.Second, `SMTP_Server_Error: hello: the server said "250-X"`, 16 << 10},
		{"large capabilities", hostile{
			at:    "EHLO",
			piece: "250-" + strings.Repeat("X", 4000) + "\r\n", pause: time.Millisecond,
		},
			time.Second, "SMTP_Server_Error: hello: the server said \"250-XXX", 128 << 10},
		{"replies that nobody wants", hostile{at: "MAIL", first: "250 Ok\r\n250 Ok\r\n250 Ok\r\n354 Go ahead",
			piece: "250 Ok\r\n", pause: time.Millisecond},
			time.Second, "SMTP_Server_Error: ", 16 << 10},
		{"garbage instead of TLS", hostile{
			at: "STARTTLS", first: "220 Go ahead\r\n",
			piece: "\xff\x00garbage", pause: time.Millisecond, ehlo: starttls,
		},
			time.Second, "TLS: tls: ", 16 << 10},
		{"a TLS record now and then", hostile{
			at: "STARTTLS", first: "220 Go ahead\r\n",
			piece: "\x16", pause: 9 * time.Second, ehlo: starttls,
		},
			11 * time.Second, "T", 100},
		{"TLS records without use", hostile{
			at: "STARTTLS", first: "220 Go ahead\r\n",
			piece: "\x14\x03\x03\x00\x01\x01", pause: time.Millisecond, ehlo: starttls,
		},
			time.Second, "TLS: tls: ", 16 << 10},
		{"a TLS message without end", hostile{at: "STARTTLS", first: "220 Go ahead\r\n", ehlo: starttls,
			piece: "\x16\x03\x03\x40\x00\x02\xff\xff\xff" + strings.Repeat("\x00", 16380),
			pause: time.Millisecond,
		},
			time.Second, "TLS: tls: ", 128 << 10},
		{"SIZE of one", hostile{ehlo: "250-mx.example.org\r\n250 SIZE 1"},
			time.Second, "Configure: mail: the message has 24 octets, and the server takes 1", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t, sim.Options{})
			mta := p.mta()
			sent := 0
			mta.answer = func(c *caller, verb string) string {
				if verb == "EHLO" && test.at != "EHLO" {
					return test.ehlo
				}
				if verb != test.at || test.piece == "" {
					return ""
				}
				s := p.k.ActiveSession()
				s.State("more", func(e *kernel.Event) {
					if c.rw != nil && sent < 10<<20 {
						sent += len(test.piece)
						c.rw.PutString(test.piece)
						e.Session.Delay("more", test.pause)
					}
				})
				s.Delay("more", test.pause)
				return strings.TrimSuffix(cmp.Or(test.first, test.piece), "\r\n")
			}
			m := message()
			m.ResultEvent = "result"
			if test.ehlo == starttls {
				m.TLS, m.TLSConfig = client.Required, &tls.Config{RootCAs: chat.Roots()}
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			p.k.Create(session.Events{
				kernel.Start: func(e *kernel.Event) { client.Send(e.Session, m) },
				"result": session.On(func(_ *kernel.Event, r *client.Result) {
					mta.close()
					if p.world.Elapsed() > test.within {
						t.Errorf("it took %v, want no more than %v", p.world.Elapsed(), test.within)
					}
					if r.Err == nil {
						t.Error("the message was accepted")
						return
					}
					got := fmt.Sprintf("%s: %v", r.Err.Kind, r.Err)
					if !strings.HasPrefix(got, test.want) {
						t.Errorf("got %s, want %s", got, test.want)
					}
					p.note("a result")
				}),
			})
			p.run()
			p.want("a result")
			runtime.ReadMemStats(&after)
			if sent > test.octets {
				t.Errorf("the server could send %d octets, want no more than %d", sent, test.octets)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
				t.Errorf("that took %d octets of memory", used)
			}
		})
	}
}

// What a server says of SIZE beyond reason means nothing.
func TestFalseSize(t *testing.T) {
	for _, size := range []string{"99999999999999999999999999", "-1", "0", "x", ""} {
		p := newPlace(t, sim.Options{})
		mta := p.mta()
		mta.answer = func(_ *caller, verb string) string {
			if verb == "EHLO" {
				return "250-mx.example.org\r\n250 SIZE " + size
			}
			return ""
		}
		m := message()
		m.ResultEvent = "result"
		p.k.Create(session.Events{
			kernel.Start: func(e *kernel.Event) { client.Send(e.Session, m) },
			"result": session.On(func(_ *kernel.Event, r *client.Result) {
				p.note("%s: ok %v", size, r.OK())
				mta.close()
			}),
		})
		p.run()
		p.want(size + ": ok true")
	}
}
