// Package conformance holds the recorded cases of POE's behaviour to the port.
//
// Each case of testdata is a small Perl program (NAME.pl), what it printed (NAME.out) and what it
// shows (NAME.md). Its port is a function that does the same with this module and prints the same
// lines. A port is registered under the case's name, in a test file named after the group of the
// case, and TestRecorded runs it and compares. See testdata/README.md for how values are printed.
package conformance

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

// Limit is how long one case may take. The slowest recorded one takes a few seconds.
const Limit = 30 * time.Second

// A Case is one run of the port of a recorded case: it collects what the port prints.
//
// Only one goroutine at a time may use a Case.
type Case struct {
	T testing.TB // the subtest of the case, for what the port needs of it, such as TempDir

	ctx   context.Context
	lines []string
	names map[any]string
	notes map[string][]string
}

// NewCase returns a Case without output that belongs to t, and ends with it.
func NewCase(t testing.TB) *Case {
	ctx, cancel := context.WithTimeout(t.Context(), Limit)
	t.Cleanup(cancel)
	return &Case{T: t, ctx: ctx, names: map[any]string{}, notes: map[string][]string{}}
}

// Context returns the context for the kernels of the case. It ends with the case, or after Limit.
func (c *Case) Context() context.Context { return c.ctx }

// Out prints one line: the words, joined by one blank.
//
// A text is printed as it is, nil as undef, and a number, a truth value, an error or a duration as
// Show does, without quotes.
func (c *Case) Out(words ...any) {
	c.lines = append(c.lines, join(words))
}

// Note keeps one line for an actor, where several run side by side and the order between them is
// no part of the case. PrintNotes prints it.
func (c *Case) Note(actor string, words ...any) {
	c.notes[actor] = append(c.notes[actor], join(words))
}

// PrintNotes prints the lines of each actor, in the order of the actors' names, and forgets them.
func (c *Case) PrintNotes() {
	actors := make([]string, 0, len(c.notes))
	for actor := range c.notes {
		actors = append(actors, actor)
	}
	slices.Sort(actors)
	for _, actor := range actors {
		for _, line := range c.notes[actor] {
			c.Out(actor+":", line)
		}
	}
	clear(c.notes)
}

// Name gives the session with this id the name under which Who prints it. The id is whatever the
// port has that tells sessions apart and is comparable. A kernel's own is named "kernel".
func (c *Case) Name(id any, name string) { c.names[id] = name }

// Who returns the name of the session with this id: undef for nil, and unnamed where Name gave
// none.
func (c *Case) Who(id any) string {
	if isNil(id) {
		return "undef"
	}
	if name, ok := c.names[id]; ok {
		return name
	}
	return "unnamed"
}

// Lines returns what has been printed so far. A word that holds a line end makes more lines than
// one.
func (c *Case) Lines() []string {
	if len(c.lines) == 0 {
		return nil
	}
	return strings.Split(strings.Join(c.lines, "\n"), "\n")
}
