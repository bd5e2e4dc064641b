package main

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"strconv"
	"time"
)

// A source is postfix's program that sends messages to try a server.
type source struct{ path string }

// findSource returns smtp-source, or why there is none. It may be in a folder for administrators.
func findSource() (*source, string) {
	for _, name := range []string{"smtp-source", "/usr/sbin/smtp-source"} {
		if path, err := exec.LookPath(name); err == nil {
			return &source{path}, ""
		}
	}
	return nil, "there is none (Debian: postfix)"
}

// send has it do a job.
func (s *source) send(j job) (r report, err error) {
	if err := openFiles(j.AtOnce + 100); err != nil {
		return r, err
	}
	if !j.Hold {
		return s.run(j)
	}
	one := j
	one.AtOnce, one.Messages = 1, 1
	base, err := s.hold(one, 1)
	if err != nil {
		return r, err
	}
	rest := j
	rest.AtOnce, rest.Messages = j.AtOnce-1, j.AtOnce-1
	r, err = s.hold(rest, j.AtOnce)
	r.Resident -= min(r.Resident, base.Resident)
	return r, err
}

// run has messages sent, and looks at the program's memory all the while.
func (s *source) run(j job) (r report, err error) {
	ctx, stop := context.WithTimeout(context.Background(), 2*patience)
	defer stop()
	cmd, said := s.command(ctx, j)
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return r, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			r.Peak = max(r.Peak, processMemory(strconv.Itoa(cmd.Process.Pid), "VmHWM:"))
		case err := <-ended:
			if err != nil {
				return r, fmt.Errorf("%w: %s", err, said)
			}
			r.Clock = time.Since(began)
			r.Processor = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			return r, nil
		}
	}
}

// hold has messages sent until the sink holds so many, and measures what is resident then.
func (s *source) hold(j job, held int) (r report, err error) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	cmd, said := s.command(ctx, j)
	if err := cmd.Start(); err != nil {
		return r, err
	}
	if err = waitHeld(j.Addr, held); err == nil {
		r.Resident = processMemory(strconv.Itoa(cmd.Process.Pid), "VmRSS:")
	}
	stop()
	_ = cmd.Wait() // it was killed
	if err != nil {
		err = fmt.Errorf("%w: %s", err, said)
	}
	return r, err
}

// command returns the program, and where what it has to say will be.
func (s *source) command(ctx context.Context, j job) (*exec.Cmd, *bytes.Buffer) {
	args := []string{
		"-s", strconv.Itoa(j.AtOnce), "-m", strconv.Itoa(j.Messages), "-l", strconv.Itoa(j.Size),
		"-M", ourName, "-f", fromAddress, "-t", j.recipient(),
	}
	if j.Kept {
		args = append(args, "-d")
	}
	at := netip.MustParseAddrPort(j.Addr)
	cmd := exec.CommandContext(ctx, s.path, append(args, "inet:"+at.String())...)
	said := new(bytes.Buffer)
	cmd.Stderr = said
	return cmd, said
}
