package kernel_test

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-poe/poe/kernel"
)

// urge sends out-of-band data, and waits until it has come.
func urge(t *testing.T, from, to kernel.Socket) {
	t.Helper()
	if err := unix.Sendto(from.FD(), []byte("!"), unix.MSG_OOB, nil); err != nil {
		t.Fatal(err)
	}
	p := []unix.PollFd{{Fd: int32(to.FD()), Events: unix.POLLPRI}}
	if n, err := unix.Poll(p, int(hang/time.Millisecond)); n != 1 {
		t.Fatalf("the out-of-band data does not come: %v", err)
	}
}

func TestLoopExpedite(t *testing.T) {
	const r, w, x = kernel.Read, kernel.Write, kernel.Expedite
	tests := []struct {
		name         string
		normal, want kernel.Mode // normal is Read if there is something else to read
		told         kernel.Mode
		level        bool // it is told for as long as nothing is read
	}{
		{"alone", 0, x, x, true},
		{"alone, with something to read", r, x, x, true},
		{"not what is to read", 0, r | x, x, true},
		{"both", r, r | x, r | x, true},
		{"with writing", 0, w | x, w | x, true},
		{"all", r, r | w | x, r | w | x, true},
		{"nobody watches for it", 0, r, r, true},
		{"only writing is watched", 0, w, w, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			keepsDescriptors(t)
			from, to := connected(t, "tcp4")
			if test.normal != 0 {
				put(t, from, "hello")
			}
			urge(t, from, to)
			rig := newRig(t)
			rig.watch(to.FD(), test.want)
			var told kernel.Mode
			rig.ready = func(_ int, how kernel.Mode) { told |= how }
			// Three reports, all the same.
			var reports []kernel.Mode
			rig.pass = func() (time.Duration, bool) {
				if told != 0 {
					reports = append(reports, told)
					told = 0
				}
				return kernel.Forever, len(reports) < 3
			}
			rig.run()
			for _, got := range reports {
				if got != test.told {
					t.Errorf("the descriptor is ready to %v, want %v", reports, test.told)
					break
				}
			}

			// What ends it is to read past it. Then nothing is told, and nothing spins.
			p := make([]byte, 64)
			for {
				if _, err := to.Read(p); err == kernel.ErrAgain {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
			rig.watch(to.FD(), test.want&^w)
			told = 0
			rig.idle()
			if told != 0 {
				t.Errorf("after it is read, the descriptor is ready to %v, want none", told)
			}

			// It comes again.
			if test.want&x != 0 {
				urge(t, from, to)
				rig.pass = func() (time.Duration, bool) { return kernel.Forever, told&x == 0 }
				rig.run()
			}
			rig.watch(to.FD(), 0)
		})
	}
}

// Whoever waits for out-of-band data alone is not woken by the rest.
func TestLoopExpediteAlone(t *testing.T) {
	from, to := connected(t, "tcp4")
	r := newRig(t)
	r.watch(to.FD(), kernel.Expedite)
	put(t, from, "hello")
	await(t, to, kernel.Read)
	r.idle()
	told := 0
	r.ready = func(_ int, how kernel.Mode) {
		if how != kernel.Expedite {
			t.Errorf("the descriptor is ready to %v, want %v", how, kernel.Expedite)
		}
		told++
	}
	urge(t, from, to)
	r.pass = func() (time.Duration, bool) { return kernel.Forever, told < 3 }
	r.run()
	r.watch(to.FD(), 0)
}

// The first report after a watch was made anew may be an old one and is dropped. Out-of-band data,
// which the system reports once, must not be lost with it.
func TestLoopExpediteWatchedAgain(t *testing.T) {
	r := newRig(t)
	from, to := connected(t, "tcp4")
	r.watch(to.FD(), kernel.Expedite)
	other, b := newPipe(t)
	put(t, b, "hello")
	r.watch(other.FD(), kernel.Read)
	told := kernel.Mode(0)
	r.ready = func(fd int, how kernel.Mode) {
		if fd == other.FD() {
			r.watch(fd, 0)
			r.watch(to.FD(), 0)
			r.watch(to.FD(), kernel.Expedite)
			urge(t, from, to)
			return
		}
		told |= how
	}
	r.pass = func() (time.Duration, bool) { return kernel.Forever, told == 0 }
	r.run()
	if told != kernel.Expedite {
		t.Errorf("the descriptor is ready to %v, want %v", told, kernel.Expedite)
	}
	r.watch(to.FD(), 0)
}

// A listener that is told no number holds as many as the system allows.
func TestSocketListenBacklog(t *testing.T) {
	text, err := os.ReadFile("/proc/sys/net/core/somaxconn")
	if err != nil {
		t.Fatal(err)
	}
	most, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	for backlog, want := range map[int]int{-1: most, 0: most, 1: 1, 1 << 30: most} {
		l := newSocket(t, "tcp4")
		if err := l.Listen(backlog); err != nil {
			t.Fatal(err)
		}
		info, err := unix.GetsockoptTCPInfo(l.FD(), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			t.Fatal(err)
		}
		if got := int(info.Sacked); got != want { // where a listener has its backlog
			t.Errorf("Listen(%d) makes room for %d, want %d", backlog, got, want)
		}
	}
}

// The system says "again" to who connects to a full unix socket, but nothing is under way then.
func TestSocketConnectUnixFull(t *testing.T) {
	keepsDescriptors(t)
	l := newSocket(t, "unix")
	addr := streamNetworks(t)["unix"]
	if err := l.Bind(addr); err != nil {
		t.Fatal(err)
	}
	if err := l.Listen(1); err != nil {
		t.Fatal(err)
	}
	for range 16 {
		err := newSocket(t, "unix").Connect(addr)
		if err == kernel.ErrAgain {
			t.Fatal("Connect to a full unix socket returns ErrAgain, want EAGAIN")
		}
		if errors.Is(err, unix.EAGAIN) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Error("16 connections are made at once with a listener that has room for one")
}

// When the process has no descriptors left, whatever needs one says so, and gives back what it had
// got so far.
func TestNoDescriptorsLeft(t *testing.T) {
	keepsDescriptors(t)
	a, _ := newPipe(t)
	l, addr := listen(t, "tcp4", streamNetworks(t)["tcp4"])
	client := newSocket(t, "tcp4")
	if err := connect(t, client, addr); err != nil {
		t.Fatal(err)
	}
	_ = accept(t, l)
	if err := connect(t, newSocket(t, "tcp4"), addr); err != nil {
		t.Fatal(err)
	}

	loop, none := kernel.NewLoop(), lowestFree(t)
	for name, open := range map[string]func() (undo func() error, err error){
		"Run": func() (func() error, error) {
			err := loop.Run(func(int, kernel.Mode) {},
				func() (time.Duration, bool) { return 0, false })
			return func() error { return nil }, err
		},
		"Watch": func() (func() error, error) {
			err := loop.Watch(a.FD(), kernel.Read)
			return func() error { return loop.Watch(a.FD(), 0) }, err
		},
		"Pipe": func() (func() error, error) {
			r, w, err := kernel.Pipe()
			return func() error { return errors.Join(r.Close(), w.Close()) }, err
		},
		"SocketPair": func() (func() error, error) {
			a, b, err := kernel.SocketPair()
			return func() error { return errors.Join(a.Close(), b.Close()) }, err
		},
		"Socket": func() (func() error, error) {
			s, err := loop.Socket("tcp4")
			return func() error { return s.Close() }, err
		},
		"Accept": func() (func() error, error) {
			s, err := l.Accept()
			return func() error { return s.Close() }, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			keepsDescriptors(t)
			left := none
			undo, err := withLimit(t, left, open)
			if err == nil {
				t.Error("it needs no descriptor")
			}
			for ; err != nil; undo, err = withLimit(t, left, open) {
				if !errors.Is(err, unix.EMFILE) || left > none+16 {
					t.Fatalf("the error is %v, want EMFILE", err)
				}
				left++
			}
			if err := undo(); err != nil {
				t.Error(err)
			}
		})
	}
}

// withLimit calls open while the process may only have descriptors below left.
func withLimit(
	t *testing.T, left uint64, open func() (func() error, error),
) (func() error, error) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	fewer := unix.Rlimit{Cur: left, Max: limit.Max}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &fewer); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
	}()
	return open()
}

// lowestFree returns the number that the next descriptor gets.
func lowestFree(t *testing.T) uint64 {
	t.Helper()
	fd, err := unix.Dup(0)
	if err != nil {
		t.Fatal(err)
	}
	_ = unix.Close(fd)
	return uint64(fd)
}

func TestNewHandleNoDescriptorLeft(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, err = withLimit(t, lowestFree(t), func() (func() error, error) {
		_, err := kernel.NewHandle(f)
		return nil, err
	})
	if !errors.Is(err, unix.EMFILE) {
		t.Errorf("NewHandle returns %v, want EMFILE", err)
	}
	if _, err := f.Stat(); err != nil {
		t.Errorf("the file is not as it was: %v", err)
	}
}
