package wheel

import (
	"os"

	"github.com/go-poe/poe/kernel"
)

// followFile follows something that is not a regular file.
func (w *FollowTail) followFile(f *os.File) error {
	h, err := kernel.NewHandle(f)
	if err != nil {
		w.discard(f)
		return err
	}
	return w.follow(h)
}

// follow reads a handle as it becomes ready.
func (w *FollowTail) follow(h kernel.Handle) (err error) {
	w.owner.AlarmClear(w.poll)
	w.unnotify()
	w.rw, err = NewReadWrite(w.owner, ReadWriteOptions{
		Handle:     h,
		Filter:     w.opts.Filter,
		InputEvent: w.state("input", w.input),
		ErrorEvent: w.state("error", w.ended),
		BlockSize:  w.opts.BlockSize,
	})
	if err == nil && w.paused {
		w.rw.PauseInput()
	}
	return err
}

// input hands a record on.
func (w *FollowTail) input(e *kernel.Event) {
	in := kernel.Arg[*Input](e, 0)
	in.Wheel = w.id
	_ = w.tell(w.opts.InputEvent, in)
}

// ended is the end of what is not a regular file.
func (w *FollowTail) ended(e *kernel.Event) {
	err := kernel.Arg[*Error](e, 0)
	w.Close()
	_ = w.tell(w.opts.ErrorEvent, &Error{Op: err.Op, Err: err.Err, Wheel: w.id})
}
