package client_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
)

// postAll posts so many messages at once, and calls done when all have their results.
func (p *place) postAll(n int, all summary, done func()) {
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			for i := range n {
				p.post(e, i)
			}
		},
		"result": session.On(func(_ *kernel.Event, r *client.Result) {
			all.add(p, r)
			if len(all) == n {
				done()
			}
		}),
	})
}

// Messages to one server share its connections, and each arrives once, whole.
func TestConnectionsAreKept(t *testing.T) {
	const messages = 100
	for _, test := range []struct {
		name string
		opts client.Options
		want int // connections
	}{
		{"one", client.Options{MaxConnections: 1}, 1},
		{"four", client.Options{MaxConnections: 4}, 4},
		{"all full", client.Options{MaxDeliveries: 2}, 2},
		{"ten messages each", client.Options{MaxConnections: 1, MessagesPerConnection: 10}, 10},
		{"one message each", client.Options{MaxConnections: 1, MessagesPerConnection: 1}, 100},
	} {
		for _, latency := range []time.Duration{0, time.Millisecond} {
			t.Run(fmt.Sprint(test.name, latency), func(t *testing.T) {
				p := newPlace(t, sim.Options{Latency: latency})
				mta := p.mta()
				p.spawn(test.opts)
				connections := 0
				mta.answer = func(_ *caller, verb string) string {
					if verb == "" {
						connections++
					}
					return ""
				}
				all := summary{}
				p.postAll(messages, all, mta.close)
				p.run()
				if want := map[string]int{"ok": messages}; !maps.Equal(all.count(), want) {
					t.Errorf("got %v, want %v", all.count(), want)
				}
				if connections != test.want {
					t.Errorf("%d connections, want %d", connections, test.want)
				}
				slices.Sort(mta.messages)
				if once := slices.Compact(slices.Clone(mta.messages)); len(once) != messages ||
					len(mta.messages) != messages {
					t.Errorf("%d messages arrived, %d of them differ, want %d",
						len(mta.messages), len(once), messages)
				}
			})
		}
	}
}

// The envelope of the next message travels with the end of this one: with a server that pipelines a
// message costs one turn of the wire.
func TestMessageIsOneTurn(t *testing.T) {
	const messages = 50
	p, l := counted(t)
	mta := p.mta()
	p.spawn(client.Options{MaxConnections: 1})
	all := summary{}
	p.postAll(messages, all, mta.close)
	p.run()
	if all.count()["ok"] != messages {
		t.Errorf("got %v", all.count())
	}
	// Greeting, the first envelope, and the goodbye come on top.
	if l.writes > messages+3 {
		t.Errorf("%d writes for %d messages", l.writes, messages)
	}
}

// A message that is refused does not disturb those before and after it on the same connection.
func TestRefusedAmongOthers(t *testing.T) {
	const messages = 60
	for _, verb := range []string{"MAIL", "RCPT", "DATA", "."} {
		for _, pipelining := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, pipelining %v", verb, pipelining), func(t *testing.T) {
				p := newPlace(t, sim.Options{Latency: time.Millisecond})
				mta := p.mta()
				p.spawn(client.Options{MaxConnections: 2})
				n := 0
				mta.answer = func(c *caller, got string) string {
					if got == "EHLO" && !pipelining {
						return "250 mx.example.org"
					}
					if got != verb {
						return ""
					}
					if n++; n%3 == 0 {
						return "550 5.7.1 Not this one"
					}
					return ""
				}
				all := summary{}
				p.postAll(messages, all, mta.close)
				p.run()
				count := all.count()
				if count["ok"] != messages*2/3 || len(count) != 2 {
					t.Errorf("got %v, want %d ok", count, messages*2/3)
				}
				refused := 0
				for i := range messages {
					if all[i] != "ok" {
						refused++
					}
					want := all[i] == "ok" || verb == "."
					if got := slices.Contains(mta.messages, fmt.Sprintf("message %d\r\n", i)); got != want {
						t.Errorf("message %d: %s, and it has arrived: %v", i, all[i], got)
					}
				}
			})
		}
	}
}

