package smtp_test

import (
	"testing"

	"github.com/go-poe/poe/component/smtp"
)

// The lines of the recorded case smtp-replies-odd, and what is written about it.
func TestClassifyLine(t *testing.T) {
	for _, c := range []struct {
		line string
		want smtp.LineClass
	}{
		{"220-welcome", smtp.ContinueLine},
		{"220-", smtp.ContinueLine},
		{"550-x", smtp.ContinueLine},
		{"999-x", smtp.ContinueLine},
		{"220 server", smtp.GoodLine},
		{"220", smtp.GoodLine},
		{"250 ", smtp.GoodLine},
		{"250\t", smtp.GoodLine},
		{"250\v\fx", smtp.GoodLine},
		{"150 hm", smtp.GoodLine},
		{"350 ok", smtp.GoodLine},
		{"251 two forwards", smtp.GoodLine},
		{"450 later", smtp.BadLine},
		{"550 other", smtp.BadLine},
		{"550", smtp.BadLine},
		{"600 what", smtp.BadLine},
		{"050 what", smtp.BadLine},
		{"hello there", smtp.BadLine},
		{"22 hi", smtp.BadLine},
		{"2200 hi", smtp.BadLine},
		{"220hi", smtp.BadLine},
		{" 220 hi", smtp.BadLine},
		{"", smtp.BadLine},
		{"2", smtp.BadLine},
		{"22-", smtp.BadLine},
		{"22\xb2 hi", smtp.BadLine},
	} {
		if got := smtp.ClassifyLine([]byte(c.line)); got != c.want {
			t.Errorf("ClassifyLine(%q) = %v, want %v", c.line, got, c.want)
		}
	}
}

func TestLineClassString(t *testing.T) {
	for c, want := range map[smtp.LineClass]string{
		smtp.BadLine: "bad", smtp.GoodLine: "good", smtp.ContinueLine: "continue",
	} {
		if got := c.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
