package v002_test

import (
	"bytes"
	"io"
	"mime"
	"net/mail"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/component/smtp/client/v002"
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// received sends a message to a server that takes whatever comes, and returns what comes.
func received(t *testing.T, m v002.Message) (text []byte) {
	t.Helper()
	p := newPlace(t)
	p.k.Create((&sink{place: p, text: &text}).events())
	p.send(m)
	p.want("sent")
	return text
}

// A sink is a server for one client.
type sink struct {
	*place
	listener *wheel.SocketFactory
	rw       *wheel.ReadWrite
	data     bool
	text     *[]byte
}

func (s *sink) events() session.Events {
	return session.Events{
		kernel.Start: func(e *kernel.Event) {
			s.listener = wheel.NewSocketFactory(e.Session, wheel.SocketFactoryOptions{
				BindPort: "25", SuccessEvent: "connected", FailureEvent: "failed",
			})
		},
		"connected": session.On(func(e *kernel.Event, c *wheel.Connection) {
			s.listener.Close()
			var err error
			s.rw, err = wheel.NewReadWrite(e.Session, wheel.ReadWriteOptions{
				Handle: c.Socket, Filter: filter.NewLine(filter.LineOptions{Literal: "\r\n"}),
				InputEvent: "input", ErrorEvent: "failed",
			})
			if err != nil {
				s.Fatal(err)
			}
			s.say("220 mx.example.org")
		}),
		"input":  session.On(func(_ *kernel.Event, in *wheel.Input) { s.input(string(in.Bytes)) }),
		"failed": func(*kernel.Event) { s.rw.Close() },
	}
}

func (s *sink) say(line string) {
	if err := s.rw.PutString(line); err != nil {
		s.Error(err)
	}
}

func (s *sink) input(line string) {
	switch {
	case s.data && line != ".":
		*s.text = append(*s.text, line+"\r\n"...)
	case s.data:
		s.data = false
		s.say("250 Queued")
	case line == "DATA":
		s.data = true
		s.say("354 Go ahead")
	case strings.HasPrefix(line, "EHLO"):
		s.say("250-mx.example.org\r\n250-8BITMIME\r\n250 SMTPUTF8")
	default:
		s.say("250 Ok")
	}
}

// Whatever the names and the subject are, who reads the header finds them there.
func TestHeader(t *testing.T) {
	for _, text := range []string{
		"", "Bob", "Bob B. Builder", `"Bob", the <builder>`, `C:\bob`, "Bob (of Bob & Sons)",
		"Böb", "Bøb, Åse; <x@y>", "ボブ・ビルダー様", "=?utf-8?q?no?=  such thing", " Bob ",
		"tab\there", "=", "a?=b", strings.Repeat(`"`, v002.MaxText),
		strings.Repeat("word ", 60), strings.Repeat("Wörter ", 60), strings.Repeat("ö", 240),
		strings.Repeat("x", v002.MaxText), "two  blanks " + strings.Repeat("word  ", 40) + "end",
	} {
		m := message()
		m.To, m.From, m.Subject = text, text, text
		wire := received(t, m)
		got, err := mail.ReadMessage(bytes.NewReader(wire))
		if err != nil {
			t.Errorf("%q: %v\n%s", text, err, wire)
			continue
		}
		want := strings.TrimSpace(text)
		for field, addr := range map[string]string{"To": m.Recipient, "From": m.Sender} {
			list, err := got.Header.AddressList(field)
			if err != nil || len(list) != 1 || list[0].Address != addr {
				t.Errorf("%q: %s is %v, %v\n%s", text, field, list, err, wire)
			} else if !strings.HasPrefix(text, "=?") && list[0].Name != want {
				t.Errorf("%s names %q, want %q\n%s", field, list[0].Name, want, wire)
			}
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
		if want == "" {
			want = v002.DefaultSubject
		}
		if err != nil || !strings.HasPrefix(text, "=?") && subject != want {
			t.Errorf("the subject is %q, %v, want %q\n%s", subject, err, want, wire)
		}
		if date, err := got.Header.Date(); err != nil || date.Year() != 2030 {
			t.Errorf("the date is %v, %v", date, err)
		}
		if body, _ := io.ReadAll(got.Body); string(body) != "hello\r\n" {
			t.Errorf("%q: the body is %q", text, body)
		}
		checkLines(t, wire)
	}
}

// singleBlank is a place to fold a line.
var singleBlank = regexp.MustCompile(`\S \S`)

// checkLines checks that the lines of a header are ASCII, that none is blank or longer than may be,
// and that one that is longer than should be has no place to fold it.
func checkLines(t *testing.T, wire []byte) {
	t.Helper()
	header, _, _ := bytes.Cut(wire, []byte("\r\n\r\n"))
	for _, line := range strings.Split(string(header), "\r\n") {
		long := len(line) > 998 || len(line) > 78 && singleBlank.MatchString(line)
		if strings.TrimSpace(line) == "" || long {
			t.Errorf("a line of %d octets: %q", len(line), line)
		}
		if strings.ContainsFunc(line, func(r rune) bool { return r >= 0x80 }) {
			t.Errorf("not ASCII: %q", line)
		}
	}
}

// An address that is odd, but no more, is one address in the header too.
func TestOddAddresses(t *testing.T) {
	for addr, want := range map[string]string{
		`"john doe"@example.com`: `"john doe"@example.com`,
		`a,b@example.com`:        `"a,b"@example.com`,
		`a..b@example.com`:       `"a..b"@example.com`,
		`x@[192.0.2.1]`:          `x@[192.0.2.1]`,
		`postmaster`:             `postmaster`,
	} {
		m := message()
		m.Recipient = addr
		if wire := string(received(t, m)); !strings.HasPrefix(wire, "To: "+want+"\r\n") {
			t.Errorf("%s: the header is %q, want %q", addr, wire, want)
		}
		m.To = "Bob"
		want = `To: "Bob" <` + want + ">\r\n"
		if wire := string(received(t, m)); !strings.HasPrefix(wire, want) {
			t.Errorf("%s: the header is %q, want %q", addr, wire, want)
		}
	}
}

// What would be a header, or a command, of its own is refused before anything is sent.
func TestInjection(t *testing.T) {
	for name, change := range map[string]func(m *v002.Message, evil string){
		"Sender":    func(m *v002.Message, evil string) { m.Sender += evil },
		"Recipient": func(m *v002.Message, evil string) { m.Recipient += evil },
		"EHLO":      func(m *v002.Message, evil string) { m.EHLO += evil },
		"To":        func(m *v002.Message, evil string) { m.To = "B" + evil },
		"From":      func(m *v002.Message, evil string) { m.From = "A" + evil },
		"Subject":   func(m *v002.Message, evil string) { m.Subject = "S" + evil },
	} {
		for _, evil := range []string{"\r\nBcc: c@x", "\r", "\n", "\x00", "\x1b", "\x7f", "\xff"} {
			p := newPlace(t)
			m := message()
			change(&m, evil)
			p.k.Create(session.Events{kernel.Start: func(e *kernel.Event) {
				s, err := v002.Send(e.Session, m)
				if s != nil || err == nil || !strings.Contains(err.Error(), name) {
					t.Errorf("%s with %q: got %v, %v", name, evil, s, err)
				}
			}})
			if err := p.k.Run(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
}

// The date has two digits where it should, at each time of day.
func TestDate(t *testing.T) {
	p := newPlace(t)
	var text []byte
	p.k.Create((&sink{place: p, text: &text}).events())
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Delay("go", 3*time.Hour+2*time.Minute+5*time.Second)
		},
		"go": func(e *kernel.Event) {
			if _, err := v002.Send(e.Session, message()); err != nil {
				t.Error(err)
			}
		},
		"sent": func(*kernel.Event) {},
	})
	if err := p.k.Run(t.Context()); err != nil {
		t.Error(err)
	}
	if want := "\r\nDate: Tue, 01 Jan 2030 03:02:05 +0000\r\n"; !strings.Contains(string(text), want) {
		t.Errorf("got %s, want %s", text, want)
	}
}
