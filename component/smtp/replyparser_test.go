package smtp_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/go-poe/poe/component/smtp"
)

func TestReplyParser(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  smtp.Reply
	}{
		{"one line", []string{"250 ok"}, smtp.Reply{Code: 250, Lines: []string{"ok"}}},
		{"code alone", []string{"354"}, smtp.Reply{Code: 354, Lines: []string{""}}},
		{"code and a space", []string{"250 "}, smtp.Reply{Code: 250, Lines: []string{""}}},
		{"code and a tab", []string{"250\t"}, smtp.Reply{Code: 250, Lines: []string{""}}},
		{"two spaces", []string{"250  x "}, smtp.Reply{Code: 250, Lines: []string{" x "}}},
		{"three lines", []string{"220-welcome", "220-", "220 server"},
			smtp.Reply{Code: 220, Lines: []string{"welcome", "", "server"}}},
		{"last line bare", []string{"250-a", "250"}, smtp.Reply{Code: 250, Lines: []string{"a", ""}}},
		{"enhanced", []string{"550-5.1.1 no", "550 5.1.1 such user"},
			smtp.Reply{Code: 550, Enhanced: smtp.EnhancedCode{5, 1, 1}, Lines: []string{"no", "such user"}}},
		{"enhanced alone", []string{"250 2.0.0"},
			smtp.Reply{Code: 250, Enhanced: smtp.EnhancedCode{2, 0, 0}, Lines: []string{""}}},
		{"enhanced in the first line", []string{"550-5.7.1 no", "550 see there"},
			smtp.Reply{Code: 550, Enhanced: smtp.EnhancedCode{5, 7, 1}, Lines: []string{"no", "see there"}}},
		{"two enhanced codes", []string{"550-5.7.1 no", "550 5.7.2 see"},
			smtp.Reply{Code: 550, Enhanced: smtp.EnhancedCode{5, 7, 1}, Lines: []string{"no", "5.7.2 see"}}},
		{"enhanced of another class", []string{"450 5.7.1 no"},
			smtp.Reply{Code: 450, Lines: []string{"5.7.1 no"}}},
		{"a version is no code", []string{"220 2.11.8.1 ready"},
			smtp.Reply{Code: 220, Lines: []string{"2.11.8.1 ready"}}},
		{"preliminary", []string{"150 hm"}, smtp.Reply{Code: 150, Lines: []string{"hm"}}},
		{"odd code", []string{"571 no"}, smtp.Reply{Code: 571, Lines: []string{"no"}}},
		{"bare CR", []string{"250 a\rb"}, smtp.Reply{Code: 250, Lines: []string{"a\rb"}}},
		{"garbage in the text", []string{"250 \x00\xff"},
			smtp.Reply{Code: 250, Lines: []string{"\x00\xff"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p smtp.ReplyParser
			for i, line := range c.lines {
				if p.Reply() != nil || p.Pending() != (i > 0) {
					t.Errorf("before line %d: Reply %v, Pending %v", i, p.Reply(), p.Pending())
				}
				done, err := p.Add([]byte(line))
				if err != nil || done != (i == len(c.lines)-1) {
					t.Fatalf("Add(%q) = %v, %v", line, done, err)
				}
			}
			if got := p.Reply(); !reflect.DeepEqual(*got, c.want) || p.Code() != c.want.Code {
				t.Errorf("got %+v and code %d, want %+v", *got, p.Code(), c.want)
			}
			if p.Pending() {
				t.Error("Pending after the last line")
			}
		})
	}
}

func TestReplyParserRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  error
	}{
		{"empty line", []string{""}, smtp.ErrReplySyntax},
		{"no code", []string{"hello there"}, smtp.ErrReplySyntax},
		{"two digits", []string{"22 hi"}, smtp.ErrReplySyntax},
		{"four digits", []string{"2200 hi"}, smtp.ErrReplySyntax},
		{"no blank", []string{"220hi"}, smtp.ErrReplySyntax},
		{"leading blank", []string{" 220 hi"}, smtp.ErrReplySyntax},
		{"600", []string{"600 what"}, smtp.ErrReplySyntax},
		{"099", []string{"099 what"}, smtp.ErrReplySyntax},
		{"000", []string{"000-what"}, smtp.ErrReplySyntax},
		{"text in the middle", []string{"250-a", "b"}, smtp.ErrReplySyntax},
		{"another code", []string{"250-only", "550 other"}, smtp.ErrReplyCodes},
		{"line too long", []string{"250 " + strings.Repeat("x", 17)}, smtp.ErrReplyTooLong},
		{"too many lines", []string{"250-", "250-", "250-", "250-"}, smtp.ErrReplyTooLong},
		{"too many octets", []string{"250-" + strings.Repeat("x", 16), "250 " + strings.Repeat("x", 15)},
			smtp.ErrReplyTooLong},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := smtp.ReplyParser{MaxLines: 3, MaxLine: 20, MaxBytes: 30}
			last := len(c.lines) - 1
			for _, line := range c.lines[:last] {
				if done, err := p.Add([]byte(line)); done || err != nil {
					t.Fatalf("Add(%q) = %v, %v", line, done, err)
				}
			}
			done, err := p.Add([]byte(c.lines[last]))
			if done || !errors.Is(err, c.want) || p.Reply() != nil {
				t.Fatalf("got %v, %v, %v, want %v", done, err, p.Reply(), c.want)
			}
			if _, again := p.Add([]byte("250 ok")); again != err {
				t.Errorf("the next line got %v, want %v again", again, err)
			}
			p.Reset()
			if done, err := p.Add([]byte("250 ok")); !done || err != nil {
				t.Errorf("after Reset got %v, %v, want a reply", done, err)
			}
		})
	}
}

