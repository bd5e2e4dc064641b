package sim

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-poe/poe/kernel"
)

// A Machine is the kernel.Loop of one kernel: it has descriptors, ports and addresses of its own,
// and shares the clock and the network with the other machines of its world.
type Machine struct {
	w      *World
	number int // from 1
	addrs  []netip.Addr

	files  []file // by descriptor, from firstFD
	lowest int    // no place in files below this is free
	hot    []file // those that may be ready
	batch  []readiness
	ports  map[port][]*binding
	nextPt uint16
	names  map[string]*stream // of unix sockets

	running bool
	woken   atomic.Bool
	stood   time.Duration // the clock at the last turn
	still   int           // short turns since the clock has moved
}

// firstFD is the lowest descriptor.
const firstFD = 1000

// A clock that has stood still for so many turns moves at each further one, so that a program that
// never waits comes to its alarms. A turn after which the kernel wants no wait at all has handled
// thousands of events, so it counts for many.
const (
	stillTurns = 1000
	shortTurn  = 10 * time.Microsecond
	longTurn   = 500 * time.Microsecond
	longTurns  = 100 // short ones
)

// every is each way of being ready: that of a descriptor that hangs up.
const every = kernel.Read | kernel.Write | kernel.Expedite

// A file is what a descriptor stands for.
type file interface {
	poll() kernel.Mode // the ways in which it is ready
	base() *descriptor
}

// A descriptor is the part of a file that its machine deals with.
type descriptor struct {
	m    *Machine
	fd   int // -1 before it is open, and after
	want kernel.Mode
	hot  bool // it is in m.hot
}

// A readiness is a file that is reported in this turn.
type readiness struct {
	f    file
	also kernel.Mode // reported, though it is not so
}

func (d *descriptor) base() *descriptor { return d }

// FD returns the descriptor's number, or -1 once it is closed.
func (d *descriptor) FD() int { return d.fd }

// String names the descriptor in a trace: its number, and before that its machine's, if it is not
// the first.
func (d *descriptor) String() string {
	if d.m.number > 1 {
		return fmt.Sprintf("%d:%d", d.m.number, d.fd)
	}
	return fmt.Sprint(d.fd)
}

// NewMachine adds a machine to the world. It has the given addresses, as by AddAddress, and,
// behind them, 10.0.0.n and fd00::n, if it is the n-th.
func (w *World) NewMachine(addrs ...netip.Addr) *Machine {
	m := &Machine{
		w:      w,
		number: len(w.machines) + 1,
		ports:  make(map[port][]*binding),
		nextPt: firstPort,
		names:  make(map[string]*stream),
		stood:  never,
	}
	w.machines = append(w.machines, m)
	high, low := byte(m.number>>8), byte(m.number)
	m.AddAddress(addrs...)
	m.AddAddress(netip.AddrFrom4([4]byte{10, 0, high, low}))
	m.AddAddress(netip.AddrFrom16([16]byte{0: 0xfd, 14: high, 15: low}))
	return m
}

// AddAddress gives the machine addresses. What is sent there comes to it. Connections of its own
// come from the first address of their kind. It panics if another machine has the address. Bind to
// an address that nobody has gives it to the machine, too.
func (m *Machine) AddAddress(addrs ...netip.Addr) {
	for _, a := range addrs {
		a = a.Unmap().WithZone("")
		if owner := m.w.owners[a]; owner != nil && owner != m {
			panic(fmt.Sprintf("sim: machine %d has the address %v", owner.number, a))
		}
		m.w.owners[a] = m
		m.addrs = append(m.addrs, a)
	}
}

// Now returns the time of the world.
func (m *Machine) Now() time.Time { return m.w.opts.Begin.Add(m.w.now) }

// Wake makes Run call pass. Any goroutine may call it, but only a call on Run's own keeps the run
// deterministic; see Options.External.
func (m *Machine) Wake() {
	m.woken.Store(true)
	select {
	case m.w.wakes <- struct{}{}:
	default:
	}
}

// Go has f called by Run, of any machine, when Options.WorkTime has passed.
func (m *Machine) Go(f func()) {
	w := m.w
	w.at(later(w.now, w.delay(w.opts.WorkTime)), func() {
		w.tracef("slow work")
		f()
	})
}

// Watch asks for the readiness of fd. It returns EBADF, in a *os.SyscallError, for a descriptor
// that is not open on this machine.
func (m *Machine) Watch(fd int, want kernel.Mode) error {
	f := m.file(fd)
	if f == nil {
		if want == 0 {
			return nil
		}
		return os.NewSyscallError("watch", syscall.EBADF)
	}
	f.base().want = want & every
	touch(f)
	return nil
}

// file returns what fd stands for, or nil.
func (m *Machine) file(fd int) file {
	if i := fd - firstFD; i >= 0 && i < len(m.files) {
		return m.files[i]
	}
	return nil
}

