package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
)

// A guest is one end of a conversation.
type guest struct {
	*testing.T
	net.Conn
	*bufio.Reader
}

func (g guest) says(line string) { fmt.Fprintf(g.Conn, "%s\n", line) }

func (g guest) hears(want string) {
	g.Helper()
	if got, err := g.ReadString('\n'); got != want+"\r\n" || err != nil {
		g.Fatalf("heard %q, %v, want %q", got, err, want)
	}
}

func TestChat(t *testing.T) {
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := serve(k, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr, err := s.Addr()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- k.Run(ctx) }()
	enter := func(name string) guest {
		c, err := net.DialTimeout("tcp", addr.String(), 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(10 * time.Second))
		t.Cleanup(func() { c.Close() })
		g := guest{t, c, bufio.NewReader(c)}
		g.hears("What is your name?")
		g.says(name)
		g.hears("Welcome, " + name + ".")
		return g
	}
	ann := enter("Ann")
	bob := enter("Bob")
	ann.hears("Bob is here.")
	cid := enter("Cid")
	ann.hears("Cid is here.")
	bob.hears("Cid is here.")
	bob.says("hello")
	ann.hears("Bob: hello")
	cid.hears("Bob: hello")
	bob.Conn.Close()
	ann.hears("Bob is gone.")
	cid.hears("Bob is gone.")
	cid.says(strings.Repeat("x", maxLine+1))
	ann.hears("Cid is gone.")
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
}
