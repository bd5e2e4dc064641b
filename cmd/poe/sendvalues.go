package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-poe/poe/component/smtp/client"
)

// A choice is a flag with a few values.
type choice struct {
	value string
	of    []string
}

// Set implements pflag.Value.
func (c *choice) Set(s string) error {
	s = strings.ToLower(s)
	if !slices.Contains(c.of, s) {
		last := len(c.of) - 1
		return fmt.Errorf("must be %s or %s", strings.Join(c.of[:last], ", "), c.of[last])
	}
	c.value = s
	return nil
}

// String implements pflag.Value.
func (c *choice) String() string { return c.value }

// Type implements pflag.Value.
func (c *choice) Type() string { return "MODE" }

// phases is a flag for the times of single phases: connect=5s,final=10m.
type phases struct {
	client.Timeouts
	text string
}

// phaseTable leads from a name to the time.
var phaseTable = []struct {
	name string
	of   func(*client.Timeouts) *time.Duration
}{
	{"connect", func(t *client.Timeouts) *time.Duration { return &t.Connect }},
	{"tls", func(t *client.Timeouts) *time.Duration { return &t.TLS }},
	{"greeting", func(t *client.Timeouts) *time.Duration { return &t.Greeting }},
	{"hello", func(t *client.Timeouts) *time.Duration { return &t.Hello }},
	{"mail", func(t *client.Timeouts) *time.Duration { return &t.Mail }},
	{"rcpt", func(t *client.Timeouts) *time.Duration { return &t.Rcpt }},
	{"data", func(t *client.Timeouts) *time.Duration { return &t.Data }},
	{"text", func(t *client.Timeouts) *time.Duration { return &t.Text }},
	{"final", func(t *client.Timeouts) *time.Duration { return &t.Final }},
	{"quit", func(t *client.Timeouts) *time.Duration { return &t.Quit }},
}

func phaseNames() []string {
	names := make([]string, len(phaseTable))
	for i, p := range phaseTable {
		names[i] = p.name
	}
	return names
}

// Set implements pflag.Value.
func (p *phases) Set(s string) error {
	for one := range strings.SplitSeq(s, ",") {
		name, value, _ := strings.Cut(one, "=")
		if strings.EqualFold(one, "rfc") {
			p.Timeouts = client.RFCTimeouts()
			continue
		}
		i := slices.Index(phaseNames(), strings.ToLower(name))
		if i < 0 {
			return fmt.Errorf("there is no phase %q; there are %s", name,
				strings.Join(phaseNames(), ", "))
		}
		d, err := time.ParseDuration(value)
		if err != nil || d <= 0 {
			return errors.New("must be PHASE=TIME, as connect=5s, with a time above 0")
		}
		*phaseTable[i].of(&p.Timeouts) = d
	}
	p.text = s
	return nil
}

// String implements pflag.Value.
func (p *phases) String() string { return p.text }

// Type implements pflag.Value.
func (p *phases) Type() string { return "PHASE=TIME,..." }
