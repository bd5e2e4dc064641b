package wheel

import (
	"context"
	"os"
	"time"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
)

// lateLines is how long a FollowTail stays with a file when another one has taken its name, at
// most: whoever writes to it needs a moment to notice.
const lateLines = time.Second

// lookBack is how far before the end a FollowTail looks for the border of a record, in bytes.
const lookBack = 4096

// A FollowTail reads what others write to the end of a file.
//
// It begins at the end of the file, or where Seek or SeekBack says. If that is not at a border
// between records, the first record is what is left of one; but where it begins at the end, it
// looks back over the last 4 KiB, so that the rest of a record that is being written is not taken
// for a whole one. It reads a file that is not there yet, or takes the name of the first, from its
// beginning, after ResetEvent.
//
// The kernel never waits for the file: it is read elsewhere, a block at a time, and the next block
// only when the records of the last one have been handled. The wheel looks at it every PollInterval
// and, where inotify or kqueue says so, at once when it has changed.
//
// When another file takes the name, as when a log is rotated, the wheel stays with the first one
// for another PollInterval, but no more than a second, and then reads it to its end: what comes
// late is not lost. When a file becomes shorter, what is left of it is read from the beginning. Of
// a file that is shortened and at once as long again nothing may be noticed. In the handler of
// ResetEvent, the Filter still has what there was of an unfinished record; it is dropped then.
//
// When something goes wrong, ErrorEvent says so once, and the wheel tries again every PollInterval.
// After a record that the filter cannot take, it goes on with the next block, and what is wrong
// with that is not told before there was a record again.
//
// What is not a regular file, such as a named pipe, has neither positions nor ResetEvent and
// IdleEvent. It is read as it becomes ready, until ErrorEvent says that it has ended; then the
// wheel is closed.
//
// POE: POE::Wheel::FollowTail.
type FollowTail struct {
	base
	opts     FollowTailOptions
	idArg    any
	in       Input
	tail     tail
	notifier *notifier  // nil where the system does not tell of changes
	rw       *ReadWrite // reads what is not a regular file
	poll     string     // the wheel's own events
	look     string
	looking  bool   // slow work goes on
	overdue  bool   // poll came meanwhile
	paused   bool   // by PauseInput
	leaving  bool   // another file has the name, and poll changes to it
	skip     int64  // bytes before the place where it begins
	failed   string // what ErrorEvent has said, and is still so
	lost     bool   // ErrorEvent has said that the filter cannot take what there is
	buf      []byte
}

