package main

import (
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/go-poe/poe/component/tcp"
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/wheel"
)

// maxOutputLine is the limit of a line that a job writes, in bytes.
const maxOutputLine = 64 << 10

// A job is a command that a client wants to have run.
type job struct {
	id      int
	name    string
	command []string
	pool    *pool
	client  *tcp.Conn
	run     *wheel.Run // nil while it waits for its turn
	ending  bool
}

// events returns the table of the job's session. It lives until the wheel has said that the program
// has ended and its output too: what comes first of the two does not matter here.
func (j *job) events() session.Events {
	return session.Events{
		kernel.Start: j.start,
		"stdout":     session.On(func(_ *kernel.Event, in *wheel.Input) { j.wrote("out", in) }),
		"stderr":     session.On(func(_ *kernel.Event, in *wheel.Input) { j.wrote("err", in) }),
		"failed":     session.On(j.failed),
		"exited":     j.exited,
		"done":       session.On(j.done),
		"too_long":   func(*kernel.Event) { j.end() },
	}
}

func (j *job) start(e *kernel.Event) {
	lines := filter.LineOptions{Literal: "\n", MaxLength: maxOutputLine}
	j.run = wheel.NewRun(e.Session, wheel.RunOptions{
		Program:      j.command[0],
		Args:         j.command[1:],
		NoStdin:      true,
		StdoutEvent:  "stdout",
		StderrEvent:  "stderr",
		StdoutFilter: filter.NewLine(lines),
		StderrFilter: filter.NewLine(lines),
		ErrorEvent:   "failed",
		ExitEvent:    "exited",
		DoneEvent:    "done",
	})
	e.Session.Delay("too_long", j.pool.timeout)
	j.pause(j.client.Wheel().High())
}

// wrote hands on a line of the program's.
func (j *job) wrote(stream string, in *wheel.Input) { j.say(stream + " " + string(in.Bytes)) }

// failed is when the program could not be started, or something went wrong with a stream of it.
// Each stream has an end, which is nothing to be told.
func (j *job) failed(_ *kernel.Event, err *wheel.RunError) {
	if !errors.Is(err, io.EOF) {
		j.say("error " + err.Error())
	}
}

// exited is when the program has ended. What it has left behind may hold its output open for ever,
// and the job with it.
func (j *job) exited(*kernel.Event) {
	_ = j.run.KillGroup(syscall.SIGKILL) // mostly, there is nobody
}

// done is the end of the job, and of its session: nothing else keeps that but an alarm.
func (j *job) done(e *kernel.Event, x *wheel.Exit) {
	e.Session.AlarmClear("too_long")
	switch {
	case x.Err != nil:
		j.say("failed")
	case x.Status.Signaled():
		j.say("signal " + x.Status.Signal().String())
	default:
		j.say(fmt.Sprintf("exit %d", x.Status.ExitStatus()))
	}
	j.pool.finished(j)
}

// end asks the program to end, with SIGTERM, and makes it with SIGKILL if it will not. There is not
// much more output to come, and the end of that must not wait for the client.
func (j *job) end() {
	if !j.ending {
		j.pause(false)
		j.ending = true
		_ = j.run.Terminate(j.pool.grace) // it may have ended just now
	}
}

// pause leaves what the program writes where it is, so that the program has to wait.
func (j *job) pause(paused bool) {
	switch {
	case j.ending:
	case paused:
		j.run.PauseStdout()
		j.run.PauseStderr()
	default:
		j.run.ResumeStdout()
		j.run.ResumeStderr()
	}
}

// say has the client hear something of the job.
func (j *job) say(text string) { say(j.client, fmt.Sprintf("%d %s", j.id, text)) }
