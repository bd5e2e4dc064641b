package floors

import (
	"fmt"
	"go/ast"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// doors are the files of the library that may start goroutines, lock, or ask the real clock, each
// with its reason. Everything else runs on the kernel's goroutine, in the kernel's time.
var doors = map[string]string{
	"kernel/netpoll.go":     "the real loop: its clock, its deadlines, and slow work's goroutines",
	"kernel/doors.go":       "what other goroutines may call: posting, and slow work's results",
	"kernel/question.go":    "what waits for an answer of the kernel's, or for its end",
	"kernel/signal.go":      "signals arrive on a goroutine of the runtime's",
	"kernel/child_other.go": "where a process has no descriptor, its end is a signal too",
}

// clocks are the functions of package time that ask the real clock or wait for it.
var clocks = []string{
	"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until",
}

// TestOneThread checks that only the doors start goroutines, lock, or ask the real clock.
func TestOneThread(t *testing.T) {
	for _, s := range sources(t, library) {
		if s.isTest() {
			continue
		}
		found := concurrency(s)
		if _, ok := doors[s.path]; ok {
			if len(found) == 0 {
				t.Errorf("%s has no need to be one of the doors", s.path)
			}
			continue
		}
		for _, what := range found {
			t.Errorf("%s uses %s, which only the doors may", s.path, what)
		}
	}
}

// TestDoorsExist checks that each door is a file and has a reason.
func TestDoorsExist(t *testing.T) {
	for name, reason := range doors {
		if reason == "" {
			t.Errorf("%s is one of the doors without a reason", name)
		}
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			t.Errorf("%s is one of the doors: %v", name, err)
		}
	}
}

// concurrency returns what a source uses of goroutines, locks and clocks.
func concurrency(s source) []string {
	var found []string
	for _, name := range s.imports() {
		if name == "sync" || name == "sync/atomic" {
			found = append(found, name)
		}
	}
	ast.Inspect(s.File, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = append(found, "go")
		case *ast.SelectorExpr:
			from, ok := n.X.(*ast.Ident)
			if ok && from.Name == "time" && slices.Contains(clocks, n.Sel.Name) {
				found = append(found, fmt.Sprintf("time.%s", n.Sel.Name))
			}
		}
		return true
	})
	return found
}

func TestConcurrency(t *testing.T) {
	s := parse(t, "p.go", `package p

import (
	"sync"
	"sync/atomic"
	"time"
)

func f(d time.Duration) {
	go g()
	time.Sleep(d)
	_ = time.Unix(0, 0).Add(time.Second)
	later := time.AfterFunc
}
`)
	want := []string{"sync", "sync/atomic", "go", "time.Sleep", "time.AfterFunc"}
	if got := concurrency(s); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}