// A server that ends a connection that has rested costs nothing: the next message takes another. It
// happens once for a message, not twice.
func TestStaleConnection(t *testing.T) {
	for _, test := range []struct {
		name string
		end  string // what the server says to MAIL on a connection that has rested
		want string
	}{
		{"hangs up", "", "ok"},
		{"says 421", "421 4.4.2 Idle for too long", "ok"},
		{"hangs up always", "always", "mail: the server closed the connection"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t, sim.Options{Latency: time.Millisecond})
			mta := p.mta()
			p.spawn(client.Options{IdleTime: time.Minute})
			served := make(map[*caller]int)
			mta.answer = func(c *caller, verb string) string {
				switch {
				case verb != "MAIL":
				case served[c] > 0 || test.end == "always" && len(served) > 0:
					if strings.HasPrefix(test.end, "421") {
						return test.end
					}
					c.hangUp()
				default:
					served[c]++
				}
				return ""
			}
			all := summary{}
			p.k.Create(session.Events{
				kernel.Start: func(e *kernel.Event) {
					p.post(e, 0)
					e.Session.Delay("later", 10*time.Second)
				},
				"later": func(e *kernel.Event) { p.post(e, 1) },
				"result": session.On(func(_ *kernel.Event, r *client.Result) {
					all.add(p, r)
					if len(all) == 2 {
						mta.close()
					}
				}),
			})
			p.run()
			if all[0] != "ok" || all[1] != test.want {
				t.Errorf("got %v, want ok and %s", all, test.want)
			}
		})
	}
}

// A connection that has nothing to do says goodbye after a while, and keeps the program until then.
func TestIdleTime(t *testing.T) {
	p := newPlace(t, sim.Options{})
	mta := p.mta()
	p.spawn(client.Options{IdleTime: 7 * time.Second})
	mta.answer = func(_ *caller, verb string) string {
		if verb == "QUIT" {
			p.note("QUIT at %v", p.world.Elapsed())
		}
		return ""
	}
	p.postAll(1, summary{}, mta.close)
	p.run()
	p.want("QUIT at 7s")
}

// When there is no room for another connection, one that rests elsewhere makes room.
func TestRoomIsMade(t *testing.T) {
	p := newPlace(t, sim.Options{Latency: time.Millisecond})
	mta := p.mta()
	p.spawn(client.Options{MaxDeliveries: 1, IdleTime: time.Hour})
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { p.post(e, 0) },
		"result": session.On(func(e *kernel.Event, r *client.Result) {
			p.note("ok %v for %s", r.OK(), r.Message.MyHostname)
			if r.Message.MyHostname != "other.example.com" {
				m := *r.Message
				m.MyHostname = "other.example.com" // another destination
				e.Session.Post(mail, "send", &m)
				return
			}
			p.note("within a second: %v", p.world.Elapsed() < time.Second)
			e.Session.Post(mail, "smtp_shutdown")
			mta.close()
		}),
	})
	p.run()
	p.want("ok true for client.example.com", "ok true for other.example.com",
		"within a second: true")
}

// No more messages begin than the rate allows.
func TestRate(t *testing.T) {
	p := newPlace(t, sim.Options{})
	mta := p.mta()
	p.spawn(client.Options{Rate: 10})
	var began []time.Duration
	mta.answer = func(_ *caller, verb string) string {
		if verb == "MAIL" {
			began = append(began, p.world.Elapsed())
		}
		return ""
	}
	p.postAll(25, summary{}, mta.close)
	p.run()
	for i, at := range began {
		if want := time.Duration(i) * 100 * time.Millisecond; at < want {
			t.Errorf("message %d began at %v, want no earlier than %v", i, at, want)
		}
	}
	if len(began) != 25 {
		t.Errorf("%d messages began, want 25", len(began))
	}
}

