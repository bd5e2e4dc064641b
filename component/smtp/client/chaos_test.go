package client_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
)

// A moody server says no, says goodbye, or hangs up at any command, and offers now this and now
// that. It knows what it has accepted.
type moody struct {
	*mta
	random   *rand.Rand
	callers  map[*caller]*mood
	accepted map[string]int
}

// A mood is what the server knows of a connection.
type mood struct {
	offer string
	mail  bool
	rcpts int
	bad   bool // a chunk was refused
}

func newMoody(p *place, seed uint64) *moody {
	s := &moody{
		mta: p.mta(), random: rand.New(rand.NewPCG(seed, 1)),
		callers: make(map[*caller]*mood), accepted: make(map[string]int),
	}
	s.mta.answer = s.answer
	return s
}

func (s *moody) answer(c *caller, verb string) string {
	m := s.callers[c]
	if m == nil {
		m = &mood{}
		s.callers[c] = m
	}
	no := s.whim(c, m, verb)
	ok := no == ""
	switch verb {
	case "MAIL":
		*m = mood{offer: m.offer, mail: ok}
		c.message = nil
	case "RSET":
		*m = mood{offer: m.offer}
		c.message = nil
	case "RCPT":
		if ok && !m.mail {
			return "503 5.5.1 MAIL first"
		}
		if ok {
			m.rcpts++
		}
	case "DATA":
		if ok && m.rcpts == 0 && s.random.IntN(2) == 0 {
			return "503 5.5.1 RCPT first"
		}
	case "BDAT":
		m.bad = m.bad || !ok
		if m.bad || m.rcpts == 0 {
			m.bad = true
			return cmp.Or(no, "503 5.5.1 RCPT first")
		}
	case ".":
		chunks := strings.Contains(m.offer, "CHUNKING")
		text := string(c.message)
		rcpts, bad := m.rcpts, m.bad
		*m = mood{offer: m.offer}
		switch {
		case !ok:
		case bad || rcpts == 0 && chunks:
			return "503 5.5.1 RCPT first"
		case rcpts > 0:
			s.accepted[text]++
			if s.random.IntN(40) == 0 { // it has the message, and nobody learns of it
				c.hangUp()
			}
		}
	}
	return no
}

// whim returns what the server says out of a mood, if it is in any.
func (s *moody) whim(c *caller, m *mood, verb string) string {
	if verb == "EHLO" {
		all := []string{pipelining, chunking, "250 mx.example.org",
			"250-mx.example.org\r\n250 CHUNKING",
			"250-mx.example.org\r\n250-LIMITS RCPTMAX=1 MAILMAX=4\r\n250 PIPELINING"}
		m.offer = all[s.random.IntN(len(all))]
		return m.offer
	}
	switch n := s.random.IntN(60); {
	case n == 0:
		c.hangUp()
		return "421 nobody hears this"
	case n == 1:
		c.rw.PutString("421 4.3.2 Going down\r\n")
		c.rw.Flush()
		c.hangUp()
		return "421 nobody hears this"
	case n == 2 && verb != "" && verb != "QUIT" && verb != "RSET":
		return "550 5.7.1 No"
	case n == 3 && verb != "" && verb != "QUIT" && verb != "RSET":
		return "450 4.7.1 Later"
	}
	return ""
}

// Whatever a server does, each message has one result. One that is accepted has arrived, one that
// is refused for good has not, and none has arrived twice unless it was to be tried again.
func TestPoolWithAMoodyServer(t *testing.T) {
	const messages = 60
	for seed := range uint64(50) {
		p := newPlace(t, sim.Options{
			Seed: seed, Latency: time.Millisecond, Jitter: 3 * time.Millisecond, Buffer: 3000,
			WorkTime: time.Duration(seed%3) * time.Millisecond,
			Faults:   sim.Faults{Split: 0.3, Again: 0.1, Shuffle: true},
		})
		s := newMoody(p, seed)
		retries := int(seed%4) / 3
		opts := client.Options{
			MaxConnections: 1 + int(seed%3), MessagesPerConnection: 1 + int(seed%9),
			MaxDeliveries: 2, IdleTime: time.Second,
			Retry: client.Retry{Times: retries, First: time.Second},
		}
		if seed%7 == 0 {
			opts.Rate = 100
		}
		p.spawn(opts)
		body := func(i int) string {
			lines := 1 + i%5
			if i%9 == 0 {
				lines = 20_000
			}
			return strings.Repeat(fmt.Sprintf("message %d\r\n", i), lines)
		}
		results := make(map[int]*client.Result)
		post := func(e *kernel.Event, i int) {
			m := message()
			m.Body, m.Context, m.ResultEvent = []byte(body(i)), i, "result"
			m.Deadline = 20 * time.Second
			if i%4 == 0 {
				m.Body, m.FileHandle = nil, strings.NewReader(body(i))
			}
			if i%11 == 0 {
				m.Deadline = 15 * time.Millisecond
			}
			m.AllOrNothing = i%6 == 0
			if i%10 == 5 {
				m.To = append(m.To, "c@example.com", "d@example.com")
			}
			if i%13 == 0 {
				m.MyHostname = "other.example.com"
			}
			e.Session.Post(mail, "send", &m)
		}
		p.k.Create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				for i := range messages / 2 {
					post(e, i)
				}
				for i := messages / 2; i < messages; i++ {
					e.Session.DelayAdd("later", time.Duration(i*i)*time.Millisecond, i)
				}
			},
			"later": session.On(func(e *kernel.Event, i int) { post(e, i) }),
			"result": session.On(func(e *kernel.Event, r *client.Result) {
				i := r.Message.Context.(int)
				if results[i] != nil {
					t.Errorf("seed %d: message %d has two results", seed, i)
				}
				if results[i] = r; len(results) == messages {
					s.close()
					e.Session.Post(mail, "smtp_shutdown")
				}
			}),
		})
		p.run()
		if len(results) != messages {
			t.Errorf("seed %d: %d results, want %d", seed, len(results), messages)
		}
		for i, r := range results {
			n := s.accepted[body(i)]
			delete(s.accepted, body(i))
			switch {
			case r.OK() && n == 0:
				t.Errorf("seed %d: message %d was accepted, and has not arrived", seed, i)
			case r.Err != nil && !r.Err.Temporary() && n > 0 && retries == 0:
				t.Errorf("seed %d: message %d has arrived: %v", seed, i, r.Err)
			case n > len(r.Recipients) && retries == 0:
				t.Errorf("seed %d: message %d has arrived %d times", seed, i, n)
			case r.Err != nil && n > 0 && retries == 0 && r.Err.Kind == client.ServerError:
				t.Errorf("seed %d: message %d has arrived: %v", seed, i, r.Err)
			}
		}
		for text := range s.accepted {
			t.Errorf("seed %d: %d octets arrived that nobody has sent: %.60q", seed, len(text), text)
		}
		if t.Failed() {
			return
		}
	}
}
