package smtp_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/go-poe/poe/component/smtp"
)

func TestReplyClasses(t *testing.T) {
	classes := []func(*smtp.Reply) bool{
		(*smtp.Reply).Preliminary, (*smtp.Reply).Positive, (*smtp.Reply).Intermediate,
		(*smtp.Reply).Temporary, (*smtp.Reply).Permanent,
	}
	for code, want := range map[int]int{150: 0, 250: 1, 354: 2, 421: 3, 599: 4} {
		for class, is := range classes {
			if got := is(&smtp.Reply{Code: code}); got != (class == want) {
				t.Errorf("class %d of %d is %v", class+1, code, got)
			}
		}
	}
}

func TestReplyIsAnError(t *testing.T) {
	var err error = &smtp.Reply{
		Code:     550,
		Enhanced: smtp.EnhancedCode{5, 1, 1},
		Lines:    []string{"No such\tuser", "\x1b[2J\xff ü "},
	}
	if got, want := err.Error(), "550 5.1.1 No such user  [2J? ü"; got != want {
		t.Errorf("Error is %q, want %q", got, want)
	}
	var reply *smtp.Reply
	if !errors.As(err, &reply) || !reply.Permanent() {
		t.Errorf("%v is not a permanent reply", err)
	}
	if got := (&smtp.Reply{Code: 250}).String(); got != "250" {
		t.Errorf("String is %q, want 250", got)
	}
}

func TestReplyAppend(t *testing.T) {
	for _, c := range []struct {
		name  string
		reply smtp.Reply
		want  string
	}{
		{"one line", smtp.Reply{Code: 250, Lines: []string{"a"}}, "250 a\r\n"},
		{"three lines", smtp.Reply{Code: 250, Lines: []string{"one", "two", "three"}},
			"250-one\r\n250-two\r\n250 three\r\n"},
		{"no lines", smtp.Reply{Code: 250}, "250 \r\n"},
		{"empty line", smtp.Reply{Code: 250, Lines: []string{"", ""}}, "250-\r\n250 \r\n"},
		{"enhanced",
			smtp.Reply{Code: 550, Enhanced: smtp.EnhancedCode{5, 1, 1}, Lines: []string{"a", "b"}},
			"550-5.1.1 a\r\n550 5.1.1 b\r\n"},
		{"enhanced alone", smtp.Reply{Code: 250, Enhanced: smtp.EnhancedCode{2, 0, 0}}, "250 2.0.0 \r\n"},
		{"control characters", smtp.Reply{Code: 250, Lines: []string{"a\r\n250 b\x00\x7f\u0085c"}},
			"250 a  250 b   c\r\n"},
		{"not ASCII", smtp.Reply{Code: 250, Lines: []string{"für \xff"}}, "250 f?r ?\r\n"},
		{"a space to cut at",
			smtp.Reply{Code: 250, Lines: []string{strings.Repeat("x", 500) + " yyyyyyy", "z"}},
			"250-" + strings.Repeat("x", 500) + "\r\n250-yyyyyyy\r\n250 z\r\n"},
		{"no space to cut at", smtp.Reply{Code: 250, Lines: []string{strings.Repeat("x", 507)}},
			"250-" + strings.Repeat("x", 506) + "\r\n250 x\r\n"},
		{"just fits", smtp.Reply{Code: 250, Lines: []string{strings.Repeat("x", 506)}},
			"250 " + strings.Repeat("x", 506) + "\r\n"},
		{"cut at its end", smtp.Reply{Code: 250, Lines: []string{strings.Repeat("x", 506) + " "}},
			"250 " + strings.Repeat("x", 506) + "\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := string(c.reply.Append([]byte("before ")))
			if got != "before "+c.want {
				t.Errorf("got %q, want %q", got, "before "+c.want)
			}
		})
	}
}

func TestReplyAppendUTF8(t *testing.T) {
	r := smtp.Reply{Code: 252, Lines: []string{"<jürgen@x>\r\n\xff\u2028"}}
	if got, want := string(r.AppendUTF8(nil)), "252 <jürgen@x>  ? \r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	// A letter of several octets stays in one piece.
	r = smtp.Reply{Code: 250, Lines: []string{"x" + strings.Repeat("屋", 200)}}
	for line := range strings.Lines(string(r.AppendUTF8(nil))) {
		if len(line) > smtp.MaxReplyLine || strings.Contains(line, "?") {
			t.Errorf("got the line %q", line)
		}
	}
}

func TestReplyAppendPanics(t *testing.T) {
	for _, code := range []int{0, 99, 600, -250} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a reply with code %d was appended", code)
				}
			}()
			(&smtp.Reply{Code: code}).Append(nil)
		}()
	}
}

// Whatever the text is, the lines are lines of one reply, and a ReplyParser reads what was meant.
func FuzzReplyAppend(f *testing.F) {
	f.Add(250, uint16(2), "one\ntwo", false)
	f.Add(550, uint16(0), "5.1.1 x\n5.1.2 y", false)
	f.Add(421, uint16(4), strings.Repeat("x", 600)+" \r\x00ü\xff", true)
	f.Add(599, uint16(5), strings.Repeat("屋", 400), true)
	f.Fuzz(func(t *testing.T, code int, class uint16, text string, keepUTF8 bool) {
		code = 100 + (code&0xffff)%500
		r := smtp.Reply{Code: code, Lines: strings.Split(text, "\n")}
		if class != 0 {
			r.Enhanced = smtp.EnhancedCode{uint16(code / 100), class, class % 1000}
		}
		format := (*smtp.Reply).Append
		if keepUTF8 {
			format = (*smtp.Reply).AppendUTF8
		}
		sent := format(&r, nil)
		got := parse(t, sent)
		if got.Code != code {
			t.Fatalf("%q was read as %+v", sent, got)
		}
		for line := range bytes.Lines(sent) {
			text, ok := bytes.CutSuffix(line, []byte("\r\n"))
			if !ok || len(line) > smtp.MaxReplyLine || bytes.ContainsAny(text, "\r\n\x00\t\x7f") {
				t.Fatalf("%+v has the line %q", r, line)
			}
		}
		// An enhanced code that only some lines have goes to all, which may take another line.
		again := parse(t, format(got, nil))
		if len(again.Lines) == len(got.Lines) && !reflect.DeepEqual(again, got) {
			t.Fatalf("%+v came back as %+v", got, again)
		}
	})
}

// parse reads one whole reply.
func parse(t *testing.T, sent []byte) *smtp.Reply {
	t.Helper()
	p := smtp.ReplyParser{MaxLines: 1 << 20, MaxBytes: 1 << 30}
	for line := range bytes.Lines(sent) {
		done, err := p.Add(bytes.TrimSuffix(line, []byte("\r\n")))
		if err != nil {
			t.Fatalf("%q: %v", sent, err)
		}
		if last := len(line) >= 4 && line[3] != '-'; done != last {
			t.Fatalf("%q is done %v", line, done)
		}
	}
	r := p.Reply()
	if r == nil {
		t.Fatalf("%q is not a whole reply", sent)
	}
	return r
}