// A message that is deferred is sent again, to those for whom nothing is decided, with longer and
// longer pauses.
func TestRetry(t *testing.T) {
	for _, test := range []struct {
		name     string
		refusals int
		want     []string
	}{
		{"in the end it is accepted", 3, []string{
			"RCPT at 0s", "RCPT at 0s", "RCPT at 0s",
			"RCPT at 1m0s", "RCPT at 3m0s", "RCPT at 7m0s",
			"to-1@example.com accepted: 250 Ok",
			"to-2@example.com refused: 550 5.1.1 Unknown",
			"to-3@example.com accepted: 250 Ok", "reply 250 Queued", "tries 4",
		}},
		{"it is not", 9, []string{
			"RCPT at 0s", "RCPT at 0s", "RCPT at 0s",
			"RCPT at 1m0s", "RCPT at 3m0s", "RCPT at 7m0s", "RCPT at 12m0s",
			"to-1@example.com accepted: 250 Ok",
			"to-2@example.com refused: 550 5.1.1 Unknown",
			"to-3@example.com deferred: 450 4.2.1 Busy", "reply 250 Queued", "tries 5",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t, sim.Options{})
			mta := p.mta()
			p.spawn(client.Options{Retry: client.Retry{Times: 4, Most: 5 * time.Minute}})
			n := 0
			mta.answer = func(_ *caller, verb string) string {
				if verb != "RCPT" {
					return ""
				}
				p.note("RCPT at %v", p.world.Elapsed())
				switch n++; {
				case n == 2:
					return "550 5.1.1 Unknown"
				case n > 2 && n <= 2+test.refusals:
					return "450 4.2.1 Busy"
				}
				return ""
			}
			p.k.Create(session.Events{
				kernel.Start: func(e *kernel.Event) {
					e.Session.Post(mail, "send", &client.Message{
						To:          []string{"to-1@example.com", "to-2@example.com", "to-3@example.com"},
						Body:        []byte("x"),
						ResultEvent: "result",
					})
				},
				"result": session.On(func(e *kernel.Event, r *client.Result) {
					p.gotResult(e, r)
					p.note("tries %d", r.Tries)
					mta.close()
				}),
			})
			p.run()
			p.want(test.want...)
		})
	}
}

// What cannot get better is not tried again.
func TestNoRetry(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer string
		change func(m *client.Message)
	}{
		{"for good", "554 5.7.1 No", func(*client.Message) {}},
		{"impossible", "", func(m *client.Message) { m.To = []string{"a\nb"} }},
		{"read once only", "451 4.3.0 Later", func(m *client.Message) {
			m.FileHandle = struct{ *lines }{&lines{left: 10}}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t, sim.Options{})
			mta := p.mta()
			p.spawn(client.Options{Retry: client.Retry{Times: 5}})
			mta.answer = func(_ *caller, verb string) string {
				if verb == "." {
					return test.answer
				}
				return ""
			}
			m := message()
			m.ResultEvent = "result"
			test.change(&m)
			p.k.Create(session.Events{
				kernel.Start: func(e *kernel.Event) { e.Session.Post(mail, "send", &m) },
				"result": session.On(func(e *kernel.Event, r *client.Result) {
					p.note("%v after %v", r.OK(), p.world.Elapsed() < time.Minute)
					mta.close()
				}),
			})
			p.run()
			p.want("false after true")
		})
	}
}

