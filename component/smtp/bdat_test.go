package smtp_test

import (
	"math"
	"testing"

	"github.com/go-poe/poe/component/smtp"
)

func TestAppendBDAT(t *testing.T) {
	for _, c := range []struct {
		octets int64
		last   bool
		want   string
	}{
		{0, true, "BDAT 0 LAST\r\n"},
		{86, false, "BDAT 86\r\n"},
		{math.MaxInt64, false, "BDAT 9223372036854775807\r\n"},
	} {
		if got := string(smtp.AppendBDAT(nil, c.octets, c.last)); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a negative size made a line")
		}
	}()
	smtp.AppendBDAT(nil, -1, false)
}

func TestParseBDAT(t *testing.T) {
	for _, c := range []struct {
		in     string
		octets int64
		last   bool
		ok     bool
	}{
		{"0 LAST", 0, true, true},
		{"0", 0, false, true},
		{"100  last", 100, true, true},
		{"99999999999999999999 LAST", math.MaxInt64, true, true},
		{"", 0, false, false},
		{"LAST", 0, false, false},
		{"-1", 0, false, false},
		{"+1", 0, false, false},
		{"0x10", 0, false, false},
		{"1 LAST x", 0, false, false},
		{"1 laſt", 0, false, false},
		{"1 x", 0, false, false},
	} {
		octets, last, err := smtp.ParseBDAT(c.in)
		if octets != c.octets || last != c.last || (err == nil) != c.ok {
			t.Errorf("ParseBDAT(%q) = %d, %v, %v, want %d, %v, ok %v",
				c.in, octets, last, err, c.octets, c.last, c.ok)
		}
		if want := "501 5.5.4 Syntax: BDAT size [LAST]"; err != nil && err.Error() != want {
			t.Errorf("ParseBDAT(%q) gave %v, want %s", c.in, err, want)
		}
	}
}
