//go:build unix

package client

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A read of a pipe with a name ends when it is interrupted.
func TestSourceInterrupt(t *testing.T) {
	name := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Skip(err)
	}
	w, err := os.OpenFile(name, os.O_RDWR, 0) // somebody who might write, and does not
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	s := open(t, &Message{MessageFile: name})
	done := make(chan error)
	go func() {
		_, _, err := s.next(make([]byte, 10))
		done <- err
	}()
	s.interrupt()
	if err := <-done; !errors.Is(err, os.ErrClosed) {
		t.Errorf("the read ended with %v", err)
	}
}