// All of a message has to be done by its deadline, wherever it is by then.
func TestDeadline(t *testing.T) {
	for _, test := range []struct {
		name   string
		opts   client.Options
		verb   string // that the server never answers
		ahead  bool   // another message is first
		server string
		want   string
	}{
		{name: "on the wire", verb: "DATA", want: "data: not done within 3s"},
		{name: "in the queue", opts: client.Options{MaxConnections: 1}, verb: "DATA", ahead: true,
			want: "configure: not done within 3s"},
		{name: "between tries", opts: client.Options{Retry: client.Retry{Times: 2}}, verb: "451",
			want: "configure: not done within 3s"},
		{name: "before there is a connection", server: "192.0.2.1",
			want: "connect: not done within 3s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t, sim.Options{})
			p.world.BlackHole(netip.MustParsePrefix("192.0.2.0/24"))
			mta := p.mta()
			p.spawn(test.opts)
			mta.answer = func(c *caller, verb string) string {
				switch {
				case verb == test.verb:
					return "250-and so on" // without an end
				case test.verb == "451" && verb == "MAIL":
					return "451 4.3.0 Later"
				}
				return ""
			}
			m := message()
			m.ResultEvent, m.Deadline = "result", 3*time.Second
			if test.server != "" {
				m.Server = test.server
			}
			other := message()
			other.Timeout = 8 * time.Second
			p.k.Create(session.Events{
				kernel.Start: func(e *kernel.Event) {
					if test.ahead {
						e.Session.Post(mail, "send", &other)
					}
					e.Session.Post(mail, "send", &m)
				},
				"result": session.On(func(e *kernel.Event, r *client.Result) {
					p.note("%v after %v", r.Err, p.world.Elapsed())
					mta.close()
				}),
			})
			p.run()
			p.want(test.want + " after 3s")
		})
	}
}

// Whatever the world does, a message that is accepted has arrived, each has one result, and
// everything ends.
func TestPoolSurvivesFaults(t *testing.T) {
	const messages = 40
	for seed := range uint64(60) {
		p := newPlace(t, sim.Options{
			Seed: seed, Latency: time.Millisecond, Jitter: 10 * time.Millisecond, Buffer: 2000,
			Faults: sim.Faults{
				Split: 0.5, Again: 0.2, Spurious: 0.2, Shuffle: true, Refuse: 0.1,
				SlowAccept: time.Second, Reset: 0.01,
			},
		})
		mta := p.mta()
		p.spawn(client.Options{
			MaxConnections: 1 + int(seed%3), MessagesPerConnection: 1 + int(seed%7),
			Retry: client.Retry{Times: int(seed % 2)},
		})
		body := func(i int) string { return strings.Repeat(fmt.Sprintf("message %d\r\n", i), 200) }
		results := make(map[int]*client.Result)
		p.k.Create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				for i := range messages {
					m := message()
					m.Body, m.Context, m.ResultEvent = []byte(body(i)), i, "result"
					if i%5 == 0 {
						m.Body, m.FileHandle = nil, bytes.NewReader([]byte(body(i)))
					}
					e.Session.Post(mail, "send", &m)
				}
			},
			"result": session.On(func(_ *kernel.Event, r *client.Result) {
				i := r.Message.Context.(int)
				if results[i] != nil {
					t.Errorf("seed %d: message %d has two results", seed, i)
				}
				if results[i] = r; len(results) == messages {
					mta.close()
				}
			}),
		})
		p.run()
		if len(results) != messages {
			t.Errorf("seed %d: %d results, want %d", seed, len(results), messages)
		}
		for i, r := range results {
			if r.OK() && !slices.Contains(mta.messages, body(i)) {
				t.Errorf("seed %d: message %d was accepted, and has not arrived", seed, i)
			}
			if r.Err != nil && !r.Err.Temporary() {
				t.Errorf("seed %d: message %d: %v", seed, i, r.Err)
			}
		}
	}
}

// A client that is stopped has a result for each message, also for what it was to send again.
func TestPoolStopped(t *testing.T) {
	p := newPlace(t, sim.Options{Latency: time.Millisecond})
	mta := p.mta()
	s := p.spawn(client.Options{MaxConnections: 2, Retry: client.Retry{Times: 5}})
	n := 0
	mta.answer = func(_ *caller, verb string) string {
		if verb == "MAIL" {
			if n++; n == 1 {
				return "451 4.3.0 Later"
			}
		}
		if verb == "." {
			p.k.Signal(s, "UIDESTROY")
			mta.close()
		}
		return ""
	}
	all := summary{}
	p.postAll(10, all, func() {})
	p.run()
	if len(all) != 10 || all.count()["ok"] != 0 {
		t.Errorf("got %v", all.count())
	}
}
