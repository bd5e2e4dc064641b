package wheel_test

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// tick is a moment, long enough in a simulated world for all that goes on to have come to rest.
const tick = time.Millisecond

// A place is a kernel in a world, and what happened there, line by line.
type place struct {
	*testing.T
	world *sim.World // nil in the real world
	k     *kernel.Kernel
	logs  *observer.ObservedLogs
	lines []string
	open  int // descriptors of a simulated world that the test itself has open at the end of a run
}

// descriptors is how many descriptors a simulated world has. When a test is over, all must be free.
const descriptors = 64

// simulated returns a place in a simulated world.
func simulated(t *testing.T, opts sim.Options) *place {
	t.Helper()
	opts.Descriptors = descriptors
	world := sim.New(opts)
	p := newPlace(t, world)
	p.world = world
	return p
}

// oddly returns a place in a simulated world with a loop in which a test meddles.
func oddly(t *testing.T, opts sim.Options) (*place, *loop) {
	t.Helper()
	opts.Descriptors = descriptors
	world := sim.New(opts)
	odd := &loop{Loop: world}
	p := newPlace(t, odd)
	p.world = world
	return p, odd
}

// A loop is a Loop in which a test meddles.
type loop struct {
	kernel.Loop
	socket func(network string) (kernel.Socket, error) // if it is not nil
}

func (l *loop) Socket(network string) (kernel.Socket, error) {
	if l.socket != nil {
		return l.socket(network)
	}
	return l.Loop.Socket(network)
}

// A socket is a Socket in which a test meddles.
type socket struct {
	kernel.Socket
	fails    map[string]error // by the name of the method
	outcomes []error          // what ConnectError returns first
	accepts  []error          // what Accept returns first
}

func (s *socket) Bind(addr net.Addr) error {
	return cmp.Or(s.fails["Bind"], s.Socket.Bind(addr))
}

func (s *socket) Connect(addr net.Addr) error {
	if err, ok := s.fails["Connect"]; ok {
		return err
	}
	return s.Socket.Connect(addr)
}

func (s *socket) Listen(backlog int) error {
	return cmp.Or(s.fails["Listen"], s.Socket.Listen(backlog))
}

func (s *socket) SetOption(option kernel.SocketOption, on bool) error {
	return cmp.Or(s.fails["SetOption"], s.Socket.SetOption(option, on))
}

func (s *socket) RemoteAddr() (net.Addr, error) {
	if err, ok := s.fails["RemoteAddr"]; ok {
		return nil, err
	}
	return s.Socket.RemoteAddr()
}

func (s *socket) LocalAddr() (net.Addr, error) {
	if err, ok := s.fails["LocalAddr"]; ok {
		return nil, err
	}
	return s.Socket.LocalAddr()
}

func (s *socket) ConnectError() error {
	if len(s.outcomes) > 0 {
		err := s.outcomes[0]
		s.outcomes = s.outcomes[1:]
		return err
	}
	return s.Socket.ConnectError()
}

func (s *socket) Accept() (kernel.Socket, error) {
	if len(s.accepts) > 0 {
		err := s.accepts[0]
		s.accepts = s.accepts[1:]
		if err != nil {
			return nil, err
		}
	}
	return s.Socket.Accept()
}

// newPlace returns a place in the world of a loop.
func newPlace(t *testing.T, loop kernel.Loop) *place {
	t.Helper()
	core, logs := observer.New(zap.WarnLevel)
	k, err := kernel.New(kernel.Options{Loop: loop, Log: zap.New(core)})
	if err != nil {
		t.Fatal(err)
	}
	return &place{T: t, k: k, logs: logs}
}

// everywhere runs a test in a simulated world and in the real one.
func everywhere(t *testing.T, test func(p *place)) {
	t.Helper()
	t.Run("simulated", func(t *testing.T) { test(simulated(t, sim.Options{})) })
	t.Run("real", func(t *testing.T) {
		before := openFiles(t)
		test(newPlace(t, kernel.NewLoop()))
		if after := openFiles(t); after != before {
			t.Errorf("%d descriptors are open, of which %d were before", after, before)
		}
	})
}

// openFiles returns how many descriptors the process has open.
func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(list)
}

