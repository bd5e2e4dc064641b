package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/component/smtp/server"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// realServer starts a server on a real socket, with a kernel of its own, and returns its port. It
// refuses mail for nobody@example.com.
func realServer(t *testing.T) (port string) {
	t.Helper()
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	listening := make(chan net.Addr, 1)
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			_, err := server.Spawn(e.Session, server.Options{
				Address: "127.0.0.1", Port: "0", Sink: server.Discard{}, ListenEvent: "listening",
				CheckRecipient: func(_ *server.Envelope, to smtp.Rcpt) error {
					if to.To.Local == "nobody" {
						return &smtp.Reply{Code: smtp.CodeUnavailable, Lines: []string{"Nobody"}}
					}
					return nil
				},
			})
			if err != nil {
				t.Error(err)
			}
		},
		"listening": session.On(func(_ *kernel.Event, l *server.Listening) { listening <- l.Addr }),
	})
	ctx, cancel := context.WithCancel(context.Background())
	wait := k.Go(ctx)
	t.Cleanup(func() {
		cancel()
		if err := wait(); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	_, port, _ = net.SplitHostPort((<-listening).String())
	return port
}

// blocking returns a Client for a server at a port of this machine.
func blocking(t *testing.T, port string) *client.Client {
	t.Helper()
	c, err := client.New(client.Options{
		Defaults: client.Message{Server: "127.0.0.1", Port: port},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// Many goroutines send, and each waits for its own result.
func TestBlockingSend(t *testing.T) {
	c := blocking(t, realServer(t))
	const senders, each = 8, 20
	failed := make(chan error, senders)
	for s := range senders {
		go func() {
			var err error
			for i := range each {
				to := fmt.Sprintf("to-%d-%d@example.com", s, i)
				r, e := c.Send(t.Context(), client.Message{To: []string{to}, Body: []byte("hello\n")})
				if e == nil && (!r.OK() || r.Recipients[0].Address != to) {
					e = fmt.Errorf("sent to %s, and the result is of %v", to, r.Recipients)
				}
				err = errors.Join(err, e)
			}
			failed <- err
		}()
	}
	for range senders {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	if err := c.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if _, err := c.Send(t.Context(), client.Message{}); !errors.Is(err, client.ErrClientClosed) {
		t.Errorf("after Shutdown: got %v, want %v", err, client.ErrClientClosed)
	}
	if err := c.Shutdown(t.Context()); err != nil {
		t.Errorf("the second Shutdown: %v", err)
	}
}

// What is wrong is an error, of the kind that says how much of it is.
func TestBlockingErrors(t *testing.T) {
	c := blocking(t, realServer(t))
	r, err := c.Send(t.Context(), client.Message{To: []string{"nobody@example.com"}})
	var f *client.Failure
	if !errors.As(err, &f) || f.Stage != client.StageRcpt || f.Temporary() || r == nil {
		t.Errorf("nobody: got %v, %v", r, err)
	}
	var reply *smtp.Reply
	if !errors.As(err, &reply) || reply.Code != smtp.CodeUnavailable {
		t.Errorf("nobody: the error is %v, want a reply", err)
	}
	r, err = c.Send(t.Context(), client.Message{
		To: []string{"a@example.com", "nobody@example.com"}, ResultEvent: "not for the client",
	})
	var partial *client.PartialError
	if !errors.As(err, &partial) || len(partial.Recipients) != 1 || r.Err != nil {
		t.Errorf("one of two: got %v, %v", r, err)
	}
	want := "smtp client: not accepted for nobody@example.com (550 Nobody)"
	if err != nil && err.Error() != want {
		t.Errorf("one of two: got %v, want %s", err, want)
	}
	if _, err = client.New(client.Options{MaxWaiting: -1}, nil); err == nil {
		t.Error("New takes a limit below 0")
	}
}

// A server that never says anything costs no longer than the caller has time for.
func TestBlockingContext(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	_, port, _ := net.SplitHostPort(silent.Addr().String())
	c := blocking(t, port)

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = c.Send(ctx, client.Message{})
	var f *client.Failure
	if !errors.Is(err, context.DeadlineExceeded) && (!errors.As(err, &f) || f.Kind != client.TimedOut) {
		t.Errorf("deadline: got %v", err)
	}

	accepted := make(chan net.Conn, 2)
	go func() {
		for range 2 {
			conn, err := silent.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		conn := <-accepted // of the message before
		conn.Close()
		conn = <-accepted
		stop()
		buf := make([]byte, 1)
		conn.Read(buf) // until the client hangs up
		conn.Close()
	}()
	if _, err = c.Send(ctx, client.Message{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v, want %v", err, context.Canceled)
	}
}
