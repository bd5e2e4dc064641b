package server

import (
	"context"
	"slices"
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// A stuckStorer does not return from write until it may.
type stuckStorer struct {
	began, may chan struct{}
	ended      chan string
}

func (s *stuckStorer) write([]byte) error {
	s.began <- struct{}{}
	<-s.may
	s.ended <- "write"
	return nil
}

func (s *stuckStorer) commit() error {
	s.ended <- "commit"
	return nil
}

func (s *stuckStorer) abort() { s.ended <- "abort" }

// When a kernel stops while a storer works, nobody is left to go on, so the storer cleans up as
// soon as it can. No sink outside of the package can be held up like that.
func TestStopWhileStoring(t *testing.T) {
	storer := &stuckStorer{
		began: make(chan struct{}, 2), may: make(chan struct{}), ended: make(chan string, 10),
	}
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var m *slow
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			m = newSlow(e.Session, "test", storer)
			m.Write(make([]byte, slowPiece+1), func(error) { t.Error("the write is done") })
		},
		kernel.Stop: func(*kernel.Event) { m.Abort() },
	})
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		<-storer.began
		stop()
	}()
	if err := k.Run(ctx); err != context.Canceled {
		t.Errorf("Run returned %v, want %v", err, context.Canceled)
	}
	close(storer.may)
	got := []string{<-storer.ended, <-storer.ended, <-storer.ended}
	if want := []string{"write", "write", "abort"}; !slices.Equal(got, want) {
		t.Errorf("the storer did %q, want %q", got, want)
	}
}
