package main

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/component/smtp/client"
)

// A dialogue makes lines of the steps of one delivery: what the client says, and what the server
// says. Of the text there is one line that tells its length.
type dialogue struct {
	inText bool
	octets int64 // of the text so far
}

// lines returns the lines for a step.
func (d *dialogue) lines(p *client.Progress) []string {
	var lines []string
	switch {
	case p.Sent != "":
		lines = append(lines, "C: "+printable(masked(p)))
	case p.Got != "":
		if d.inText {
			d.inText = false
			lines = append(lines, fmt.Sprintf("C: (%d octets of text)", d.octets))
		}
		lines = append(lines, "S: "+printable(p.Got))
	case p.Stage == client.StageText || p.Stage == client.StageFinal:
		d.inText, d.octets = true, p.Octets
	}
	return lines
}

// masked returns the line that was sent, without a secret, which is in it if it is that of Compat.
func masked(p *client.Progress) string {
	words := strings.SplitN(p.Sent, " ", 3)
	switch {
	case p.Stage != client.StageAuth || p.Sent == "*":
		return p.Sent
	case words[0] != string(smtp.VerbAUTH):
		return "********"
	case len(words) == 3:
		words[2] = "********"
	}
	return strings.Join(words, " ")
}

// printable returns a line without what a terminal might obey, or show in a misleading way.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, line)
}
