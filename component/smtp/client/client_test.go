package client_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
)

const mail = kernel.Alias("mail")

// spawn spawns a client that stays, for the server of the test.
func (p *place) spawn(opts client.Options) *kernel.Session {
	p.Helper()
	opts.Alias = mail
	m := message()
	m.To, m.Body = nil, nil // which are no defaults
	opts.Defaults = m
	s, err := client.Spawn(p.k.Root(), opts)
	if err != nil {
		p.Fatal(err)
	}
	return s
}

// post has e's session send a message to number i of something.
func (p *place) post(e *kernel.Event, i int) {
	p.Helper()
	err := e.Session.Post(mail, "send", &client.Message{
		From: "a@example.com", To: []string{fmt.Sprintf("to-%d@example.com", i)},
		Body: []byte(fmt.Sprintf("message %d", i)), Context: i, ResultEvent: "result",
	})
	if err != nil {
		p.Errorf("message %d is not posted: %v", i, err)
	}
}

// A summary is what is known of many results.
type summary map[int]string

// add adds a result. There is one for each message.
func (s summary) add(p *place, r *client.Result) {
	i := r.Message.Context.(int)
	if s[i] != "" {
		p.Errorf("message %d has two results, %s and then another", i, s[i])
	}
	switch {
	case r.OK():
		s[i] = "ok"
	case r.Err != nil:
		s[i] = r.Err.Error()
	default:
		s[i] = "partly refused"
	}
}

// count returns how often each result came.
func (s summary) count() map[string]int {
	n := make(map[string]int)
	for _, text := range s {
		n[text]++
	}
	return n
}

func TestSpawnRefuses(t *testing.T) {
	p := newPlace(t, sim.Options{})
	for _, test := range []struct {
		opts client.Options
		want string
	}{
		{client.Options{}, "smtp client: Options has no Alias"},
		{client.Options{Alias: mail, MaxDeliveries: -1},
			"smtp client: Options has a limit below 0"},
		{client.Options{Alias: mail, MaxWaiting: -1}, "smtp client: Options has a limit below 0"},
		{client.Options{Alias: "taken"}, `alias "taken": kernel: alias is taken`},
	} {
		p.k.Create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				e.Session.AliasSet("taken")
				s, err := client.Spawn(e.Session, test.opts)
				if s != nil || err == nil || err.Error() != test.want {
					t.Errorf("%+v: got %v, %v, want %s", test.opts, s, err, test.want)
				}
			},
		})
		p.run()
	}
}

// A client that nobody posts to ends with the rest of the program.
func TestIdleClientEnds(t *testing.T) {
	p := newPlace(t, sim.Options{})
	s := p.spawn(client.Options{})
	p.run()
	if !s.Ended() {
		t.Error("the client goes on")
	}
}

// Many sessions post many messages. No more than a few are sent at the same time, each sender gets
// its own results, once, and then everything ends.
func TestManyPosts(t *testing.T) {
	const senders, each = 7, 20
	p := newPlace(t, sim.Options{Latency: time.Millisecond})
	mta := p.mta()
	s := p.spawn(client.Options{MaxDeliveries: 5})
	most := 0
	mta.answer = func(*caller, string) string {
		most = max(most, len(s.Children()))
		return ""
	}
	all := summary{}
	for n := range senders {
		got := 0
		p.k.Create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				for i := range each {
					p.post(e, n*each+i)
				}
			},
			"result": session.On(func(e *kernel.Event, r *client.Result) {
				if i := r.Message.Context.(int); i/each != n {
					t.Errorf("sender %d got the result of message %d", n, i)
				}
				all.add(p, r)
				if got++; len(all) == senders*each {
					mta.close()
				}
			}),
			kernel.Stop: func(*kernel.Event) {
				if got != each {
					t.Errorf("sender %d ends after %d results, want %d", n, got, each)
				}
			},
		})
	}
	p.run()
	if n := all.count()["ok"]; n != senders*each {
		t.Errorf("%d messages were accepted, want %d", n, senders*each)
	}
	if len(mta.messages) != senders*each {
		t.Errorf("%d messages arrived, want %d", len(mta.messages), senders*each)
	}
	if most != 5 {
		t.Errorf("%d at the same time, want 5", most)
	}
	if !s.Ended() {
		t.Error("the client goes on")
	}
}

// What is more than may wait is refused, at once.
func TestTooManyWait(t *testing.T) {
	p := newPlace(t, sim.Options{Latency: time.Millisecond})
	mta := p.mta()
	p.spawn(client.Options{MaxDeliveries: 2, MaxWaiting: 3})
	all := summary{}
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			for i := range 10 {
				p.post(e, i)
			}
		},
		"result": session.On(func(e *kernel.Event, r *client.Result) {
			if r.Err != nil && (r.Err.Kind != client.ShutDown || !r.Err.Temporary() ||
				len(r.Recipients) != 1 || p.world.Elapsed() > 0) {
				t.Errorf("refused at %v with %+v", p.world.Elapsed(), r)
			}
			if all.add(p, r); len(all) == 10 {
				mta.close()
			}
		}),
	})
	p.run()
	got := all.count()
	if got["ok"] != 5 || got["configure: too many messages wait"] != 5 {
		t.Errorf("got %v, want 5 of each", got)
	}
}

