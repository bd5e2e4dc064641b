package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
)

// A journal is a log file that a test writes.
type journal struct {
	*testing.T
	path string
}

func newJournal(t *testing.T, name string) journal {
	return journal{t, filepath.Join(t.TempDir(), name)}
}

// add writes to the end of the file, which it makes if it is not there.
func (j journal) add(text string) {
	j.Helper()
	f, err := os.OpenFile(j.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		j.Error(err)
	}
}

// rotate gives the file another name.
func (j journal) rotate() {
	j.Helper()
	if err := os.Rename(j.path, j.path+".1"); err != nil {
		j.Error(err)
	}
}

// In a world whose clock is the test's, the rates are exact.
func TestRates(t *testing.T) {
	var log strings.Builder
	app, mail := newJournal(t, "app.log"), newJournal(t, "mail.log")
	app.add("what was there before does not count: failed\n")
	o, err := parse([]string{
		"-match", "bad=(?i)failed|refused", "-match", "late=late", "-alarm", "2", app.path, mail.path,
	}, &log)
	if err != nil {
		t.Fatal(err)
	}
	k, err := kernel.New(kernel.Options{Loop: sim.NewWorld()})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := watch(k, o, &out); err != nil {
		t.Fatal(err)
	}
	steps := map[time.Duration]func(){
		1 * time.Second: func() { app.add("ok\nFAILED\nfailed, la") },
		3 * time.Second: func() { app.add("te\n"); mail.add("refused\n") },
		11 * time.Second: func() {
			app.rotate()
			app.add(strings.Repeat("failed\n", 30))
		},
		21 * time.Second: func() { mail.add(strings.Repeat("x", maxLine+1) + "\n") },
		23 * time.Second: func() { mail.add("fine\n") },
		25 * time.Second: k.Stop,
	}
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			for after, do := range steps {
				e.Session.DelayAdd("step", after, do)
			}
		},
		"step": session.On(func(_ *kernel.Event, do func()) { do() }),
	})
	if err := k.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := `mail.log: begins anew
app.log: 3 lines, 0.3/s
app.log: 2 bad, 0.2/s
app.log: 1 late, 0.1/s
mail.log: 1 lines, 0.1/s
mail.log: 1 bad, 0.1/s
app.log: begins anew
app.log: 30 lines, 3.0/s
app.log: 30 bad, 3.0/s ALARM
mail.log: 0 lines, 0.0/s
mail.log: read: filter: record is too long: a line of more than 65536 bytes
app.log: 0 lines, 0.0/s
mail.log: 1 lines, 0.2/s
`
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The program follows files that grow, are rotated, and come later, and counts every line once.
func TestWatch(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	one, two := newJournal(t, "one.log"), newJournal(t, "two.log")
	one.add("old\n")
	read, out := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"-every", "10ms", "-match", "odd=[13579]$", one.path, two.path},
			out, os.Stderr)
		out.Close()
	}()
	reports := bufio.NewScanner(read)
	counts := map[string]int{}
	await := func(what string, want int) {
		t.Helper()
		for counts[what] < want && reports.Scan() {
			var name, kind string
			var n int
			line := strings.ReplaceAll(reports.Text(), ",", "")
			if _, err := fmt.Sscanf(line, "%s %d %s", &name, &n, &kind); err == nil {
				counts[name+" "+kind] += n
			} else {
				counts[line]++
			}
		}
		if counts[what] != want {
			t.Fatalf("counted %v, want %d of %q", counts, want, what)
		}
	}
	reports.Scan() // all wheels are there when there is a report
	one.add("1\n2\n3\n")
	await("one.log: lines", 3)
	two.add("4\n5\n")
	await("two.log: begins anew", 1)
	await("two.log: lines", 2)
	one.rotate()
	one.add("6\n7\n")
	await("one.log: begins anew", 1)
	await("one.log: lines", 5)
	await("one.log: odd", 3)
	await("two.log: odd", 1)
	cancel()
	for reports.Scan() {
	}
	if got := <-code; got != 0 {
		t.Errorf("the program ended with code %d", got)
	}
}

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"help", []string{"-help"}, 0, "usage: watch"},
		{"unknown flag", []string{"-nonsense", "x"}, 2, "usage: watch"},
		{"no file", nil, 2, "no FILE"},
		{"no name", []string{"-match", "=x", "x"}, 2, "a name and an expression"},
		{"no expression", []string{"-match", "x", "x"}, 2, "a name and an expression"},
		{"a bad expression", []string{"-match", "x=(", "x"}, 2, "missing closing"},
		{"no time", []string{"-every", "0s", "x"}, 2, "too small"},
	} {
		var log strings.Builder
		if code := run(t.Context(), test.args, io.Discard, &log); code != test.code {
			t.Errorf("%s: code %d, want %d", test.name, code, test.code)
		}
		if !strings.Contains(log.String(), test.want) {
			t.Errorf("%s: it says %q, and not %q", test.name, log.String(), test.want)
		}
	}
}
