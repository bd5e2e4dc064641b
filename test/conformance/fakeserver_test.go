package conformance

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// A mailProgram is what the ports of the cases about the mail client are written with: one mail
// after the other, each from one session to one scripted server.
type mailProgram struct {
	*program
	show   string // "all", or "data" (message lines only), or "none"
	port   string // of the latest server
	wire   []string
	result []string
}

// inBothWorldsMail is inBothWorlds for a case about the mail client.
func inBothWorldsMail(name string, port func(m *mailProgram)) {
	inBothWorlds(name, func(p *program) { port(&mailProgram{program: p, show: "all"}) })
}

// A reply is what the scripted server says, and when.
type reply struct {
	text   string
	silent bool          // says nothing
	after  time.Duration // before the reply
	drop   bool          // close the connection, after the text if there is one
	cut    []string      // pieces, sent 50 ms apart
}

// texts returns replies that are only text.
func texts(list ...string) []reply {
	replies := make([]reply, len(list))
	for i, text := range list {
		replies[i] = reply{text: text}
	}
	return replies
}

// fine is how a server answers that has nothing against the mail.
func fine() []reply {
	return texts("220 ready\r\n", "250 hello\r\n", "250 sender ok\r\n", "250 recipient ok\r\n",
		"354 go ahead\r\n", "250 queued\r\n", "221 bye\r\n")
}

// fineUntil returns the first replies of fine, and then others.
func fineUntil(n int, others ...reply) []reply { return append(fine()[:n], others...) }

// A fakeServer takes one connection. It sends the first reply at once and one more after each
// command line; after a reply that starts with 354 it waits for the lone dot instead.
type fakeServer struct {
	*mailProgram
	script  []reply
	s       *kernel.Session
	listen  *wheel.SocketFactory
	rw      *wheel.ReadWrite
	in      string
	data    bool // what comes is the message
	cutting bool // commands wait until all pieces are sent
	drop    bool // close when the output is written
}

// fakeServer starts a scripted server.
func (m *mailProgram) fakeServer(script []reply) *fakeServer {
	f := &fakeServer{mailProgram: m, script: script}
	m.wire = nil
	m.k.Create(session.Events{
		kernel.Start: f.start,
		"accepted":   session.On(f.accepted),
		"next":       f.next,
		"send":       session.On(f.send),
		"input":      session.On(f.input),
		"flushed":    f.flushed,
		"error":      f.error,
	})
	return f
}

func (f *fakeServer) start(e *kernel.Event) {
	f.s = e.Session
	f.listen = wheel.NewSocketFactory(e.Session, wheel.SocketFactoryOptions{
		BindAddress: "127.0.0.1", BindPort: "0",
		SuccessEvent: "accepted", FailureEvent: "error",
	})
	f.port = strconv.Itoa(portOf(f.listen.LocalAddr()))
}

func (f *fakeServer) accepted(e *kernel.Event, c *wheel.Connection) {
	f.listen.Close()
	f.rw = f.readWrite(e, wheel.ReadWriteOptions{
		Handle: c.Socket, Filter: streams(),
		InputEvent: "input", FlushedEvent: "flushed", ErrorEvent: "error",
	})
	e.Session.Yield("next")
}

// next comes when the server has something to answer.
func (f *fakeServer) next(e *kernel.Event) {
	if f.cutting {
		e.Session.DelaySet("next", ms(20))
		return
	}
	r := reply{silent: true}
	if len(f.script) > 0 {
		r, f.script = f.script[0], f.script[1:]
	}
	if r.after > 0 {
		e.Session.DelaySet("send", r.after, r)
		return
	}
	f.send(e, r)
}

func (f *fakeServer) send(e *kernel.Event, r reply) {
	switch {
	case f.rw == nil:
	case r.cut != nil:
		f.said(Show(r.cut[0]), "(piece)")
		put(f.rw, 0, r.cut[0])
		f.cutting = len(r.cut) > 1
		if f.cutting {
			e.Session.DelaySet("send", ms(50), reply{cut: r.cut[1:]})
		}
	case r.silent:
		f.said("(silent)")
	case r.text != "":
		f.said(Show(r.text))
		f.data = strings.HasPrefix(r.text, "354")
		f.drop = r.drop
		put(f.rw, 0, r.text)
	case r.drop:
		f.close()
	}
}

func (f *fakeServer) said(words ...any)  { f.wire = append(f.wire, "S: "+join(words)) }
func (f *fakeServer) heard(words ...any) { f.wire = append(f.wire, "C: "+join(words)) }

func (f *fakeServer) close() {
	f.said("(closed)")
	f.rw.Close()
	f.rw = nil
}

