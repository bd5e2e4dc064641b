package server_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/component/smtp/server"
	"github.com/go-poe/poe/test/sim"
)

// maildir makes a Maildir for a test.
func maildir(t *testing.T) (sink *server.Maildir, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "far", "below")
	sink, err := server.NewMaildir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return sink, dir
}

// list returns the names in a folder.
func list(t *testing.T, elem ...string) []string {
	t.Helper()
	files, err := os.ReadDir(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.Name()
	}
	return names
}

var maildirName = regexp.MustCompile(`^\d+\.M\d{6}P\d+Q\d+R[0-9a-f]{16}\.[^/:]+$`)

// deliver plays a message with this text, and these lines behind it.
func deliver(text string, after ...string) []step {
	steps := append(envelope(), says(go354)...)
	steps = append(steps, step{kind: 'C', text: text + ".\r\n"})
	return append(steps, says(after...)...)
}

// Messages of any length are stored as they came, in files that belong to a Maildir.
func TestMaildirStores(t *testing.T) {
	line := strings.Repeat("x", 70) + "\r\n"
	for name, text := range map[string]string{
		"empty":            "",
		"short":            "Subject: hi\r\n\r\nhi\r\n",
		"one piece":        strings.Repeat(line, 500),
		"many pieces":      strings.Repeat(line, 50_000),
		"with other bytes": "\x00\x80\xff Grüße\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			sink, dir := maildir(t)
			const count = 3
			opts := server.Options{Sink: sink}
			st := newStage(t, sim.Options{WorkTime: time.Millisecond}, opts, func(st *stage) {
				gone := 0
				for range count {
					spawnPlayer(t, st.s, st.addr, deliver(text, fine250), func() {
						if gone++; gone == count {
							_ = st.s.Post(st.server, "shutdown")
						}
					})
				}
			})
			st.run(t)
			names := list(t, dir, "new")
			if len(names) != count {
				t.Errorf("new has %q, want %d messages", names, count)
			}
			for _, name := range names {
				if !maildirName.MatchString(name) {
					t.Errorf("a message has the name %q", name)
				}
				got, err := os.ReadFile(filepath.Join(dir, "new", name))
				if err != nil {
					t.Error(err)
				}
				if string(got) != text {
					t.Errorf("stored %d octets, want the %d that were sent", len(got), len(text))
				}
			}
			if names := append(list(t, dir, "tmp"), list(t, dir, "cur")...); len(names) != 0 {
				t.Errorf("tmp and cur have %q, want nothing", names)
			}
		})
	}
}

// A message that is not complete, is refused, or cannot be stored, leaves nothing behind.
func TestMaildirLeavesNothing(t *testing.T) {
	long := strings.Repeat(strings.Repeat("x", 98)+"\r\n", 5000)
	const local = "S: 451 4.3.0 Something went wrong here; try again later"
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Error(err)
			}
		}
	}
	for _, test := range []struct {
		name   string
		steps  []step
		before func(t *testing.T, dir string)
	}{
		{"no end", append(append(envelope(), says(go354)...), step{kind: 'C', text: long}), nil},
		{"bare newline", deliver(long+"\n\r\n", "S: "+bare550), nil},
		{"too large", deliver(long+long, "S: 552 5.3.4 Message too large"), nil},
		{"no place for a file", deliver(long, local), remove("tmp")},
		{"no place for a short file", deliver("x\r\n", local), remove("tmp")},
		{"cannot be moved", deliver(long, local), remove("new")},
		{"cannot be moved, short", deliver("x\r\n", local), remove("new")},
	} {
		t.Run(test.name, func(t *testing.T) {
			sink, dir := maildir(t)
			if test.before != nil {
				test.before(t, dir)
			}
			opts := server.Options{Sink: sink, MaxSize: 600_000}
			st := newStage(t, sim.Options{WorkTime: time.Second}, opts, func(st *stage) {
				st.play(t, test.steps)
			})
			st.run(t)
			for _, folder := range []string{"tmp", "new", "cur"} {
				if _, err := os.Stat(filepath.Join(dir, folder)); err != nil {
					continue
				}
				if names := list(t, dir, folder); len(names) != 0 {
					t.Errorf("%s has %q, want nothing", folder, names)
				}
			}
		})
	}
}

const bare550 = "550 5.6.0 Message refused: it has a CR or an LF that is not part of a CR LF"

// A kernel that is stopped in the middle of a message leaves no part of it in new.
func TestMaildirStopped(t *testing.T) {
	long := strings.Repeat(strings.Repeat("x", 98)+"\r\n", 5000)
	sink, dir := maildir(t)
	steps := append(envelope(), says(go354)...)
	steps = append(steps, step{kind: 'C', text: long}, step{kind: 'T', wait: time.Hour})
	opts := server.Options{Sink: sink}
	st := newStage(t, sim.Options{WorkTime: time.Second}, opts, func(st *stage) {
		spawnPlayer(t, st.s, st.addr, steps, func() {})
		st.world.After(time.Minute, func() {
			if names := list(t, dir, "tmp"); len(names) != 1 {
				t.Errorf("tmp has %q, want one file", names)
			}
			st.k.Stop()
		})
		st.world.After(2*time.Minute, func() {})
	})
	st.run(t)
	if names := list(t, dir, "new"); len(names) != 0 {
		t.Errorf("new has %q, want nothing", names)
	}
}

// What is there already is used; what is no folder is an error.
func TestNewMaildir(t *testing.T) {
	_, dir := maildir(t)
	if _, err := server.NewMaildir(dir); err != nil {
		t.Errorf("a second Maildir: %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, "new"))
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o700 {
		t.Errorf("new has the mode %v, want 0700", got)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(file, "below")} {
		if _, err := server.NewMaildir(path); err == nil {
			t.Errorf("NewMaildir(%q) returned no error", path)
		}
	}
}
