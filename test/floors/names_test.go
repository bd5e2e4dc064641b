package floors

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// nameless are names that say nothing: whatever is in there has a better one.
var nameless = []string{
	"common", "helper", "helpers", "misc", "types", "util", "utils",
}

// TestNames checks that each file and each package says by its name what it is.
func TestNames(t *testing.T) {
	for _, s := range sources(t, everything) {
		file := strings.TrimSuffix(strings.TrimSuffix(path.Base(s.path), ".go"), "_test")
		for _, name := range append(strings.Split(s.folder(), "/"), file) {
			if slices.Contains(nameless, name) {
				t.Errorf("%s: %q names no idea", s.path, name)
			}
		}
	}
}
