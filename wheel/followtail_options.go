package wheel

import (
	"os"
	"time"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
)

// DefaultPollInterval is how often a FollowTail looks at its file when nothing tells it to.
const DefaultPollInterval = time.Second

// FollowTailOptions are the options of a FollowTail. InputEvent has no default. Of Filename, File
// and Handle exactly one is needed. At most one of Seek and SeekBack may be set.
type FollowTailOptions struct {
	Filename string        // what to follow: whichever file has that name, now or later
	File     *os.File      // a file that is open; the wheel closes it
	Handle   kernel.Handle // something else, such as a socket; the wheel closes it

	Filter       filter.Filter // the wheel's alone; nil means lines
	PollInterval time.Duration // between two looks at a regular file; 0 means DefaultPollInterval
	BlockSize    int           // bytes that are read at once, at most and by default 64 KiB

	Seek     *int64 // where to begin in a regular file, in bytes; past its end means the end
	SeekBack *int64 // the same, back from the end; past the beginning means the beginning

	InputEvent string // *Input: a record came
	ErrorEvent string // *Error: reading, or looking for the file, failed
	ResetEvent string // ID: what comes next is from the beginning of a file, another or shortened
	IdleEvent  string // ID: all that there is was read
}

// check panics if the programmer made a mistake, and fills in what was left out.
func (o *FollowTailOptions) check() {
	given := 0
	for _, set := range []bool{o.Filename != "", o.File != nil, o.Handle != nil} {
		if set {
			given++
		}
	}
	switch {
	case given == 0:
		panic("wheel: FollowTailOptions has no Filename")
	case given > 1:
		panic("wheel: FollowTailOptions has more than one of Filename, File and Handle")
	case o.InputEvent == "":
		panic("wheel: FollowTailOptions has no InputEvent")
	case o.Seek != nil && o.SeekBack != nil:
		panic("wheel: FollowTailOptions has Seek and SeekBack")
	case o.Seek != nil && *o.Seek < 0 || o.SeekBack != nil && *o.SeekBack < 0:
		panic("wheel: FollowTailOptions has a position below 0")
	case o.PollInterval < 0 || o.BlockSize < 0:
		panic("wheel: FollowTailOptions has a PollInterval or a BlockSize below 0")
	}
	if o.Filter == nil {
		o.Filter = filter.NewLine(filter.LineOptions{})
	}
	if o.PollInterval == 0 {
		o.PollInterval = DefaultPollInterval
	}
	if o.BlockSize == 0 || o.BlockSize > mostBlock {
		o.BlockSize = mostBlock
	}
}
