package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"
)

// A job is what a sender is to do.
type job struct {
	Who      string // one of senders
	Sink     string // the role of who takes the messages; empty means plainSink
	Addr     string // of the sink
	AtOnce   int
	Messages int
	Size     int    // octets of a message, or of its body where the sender makes the header
	Kept     bool   // the connections are kept, and not made for each message
	Whole    bool   // our messages are in memory at once
	Hold     bool   // the sink answers no message: what is being sent is to be measured
	Profile  string // the file for a profile; empty means none
}

// A report is what it took.
type report struct {
	Clock     time.Duration
	Processor time.Duration // of the whole process
	Peak      uint64        // bytes: the most that was resident

	// With Hold, what the process has more of than before, in bytes.
	Heap     uint64 // and stacks
	Resident uint64
}

// A sender does a job, in a process of its own. It returns when all is sent.
type sender func(j job) error

// senders are the senders, by what a job calls them.
var senders = map[string]sender{
	"ours":     ourSend,
	"floor":    floorSend,
	"net/smtp": netSend,
	"go-smtp":  goSMTPSend,
	"go-mail":  goMailSend,
}

// recipient is who gets the messages: one that the sink knows if it is to hold them.
func (j job) recipient() string {
	if j.Hold {
		return holdAddress
	}
	return "to@example.org"
}

// The sender's address, and its name.
const (
	fromAddress = "from@example.com"
	ourName     = "client.example.com"
)

// beside starts a sink, has send do the job, and checks that the sink got what it says it sent.
func (j job) beside(send func(j job) (report, error)) (r report, err error) {
	if j.Sink == "" {
		j.Sink = plainSink
	}
	err = withServer(j.Sink, true, func(s *server) error {
		j.Addr = s.addr
		if r, err = send(j); err != nil {
			return err
		}
		got, err := askSink(j.Addr)
		switch {
		case err != nil:
			return err
		case j.Hold && got.held != j.AtOnce:
			return fmt.Errorf("the sink holds %d messages, want %d", got.held, j.AtOnce)
		case !j.Hold && got.messages != j.Messages:
			return fmt.Errorf("the sink got %d messages, want %d", got.messages, j.Messages)
		case !j.Hold && got.octets < j.Messages*j.Size:
			return fmt.Errorf("the sink got %d octets, want %d", got.octets, j.Messages*j.Size)
		}
		return nil
	})
	return r, err
}

// send does the job in a process of its own, which is this program again.
func (j job) send() (r report, err error) {
	path, err := os.Executable()
	if err != nil {
		return r, err
	}
	text, err := json.Marshal(j)
	if err != nil {
		return r, err
	}
	ctx, stop := context.WithTimeout(context.Background(), 2*patience)
	defer stop()
	cmd := exec.CommandContext(ctx, path, "-send", string(text))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(out, &r)
}

// serveSend is the process of a sender. It prints its report, and ends.
func serveSend(text string) {
	var j job
	r, err := report{}, json.Unmarshal([]byte(text), &j)
	if err == nil {
		r, err = j.run()
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(r)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %s: %v\n", j.Who, err)
		os.Exit(1)
	}
}

// run does the job in this process.
func (j job) run() (r report, err error) {
	f, ok := senders[j.Who]
	if !ok {
		return r, errors.New("nobody is called that")
	}
	if err := openFiles(j.AtOnce + 100); err != nil {
		return r, err
	}
	if j.Hold {
		return j.measureHeld(f)
	}
	if j.Profile != "" {
		file, err := os.Create(j.Profile)
		if err != nil {
			return r, err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return r, err
		}
		defer pprof.StopCPUProfile()
	}
	began := time.Now()
	if err := f(j); err != nil {
		return r, err
	}
	return report{
		Clock: time.Since(began), Processor: processorTime(), Peak: processMemory("self", "VmHWM:"),
	}, nil
}

// measureHeld measures the process when the sink has all messages, and answers none of them.
func (j job) measureHeld(f sender) (r report, err error) {
	if j.Profile != "" {
		runtime.MemProfileRate = 512
	}
	before := currentUsage(true)
	failed := make(chan error, 1)
	go func() { failed <- f(j) }()
	held := make(chan error, 1)
	go func() { held <- waitHeld(j.Addr, j.AtOnce) }()
	select {
	case err = <-held:
	case err = <-failed:
		if err == nil {
			err = errors.New("the sender has ended")
		}
		err = fmt.Errorf("the messages are not held: %w", err)
	}
	if err != nil {
		return r, err
	}
	now := currentUsage(true)
	r.Heap = now.Heap + now.Stack - before.Heap - before.Stack
	r.Resident = now.Resident - before.Resident
	return r, j.writeHeap()
}

// writeHeap writes the profile of the heap, if one is wanted.
func (j job) writeHeap() error {
	if j.Profile == "" {
		return nil
	}
	file, err := os.Create(j.Profile)
	if err != nil {
		return err
	}
	defer file.Close()
	return pprof.WriteHeapProfile(file)
}

var notInNames = regexp.MustCompile(`[^a-zA-Z0-9]+`)

// profileName makes a file's name of that of a trial.
func profileName(folder, of string) string {
	name := strings.Trim(notInNames.ReplaceAllString(of, "-"), "-")
	return filepath.Join(folder, name+".pprof")
}
