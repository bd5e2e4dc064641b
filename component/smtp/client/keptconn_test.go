package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
)

// pipelining and chunking are what a server offers.
const (
	pipelining = "250-mx.example.org\r\n250 PIPELINING"
	chunking   = "250-mx.example.org\r\n250-CHUNKING\r\n250 PIPELINING"
)

// noted notes the result of a message, with its Context.
func (p *place) noted(r *client.Result) {
	what := "ok"
	if r.Err != nil {
		what = r.Err.Error()
	} else if !r.OK() {
		what = "partly refused"
	}
	p.note("%v: %s", r.Message.Context, what)
}

// A message whose recipients were refused after its chunk was sent is sent whole when it is tried
// again on a connection that was kept.
func TestChunkIsSentAgainAfterARefusal(t *testing.T) {
	p := newPlace(t, sim.Options{})
	mta := p.mta()
	p.spawn(client.Options{IdleTime: time.Hour, Retry: client.Retry{Times: 1}})
	refused := false
	mta.answer = func(_ *caller, verb string) string {
		switch {
		case verb == "EHLO":
			return chunking
		case verb == "RCPT" && !refused:
			refused = true
			return "450 4.2.1 Busy"
		case verb == "." && len(mta.messages) == 0 && p.world.Elapsed() < time.Second:
			return "503 5.5.1 No recipients"
		}
		return ""
	}
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { p.post(e, 0) },
		"result": session.On(func(e *kernel.Event, r *client.Result) {
			p.noted(r)
			mta.close()
			e.Session.Post(mail, "smtp_shutdown")
		}),
	})
	p.run()
	p.want("0: ok")
	if want := []string{"message 0\r\n"}; !slices.Equal(mta.messages, want) {
		t.Errorf("got %q, want %q", mta.messages, want)
	}
}

// A message that was given up in the middle of its text begins with its envelope when it is tried
// again.
func TestTextThatWasCutIsSentAgain(t *testing.T) {
	for _, offer := range []string{pipelining, chunking} {
		p := newPlace(t, sim.Options{Buffer: 10_000})
		mta := p.mta()
		p.spawn(client.Options{Retry: client.Retry{Times: 1}})
		cut := false
		mta.answer = func(c *caller, verb string) string {
			switch {
			case verb == "EHLO":
				return offer
			case verb == "RCPT" && offer == chunking && !cut:
				cut = true
				c.rw.PutString("250 Ok\r\n")
				c.rw.Flush()
				c.rw.PauseInput()
				p.k.ActiveSession().Delay("hang up", time.Second)
				p.k.ActiveSession().State("hang up", func(*kernel.Event) { c.hangUp() })
				return "250-and"
			}
			return ""
		}
		mta.text = func(c *caller, _ int) {
			if !cut && c.size > 20_000 {
				cut = true
				c.hangUp()
			}
		}
		body := strings.Repeat("0123456789\r\n", 50_000)
		m := message()
		m.Body, m.Context, m.ResultEvent = []byte(body), 0, "result"
		p.k.Create(session.Events{
			kernel.Start: func(e *kernel.Event) { e.Session.Post(mail, "send", &m) },
			"result": session.On(func(e *kernel.Event, r *client.Result) {
				p.noted(r)
				mta.close()
				e.Session.Post(mail, "smtp_shutdown")
			}),
		})
		p.run()
		p.want("0: ok")
		if want := []string{body}; !slices.Equal(mta.messages, want) {
			t.Errorf("%d messages arrived, want the one", len(mta.messages))
		}
	}
}

