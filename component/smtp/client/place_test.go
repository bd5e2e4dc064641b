package client_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/chat"
	"github.com/go-poe/poe/test/sim"
)

// A place is a kernel in a simulated world, and what happened there, line by line.
type place struct {
	*testing.T
	world *sim.World
	k     *kernel.Kernel
	logs  *observer.ObservedLogs
	lines []string
}

// descriptors is how many descriptors a world has. When a test is over, all must be free.
const descriptors = 64

func newPlace(t *testing.T, opts sim.Options) *place {
	t.Helper()
	opts.Descriptors = descriptors
	p := &place{T: t, world: sim.New(opts)}
	core, logs := observer.New(zap.WarnLevel)
	p.logs = logs
	var err error
	p.k, err = kernel.New(kernel.Options{Loop: p.world, Log: zap.New(core)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// run runs the kernel until it ends by itself. After that nothing may be left.
func (p *place) run() {
	p.Helper()
	before := runtime.NumGoroutine()
	if err := p.k.Run(p.Context()); err != nil {
		p.Errorf("Run: %v\n%v", err, p.k.WhyAlive())
	}
	// A worker that has given its result may need a moment to end, and the system may not give it that
	// at once.
	for began := time.Now(); runtime.NumGoroutine() > before && time.Since(began) < 10*time.Second; {
		runtime.Gosched()
	}
	if after := runtime.NumGoroutine(); after > before {
		p.Errorf("%d goroutines, and %d before", after, before)
	}
	for _, entry := range p.logs.All() {
		p.Errorf("the kernel logged %q %v", entry.Message, entry.ContextMap())
	}
	for n := range descriptors {
		s, err := p.world.Socket("udp4")
		if err != nil {
			p.Fatalf("%d descriptors are not free", descriptors-n)
		}
		defer s.Close()
	}
}

// note keeps one line.
func (p *place) note(format string, args ...any) {
	p.lines = append(p.lines, fmt.Sprintf(format, args...))
}

// want checks what was noted.
func (p *place) want(lines ...string) {
	p.Helper()
	if !slices.Equal(p.lines, lines) {
		p.Errorf("got\n\t%s\nwant\n\t%s",
			strings.Join(p.lines, "\n\t"), strings.Join(lines, "\n\t"))
	}
}

// sender makes a session that sends one message, and notes each result.
func (p *place) sender(m client.Message) {
	m.ResultEvent = "result"
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			if _, err := client.Send(e.Session, m); err != nil {
				p.Error(err)
			}
		},
		"result": session.On(p.gotResult),
	})
}

// gotResult notes a result.
func (p *place) gotResult(_ *kernel.Event, r *client.Result) {
	p.lines = append(p.lines, describe(r)...)
}

// describe returns a result, line by line.
func describe(r *client.Result) (lines []string) {
	for _, to := range r.Recipients {
		what := to.Verdict.String()
		if to.Reply != nil {
			what += ": " + to.Reply.String()
		}
		lines = append(lines, to.Address+" "+what)
	}
	if r.Reply != nil {
		lines = append(lines, "reply "+r.Reply.String())
	}
	if f := r.Err; f != nil {
		often := "for good"
		if f.Temporary() {
			often = "for now"
		}
		lines = append(lines, fmt.Sprintf("failed %s: %s: %v", often, f.Kind, f))
	}
	return lines
}

// message returns a message to the server of the test.
func message() client.Message {
	return client.Message{
		Server: "127.0.0.1", Port: "25",
		MyHostname: "client.example.com", Timeout: 10 * time.Second,
		From: "a@example.com", To: []string{"b@example.com"},
		Body: []byte("Subject: test\r\n\r\nhello\r\n"),
	}
}

// serve plays the server of a conversation.
func (p *place) serve(text string) {
	p.Helper()
	chat.Serve(p.T, p.k.Root(), "25", chat.Parse(p.T, p.Name(), text))
}
