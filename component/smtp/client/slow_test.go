package client_test

import (
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
)

// Who writes the text slowly is heard of with each piece, and not when a whole block is full: a
// text that comes steadily is no reason to give up.
func TestSlowTextIsSentAsItComes(t *testing.T) {
	p := newPlace(t, sim.Options{})
	mta := p.mta()
	m := message()
	m.FileHandle = iotest.OneByteReader(strings.NewReader("hello"))
	m.ResultEvent, m.Progress = "result", "progress"
	var octets []int64
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			if _, err := client.Send(e.Session, m); err != nil {
				t.Error(err)
			}
		},
		"progress": session.On(func(_ *kernel.Event, step *client.Progress) {
			if step.Stage == client.StageText {
				octets = append(octets, step.Octets)
			}
		}),
		"result": session.On(func(_ *kernel.Event, r *client.Result) {
			if !r.OK() {
				t.Errorf("not accepted: %v", r.Err)
			}
			mta.close()
		}),
	})
	p.run()
	if len(octets) < 5 || octets[0] != 1 {
		t.Errorf("got %v octets step by step, want 1, 2, 3, 4, 5", octets)
	}
}

// The time-out is that of the last thing that happened, to the second, however often something did
// before the alarm that was set first.
func TestTimeoutAfterTheLastReply(t *testing.T) {
	p := newPlace(t, sim.Options{})
	p.serve(`
T: 6s
S: 220 mx.example.org ESMTP
C: EHLO client.example.com
T: 6s
S: 250 mx.example.org
C: MAIL FROM:<a@example.com>
T: 9s
S: 250 Ok
C: RCPT TO:<b@example.com>
X: C
`)
	m := message()
	m.ResultEvent, m.Timeout, m.Timeouts.Rcpt = "result", 10*time.Second, 3*time.Second
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { _, _ = client.Send(e.Session, m) },
		"result": session.On(func(_ *kernel.Event, r *client.Result) {
			p.note("%v after %v", r.Err, r.Took)
		}),
	})
	p.run()
	p.want("rcpt: nothing happened for 3s after 24s")
}