// pair returns the two ends of a stream.
func (p *place) pair() (near, far kernel.Handle) {
	p.Helper()
	open := kernel.SocketPair
	if p.world != nil {
		open = p.world.SocketPair
	}
	near, far, err := open()
	if err != nil {
		p.Fatal(err)
	}
	return near, far
}

// create makes a session. Without a Start of its own, it has one that does nothing.
func (p *place) create(table session.Events) *kernel.Session {
	if table[kernel.Start] == nil {
		table[kernel.Start] = func(*kernel.Event) {}
	}
	return p.k.Create(table)
}

// run runs the kernel until it ends by itself. After that nothing may be left, and nothing may have
// gone wrong that only a log tells.
func (p *place) run() {
	p.Helper()
	if err := p.k.Run(p.Context()); err != nil {
		p.Errorf("Run: %v\n%v", err, p.k.WhyAlive())
	}
	for _, entry := range p.logs.All() {
		p.Errorf("the kernel logged %q %v", entry.Message, entry.ContextMap())
	}
	if p.world != nil {
		p.wantFree()
	}
}

// wantFree checks that all descriptors of a simulated world are free, but for those of the test.
func (p *place) wantFree() {
	p.Helper()
	all := descriptors - p.open
	for n := range all {
		s, err := p.world.Socket("udp4")
		if err != nil {
			p.Fatalf("%d descriptors of %d are not free", all-n, all)
		}
		defer s.Close()
	}
}

// note keeps one line.
func (p *place) note(format string, args ...any) {
	p.lines = append(p.lines, fmt.Sprintf(format, args...))
}

// want checks what was noted.
func (p *place) want(lines ...string) {
	p.Helper()
	if !slices.Equal(p.lines, lines) {
		p.Errorf("got\n\t%s\nwant\n\t%s",
			strings.Join(p.lines, "\n\t"), strings.Join(lines, "\n\t"))
	}
}

// input returns a handler that notes a record.
func (p *place) input(e *kernel.Event) {
	in := kernel.Arg[*wheel.Input](e, 0)
	p.note("%s %q", e.Name, in.Bytes)
}

// failed notes what went wrong.
func (p *place) failed(e *kernel.Event) {
	err := kernel.Arg[*wheel.Error](e, 0)
	p.note("%s %s: %v", e.Name, err.Op, err.Err)
}

// said notes that an event came.
func (p *place) said(e *kernel.Event) { p.note("%s", e.Name) }

// unknown notes an event that nobody handles. No wheel sends such.
func (p *place) unknown(e *kernel.Event) {
	if name := kernel.Arg[string](e, 0); name != kernel.Stop {
		p.note("unknown %s", name)
	}
}

// readWrite makes a wheel, which must work.
func (p *place) readWrite(s *kernel.Session, opts wheel.ReadWriteOptions) *wheel.ReadWrite {
	p.Helper()
	w, err := wheel.NewReadWrite(s, opts)
	if err != nil {
		p.Fatal(err)
	}
	return w
}

// write writes all of text at the far end, which must have room.
func (p *place) write(far kernel.Handle, text string) {
	p.Helper()
	if n, err := far.Write([]byte(text)); n != len(text) || err != nil {
		p.Errorf("the far end wrote %d of %d bytes: %v", n, len(text), err)
	}
}

// read returns what is there at the far end, and after it EOF or the error, if it is the end.
func (p *place) read(far kernel.Handle) string {
	var all strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := far.Read(buf)
		all.Write(buf[:n])
		switch {
		case err == kernel.ErrAgain:
			return all.String()
		case errors.Is(err, io.EOF):
			return all.String() + "EOF"
		case err != nil:
			return all.String() + err.Error()
		}
	}
}

// A handle is a Handle in which a test meddles.
type handle struct {
	kernel.Handle
	read   func(p []byte) (int, error) // if it is not nil
	write  func(p []byte) (int, error) // if it is not nil
	writes int                         // calls of Write
}

func (h *handle) Read(p []byte) (int, error) {
	if h.read != nil {
		return h.read(p)
	}
	return h.Handle.Read(p)
}

func (h *handle) Write(p []byte) (int, error) {
	h.writes++
	if h.write != nil {
		return h.write(p)
	}
	return h.Handle.Write(p)
}

// wantPanic checks that f panics with a text.
func wantPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := fmt.Sprint(recover()); got != want {
			t.Errorf("panic %q, want %q", got, want)
		}
	}()
	f()
}