// An endless reply ends with an error at the documented limits, whichever comes first.
func TestReplyParserDefaultLimits(t *testing.T) {
	for _, c := range []struct {
		text  int
		lines int
	}{
		{0, smtp.DefaultReplyLines},
		{1 << 10, smtp.DefaultReplyBytes >> 10},
		{smtp.DefaultReplyLine - 4, smtp.DefaultReplyBytes / (smtp.DefaultReplyLine - 4)},
		{smtp.DefaultReplyLine - 3, 0},
	} {
		var p smtp.ReplyParser
		line := []byte("250-" + strings.Repeat("x", c.text))
		lines := 0
		for ; lines < 1<<20; lines++ {
			if _, err := p.Add(line); err != nil {
				if !errors.Is(err, smtp.ErrReplyTooLong) || len(err.Error()) > 200 {
					t.Errorf("%d octets of text: got %v", c.text, err)
				}
				break
			}
		}
		if lines != c.lines {
			t.Errorf("%d octets of text: took %d lines, want %d", c.text, lines, c.lines)
		}
	}
}

// One parser reads reply after reply, and what it gave out stays.
func TestReplyParserGoesOn(t *testing.T) {
	var p smtp.ReplyParser
	line := []byte("250 2.1.0 first")
	if _, err := p.Add(line); err != nil {
		t.Fatal(err)
	}
	first := p.Reply()
	copy(line, "550 5.1.1 other")
	if done, err := p.Add(line); !done || err != nil {
		t.Fatalf("the second reply: %v, %v", done, err)
	}
	if got := first.String(); got != "250 2.1.0 first" {
		t.Errorf("the first reply became %q", got)
	}
	if got := p.Reply().String(); got != "550 5.1.1 other" {
		t.Errorf("the second reply is %q", got)
	}
	big := "250 " + strings.Repeat("x", 10000)
	for _, want := range []string{big, "250 small", big} {
		if done, err := p.Add([]byte(want)); !done || err != nil || p.Reply().String() != want {
			t.Errorf("%.12q: %v, %v, %.12q", want, done, err, p.Reply())
		}
	}
}

func TestReplyParserAllocates(t *testing.T) {
	var p smtp.ReplyParser
	lines := [][]byte{[]byte("250-2.1.5 one"), []byte("250 2.1.5 two")}
	n := testing.AllocsPerRun(100, func() {
		for _, line := range lines {
			p.Add(line)
		}
		if p.Code() != 250 {
			t.Errorf("code is %d", p.Code())
		}
	})
	if n != 0 {
		t.Errorf("a reply cost %v allocations, want 0", n)
	}
}

// A server that accepts with the same words again and again costs no memory for that. Its replies
// are as right as ever: whatever differs is another reply.
func TestReplyParserRepeats(t *testing.T) {
	var p smtp.ReplyParser
	read := func(line string) *smtp.Reply {
		if done, err := p.Add([]byte(line)); !done || err != nil {
			t.Fatalf("Add(%q) = %v, %v", line, done, err)
		}
		return p.Reply()
	}
	first := map[string]*smtp.Reply{}
	lines := []string{
		"250 2.1.5 Ok", "250 2.0.0 Queued", "251 2.1.5 Ok", "250 2.1.0 Ok", "250", "450 Busy",
	}
	for range 3 {
		for _, line := range lines {
			r := read(line)
			if got := r.String(); got != line {
				t.Errorf("%q became %q", line, got)
			}
			if first[line] == r {
				t.Errorf("%q is kept for long", line)
			}
			first[line] = r
		}
	}
	if a, b := read("550 No"), read("550 No"); a == b {
		t.Error("a refusal is shared")
	}
	text := [][]byte{[]byte("250 2.1.5 Ok"), []byte("250 2.0.0 Queued")}
	n := testing.AllocsPerRun(100, func() {
		for _, line := range text {
			p.Add(line)
			if p.Reply() == nil {
				t.Fatal("no reply")
			}
		}
	})
	if n != 0 {
		t.Errorf("two replies cost %v allocations, want 0", n)
	}
	long := "250 " + strings.Repeat("x", 200)
	if a, b := read(long), read(long); a == b {
		t.Error("a long reply is kept")
	}
}

// No input makes the parser give out more than its limits, or a reply that cannot be sent on.
func FuzzReplyParser(f *testing.F) {
	f.Add("220-welcome\n220 x\n250")
	f.Add("250-a\n550 b")
	f.Add("250 2.0.0 a\n250-5.1.1\n250 2.1.5 b\n999 x")
	f.Fuzz(func(t *testing.T, stream string) {
		p := smtp.ReplyParser{MaxLines: 3, MaxLine: 40, MaxBytes: 60}
		var failed error
		for line := range strings.SplitSeq(stream, "\n") {
			done, err := p.Add([]byte(line))
			if failed != nil && err != failed || err != nil && done {
				t.Fatalf("Add(%q) = %v, %v after %v", line, done, err, failed)
			}
			failed = err
			r := p.Reply()
			if done != (r != nil) {
				t.Fatalf("done is %v, and the reply %v", done, r)
			}
			if r == nil {
				continue
			}
			if octets := len(strings.Join(r.Lines, "")); len(r.Lines) > 3 || octets > 60 {
				t.Fatalf("%d lines, %d octets: %+v", len(r.Lines), octets, r)
			}
			parse(t, r.Append(nil))
		}
	})
}