// The rate of a destination is kept also where no connection to it is left in between.
func TestRateWithoutConnections(t *testing.T) {
	p := newPlace(t, sim.Options{})
	mta := p.mta()
	p.spawn(client.Options{MessagesPerConnection: 1, Rate: 1})
	var began []time.Duration
	mta.answer = func(_ *caller, verb string) string {
		if verb == "MAIL" {
			began = append(began, p.world.Elapsed())
		}
		return ""
	}
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { p.post(e, 0) },
		"next":       func(e *kernel.Event) { p.post(e, 1) },
		"result": session.On(func(e *kernel.Event, r *client.Result) {
			if r.Message.Context == 0 {
				e.Session.Delay("next", 100*time.Millisecond)
				return
			}
			mta.close()
			e.Session.Post(mail, "smtp_shutdown")
		}),
	})
	p.run()
	if want := []time.Duration{0, time.Second}; !slices.Equal(began, want) {
		t.Errorf("got messages at %v, want %v", began, want)
	}
}

// A message that is given up between two tries leaves those alone that go to the same destination
// meanwhile: smtp_shutdown still finds their connections.
func TestWithdrawnMessageLeavesItsDestination(t *testing.T) {
	p := newPlace(t, sim.Options{})
	mta := p.mta()
	p.spawn(client.Options{IdleTime: 3 * time.Second, Retry: client.Retry{Times: 1}})
	first := true
	mta.answer = func(_ *caller, verb string) string {
		if verb == "MAIL" && first {
			first = false
			return "451 4.3.0 Later"
		}
		return ""
	}
	m := message()
	m.Deadline, m.Context, m.ResultEvent = 10*time.Second, 7, "result"
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Post(mail, "send", &m)
			e.Session.Delay("other", 9*time.Second)
			e.Session.Delay("end", 11*time.Second)
		},
		"other": func(e *kernel.Event) { p.post(e, 1) },
		"end": func(e *kernel.Event) {
			mta.close()
			e.Session.Post(mail, "smtp_shutdown")
		},
		"result": session.On(func(e *kernel.Event, r *client.Result) { p.noted(r) }),
	})
	p.run()
	p.want("1: ok", "7: configure: not done within 10s")
	if at := p.world.Elapsed(); at >= 12*time.Second {
		t.Errorf("the client ended at %v, want 11s", at)
	}
}

// A message that cannot be sent as it is does not take the one before it with it, whose text is
// sent already.
func TestBadParametersOfTheNextMessage(t *testing.T) {
	for _, bad := range []func(m *client.Message){
		func(m *client.Message) {
			m.RcptParams = []smtp.RcptParams{{Other: []smtp.Param{{Keyword: "X", Value: "a\r\nDATA"}}}}
		},
		func(m *client.Message) { m.MailParams = []smtp.Param{{Keyword: "X Y"}} },
		func(m *client.Message) { m.EnvelopeID = "a\x00b" },
		func(m *client.Message) { // it is too long once it is written as the DNS has it
			m.To = []string{strings.Repeat("a", 64) + "@" + strings.Repeat("ü.", 60) + "example"}
		},
	} {
		p := newPlace(t, sim.Options{Latency: time.Millisecond})
		mta := p.mta()
		p.spawn(client.Options{MaxConnections: 1})
		mta.answer = func(_ *caller, verb string) string {
			if verb == "EHLO" {
				return "250-mx.example.org\r\n250-DSN\r\n250 PIPELINING"
			}
			return ""
		}
		results := 0
		p.k.Create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				p.post(e, 0)
				p.post(e, 1)
				m := message()
				m.Context, m.ResultEvent = 2, "result"
				bad(&m)
				e.Session.Post(mail, "send", &m)
				p.post(e, 3)
			},
			"result": session.On(func(e *kernel.Event, r *client.Result) {
				if r.Err != nil && (r.Err.Kind != client.Configure || r.Err.Temporary()) {
					t.Errorf("message %v: %v", r.Message.Context, r.Err)
				}
				p.note("%v %v", r.Message.Context, r.OK())
				if results++; results == 4 {
					mta.close()
				}
			}),
		})
		p.run()
		slices.Sort(p.lines)
		p.want("0 true", "1 true", "2 false", "3 true")
		if len(mta.messages) != 3 {
			t.Errorf("%d messages arrived, want 3: %q", len(mta.messages), mta.messages)
		}
	}
}

