package sim

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/go-poe/poe/kernel"
)

// Options are the options of a World. The zero value makes a world in which nothing takes time, and
// nothing goes wrong.
type Options struct {
	Seed  uint64    // of all that is random
	Begin time.Time // what the clock shows at first; zero means the start of 2030, UTC
	Trace io.Writer // takes a line for each thing that happens; nil means none

	Latency  time.Duration // of TCP and UDP, one way; 0 means that what is sent has arrived
	Jitter   time.Duration // random addition to Latency and WorkTime, up to this
	WorkTime time.Duration // how long slow work takes

	Buffer         int           // bytes on their way in one direction of a stream; 0 means 65,536
	Descriptors    int           // open on one machine; 0 means 65,536
	ConnectTimeout time.Duration // of a connect that nobody answers; 0 means 127 seconds
	MaxTurns       int           // of one Run, which then returns ErrEndless; 0 means 10,000,000

	// External says that other goroutines will call Wake. Run then waits for them, really, where it
	// would return ErrDeadlock.
	External bool

	Faults Faults // what goes wrong
}

// A World is a clock, a network and a table of hosts, and the first of the machines in it. See the
// package's comment.
//
// A World is for one goroutine, except for Wake.
type World struct {
	*Machine // the first, which has the addresses 10.0.0.1 and fd00::1

	opts     Options
	now      time.Duration // since opts.Begin
	random   *rand.Rand
	schedule schedule
	machines []*Machine
	owners   map[netip.Addr]*Machine
	holes    []netip.Prefix
	hosts    map[string]host
	task     *task // that runs, in Together
	wakes    chan struct{}
}

// What Run returns when there is no point in going on.
var (
	ErrDeadlock = errors.New("sim: deadlock: nothing will ever happen")
	ErrEndless  = errors.New("sim: the program goes on without end")
)

// never is later than any time.
const never = time.Duration(math.MaxInt64)

// NewWorld returns a world without latency and without faults.
func NewWorld() *World { return New(Options{}) }

// New returns a world. It panics if an option is below 0, or a probability above 1.
func New(opts Options) *World {
	if opts.Latency < 0 || opts.Jitter < 0 || opts.WorkTime < 0 || opts.ConnectTimeout < 0 ||
		opts.Buffer < 0 || opts.Descriptors < 0 || opts.MaxTurns < 0 {
		panic("sim: an option below 0")
	}
	opts.Faults.check()
	if opts.Begin.IsZero() {
		opts.Begin = time.Date(2030, time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	opts.Begin = opts.Begin.Round(0)
	orDefault(&opts.Buffer, 65536)
	orDefault(&opts.Descriptors, 65536)
	orDefault(&opts.ConnectTimeout, 127*time.Second)
	orDefault(&opts.MaxTurns, 10_000_000)
	w := &World{
		opts:   opts,
		random: rand.New(rand.NewPCG(opts.Seed, 0)),
		owners: make(map[netip.Addr]*Machine),
		hosts:  make(map[string]host),
		wakes:  make(chan struct{}, 1),
	}
	w.AddHost("localhost", netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	w.Machine = w.NewMachine()
	return w
}

func orDefault[T int | time.Duration](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}

// Elapsed returns how far the clock is from Options.Begin.
func (w *World) Elapsed() time.Duration { return w.now }

// After has f called when the clock has advanced by d, while a machine runs. Each kernel makes a
// turn after that, and so sees what f has done: f may cancel a context, open a Door, or reset a
// connection.
func (w *World) After(d time.Duration, f func()) {
	w.at(later(w.now, max(d, 0)), func() {
		f()
		for _, m := range w.machines {
			m.Wake()
		}
	})
}

// at has do called when the clock shows t.
func (w *World) at(t time.Duration, do func()) { w.schedule.push(t, do) }

// settle does what is due.
func (w *World) settle() {
	for w.schedule.first() <= w.now {
		w.schedule.pop()()
	}
}

// advance moves the clock to until, or to the next thing that is due, if that is earlier.
func (w *World) advance(until time.Duration) error {
	next := min(until, w.schedule.first())
	switch {
	case next != never:
		w.now = max(w.now, next)
		return nil
	case w.opts.External:
		<-w.wakes
		return nil
	}
	w.tracef("deadlock")
	return ErrDeadlock
}

// delay draws how long something takes that takes at least d.
func (w *World) delay(d time.Duration) time.Duration {
	if w.opts.Jitter > 0 {
		d += time.Duration(w.random.Int64N(int64(w.opts.Jitter) + 1))
	}
	return d
}

// later adds d to t, and stays at the end of time where the sum would pass it.
func later(t, d time.Duration) time.Duration {
	if d > never-t {
		return never
	}
	return t + d
}

// tracef writes a line of the trace.
func (w *World) tracef(format string, args ...any) {
	if w.opts.Trace == nil {
		return
	}
	line := fmt.Sprintf(format, args...)
	_, _ = fmt.Fprintf(w.opts.Trace, "%d.%09d %s\n", w.now/time.Second, w.now%time.Second, line)
}

var _ kernel.Loop = (*World)(nil)
