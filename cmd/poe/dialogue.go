package main

import (
	"fmt"
	"strings"
	"unicode"

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
		lines = append(lines, "C: "+printable(p.Sent))
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

// printable returns a line without what a terminal might obey, or show in a misleading way.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, line)
}
