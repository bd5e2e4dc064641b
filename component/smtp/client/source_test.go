package client

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
)

// readAll reads a source to its end, in pieces of up to n octets.
func readAll(s *source, n int) (string, error) {
	var text []byte
	buf := make([]byte, n)
	for {
		p, eof, err := s.next(buf)
		text = append(text, p...)
		if eof || err != nil {
			return string(text), err
		}
	}
}

// writerTo is a text that writes itself by a function.
type writerTo func(w io.Writer) error

func (f writerTo) WriteTo(w io.Writer) (int64, error) { return 0, f(w) }

// A kind is a way to give a message its text.
type kind struct {
	name   string
	set    func(t *testing.T, m *Message, text string)
	memory bool
	twice  bool
	sized  bool
}

func kinds() []kind {
	return []kind{
		{"Body", func(_ *testing.T, m *Message, text string) { m.Body = []byte(text) },
			true, true, true},
		{"MessageFile", func(t *testing.T, m *Message, text string) {
			m.MessageFile = file(t, text)
		}, false, true, true},
		{"FileHandle, a file that was read from", func(t *testing.T, m *Message, text string) {
			f, err := os.Open(file(t, "read before\n"+text))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
			f.Seek(int64(len("read before\n")), io.SeekStart)
			m.FileHandle = f
		}, false, true, true},
		{"FileHandle, a pipe", func(t *testing.T, m *Message, text string) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { r.Close() })
			go func() {
				io.WriteString(w, text)
				w.Close()
			}()
			m.FileHandle = r
		}, false, false, false},
		{"FileHandle, in memory", func(_ *testing.T, m *Message, text string) {
			m.FileHandle = strings.NewReader(text)
		}, false, true, true},
		{"FileHandle, an octet at a time", func(_ *testing.T, m *Message, text string) {
			m.FileHandle = iotest.OneByteReader(strings.NewReader(text))
		}, false, false, false},
		{"FileHandle, a buffer", func(_ *testing.T, m *Message, text string) {
			m.FileHandle = bytes.NewBufferString(text)
		}, true, true, true},
		{"Source, in one write", func(_ *testing.T, m *Message, text string) {
			m.Source = writerTo(func(w io.Writer) error {
				_, err := io.WriteString(w, text)
				return err
			})
		}, false, true, false},
		{"Source, in writes of all sizes", func(_ *testing.T, m *Message, text string) {
			m.Source = writerTo(func(w io.Writer) error {
				for i, rest := 0, text; rest != ""; i++ {
					n := min(i%100, len(rest))
					if got, err := io.WriteString(w, rest[:n]); got != n || err != nil {
						return fmt.Errorf("%d of %d: %w", got, n, err)
					}
					rest = rest[n:]
				}
				return nil
			})
		}, false, true, false},
		{"Source, a reader", func(_ *testing.T, m *Message, text string) {
			m.Source = bytes.NewReader([]byte(text))
		}, false, true, true},
		{"Source, a reader without Seek", func(_ *testing.T, m *Message, text string) {
			m.Source = bufio.NewReader(strings.NewReader(text))
		}, false, false, false},
		{"Source, a buffer", func(_ *testing.T, m *Message, text string) {
			m.Source = bytes.NewBufferString(text)
		}, true, true, true},
	}
}

