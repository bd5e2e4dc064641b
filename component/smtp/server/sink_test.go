package server_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/component/smtp/server"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
)

// A testSink takes its time for everything, and notes what it is asked for. It fails where it is
// told to.
type testSink struct {
	t                    *testing.T
	takes                time.Duration // for each piece, and to store
	gathers              bool          // pieces take no time
	begin, write, commit error

	calls []string // what it was asked for, pieces that follow each other as one
	text  bytes.Buffer
}

func (k *testSink) note(call string) {
	if n := len(k.calls); call != "write" || n == 0 || k.calls[n-1] != call {
		k.calls = append(k.calls, call)
	}
}

func (k *testSink) Begin(s *kernel.Session, _ *server.Envelope) (server.Message, error) {
	k.note("begin")
	if k.begin != nil {
		return nil, k.begin
	}
	return &testMessage{sink: k, s: s}, nil
}

type testMessage struct {
	sink *testSink
	s    *kernel.Session
	busy bool
	over bool
}

// later calls done with err, when the time that the sink takes has passed.
func (m *testMessage) later(call string, done func(error), err error) {
	if m.busy || m.over {
		m.sink.t.Errorf("%s while the sink was busy, or after its end", call)
	}
	m.sink.note(call)
	if m.sink.takes == 0 || call == "write" && m.sink.gathers {
		done(err)
		return
	}
	m.busy = true
	event := fmt.Sprintf("test sink, %s", call)
	m.s.State(event, func(*kernel.Event) {
		m.busy = false
		if !m.over || call == "commit" {
			done(err)
		}
	})
	m.s.Delay(event, m.sink.takes)
}

func (m *testMessage) Write(p []byte, done func(error)) {
	m.sink.text.Write(p)
	m.later("write", done, m.sink.write)
}

func (m *testMessage) Commit(done func(error)) {
	m.later("commit", done, m.sink.commit)
	m.over = true
}

func (m *testMessage) Abort() {
	if m.over {
		m.sink.t.Error("abort after the end")
	}
	m.sink.note("abort")
	m.over = true
}

// envelope is the dialogue up to the text of a message.
func envelope() []step {
	return says(
		"S: 220 mx.example.com ESMTP",
		"C: HELO client",
		"S: 250 mx.example.com",
		"C: MAIL FROM:<a@example.com>",
		"S: 250 2.1.0 Sender ok",
		"C: RCPT TO:<b@example.com>",
		"S: 250 2.1.5 Recipient ok",
		"C: DATA",
	)
}

// says makes steps of a conversation's lines.
func says(lines ...string) []step {
	var steps []step
	for _, line := range lines {
		s := step{kind: line[0], text: line[3:]}
		if s.kind == 'C' {
			s.text += "\r\n"
		}
		steps = append(steps, s)
	}
	return steps
}

const (
	go354   = "S: 354 End with a dot on a line by itself"
	bye221  = "S: 221 2.0.0 mx.example.com closes the connection"
	fine250 = "S: 250 2.0.0 Message * accepted"
)

// What goes wrong in a sink is told to the client at the right moment. Only a reply of the sink's
// own is told as it is.
func TestSinkFails(t *testing.T) {
	full := &smtp.Reply{
		Code: 452, Enhanced: smtp.EnhancedCode{4, 3, 1}, Lines: []string{"Disk full"},
	}
	secret := errors.New("secret")
	const local = "S: 451 4.3.0 Something went wrong here; try again later"
	for _, test := range []struct {
		name  string
		sink  testSink
		says  []string
		calls string
	}{
		{"begin", testSink{begin: secret}, []string{local}, "begin"},
		{"begin with a reply", testSink{begin: full}, []string{"S: 452 4.3.1 Disk full"}, "begin"},
		{"write", testSink{write: secret}, []string{go354, "C: x", "C: .", local},
			"begin write abort"},
		{"write with a reply", testSink{write: fmt.Errorf("wrapped: %w", full)},
			[]string{go354, "C: x", "C: .", "S: 452 4.3.1 Disk full"}, "begin write abort"},
		{"write with a reply that is no refusal", testSink{write: &smtp.Reply{Code: 250}},
			[]string{go354, "C: x", "C: .", local}, "begin write abort"},
		{"commit", testSink{commit: secret}, []string{go354, "C: x", "C: .", local},
			"begin write commit"},
		{"commit of nothing", testSink{commit: full},
			[]string{go354, "C: .", "S: 452 4.3.1 Disk full"}, "begin commit"},
		{"never", testSink{}, []string{go354, "C: x", "C: .", fine250}, "begin write commit"},
	} {
		for _, takes := range []time.Duration{0, time.Minute} {
			t.Run(fmt.Sprint(test.name, " in ", takes), func(t *testing.T) {
				sink := test.sink
				sink.t, sink.takes = t, takes
				steps := append(envelope(), says(test.says...)...)
				steps = append(steps, says("C: NOOP", "S: 250 2.0.0 Ok")...)
				st := newStage(t, sim.Options{}, server.Options{Sink: &sink}, func(st *stage) {
					st.play(t, steps)
				})
				st.run(t)
				if got := strings.Join(sink.calls, " "); got != test.calls {
					t.Errorf("the sink was asked for %q, want %q", got, test.calls)
				}
			})
		}
	}
}

