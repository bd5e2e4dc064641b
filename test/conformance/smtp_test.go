package conformance

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// The ports of the cases about the mail client.
func init() {
	inBothWorldsMail("smtp-address-injection-bug", injection)
	inBothWorldsMail("smtp-auth", auth)
	inBothWorldsMail("smtp-auth-lowercase-bug", authLowercase)
	inBothWorldsMail("smtp-body-dots-bug", bodyDots)
	inBothWorldsMail("smtp-body-edges", bodyEdges)
	inBothWorldsMail("smtp-body-no-newline-bug", bodyNoNewline)
	inBothWorldsMail("smtp-context-alias", contextAlias)
	inBothWorldsMail("smtp-drop-stages", dropStages)
	inBothWorldsMail("smtp-message-file", messageFile)
	inBothWorldsMail("smtp-message-file-blank-line-bug", messageFileBlankLine)
	inBothWorldsMail("smtp-no-callback-default-bug", noCallbackDefault)
	inBothWorldsMail("smtp-no-callbacks", noCallbacks)
	inBothWorldsMail("smtp-refused", refused)
	inBothWorldsMail("smtp-reject-stages", rejectStages)
	inBothWorldsMail("smtp-replies-odd", oddReplies)
	inBothWorldsMail("smtp-reply-crlf-split-bug", replySplit)
	inBothWorldsMail("smtp-success-log", successLog)
	inBothWorldsMail("smtp-timeout-slow-server-bug", slowServer)
	inBothWorldsMail("smtp-timeouts", timeouts)
}

func injection(m *mailProgram) {
	m.scenario("line end in the sender", fine(), func(c *client.Message) {
		c.From = "me@example.org>\r\nRCPT TO: <victim@example.org"
	})
	m.scenario("line end in the host name", fine(), func(c *client.Message) {
		c.MyHostname = "client\r\nNOOP"
	})
}

// authReplies is how a server answers that lets the client authenticate.
func authReplies() []reply {
	return append(texts("220 ready\r\n", "250-hello\r\n250-SIZE 1000\r\n250 AUTH PLAIN LOGIN\r\n",
		"235 welcome\r\n"), fine()[2:]...)
}

func auth(m *mailProgram) {
	m.scenario("accepted", authReplies(), func(c *client.Message) {
		c.Auth = &client.Auth{Mechanism: "PLAIN", User: "me", Password: "s3cret"}
		c.TransactionLog = true
	})
	rejected := append(authReplies()[:2], reply{text: "535 no way\r\n"})
	m.scenario("rejected", rejected, func(c *client.Message) {
		c.Auth = &client.Auth{Mechanism: "PLAIN", User: "me", Password: "bad"}
		c.TransactionLog = true
		c.Context = 7
	})
	m.scenario("password missing", nil, func(c *client.Message) {
		c.Auth = &client.Auth{Mechanism: "PLAIN", User: "me"}
	})
	m.scenario("user missing", nil, func(c *client.Message) {
		c.Auth = &client.Auth{Mechanism: "PLAIN", Password: "x"}
		c.Context = "c"
	})
	m.scenario("unsupported mechanism", nil, func(c *client.Message) {
		c.Auth = &client.Auth{Mechanism: "LOGIN", User: "me", Password: "x"}
	})
	m.scenario("no mechanism means no authentication", fine(), func(c *client.Message) {
		c.Auth = &client.Auth{User: "me", Password: "x"}
	})
}

// authLowercase has a server, unlike the original, which does not get as far as to need one.
func authLowercase(m *mailProgram) {
	m.scenario("mechanism in lower case", authReplies(), func(c *client.Message) {
		c.Auth = &client.Auth{Mechanism: "plain", User: "me", Password: "x"}
	})
	m.Out("the whole program", "goes on")
}

// withBody returns a change of the body.
func withBody(text string) func(c *client.Message) {
	return func(c *client.Message) { c.Body = []byte(text) }
}

func bodyDots(m *mailProgram) {
	m.show = "data"
	for _, body := range []string{
		".first\r\nsecond\r\n", "..first\r\nsecond\r\n", ".\r\nsecond\r\n",
		"first\r\n.x\r\n..y\r\n...z\r\n..\r\n.\r\n",
	} {
		m.scenario(Show(body), fine(), withBody(body))
		m.Out("received by a server as", Show(m.received()))
	}
}

