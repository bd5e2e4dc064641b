package client

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

// A text of any length takes a piece of memory, and runs no further than it is read.
func TestPullerIsNotAhead(t *testing.T) {
	line := []byte(strings.Repeat("x", 998) + "\r\n")
	written := 0
	s := open(t, &Message{Source: writerTo(func(w io.Writer) error {
		for {
			n, err := w.Write(line)
			written += n
			if err != nil {
				return err
			}
		}
	})})
	if written != 0 {
		t.Errorf("%d octets were written before the first read", written)
	}
	buf := make([]byte, 10_000)
	read := 0
	for range 1000 {
		p, eof, err := s.next(buf)
		if len(p) != len(buf) || eof || err != nil {
			t.Fatalf("%d octets %v %v", len(p), eof, err)
		}
		read += len(p)
		if written > read {
			t.Fatalf("%d octets were written, and %d read", written, read)
		}
	}
	if n := testing.AllocsPerRun(100, func() { s.next(buf) }); n > 0 {
		t.Errorf("a piece takes %v allocations", n)
	}
}

func TestPullerErrors(t *testing.T) {
	boom := errors.New("boom")
	for _, c := range []struct {
		name string
		text writerTo
		read string
		want string
	}{
		{"nothing", func(io.Writer) error { return nil }, "", ""},
		{"empty writes", func(w io.Writer) error {
			for range 1000 {
				w.Write(nil)
			}
			return nil
		}, "", ""},
		{"an error", func(io.Writer) error { return boom }, "", "boom"},
		{"an error after text", func(w io.Writer) error {
			io.WriteString(w, "12345678")
			return boom
		}, "1234", "boom"},
		{"an end that is none", func(io.Writer) error { return fmt.Errorf("it: %w", io.EOF) },
			"", "unexpected EOF"},
		{"a panic", func(w io.Writer) error { panic("ouch") },
			"", "smtp client: panic in WriteTo: ouch"},
		{"a panic after text", func(w io.Writer) error {
			io.WriteString(w, "12345678")
			panic(boom)
		}, "1234", "smtp client: panic in WriteTo: boom"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t, &Message{Source: c.text})
			got, err := readAll(s, 4)
			if got != c.read || err == nil && c.want != "" || err != nil && err.Error() != c.want {
				t.Errorf("got %q %v, want %q %s", got, err, c.read, c.want)
			}
			if again, err2 := readAll(s, 4); again != "" || fmt.Sprint(err2) != fmt.Sprint(err) {
				t.Errorf("after the end: %q %v", again, err2)
			}
		})
	}
}

// Whoever writes a text that is read no more gets an error, and is cut off if it takes no notice.
func TestPullerClose(t *testing.T) {
	for _, c := range []struct {
		name    string
		ignores bool
		want    int // failed writes
	}{
		{"takes notice", false, 1},
		{"takes no notice", true, maxRefused},
	} {
		t.Run(c.name, func(t *testing.T) {
			failed, unwound := 0, false
			s := open(t, &Message{Source: writerTo(func(w io.Writer) error {
				defer func() { unwound = true }()
				for {
					if n, err := io.WriteString(w, "text"); err != nil {
						if n != 0 && failed > 0 || !errors.Is(err, errAbandoned) {
							t.Errorf("%d octets %v", n, err)
						}
						failed++
						if !c.ignores {
							return err
						}
					}
				}
			})})
			before := runtime.NumGoroutine()
			if p, _, err := s.next(make([]byte, 10)); string(p) != "texttextte" || err != nil {
				t.Errorf("got %q %v", p, err)
			}
			s.close()
			s.close()
			if failed != c.want || !unwound {
				t.Errorf("%d writes failed, want %d; unwound %v", failed, c.want, unwound)
			}
			if after := runtime.NumGoroutine(); after > before {
				t.Errorf("%d goroutines, and %d before", after, before)
			}
		})
	}
}

// A text that panics when it is told that nobody reads it takes nobody along.
func TestPullerPanicsWhenClosed(t *testing.T) {
	s := open(t, &Message{Source: writerTo(func(w io.Writer) error {
		for {
			if _, err := w.Write(make([]byte, 10)); err != nil {
				panic(err)
			}
		}
	})})
	s.next(make([]byte, 10))
	s.close()
}

// The pieces of a text may be read on one goroutine and then on another.
func TestPullerOnManyGoroutines(t *testing.T) {
	text := strings.Repeat("0123456789", 1000)
	var m Message
	kinds()[8].set(t, &m, text)
	s := open(t, &m)
	var got bytes.Buffer
	for eof := false; !eof; {
		done := make(chan struct{})
		go func() {
			defer close(done)
			var p []byte
			var err error
			p, eof, err = s.next(make([]byte, 77))
			if err != nil {
				t.Error(err)
				eof = true
			}
			got.Write(p)
		}()
		<-done
	}
	if got.String() != text {
		t.Errorf("%d octets, want %d", got.Len(), len(text))
	}
}

// What a text leaves behind cannot write into the pieces of others.
func TestPullerWriteTooLate(t *testing.T) {
	var left io.Writer
	s := open(t, &Message{Source: writerTo(func(w io.Writer) error {
		left = w
		return nil
	})})
	buf := make([]byte, 10)
	if p, eof, err := s.next(buf); len(p) > 0 || !eof || err != nil {
		t.Errorf("got %q %v %v", p, eof, err)
	}
	for range 2 * maxRefused {
		if n, err := io.WriteString(left, "late"); n != 0 || err == nil {
			t.Fatalf("%d octets %v", n, err)
		}
	}
	if !bytes.Equal(buf, make([]byte, 10)) {
		t.Errorf("the piece is %q", buf)
	}
}

// A source that nobody closes, because its session is gone, does not keep a coroutine for ever.
func TestPullerIsCleanedUp(t *testing.T) {
	unwound := make(chan struct{})
	s, err := openSource(&Message{Source: writerTo(func(w io.Writer) error {
		defer close(unwound)
		for {
			if _, err := w.Write(make([]byte, 10)); err != nil {
				return err
			}
		}
	})})
	if err != nil {
		t.Fatal(err)
	}
	s.next(make([]byte, 10)) // the last use of s
	for range 1000 {
		runtime.GC()
		select {
		case <-unwound:
			return
		default:
			runtime.Gosched()
		}
	}
	t.Fatal("it still waits")
}

func BenchmarkPuller(b *testing.B) {
	line := []byte(strings.Repeat("x", 76) + "\r\n")
	s, _ := openSource(&Message{Source: writerTo(func(w io.Writer) error {
		for {
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
	})})
	defer s.close()
	buf := make([]byte, chunkSize)
	b.SetBytes(chunkSize)
	for b.Loop() {
		s.next(buf)
	}
}
