package conformance

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

// report makes TestRecorded print a line for each case, and the totals last.
var report = flag.Bool("report", false, "print a line for each recorded case, and the totals")

// TestRecorded runs the port of each recorded case and compares what it prints.
//
// The cases run one after the other: some of them send signals to the process or start others.
func TestRecorded(t *testing.T) {
	recorded, waiting := recordedNames(t), notPorted(t)
	passed, failed := 0, 0
	for _, name := range recorded {
		run, isPorted := ports[name]
		if !isPorted {
			if !slices.Contains(waiting, name) {
				t.Errorf("%s has no port, and is not in not-ported.txt", name)
			}
			say("-    %s: not ported yet", name)
			continue
		}
		if slices.Contains(waiting, name) {
			t.Errorf("%s has a port: take it out of not-ported.txt", name)
		}
		t.Run(name, func(t *testing.T) {
			t.Cleanup(func() {
				if t.Failed() {
					failed++
					say("FAIL %s", name)
				} else {
					passed++
					say("ok   %s", name)
				}
			})
			compare(t, name, run)
		})
	}
	for _, name := range waiting {
		if !slices.Contains(recorded, name) {
			t.Errorf("not-ported.txt has %s, which is no recorded case", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(ports)) {
		if !slices.Contains(recorded, name) {
			t.Errorf("%s is registered, and is no recorded case", name)
		}
	}
	say("%d of %d cases are not ported yet", len(waiting), len(recorded))
	say("%d passed, %d failed", passed, failed)
}

// TestTestdata checks that each case is whole, and that only a -bug case has a NAME.want.
func TestTestdata(t *testing.T) {
	recorded := recordedNames(t)
	if len(recorded) == 0 {
		t.Fatal("testdata holds no case")
	}
	for _, name := range recorded {
		for _, suffix := range []string{".out", ".md"} {
			if _, err := os.Stat(filepath.Join("testdata", name+suffix)); err != nil {
				t.Error(err)
			}
		}
	}
	wants, err := filepath.Glob("testdata/*.want")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range wants {
		name := strings.TrimSuffix(filepath.Base(path), ".want")
		if !slices.Contains(recorded, name) || !isBug(name) {
			t.Errorf("%s belongs to no recorded case that shows a defect", path)
		}
	}
}

// compare runs one port and compares its lines with those that are wanted.
func compare(t *testing.T, name string, run func(c *Case)) {
	want := wanted(t, name)
	c := NewCase(t)
	runCase(c, run)
	if c.Context().Err() != nil {
		t.Errorf("did not end within %v", Limit)
	}
	if got := c.Lines(); !slices.Equal(got, want) {
		t.Errorf("printed other lines than wanted:\n%s", diff(got, want))
	}
}

// runCase runs a port. One that panics fails, and the other cases still run.
func runCase(c *Case, run func(c *Case)) {
	defer func() {
		if p := recover(); p != nil {
			c.T.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	run(c)
}

// wanted returns the lines that the port of a case has to print.
func wanted(t *testing.T, name string) []string {
	t.Helper()
	path := filepath.Join("testdata", name+".out")
	if isBug(name) {
		path = filepath.Join("testdata", name+".want")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("what a port prints is in no file: %v", err)
	}
	if len(text) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// isBug says whether a case shows a defect that the port does not have.
func isBug(name string) bool { return strings.HasSuffix(name, "-bug") }

// recordedNames returns the names of the recorded cases, in order.
func recordedNames(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.pl")
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(paths))
	for i, path := range paths {
		names[i] = strings.TrimSuffix(filepath.Base(path), ".pl")
	}
	slices.Sort(names)
	return names
}

// notPorted returns the names in not-ported.txt.
func notPorted(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("not-ported.txt")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") {
			names = append(names, line)
		}
	}
	return names
}

// say prints one line of the report, if there is to be one.
func say(format string, args ...any) {
	if *report {
		fmt.Printf(format+"\n", args...)
	}
}

// diff returns the lines of both, each once where they agree, in their order.
func diff(got, want []string) string {
	same := commonTails(got, want)
	var b strings.Builder
	i, j := 0, 0
	for i < len(got) || j < len(want) {
		switch {
		case i < len(got) && j < len(want) && got[i] == want[j]:
			fmt.Fprintf(&b, "     %s\n", got[i])
			i, j = i+1, j+1
		case j == len(want) || i < len(got) && same[i+1][j] >= same[i][j+1]:
			fmt.Fprintf(&b, "got  %s\n", got[i])
			i++
		default:
			fmt.Fprintf(&b, "want %s\n", want[j])
			j++
		}
	}
	return b.String()
}

// commonTails returns, for each i and j, how many lines a[i:] and b[j:] have in common at most.
func commonTails(a, b []string) [][]int {
	same := make([][]int, len(a)+1)
	for i := range same {
		same[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				same[i][j] = same[i+1][j+1] + 1
			} else {
				same[i][j] = max(same[i+1][j], same[i][j+1])
			}
		}
	}
	return same
}
