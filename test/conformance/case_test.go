package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestShow(t *testing.T) {
	type alias string
	var nobody *int
	seven := 7
	for _, test := range []struct {
		value any
		want  string
	}{
		{nil, "undef"},
		{nobody, "undef"},
		{0, "0"},
		{-12, "-12"},
		{uint8(200), "200"},
		{0.5, "0.5"},
		{0.1 + 0.2, "0.3"},
		{float64(3), "3"},
		{1500 * time.Millisecond, "1.5"},
		{true, "1"},
		{false, `""`},
		{"", `""`},
		{"42", "42"},
		{"-4.20", "-4.20"},
		{"4.", `"4."`},
		{"0x10", `"0x10"`},
		{"1e3", `"1e3"`},
		{alias("log"), `"log"`},
		{[]byte("raw"), `"raw"`},
		{errors.New("went wrong"), `"went wrong"`},
		{"\\ \" \r\n\t\x00\x01\x7f\xe9 $@", `"\\ \" \r\n\t\0\x01\x7F\xE9 $@"`},
		{"é", `"\xC3\xA9"`},
		{[]any{}, "[]"},
		{[]string(nil), "[]"},
		{[]any{1, "a", nil, []int{2, 3}}, `[1,"a",undef,[2,3]]`},
		{[2]bool{true, false}, `[1,""]`},
		{map[string]any{"b": 1, "a": "x", "c": nil}, `{a="x",b=1,c=undef}`},
		{map[string]int(nil), "{}"},
		{map[int]string{10: "x", 9: "y"}, `{10="x",9="y"}`},
		{&seven, "7"},
	} {
		if got := Show(test.value); got != test.want {
			t.Errorf("Show(%#v) = %s, want %s", test.value, got, test.want)
		}
	}
}

func TestShowRefusesWhatHasNoForm(t *testing.T) {
	defer func() {
		if got, want := fmt.Sprint(recover()), "conformance: cannot show a struct {}"; got != want {
			t.Errorf("panic %q, want %q", got, want)
		}
	}()
	Show(struct{}{})
}

func TestErrname(t *testing.T) {
	ours := errors.New("kernel: alias is taken")
	keep := sentinels
	defer func() { sentinels = keep }()
	Sentinel(ours, "EEXIST")
	for _, test := range []struct {
		err  error
		want string
	}{
		{nil, "none"},
		{io.EOF, "none"},
		{syscall.ECONNREFUSED, "ECONNREFUSED"},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EPIPE)}, "EPIPE"},
		{fmt.Errorf("alias %q: %w", "log", ours), "EEXIST"},
		{errors.New("something else"), "unknown"},
	} {
		if got := Errname(test.err); got != test.want {
			t.Errorf("Errname(%v) = %s, want %s", test.err, got, test.want)
		}
	}
}

func TestCase(t *testing.T) {
	c := NewCase(t)
	type session struct{}
	first := new(session)
	c.Name(first, "A")
	c.Name(0, "kernel")
	c.Out("start", c.Who(first), c.Who(0), c.Who(1), c.Who((*session)(nil)), c.Who(nil))
	c.Out(nil, 1, 0.25, true, false, "two\nlines")
	c.Note("server", "accepted", 1)
	c.Note("client", "connected", nil)
	c.Note("server", "closed")
	c.PrintNotes()
	c.PrintNotes()
	want := []string{
		"start A kernel unnamed undef undef",
		"undef 1 0.25 1  two",
		"lines",
		"client: connected undef",
		"server: accepted 1",
		"server: closed",
	}
	if got := c.Lines(); !slices.Equal(got, want) {
		t.Errorf("printed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, limited := c.Context().Deadline(); !limited {
		t.Error("the context of a case has no deadline")
	}
}

func TestContextEndsWithTheCase(t *testing.T) {
	var ctx context.Context
	t.Run("case", func(t *testing.T) { ctx = NewCase(t).Context() })
	if got := ctx.Err(); !errors.Is(got, context.Canceled) {
		t.Errorf("after the case the context says %v, want %v", got, context.Canceled)
	}
}

func TestRegisterRefuses(t *testing.T) {
	keep := ports
	ports = map[string]func(*Case){"taken": func(*Case) {}}
	defer func() { ports = keep }()
	for _, test := range []struct {
		name string
		run  func(*Case)
		want string
	}{
		{"", func(*Case) {}, "conformance: Register needs a name and a function"},
		{"free", nil, "conformance: Register needs a name and a function"},
		{"taken", func(*Case) {}, "conformance: case taken is registered twice"},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); got != test.want {
					t.Errorf("Register(%q): panic %q, want %q", test.name, got, test.want)
				}
			}()
			Register(test.name, test.run)
		}()
	}
}

func TestDiff(t *testing.T) {
	got := diff([]string{"a", "x", "c"}, []string{"a", "b", "c", "d"})
	want := "     a\ngot  x\nwant b\n     c\nwant d\n"
	if got != want {
		t.Errorf("diff is\n%s\nwant\n%s", got, want)
	}
}

// A port that panics fails its own case, and leaves the others to run.
func TestPanicFailsTheCase(t *testing.T) {
	c := &Case{T: &failures{TB: t}}
	runCase(c, func(*Case) { panic("as ordered") })
	got := c.T.(*failures).text
	if !strings.HasPrefix(got, "panic: as ordered\n") {
		t.Errorf("a port that panicked left %q, want its panic", got)
	}
}

// failures is a test that keeps what would have failed it.
type failures struct {
	testing.TB
	text string
}

// Errorf keeps the text.
func (f *failures) Errorf(format string, args ...any) { f.text += fmt.Sprintf(format, args...) }
