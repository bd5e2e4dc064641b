package main

import (
	"context"
	"io"
	"net"
	"net/netip"
	"net/smtp"

	gosmtp "github.com/emersion/go-smtp"
	"github.com/wneessen/go-mail"
)

// write writes a message: a short one at once, as a program does that has it in memory.
func (j job) write(w io.Writer, short []byte) error {
	if len(short) > 0 {
		_, err := w.Write(short)
		return err
	}
	_, err := (&text{size: j.Size}).WriteTo(w)
	return err
}

// short returns a message that is in memory, or nothing if it is too long for that.
func (j job) short() []byte {
	if j.Size > len(textLines) {
		return nil
	}
	return text{size: j.Size}.bytes()
}

// A dialogue is what net/smtp and go-smtp have in common.
type dialogue interface {
	Hello(localName string) error
	Quit() error
	Close() error
}

// dialogues shares the messages among connections, or makes one for each.
func dialogues[C dialogue](j job, dial func(net.Conn) (C, error), send func(c C) error) error {
	return j.share(func(messages int) error {
		each := 1
		if j.Kept {
			each = messages
		}
		for ; messages > 0; messages -= each {
			if err := converse(j.Addr, each, dial, send); err != nil {
				return err
			}
		}
		return nil
	})
}

// converse sends messages over one connection.
func converse[C dialogue](addr string, messages int, dial func(net.Conn) (C, error),
	send func(c C) error) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	c, err := dial(conn)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Hello(ourName); err != nil {
		return err
	}
	for range messages {
		if err := send(c); err != nil {
			return err
		}
	}
	return c.Quit()
}

// netSend sends with package net/smtp.
func netSend(j job) error {
	short := j.short()
	dial := func(c net.Conn) (*smtp.Client, error) { return smtp.NewClient(c, "127.0.0.1") }
	return dialogues(j, dial, func(c *smtp.Client) error {
		if err := c.Mail(fromAddress); err != nil {
			return err
		}
		if err := c.Rcpt(j.recipient()); err != nil {
			return err
		}
		w, err := c.Data()
		if err != nil {
			return err
		}
		if err := j.write(w, short); err != nil {
			return err
		}
		return w.Close()
	})
}

// goSMTPSend sends with emersion/go-smtp.
func goSMTPSend(j job) error {
	short := j.short()
	dial := func(c net.Conn) (*gosmtp.Client, error) { return gosmtp.NewClient(c), nil }
	return dialogues(j, dial, func(c *gosmtp.Client) error {
		if err := c.Mail(fromAddress, nil); err != nil {
			return err
		}
		if err := c.Rcpt(j.recipient(), nil); err != nil {
			return err
		}
		w, err := c.Data()
		if err != nil {
			return err
		}
		if err := j.write(w, short); err != nil {
			return err
		}
		return w.Close()
	})
}

// goMailSend sends with wneessen/go-mail, as it comes: with its NOOP before, and its RSET after
// each message.
func goMailSend(j job) error {
	at, err := netip.ParseAddrPort(j.Addr)
	if err != nil {
		return err
	}
	short := string(j.short())
	return j.share(func(messages int) error {
		c, err := mail.NewClient(at.Addr().String(), mail.WithPort(int(at.Port())),
			mail.WithTLSPolicy(mail.NoTLS), mail.WithHELO(ourName), mail.WithTimeout(patience))
		if err != nil {
			return err
		}
		if !j.Kept {
			for range messages {
				m, err := j.goMail(short)
				if err != nil {
					return err
				}
				if err := c.DialAndSend(m); err != nil {
					return err
				}
			}
			return nil
		}
		if err := c.DialWithContext(context.Background()); err != nil {
			return err
		}
		for range messages {
			m, err := j.goMail(short)
			if err != nil {
				return err
			}
			if err := c.Send(m); err != nil {
				return err
			}
		}
		return c.Close()
	})
}

// goMail makes a message, whose header it writes itself.
func (j job) goMail(short string) (*mail.Msg, error) {
	m := mail.NewMsg(mail.WithEncoding(mail.NoEncoding))
	if err := m.From(fromAddress); err != nil {
		return nil, err
	}
	if err := m.To(j.recipient()); err != nil {
		return nil, err
	}
	m.Subject("bench")
	if short != "" {
		m.SetBodyString(mail.TypeTextPlain, short)
		return m, nil
	}
	m.SetBodyWriter(mail.TypeTextPlain, (&text{size: j.Size}).WriteTo)
	return m, nil
}
