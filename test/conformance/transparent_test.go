package conformance

import (
	"strings"

	"github.com/go-poe/poe/filter"
)

// The ports of the cases about the filter for lines with dots.
func init() {
	Register("transparent-smtp-dots", transparentDots)
	Register("transparent-smtp-state-bug", transparentState)
}

// words shows each of the records that a filter makes, one by one.
func (c *Case) words(f filter.Filter, records []string) (shown []any, whole string) {
	for _, r := range records {
		text, err := f.Append(nil, record(r))
		if err != nil {
			c.T.Errorf("put: %v", err)
		}
		shown = append(shown, Show(text))
		whole += string(text)
	}
	return shown, whole
}

func transparentDots(c *Case) {
	f := filter.NewTransparent(filter.TransparentOptions{})
	e := filter.NewTransparent(filter.TransparentOptions{EscapeSingleInputDot: true})
	lines := []string{"plain", "", ".", "..", "...", ".x", "..x", "a.b", "end.", " .", ". "}
	var wire []any
	for _, line := range lines {
		wire = append(wire, line+"\r\n")
	}
	shown, _ := c.words(f, lines)
	c.Out(append([]any{"put:"}, shown...)...)
	shown, escaped := c.words(e, lines)
	c.Out(append([]any{"put with EscapeSingleInputDot:"}, shown...)...)
	c.Out("get:", c.get(f, wire...))
	c.Out("get with EscapeSingleInputDot:", c.get(e, wire...))
	again, err := getAll(e, escaped)
	if err != nil {
		c.T.Error(err)
	}
	var got []string
	for _, line := range again {
		got = append(got, line.(string))
	}
	c.Out("round trip:",
		either(strings.Join(got, "|") == strings.Join(lines, "|"), "same", "different"))
	c.Out("put of one record with several lines:",
		c.putAll(e, "one\r\n.two\r\n.", ".three\r\nfour"))

	// That its methods take lists is a habit of Perl's filters. Here the compiler refuses what is
	// no slice of bytes, and the filter a record that has none.
	c.Out("get", Show("text"), "refused")
	_, err = f.Append(nil, filter.Record{Value: 42})
	c.Out("put", Show("text"), either(err == nil, "accepted", "refused"))
	c.Out("get_one_start", Show(nil), "refused")
}

func transparentState(c *Case) {
	escapes := func(literal string) *filter.Transparent {
		return filter.NewTransparent(filter.TransparentOptions{
			EscapeSingleInputDot: true, OutputLiteral: literal,
		})
	}
	first, second := escapes(""), escapes("#")
	c.Out("first filter, CRLF:", c.putAll(first, "."))
	c.Out("second filter, # as terminator:", c.putAll(second, "."))

	f := filter.NewTransparent(filter.TransparentOptions{})
	if _, err := getAll(f, "half a "); err != nil {
		c.T.Error(err)
	}
	clone := f.Clone()
	c.Out("clone has pending", pending(clone), "original has pending", pending(f))
	c.Out("the original goes on:", c.get(f, "line\r\n"))

	p := filter.NewTransparent(filter.TransparentOptions{OutputLiteral: "|"})
	c.Out("literal | :", c.putAll(p, "a", ".b"))
}
