// Command console is a prompt with a few commands, a history, and messages that come while the user
// types.
//
//	go run ./docs/examples/console
package main

import (
	"context"
	"errors"
	"io"
	"log"
	"strings"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

func main() {
	k, err := kernel.New(kernel.Options{})
	if err == nil {
		err = spawn(k, wheel.ReadLineOptions{})
	}
	if err == nil {
		err = k.Run(context.Background())
	}
	if err != nil {
		log.Fatal(err)
	}
}

const prompt = "console> "

// A console is the session behind the prompt.
type console struct {
	w   *wheel.ReadLine
	err error
}

// spawn begins a conversation with whoever is at the handles of opts.
func spawn(k *kernel.Kernel, opts wheel.ReadLineOptions) error {
	c := new(console)
	opts.AppName = "console"
	opts.InputEvent = "line"
	opts.PutMode = wheel.PutImmediate
	opts.Complete = complete
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { c.start(e, opts) },
		"line":       session.On(c.line),
		"remind":     session.On(func(_ *kernel.Event, text string) { c.put("Remember: " + text) }),
	})
	return c.err
}

func (c *console) start(e *kernel.Event, opts wheel.ReadLineOptions) {
	if c.w, c.err = wheel.NewReadLine(e.Session, opts); c.err != nil {
		return
	}
	c.put("Type help to see the commands.")
	c.ask()
}

// ask asks for the next line.
func (c *console) ask() {
	if err := c.w.Get(prompt); err != nil {
		log.Print(err)
	}
}

// put shows lines, above the prompt if there is one.
func (c *console) put(lines ...string) {
	if err := c.w.Put(lines...); err != nil {
		log.Print(err)
	}
}

// line is when the user has entered something, or does not want to.
func (c *console) line(e *kernel.Event, l *wheel.Line) {
	switch {
	case errors.Is(l.Err, wheel.ErrCancel) || errors.Is(l.Err, wheel.ErrInterrupt):
		c.ask()
		return
	case l.Err != nil:
		if !errors.Is(l.Err, io.EOF) {
			c.put(l.Err.Error())
		}
		c.quit(e.Session)
		return
	}
	name, rest, _ := strings.Cut(strings.TrimSpace(l.Text), " ")
	if name != "" {
		c.w.AddHistory(l.Text)
	}
	switch do, ok := commands[name]; {
	case name == "quit":
		c.quit(e.Session)
		return
	case ok:
		do(c, e.Session, strings.TrimSpace(rest))
	case name != "":
		c.put("There is no command " + wheel.Printable(name) + ".")
	}
	c.ask()
}

// quit leaves nothing behind that keeps the session alive.
func (c *console) quit(s *kernel.Session) {
	c.w.Close()
	s.AlarmClear("remind")
}

// commands are what can be typed, besides quit.
var commands = map[string]func(c *console, s *kernel.Session, arg string){
	"echo":    func(c *console, _ *kernel.Session, arg string) { c.put(wheel.Printable(arg)) },
	"help":    help,
	"history": history,
	"remind":  remind,
}

func help(c *console, _ *kernel.Session, _ string) {
	c.put(
		"echo TEXT         show a text",
		"help              show this",
		"history           show what was typed",
		"remind TIME TEXT  show a text later; TIME is like 5s or 2m",
		"quit              end",
	)
}

// history shows what was typed, whatever that was.
func history(c *console, _ *kernel.Session, _ string) {
	for _, line := range c.w.History() {
		c.put(wheel.Printable(line))
	}
}

// remind shows a text after a while, whatever the user does then, unless that is to quit.
func remind(c *console, s *kernel.Session, arg string) {
	after, text, _ := strings.Cut(arg, " ")
	d, err := time.ParseDuration(after)
	if err != nil || d < 0 {
		c.put("That is no time.")
		return
	}
	s.DelayAdd("remind", d, wheel.Printable(text))
}

// complete knows the commands.
func complete(word, _ string, start int) []string {
	var list []string
	for _, name := range []string{"echo", "help", "history", "quit", "remind"} {
		if start == 0 && strings.HasPrefix(name, word) {
			list = append(list, name)
		}
	}
	return list
}
