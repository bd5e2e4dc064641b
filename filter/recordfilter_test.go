package filter_test

import (
	"testing"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/test/filtertest"
)

// A filter for records that is used alone takes each piece of input for one, and passes the suite.
func TestRecordFiltersAlone(t *testing.T) {
	for name, s := range map[string]filtertest.Suite{
		"Grep": {
			New: func() filter.Filter {
				return filter.NewGrep(filter.GrepOptions{
					Code: func(filter.Record) bool { return true },
				})
			},
			Cases: []filtertest.Case{
				{Name: "text", In: "some text", Want: lines("some text"), Wire: "some text"},
			},
		},
		"Map": {
			New: func() filter.Filter {
				return filter.NewMap(filter.MapOptions{Get: upper, Put: lower})
			},
			Cases: []filtertest.Case{
				{Name: "text", In: "some text", Want: lines("SOME TEXT"), Wire: "some text"},
			},
		},
		"RecordBlock": {
			New: pairs,
			Cases: []filtertest.Case{
				{Name: "half a pair", In: "x", Pending: "x"},
				{Name: "nothing", In: ""},
			},
		},
	} {
		s.Loose = true
		t.Run(name, s.Run)
	}
}