// NewFollowTail begins to follow on behalf of owner. The wheel works until Close. A regular file is
// opened, and its end found, before NewFollowTail returns: what is written after that is not
// missed. A file that cannot be opened is tried again later. The error is that of kernel.NewHandle
// or Session.SelectRead for a File or a Handle, or kernel.ErrNoSession if owner has ended; File and
// Handle are closed then.
func NewFollowTail(owner *kernel.Session, opts FollowTailOptions) (*FollowTail, error) {
	opts.check()
	w := &FollowTail{base: newBase(followTail, owner), opts: opts}
	w.owner.AtEnd(w)
	w.in.Wheel = w.id
	w.idArg = w.id
	w.poll = w.state("poll", w.polled)
	w.look = w.state("look", w.looked)
	w.hold()
	if err := w.begin(); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// begin finds out what there is to follow, and where to begin.
func (w *FollowTail) begin() error {
	if w.owner.Ended() {
		w.discard(w.opts.File)
		if w.opts.Handle != nil {
			_ = w.opts.Handle.Close()
		}
		return kernel.ErrNoSession
	}
	if w.opts.Handle != nil {
		return w.follow(w.opts.Handle)
	}
	w.notify()
	first := view{tail: tail{name: w.opts.Filename, notifier: w.notifier}}
	if w.opts.File != nil {
		first.use(w.opts.File)
	} else {
		first.open()
	}
	w.tail = first.tail
	if first.special != nil {
		return w.followFile(first.special)
	}
	if first.file != nil {
		w.start(first.size)
	}
	w.begins(false)
	return nil
}

// start sets the place in a file of a size where the wheel begins.
func (w *FollowTail) start(size int64) {
	switch {
	case w.opts.Seek != nil:
		w.tail.pos = min(*w.opts.Seek, size)
	case w.opts.SeekBack != nil:
		w.tail.pos = max(0, size-*w.opts.SeekBack)
	default:
		w.tail.pos = max(0, size-lookBack)
		w.skip = size - w.tail.pos
	}
}

// begins begins a look at the file, after which looked comes. If change is set, and another file
// has the name, and nothing is left of the one that is open, that other one is opened.
func (w *FollowTail) begins(change bool) {
	w.notifier.pause(w.owner, true)
	t, buf, most := w.tail, w.buf, w.opts.BlockSize
	w.buf = nil
	work := func(context.Context) (any, error) { return t.view(buf, most, change), nil }
	if err := w.owner.Work(work, w.look); err != nil {
		w.owner.Delay(w.poll, w.opts.PollInterval) // there is too much of that at the moment
		return
	}
	w.looking = true
}

// looked takes in what a look at the file has found.
func (w *FollowTail) looked(e *kernel.Event) {
	w.looking = false
	v, ok := kernel.Arg[*kernel.Done](e, 0).Value.(*view)
	if !ok {
		v = &view{tail: w.tail, err: &Error{Op: "read", Err: kernel.Arg[*kernel.Done](e, 0).Err}}
	}
	w.tail = v.tail
	w.tail.notifier = w.notifier // which may have failed meanwhile
	if v.reset {
		w.reset()
	}
	if w.closed {
		w.discard(v.special)
		return
	}
	if v.special != nil {
		if err := w.followFile(v.special); err != nil {
			w.fail(&Error{Op: "open", Err: err})
			w.again(v)
		}
		return
	}
	fed := false
	defer func() {
		if !fed && !w.closed && !w.paused && !w.looking {
			w.await(v.replaced) // the filter has panicked
		}
	}()
	w.feed(v.data)
	fed = true
	if w.closed {
		return
	}
	if cap(v.data) <= leastBlock || !v.atEnd {
		w.buf = v.data[:0]
	}
	w.fail(v.err)
	if !w.closed {
		w.again(v)
	}
}

// reset begins a file, or one that was shortened, from its beginning.
func (w *FollowTail) reset() {
	w.skip, w.leaving, w.lost = 0, false, false
	_ = w.tell(w.opts.ResetEvent, w.idArg)
	w.opts.Filter = w.opts.Filter.Clone()
}

// feed hands over the records that a block completes, but for those before the place where the
// wheel begins.
func (w *FollowTail) feed(data []byte) {
	if n := int(min(w.skip, int64(len(data)))); n > 0 {
		w.opts.Filter.Feed(data[:n])
		data, w.skip = data[n:], w.skip-int64(n)
		for {
			_, ok, err := w.opts.Filter.Next()
			if err != nil { // what it was looking at is not even a part of a record
				w.opts.Filter = w.opts.Filter.Clone()
			}
			if !ok {
				break
			}
		}
	}
	w.opts.Filter.Feed(data)
	for !w.closed {
		r, ok, err := w.opts.Filter.Next()
		if err != nil {
			w.unfit(err)
		}
		if !ok {
			return
		}
		w.lost = false
		w.in.Record = r
		_ = w.tell(w.opts.InputEvent, &w.in)
		w.in.Record = filter.Record{}
	}
}

// unfit drops what the filter cannot take, which is the rest of the block, and tells so once until
// there is a record again: a record without end would fail with each block.
func (w *FollowTail) unfit(err error) {
	w.opts.Filter = w.opts.Filter.Clone()
	if !w.lost {
		w.lost = true
		_ = w.tell(w.opts.ErrorEvent, &Error{Op: "read", Err: err, Wheel: w.id})
	}
}

// fail tells what went wrong, unless that was told and has been so ever since.
func (w *FollowTail) fail(err *Error) {
	if err == nil {
		w.failed = ""
		return
	}
	err.Wheel = w.id
	if text := err.Error(); text != w.failed {
		w.failed = text
		_ = w.tell(w.opts.ErrorEvent, err)
	}
}

// again sees to it that there is another look: at once if there is more, and otherwise when the
// file has changed, or it is time.
func (w *FollowTail) again(v *view) {
	more := v.err == nil && (!v.atEnd || w.leaving && v.replaced && len(v.data) > 0)
	if !more && v.err == nil {
		_ = w.tell(w.opts.IdleEvent, w.idArg)
	}
	switch {
	case w.closed || w.paused || w.looking:
	case more || w.overdue:
		w.overdue = false
		w.begins(w.leaving)
	default:
		w.await(v.replaced)
	}
}

// await waits for a change, or the time of the next look.
func (w *FollowTail) await(replaced bool) {
	if wait := w.opts.PollInterval; !replaced {
		w.leaving = false
		w.owner.Delay(w.poll, wait)
	} else if !w.leaving {
		w.leaving = true
		w.owner.Delay(w.poll, min(wait, lateLines))
	}
	w.notifier.pause(w.owner, false)
}

// polled is the time of the next look.
func (w *FollowTail) polled(*kernel.Event) {
	if w.looking {
		w.overdue = true
		return
	}
	w.begins(w.leaving)
}

// notify has the system tell of changes, where it can. Where it cannot, or the loop is not the
// system's, the wheel finds them when it looks.
func (w *FollowTail) notify() {
	n, err := newNotifier()
	if err != nil {
		return
	}
	if err := w.owner.SelectRead(n.handle, w.state("change", w.changed)); err != nil {
		n.close(w.owner)
		return
	}
	w.notifier = n
}

// unnotify has the system tell of changes no more.
func (w *FollowTail) unnotify() {
	w.notifier.close(w.owner)
	w.tail.folder.end()
	w.notifier, w.tail.notifier = nil, nil
}

// changed is when the system tells of changes. It may be another file in the same folder.
func (w *FollowTail) changed(e *kernel.Event) {
	mine, err := w.notifier.mine(e.Kernel.ReadBuffer(), w.opts.Filename)
	if err != nil {
		w.unnotify()
		return
	}
	if mine && !w.looking && !w.paused {
		w.begins(false)
	}
}

// Tell returns where in the file the next block is, in bytes from the beginning, or 0 if no regular
// file is open. What Filter holds was read, but is no record yet: a program that wants to go on
// there another time takes the length of Filter().Pending() off.
//
// POE: tell, which fails where no file is open.
func (w *FollowTail) Tell() int64 { return w.tail.pos }

// Filter returns the filter that reads. It is the wheel's, and another one after each ResetEvent,
// and each record that it cannot take.
func (w *FollowTail) Filter() filter.Filter { return w.opts.Filter }

// PauseInput reads no more for a while. The records that were read already still arrive.
func (w *FollowTail) PauseInput() {
	w.paused = true
	if w.rw != nil {
		w.rw.PauseInput()
		return
	}
	if !w.closed {
		w.owner.AlarmClear(w.poll)
		w.overdue, w.leaving = false, false
		w.notifier.pause(w.owner, true)
	}
}

// ResumeInput reads on.
func (w *FollowTail) ResumeInput() {
	if w.rw != nil {
		w.rw.ResumeInput()
	} else if w.paused && !w.looking && !w.closed {
		w.begins(false)
	}
	w.paused = false
}

// SetInputEvent changes the event for what comes in. It panics without a name.
//
// POE: event, which ignores that.
func (w *FollowTail) SetInputEvent(name string) {
	if name == "" {
		panic("wheel: SetInputEvent without a name")
	}
	w.opts.InputEvent = name
}

// SetErrorEvent changes the event for what goes wrong.
func (w *FollowTail) SetErrorEvent(name string) { w.opts.ErrorEvent = name }

// SetResetEvent changes the event for the beginning of a file.
func (w *FollowTail) SetResetEvent(name string) { w.opts.ResetEvent = name }

// SetIdleEvent changes the event for the end of the file.
func (w *FollowTail) SetIdleEvent(name string) { w.opts.IdleEvent = name }

// Close ends the wheel, and closes the file. No event comes from it after that. A second Close does
// nothing.
//
// POE: the end of the wheel's last reference.
func (w *FollowTail) Close() {
	if w.closed {
		return
	}
	w.owner.AlarmClear(w.poll)
	w.unnotify()
	if w.rw != nil {
		w.rw.Close()
	}
	w.discard(w.tail.file) // also under the hands of a look, which then fails
	w.tail.pos = 0
	w.close(w)
	if w.looking {
		w.owner.State(w.look, func(e *kernel.Event) {
			e.Session.RemoveState(e.Name)
			if v, ok := kernel.Arg[*kernel.Done](e, 0).Value.(*view); ok {
				v.folder.end()
				w.discard(v.file)
				w.discard(v.special)
			}
		})
	}
}

// discard closes a file that nobody reads any more.
func (w *FollowTail) discard(f *os.File) {
	if f != nil {
		_ = f.Close()
	}
}
