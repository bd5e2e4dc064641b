package server_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/go-poe/poe/component/smtp/server"
	"github.com/go-poe/poe/test/sim"
)

// The Received line says how the message came, and nothing that the client could make up.
func TestReceived(t *testing.T) {
	const date = `Tue, 01 Jan 2030 00:00:00 \+0000` + "\r\n"
	for name, test := range map[string]struct {
		says []string
		want string
	}{
		"one recipient": {
			[]string{"EHLO client.example.com", "MAIL FROM:<a@example.com>",
				"RCPT TO:<b@example.com>"},
			"from client.example.com ([127.0.0.1])\r\n\tby mx.example.com with ESMTP id ID\r\n" +
				"\tfor <b@example.com>; ",
		},
		"two recipients": {
			[]string{"HELO client", "MAIL FROM:<>",
				"RCPT TO:<b@example.com>", "RCPT TO:<c@example.com>"},
			"from client ([127.0.0.1])\r\n\tby mx.example.com with SMTP id ID; ",
		},
		"SMTPUTF8": {
			[]string{"EHLO [192.0.2.1]", "MAIL FROM:<ä@example.com> SMTPUTF8",
				"RCPT TO:<ö@example.com>"},
			"from [192.0.2.1] ([127.0.0.1])\r\n\tby mx.example.com with UTF8SMTP id ID\r\n" +
				"\tfor <ö@example.com>; ",
		},
		"a name that is none": {
			[]string{"EHLO a;(b", "MAIL FROM:<>", "RCPT TO:<Postmaster>"},
			"from unknown ([127.0.0.1])\r\n\tby mx.example.com with ESMTP id ID\r\n" +
				"\tfor <Postmaster>; ",
		},
	} {
		for _, text := range []string{"", "Subject: hi\r\n\r\nhi\r\n"} {
			t.Run(name, func(t *testing.T) {
				all := strings.Join(test.says, "\r\n") + "\r\nDATA\r\n" + text + ".\r\nQUIT\r\n"
				opts := server.Options{AddReceived: true}
				st := newStage(t, sim.Options{}, opts, func(st *stage) {
					p := st.play(t, []step{{kind: 'C', text: all}})
					p.deaf = true
				})
				st.run(t)
				_, got, _ := strings.Cut(st.stored.String(), "\n")
				want := regexp.QuoteMeta("Received: " + test.want)
				want = strings.Replace(want, " ID", ` [a-z0-9]+\.\d+\.\d+`, 1)
				want = "^" + want + date + regexp.QuoteMeta(text) + "$"
				if !regexp.MustCompile(want).MatchString(got) {
					t.Errorf("stored:\n%s\nwant:\n%s%s", got, test.want, text)
				}
			})
		}
	}
}