// received returns what a server takes the body for.
func (m *mailProgram) received() string {
	var lines []string
	for _, line := range m.message() {
		line = strings.TrimSuffix(strings.TrimPrefix(line, `C: "`), `\r\n"`)
		if line == "." {
			break
		}
		lines = append(lines, strings.TrimPrefix(line, "."))
	}
	return strings.Join(lines, "|")
}

func bodyEdges(m *mailProgram) {
	m.show = "data"
	m.scenario("empty", fine(), withBody(""))
	m.scenario("one empty line", fine(), withBody("\r\n"))
	m.scenario("CRLF", fine(), withBody("A: b\r\n\r\ntext\r\n"))
	m.scenario("bare LF", fine(), withBody("A: b\n\ntext\n"))
	m.scenario("mixed line ends", fine(), withBody("one\r\ntwo\nthree\rfour\n\rfive\r\n"))
	m.scenario("dot lines not at the start", fine(),
		withBody("x\r\n.\r\n.one dot\r\nend.\r\n.\r\n"))
	m.scenario("blank lines at the end", fine(), withBody("x\r\n\r\n\r\n"))
	m.scenario("8-bit and NUL", fine(), withBody("caf\xE9\x00\r\n"))
}

func bodyNoNewline(m *mailProgram) {
	m.show = "data"
	m.scenario("no line end at the end", fine(), withBody("Subject: x\r\n\r\nfirst\r\nlast line"))
	m.scenario("a single line without line end", fine(), withBody("all there is"))
}

func contextAlias(m *mailProgram) {
	m.show = "none"
	for _, test := range []struct {
		name    string
		context any
	}{
		{"context text", "text"},
		{"context list", []any{1, map[string]any{"a": 2}}},
		{"context zero", 0},
		{"no context", nil},
	} {
		m.scenario(test.name, fine(), func(c *client.Message) { c.Context = test.context })
	}

	m.result = nil
	slow := fine()
	for i := range slow {
		slow[i].after = ms(30)
	}
	m.fakeServer(slow)
	look := func(when string) {
		_, err := m.k.AliasResolve(kernel.Alias("mailer"))
		m.Out("alias "+when+":", either(err == nil, "set", "not set"))
	}
	m.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			m.sendMail(e.Session, func(c *client.Message) {
				c.Alias, c.Context = "mailer", "aliased"
			})
			m.Out("== alias")
			look("right after send")
			e.Session.Delay("look", ms(100))
			e.Session.Delay("look2", ms(500))
		},
		"look":       func(*kernel.Event) { look("while sending") },
		"look2":      func(*kernel.Event) { look("afterwards") },
		"ok":         m.gotSuccess,
		"failed":     m.gotFailure,
		kernel.Child: func(e *kernel.Event) { m.Out("_child", e.Args[0]) },
	})
	m.run()
	for _, line := range m.result {
		m.Out(line)
	}
}

func dropStages(m *mailProgram) {
	for i, name := range []string{
		"before the greeting", "after HELO", "after MAIL", "after RCPT", "after DATA",
		"after the final dot", "after QUIT",
	} {
		m.scenario("dropped "+name, fineUntil(i, reply{drop: true}), func(c *client.Message) {
			c.TransactionLog = i == 3
		})
	}
	m.scenario("421 and dropped",
		fineUntil(2, reply{text: "421 shutting down\r\n", drop: true}), nil)
}

// file writes a file into dir, and returns its path.
func (m *mailProgram) file(dir, name, text string) string {
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		m.T.Fatal(err)
	}
	return path
}

func fromFile(path string) func(c *client.Message) {
	return func(c *client.Message) {
		c.MessageFile = path
		c.Body = []byte("not used\n")
	}
}

func messageFile(m *mailProgram) {
	dir := m.T.TempDir()
	message := func() { // without a blank line before the dot
		lines := m.message()
		if n := len(lines); n > 1 && lines[n-2] == `C: "\r\n"` {
			lines = append(lines[:n-2], lines[n-1])
		}
		for _, line := range lines {
			m.Out("  " + line)
		}
	}
	m.show = "none"
	path := m.file(dir, "a", "Subject: from file\n\nline\n.dot\n.\nlast\n")
	m.scenario("MessageFile", fine(), fromFile(path))
	message()
	f, err := os.Open(path)
	if err != nil {
		m.T.Fatal(err)
	}
	m.scenario("FileHandle", fine(), func(c *client.Message) {
		c.FileHandle = f
		c.Body = []byte("not used\n")
	})
	closeAll(f)
	message()
	m.scenario("file does not exist", nil, func(c *client.Message) {
		c.MessageFile = "/nonexistent/message.txt"
		c.Context = 3
		c.TransactionLog = true
	})
	var big, want strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&big, "%05d %s\n", i+1, strings.Repeat("x", 70))
		fmt.Fprintf(&want, "%05d,", i+1)
	}
	m.scenario("large file", fine(), fromFile(m.file(dir, "big", big.String())))
	received := 0
	var got strings.Builder
	for _, line := range m.message() {
		if number, x, ok := strings.Cut(strings.TrimPrefix(line, `C: "`), " "); ok && x[0] == 'x' {
			received++
			got.WriteString(number + ",")
		}
	}
	m.Out("lines received", received,
		"in order", either(got.String() == want.String(), "yes", "no"))
}

