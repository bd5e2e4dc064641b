package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	netmail "net/mail"
	"os"
	"strings"

	"github.com/wneessen/go-mail"

	"github.com/go-poe/poe/component/smtp"
)

// maxComposed is how long a body and its attachments may be together, in octets. Longer messages
// come from files, and are not held in memory.
const maxComposed = 64 << 20

// The flags of a message that is put together here.
type composeFlags struct {
	subject     string
	headers     []string
	body        string
	bodyFile    string
	attachments []string
	cc, bcc     []string
}

// composeNames are the names of the flags. One of them says that a message is to be put together.
var composeNames = []string{"subject", "header", "body", "body-file", "attach", "cc", "bcc"}

func (c *composeFlags) group() flagGroup {
	g := newFlagGroup("A message put together here, instead of one that is ready")
	f := g.flags
	f.StringVar(&c.subject, "subject", "", "`TEXT` of the subject")
	f.StringArrayVar(&c.headers, "header", nil,
		"`'NAME: VALUE'` of another field; may be given again")
	f.StringVar(&c.body, "body", "", "`TEXT`; without it, or with -, the body is standard input")
	f.StringVar(&c.bodyFile, "body-file", "", "`FILE` with the body; - is standard input")
	f.StringArrayVar(&c.attachments, "attach", nil, "`FILE` to attach; may be given again")
	f.StringArrayVar(&c.cc, "cc", nil, "`ADDRESS` of one more recipient, for all to see")
	f.StringArrayVar(&c.bcc, "bcc", nil, "`ADDRESS` of one more recipient, whom nobody sees")
	return g
}

// compose puts the message together.
func (c *composeFlags) compose(from mailbox, to []mailbox, stdin io.Reader) (memoryText, error) {
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	own, err := c.fields()
	if err != nil {
		return nil, err
	}
	if err := c.setFields(m, own, from, to); err != nil {
		return nil, err
	}
	room := int64(maxComposed)
	body, err := c.readBody(stdin, room)
	if err != nil {
		return nil, err
	}
	contentType, err := bodyType(own)
	if err != nil {
		return nil, err
	}
	m.SetBodyString(contentType, body, mail.WithPartEncoding(bodyEncoding(body)))
	room -= int64(len(body))
	for _, name := range c.attachments {
		info, err := os.Stat(name)
		switch {
		case err != nil:
			return nil, unreadable(err)
		case !info.Mode().IsRegular():
			return nil, failf(exitNoInput, "--attach: %s is no file", name)
		}
		if room -= info.Size(); room < 0 {
			return nil, errComposedTooLong
		}
		m.AttachFile(name)
	}
	text := bytes.NewBufferString(own.top)
	if _, err := m.WriteTo(text); err != nil {
		return nil, unreadable(err)
	}
	return text.Bytes(), nil
}

var errComposedTooLong = failf(exitData, "the body and its attachments are longer than %d octets; "+
	"send a message that is ready, with --file", maxComposed)

// ownFields are the fields that are given by --header.
type ownFields struct {
	top    string            // those that go before all others as they are
	values map[string]string // all, by their names in small letters
}

// fields reads the flags --header.
func (c *composeFlags) fields() (own ownFields, err error) {
	own.values = make(map[string]string)
	for _, line := range c.headers {
		name, value, ok := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		if !ok || name == "" || strings.ContainsFunc(name, notInName) {
			return own, fmt.Errorf("--header %q is not NAME: VALUE", line)
		}
		if err := smtp.CheckText("--header", value); err != nil {
			return own, fail(exitData, err)
		}
		small := strings.ToLower(name)
		own.values[small] = value
		switch small {
		case "subject", "date", "message-id", "content-type":
			continue // go-mail writes it
		case "mime-version", "content-transfer-encoding":
			return own, fmt.Errorf("--header: %s is for the program to set", name)
		case "from", "to", "cc", "reply-to", "sender":
			if value, err = encodeAddresses(value); err != nil {
				return own, fmt.Errorf("--header %s: %w", name, err)
			}
		default:
			value = mime.QEncoding.Encode("utf-8", value)
		}
		own.top += name + ": " + value + "\r\n"
	}
	if err := smtp.CheckText("--subject", c.subject); err != nil {
		return own, fail(exitData, err)
	}
	return own, nil
}

// notInName reports whether a character cannot be in the name of a field: RFC 5322, section 3.6.8.
func notInName(r rune) bool { return r <= ' ' || r > '~' }

