//go:build interop

package interop

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// needRoot fails a test that cannot do without root: the servers change to users of their own.
func needRoot(t *testing.T, server string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatalf("needs root, since %s changes to users of its own", server)
	}
}

// A place is a folder that a server has for itself. All users can reach it, other than one of
// t.TempDir.
type place string

// newPlace makes a folder that goes with the test.
func newPlace(t *testing.T) place {
	t.Helper()
	dir, err := os.MkdirTemp("", "poe-interop-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// A server's children that were killed with it may still be about to write.
		if err := within(patience, func() bool { return os.RemoveAll(dir) == nil }); err != nil {
			t.Errorf("%s cannot be removed: %v", dir, err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return place(dir)
}

// path returns the path of something in the place.
func (p place) path(name ...string) string {
	return filepath.Join(append([]string{string(p)}, name...)...)
}

// write writes a file that everybody can read, and returns its path.
func (p place) write(t *testing.T, name, text string) string {
	t.Helper()
	path := p.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// folder makes a folder that belongs to a user, with those above it, and returns its path.
func (p place) folder(t *testing.T, owner account, mode fs.FileMode, name ...string) string {
	t.Helper()
	path := p.path(name...)
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, owner.uid, owner.gid); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// An account is a user of this machine.
type account struct {
	name     string
	uid, gid int
}

// accountOf returns a user that a Debian package makes.
func accountOf(t *testing.T, name, debian string) account {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatalf("needs the user %s of Debian's %s: run .ci/install as root", name, debian)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		t.Fatal(err)
	}
	return account{name, uid, gid}
}

// unpacked returns the path of a file of a Debian package that cannot be installed beside Postfix.
func unpacked(t *testing.T, debian, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../../build/servers", debian, name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("needs %s of Debian's %s: run .ci/install as root", name, debian)
	}
	return path
}

// guard starts a program, and ends it, with all that it has started, when nobody holds descriptor 3
// at the other end any more: that is the test's, and so no server outlives it, however it ends.
const guard = `{ read -r _; kill -s KILL 0; } <&3 >/dev/null 2>&1 & exec "$@" 3<&-`

// A daemon is a server that runs until the test ends.
type daemon struct {
	place

	cmd  *exec.Cmd
	done chan struct{} // is closed when the server has ended
}

// startDaemon starts a server that stays in the foreground, with what it starts in its process
// group. What it prints goes to the file log in the place. That, and what the server has written
// into the folder logs, becomes part of the log of a test that failed.
func startDaemon(t *testing.T, p place, name string, args ...string) *daemon {
	t.Helper()
	held, hold, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	d := &daemon{place: p, done: make(chan struct{})}
	out, err := os.OpenFile(p.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := out.Chmod(0o666); err != nil { // servers open it too, as other users
		t.Fatal(err)
	}
	d.cmd = exec.Command("/bin/sh", append([]string{"-c", guard, "guard", name}, args...)...)
	d.cmd.Stdout, d.cmd.Stderr = out, out
	d.cmd.ExtraFiles = []*os.File{held}
	d.cmd.Dir = string(p)
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = d.cmd.Wait() // how it ends is no matter, and that it has is seen where it is needed
		close(d.done)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL) // or it has ended by itself
		hold.Close()
		<-d.done
		if t.Failed() {
			d.printed(t)
		}
	})
	return d
}

// listens waits until the server listens on an address.
func (d *daemon) listens(t *testing.T, addr string) {
	t.Helper()
	d.await(t, addr, func() bool { return listens(addr) })
}

// await waits until something is so, unless the server ends before.
func (d *daemon) await(t *testing.T, what string, so func() bool) {
	t.Helper()
	ended := false
	err := within(patience, func() bool {
		select {
		case <-d.done:
			ended = true
		default:
		}
		return ended || so()
	})
	switch {
	case ended:
		t.Fatalf("%s: the server has ended", what)
	case err != nil:
		t.Fatalf("%s: %v", what, err)
	}
}

// within asks again and again until something is so, and returns an error if it is not in time.
func within(limit time.Duration, so func() bool) error {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	late := time.After(limit)
	for !so() {
		select {
		case <-again.C:
		case <-late:
			return fmt.Errorf("not within %v", limit)
		}
	}
	return nil
}

// printed shows the last that the server has printed.
func (d *daemon) printed(t *testing.T) {
	t.Helper()
	logs, err := filepath.Glob(d.path("logs", "*"))
	if err != nil {
		t.Error(err)
	}
	for _, path := range append(logs, d.path("log")) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
		}
		t.Logf("%s:\n%s", path, text[max(0, len(text)-10_000):])
	}
}

// freePorts returns loopback addresses with ports on which nobody listens, each another.
func freePorts(t *testing.T, count int) []string {
	t.Helper()
	addrs := make([]string, count)
	for i := range addrs {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // not before all are chosen
		addrs[i] = l.Addr().String()
	}
	return addrs
}

// port returns the port of an address.
func port(t *testing.T, addr string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// settings returns lines of a configuration, from pairs of name and value.
func settings(pairs ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		fmt.Fprintf(&b, "%s = %s\n", pairs[i], pairs[i+1])
	}
	return b.String()
}
