package kernel_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// tracedKernel returns a kernel and all that it logs.
func tracedKernel(t *testing.T, opts kernel.Options) (*kernel.Kernel, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	opts.Log = zap.New(core)
	if opts.Getenv == nil {
		opts.Getenv = noEnv
	}
	k, err := kernel.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return k, logs
}

// busy does a little of everything that a trace may tell of.
func busy(t *testing.T, k *kernel.Kernel) {
	t.Helper()
	r, w := pipe(t)
	write(t, w, "x")
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			_ = e.Session.SelectRead(r, "readable")
			_, _ = e.Session.RefcountIncrement("tag")
			e.Session.Sig("HELLO", "hello")
			_ = k.Signal(e.Session, "HELLO")
			_ = e.Session.Post(kernel.Alias("nobody"), "x")
		},
		"readable": func(e *kernel.Event) {
			_ = e.Session.SelectRead(r, "")
			_, _ = e.Session.RefcountDecrement("tag")
		},
		"hello": nothing,
	})
	run(t, k)
}

// Each family of traces tells of its own part, by POE's mark, and of nothing else.
func TestTraceFamilies(t *testing.T) {
	marks := map[kernel.Trace]string{
		kernel.TraceEvents: "<ev>", kernel.TraceFiles: "<fh>", kernel.TraceRefcnt: "<rc>",
		kernel.TraceRetvals: "<rv>", kernel.TraceSessions: "<ss>", kernel.TraceSignals: "<sg>",
	}
	for trace, mark := range marks {
		k, logs := tracedKernel(t, kernel.Options{Trace: trace})
		busy(t, k)
		if logs.Len() == 0 {
			t.Errorf("%s: nothing", mark)
		}
		for _, l := range logs.All() {
			if !strings.HasPrefix(l.Message, mark) {
				t.Errorf("%s: got %q", mark, l.Message)
			}
		}
	}
	k, logs := tracedKernel(t, kernel.Options{})
	busy(t, k)
	if logs.Len() != 0 {
		t.Errorf("without a trace: %v", logs.All())
	}
	k.SetTrace(kernel.TraceAll)
	busy(t, k)
	for _, mark := range marks {
		if logs.FilterMessageSnippet(mark).Len() == 0 {
			t.Errorf("after SetTrace: nothing of %s", mark)
		}
	}
}

// The environment adds to what the options ask for, by POE's names.
func TestEnvironment(t *testing.T) {
	env := map[string]string{
		"POE_TRACE_SIGNALS": "1", "POE_TRACE_FILES": "off", "POE_TRACE_EVENTS": "0",
		"POE_ASSERT_DATA": "yes",
	}
	k, logs := tracedKernel(t, kernel.Options{Getenv: func(name string) string { return env[name] }})
	k.Create(session.Events{kernel.Start: func(e *kernel.Event) {
		_ = k.Signal(e.Session, "HELLO")
		err := panicOf(func() { _ = e.Session.Post(kernel.Alias("nobody"), "x") })
		if !errors.Is(err, kernel.ErrNoSession) {
			t.Errorf("got %v, want a panic with ErrNoSession", err)
		}
	}})
	run(t, k)
	if logs.FilterMessageSnippet("<sg>").Len() == 0 || logs.FilterMessageSnippet("<ev>").Len() != 0 {
		t.Errorf("got %v", logs.All())
	}
}

func TestTraceFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "trace")
	env := map[string]string{"POE_TRACE_DEFAULT": "1", "POE_TRACE_FILENAME": name}
	k, err := kernel.New(kernel.Options{Getenv: func(name string) string { return env[name] }})
	if err != nil {
		t.Fatal(err)
	}
	busy(t, k)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, mark := range []string{"<ev>", "<fh>", "<rc>", "<rv>", "<ss>", "<sg>"} {
		if !strings.Contains(string(text), mark) {
			t.Errorf("the file has nothing of %s", mark)
		}
	}
	env["POE_TRACE_FILENAME"] = t.TempDir()
	_, err = kernel.New(kernel.Options{Getenv: func(name string) string { return env[name] }})
	if err == nil {
		t.Error("no error for a file that cannot be opened")
	}
}

func TestAssertions(t *testing.T) {
	try := func(a kernel.Assert, f func(s *kernel.Session)) (err error) {
		k, _ := tracedKernel(t, kernel.Options{Assert: a})
		k.Create(session.Events{kernel.Start: func(e *kernel.Event) {
			err = panicOf(func() { f(e.Session) })
		}})
		run(t, k)
		return err
	}
	for _, c := range []struct {
		name   string
		assert kernel.Assert
		f      func(s *kernel.Session)
		want   error
	}{
		{"data", kernel.AssertData, func(s *kernel.Session) { _ = s.Post(kernel.ID(99), "x") },
			kernel.ErrNoSession},
		{"retvals", kernel.AssertRetvals, func(s *kernel.Session) { _ = s.AliasRemove("x") },
			kernel.ErrNoAlias},
		{"usage", kernel.AssertUsage, func(s *kernel.Session) { s.Yield(kernel.Child) },
			kernel.ErrInvalid},
	} {
		if err := try(c.assert, c.f); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want a panic with %v", c.name, err, c.want)
		}
		if err := try(0, c.f); err != nil {
			t.Errorf("%s: without the assertion: panic with %v", c.name, err)
		}
	}
	k, logs := tracedKernel(t, kernel.Options{})
	k.SetAssert(kernel.AssertStates)
	k.Create(session.Events{kernel.Start: func(e *kernel.Event) { e.Session.Yield("unknown") }})
	run(t, k)
	if n := logs.FilterMessageSnippet(`"unknown"`).Len(); n != 1 {
		t.Errorf("states: got %d warnings, want 1", n)
	}
}
