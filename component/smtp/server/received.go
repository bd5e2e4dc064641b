package server

import (
	"fmt"
	"net"
	"time"

	"github.com/go-poe/poe/component/smtp"
)

// received returns the line of trace information that goes before a message: RFC 5321, section 4.4.
// It is folded, and ends in CR LF.
func received(env *Envelope, hostname string) []byte {
	b := fmt.Appendf(nil, "Received: from %s", helloName(env.Hello))
	if ip := clientLiteral(env.Client); ip != "" {
		b = fmt.Appendf(b, " (%s)", ip)
	}
	b = fmt.Appendf(b, "\r\n\tby %s with %s id %s", hostname, protocol(env), env.ID)
	if len(env.To) == 1 { // the others are not to learn of each other
		b = append(b, "\r\n\tfor <"...)
		b = env.To[0].To.Append(b)
		b = append(b, '>')
	}
	return fmt.Appendf(b, "; %s\r\n", env.Began.Format(time.RFC1123Z))
}

// helloName returns what a client calls itself, if that is a name, for it could be part of a line
// that says something else.
func helloName(name string) string {
	if smtp.CheckDomain(name, false) != nil {
		return "unknown"
	}
	return name
}

// clientLiteral returns the address of a client as an address literal, or "" if it has none.
func clientLiteral(client net.Addr) string {
	tcp, ok := client.(*net.TCPAddr)
	if !ok {
		return ""
	}
	if tcp.IP.To4() != nil {
		return "[" + tcp.IP.String() + "]"
	}
	return "[IPv6:" + tcp.IP.String() + "]"
}

// protocol returns the word for how the message came: RFC 3848, and RFC 6531, section 4.3.
func protocol(env *Envelope) string {
	switch {
	case env.From.Params.UTF8:
		return "UTF8SMTP"
	case env.Extended:
		return "ESMTP"
	}
	return "SMTP"
}
