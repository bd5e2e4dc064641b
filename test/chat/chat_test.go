package chat_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/chat"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// failures is a test that keeps what would have failed it.
type failures struct {
	testing.TB
	texts []string
}

func (f *failures) Helper() {}

func (f *failures) Errorf(format string, args ...any) {
	f.texts = append(f.texts, fmt.Sprintf(format, args...))
}

// Fatalf ends the test by a panic, which the caller catches.
func (f *failures) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	panic(f)
}

func TestParse(t *testing.T) {
	c := chat.Parse(t, "name", `# a remark
O: one
S: 220 hi
S= "250\tx\n"

C: EHLO
C:
T: 1m30s
X: S
X: DEAF
X: C
R: two words
O: three
`)
	want := []chat.Step{
		{Kind: chat.Server, Text: "220 hi\r\n", Line: 3},
		{Kind: chat.Server, Text: "250\tx\n", Line: 4},
		{Kind: chat.Client, Text: "EHLO", Line: 6},
		{Kind: chat.Client, Line: 7},
		{Kind: chat.Time, Wait: 90 * time.Second, Line: 8},
		{Kind: chat.ServerHangUp, Line: 9},
		{Kind: chat.Deaf, Line: 10},
		{Kind: chat.ClientHangUp, Line: 11},
	}
	if !slices.Equal(c.Steps, want) {
		t.Errorf("got\n%v\nwant\n%v", c.Steps, want)
	}
	if got := c.Note('O'); !slices.Equal(got, []string{"one", "three"}) {
		t.Errorf("notes %q", got)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, line := range []string{"x", "S", "S= 220", "T: soon", "X: Y", "C+ x", "c: x"} {
		f := &failures{TB: t}
		func() {
			defer func() { _ = recover() }()
			chat.Parse(f, "name", "S: 220 hi\n"+line+"\n")
		}()
		want := fmt.Sprintf("name.chat:2: cannot read %q", line)
		if !slices.Equal(f.texts, []string{want}) {
			t.Errorf("%q: got %q, want %q", line, f.texts, want)
		}
	}
}

// A conversation that goes otherwise than written fails the test, and one that does not, does not.
func TestServe(t *testing.T) {
	const text = "S: 220 hi\nC: EHLO\nS: 250 ok\nT: 1s\nS: 250 later\nC: QUIT\nX: C\n"
	for _, test := range []struct {
		name  string
		says  []string // one line for each that it hears
		wants string   // in the text of the failure
	}{
		{"as written", []string{"EHLO", "", "QUIT"}, ""},
		{"says something else", []string{"HELO"}, `the client said "HELO", want "EHLO" of line 2`},
		{"says more", []string{"EHLO\r\nMAIL"}, `the client said "MAIL", want it to wait for line 5`},
		{"hangs up", []string{"EHLO", "", "."}, `the client hung up, want "QUIT" of line 6`},
		{"does not hang up", []string{"EHLO", "", "QUIT\r\nNOOP"},
			`the client said "NOOP", want it to hang up, at line 7`},
	} {
		t.Run(test.name, func(t *testing.T) {
			k, err := kernel.New(kernel.Options{Loop: sim.NewWorld(), Log: zap.NewNop()})
			if err != nil {
				t.Fatal(err)
			}
			f := &failures{TB: t}
			chat.Serve(f, k.Root(), "25", chat.Parse(t, "name", text))
			k.Create((&talker{says: test.says}).events())
			if err := k.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := strings.Join(f.texts, "\n")
			if (got == "") != (test.wants == "") || !strings.Contains(got, test.wants) {
				t.Errorf("failed with %q, want %q", got, test.wants)
			}
		})
	}
}

// A talker is a client that says one thing for each line that it hears, and hangs up after a dot or
// QUIT.
type talker struct {
	says []string
	rw   *wheel.ReadWrite
}

func (c *talker) events() session.Events {
	return session.Events{
		kernel.Start: func(e *kernel.Event) {
			wheel.NewSocketFactory(e.Session, wheel.SocketFactoryOptions{
				RemoteAddress: "127.0.0.1", RemotePort: "25",
				SuccessEvent: "connected", FailureEvent: "failed",
			})
		},
		"connected": session.On(func(e *kernel.Event, conn *wheel.Connection) {
			c.rw, _ = wheel.NewReadWrite(e.Session, wheel.ReadWriteOptions{
				Handle: conn.Socket, InputEvent: "line", ErrorEvent: "failed",
			})
		}),
		"line": func(*kernel.Event) {
			says := c.says[0]
			if c.says = c.says[1:]; says == "." {
				c.rw.Close()
			} else if says != "" {
				_ = c.rw.PutString(says)
			}
			if says == "QUIT" {
				c.rw.Finish()
			}
		},
		"failed": func(*kernel.Event) {
			if c.rw != nil {
				c.rw.Close()
			}
		},
	}
}
