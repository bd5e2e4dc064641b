package server_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/component/smtp/server"
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/test/sim"
)

// rough is a network that cuts what is sent in ways that depend on the seed.
func rough(seed uint64) sim.Options {
	return sim.Options{
		Seed:    seed,
		Latency: time.Millisecond,
		Faults:  sim.Faults{Split: 0.5, Again: 0.2, Spurious: 0.1, Shuffle: true},
	}
}

// play sends the server what a client says, and returns the lines of its replies.
func play(
	t *testing.T, world sim.Options, opts server.Options, says []byte,
) (replies []string, st *stage) {
	t.Helper()
	var p *player
	st = newStage(t, world, opts, func(st *stage) {
		p = st.play(t, []step{{kind: 'C', text: string(says)}})
		p.deaf = true
	})
	st.run(t)
	return p.heard, st
}

// Whatever a client says, it gets well-formed replies, and no more than it may, the server ends the
// conversation, and what it stores consists of whole lines.
func FuzzClient(f *testing.F) {
	f.Add(uint64(1), []byte("HELO c\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\n"+
		"DATA\r\nx\r\n..\r\n.\r\nQUIT\r\n"))
	f.Add(uint64(2), []byte("EHLO c\r\nMAIL FROM:<> SIZE=1\r\nRCPT TO:<b@example.com>\r\n"+
		"DATA\r\n\n.\n\r\n.\r\n"))
	f.Add(uint64(3), []byte("EHLO c\r\nMAIL FROM:<ä@b.c> SMTPUTF8 BODY=8BITMIME\r\n"+
		"RSET\r\nNOOP\r\nVRFY x\r\n"))
	f.Add(uint64(4), []byte("GET / HTTP/1.1\r\n"))
	f.Add(uint64(5), bytes.Repeat([]byte("x"), 3000))
	f.Fuzz(func(t *testing.T, seed uint64, says []byte) {
		lines, st := play(t, rough(seed), strict(), says)
		var parser smtp.ReplyParser
		replies := 0
		for _, line := range lines {
			done, err := parser.Add([]byte(line))
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			if !done {
				continue
			}
			replies++
			if r := parser.Reply(); r.Code < 200 || r.Code > 599 {
				t.Errorf("the server said %q", line)
			}
		}
		if parser.Pending() {
			t.Errorf("the last reply is not whole: %q", lines)
		}
		if most := bytes.Count(says, []byte("\n")) + 3; replies > most {
			t.Errorf("%d replies, want no more than %d", replies, most)
		}
		stored := st.stored.String()
		if stored == "" {
			return
		}
		for line := range strings.Lines(stored) {
			if !strings.HasPrefix(line, "> ") && (!strings.HasSuffix(line, "\r\n") ||
				strings.Count(line, "\r") != 1) {
				t.Errorf("the line %q is stored", line)
			}
		}
	})
}

// Any text arrives as it was sent, and so does what is behind it.
func FuzzText(f *testing.F) {
	f.Add(uint64(1), []byte("x\r\n.\r\n..\r\n"))
	f.Add(uint64(2), []byte(".\r.\n.\r\n\r\n\r"))
	f.Add(uint64(3), []byte(""))
	f.Add(uint64(4), bytes.Repeat([]byte(".\r\n"), 1000))
	f.Fuzz(func(t *testing.T, seed uint64, text []byte) {
		if len(text) > 1<<16 {
			return
		}
		encoder := filter.MessageEncoder{}
		wire := []byte("HELO c\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n")
		wire = encoder.Finish(encoder.Append(wire, text))
		wire = append(wire, "RSET\r\nQUIT\r\n"...)
		plain := filter.MessageEncoder{NoDots: true}
		want := string(plain.Finish(plain.Append(nil, text)))

		sink := &testSink{t: t, takes: time.Duration(seed%3) * time.Millisecond}
		lines, _ := play(t, rough(seed), server.Options{Sink: sink}, wire)
		if got := sink.text.String(); got != want {
			t.Errorf("stored %q, want %q", got, want)
		}
		last := []string{"250 2.0.0 Forgotten", bye221[len("S: "):]}
		if n := len(lines); n < 2 || !slices.Equal(lines[n-2:], last) {
			t.Errorf("the server said %q, want the replies to RSET and QUIT at the end", lines)
		}
	})
}
