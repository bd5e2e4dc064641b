package smtp_test

import (
	"testing"

	"github.com/go-poe/poe/component/smtp"
)

func TestCutEnhancedCode(t *testing.T) {
	for _, c := range []struct {
		in   string
		want smtp.EnhancedCode
		rest string
		ok   bool
	}{
		{"2.1.0 Ok", smtp.EnhancedCode{2, 1, 0}, "Ok", true},
		{"5.7.123", smtp.EnhancedCode{5, 7, 123}, "", true},
		{"4.999.999  two", smtp.EnhancedCode{4, 999, 999}, " two", true},
		{"", smtp.EnhancedCode{}, "", false},
		{"3.1.1 x", smtp.EnhancedCode{}, "3.1.1 x", false},
		{"0.0.0 x", smtp.EnhancedCode{}, "0.0.0 x", false},
		{"5.1 x", smtp.EnhancedCode{}, "5.1 x", false},
		{"5.1.1.1 x", smtp.EnhancedCode{}, "5.1.1.1 x", false},
		{"5..1 x", smtp.EnhancedCode{}, "5..1 x", false},
		{"5.1.01 x", smtp.EnhancedCode{}, "5.1.01 x", false},
		{"5.1.1000 x", smtp.EnhancedCode{}, "5.1.1000 x", false},
		{"5.1.1- x", smtp.EnhancedCode{}, "5.1.1- x", false},
		{"5.1.1\tx", smtp.EnhancedCode{}, "5.1.1\tx", false},
		{" 5.1.1 x", smtp.EnhancedCode{}, " 5.1.1 x", false},
	} {
		got, rest, ok := smtp.CutEnhancedCode(c.in)
		if got != c.want || rest != c.rest || ok != c.ok {
			t.Errorf("CutEnhancedCode(%q) = %v, %q, %v, want %v, %q, %v",
				c.in, got, rest, ok, c.want, c.rest, c.ok)
		}
	}
}

func TestEnhancedCodeString(t *testing.T) {
	for c, want := range map[smtp.EnhancedCode]string{
		{}:          "",
		{2, 0, 0}:   "2.0.0",
		{5, 10, 99}: "5.10.99",
	} {
		if got := c.String(); got != want {
			t.Errorf("String of %d is %q, want %q", [3]uint16(c), got, want)
		}
	}
}
