package filter_test

import (
	"errors"
	"testing"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/test/filtertest"
)

var streamSuite = filtertest.Suite{
	New:   func() filter.Filter { return filter.NewStream(filter.StreamOptions{}) },
	Loose: true,
	Cases: []filtertest.Case{
		{Name: "bytes", In: "ab\r\ncd\x00", Want: lines("ab\r\ncd\x00"), Wire: "ab\r\ncd\x00"},
		{Name: "nothing", In: ""},
	},
}

func TestStream(t *testing.T) { streamSuite.Run(t) }
func FuzzStream(f *testing.F) { streamSuite.Fuzz(f) }

func TestStreamIsBounded(t *testing.T) {
	f := filter.NewStream(filter.StreamOptions{MaxBuffer: 10})
	f.Feed([]byte("0123456789"))
	f.Feed([]byte("!"))
	if _, _, err := f.Next(); !errors.Is(err, filter.ErrBufferFull) {
		t.Errorf("got %v, want %v", err, filter.ErrBufferFull)
	}
	mustPanic(t, func() { filter.NewStream(filter.StreamOptions{MaxBuffer: -1}) })
}

func TestStreamCostsNoMemory(t *testing.T) {
	f := filter.NewStream(filter.StreamOptions{})
	in := make([]byte, 1000)
	noAllocs(t, func() {
		f.Feed(in)
		f.Next()
		f.Next()
	})
}
