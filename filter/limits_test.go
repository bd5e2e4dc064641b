package filter_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/go-poe/poe/filter"
)

// Without options, every filter has the limits that its documentation gives: as much as that
// passes, and one more does not.
func TestDefaultLimits(t *testing.T) {
	bytes := func(n int) string { return strings.Repeat("a", n) }
	all := func(filter.Record) bool { return true }
	number := func(format string) func(n int) string {
		return func(n int) string { return fmt.Sprintf(format, n) }
	}
	for name, c := range map[string]struct {
		f    filter.Filter
		in   func(n int) string // input that has n of what is limited
		most int
		err  error
	}{
		"line": {filter.NewLine(filter.LineOptions{}),
			bytes, filter.DefaultMaxLine, filter.ErrTooLong},
		"line by an expression": {
			filter.NewLine(filter.LineOptions{InputRegexp: regexp.MustCompile("\n")}),
			bytes, 64<<10 + 1<<10, filter.ErrTooLong},
		"lines that nobody takes": {filter.NewLine(filter.LineOptions{}),
			func(n int) string { return strings.Repeat("\n", n) },
			filter.DefaultMaxBuffer, filter.ErrBufferFull},
		"block": {filter.NewBlock(filter.BlockOptions{}),
			number("%d\x00"), filter.DefaultMaxBlock, filter.ErrTooLong},
		"stream": {filter.NewStream(filter.StreamOptions{}),
			bytes, filter.DefaultMaxBuffer, filter.ErrBufferFull},
		"grep": {filter.NewGrep(filter.GrepOptions{Code: all}),
			bytes, filter.DefaultMaxBuffer - 40, filter.ErrBufferFull},
		"map": {filter.NewMap(filter.MapOptions{Code: upper}),
			bytes, filter.DefaultMaxBuffer - 40, filter.ErrBufferFull},
		"records": {filter.NewRecordBlock(filter.RecordBlockOptions{BlockSize: 2}),
			bytes, filter.DefaultMaxBuffer - 40, filter.ErrBufferFull},
		"value": {filter.NewReference(filter.ReferenceOptions{}),
			number("%d\x00"), filter.DefaultMaxBlock, filter.ErrTooLong},
		"value, although errors are records": {
			filter.NewReference(filter.ReferenceOptions{NoFatals: true}),
			number("%d\x00"), filter.DefaultMaxBlock, filter.ErrTooLong},
		"head": {newHTTPD(), bytes, 64 << 10, filter.ErrTooLong},
		"content": {newHTTPD(),
			number("POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n"), 1 << 20, filter.ErrTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, "as much as there may be", fed(c.f.Clone(), c.in(c.most)), nil)
			wantError(t, "one more", fed(c.f.Clone(), c.in(c.most+1)), c.err)
		})
	}
}

// fed feeds a filter and returns what is wrong with that. Of an HTTPD, that comes after a response.
func fed(f filter.Filter, in string) error {
	f.Feed([]byte(in))
	_, _, err := f.Next()
	if err == nil {
		_, _, err = f.Next()
	}
	return err
}
