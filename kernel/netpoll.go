package kernel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	errorx "github.com/panjf2000/gnet/v2/pkg/errors"
	"github.com/panjf2000/gnet/v2/pkg/netpoll"
)

// NewLoop returns the Loop of the operating system: epoll or kqueue, real time, real sockets.
//
// It holds descriptors of its own and a timer only while it runs or watches something, so one that
// is not used any more needs no Close. An idle one sleeps until something happens.
//
// Watch returns an error for which errors.Is finds EBADF when the descriptor is not open, EPERM
// when it is a regular file, which is always ready, and errors.ErrUnsupported for Expedite outside
// Linux; the descriptor is then watched in no way. A descriptor must be forgotten before it is
// closed: otherwise whatever shares it keeps on being reported under a number that may be another's
// by then.
//
// Out-of-band data makes a descriptor ready to read when nobody watches it with Expedite, because
// the system reports both together, and reading past the data is what ends the report.
//
// POE: POE::Loop::IO_Poll and its like.
func NewLoop() Loop {
	return &netpollLoop{current: -1}
}

// A netpollLoop is a Loop on gnet's poller.
//
// Polling has no deadline and no hook at the end of a batch, and a task that it is given with
// Trigger keeps it from waiting as long as there are more. So what must wake it is a bell, which is
// watched like any descriptor and takes its turn among them: it is rung by Wake, by the timer, and
// by a pass after which more is due.
type netpollLoop struct {
	poller    *netpoll.Poller // nil while closed
	registry  registry
	interests []interest // by descriptor
	watched   int        // how many descriptors are
	current   int        // the descriptor of the report at hand, or -1
	running   bool
	ready     func(fd int, how Mode)
	pass      func() (wait time.Duration, more bool)

	timer *time.Timer // rings the bell; nil until it is needed
	due   time.Time   // when it does; zero when it will not

	// rung says that the bell is readable, or that the one who set it is about to make it so. It
	// may be readable without being rung, which costs a pass and nothing else.
	rung atomic.Bool
	mu   sync.Mutex // keeps the bell from being closed under the hands of who rings it
	bell *bell      // nil while closed
}

// An interest is what the loop knows of one descriptor.
type interest struct {
	want Mode

	// stale says that the next report is not to be believed. When a number is closed and opened
	// again while a batch is being told, the batch may still hold a report on the old one. Dropping
	// a true report does no harm: readiness is a level.
	stale bool
}

const everyWay = Read | Write | Expedite

// Now implements Loop. As long as it is compared with other times from Now, it never goes back: it
// carries the monotonic clock.
func (l *netpollLoop) Now() time.Time {
	return time.Now()
}

// Watch implements Loop.
func (l *netpollLoop) Watch(fd int, want Mode) error {
	have := l.want(fd)
	want &= everyWay
	if have == 0 && want == 0 {
		return nil
	}
	defer l.closeUnused()
	if err := l.open(); err != nil {
		return fmt.Errorf("watch for %v: %w", want, err)
	}
	err := l.register(fd, have, want)
	if err != nil {
		_ = l.register(fd, everyWay, 0)
		err = fmt.Errorf("watch for %v: %w", want, err)
		want = 0
	}
	l.note(fd, have, want)
	return err
}

// want returns the ways in which fd is watched.
func (l *netpollLoop) want(fd int) Mode {
	if uint(fd) >= uint(len(l.interests)) {
		return 0
	}
	return l.interests[fd].want
}

// note writes down that fd is watched in the ways of want now, where it was in those of have.
func (l *netpollLoop) note(fd int, have, want Mode) {
	switch {
	case have == 0 && want == 0:
		return
	case have == 0:
		l.watched++
	case want == 0:
		l.watched--
		l.doubt(fd)
	}
	l.entry(fd).want = want
}

// entry returns what there is to know of fd, until the next entry.
func (l *netpollLoop) entry(fd int) *interest {
	for fd >= len(l.interests) {
		l.interests = append(l.interests, interest{})
	}
	return &l.interests[fd]
}

// doubt says that what the rest of the batch reports on fd is about one that is not watched any
// more. The descriptor of the report at hand has had the only one.
func (l *netpollLoop) doubt(fd int) {
	switch {
	case fd == l.current:
		l.current = -1
	case l.running:
		l.entry(fd).stale = true
	}
}

// Run implements Loop. Run inside Run returns ErrRunning.
func (l *netpollLoop) Run(
	ready func(fd int, how Mode), pass func() (wait time.Duration, more bool),
) error {
	if l.running {
		return ErrRunning
	}
	defer l.closeUnused()
	if err := l.open(); err != nil {
		return fmt.Errorf("kernel: loop: %w", err)
	}
	l.running, l.ready, l.pass = true, ready, pass
	defer l.stop()

	err := l.turn()
	if err == nil {
		err = l.poller.Polling(l.report)
	}
	if errors.Is(err, errorx.ErrEngineShutdown) {
		return nil
	}
	return fmt.Errorf("kernel: loop: %w", err)
}

