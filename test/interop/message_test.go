//go:build interop

package interop

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A sample is a message that must arrive unchanged.
type sample struct {
	name string
	text []byte
}

// messages are those that have been damaged on the way before, by one program or another.
func messages() []sample {
	const header = "From: a@example.com\r\nTo: b@example.com\r\nSubject: test\r\n\r\n"
	return []sample{
		{"small", []byte(header + "hello\r\n")},
		{"4KiB", sized(4 << 10)},
		{"20MiB", sized(20 << 20)},
		{"empty", nil},
		{"one empty line", []byte("\r\n")},
		{"headers only", []byte(header)},
		{"lone dots", []byte(".\r\n.\r\n..\r\n.\r\n...\r\n.\r\n")},
		{"leading dots", []byte(header + ".a\r\n..b\r\n...c\r\n.\r\n. \r\nend.\r\n")},
		{"dot and QUIT", []byte(header + ".\r\nQUIT\r\n")},
		{"LF only", []byte(strings.ReplaceAll(header, "\r\n", "\n") + "one\n.two\n.\nthree\n")},
		{"no final newline", []byte(header + "the last line has no end")},
		{"no final newline after a dot", []byte(header + "text\r\n.")},
		{"blank lines at the end", []byte(header + "text\r\n\r\n\r\n\r\n")},
		{"long line", []byte(header + strings.Repeat("x", 998) + "\r\n" +
			strings.Repeat(".", 5000) + "\r\n" + strings.Repeat("long ", 40000) + "\r\n")},
		{"UTF-8", []byte(header + "Grüße aus Köln, 日本語, \U0001f4ee\r\n")},
		{"every byte but CR and LF", append([]byte(header), everyByte()...)},
		{"every byte but NUL, CR and LF", append([]byte(header), everyByte()[1:]...)},
	}
}

// sized returns a message of n bytes, in lines of ordinary length, some with a leading dot.
func sized(n int) []byte {
	b := bytes.NewBufferString("Subject: a message of " + fmt.Sprint(n) + " bytes\r\n\r\n")
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(b, "%s line %d, with some text to make it as long as lines are\r\n",
			strings.Repeat(".", i%3), i)
	}
	b.Truncate(n - 2)
	b.WriteString("\r\n")
	return b.Bytes()
}

// everyByte returns a line with each byte that a line can have.
func everyByte() []byte {
	var line []byte
	for c := range 256 {
		if c != '\r' && c != '\n' {
			line = append(line, byte(c))
		}
	}
	return append(line, "\r\n"...)
}

// canonical returns the text as it travels: each line ends with CRLF, the last one too.
func canonical(text []byte) []byte {
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	if len(text) > 0 && text[len(text)-1] != '\n' {
		text = append(text, '\n')
	}
	return bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
}

// local returns the text as it is stored on Unix: each line ends with LF, the last one too.
func local(text []byte) []byte {
	return bytes.ReplaceAll(canonical(text), []byte("\r\n"), []byte("\n"))
}

// store writes a message to a file of the test's own and returns the file's path.
func store(t *testing.T, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "message.eml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sameBytes compares what arrived with what was wanted, and shows where they part.
func sameBytes(t *testing.T, got, want []byte) {
	t.Helper()
	if bytes.Equal(got, want) {
		return
	}
	at := 0
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	t.Errorf("%d bytes, want %d; from byte %d on %q, want %q",
		len(got), len(want), at, near(got, at), near(want, at))
}

// near returns a little of the text from a place on.
func near(text []byte, at int) []byte { return text[at:min(at+60, len(text))] }
