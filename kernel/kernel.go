package kernel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"go.uber.org/zap"
)

// Options are the options of a Kernel. The zero value is good for most programs.
type Options struct {
	Loop Loop        // the outside world; nil means the system's, by gnet's poller
	Log  *zap.Logger // takes traces and warnings; nil means standard error, for warnings and up

	Workers    int // slow work at the same time; 0 means 16
	MaxWork    int // slow work that waits for its turn; 0 means 65,536
	MaxOutside int // events from doors that are not delivered yet; 0 means 65,536

	Assert Assert // mistakes that panic instead of returning an error
	Trace  Trace  // what the log tells of the kernel's work

	// Getenv gives the environment, from which New adds to Assert and Trace: POE_ASSERT_USAGE,
	// POE_TRACE_EVENTS and so on, as in POE. nil means os.Getenv.
	Getenv func(name string) string
}

// A Kernel delivers events to sessions. Kernels share nothing: a process may have more than one,
// each on a goroutine of its own.
//
// POE: POE::Kernel.
type Kernel struct {
	loop   Loop
	log    *zap.Logger
	assert Assert
	trace  Trace

	epoch   time.Time     // where the kernel's clock is 0
	now     time.Duration // the kernel's clock, when it was last read
	stepped time.Duration // how far the wall clock has stepped ahead of that

	queue  queue
	pool   pool
	seq    uint64 // of the last event
	lastID ID     // of the last session
	dead   int    // events in the queue to or from sessions that have ended, perhaps

	root     *Session
	sessions map[ID]*Session
	aliases  map[Alias]*Session
	marked   []*Session // sessions that nothing keeps
	busy     int        // keeps that stand for a world outside that may yet do something

	active  *Event // the event whose handler runs
	depth   int    // of handlers that have called each other
	running bool
	readied bool // a handle was ready since RunOneTimeslice began
	ctx     context.Context

	watched   []*descriptorWatch // by descriptor
	nWatched  int
	exception error      // that nobody handled
	dying     *Exception // whose DIE is being delivered
	handled   int        // calls of SigHandled for the signal that is being delivered
	osSignals osSignals
	children  childWatches
	doors     doors
	settling  []settling
	settled   []settling // room for the next settling
	buffers   buffers
	slow      slowWork
	wheels    uint64
}

// New makes a kernel.
func New(opts Options) (*Kernel, error) {
	if opts.Workers < 0 || opts.MaxWork < 0 || opts.MaxOutside < 0 {
		return nil, fmt.Errorf("kernel: a limit below 0: %w", ErrInvalid)
	}
	k := &Kernel{
		loop:     opts.Loop,
		log:      opts.Log,
		assert:   opts.Assert,
		trace:    opts.Trace,
		sessions: make(map[ID]*Session),
		aliases:  make(map[Alias]*Session),
		ctx:      context.Background(),
	}
	if k.loop == nil {
		k.loop = NewLoop()
	}
	if opts.Getenv == nil {
		opts.Getenv = os.Getenv
	}
	if err := k.environment(opts.Getenv); err != nil {
		return nil, err
	}
	if k.log == nil {
		k.log = k.stderr()
	}
	k.pool.kernel = k
	k.epoch = k.loop.Now()
	k.doors.limit = orDefault(opts.MaxOutside, 65536)
	k.slow.limit = orDefault(opts.MaxWork, 65536)
	k.slow.workers = orDefault(opts.Workers, 16)
	k.root = &Session{kernel: k, markedAt: unmarked, handler: HandlerFunc(func(*Event) {})}
	return k, nil
}

func orDefault(n, def int) int {
	if n == 0 {
		return def
	}
	return n
}

// Root returns the kernel's own session, the root of the tree of sessions. It sends the kernel's
// own events. What is sent to it goes nowhere, except signals, which go to every session.
func (k *Kernel) Root() *Session { return k.root }

// Log returns the kernel's logger.
func (k *Kernel) Log() *zap.Logger { return k.log }

// Loop returns the kernel's loop, for those who open sockets.
func (k *Kernel) Loop() Loop { return k.loop }

// Now returns the time by the kernel's loop.
func (k *Kernel) Now() time.Time { return k.loop.Now() }

// tick reads the clock.
func (k *Kernel) tick() time.Duration {
	k.now = max(k.now, k.loop.Now().Sub(k.epoch))
	return k.now
}

// ActiveSession returns the session whose handler runs, or the root when none does.
//
// POE: get_active_session.
func (k *Kernel) ActiveSession() *Session {
	if k.active == nil || k.active.Session.ended() {
		return k.root
	}
	return k.active.Session
}

// ActiveEvent returns the name of the event whose handler runs, or "".
//
// POE: get_active_event.
func (k *Kernel) ActiveEvent() string {
	if k.active == nil {
		return ""
	}
	return k.active.Name
}

