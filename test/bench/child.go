package main

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// childTrials are programs that start, get a line, send it back, and end, one after the other.
func childTrials() []trial {
	const n = 200
	return []trial{{
		name:    "start, talk to and reap a child process",
		figures: []string{"clock", "processor"},
		entrants: []entrant{
			{"ours", func() ([]float64, error) { return timed(n, ourChildren) }},
			{"os/exec", func() ([]float64, error) { return timed(n, execChildren) }},
		},
	}}
}

// timed returns the nanoseconds that f takes for each of n operations, and those of the processor.
func timed(n int, f func(n int) error) ([]float64, error) {
	began, err := time.Now(), error(nil)
	processor := perOperation(n, func() { err = f(n) })
	return []float64{float64(time.Since(began)) / float64(n), processor}, err
}

// parrot is a program that sends back what it gets.
const parrot = "cat"

func ourChildren(n int) (err error) {
	path, err := exec.LookPath(parrot)
	if err != nil {
		return err
	}
	var child *wheel.Run
	start := func(e *kernel.Event) {
		if n--; n >= 0 {
			child = wheel.NewRun(e.Session, wheel.RunOptions{
				Program: path, StdoutEvent: "line", DoneEvent: "done",
			})
			_ = child.PutString("hello") // if it does not start, DoneEvent says so
		}
	}
	run(func(k *kernel.Kernel) {
		k.Create(session.Events{
			kernel.Start: start,
			"line":       func(*kernel.Event) { child.ShutdownStdin() },
			"done": session.On(func(e *kernel.Event, exit *wheel.Exit) {
				if exit.Err != nil || exit.Status != 0 {
					err = fmt.Errorf("status %d, %w", exit.Status, exit.Err)
					return
				}
				start(e)
			}),
		})
	})
	return err
}

func execChildren(n int) error {
	path, err := exec.LookPath(parrot)
	if err != nil {
		return err
	}
	for range n {
		cmd := exec.Command(path)
		in, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		if _, err := io.WriteString(in, "hello\n"); err != nil {
			return err
		}
		if line, err := bufio.NewReader(out).ReadString('\n'); line != "hello\n" {
			return fmt.Errorf("%q came back, %w", line, err)
		}
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			return err
		}
	}
	return nil
}
