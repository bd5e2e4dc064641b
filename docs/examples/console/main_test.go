package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/wheel"
)

// A user sits at a terminal.
type user struct {
	*testing.T
	*os.File
	seen string
}

func (u *user) types(keys string) {
	u.Helper()
	if _, err := u.WriteString(keys); err != nil {
		u.Fatal(err)
	}
}

// sees waits until the terminal was sent a text, after what was seen before.
func (u *user) sees(want string) {
	u.Helper()
	buf := make([]byte, 4096)
	for {
		if _, rest, ok := strings.Cut(u.seen, want); ok {
			u.seen = rest
			return
		}
		n, err := u.Read(buf)
		if err != nil {
			u.Fatalf("%v, after %q, want %q", err, u.seen, want)
		}
		u.seen += string(buf[:n])
	}
}

func TestConsole(t *testing.T) {
	master, tty, err := pty.Open()
	if err != nil {
		t.Skip(err)
	}
	defer master.Close()
	if err := master.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Log(err) // there are systems where a terminal has none
	}
	h, err := kernel.NewHandle(tty)
	if err != nil {
		t.Fatal(err)
	}
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = spawn(k, wheel.ReadLineOptions{Input: h, Inputrc: os.DevNull, Term: "xterm"})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	go func() { done <- k.Run(ctx) }()
	u := &user{T: t, File: master}
	u.sees("Type help to see the commands.\r")
	u.sees(prompt)
	u.types("rem\t1ms wake up\r")
	u.sees("Remember: wake up\r")
	u.types("half a li")
	u.sees("half a li")
	u.types("\x03echo one\r")
	u.sees("one\r")
	u.types("\x10 two\r")
	u.sees("one two\r")
	u.types("remind soon x\r")
	u.sees("That is no time.\r")
	u.types("\x1b[31m\x16\x1bx\r")
	u.sees("There is no command ^[x.\r")
	u.types("history\r")
	u.sees("echo one\r")
	u.sees("echo one two\r")
	u.sees("^[x\r")
	u.types("help\r")
	u.sees("quit              end\r")
	u.types("remind 1h nobody is here\r")
	u.types("\rabandoned\x07quit\r")
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
}