// EventCount returns the number of events in the queue, of all kinds and sessions.
//
// POE: get_event_count.
func (k *Kernel) EventCount() int {
	n := k.queue.len()
	if k.dead == 0 {
		return n
	}
	for e := k.queue.first; e != nil; e = e.next {
		if e.cancelled() {
			n--
		}
	}
	return n
}

// NextEventTime returns the time at which the first event in the queue is due, and false when the
// queue is empty.
//
// POE: get_next_event_time.
func (k *Kernel) NextEventTime() (time.Time, bool) {
	for e := k.queue.first; e != nil && e.cancelled(); e = k.queue.first {
		k.cancel(k.queue.next(k.now, e.seq, 0))
	}
	due, ok := k.queue.head()
	if !ok {
		return time.Time{}, false
	}
	return k.epoch.Add(due), true
}

// NextWheelID returns a number for a new wheel, which no other wheel of this kernel has.
func (k *Kernel) NextWheelID() uint64 {
	k.wheels++
	return k.wheels
}

// Run delivers events until no session is left, ctx is done, or a handler has panicked and no
// session has handled that. When ctx is done it stops all sessions, as Stop does, and returns the
// cause. A panic comes back as an *Exception. A kernel can be run again after that.
//
// POE: run.
func (k *Kernel) Run(ctx context.Context) error {
	return k.run(ctx, k.turn)
}

// RunOneTimeslice waits until an event is due or a handle is ready, hands over what there is, and
// reports whether any session is left.
//
// POE: run_one_timeslice.
func (k *Kernel) RunOneTimeslice(ctx context.Context) (more bool, err error) {
	turned, left := false, k.nWatched
	k.readied = false
	err = k.run(ctx, func() (time.Duration, bool) {
		if turned && !k.readied {
			return 0, false
		}
		nothing := !k.readied && len(k.sessions) > 0 && !k.isIdle() && ctx.Err() == nil
		if wait := k.wait(); nothing && wait != 0 {
			return wait, true
		}
		// A loop may ask for this turn before it tells of a handle that is ready. So the slice goes
		// on until there was a turn for nothing, or one for each handle.
		turned, k.readied = true, false
		left--
		_, more = k.turn()
		return 0, more && left >= 0
	})
	return more, err
}

// RunWhile delivers events while *flag is true and any session is left.
//
// POE: run_while.
func (k *Kernel) RunWhile(ctx context.Context, flag *bool) error {
	for *flag {
		more, err := k.RunOneTimeslice(ctx)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// run runs the loop with the given turn. Before the first one the loop looks at the handles, and
// waits if nothing is due: what is ready goes ahead of what is due.
func (k *Kernel) run(ctx context.Context, turn func() (time.Duration, bool)) error {
	if k.running || k.depth > 0 {
		return ErrRunning
	}
	k.running, k.ctx = true, ctx
	release := context.AfterFunc(ctx, k.loop.Wake)
	defer func() {
		release()
		k.running, k.ctx = false, context.Background()
	}()
	first := true
	err := k.loop.Run(k.ready, func() (time.Duration, bool) {
		look := first && len(k.sessions) > 0 && !k.isIdle() && ctx.Err() == nil &&
			(k.nWatched > 0 || !k.isDue())
		first = false
		if look {
			return k.wait(), true
		}
		return turn()
	})
	if len(k.sessions) == 0 {
		k.finish()
	}
	if failed := k.exception; failed != nil {
		k.exception = nil
		if err != nil {
			failed = errors.Join(failed, err)
		}
		return failed
	}
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}

// finish looks, at the end of a program, for what should not be there any more, and says what it
// is. There is no session left that could have it: it is a mistake of the kernel, or of a Loop.
func (k *Kernel) finish() {
	for fd, d := range k.watched {
		if d != nil {
			k.log.Error("kernel: leak: a descriptor is watched", zap.Int("descriptor", fd),
				zap.Int("watches", len(d.watches)))
		}
	}
	for name, s := range k.aliases {
		k.log.Error("kernel: leak: an alias", zap.String("alias", string(name)),
			zap.Stringer("session", s))
	}
	for pid := range k.children.byPid {
		k.log.Error("kernel: leak: a child process is waited for", zap.Int("process", pid))
	}
	for c := k.root.firstChild; c != nil; c = c.nextSibling {
		k.log.Error("kernel: leak: a session", zap.String("why", c.WhyAlive().String()))
	}
	if k.busy != 0 {
		k.log.Error("kernel: leak: reasons to live", zap.Int("count", k.busy))
	}
}

// Stop stops all sessions, children before their parents: each gets Stop, and its parent hears of
// it. Events that wait are dropped. The handler that called it goes on, but its session is gone.
// Sessions that are created after that work, and the same Run goes on with them.
//
// POE: stop.
func (k *Kernel) Stop() {
	all := k.root.family()
	for _, s := range all {
		if s != k.root {
			k.end(s)
		}
	}
}