// While the sink is busy with a piece, nothing more is read, and the client has to wait. No
// time-out counts meanwhile.
func TestSlowSink(t *testing.T) {
	text := strings.Repeat(strings.Repeat("x", 98)+"\r\n", 5000)
	sink := &testSink{t: t, takes: 7 * time.Minute}
	steps := append(envelope(), says(go354)...)
	steps = append(steps, step{kind: 'C', text: text + ".\r\nQUIT\r\n"})
	steps = append(steps, says(fine250, bye221)...)
	st := newStage(t, sim.Options{Buffer: 8192}, server.Options{Sink: sink}, func(st *stage) {
		st.play(t, steps)
	})
	st.run(t)
	if sink.text.String() != text {
		t.Errorf("the sink got %d octets, want the %d of the text", sink.text.Len(), len(text))
	}
	least := time.Duration(len(text)/8192) * sink.takes
	if took := st.world.Elapsed(); took < least {
		t.Errorf("it took %v, want at least %v: the sink was not waited for", took, least)
	}
}

// While a message is being stored, what the client has sent ahead stays with the client.
func TestSentAheadOfStorage(t *testing.T) {
	sink := &testSink{t: t, takes: time.Minute, gathers: true}
	const ahead = 1 << 20
	steps := append(envelope(), says(go354)...)
	steps = append(steps, step{kind: 'C', text: "x\r\n.\r\n" + strings.Repeat("NOOP\r\n", ahead/6)})
	st := newStage(t, sim.Options{}, server.Options{Sink: sink}, func(st *stage) {
		p := st.play(t, steps)
		st.world.After(30*time.Second, func() {
			if got := strings.Join(sink.calls, " "); got != "begin write commit" {
				t.Errorf("the sink was asked for %q, want it to store the message", got)
			}
			if left := p.rw.OutOctets(); left < ahead*3/4 {
				t.Errorf("the server has read all but %d octets, want it to wait", left)
			}
			p.deaf = true
		})
	})
	st.run(t)
}

// A client that is lost while the sink is busy leaves nothing behind, but what is being stored
// already is stored, and the owner is told.
func TestClientLost(t *testing.T) {
	for _, test := range []struct {
		name, text string
		after      time.Duration
		calls      string
		stored     int
	}{
		{"in a write", "x\r\n", 30 * time.Second, "begin write abort", 0},
		{"between two", "x\r\n", 90 * time.Second, "begin write abort", 0},
		{"in a commit", "x\r\n.\r\n", 90 * time.Second, "begin write commit", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			sink := &testSink{t: t, takes: time.Minute}
			var stored int
			steps := append(envelope(), says(go354)...)
			steps = append(steps, step{kind: 'C', text: test.text})
			steps = append(steps, step{kind: 'T', wait: test.after})
			st := newStage(t, sim.Options{}, server.Options{Sink: sink, MessageEvent: "stored"},
				func(st *stage) {
					st.s.State("stored", session.On(func(_ *kernel.Event, r *server.Received) {
						stored++
						if r.Size != 3 {
							t.Errorf("the message has %d octets, want 3", r.Size)
						}
					}))
					p := spawnPlayer(t, st.s, st.addr, steps, func() {})
					p.atEnd = func() {
						p.rw.Close()
						_ = st.s.Post(st.server, "shutdown")
					}
				})
			st.run(t)
			if got := strings.Join(sink.calls, " "); got != test.calls {
				t.Errorf("the sink was asked for %q, want %q", got, test.calls)
			}
			if stored != test.stored {
				t.Errorf("%d messages are stored, want %d", stored, test.stored)
			}
		})
	}
}

// A message whose connection breaks is given up.
func TestConnectionBreaks(t *testing.T) {
	sink := &testSink{t: t}
	text := "HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
	steps := []step{
		{kind: 'C', text: text + "x\r\n"},
		{kind: 'T', wait: time.Second},
		{kind: 'C', text: strings.Repeat("x\r\n", 1000)},
	}
	world := sim.Options{Faults: sim.Faults{ResetAfter: 1000}}
	st := newStage(t, world, server.Options{Sink: sink}, func(st *stage) {
		st.play(t, steps).deaf = true
	})
	st.run(t)
	if got, want := strings.Join(sink.calls, " "), "begin write abort"; got != want {
		t.Errorf("the sink was asked for %q, want %q", got, want)
	}
}

// A client that is slow and goes on is not idle.
func TestSlowClient(t *testing.T) {
	sink := &testSink{t: t}
	steps := append(envelope(), says(go354)...)
	for range 5 {
		steps = append(steps, step{kind: 'C', text: strings.Repeat("x", 16<<10)})
		steps = append(steps, step{kind: 'T', wait: 4 * time.Minute})
	}
	steps = append(steps, says("C: ", "C: .", fine250)...)
	st := newStage(t, sim.Options{}, server.Options{Sink: sink}, func(st *stage) {
		st.play(t, steps)
	})
	st.run(t)
}

// A Memory holds so much and no more, and has room again when messages are complete, or given up.
func TestMemoryIsLimited(t *testing.T) {
	big := strings.Repeat(strings.Repeat("x", 98)+"\r\n", 30)
	var steps []step
	for range 3 {
		again := envelope()
		if steps != nil {
			again = again[3:]
		}
		steps = append(steps, again...)
		steps = append(steps, says(go354)...)
		steps = append(steps, step{kind: 'C', text: big + ".\r\n"})
		steps = append(steps, says(fine250)...)
		steps = append(steps, envelope()[3:]...)
		steps = append(steps, says(go354)...)
		steps = append(steps, step{kind: 'C', text: big + big + ".\r\n"})
		steps = append(steps, says("S: 452 4.3.1 Too many messages at once")...)
	}
	st := newStage(t, sim.Options{}, server.Options{}, func(st *stage) {
		st.play(t, steps)
	})
	st.run(t)
	want := strings.Repeat("> from <a@example.com> to <b@example.com>\n"+big, 3)
	if got := st.stored.String(); got != want {
		t.Errorf("stored:\n%.300s\nwant:\n%.300s", got, want)
	}
	if len(st.ids) != 3 {
		t.Errorf("3 messages have %d IDs", len(st.ids))
	}
}
