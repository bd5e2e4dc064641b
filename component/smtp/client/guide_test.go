package client_test

import (
	"os"
	"strings"
	"testing"
)

// The code that the guides show is that of the examples, which run.
func TestGuideShowsExamples(t *testing.T) {
	examples := unindented(t, "example_test.go")
	for name, least := range map[string]int{"docs/mail.md": 8, "README.md": 3} {
		shown := 0
		for i, part := range strings.Split(unindented(t, "../../../"+name), "\n```") {
			code, ok := strings.CutPrefix(part, "go\n")
			if i%2 == 0 || !ok || !strings.Contains(code, "client.") {
				continue
			}
			shown++
			if !strings.Contains(examples, "\n"+code+"\n") {
				t.Errorf("%s: this is of no example:\n%s", name, code)
			}
		}
		if shown < least {
			t.Errorf("%s has %d pieces of code, want %d", name, shown, least)
		}
	}
}

// unindented returns the lines of a file without what is before them.
func unindented(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		b.WriteString(strings.TrimLeft(line, "\t"))
	}
	return b.String()
}
