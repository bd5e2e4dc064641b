package v002

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/component/smtp/client"
)

// A Message is one message, and the way in which it is sent. Sender, Recipient, the text and the
// two events have no default.
//
// The text is one of Data, Lines and Complete. Line ends may be of any kind, and the last may be
// missing.
//
// POE: the parameters of send. Their names are in front of the remarks. cc and bcc, which did
// nothing, are not here.
type Message struct {
	Alias string // alias: a name for the session that sends; empty means none, as from 0.06 on

	Sender    string // smtp_sender: an address, or client.NullSender, with Complete alone
	Recipient string // smtp_recipient: an address

	Server      string // smtp_server: empty means client.DefaultServer
	Port        string // smtp_port: empty means client.DefaultPort
	EHLO        string // smtp_ehlo: this host's name; empty means client.DefaultHostname
	BindAddress string // smtp_bind_address: name or IP address of this end; empty means any

	Data     string   // smtp_data, from 0.04 on smtp_body: the text without a header
	Lines    []string // the same in lines, without their newlines; not nil, but empty, is no text
	Complete string   // smtp_data from 0.04 on: the text with its header

	// The header of Data and Lines. Each is at most MaxText octets of UTF-8.
	To      string // to: the recipient's name, for people; empty means none
	From    string // from: the sender's name, for people; empty means none
	Subject string // subject: empty means DefaultSubject

	Timeout time.Duration // smtp_timeout: the longest time without progress; 0 means 30 s

	// Debug gives the failure event the lines of the dialogue, a []string, as one more argument, or
	// nil if nothing was said.
	//
	// POE: debug, whose manual promises that.
	Debug bool

	SuccessEvent string // SMTPSendSuccessEvent: has no arguments
	FailureEvent string // SMTPSendFailureEvent: see Kind
}

// DefaultSubject is the Subject of a message that has none.
const DefaultSubject = "(none)"

// MaxText is how many octets a To, a From or a Subject may have.
const MaxText = 480

// check returns the first thing that makes it impossible to send m.
func (m *Message) check() error {
	for _, p := range []struct {
		name, field string
		is          bool
	}{
		{"smtp_sender", "Sender", m.Sender != ""},
		{"smtp_recipient", "Recipient", m.Recipient != ""},
		{"smtp_data", "Data", m.Data != "" || m.Lines != nil || m.Complete != ""},
		{"SMTPSendSuccessEvent", "SuccessEvent", m.SuccessEvent != ""},
		{"SMTPSendFailureEvent", "FailureEvent", m.FailureEvent != ""},
	} {
		if !p.is {
			return fmt.Errorf("v002: send requires %q: Message has no %s", p.name, p.field)
		}
	}
	return errors.Join(m.checkText(), m.checkValues())
}

// checkText returns why it is not clear what the text is.
func (m *Message) checkText() error {
	texts := 0
	for _, is := range []bool{m.Data != "", m.Lines != nil, m.Complete != ""} {
		if is {
			texts++
		}
	}
	switch {
	case texts > 1:
		return errors.New("v002: Message has more than one of Data, Lines and Complete")
	case m.Complete != "" && m.To+m.From+m.Subject != "":
		return errors.New("v002: Message has Complete, and To, From or Subject too")
	case m.Complete == "" && m.Sender == client.NullSender:
		return errors.New("v002: Message needs Complete, since its Sender is nobody for a From")
	case m.Timeout < 0:
		return errors.New("v002: Timeout is below 0")
	}
	return nil
}

// checkValues returns which value would be more than its place on the wire has room for: one with
// a line end, above all.
func (m *Message) checkValues() error {
	var err error
	if m.Sender != client.NullSender {
		err = smtp.CheckAddress("Sender", m.Sender)
	}
	err = errors.Join(err, smtp.CheckAddress("Recipient", m.Recipient))
	if m.EHLO != "" {
		err = errors.Join(err, smtp.CheckHost("EHLO", m.EHLO))
	}
	for _, p := range []struct{ field, text string }{
		{"To", m.To}, {"From", m.From}, {"Subject", m.Subject},
	} {
		err = errors.Join(err, smtp.CheckText(p.field, p.text))
		if len(p.text) > MaxText {
			err = errors.Join(err, fmt.Errorf("v002: %s has more than %d octets", p.field, MaxText))
		}
	}
	return err
}

// message returns m as package client wants it.
func (m *Message) message(now time.Time) client.Message {
	return client.Message{
		From:           m.Sender,
		To:             []string{m.Recipient},
		Server:         m.Server,
		Port:           m.Port,
		MyHostname:     m.EHLO,
		BindAddress:    m.BindAddress,
		Body:           m.text(now),
		Timeout:        m.Timeout,
		TransactionLog: m.Debug,
		ResultEvent:    "sent",
	}
}
