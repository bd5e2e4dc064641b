// Package chat reads written conversations of a client and a server, and plays the server's part.
//
// A conversation is a file. Each of its lines begins with two characters that say what it is:
//
//	C: text    the client says this line
//	S: text    the server says this line
//	S= "text"  the server sends these bytes, in Go's quotes
//	T: 5m      so much time passes
//	X: S       the server hangs up
//	X: C       the client hangs up
//	X: TLS     from here on, it is TLS: see Roots
//	X: DEAF    the server does not listen any more, whatever the client says
//	# text     a remark
//
// What follows after a hanging up is the conversation with the next client.
//
// Other letters before the colon are the test's own: what the client is to do, say, and what is to
// come of it. See Chat.Note.
package chat

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A Chat is one conversation.
type Chat struct {
	Name  string // of the file, without what is after the dot
	Steps []Step
	notes []note
}

// A Step is one thing that happens.
type Step struct {
	Kind Kind
	Text string        // of a Client's step, the line without CR LF; of a Server's, all bytes
	Wait time.Duration // of a Time's
	Line int           // in the file, from 1
}

// A Kind is what a step is.
type Kind byte

// The kinds.
const (
	Client       Kind = 'C' // the client says a line
	Server       Kind = 'S' // the server sends something
	Time         Kind = 'T' // time passes
	ServerHangUp Kind = 's' // the server hangs up
	ClientHangUp Kind = 'c' // the client hangs up
	StartTLS     Kind = 't' // both change to TLS
	Deaf         Kind = 'd' // the server listens no more
)

// A note is a line of the test's own.
type note struct {
	key  byte
	text string
}

// Note returns the texts of all lines with a letter that the package gives no meaning, in their
// order.
func (c *Chat) Note(key byte) []string {
	var list []string
	for _, n := range c.notes {
		if n.key == key {
			list = append(list, n.text)
		}
	}
	return list
}

// ReadAll reads the conversations whose paths match a pattern. One at least has to be there.
func ReadAll(t testing.TB, pattern string) []*Chat {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Fatalf("no conversation is named %s", pattern)
	}
	chats := make([]*Chat, len(paths))
	for i, path := range paths {
		chats[i] = Read(t, path)
	}
	return chats
}

// Read reads one conversation.
func Read(t testing.TB, path string) *Chat {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	name, _, _ := strings.Cut(filepath.Base(path), ".")
	return Parse(t, name, string(text))
}

// Parse makes a conversation of the text of a file.
func Parse(t testing.TB, name, text string) *Chat {
	t.Helper()
	c := &Chat{Name: name}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		if !c.add(n, line) {
			t.Fatalf("%s.chat:%d: cannot read %q", name, n, line)
		}
	}
	return c
}

// add adds one line, and reports whether it can be read.
func (c *Chat) add(n int, line string) bool {
	if len(line) < 2 {
		return false
	}
	mark, text := line[:2], strings.TrimPrefix(line[2:], " ")
	step := Step{Line: n}
	var err error
	switch mark {
	case "C:":
		step.Kind, step.Text = Client, text
	case "S:":
		step.Kind, step.Text = Server, text+"\r\n"
	case "S=":
		step.Kind = Server
		step.Text, err = strconv.Unquote(text)
	case "T:":
		step.Kind = Time
		step.Wait, err = time.ParseDuration(text)
	case "X:":
		step.Kind = map[string]Kind{
			"S": ServerHangUp, "C": ClientHangUp, "TLS": StartTLS, "DEAF": Deaf,
		}[text]
	default:
		c.notes = append(c.notes, note{mark[0], text})
		return mark[1] == ':' && 'A' <= mark[0] && mark[0] <= 'Z'
	}
	c.Steps = append(c.Steps, step)
	return err == nil && step.Kind != 0
}
