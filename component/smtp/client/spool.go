package client

import (
	"fmt"
	"os"
)

// spoolMemory is how much of a text a spool keeps in memory. If there is more, all of it goes to a
// file.
const spoolMemory = chunkSize

// A spool keeps a text that can be read only once. The zero value is empty.
type spool struct {
	text []byte
	file *tempFile // nil as long as the text fits in memory
}

// write adds a piece of the text.
func (k *spool) write(p []byte) error {
	if k.file == nil && len(k.text)+len(p) <= spoolMemory {
		k.text = append(k.text, p...)
		return nil
	}
	if k.file == nil {
		f, err := newTempFile()
		if err != nil {
			return err
		}
		k.file = f
		if _, err := f.Write(k.text); err != nil {
			return err
		}
		k.text = nil
	}
	_, err := k.file.Write(p)
	return err
}

// handOver lets s have the text from its beginning, and the file with it.
func (k *spool) handOver(s *source) error {
	if k.file == nil {
		s.keep(k.text, nil)
		return nil
	}
	text, err := k.file.origin()
	if err != nil {
		return err
	}
	s.keep(nil, text)
	k.file = nil
	return nil
}

// close removes the file, if it was not handed over.
func (k *spool) close() {
	if k.file != nil {
		k.file.close()
	}
}

// A tempFile is a file that nobody else sees.
type tempFile struct {
	*os.File
	named bool // it still has a name, since the system does not let go of an open file's
}

func newTempFile() (*tempFile, error) {
	f, err := os.CreateTemp("", "poe-smtp-*")
	if err != nil {
		return nil, fmt.Errorf("smtp client: no temporary file for the text: %w", err)
	}
	return &tempFile{File: f, named: os.Remove(f.Name()) != nil}, nil
}

// origin returns the text that was written to the file.
func (f *tempFile) origin() (origin, error) {
	if _, err := f.Seek(0, 0); err != nil {
		return nil, err
	}
	return &spooled{&stream{r: f.File}, f}, nil
}

func (f *tempFile) close() {
	_ = f.Close() // whatever it says, the text is of no use any more
	if f.named {
		_ = os.Remove(f.Name()) // there is nobody left who could try again
		f.named = false
	}
}

// A spooled text is a stream whose file is ours.
type spooled struct {
	*stream
	file *tempFile
}

func (f *spooled) close() { f.file.close() }
