package kernel_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/go-poe/poe/kernel"
)

// TestSocketNeverWaits takes away what keeps the system from waiting: that is a property of what a
// descriptor stands for, and whoever shares it may change it.
func TestSocketNeverWaits(t *testing.T) {
	a, b, err := kernel.SocketPair()
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	defer b.Close()
	for _, h := range []kernel.Handle{a, b} {
		if err := unix.SetNonblock(h.FD(), false); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := b.Read(make([]byte, 1)); n != 0 || !errors.Is(err, kernel.ErrAgain) {
		t.Errorf("nothing to read: %d, %v", n, err)
	}
	sent := fillWith(t, a)
	if n, err := a.Write([]byte("more")); n != 0 || !errors.Is(err, kernel.ErrAgain) {
		t.Errorf("no room: %d, %v", n, err)
	}
	if err := a.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for {
		p := make([]byte, 1<<20)
		n, err := b.Read(p)
		got = append(got, p[:n]...)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got, sent) {
		t.Errorf("%d bytes were sent, and others came, %d", len(sent), len(got))
	}
}

// fillWith writes until nothing fits any more, and returns what that was.
func fillWith(t *testing.T, h kernel.Handle) (sent []byte) {
	t.Helper()
	p := make([]byte, 100_003) // more than is written at once
	for i := range p {
		p[i] = byte(i % 251)
	}
	for {
		n, err := h.Write(p)
		sent = append(sent, p[:n]...)
		if errors.Is(err, kernel.ErrAgain) {
			return sent
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