// What was being read of a message that the server refused meanwhile does not become part of the
// next one.
func TestTextOfARefusedMessageGoesNowhere(t *testing.T) {
	p := newPlace(t, sim.Options{WorkTime: 50 * time.Millisecond})
	mta := p.mta()
	p.spawn(client.Options{MaxConnections: 1})
	refused := false
	mta.answer = func(_ *caller, verb string) string {
		switch {
		case verb == "EHLO":
			return chunking
		case verb == "BDAT" && !refused:
			refused = true
			return "552 5.3.4 Too large"
		}
		return ""
	}
	body := strings.Repeat("0123456789\r\n", 50_000)
	m := message()
	m.FileHandle, m.Context, m.ResultEvent = &lines{left: 1 << 20}, 0, "result"
	other := message()
	other.FileHandle, other.Context, other.ResultEvent = strings.NewReader(body), 1, "result"
	results := 0
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Post(mail, "send", &m)
			e.Session.Post(mail, "send", &other)
		},
		"result": session.On(func(_ *kernel.Event, r *client.Result) {
			p.noted(r)
			if results++; results == 2 {
				mta.close()
			}
		}),
	})
	p.run()
	p.want(`0: data: the server said "552 5.3.4 Too large"`, "1: ok")
	if !slices.Equal(mta.messages, []string{body}) {
		for _, text := range mta.messages {
			t.Errorf("got a message of %d octets with %d of the other's lines, want %d octets",
				len(text), strings.Count(text, "fox"), len(body))
		}
	}
}

// Without PIPELINING a chunk waits for the reply to the one before it: RFC 3030, section 4.2, and
// RFC 2920.
func TestChunksOneByOne(t *testing.T) {
	p := newPlace(t, sim.Options{Latency: time.Millisecond})
	mta := p.mta()
	said := 0
	mta.answer = func(c *caller, verb string) string {
		switch verb {
		case "EHLO":
			return "250-mx.example.org\r\n250 CHUNKING"
		case "BDAT":
			c.rw.PauseInput()
			p.k.ActiveSession().Delay("pause", 100*time.Millisecond)
			said++
		}
		return ""
	}
	body := strings.Repeat("0123456789\r\n", 50_000)
	for _, m := range []client.Message{
		{Body: []byte(body)}, {FileHandle: strings.NewReader(body)},
		{Source: &writer{body}},
	} {
		full := message()
		full.Body, full.FileHandle, full.Source = m.Body, m.FileHandle, m.Source
		full.TransactionLog, full.ResultEvent = true, "result"
		p.k.Create(session.Events{
			kernel.Start: func(e *kernel.Event) { client.Send(e.Session, full) },
			"result": session.On(func(_ *kernel.Event, r *client.Result) {
				p.note("ok %v", r.OK())
				open := 0
				for _, line := range r.Log {
					switch {
					case strings.HasPrefix(line, "-> BDAT"):
						open++
					case strings.HasPrefix(line, "<- "):
						open = 0
					}
					if open > 1 {
						t.Error("a chunk was sent before the reply to the last one")
						break
					}
				}
				if len(mta.messages) == 3 {
					mta.close()
				}
			}),
		})
	}
	p.run()
	p.want("ok true", "ok true", "ok true")
	for _, text := range mta.messages {
		if text != body {
			t.Errorf("got %d octets, want %d", len(text), len(body))
		}
	}
	if said < 9 {
		t.Errorf("%d chunks, want 3 and more of each message", said)
	}
}

// A writer is a text that writes itself.
type writer struct{ text string }

func (w *writer) WriteTo(to io.Writer) (int64, error) {
	n, err := io.WriteString(to, w.text)
	return int64(n), err
}