func messageFileBlankLine(m *mailProgram) {
	m.show = "data"
	dir := m.T.TempDir()
	m.scenario("body", fine(), withBody("one\ntwo\n"))
	m.scenario("the same from a file", fine(), fromFile(m.file(dir, "a", "one\ntwo\n")))
	m.scenario("empty file", fine(), fromFile(m.file(dir, "e", "")))
	m.scenario("file without line end at the end", fine(), fromFile(m.file(dir, "n", "one\ntwo")))
}

func noCallbackDefault(m *mailProgram) {
	m.fakeServer(fine())
	m.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			m.sendMail(e.Session, func(c *client.Message) { c.SuccessEvent, c.Context = "", "c" })
		},
		kernel.Child: func(*kernel.Event) {},
		kernel.Stop:  func(*kernel.Event) {},
		kernel.Default: func(e *kernel.Event) {
			m.Out("_default gets an event named", Show(e.Args[0]), "args", Show(e.Args[1]))
		},
	})
	m.run()
}

func noCallbacks(m *mailProgram) {
	for _, test := range []struct {
		name   string
		script []reply
		change func(c *client.Message)
	}{
		{"success, no success event", fine(), func(c *client.Message) { c.SuccessEvent = "" }},
		{"failure, no failure event", texts("554 no\r\n"),
			func(c *client.Message) { c.FailureEvent = "" }},
		{"success with failure event only", fine(),
			func(c *client.Message) { c.SuccessEvent, c.FailureEvent = "", "failed" }},
		{"an event the caller does not handle", fine(),
			func(c *client.Message) { c.SuccessEvent = "nobody_home" }},
	} {
		m.result = nil
		m.fakeServer(test.script)
		m.k.Create(session.Events{
			kernel.Start: func(e *kernel.Event) { m.sendMail(e.Session, test.change) },
			"ok":         func(*kernel.Event) { m.results("ok called") },
			"failed":     func(*kernel.Event) { m.results("failed called") },
			kernel.Child: func(e *kernel.Event) { m.results("_child", e.Args[0]) },
		})
		m.run()
		m.Out("==", test.name)
		for _, line := range append(m.wire[max(0, len(m.wire)-3):], m.result...) {
			m.Out(line)
		}
	}
}

func refused(m *mailProgram) {
	m.port = freePort(m.program)
	m.scenario("refused", nil, func(c *client.Message) { c.Context = "c" })
	m.scenario("refused, with log", nil, func(c *client.Message) { c.TransactionLog = true })
	m.scenario("unknown service name", nil, func(c *client.Message) { c.Port = "no-such-service" })
}

func rejectStages(m *mailProgram) {
	names := []string{"greeting", "HELO", "MAIL", "RCPT", "DATA", "final dot", "QUIT"}
	for i, bad := range []string{
		"554 go away", "501 who are you", "451 later please", "550 no such user", "452 no space",
		"552 too large", "500 never heard of QUIT",
	} {
		m.scenario(names[i]+" answered "+bad, fineUntil(i, reply{text: bad + "\r\n"}), nil)
	}
	m.scenario("second of three recipients refused", fineUntil(4, reply{text: "553 bad\r\n"}),
		func(c *client.Message) {
			c.To = []string{"a@x", "b@x", "c@x"}
			c.TransactionLog = true
			c.Context = map[string]any{"id": 9}
		})
}

