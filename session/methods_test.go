package session_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// An adder adds, and notes for whom.
type adder struct {
	name  string
	n     int
	notes *[]string
}

var adderEvents = session.Methods[*adder]{
	kernel.Start: func(c *adder, e *kernel.Event) { e.Session.Yield("add", 1+len(c.name)) },
	"add":        session.OnMethod((*adder).add),
	kernel.Stop: func(c *adder, _ *kernel.Event) {
		*c.notes = append(*c.notes, c.name+" stops")
	},
}

func (c *adder) add(e *kernel.Event, n int) {
	c.n += n
	*c.notes = append(*c.notes, c.name+" adds")
	e.Session.Yield("unknown")
}

// Sessions share a table, and each has its own object.
func TestMethods(t *testing.T) {
	k := newKernel(t)
	var notes []string
	a, b := &adder{name: "a", notes: &notes}, &adder{name: "bb", notes: &notes}
	k.Create(adderEvents.Of(a))
	k.Create(adderEvents.Of(b))
	run(t, k)
	want := []string{"a adds", "bb adds", "a stops", "bb stops"}
	if slices.Sort(notes[2:]); !slices.Equal(notes, want) {
		t.Errorf("got %v, want %v", notes, want)
	}
	if a.n != 2 || b.n != 3 {
		t.Errorf("counted %d and %d, want 2 and 3", a.n, b.n)
	}
}

// What the programmer got wrong is said when the session is created, or the event comes.
func TestMethodsMistakes(t *testing.T) {
	k := newKernel(t)
	for _, test := range []struct {
		want string
		do   func()
	}{
		{`the table has no "_start"`, func() { k.Create(session.Methods[int]{}.Of(1)) }},
		{`event "add": argument 0 is a string, and not a int`, func() {
			s := k.Create(adderEvents.Of(&adder{notes: new([]string)}))
			if _, err := k.Root().Call(s, "add", "one"); err != nil {
				panic(err.Error())
			}
		}},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, test.want) {
					t.Errorf("got %q, want %q", got, test.want)
				}
			}()
			test.do()
		}()
	}
}