// The deadline of a message counts also while its envelope waits on the wire behind another
// message.
func TestDeadlineOfAMessageAhead(t *testing.T) {
	p := newPlace(t, sim.Options{Latency: time.Millisecond})
	mta := p.mta()
	p.spawn(client.Options{MaxConnections: 1})
	held := false
	mta.answer = func(c *caller, verb string) string {
		switch {
		case verb == "." && len(mta.messages) == 1:
			held = true
			p.k.ActiveSession().State("later", func(*kernel.Event) {
				held = false
				c.rw.PutString("250 Queued\r\n250 Ok\r\n250 Ok\r\n354 Go ahead\r\n")
			})
			p.k.ActiveSession().Delay("later", 8*time.Second)
			return "250-One moment"
		case held && verb != "":
			return "250-please"
		}
		return ""
	}
	results := 0
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.post(e, 0)
			m := message()
			m.Context, m.ResultEvent, m.Deadline = 1, "result", 3*time.Second
			e.Session.Post(mail, "send", &m)
			p.post(e, 2)
		},
		"result": session.On(func(_ *kernel.Event, r *client.Result) {
			p.noted(r)
			p.note("after %v", p.world.Elapsed().Truncate(time.Second))
			if results++; results == 3 {
				mta.close()
			}
		}),
	})
	p.run()
	p.want("1: configure: not done within 3s", "after 3s", "0: ok", "after 8s", "2: ok", "after 8s")
	if want := []string{"message 0\r\n", "message 2\r\n"}; !slices.Equal(mta.messages, want) {
		t.Errorf("got %q, want %q", mta.messages, want)
	}
}

// Compat works for a client that stays: each message has a result.
func TestCompatInAPool(t *testing.T) {
	p := newPlace(t, sim.Options{Latency: time.Millisecond})
	mta := p.mta()
	p.spawn(client.Options{MaxConnections: 1})
	results := 0
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			for i := range 3 {
				m := message()
				m.Compat, m.Context, m.ResultEvent = true, i, "result"
				e.Session.Post(mail, "send", &m)
			}
		},
		"result": session.On(func(_ *kernel.Event, r *client.Result) {
			p.noted(r)
			if results++; results == 3 {
				mta.close()
			}
		}),
	})
	p.run()
	p.want("0: ok", "1: ok", "2: ok")
}

// A server that takes only so many messages on one connection, and then says 421 or hangs up,
// costs none of them.
func TestServerEndsAUsedConnection(t *testing.T) {
	for _, end := range []string{"421 4.7.0 Too many messages\r\n", ""} {
		for _, file := range []bool{false, true} {
			for _, offer := range []string{pipelining, chunking, "250 mx.example.org"} {
				p := newPlace(t, sim.Options{Latency: time.Millisecond})
				mta := p.mta()
				p.spawn(client.Options{MaxConnections: 1})
				served := make(map[*caller]int)
				mta.answer = func(c *caller, verb string) string {
					switch verb {
					case "EHLO":
						return offer
					case "MAIL":
						if served[c]++; served[c] > 2 {
							c.rw.PutString(end)
							c.rw.Flush()
							c.hangUp()
						}
					}
					return ""
				}
				const messages = 10
				all := summary{}
				p.k.Create(session.Events{
					kernel.Start: func(e *kernel.Event) {
						for i := range messages {
							m := message()
							m.Context, m.ResultEvent = i, "result"
							if m.Body = []byte(fmt.Sprint("message ", i)); file {
								m.FileHandle = onlyReader{bytes.NewReader(m.Body)}
							}
							e.Session.Post(mail, "send", &m)
						}
					},
					"result": session.On(func(_ *kernel.Event, r *client.Result) {
						all.add(p, r)
						if len(all) == messages {
							mta.close()
						}
					}),
				})
				p.run()
				if end == "" && offer == chunking && !file {
					// What was sent with its text is not sent twice, since it may have arrived.
					for i, text := range all {
						arrived := slices.Contains(mta.messages, fmt.Sprintf("message %d\r\n", i))
						if arrived != (text == "ok") {
							t.Errorf("message %d: %s, and it has arrived: %v", i, text, arrived)
						}
					}
					continue
				}
				if all.count()["ok"] != messages || len(mta.messages) != messages {
					t.Errorf("%q, file %v, %q: got %v, %d arrived", end, file, offer, all,
						len(mta.messages))
				}
			}
		}
	}
}

// An onlyReader can be read once.
type onlyReader struct{ io.Reader }

