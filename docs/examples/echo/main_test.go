package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
)

func TestEcho(t *testing.T) {
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
	for i := range 3 {
		c, err := net.DialTimeout("tcp", addr.String(), 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprintf(c, "hello %d\ngoodbye %d\n", i, i)
		r := bufio.NewReader(c)
		for _, want := range []string{"hello", "goodbye"} {
			want = fmt.Sprintf("%s %d\r\n", want, i)
			if got, err := r.ReadString('\n'); got != want || err != nil {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
		}
		defer c.Close()
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
}

func TestBadAddress(t *testing.T) {
	if _, err := serve(nil, "nowhere"); err == nil {
		t.Error("no error")
	}
}
