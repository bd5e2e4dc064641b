package wheel

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// The sizes, in bytes, of the blocks in which a file is read.
const (
	leastBlock = 4 << 10
	mostBlock  = 64 << 10
)

// A tail is the file that a FollowTail reads, and how far that is done. A look at it, which is slow
// work, has one of its own, and hands back another. What the two have in common are the open files,
// which may be closed at any time.
type tail struct {
	name     string   // "" for one that was given open
	file     *os.File // nil while there is none
	pos      int64
	notifier *notifier
	folder   watch // of the names around the file's, as long as there is a notifier
	content  watch // of what is in the file
}

// A view is what a look at a file has found.
type view struct {
	tail
	size     int64
	reset    bool     // data is from the beginning of a file that was begun anew
	data     []byte   // good until the next look
	atEnd    bool     // there is no more, or no file
	replaced bool     // another file has the name
	special  *os.File // what has the name is not a regular file; it is open, and the tail is not
	err      *Error
}

// view looks at the file, and reads the next block, of no more bytes than most, into buf, or into
// another buffer if that is too small. See FollowTail.begins for change.
func (t tail) view(buf []byte, most int, change bool) *view {
	v := &view{tail: t}
	if v.file == nil {
		v.open()
	} else {
		v.measure()
	}
	if v.file == nil || v.err != nil {
		v.atEnd = true
		return v
	}
	v.read(buf, most)
	if v.name == "" || !v.atEnd && v.err == nil {
		return v
	}
	v.compare()
	if v.replaced && change && len(v.data) == 0 {
		return v.leave().view(v.data[:0], most, false)
	}
	return v
}

// open opens whatever has the name. That nothing has it is no error.
func (v *view) open() {
	v.folder = v.notifier.watchFolder(filepath.Dir(v.name), v.folder)
	info, err := os.Stat(v.name)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	flags := os.O_RDONLY
	switch {
	case err != nil:
		v.fail("open", err)
		return
	case info.IsDir():
		v.fail("open", &fs.PathError{Op: "open", Path: v.name, Err: syscall.EISDIR})
		return
	case info.Mode().Type() == fs.ModeNamedPipe:
		flags = os.O_RDWR // it does not end when the last of those who write has closed it
	}
	f, err := os.OpenFile(v.name, flags|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		v.fail("open", err)
		return
	}
	v.reset = true
	v.use(f)
}

// use makes f the file that is read.
func (v *view) use(f *os.File) {
	v.file, v.pos = f, 0
	info, err := f.Stat()
	switch {
	case err != nil:
		v.fail("stat", err)
	case !info.Mode().IsRegular():
		v.special, v.file, v.reset = f, nil, false
	default:
		v.size = info.Size()
		v.content = v.notifier.watchFile(f, v.content)
	}
}

// measure finds out how long the file is, and begins again if it is shorter than what was read.
func (v *view) measure() {
	info, err := v.file.Stat()
	if err != nil {
		v.fail("stat", err)
		return
	}
	v.size = info.Size()
	if v.size < v.pos {
		v.pos, v.reset = 0, true
	}
}

// read reads a block. The buffer is as large as what is left to read, within limits.
func (v *view) read(buf []byte, most int) {
	want := min(max(int64(leastBlock), v.size-v.pos), int64(most))
	if int64(cap(buf)) < want {
		buf = make([]byte, want)
	}
	n, err := v.file.ReadAt(buf[:want], v.pos)
	v.data = buf[:n]
	v.pos += int64(n)
	switch {
	case err == io.EOF:
		v.atEnd = true
	case err != nil:
		v.fail("read", err)
	}
}

// compare finds out whether another file has the name. While none has it, what was opened by it is
// still followed: a new one may be a while in coming.
func (v *view) compare() {
	v.folder = v.notifier.watchFolder(filepath.Dir(v.name), v.folder)
	open, err := v.file.Stat()
	if err != nil {
		v.fail("stat", err)
		return
	}
	named, err := os.Stat(v.name)
	switch {
	case err == nil:
		v.replaced = !os.SameFile(open, named)
	case !errors.Is(err, fs.ErrNotExist):
		v.fail("stat", err)
	}
}

// leave closes the file, to open the one that has its name.
func (v *view) leave() tail {
	t := v.tail
	_ = t.file.Close() // it was only read
	t.file, t.pos = nil, 0
	return t
}

// fail notes what went wrong first.
func (v *view) fail(op string, err error) {
	if v.err == nil {
		v.err = &Error{Op: op, Err: err}
	}
}
