package filter_test

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/go-poe/poe/filter"
)

// After a burst of input, a filter that waits for the rest of a record keeps only a little memory.
func TestIdleFiltersHoldLittle(t *testing.T) {
	const count, each = 20, 8 << 10
	burst := func(record string) []byte {
		return bytes.Repeat([]byte(record), 64<<10/len(record))
	}
	all := func(filter.Record) bool { return true }
	for name, c := range map[string]struct {
		f     filter.Filter
		burst []byte
		half  string
	}{
		"Line":      {filter.NewLine(filter.LineOptions{}), burst("a line\r\n"), "half"},
		"SMTP":      {filter.NewSMTP(filter.SMTPOptions{}), burst("a line\r\n"), "half"},
		"Block":     {filter.NewBlock(filter.BlockOptions{}), burst("2\x00ab"), "2\x00a"},
		"Stream":    {filter.NewStream(filter.StreamOptions{}), burst("ab"), ""},
		"HTTPD":     {newHTTPD(), burst("GET / HTTP/1.0\r\n\r\n"), "GET /"},
		"Grep":      {filter.NewGrep(filter.GrepOptions{Code: all}), burst("ab"), ""},
		"Stackable": {filter.NewStackable(newline(), pairs()), burst("a line\n"), "half"},
	} {
		t.Run(name, func(t *testing.T) {
			filters := make([]filter.Filter, count)
			before := heap()
			for i := range filters {
				f := c.f.Clone()
				f.Feed(c.burst)
				f.Feed([]byte(c.half))
				for ok := true; ok; {
					_, ok, _ = f.Next()
				}
				if p := string(f.Pending()); p != c.half {
					t.Fatalf("pending: got %q, want %q", p, c.half)
				}
				filters[i] = f
			}
			if held := int64(heap()-before) / count; held > each {
				t.Errorf("each holds %d bytes, want at most %d", held, each)
			}
			runtime.KeepAlive(filters)
		})
	}
}

// heap returns how many bytes are in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
