package kernel_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// inSession runs f as the only handler of a session.
func inSession(t *testing.T, f func(e *kernel.Event)) {
	t.Helper()
	k := newKernel(t)
	k.Create(session.Events{kernel.Start: func(e *kernel.Event) { e.Session.Yield("f") }, "f": f})
	run(t, k)
}

func TestAlarmOfAnotherSession(t *testing.T) {
	k := newKernel(t)
	var id kernel.AlarmID
	k.Create(session.Events{kernel.Start: func(e *kernel.Event) {
		id = e.Session.DelaySet("mine", 20*time.Millisecond)
	}})
	k.Create(session.Events{kernel.Start: func(e *kernel.Event) {
		_, adjust := e.Session.AlarmAdjust(id, time.Second)
		_, delay := e.Session.DelayAdjust(id, time.Second)
		_, remove := e.Session.AlarmRemove(id)
		for _, err := range []error{adjust, delay, remove} {
			if !errors.Is(err, kernel.ErrNotOwner) {
				t.Errorf("got %v, want ErrNotOwner", err)
			}
		}
		if _, err := e.Session.AlarmRemove(kernel.AlarmID{}); !errors.Is(err, kernel.ErrInvalid) {
			t.Errorf("got %v, want ErrInvalid", err)
		}
	}})
	run(t, k)
}

// An AlarmID stands for one alarm only, though the kernel uses its memory again.
func TestAlarmIDsAreNotUsedAgain(t *testing.T) {
	inSession(t, func(e *kernel.Event) {
		s := e.Session
		old := s.DelaySet("x", time.Hour)
		if _, err := s.AlarmRemove(old); err != nil {
			t.Fatal(err)
		}
		fresh := s.DelaySet("y", time.Hour)
		if _, err := s.AlarmRemove(old); !errors.Is(err, kernel.ErrNoAlarm) {
			t.Errorf("got %v, want ErrNoAlarm", err)
		}
		if a, err := s.AlarmRemove(fresh); err != nil || a.Name != "y" {
			t.Errorf("got %+v, %v; want the alarm y", a, err)
		}
	})
}

// Whatever is set, moved and removed, alarms come in the order of their times, and those of one
// time in the order in which they got it.
func TestAlarmsComeInOrder(t *testing.T) {
	const n = 2000
	rng := rand.New(rand.NewPCG(1, 2))
	type expected struct {
		due time.Duration
		seq int
		i   int
	}
	var want []expected
	var got []int
	inSession(t, func(e *kernel.Event) {
		s := e.Session
		s.State("ring", session.On(func(_ *kernel.Event, i int) { got = append(got, i) }))
		base := e.Kernel.Now()
		seq := 0
		live := map[int]*expected{}
		ids := map[int]kernel.AlarmID{}
		for i := range n {
			due := time.Duration(rng.IntN(50)) * 100 * time.Microsecond
			seq++
			live[i] = &expected{due, seq, i}
			ids[i] = s.AlarmSet("ring", base.Add(due), i)
			switch j := rng.IntN(i + 1); {
			case live[j] == nil:
			case rng.IntN(3) == 0:
				if _, err := s.AlarmRemove(ids[j]); err != nil {
					t.Fatal(err)
				}
				delete(live, j)
			case rng.IntN(2) == 0:
				delta := time.Duration(rng.IntN(7)-3) * 100 * time.Microsecond
				if _, err := s.AlarmAdjust(ids[j], delta); err != nil {
					t.Fatal(err)
				}
				if live[j].due += delta; delta != 0 {
					seq++
					live[j].seq = seq
				}
			}
		}
		for _, x := range live {
			want = append(want, *x)
		}
	})
	slices.SortFunc(want, func(a, b expected) int {
		if a.due != b.due {
			return int(a.due - b.due)
		}
		return a.seq - b.seq
	})
	if len(got) != len(want) {
		t.Fatalf("got %d alarms, want %d", len(got), len(want))
	}
	for i, x := range want {
		if got[i] != x.i {
			t.Fatalf("alarm %d is number %d, want %d", i, got[i], x.i)
		}
	}
}

