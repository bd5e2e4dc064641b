package server

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-poe/poe/kernel"
)

// A Maildir is the Sink that stores messages in a folder, each in a file of its own, as they came:
// the lines end in CR LF, and nothing is added.
//
// A message is written to a file in tmp, which is then moved to new, where mail readers look for
// it. It counts as stored when the file and its place in new are on the disk. So a crash at any
// moment leaves no part of a message in new, and none that was accepted is lost. It may leave a
// file in tmp, which mail readers remove after some days.
//
// A Maildir belongs to one kernel. Several of them, and other programs, may share a folder.
type Maildir struct {
	dir   string
	host  string // of this machine, as it is in the names of files
	tag   string // of this Maildir, which others of this process do not have
	count uint64 // of messages
}

// NewMaildir returns a Maildir in dir, and makes dir, with what belongs into it, if it is not there
// yet. It blocks while it does that.
func NewMaildir(dir string) (*Maildir, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("server: maildir: %w", err)
	}
	for _, name := range []string{"tmp", "new", "cur"} {
		if err := makeFolder(filepath.Join(dir, name)); err != nil {
			return nil, fmt.Errorf("server: maildir: %w", err)
		}
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "localhost"
	}
	var tag [8]byte
	_, _ = rand.Read(tag[:]) // it never fails
	return &Maildir{
		dir:  dir,
		host: strings.NewReplacer("/", `\057`, ":", `\072`).Replace(host),
		tag:  hex.EncodeToString(tag[:]),
	}, nil
}

// makeFolder makes a folder and those above it, and sees to it that they outlast a crash.
func makeFolder(path string) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return fmt.Errorf("%s is not a folder", path)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := makeFolder(filepath.Dir(path)); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder has the names in a folder written to the disk.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Begin begins to store a message.
func (m *Maildir) Begin(s *kernel.Session, env *Envelope) (Message, error) {
	m.count++
	now := env.Began
	name := fmt.Sprintf("%d.M%06dP%dQ%dR%s.%s",
		now.Unix(), now.Nanosecond()/1000, os.Getpid(), m.count, m.tag, m.host)
	return newSlow(s, "maildir", &maildirFile{dir: m.dir, name: name}), nil
}

// A maildirFile is one message on its way into a Maildir.
type maildirFile struct {
	dir, name string
	file      *os.File // in tmp; nil before there is one, and after
}

func (f *maildirFile) tmp() string { return filepath.Join(f.dir, "tmp", f.name) }

// write appends p to the file, which it makes at the first call.
func (f *maildirFile) write(p []byte) error {
	if f.file == nil {
		file, err := os.OpenFile(f.tmp(), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		f.file = file
	}
	_, err := f.file.Write(p)
	return err
}

// commit moves the file to new. The order is what makes it safe: the text first, then the name.
func (f *maildirFile) commit() error {
	if err := f.file.Sync(); err != nil {
		return err
	}
	if err := f.file.Close(); err != nil {
		return err
	}
	folder := filepath.Join(f.dir, "new")
	if err := os.Rename(f.tmp(), filepath.Join(folder, f.name)); err != nil {
		return err
	}
	f.file = nil
	return syncFolder(folder)
}

// abort removes the file.
func (f *maildirFile) abort() {
	if f.file == nil {
		return
	}
	_ = f.file.Close() // commit may have closed it
	_ = os.Remove(f.tmp())
	f.file = nil
}
