package server_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/component/smtp/server"
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
	"go.uber.org/zap"
)

// A chat is a conversation in a file. Its lines are:
//
//	C: text   the client sends the line
//	C= "text" the client sends these bytes, in Go's quotes
//	C.        the client sends no more
//	S: text   the server answers with the line, in which * stands for any word
//	T: 5m     so much time passes, in which the server says the S lines that come next
//	M> text   a message is stored, with this envelope
//	M: text   and this is the next line of it
//
// Lines of the client's that follow each other are sent at once. At the end of the file the client
// hangs up, if the server has not done so.
type chat struct {
	steps  []step
	stored string // what M lines say
}

type step struct {
	kind byte // C, S, T, or a dot for C.
	text string
	wait time.Duration
}

func readChat(t *testing.T, path string) chat {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var c chat
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		kind, rest := line[:2], strings.TrimPrefix(line[2:], " ")
		switch kind {
		case "C:":
			c.steps = append(c.steps, step{kind: 'C', text: rest + "\r\n"})
		case "C=":
			raw, err := strconv.Unquote(rest)
			if err != nil {
				t.Fatalf("%s: %q: %v", path, line, err)
			}
			c.steps = append(c.steps, step{kind: 'C', text: raw})
		case "C.":
			c.steps = append(c.steps, step{kind: '.'})
		case "S:":
			c.steps = append(c.steps, step{kind: 'S', text: rest})
		case "T:":
			wait, err := time.ParseDuration(rest)
			if err != nil {
				t.Fatalf("%s: %q: %v", path, line, err)
			}
			c.steps = append(c.steps, step{kind: 'T', wait: wait})
		case "M>":
			c.stored += "> " + rest + "\n"
		case "M:":
			c.stored += rest + "\r\n"
		default:
			t.Fatalf("%s: cannot read %q", path, line)
		}
	}
	return c
}

// A player is the client of a conversation.
type player struct {
	t     *testing.T
	s     *kernel.Session
	rw    *wheel.ReadWrite
	steps []step
	heard []string
	deaf  bool   // it does not care what the server says
	waits bool   // by a T line
	atEnd func() // of the conversation: hangs up
	over  func() // tells that the connection is closed
}

// spawnPlayer plays a conversation against the server at addr, in a child of parent.
func spawnPlayer(
	t *testing.T, parent *kernel.Session, addr net.Addr, steps []step, over func(),
) *player {
	return spawnPlayerAt(t, parent, "", addr, steps, over)
}

// spawnPlayerAt is spawnPlayer for a client that has the address from, if there is one.
func spawnPlayerAt(
	t *testing.T, parent *kernel.Session, from string, addr net.Addr, steps []step, over func(),
) *player {
	p := &player{t: t, steps: steps, over: over}
	p.atEnd = func() { p.rw.ShutdownOutput() }
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		t.Fatal(err)
	}
	parent.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.s = e.Session
			wheel.NewSocketFactory(e.Session, wheel.SocketFactoryOptions{
				BindAddress:   from,
				RemoteAddress: host,
				RemotePort:    port,
				SuccessEvent:  "connected",
				FailureEvent:  "failed",
			})
		},
		"connected": session.On(p.connected),
		"failed":    session.On(p.failed),
		"got_line":  session.On(p.gotLine),
		"go_on":     p.waited,
	})
	return p
}

func (p *player) connected(e *kernel.Event, c *wheel.Connection) {
	var err error
	p.rw, err = wheel.NewReadWrite(e.Session, wheel.ReadWriteOptions{
		Handle:       c.Socket,
		InputFilter:  filter.NewLine(filter.LineOptions{Literal: "\r\n"}),
		OutputFilter: filter.NewStream(filter.StreamOptions{}),
		InputEvent:   "got_line",
		ErrorEvent:   "failed",
	})
	if err != nil {
		p.t.Error(err)
		return
	}
	p.goOn()
}

// goOn does what the client does until it has to wait for the server.
func (p *player) goOn() {
	for len(p.steps) > 0 && p.steps[0].kind != 'S' {
		next := p.steps[0]
		p.steps = p.steps[1:]
		switch next.kind {
		case 'T':
			p.waits = true
			p.s.Delay("go_on", next.wait)
			return
		case '.':
			p.rw.ShutdownOutput()
		default:
			_ = p.rw.PutString(next.text) // a server that is gone shows in what it does not say
		}
	}
	if len(p.steps) == 0 {
		p.atEnd()
	}
}

// waited is the end of a wait.
func (p *player) waited(*kernel.Event) {
	p.waits = false
	if len(p.steps) > 0 && p.steps[0].kind == 'S' {
		p.t.Errorf("the server did not say %q in time", p.steps[0].text)
	}
	p.goOn()
}

func (p *player) gotLine(_ *kernel.Event, in *wheel.Input) {
	got := string(in.Bytes)
	p.heard = append(p.heard, got)
	if p.deaf {
		return
	}
	if len(p.steps) == 0 || p.steps[0].kind != 'S' || !matches(got, p.steps[0].text) {
		want := "nothing"
		if len(p.steps) > 0 && p.steps[0].kind == 'S' {
			want = strconv.Quote(p.steps[0].text)
		}
		p.t.Errorf("the server said %q, want %s; before that:\n%s", got, want,
			strings.Join(p.heard, "\n"))
		p.close()
		return
	}
	p.steps = p.steps[1:]
	if !p.waits && (len(p.steps) == 0 || p.steps[0].kind != 'S') {
		p.goOn()
	}
}

