//go:build interop

package interop

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The exit statuses of poe send, after sysexits.h.
const (
	exitOK          = 0
	exitUsage       = 64 // the command line is wrong
	exitData        = 65 // the message or an address is wrong
	exitNoInput     = 66 // the message cannot be read
	exitNoHost      = 68 // the server's name does not exist
	exitUnavailable = 69 // the server refused for good
	exitTempFail    = 75 // it may work later
	exitProtocol    = 76 // the other end does not speak SMTP
)

// patience is how long a command may take before the test gives it up.
const patience = time.Minute

// poe is the path of the command that is tested.
var poe string

// TestMain builds the command.
func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

// buildAndRun builds the command, runs the tests, and returns their exit status.
func buildAndRun(m *testing.M) int {
	if poe = os.Getenv("POE_BINARY"); poe != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "poe-interop-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	poe = filepath.Join(dir, "poe")
	build := exec.Command("go", "build", "-o", poe, "../../cmd/poe")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "cannot build the command: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// An outcome is how a command ended.
type outcome struct {
	status         int
	stdout, stderr string
}

// send runs poe send with these arguments and with stdin, which may be nil, as its input.
func send(t *testing.T, stdin io.Reader, args ...string) outcome {
	t.Helper()
	return start(t, stdin, append([]string{"send"}, args...)...).wait(t)
}

// A command is a poe that was started.
type command struct {
	*exec.Cmd
	stdout, stderr bytes.Buffer
}

// start starts poe. Whatever happens, it ends with the test, or after patience.
func start(t *testing.T, stdin io.Reader, args ...string) *command {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	c := &command{Cmd: exec.CommandContext(ctx, poe, args...)}
	c.Stdin, c.Stdout, c.Stderr = stdin, &c.stdout, &c.stderr
	c.WaitDelay = time.Second
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// wait waits for the command to end by itself.
func (c *command) wait(t *testing.T) outcome {
	t.Helper()
	err := c.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || !exit.Exited()) {
		t.Fatalf("%v: %v\nstdout:\n%s\nstderr:\n%s", c.Args, err, &c.stdout, &c.stderr)
	}
	return outcome{c.ProcessState.ExitCode(), c.stdout.String(), c.stderr.String()}
}

// want checks the exit status and, for a failure, that stderr is one line with these texts in it.
// A success prints nothing there.
func (o outcome) want(t *testing.T, status int, texts ...string) {
	t.Helper()
	if o.status != status {
		t.Errorf("exit status %d, want %d\nstdout:\n%s\nstderr:\n%s",
			o.status, status, o.stdout, o.stderr)
	}
	lines := strings.SplitAfter(strings.TrimSuffix(o.stderr, "\n"), "\n")
	switch {
	case status == exitOK && o.stderr != "":
		t.Errorf("stderr is %q, want nothing", o.stderr)
	case status != exitOK && (len(lines) != 1 || !strings.HasSuffix(o.stderr, "\n") ||
		strings.TrimSpace(o.stderr) == ""):
		t.Errorf("stderr is %q, want one line", o.stderr)
	}
	for _, text := range texts {
		if !strings.Contains(o.stderr, text) {
			t.Errorf("stderr is %q, want %q in it", o.stderr, text)
		}
	}
}

// tool returns the path of a program of another package, which the test cannot do without.
func tool(t *testing.T, name, debian string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	path := filepath.Join("/usr/sbin", name) // where Debian puts it, and no user looks
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("needs %s. On Debian: apt-get install %s", name, debian)
	}
	return path
}

// python returns the path of a Python that has a module.
func python(t *testing.T, module, debian string) string {
	t.Helper()
	// Debian's modules are seen by its own Python only, which need not be the first in the path.
	for _, path := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(path, "-c", "import "+module).Run() == nil {
			return path
		}
	}
	t.Fatalf("needs a Python with %s. On Debian: apt-get install %s", module, debian)
	return ""
}

// A peer is a program of others that runs until the test ends.
type peer struct {
	*exec.Cmd
	out *bufio.Reader // its stdout
}

// startPeer starts a program whose stdin ends no earlier than the test. It is ended, and waited
// for, when the test ends; what it printed on stderr is part of the log of a test that failed.
func startPeer(t *testing.T, path string, args ...string) *peer {
	t.Helper()
	p := &peer{Cmd: exec.Command(path, args...)}
	var stderr bytes.Buffer
	p.Stderr = &stderr
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(stdout)
	if _, err := p.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.ProcessState == nil {
			_ = p.Process.Kill() // it fails when the program has ended, which is as well
			_ = p.Wait()         // it says that the program was killed
		}
		if t.Failed() && stderr.Len() > 0 {
			t.Logf("%s printed on stderr:\n%s", path, &stderr)
		}
	})
	return p
}

// line returns the next line that the program prints, without its end.
func (p *peer) line(t *testing.T) string {
	t.Helper()
	defer p.hurry()()
	line, err := p.out.ReadString('\n')
	if err != nil {
		t.Fatalf("%v printed %q and then %v, want a line", p.Args, line, err)
	}
	return strings.TrimSuffix(line, "\n")
}

// end waits until the program ends by itself, and checks that it is content.
func (p *peer) end(t *testing.T) {
	t.Helper()
	defer p.hurry()()
	if _, err := io.Copy(io.Discard, p.out); err != nil {
		t.Error(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("%v: %v", p.Args, err)
	}
}

// hurry kills the program after a while, unless the function that it returns is called before.
func (p *peer) hurry() (done func() bool) {
	return time.AfterFunc(patience, func() { _ = p.Process.Kill() }).Stop
}