func (f *fakeServer) input(e *kernel.Event, in *wheel.Input) {
	f.in += string(in.Bytes)
	for {
		line, rest, ok := strings.Cut(f.in, "\r\n")
		if !ok {
			return
		}
		f.in = rest
		f.heard(Show(line + "\r\n"))
		if f.data && line != "." {
			continue
		}
		f.data = false
		e.Session.Yield("next")
	}
}

func (f *fakeServer) flushed(*kernel.Event) {
	if f.drop {
		f.drop = false
		f.close()
	}
}

func (f *fakeServer) error(e *kernel.Event) {
	if f.in != "" {
		f.heard(Show(f.in), "(no line end)")
	}
	f.heard("(closed)")
	f.rw.Close()
	f.rw = nil
	e.Session.AlarmRemoveAll()
}

// leave ends a server to which nobody has connected.
func (f *fakeServer) leave() {
	if f != nil && f.rw == nil {
		f.listen.Close()
	}
}

// sendMail sends a mail to the latest server. The case changes what it likes.
func (m *mailProgram) sendMail(s *kernel.Session, change func(m *client.Message)) {
	mail := client.Message{
		Server: "127.0.0.1", Port: m.port, Timeout: 5 * time.Second, MyHostname: "client.example",
		From: "me@example.org", To: []string{"you@example.org"},
		Body:         []byte("Subject: test\r\n\r\nhello\r\n"),
		SuccessEvent: "ok", FailureEvent: "failed", Compat: true,
	}
	if change != nil {
		change(&mail)
	}
	if _, err := client.Send(s, mail); err != nil {
		m.T.Error(err)
	}
}

// scenario sends one mail from one session to one scripted server. Without a script there is none.
func (m *mailProgram) scenario(name string, script []reply, change func(m *client.Message)) {
	m.wire, m.result = nil, nil
	var server *fakeServer
	if script != nil {
		server = m.fakeServer(script)
	}
	m.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { m.sendMail(e.Session, change) },
		"ok":         func(e *kernel.Event) { m.gotSuccess(e); server.leave() },
		"failed":     func(e *kernel.Event) { m.gotFailure(e); server.leave() },
	})
	m.run()
	m.Out("==", name)
	for _, line := range append(m.shown(), m.result...) {
		m.Out(line)
	}
}

func (m *mailProgram) gotSuccess(e *kernel.Event) {
	log := arg(e, 1)
	m.results("SUCCESS", "args", len(e.Args), "context", Show(arg(e, 0)),
		"log", either(log == nil, "undef", "list"))
	m.logged(log)
}

func (m *mailProgram) gotFailure(e *kernel.Event) {
	log := arg(e, 2)
	m.results("FAILURE", "args", len(e.Args), "context", Show(arg(e, 0)),
		"log", either(log == nil, "undef", "list"))
	why := kernel.Arg[map[string]any](e, 1)
	line := kernel.Arg[string](e, 3)
	keys := make([]string, 0, len(why))
	for key := range why {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		m.results("  reason", key, errlist(why[key]))
		if list, ok := why[key].([]any); ok {
			line = strings.Replace(line, commaList(list), "LIST", 1)
		}
	}
	m.results("  line", Show(line))
	m.logged(log)
}

// errlist shows a reason. Of the list of operation, errno, text and wheel id, what may vary is left
// out.
func errlist(v any) string {
	list, ok := v.([]any)
	if !ok || len(list) != 4 {
		return Show(v)
	}
	errno := "none"
	if n, ok := list[1].(int); ok && n != 0 {
		errno = Errname(syscall.Errno(n))
	}
	text := either(list[2] == "", "no text", "TEXT")
	return fmt.Sprintf("[%s,%s,%s,ID]", list[0], errno, text)
}

// commaList returns the values as Perl's join does.
func commaList(list []any) string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = fmt.Sprint(v)
	}
	return strings.Join(words, ", ")
}

func (m *mailProgram) logged(log any) {
	lines, _ := log.([]string)
	for _, line := range lines {
		m.results("  log", Show(line))
	}
}

func (m *mailProgram) results(words ...any) { m.result = append(m.result, join(words)) }

// shown returns the lines of the dialogue to print.
func (m *mailProgram) shown() []string {
	switch m.show {
	case "all":
		return m.wire
	case "none":
		return nil
	}
	return m.message()
}

// message returns the lines of the message, with the dot that ends it.
func (m *mailProgram) message() []string {
	var lines []string
	data := false
	for _, line := range m.wire {
		if data {
			lines = append(lines, line)
		}
		if line == `C: ".\r\n"` {
			data = false
		}
		if strings.HasPrefix(line, `S: "354`) {
			data = true
		}
	}
	return lines
}
