package kernel

import (
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// The report at the end of a run names what is left, if anything is. Nothing can be by the kernel's
// own doing, so the test puts it there.
func TestLeakReport(t *testing.T) {
	core, logs := observer.New(zapcore.WarnLevel)
	k, err := New(Options{Log: zap.New(core), Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	k.finish()
	if n := logs.Len(); n != 0 {
		t.Fatalf("a new kernel reports %v", logs.All())
	}
	gone := &Session{kernel: k, id: 7, life: over}
	k.aliases["lost"] = gone
	k.descriptor(3).watches = []*watch{{s: gone}}
	k.children.byPid = map[int]*childWatch{42: {}}
	k.root.adopt(&Session{kernel: k, id: 8})
	k.busy++
	k.finish()
	for _, want := range []string{"descriptor", "alias", "child process", "session", "reasons"} {
		if logs.FilterMessageSnippet(want).Len() == 0 {
			t.Errorf("the report does not name the %s: %v", want, logs.All())
		}
	}
}