// matches compares two lines word by word.
func matches(got, want string) bool {
	g, w := strings.Split(got, " "), strings.Split(want, " ")
	return slices.EqualFunc(g, w, func(g, w string) bool { return g == w || w == "*" && g != "" })
}

func (p *player) failed(_ *kernel.Event, failed *wheel.Error) {
	if !errors.Is(failed, io.EOF) && !p.deaf {
		p.t.Errorf("the connection failed with %v, want EOF", failed)
	}
	for _, s := range p.steps {
		if s.kind == 'S' {
			p.t.Errorf("the server closed the connection, want %q", s.text)
			break
		}
	}
	p.close()
}

func (p *player) close() {
	p.s.AlarmClear("go_on")
	if p.rw != nil {
		p.rw.Close()
	}
	p.over()
}

// A stage is a kernel in a world, a server, and what it tells.
type stage struct {
	world  *sim.World
	k      *kernel.Kernel
	s      *kernel.Session // the owner of the server
	server *kernel.Session
	addr   net.Addr
	stored strings.Builder // what was handed over by the sink
	ids    map[string]bool
	failed error
}

// newStage makes a server that listens. When it does, began is called.
func newStage(t *testing.T, world sim.Options, opts server.Options, began func(*stage)) *stage {
	t.Helper()
	st := &stage{world: sim.New(world), ids: make(map[string]bool)}
	var err error
	st.k, err = kernel.New(kernel.Options{Loop: st.world, Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	opts.Port = "25"
	opts.Hostname = "mx.example.com"
	opts.ListenEvent = "listening"
	opts.FailureEvent = "failed"
	st.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			st.s = e.Session
			if opts.Sink == nil {
				opts.Sink = server.NewMemory(server.MemoryOptions{
					To: e.Session, Event: "got_mail", MaxHeld: 4000,
				})
			}
			if st.server, err = server.Spawn(e.Session, opts); err != nil {
				t.Error(err)
			}
		},
		"listening": session.On(func(_ *kernel.Event, l *server.Listening) {
			st.addr = l.Addr
			began(st)
		}),
		"failed":   session.On(func(_ *kernel.Event, err *wheel.Error) { st.failed = err }),
		"got_mail": session.On(st.gotMail),
	})
	return st
}

func (st *stage) gotMail(_ *kernel.Event, m *server.Mail) {
	st.ids[m.ID] = true
	fmt.Fprintf(&st.stored, "> from <%v> to", m.From.From)
	for _, to := range m.To {
		fmt.Fprintf(&st.stored, " <%v>", to.To)
	}
	fmt.Fprintf(&st.stored, "\n%s", m.Text)
}

// play plays a conversation, and then has the server shut down.
func (st *stage) play(t *testing.T, steps []step) *player {
	return spawnPlayer(t, st.s, st.addr, steps, func() { _ = st.s.Post(st.server, "shutdown") })
}

// run runs the kernel to its end.
func (st *stage) run(t *testing.T) {
	t.Helper()
	if err := st.k.Run(t.Context()); err != nil {
		t.Errorf("Run returned %v", err)
	}
	if st.failed != nil {
		t.Errorf("the server failed: %v", st.failed)
	}
}

// worlds are those in which each conversation is played: the network cuts and delays what is sent.
func worlds() map[string]sim.Options {
	all := map[string]sim.Options{
		"calm":   {},
		"narrow": {Latency: time.Millisecond, Buffer: 50},
	}
	for seed := range uint64(4) {
		all[fmt.Sprint("rough ", seed)] = sim.Options{
			Seed:    seed,
			Latency: time.Millisecond,
			Jitter:  time.Millisecond,
			Faults:  sim.Faults{Split: 0.7, Again: 0.2, Spurious: 0.1, Shuffle: true},
		}
	}
	return all
}

// strict are the options of the server in the conversations.
func strict() server.Options {
	return server.Options{
		MaxRecipients: 3,
		MaxSize:       1000,
		MaxErrors:     5,
		MaxCommands:   30,
		CheckSender: func(env *server.Envelope) error {
			if env.From.From.Local == "spammer" {
				return &smtp.Reply{Code: 550, Enhanced: smtp.EnhancedCode{5, 7, 1},
					Lines: []string{"Not from you"}}
			}
			return nil
		},
		CheckRecipient: func(_ *server.Envelope, to smtp.Rcpt) error {
			switch to.To.Local {
			case "nobody":
				return &smtp.Reply{Code: 550, Enhanced: smtp.EnhancedCode{5, 1, 1},
					Lines: []string{"No such user"}}
			case "broken":
				return errors.New("the table of users cannot be read")
			}
			return nil
		},
	}
}

// Each conversation goes as its file says, however the network cuts it.
func TestConversations(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.chat")
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Fatal("there are no conversations")
	}
	for _, path := range paths {
		c := readChat(t, path)
		for name, world := range worlds() {
			t.Run(strings.TrimSuffix(filepath.Base(path), ".chat")+"/"+name, func(t *testing.T) {
				st := newStage(t, world, strict(), func(st *stage) {
					st.play(t, c.steps)
				})
				st.run(t)
				if got := st.stored.String(); got != c.stored {
					t.Errorf("stored:\n%s\nwant:\n%s", got, c.stored)
				}
			})
		}
	}
}
