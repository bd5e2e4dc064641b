package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// A role is a server that a process of its own may be. It serves as long as the process lives, and
// calls listening once it does, with its address.
type role func(listening func(addr string)) error

// roles are the servers, by what -serve calls them.
var roles = map[string]role{
	"ours echo":     ourEcho,
	"gnet echo":     gnetEcho,
	"net echo":      netEcho,
	"ours source":   ourSource,
	"net source":    netSource,
	"ours sink":     ourSink,
	"net sink":      netSink,
	"ours TLS echo": ourTLSEcho,
	"net TLS echo":  netTLSEcho,
	plainSink:       smtpSink,
	chunkingSink:    smtpChunkingSink,
}

// serve is the process of a server. It tells its address, answers each line of its standard input
// with what it has used so far, and ends when that is at its end.
func serve(name string) {
	r, ok := roles[name]
	if !ok {
		fmt.Fprintln(os.Stderr, "bench: no server is called", name)
		os.Exit(2)
	}
	go func() {
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			if err := json.NewEncoder(os.Stdout).Encode(currentUsage(in.Text() == "all")); err != nil {
				os.Exit(1)
			}
		}
		os.Exit(0)
	}()
	fmt.Fprintln(os.Stderr, "bench:", name+":", r(func(addr string) { fmt.Println(addr) }))
	os.Exit(1)
}

// networkTrials are all that need servers, and child processes.
func networkTrials() []trial {
	return slices.Concat(echoTrials(), idleTrials(), tlsTrials(), childTrials())
}

// patience is how long a server, or a client of one, may take for anything.
const patience = 30 * time.Second

// A server is a process that serves.
type server struct {
	addr  string
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
	limit *time.Timer // ends the process if it takes too long
}

// startServer starts a process for a role. One processor is for whoever is to be measured alone.
func startServer(name string, oneProcessor bool) (*server, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &server{cmd: exec.Command(path, "-serve", name)}
	s.cmd.Stderr = os.Stderr
	if oneProcessor {
		s.cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	}
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.out = bufio.NewReader(out)
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	s.limit = time.AfterFunc(2*patience, func() { _ = s.cmd.Process.Kill() })
	line, err := s.out.ReadString('\n')
	if s.addr = strings.TrimSpace(line); err != nil {
		s.stop()
		return nil, fmt.Errorf("the server %q did not start: %w", name, err)
	}
	return s, nil
}

// usage asks the server what it has used so far: all of it, or its processor time, for which it
// need not stop.
func (s *server) usage(all bool) (u usage, err error) {
	ask := "time\n"
	if all {
		ask = "all\n"
	}
	if _, err = io.WriteString(s.in, ask); err != nil {
		return u, err
	}
	line, err := s.out.ReadBytes('\n')
	if err != nil {
		return u, fmt.Errorf("the server is gone: %w", err)
	}
	return u, json.Unmarshal(line, &u)
}

// stop ends the process.
func (s *server) stop() {
	_ = s.in.Close()
	_ = s.cmd.Wait() // which may have been killed
	s.limit.Stop()
}

// end stops the process, and returns an error if it has not lasted until then.
func (s *server) end() error {
	s.stop()
	if s.cmd.ProcessState.ExitCode() != 0 {
		return errors.New("the server ended with " + s.cmd.ProcessState.String())
	}
	return nil
}

// withServer runs f beside a server.
func withServer(role string, oneProcessor bool, f func(s *server) error) error {
	s, err := startServer(role, oneProcessor)
	if err != nil {
		return err
	}
	err = f(s)
	return errors.Join(err, s.end())
}