// stop ends a Run, also one that a panic ends: what is watched stays watched, for the next.
func (l *netpollLoop) stop() {
	l.running, l.ready, l.pass = false, nil, nil
	l.current = -1
	l.disarm()
}

// report is called by the poller for each event of a batch.
func (l *netpollLoop) report(number int, event netpoll.IOEvent, _ netpoll.IOFlags) error {
	if number == l.bell.fd() {
		return l.answer()
	}
	return l.collect(number, event)
}

// serve takes a report that fd is ready in the ways of how, in which it is watched: it tells of it
// and makes a pass.
func (l *netpollLoop) serve(fd int, how Mode) error {
	if fd >= len(l.interests) {
		return nil
	}
	stale := l.interests[fd].stale
	l.interests[fd].stale = false
	switch {
	case stale:
		l.rearm(fd)
		return nil
	case how == 0:
		return nil
	}
	l.current = fd
	l.tell(fd, how)
	l.rearm(fd)
	err := l.turn()
	l.current = -1
	return err
}

// tell calls ready for each way in which fd is ready, as long as it is watched in that way and is
// still the descriptor that the report was about.
func (l *netpollLoop) tell(fd int, how Mode) {
	for way := Read; way <= Expedite && fd == l.current; way <<= 1 {
		if how&way&l.interests[fd].want != 0 {
			l.ready(fd, way)
		}
	}
}

// turn makes a pass, and sees to it that the next one comes when that one asked for it. Its error
// ends Polling: the pass reported no more work.
func (l *netpollLoop) turn() error {
	wait, err := l.onePass()
	if err == nil && wait == 0 {
		l.Wake()
	}
	return err
}

// answer makes the pass for which the bell was rung. If more is due after it, then the bell is left
// as it is, without a system call: the next wait returns at once, and with it the descriptors that
// have become ready meanwhile.
func (l *netpollLoop) answer() error {
	// From here on a Wake rings again, since the pass may not see what it was for. The pass does
	// see what was done before the Wakes so far: to swap is to load.
	l.rung.Swap(false)
	wait, err := l.onePass()
	switch {
	case err != nil:
		return err
	case wait == 0:
		l.rung.Store(true)
	case !l.rung.Load():
		l.bell.silence()
		if l.rung.Load() {
			// Somebody rang between the two loads, and that may have been silenced too.
			l.bell.ring()
		}
	}
	return nil
}

// onePass makes a pass and sets the timer for what it asked for.
func (l *netpollLoop) onePass() (wait time.Duration, err error) {
	wait, more := l.pass()
	switch {
	case !more:
		return 0, errorx.ErrEngineShutdown
	case wait > 0:
		l.arm(wait)
	case wait < 0:
		l.disarm()
	}
	return wait, nil
}

// arm makes the timer ring the bell in wait from now, or earlier. A deadline that moves on with
// each turn, as that of an idle connection does, moves the timer once for each time that it rings.
func (l *netpollLoop) arm(wait time.Duration) {
	now := time.Now()
	due := now.Add(wait)
	if l.due.After(now) && !l.due.After(due) {
		return
	}
	l.due = due
	if l.timer == nil {
		l.timer = time.AfterFunc(wait, l.Wake)
		return
	}
	l.timer.Reset(wait)
}

// disarm stops the timer, so that nothing wakes a loop that has nothing to wait for.
func (l *netpollLoop) disarm() {
	if !l.due.IsZero() {
		l.timer.Stop()
		l.due = time.Time{}
	}
}

// Wake implements Loop.
func (l *netpollLoop) Wake() {
	if l.rung.Swap(true) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bell != nil {
		l.bell.ring()
	}
}

// open opens the poller and the bell unless they are open.
func (l *netpollLoop) open() error {
	if l.poller != nil {
		return nil
	}
	poller, err := netpoll.OpenPoller()
	if err != nil {
		return err
	}
	b, err := newBell()
	if err != nil {
		_ = poller.Close()
		return err
	}
	err = poller.AddRead(&netpoll.PollAttachment{FD: b.fd()}, false)
	if err == nil {
		err = l.registry.open(poller)
	}
	if err != nil {
		b.close()
		_ = poller.Close()
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.poller, l.bell = poller, b
	if l.rung.Load() { // while there was no bell
		b.ring()
	}
	return nil
}

// closeUnused closes the poller and the bell if nothing runs and nothing is watched. Of what has
// been woken nothing is lost: rung stays as it is.
func (l *netpollLoop) closeUnused() {
	if l.running || l.watched > 0 || l.poller == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bell.close()
	l.registry.close()
	_ = l.poller.Close()
	l.poller, l.bell, l.interests = nil, nil, nil
}

// Go implements Loop.
func (l *netpollLoop) Go(f func()) {
	go f()
}

// Socket implements Loop.
func (l *netpollLoop) Socket(network string) (Socket, error) {
	return newSocket(network)
}

// Resolve implements Loop. An address is its own answer.
func (l *netpollLoop) Resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr.Unmap()}, nil
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	for i, addr := range addrs {
		addrs[i] = addr.Unmap()
	}
	return addrs, nil
}
