package filter_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-poe/poe/filter"
)

// decodeMessage decodes wire in chunks of the sizes that next returns.
func decodeMessage(
	d filter.MessageDecoder, wire string, next func() int,
) (text string, used int, done bool, err error) {
	var out []byte
	for used < len(wire) {
		end := min(len(wire), used+max(0, next()))
		chunk := []byte(wire[used:end])
		var n int
		out, n, done, err = d.Append(out, chunk)
		used += n
		if done || err != nil {
			break
		}
		if n != len(chunk) {
			panic("not all bytes used, but neither done nor failed")
		}
	}
	return string(out), used, done, err
}

func TestMessageDecoder(t *testing.T) {
	for _, c := range []struct {
		name, wire, text, rest string
		done                   bool
		err                    error
		keep                   bool
	}{
		{"empty", ".\r\n", "", "", true, nil, false},
		{"text", "a\r\n\r\nb\r\n.\r\n", "a\r\n\r\nb\r\n", "", true, nil, false},
		{"lone dot is not the end", "..\r\n.\r\n", ".\r\n", "", true, nil, false},
		{"dots", "...\r\n..x\r\na.\r\n .\r\n.\r\n", "..\r\n.x\r\na.\r\n .\r\n", "", true, nil, false},
		{"dot that was not doubled", ".x\r\n.\r\n", "x\r\n", "", true, nil, false},
		{"commands after it", "a\r\n.\r\nQUIT\r\nb\n", "a\r\n", "QUIT\r\nb\n", true, nil, false},
		{"not ended", "a\r\nb", "a\r\nb", "", false, nil, false},
		{"not ended after CR", "a\r", "a", "", false, nil, false},
		{"not ended after dot", "a\r\n.", "a\r\n", "", false, nil, false},
		{"dot in a line", "a.\r\n.\r\n", "a.\r\n", "", true, nil, false},
		{"two dropped dots", ".a.\r\n..\r\n.\r\n", "a.\r\n.\r\n", "", true, nil, false},
		{"LF", "a\nb", "a", "\nb", false, filter.ErrBareNewline, false},
		{"first byte is LF", "\nb", "", "\nb", false, filter.ErrBareNewline, false},
		{"CR", "a\rb", "a", "b", false, filter.ErrBareNewline, false},
		{"CR CR LF", "a\r\r\n", "a", "\r\n", false, filter.ErrBareNewline, false},
		{"smuggled by LF", "a\r\nb\n.\r\nc", "a\r\nb", "\n.\r\nc", false, filter.ErrBareNewline, false},
		{"smuggled by dot CR", "a\r\n.\rb", "a\r\n", "b", false, filter.ErrBareNewline, false},
		{"smuggled by dot LF", "a\r\n.\nb", "a\r\n", "\nb", false, filter.ErrBareNewline, false},
		{"LF after a dot that was dropped", ".a\nb", "a", "\nb", false, filter.ErrBareNewline, false},
		{"kept LF", "a\n.\nb\n.\r\nc\r\n.\r\n", "a\n.\nb\n.\r\nc\r\n", "", true, nil, true},
		{"kept CR", "a\r.\r\rb\r\r\n.\r\n", "a\r.\r\rb\r\r\n", "", true, nil, true},
		{"kept after dot", ".\rb\r\n.\n\r\n.\r\r\n.\r\n", "\rb\r\n\n\r\n\r\r\n", "", true, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			for size := 1; size <= len(c.wire)+1; size++ {
				d := filter.MessageDecoder{KeepBare: c.keep}
				text, used, done, err := decodeMessage(d, c.wire, func() int { return size })
				if text != c.text || c.wire[used:] != c.rest || done != c.done || !errors.Is(err, c.err) {
					t.Errorf("in pieces of %d: got %q, rest %q, %v, %v, want %q, rest %q, %v, %v",
						size, text, c.wire[used:], done, err, c.text, c.rest, c.done, c.err)
				}
			}
		})
	}
}

// After the end, and after an error, nothing more is taken.
func TestMessageDecoderStops(t *testing.T) {
	for _, wire := range []string{"a\r\n.\r\n", "a\nb"} {
		var d filter.MessageDecoder
		_, _, done, err := d.Append(nil, []byte(wire))
		out, n, done2, err2 := d.Append([]byte("x"), []byte("more\r\n"))
		if string(out) != "x" || n != 0 || done2 != done || err2 != err {
			t.Errorf("after %q: got %q, %d, %v, %v, want x, 0, %v, %v",
				wire, out, n, done2, err2, done, err)
		}
	}
}

// FuzzMessageDecoder compares the decoder with the line filter, which does the same in another way.
func FuzzMessageDecoder(f *testing.F) {
	for i, c := range smtpSuite.Cases {
		f.Add(c.In, uint64(i))
	}
	f.Fuzz(func(t *testing.T, wire string, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 0))
		next := func() int { return random.IntN(1 + random.IntN(30)) }
		got, used, done, err := decodeMessage(filter.MessageDecoder{}, wire, next)
		want, left, wantDone, wantErr := linewise(wire)
		switch {
		case wantErr != nil && errors.Is(err, wantErr):
		case wantErr != nil || done != wantDone || wire[used:] != left && err == nil:
			t.Fatalf("got rest %q, %v, %v, want rest %q, %v, %v",
				wire[used:], done, err, left, wantDone, wantErr)
		case done && got != want:
			t.Fatalf("got %q, want %q", got, want)
		case err != nil && strings.HasSuffix(wire, "\r\n"):
			t.Fatalf("got %v, though each line is right", err)
		}
		if !strings.HasPrefix(got, want) {
			t.Fatalf("got %q, want what begins with %q", got, want)
		}

		keep, used, done, err := decodeMessage(filter.MessageDecoder{KeepBare: true}, wire, next)
		whole, used2, done2, _ := decodeMessage(filter.MessageDecoder{KeepBare: true}, wire,
			func() int { return len(wire) })
		if keep != whole || used != used2 || done != done2 || err != nil {
			t.Fatalf("kept %q, %d, %v, %v, want %q, %d, %v",
				keep, used, done, err, whole, used2, done2)
		}
	})
}

// linewise decodes a message with the line filter.
func linewise(wire string) (text, left string, done bool, err error) {
	f := filter.NewSMTP(filter.SMTPOptions{})
	f.Feed([]byte(wire))
	for {
		r, ok, err := f.Next()
		switch {
		case r.Value == filter.End:
			return text, string(f.Pending()), true, nil
		case !ok:
			return text, "", false, err
		}
		text += string(r.Bytes) + "\r\n"
	}
}

func TestMessageDecoderCostsNoMemory(t *testing.T) {
	wire := bytes.Repeat([]byte("a line of a message\r\n..and one with a dot\r\n"), 2000)
	wire = append(wire, ".\r\n"...)
	text := make([]byte, 0, len(wire))
	noAllocs(t, func() {
		var d filter.MessageDecoder
		var done bool
		if text, _, done, _ = d.Append(text[:0], wire); !done {
			t.Fatal("not done")
		}
	})
}

func BenchmarkMessageDecoder(b *testing.B) {
	var e filter.MessageEncoder
	wire := e.Finish(e.Append(nil, mail("\r\n")))
	b.SetBytes(int64(len(wire)))
	text := make([]byte, 0, 1<<16)
	for b.Loop() {
		var d filter.MessageDecoder
		for p := wire; len(p) > 0; {
			n := min(len(p), 32<<10)
			text, _, _, _ = d.Append(text[:0], p[:n])
			p = p[n:]
		}
	}
}