// After smtp_shutdown what was posted is still sent, what comes later is refused, and then the
// client ends, though others live on.
func TestShutdown(t *testing.T) {
	p := newPlace(t, sim.Options{Latency: time.Millisecond})
	mta := p.mta()
	s := p.spawn(client.Options{MaxDeliveries: 2})
	all := summary{}
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			for i := range 5 {
				p.post(e, i)
			}
			e.Session.Post(mail, "smtp_shutdown")
			p.post(e, 5)
			e.Session.Post(mail, "smtp_shutdown")
		},
		"result": session.On(func(e *kernel.Event, r *client.Result) {
			all.add(p, r)
			if len(all) == 6 {
				mta.close()
				e.Session.Delay("look", time.Minute)
			}
		}),
		"look": func(e *kernel.Event) {
			err := e.Session.Post(mail, "send", &client.Message{})
			p.note("ended %v, %v", s.Ended(), errors.Is(err, kernel.ErrNoSession))
		},
	})
	p.run()
	p.want("ended true, true")
	got := all.count()
	if got["ok"] != 5 || got["configure: the client is shutting down"] != 1 {
		t.Errorf("got %v, want 5 and 1", got)
	}
}

func TestShutdownOfIdleClient(t *testing.T) {
	p := newPlace(t, sim.Options{})
	s := p.spawn(client.Options{})
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Post(mail, "smtp_shutdown")
			e.Session.Post(s, "smtp_shutdown")
			e.Session.Delay("look", time.Minute)
		},
		"look": func(*kernel.Event) { p.note("ended %v", s.Ended()) },
	})
	p.run()
	p.want("ended true")
}

// A sender that ends does not take its messages with it, and nobody else's results go astray.
func TestSenderEnds(t *testing.T) {
	p := newPlace(t, sim.Options{Latency: time.Millisecond})
	mta := p.mta()
	p.spawn(client.Options{MaxDeliveries: 1})
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.post(e, 0)
			p.post(e, 1)
			p.post(e, 2)
			e.Session.Delay("end", 3*time.Millisecond)
		},
		"end":    func(e *kernel.Event) { p.k.Signal(e.Session, "UIDESTROY") },
		"result": func(*kernel.Event) { t.Error("a result for nobody") },
		kernel.Stop: func(*kernel.Event) {
			p.note("the sender ends, %d messages arrived", len(mta.messages))
		},
	})
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { p.post(e, 3) },
		"result": session.On(func(_ *kernel.Event, r *client.Result) {
			p.note("message %d: ok %v", r.Message.Context, r.OK())
			mta.close()
		}),
	})
	p.run()
	p.want("the sender ends, 0 messages arrived", "message 3: ok true")
	if len(mta.messages) != 4 {
		t.Errorf("%d messages arrived, want 4", len(mta.messages))
	}
}

// A refusal takes nothing from what keeps the sender alive for its other results.
func TestRefusedSenderWaits(t *testing.T) {
	p := newPlace(t, sim.Options{Latency: time.Second})
	mta := p.mta()
	p.spawn(client.Options{MaxDeliveries: 1, MaxWaiting: 1})
	all := summary{}
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			for i := range 6 {
				p.post(e, i)
			}
		},
		"result": session.On(func(_ *kernel.Event, r *client.Result) {
			if all.add(p, r); len(all) == 6 {
				mta.close()
			}
		}),
		kernel.Stop: func(*kernel.Event) { p.note("%d results", len(all)) },
	})
	p.run()
	p.want("6 results")
}

// A client that is stopped gives each message a result, whether it is on its way or waits.
func TestClientIsStopped(t *testing.T) {
	p := newPlace(t, sim.Options{Latency: time.Millisecond})
	mta := p.mta()
	s := p.spawn(client.Options{MaxDeliveries: 2})
	all := summary{}
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			for i := range 5 {
				p.post(e, i)
			}
			e.Session.Delay("stop", 3*time.Millisecond)
		},
		"stop": func(*kernel.Event) {
			mta.close()
			p.k.Signal(s, "UIDESTROY")
		},
		"result": session.On(func(_ *kernel.Event, r *client.Result) {
			if r.Err == nil || r.Err.Kind != client.ShutDown {
				t.Errorf("message %v: %v", r.Message.Context, r.Err)
			}
			all.add(p, r)
		}),
		kernel.Stop: func(*kernel.Event) { p.note("%d results", len(all)) },
	})
	p.run()
	p.want("5 results")
}

// What a message leaves out comes from the client, and what it has from itself.
func TestDefaults(t *testing.T) {
	p := newPlace(t, sim.Options{})
	p.serve(`
S: 220 mx.example.org ESMTP
C: EHLO other.example.com
S: 250-mx.example.org
S: 250 AUTH PLAIN
C: AUTH PLAIN AG1lAHMzY3JldA==
S: 235 Welcome
C: MAIL FROM:<root@localhost>
S: 250 Ok
C: RCPT TO:<root@localhost>
T: 6s
X: C
`)
	_, err := client.Spawn(p.k.Root(), client.Options{Alias: mail, Defaults: client.Message{
		Server: "127.0.0.1", Port: "26", MyHostname: "client.example.com",
		BindAddress: "127.0.0.1", BindPort: "2525", Timeout: 7 * time.Second,
		Auth: &client.Auth{Mechanism: "PLAIN", User: "me", Password: "s3cret"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Post(mail, "send", &client.Message{
				Port: "25", MyHostname: "other.example.com", ResultEvent: "result",
			})
		},
		"result": session.On(p.gotResult),
	})
	p.run()
	p.want("root@localhost deferred", "failed for now: Timeout: rcpt: nothing happened for 7s")
}

// A message from outside of any session has nobody to answer to, and is not sent.
func TestPostOutsideOfAnySession(t *testing.T) {
	p := newPlace(t, sim.Options{})
	s := p.spawn(client.Options{})
	if err := p.k.Post(s, "send", &client.Message{}); err != nil {
		t.Fatal(err)
	}
	if err := p.k.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	logs := p.logs.TakeAll()
	if len(logs) != 1 || !strings.Contains(logs[0].Message, "outside of any session") {
		t.Errorf("logged %v", logs)
	}
}
