//go:build interop

package interop

import (
	"context"
	"net"
	"testing"

	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// A way is one by which a program can send a message.
type way struct {
	name string
	send func(t *testing.T, m client.Message) *client.Result
}

// ways are all of them.
var ways = []way{
	{"a session of its own", bySession},
	{"a client that stays", bySpawn},
	{"waiting", byWaiting},
}

// bySession sends a message by a session of its own.
func bySession(t *testing.T, m client.Message) *client.Result {
	t.Helper()
	return inKernel(t, func(e *kernel.Event) error {
		m.ResultEvent = "result"
		_, err := client.Send(e.Session, m)
		return err
	})
}

// bySpawn sends a message by a client that stays.
func bySpawn(t *testing.T, m client.Message) *client.Result {
	t.Helper()
	return inKernel(t, func(e *kernel.Event) error {
		s, err := client.Spawn(e.Session, client.Options{Alias: "mail"})
		if err != nil {
			return err
		}
		m.ResultEvent = "result"
		if err := e.Session.Post(kernel.Alias("mail"), "send", &m); err != nil {
			return err
		}
		return e.Session.Post(s, "smtp_shutdown")
	})
}

// inKernel runs a kernel in which a session begins to send a message, and returns the result.
func inKernel(t *testing.T, begin func(e *kernel.Event) error) (r *client.Result) {
	t.Helper()
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			if err := begin(e); err != nil {
				t.Error(err)
			}
		},
		"result": session.On(func(_ *kernel.Event, result *client.Result) { r = result }),
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := k.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if r == nil {
		t.Fatal("there is no result")
	}
	return r
}

// byWaiting sends a message, and waits for the result without a kernel.
func byWaiting(t *testing.T, m client.Message) *client.Result {
	t.Helper()
	return newClient(t, client.Options{})(t, m)
}

// newClient starts a client that ends with the test, and returns what sends by it.
func newClient(t *testing.T, opts client.Options) func(*testing.T, client.Message) *client.Result {
	t.Helper()
	c, err := client.New(opts, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return func(t *testing.T, m client.Message) *client.Result {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		r, err := c.Send(ctx, m)
		if r == nil {
			t.Fatalf("there is no result: %v", err)
		}
		if (err == nil) != r.OK() {
			t.Errorf("the error is %v, and the result OK is %t", err, r.OK())
		}
		return r
	}
}

// message returns a small message to one recipient at an address.
func message(t *testing.T, addr string) client.Message {
	t.Helper()
	m := client.Message{
		From: "a@example.com", To: []string{"b@example.com"},
		Body:           []byte("From: a@example.com\r\nSubject: test\r\n\r\nhello\r\n"),
		MyHostname:     "client.example.com",
		TLS:            client.Off,
		Timeout:        patience / 6,
		TransactionLog: true,
	}
	var err error
	if m.Server, m.Port, err = net.SplitHostPort(addr); err != nil {
		t.Fatal(err)
	}
	return m
}