// A steppedLoop is the system's loop with a wall clock that somebody sets.
type steppedLoop struct {
	kernel.Loop
	step time.Duration
}

// Now returns a time whose wall clock reading is off by step, and whose monotonic one is not.
func (l *steppedLoop) Now() time.Time { return stepWall(l.Loop.Now(), l.step) }

// A step of the wall clock moves no alarm that is set; one that is set after it, for a time by the
// wall clock, goes by the new one.
func TestWallClockStep(t *testing.T) {
	loop := &steppedLoop{Loop: kernel.NewLoop()}
	k, _ := watchedKernel(t, kernel.Options{Loop: loop})
	var j journal
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			s := e.Session
			s.Delay("delay", 10*time.Millisecond)
			s.Alarm("alarm", k.Now().Round(0).Add(20*time.Millisecond))
			loop.step = -time.Hour
			s.Alarm("after the step", k.Now().Round(0).Add(30*time.Millisecond))
			s.Alarm("hour", k.Now().Round(0).Add(-time.Hour)) // in the past by any clock
		},
		"delay":          j.note("delay"),
		"alarm":          j.note("alarm"),
		"after the step": j.note("after the step"),
		"hour":           j.note("hour"),
	})
	run(t, k)
	j.want(t, "hour", "delay", "alarm", "after the step")
}

// stepWall moves the wall clock reading of now and leaves the monotonic one, as only the system
// can. The first word of a time.Time with both holds the seconds of the wall clock above its
// lowest 30 bits.
func stepWall(now time.Time, step time.Duration) time.Time {
	wall := (*uint64)(unsafe.Pointer(&now))
	*wall += uint64(step/time.Second) << 30
	return now
}

func TestStepWall(t *testing.T) {
	now := time.Now()
	stepped := stepWall(now, -time.Hour)
	if got := stepped.Sub(now); got != 0 {
		t.Errorf("the monotonic clock moved by %v", got)
	}
	if got := stepped.Round(0).Sub(now.Round(0)); got != -time.Hour {
		t.Errorf("the wall clock moved by %v, want -1h", got)
	}
}

func TestAlarmWithoutATimePanics(t *testing.T) {
	inSession(t, func(e *kernel.Event) {
		for _, f := range []func(){
			func() { e.Session.Alarm("x", time.Time{}) },
			func() { e.Session.AlarmAdd("x", time.Time{}) },
			func() { e.Session.AlarmSet("x", time.Time{}) },
		} {
			if err := panicOf(f); !errors.Is(err, kernel.ErrInvalid) {
				t.Errorf("got %v, want ErrInvalid", err)
			}
		}
	})
}

func TestDelaysBeyondTheEndOfTime(t *testing.T) {
	inSession(t, func(e *kernel.Event) {
		s := e.Session
		far := s.DelaySet("far", 1<<63-1)
		if _, err := s.AlarmAdjust(far, 1<<63-1); err != nil {
			t.Error(err)
		}
		s.DelaySet("before all", -1<<63)
		s.State("before all", func(*kernel.Event) {
			if _, err := s.AlarmRemove(far); err != nil {
				t.Error(err)
			}
		})
	})
}

// Setting, moving, delivering and removing an alarm costs no memory, once the kernel has had as
// many.
func TestAlarmsDoNotAllocate(t *testing.T) {
	inSession(t, func(e *kernel.Event) {
		s := e.Session
		for _, f := range []func(){
			func() {
				id := s.DelaySet("x", time.Hour)
				_, _ = s.DelayAdjust(id, time.Minute)
				s.AlarmClear("x")
			},
			func() { s.Delay("one", time.Hour) },
		} {
			if n := testing.AllocsPerRun(100, f); n != 0 {
				t.Errorf("got %v allocations, want 0", n)
			}
		}
		s.AlarmRemoveAll()
	})
}
