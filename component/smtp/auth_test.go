package smtp_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/go-poe/poe/component/smtp"
)

func TestAppendAuth(t *testing.T) {
	for _, c := range []struct {
		mechanism string
		initial   []byte
		want      string
	}{
		{"PLAIN", []byte("\x00u\x00p"), "AUTH PLAIN AHUAcA==\r\n"},
		{"LOGIN", nil, "AUTH LOGIN\r\n"},
		{"EXTERNAL", []byte{}, "AUTH EXTERNAL =\r\n"},
		{"SCRAM-SHA-256-PLUS", nil, "AUTH SCRAM-SHA-256-PLUS\r\n"},
	} {
		got, err := smtp.AppendAuth(nil, c.mechanism, c.initial)
		if err != nil || string(got) != c.want {
			t.Errorf("AppendAuth(%q, %q) = %q, %v, want %q", c.mechanism, c.initial, got, err, c.want)
		}
	}
	for _, c := range []struct {
		mechanism string
		initial   int
	}{
		{"", 0}, {"PLAIN\r\nRSET", 0}, {"PL AIN", 0}, {strings.Repeat("X", 21), 0}, {"PLAIN", 10000},
	} {
		got, err := smtp.AppendAuth([]byte("x"), c.mechanism, make([]byte, c.initial))
		var bad *smtp.ValueError
		if !errors.As(err, &bad) || string(got) != "x" {
			t.Errorf("AppendAuth(%q, %d octets) = %.40q, %v, want an error",
				c.mechanism, c.initial, got, err)
		}
	}
}

func TestParseAuth(t *testing.T) {
	for _, c := range []struct {
		in        string
		mechanism string
		initial   []byte
		refusal   string
	}{
		{in: "plain AHUAcA==", mechanism: "PLAIN", initial: []byte("\x00u\x00p")},
		{in: "LOGIN", mechanism: "LOGIN"},
		{in: "EXTERNAL =", mechanism: "EXTERNAL", initial: []byte{}},
		{in: "", refusal: "501 5.5.4 Syntax: AUTH mechanism [initial-response]"},
		{in: "PLA/IN", refusal: "501 5.5.4 Syntax: AUTH mechanism [initial-response]"},
		{in: "PLAıN", refusal: "501 5.5.4 Syntax: AUTH mechanism [initial-response]"},
		{in: "PLAIN AHUAcA=", refusal: "501 5.5.2 Malformed base64"},
		{in: "PLAIN AHUA cA==", refusal: "501 5.5.2 Malformed base64"},
		{in: "PLAIN ***", refusal: "501 5.5.2 Malformed base64"},
		{in: "PLAIN AHUA\r\ncA==", refusal: "501 5.5.2 Malformed base64"},
	} {
		mechanism, initial, err := smtp.ParseAuth(c.in)
		if c.refusal != "" {
			if err == nil || err.Error() != c.refusal {
				t.Errorf("ParseAuth(%q) gave %v, want %s", c.in, err, c.refusal)
			}
			continue
		}
		if err != nil || mechanism != c.mechanism || !reflect.DeepEqual(initial, c.initial) {
			t.Errorf("ParseAuth(%q) = %q, %#v, %v, want %q, %#v",
				c.in, mechanism, initial, err, c.mechanism, c.initial)
		}
	}
}

func TestAuthResponse(t *testing.T) {
	got := string(smtp.AppendAuthResponse([]byte("x"), []byte("user")))
	if want := "xdXNlcg==\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, c := range []struct{ in, want, refusal string }{
		{in: "dXNlcg==", want: "user"},
		{in: "", want: ""},
		{in: "*", refusal: "501 5.7.0 Authentication cancelled"},
		{in: "**", refusal: "501 5.5.2 Malformed base64"},
		{in: "dXNlcg==\r", refusal: "501 5.5.2 Malformed base64"},
		{in: strings.Repeat("A", 12287), refusal: "500 5.5.6 Authentication line too long"},
	} {
		got, err := smtp.ParseAuthResponse([]byte(c.in))
		if c.refusal != "" && (err == nil || err.Error() != c.refusal) {
			t.Errorf("ParseAuthResponse(%.40q) gave %v, want %s", c.in, err, c.refusal)
		}
		if c.refusal == "" && (err != nil || string(got) != c.want) {
			t.Errorf("ParseAuthResponse(%q) = %q, %v, want %q", c.in, got, err, c.want)
		}
	}
}

func TestChallenge(t *testing.T) {
	for _, c := range []struct {
		lines []string
		want  string
		ok    bool
	}{
		{[]string{"VXNlcm5hbWU6"}, "Username:", true},
		{[]string{"VXNlcm5hbWU6 "}, "Username:", true},
		{[]string{""}, "", true},
		{nil, "", true},
		{[]string{"go on"}, "", false},
	} {
		got, ok := (&smtp.Reply{Code: 334, Lines: c.lines}).Challenge()
		if string(got) != c.want || ok != c.ok {
			t.Errorf("Challenge of %q is %q, %v, want %q, %v", c.lines, got, ok, c.want, c.ok)
		}
	}
}

// roundTripAuth checks that an AUTH that is understood can be sent on.
func roundTripAuth(t *testing.T, arg string) {
	t.Helper()
	mechanism, initial, err := smtp.ParseAuth(arg)
	if err != nil {
		wantRefusal(t, []byte(arg), err)
		return
	}
	line, err := smtp.AppendAuth(nil, mechanism, initial)
	if err != nil {
		t.Fatalf("AppendAuth(%q, %q): %v", mechanism, initial, err)
	}
	arg, ok := strings.CutPrefix(strings.TrimSuffix(string(line), "\r\n"), "AUTH ")
	again, response, err := smtp.ParseAuth(arg)
	if !ok || err != nil || again != mechanism || !reflect.DeepEqual(response, initial) {
		t.Fatalf("%q came back as %q, %q, %v, want %q, %q",
			line, again, response, err, mechanism, initial)
	}
}