// Between messages that follow each other on one connection nothing is taken back.
func TestNoResetBetweenGoodMessages(t *testing.T) {
	for _, offer := range []string{pipelining, "250 mx.example.org"} {
		p := newPlace(t, sim.Options{Latency: time.Millisecond})
		mta := p.mta()
		p.spawn(client.Options{MaxConnections: 1})
		resets := 0
		mta.answer = func(_ *caller, verb string) string {
			switch verb {
			case "EHLO":
				return offer
			case "RSET":
				resets++
			}
			return ""
		}
		all := summary{}
		p.postAll(10, all, mta.close)
		p.run()
		if all.count()["ok"] != 10 || resets > 0 {
			t.Errorf("%q: got %v, and %d times RSET", offer, all.count(), resets)
		}
	}
}

// Two clients in whose names messages are sent do not share a connection, however their attributes
// are cut.
func TestXClientIsNotShared(t *testing.T) {
	p := newPlace(t, sim.Options{})
	mta := p.mta()
	p.spawn(client.Options{MaxConnections: 1})
	connections := 0
	mta.answer = func(_ *caller, verb string) string {
		switch verb {
		case "":
			connections++
		case "EHLO":
			return "250-mx.example.org\r\n250 XCLIENT NAME LOGIN"
		case "XCLIENT":
			return "220 mx.example.org"
		}
		return ""
	}
	results := 0
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			for _, x := range [][]string{{"NAME=a LOGIN=b"}, {"NAME=a", "LOGIN=b"}} {
				m := message()
				m.XClient, m.Context, m.ResultEvent = x, 0, "result"
				e.Session.Post(mail, "send", &m)
			}
		},
		"result": session.On(func(_ *kernel.Event, r *client.Result) {
			p.noted(r)
			if results++; results == 2 {
				mta.close()
			}
		}),
	})
	p.run()
	p.want("0: ok", "0: ok")
	if connections != 2 {
		t.Errorf("%d connections, want 2", connections)
	}
}

// A server that limits both the transactions of a connection and their recipients gets no more than
// it takes of either: RFC 9422.
func TestTransactionsAreCounted(t *testing.T) {
	p := newPlace(t, sim.Options{})
	mta := p.mta()
	p.spawn(client.Options{MaxConnections: 1})
	mails := make(map[*caller]int)
	mta.answer = func(c *caller, verb string) string {
		switch verb {
		case "EHLO":
			return "250-mx.example.org\r\n250-PIPELINING\r\n250 LIMITS MAILMAX=2 RCPTMAX=1"
		case "MAIL":
			if mails[c]++; mails[c] > 2 {
				t.Error("a transaction too many")
			}
		}
		return ""
	}
	m := message()
	m.To = []string{"a@example.com", "b@example.com", "c@example.com", "d@example.com", "e@example.com"}
	m.Context, m.ResultEvent = 0, "result"
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Post(mail, "send", &m) },
		"result": session.On(func(_ *kernel.Event, r *client.Result) {
			p.noted(r)
			mta.close()
		}),
	})
	p.run()
	p.want("0: ok")
	if len(mails) != 3 || len(mta.messages) != 5 {
		t.Errorf("%d connections and %d messages, want 3 and 5", len(mails), len(mta.messages))
	}
}

