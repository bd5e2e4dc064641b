package smtp_test

import (
	"fmt"

	"github.com/go-poe/poe/component/smtp"
)

// A client writes a command and puts the server's answer together, line by line.
func Example_client() {
	line, err := smtp.AppendRcpt(nil, "b@example.com", smtp.RcptParams{Notify: smtp.NotifyFailure})
	fmt.Printf("C: %q %v\n", line, err)

	var p smtp.ReplyParser
	for _, line := range []string{"550-5.1.1 There is nobody", "550 5.1.1 of this name"} {
		if done, err := p.Add([]byte(line)); done && err == nil {
			r := p.Reply()
			fmt.Println("S:", r.Code, r.Enhanced, r.Lines, r.Permanent())
		}
	}
	// Output:
	// C: "RCPT TO:<b@example.com> NOTIFY=FAILURE\r\n" <nil>
	// S: 550 5.1.1 [There is nobody of this name] true
}

// A server reads a command. What is wrong with it is already the answer.
func Example_server() {
	offered := smtp.Extensions{smtp.ExtSize: {"1000000"}}
	for _, line := range []string{
		"mail FROM:<a@example.com> SIZE=2000",
		"MAIL FROM:<a@example.com> BODY=8BITMIME",
		"MAIL FROM:<a@@example.com>",
	} {
		c, err := smtp.ParseCommand([]byte(line))
		if err != nil {
			fmt.Println("S:", err)
			continue
		}
		m, err := smtp.ParseMail(c.Arg, smtp.EnvelopeOptions{Offered: offered})
		if err != nil {
			fmt.Println("S:", err)
			continue
		}
		fmt.Println(c.Verb, m.From.Local, "at", m.From.Domain, "with", m.Params.Size)
	}
	// Output:
	// MAIL a at example.com with 2000
	// S: 555 5.5.4 Parameter BODY is not offered
	// S: 501 5.1.7 Bad sender address: the domain has a character that it may not have
}