// open gives f the lowest descriptor that is free, or returns EMFILE.
func (m *Machine) open(f file, call string) error {
	w := m.w
	for m.lowest < len(m.files) && m.files[m.lowest] != nil {
		m.lowest++
	}
	if m.lowest >= w.opts.Descriptors || w.chance(w.opts.Faults.Descriptors) {
		w.tracef("%s: no descriptor", call)
		return syscall.EMFILE
	}
	if m.lowest == len(m.files) {
		m.files = append(m.files, nil)
	}
	m.files[m.lowest] = f
	*f.base() = descriptor{m: m, fd: firstFD + m.lowest}
	return nil
}

// release takes the descriptor of f away.
func (m *Machine) release(f file) {
	d := f.base()
	i := d.fd - firstFD
	m.w.tracef("%v close", d)
	m.files[i] = nil
	m.lowest = min(m.lowest, i)
	d.fd, d.want = -1, 0
}

// touch has the machine look at f again, because something about it has changed.
func touch(f file) {
	d := f.base()
	if d.want != 0 && !d.hot {
		d.hot = true
		d.m.hot = append(d.m.hot, f)
	}
}

// Run runs a kernel in the world. See kernel.Loop, and the package's comment for what is
// different. Its errors are ErrDeadlock and ErrEndless.
func (m *Machine) Run(
	ready func(fd int, how kernel.Mode), pass func() (wait time.Duration, more bool),
) error {
	if m.running {
		return errors.New("sim: the machine runs already")
	}
	m.running = true
	defer func() { m.running = false }()
	for range m.w.opts.MaxTurns {
		m.woken.Store(false)
		wait, more := pass()
		if !more {
			return nil
		}
		if err := m.wait(wait); err != nil {
			return fmt.Errorf("%w%s", err, m.watched())
		}
		m.report(ready)
	}
	return ErrEndless
}

// wait lets time pass until there is a descriptor to report, somebody calls Wake, or the wait is
// over.
func (m *Machine) wait(wait time.Duration) error {
	w := m.w
	until := never
	if wait >= 0 {
		until = later(w.now, wait)
	}
	m.move(wait)
	for {
		w.settle()
		if m.collect() || m.woken.Load() || w.now >= until {
			return nil
		}
		var err error
		if w.task != nil {
			err = w.task.park(m, until)
		} else {
			err = w.advance(until)
		}
		if err != nil {
			return err
		}
	}
}

// move moves the clock of a program that never waits.
func (m *Machine) move(wait time.Duration) {
	w := m.w
	if w.now != m.stood {
		m.stood, m.still = w.now, 0
	}
	turn, turns := shortTurn, 1
	if wait == 0 {
		turn, turns = longTurn, longTurns
	}
	if m.still < stillTurns {
		m.still += turns
		return
	}
	w.now += turn
	m.stood = w.now
}

// collect puts the files that are ready into the batch, and reports whether there is any.
func (m *Machine) collect() bool {
	w, faults := m.w, &m.w.opts.Faults
	m.batch = m.batch[:0]
	m.hot = slices.DeleteFunc(m.hot, func(f file) bool {
		d := f.base()
		if f.poll()&d.want != 0 {
			m.batch = append(m.batch, readiness{f: f})
			return false
		}
		d.hot = false
		return true
	})
	if faults.Spurious > 0 {
		for _, f := range m.files {
			if f != nil && w.chance(faults.Spurious) {
				m.pretend(f)
			}
		}
	}
	slices.SortFunc(m.batch, func(a, b readiness) int { return a.f.base().fd - b.f.base().fd })
	if faults.Shuffle {
		w.random.Shuffle(len(m.batch), func(i, j int) {
			m.batch[i], m.batch[j] = m.batch[j], m.batch[i]
		})
	}
	return len(m.batch) > 0
}

// pretend adds f to the batch, though it is not ready. A connect that is under way is left alone:
// that it is writable would say that it is done.
func (m *Machine) pretend(f file) {
	d := f.base()
	if s, ok := f.(*stream); d.want == 0 || d.hot || ok && s.state == connecting {
		return
	}
	m.batch = append(m.batch, readiness{f, d.want})
}

// report hands the batch over. What was closed, paused or emptied meanwhile is left out.
func (m *Machine) report(ready func(fd int, how kernel.Mode)) {
	for _, r := range m.batch {
		d := r.f.base()
		if how := (r.f.poll() | r.also) & d.want; how != 0 {
			if m.w.opts.Trace != nil {
				m.w.tracef("%v ready: %v", d, how)
			}
			ready(d.fd, how)
		}
	}
}

// watched tells for an error what the machine waits for.
func (m *Machine) watched() string {
	const most = 10
	var list []string
	for _, f := range m.files {
		if f != nil && f.base().want != 0 {
			list = append(list, fmt.Sprintf("%d %v", f.base().fd, f.base().want))
		}
	}
	switch {
	case len(list) == 0:
		return ", no descriptor is watched"
	case len(list) > most:
		list = append(list[:most], fmt.Sprintf("and %d more", len(list)-most))
	}
	return ", watched: " + strings.Join(list, ", ")
}