func oddReplies(m *mailProgram) {
	logs := func(c *client.Message) { c.TransactionLog = true }
	m.scenario("multi-line replies", append(texts("220-welcome\r\n220-to this\r\n220 server\r\n",
		"250-a\r\n250-b\r\n250 c\r\n"), fine()[2:]...), logs)
	m.scenario("code without text", texts("220\r\n", "250\r\n", "250 \r\n", "250\t\r\n", "354\r\n",
		"250\r\n", "221\r\n"), logs)
	m.scenario("1xx and 3xx count as success", append(texts("220 hi\r\n", "150 hm\r\n",
		"350 ok\r\n"), fine()[3:]...), nil)
	bare := fine()
	for i := range bare {
		bare[i].text = strings.ReplaceAll(bare[i].text, "\r", "")
	}
	m.scenario("LF only", bare, nil)
	m.scenario("unknown code 600", texts("220 hi\r\n", "600 what\r\n"), nil)
	m.scenario("no code", texts("220 hi\r\n", "hello there\r\n"), nil)
	m.scenario("two digits", texts("22 hi\r\n"), nil)
	m.scenario("four digits", texts("2200 hi\r\n"), nil)
	m.scenario("no blank after the code", texts("220hi\r\n"), nil)
	m.scenario("leading blank", texts(" 220 hi\r\n"), nil)
	m.scenario("empty line", texts("\r\n"), nil)
	m.scenario("dash but nothing follows, then an error",
		texts("220-\r\n220 x\r\n", "250-only\r\n550 other\r\n"), nil)
}

func replySplit(m *mailProgram) {
	cut := func(pieces ...string) reply { return reply{cut: pieces} }
	after := func(first reply) []reply { return append([]reply{first}, fine()[1:]...) }
	m.scenario("greeting cut in the text", after(cut("220 re", "ady\r\n")), nil)
	m.scenario("greeting cut between CR and LF", after(cut("220 ready\r", "\n")), nil)
	m.scenario("reply to the message cut between CR and LF",
		fineUntil(5, cut("250 queued\r", "\n"), fine()[6]), nil)
}

func successLog(m *mailProgram) {
	m.scenario("with log", fine(), func(c *client.Message) {
		c.TransactionLog = true
		c.Context = "ctx"
	})
	m.scenario("without log", fine(), nil)
	several := append(texts("220 ready\r\n", "250 hello\r\n", "250 sender ok\r\n", "250 one\r\n",
		"251 two forwards\r\n", "250 three\r\n"), fine()[4:]...)
	m.scenario("several recipients", several, func(c *client.Message) {
		c.To = []string{"a@x.example", "b@y.example", "c@z.example"}
		c.TransactionLog = true
	})
	m.scenario("recipient as reference", fine(), func(c *client.Message) {
		c.To = []string{"ref@x.example"}
	})
}

func slowServer(m *mailProgram) {
	slow := fine()
	for i := range slow {
		slow[i].after = ms(150)
	}
	m.scenario("each reply takes 150 ms, Timeout is 500 ms", slow, func(c *client.Message) {
		c.Timeout = ms(500)
	})
}

func timeouts(m *mailProgram) {
	short := func(c *client.Message) { c.Timeout = ms(300) }
	logged := func(c *client.Message) {
		short(c)
		c.TransactionLog = true
	}
	silent := reply{silent: true}
	m.scenario("no greeting", []reply{silent}, logged)
	m.scenario("no reply to HELO", fineUntil(1, silent), logged)
	m.scenario("no reply after the final dot", fineUntil(5, silent), func(c *client.Message) {
		short(c)
		c.Context = "late"
	})
	m.scenario("greeting too late", []reply{{text: "220 ready\r\n", after: ms(600)}}, short)
	m.scenario("reply without line end", fineUntil(1, reply{text: "250 almost"}), short)

	defer closeAll(m.fullListener()...)
	m.scenario("no connection", nil, logged)
}

// fullListener opens a listener whose queue is full: it does not answer attempts to connect. It
// returns what has to be closed.
func (m *mailProgram) fullListener() (open []io.Closer) {
	socket := func() kernel.Socket {
		s, err := m.k.Loop().Socket("tcp4")
		if err != nil {
			m.T.Fatal(err)
		}
		open = append(open, s)
		return s
	}
	full := socket()
	err := errors.Join(full.Bind(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}), full.Listen(1))
	if err != nil {
		m.T.Fatal(err)
	}
	addr, err := full.LocalAddr()
	m.port = strconv.Itoa(portOf(addr, err))
	for range 4 {
		if err := socket().Connect(addr); err != nil && err != kernel.ErrAgain {
			m.T.Fatal(err)
		}
	}
	m.k.Create(session.Events{ // which lets the world answer some of them
		kernel.Start: func(e *kernel.Event) { e.Session.Delay("over", ms(100)) },
		"over":       func(*kernel.Event) {},
	})
	m.run()
	return open
}