// file returns the name of a file with this text.
func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "message")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// open returns the source of a message, which the test closes.
func open(t *testing.T, m *Message) *source {
	t.Helper()
	s, err := openSource(m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

// Every kind of source gives its text, in pieces of any size, and again as far as it says so.
func TestSource(t *testing.T) {
	text := strings.Repeat("0123456789\r\n", 3*chunkSize/12)
	for _, kind := range kinds() {
		t.Run(kind.name, func(t *testing.T) {
			for _, length := range []int{0, 1, 100, chunkSize, 2*chunkSize + 1} {
				for _, piece := range []int{1, 7, 4096, chunkSize} {
					if length > 100 && piece < 100 {
						continue // that takes long, and shows nothing new
					}
					var m Message
					kind.set(t, &m, text[:length])
					checkSource(t, kind, open(t, &m), text[:length], piece)
				}
			}
		})
	}
}

func checkSource(t *testing.T, kind kind, s *source, text string, piece int) {
	t.Helper()
	if s.inMemory() != kind.memory {
		t.Errorf("in memory %v", s.inMemory())
	}
	// The system makes up files that say that they are empty.
	unsure := text == "" && s.from != nil
	if n, ok := s.size(); ok != kind.sized && !unsure || ok && n != int64(len(text)) {
		t.Errorf("the size is %d %v, and the text has %d", n, ok, len(text))
	}
	if err := s.rewind(); err != nil {
		t.Errorf("rewind before the first read: %v", err)
	}
	for again := range 3 {
		got, err := readAll(s, piece)
		if err != nil || got != text {
			t.Fatalf("read %d: %d octets %v, want %d", again, len(got), err, len(text))
		}
		err = s.rewind()
		if !kind.twice {
			if !errors.Is(err, errNotTwice) {
				t.Errorf("rewind: %v, want %v", err, errNotTwice)
			}
			return
		}
		if err != nil {
			t.Fatalf("rewind: %v", err)
		}
	}
}

// A text that is left off in the middle begins at its beginning again.
func TestSourceRewindsHalfway(t *testing.T) {
	text := strings.Repeat("0123456789\r\n", 2*chunkSize/12)
	for _, kind := range kinds() {
		if !kind.twice {
			continue
		}
		t.Run(kind.name, func(t *testing.T) {
			var m Message
			kind.set(t, &m, text)
			s := open(t, &m)
			for range 2 {
				if _, _, err := s.next(make([]byte, 10)); err != nil {
					t.Fatal(err)
				}
				if err := s.rewind(); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := readAll(s, chunkSize); err != nil || got != text {
				t.Errorf("%d octets %v, want %d", len(got), err, len(text))
			}
		})
	}
}

// A message that says where its text is in several ways means the first of them.
func TestSourceOrder(t *testing.T) {
	m := Message{
		Source:      strings.NewReader("Source"),
		FileHandle:  strings.NewReader("FileHandle"),
		MessageFile: file(t, "MessageFile"),
		Body:        []byte("Body"),
	}
	for _, next := range []struct {
		want string
		drop func()
	}{
		{"Source", func() { m.Source = nil }},
		{"FileHandle", func() { m.FileHandle = nil }},
		{"MessageFile", func() { m.MessageFile = "" }},
		{"Body", func() { m.Body = nil }},
		{"", func() {}},
	} {
		if got, err := readAll(open(t, &m), 100); got != next.want || err != nil {
			t.Errorf("got %q %v, want %q", got, err, next.want)
		}
		next.drop()
	}
}

func TestSourceFileErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		want error
	}{
		{filepath.Join(t.TempDir(), "missing"), os.ErrNotExist},
		{t.TempDir(), syscall.EISDIR},
		{"with\x00NUL", syscall.EINVAL},
	} {
		s, err := openSource(&Message{MessageFile: c.name})
		if s != nil || !errors.Is(err, c.want) {
			t.Errorf("%q: %v %v, want %v", c.name, s, err, c.want)
		}
	}
}

func TestSourceReadErrors(t *testing.T) {
	boom := errors.New("boom")
	for _, c := range []struct {
		name string
		r    io.Reader
		text string
		want error
	}{
		{"an error at once", iotest.ErrReader(boom), "", boom},
		{"an error later", io.MultiReader(strings.NewReader("text"), iotest.ErrReader(boom)),
			"text", boom},
		{"an error with the text", iotest.DataErrReader(
			io.MultiReader(strings.NewReader("text"), iotest.ErrReader(boom))), "text", boom},
		{"the end with the text", iotest.DataErrReader(strings.NewReader("text")), "text", nil},
		{"nothing for ever", readerFunc(func([]byte) (int, error) { return 0, nil }),
			"", io.ErrNoProgress},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t, &Message{FileHandle: c.r})
			if got, err := readAll(s, 100); got != c.text || !errors.Is(err, c.want) {
				t.Errorf("got %q %v, want %q %v", got, err, c.text, c.want)
			}
		})
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A file that the system makes up has a size of 0, and text all the same.
func TestSourceUnknownSize(t *testing.T) {
	const name = "/proc/self/status"
	if _, err := os.Stat(name); err != nil {
		t.Skip(err)
	}
	s := open(t, &Message{MessageFile: name})
	if n, ok := s.size(); ok {
		t.Errorf("its size is %d", n)
	}
	if text, err := readAll(s, 100); text == "" || err != nil {
		t.Errorf("text %q %v", text, err)
	}
}