// encodeAddresses returns a list of addresses with names as they stand in a header.
func encodeAddresses(value string) (string, error) {
	list, err := netmail.ParseAddressList(value)
	if err != nil {
		if smtp.NeedsUTF8(value) {
			return "", err
		}
		return value, nil
	}
	if len(list) == 0 {
		return value, nil // a group of nobody
	}
	encoded := make([]string, len(list))
	for i, one := range list {
		encoded[i] = one.String()
	}
	return strings.Join(encoded, ",\r\n "), nil
}

// setFields sets the fields that are not given as they are.
func (c *composeFlags) setFields(m *mail.Msg, own ownFields, from mailbox, to []mailbox) error {
	subject := c.subject
	if value, ok := own.values["subject"]; ok && subject == "" {
		subject = value
	}
	if subject != "" {
		m.Subject(subject)
	}
	if value, ok := own.values["date"]; ok {
		m.SetGenHeader(mail.HeaderDate, value)
	}
	if value, ok := own.values["message-id"]; ok {
		m.SetGenHeader(mail.HeaderMessageID, value)
	}
	if _, ok := own.values["from"]; !ok {
		if from.address == "" {
			return errors.New("--from <> is no author: add --header 'From: NAME <ADDRESS>'")
		}
		m.FromMailAddress(&netmail.Address{Name: from.name, Address: from.address})
	}
	if _, ok := own.values["to"]; !ok && len(to) > 0 {
		m.ToMailAddress(headerMailboxes(to)...)
	}
	if _, ok := own.values["cc"]; !ok && len(c.cc) > 0 {
		cc, err := parseMailboxes("--cc", c.cc)
		if err != nil {
			return err
		}
		m.CcMailAddress(headerMailboxes(cc)...)
	}
	return nil
}

// parseMailboxes reads the values of a flag.
func parseMailboxes(flag string, values []string) ([]mailbox, error) {
	boxes := make([]mailbox, len(values))
	for i, value := range values {
		var err error
		if boxes[i], err = parseMailbox(value); err != nil {
			return nil, fmt.Errorf("%s: %w", flag, err)
		}
	}
	return boxes, nil
}

func headerMailboxes(boxes []mailbox) []*netmail.Address {
	list := make([]*netmail.Address, len(boxes))
	for i, box := range boxes {
		list[i] = &netmail.Address{Name: box.name, Address: box.address}
	}
	return list
}

// readBody returns the body, from the place that is named.
func (c *composeFlags) readBody(stdin io.Reader, room int64) (string, error) {
	switch {
	case c.body != "" && c.bodyFile != "":
		return "", errors.New("--body and --body-file")
	case c.body != "" && c.body != "-":
		return strings.TrimSuffix(c.body, "\n") + "\n", nil
	case c.bodyFile != "" && c.bodyFile != "-":
		f, err := os.Open(c.bodyFile)
		if err != nil {
			return "", unreadable(err)
		}
		defer f.Close() // it is only read
		if info, err := f.Stat(); err == nil && info.Size() > room {
			return "", errComposedTooLong
		}
		stdin = f
	}
	text, err := io.ReadAll(io.LimitReader(stdin, room+1))
	switch {
	case err != nil:
		return "", unreadable(err)
	case int64(len(text)) > room:
		return "", errComposedTooLong
	}
	return string(text), nil
}

// bodyType is what the body is.
func bodyType(own ownFields) (mail.ContentType, error) {
	value, ok := own.values["content-type"]
	if !ok {
		return mail.TypeTextPlain, nil
	}
	kind, _, err := mime.ParseMediaType(value)
	if err != nil || !strings.HasPrefix(kind, "text/") {
		return "", fmt.Errorf("--header: the body is text, such as text/html, and not %q", value)
	}
	return mail.ContentType(kind), nil
}

// maxPlainLine is the longest line that goes as it is: RFC 5321, section 4.5.3.1.6.
const maxPlainLine = 998

// bodyEncoding is how the body is written: as it is, where that is possible.
func bodyEncoding(body string) mail.Encoding {
	for line := range strings.Lines(body) {
		if len(line) > maxPlainLine {
			return mail.EncodingQP
		}
	}
	if smtp.NeedsUTF8(body) || strings.ContainsAny(body, "\x00") {
		return mail.EncodingQP
	}
	return mail.EncodingUSASCII
}