// A message has no more time than the client's defaults leave it, also if its caller has more.
func TestDefaultDeadlineOfASend(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() // it never says anything
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	c, err := client.New(client.Options{Defaults: client.Message{
		Server: "127.0.0.1", Port: port, Deadline: 20 * time.Millisecond,
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err = c.Send(ctx, client.Message{})
	var f *client.Failure
	if !errors.As(err, &f) || f.Kind != client.TimedOut || !strings.Contains(f.Error(), "20ms") {
		t.Errorf("got %v, want that it is not done within 20ms", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// Whenever a client is stopped, each message has one result, also those that were sent before their
// turn. What is ok has arrived.
func TestPoolStoppedAnywhere(t *testing.T) {
	const messages = 40
	for _, offer := range []string{pipelining, chunking} {
		for at := range 120 {
			p := newPlace(t, sim.Options{Latency: time.Millisecond})
			mta := p.mta()
			s := p.spawn(client.Options{MaxConnections: 2, Retry: client.Retry{Times: 2}})
			replies := 0
			mta.answer = func(_ *caller, verb string) string {
				if replies++; replies == at+1 {
					p.k.Signal(s, "UIDESTROY")
					mta.close()
				}
				if verb == "EHLO" {
					return offer
				}
				if verb == "RCPT" && replies%7 == 0 {
					return "450 4.2.1 Busy"
				}
				return ""
			}
			all := summary{}
			p.postAll(messages, all, func() {})
			p.run()
			if len(all) != messages {
				t.Errorf("%q, stopped at reply %d: %d results, want %d", offer, at, len(all), messages)
			}
			for i, text := range all {
				if text == "ok" && !slices.Contains(mta.messages, fmt.Sprintf("message %d\r\n", i)) {
					t.Errorf("%q, stopped at reply %d: message %d has not arrived", offer, at, i)
				}
			}
		}
	}
}

// Several messages that come at once to a connection that has rested are sent one after the other,
// each with its own text: no other command comes between a recipient and the text for it.
func TestChunksAfterARest(t *testing.T) {
	p := newPlace(t, sim.Options{})
	mta := p.mta()
	p.spawn(client.Options{MaxConnections: 1, IdleTime: time.Hour})
	var verbs []string
	mta.answer = func(_ *caller, verb string) string {
		verbs = append(verbs, verb)
		if verb == "EHLO" {
			return chunking
		}
		return ""
	}
	done := 0
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { p.post(e, 0) },
		"rested": func(e *kernel.Event) {
			for i := range 3 {
				p.post(e, 1+i)
			}
		},
		"result": session.On(func(e *kernel.Event, r *client.Result) {
			p.noted(r)
			switch done++; done {
			case 1:
				e.Session.Delay("rested", time.Minute)
			case 4:
				mta.close()
				e.Session.Post(mail, "smtp_shutdown")
			}
		}),
	})
	p.run()
	p.want("0: ok", "1: ok", "2: ok", "3: ok")
	if got, want := strings.Count(strings.Join(verbs, " "), "MAIL RCPT ."), 4; got != want {
		t.Errorf("got %q, want %d whole transactions", verbs, want)
	}
	want := []string{"message 0\r\n", "message 1\r\n", "message 2\r\n", "message 3\r\n"}
	if !slices.Equal(mta.messages, want) {
		t.Errorf("got %q, want %q", mta.messages, want)
	}
}

// However many messages in a row cannot be sent by a connection, one does not fail within the other.
func TestUnfitInARow(t *testing.T) {
	const messages = 20_000
	defer debug.SetMaxStack(debug.SetMaxStack(1 << 20))
	p := newPlace(t, sim.Options{})
	mta := p.mta()
	mta.answer = func(_ *caller, verb string) string {
		if verb == "EHLO" {
			return "250 mx.example.org"
		}
		return ""
	}
	p.spawn(client.Options{
		MaxConnections: 1, MaxWaiting: messages + 1, MessagesPerConnection: messages + 1,
	})
	failed := 0
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.post(e, 0)
			for range messages {
				m := message()
				m.To, m.ResultEvent = []string{"ü@example.com"}, "unfit"
				_ = e.Session.Post(mail, "send", &m)
			}
		},
		"result": session.On(func(_ *kernel.Event, r *client.Result) { p.noted(r) }),
		"unfit": session.On(func(e *kernel.Event, r *client.Result) {
			if r.Err == nil || r.Err.Reply != nil {
				t.Error(r.Err)
			}
			if failed++; failed == messages {
				mta.close()
				_ = e.Session.Post(mail, "smtp_shutdown")
			}
		}),
	})
	p.run()
	p.want("0: ok")
	if failed != messages {
		t.Errorf("%d of %d have a result", failed, messages)
	}
}
