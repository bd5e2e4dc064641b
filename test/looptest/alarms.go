package looptest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
)

// alarms is the suite for time. It follows POE's k_alarms.
var alarms = []test{
	{"AlarmsByName", alarmsByName},
	{"AlarmsInOrder", alarmsInOrder},
	{"AlarmsByID", alarmsByID},
	{"PastGoesFirst", pastGoesFirst},
	{"AlarmsAreNotEarly", alarmsAreNotEarly},
	{"YieldLetsTimePass", yieldLetsTimePass},
	{"PostInterruptsWait", postInterruptsWait},
}

// ms is a number of milliseconds. The suite's alarms are a few of them apart.
func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func alarmsByName(t *testing.T, loop kernel.Loop) {
	in := func(n int) time.Time { return loop.Now().Add(ms(n)) }
	for _, test := range []struct {
		name string
		set  func(s *kernel.Session)
		want []string
	}{
		{"alarm", func(s *kernel.Session) { s.Alarm("ring", in(1), 1) }, []string{"1"}},
		{"alarm replaces", func(s *kernel.Session) {
			s.Alarm("ring", in(1), 1)
			s.Alarm("ring", in(2), 2)
		}, []string{"2"}},
		{"alarm add", func(s *kernel.Session) {
			s.AlarmAdd("ring", in(3), 1)
			s.AlarmAdd("ring", in(1), 2)
		}, []string{"2", "1"}},
		{"alarm replaces those added", func(s *kernel.Session) {
			s.Alarm("ring", in(1), 1)
			s.AlarmAdd("ring", in(2), 2)
			s.Alarm("ring", in(3), 3)
			s.AlarmAdd("ring", in(5), 4)
		}, []string{"3", "4"}},
		{"alarm cleared", func(s *kernel.Session) {
			s.Alarm("ring", in(1), 1)
			s.AlarmAdd("ring", in(1), 2)
			if n := s.AlarmClear("ring"); n != 2 {
				t.Errorf("AlarmClear: %d, want 2", n)
			}
		}, nil},
		{"delay", func(s *kernel.Session) { s.Delay("ring", ms(1), 1) }, []string{"1"}},
		{"delay replaces", func(s *kernel.Session) {
			s.Delay("ring", ms(1), 1)
			s.Delay("ring", ms(2), 2)
		}, []string{"2"}},
		{"delay add", func(s *kernel.Session) {
			s.DelayAdd("ring", ms(3), 1)
			s.DelayAdd("ring", ms(1), 2)
		}, []string{"2", "1"}},
		{"delay replaces alarm", func(s *kernel.Session) {
			s.Alarm("ring", in(1), 1)
			s.AlarmAdd("ring", in(2), 2)
			s.Delay("ring", ms(3), 3)
			s.DelayAdd("ring", ms(5), 4)
		}, []string{"3", "4"}},
		{"delay cleared", func(s *kernel.Session) {
			s.DelayAdd("ring", ms(1), 1)
			s.DelayAdd("other", ms(2), 2)
			s.AlarmClear("ring")
		}, []string{"2"}},
	} {
		k, got := newKernel(t, loop), []string(nil)
		ring := func(e *kernel.Event) { got = append(got, fmt.Sprint(e.Args...)) }
		k.Create(table{
			kernel.Start: func(e *kernel.Event) { test.set(e.Session) },
			"ring":       ring,
			"other":      ring,
		})
		runKernel(t, k)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

// Alarms ring in the order of their times, and for the same time in that in which they were set,
// whatever else was in the queue meanwhile.
func alarmsInOrder(t *testing.T, loop kernel.Loop) {
	const fillers = 300
	offsets := []int{9, 3, 3, 12, 1, 7, 7, 7, 15, 2, 11, 5, 14, 3, 10, 1, 8, 6, 13}
	var want []string
	for at := range slices.Max(offsets) + 1 {
		for i, offset := range offsets {
			if offset == at {
				want = append(want, fmt.Sprint(i))
			}
		}
	}
	k := newKernel(t, loop)
	got := &story{t: t}
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			began := loop.Now()
			for i := range fillers {
				e.Session.AlarmAdd("filler", began.Add(ms(i*7919%97)))
			}
			for i, offset := range offsets {
				e.Session.AlarmAdd("ring", began.Add(ms(offset)), i)
			}
			if n := e.Session.AlarmClear("filler"); n != fillers {
				t.Errorf("AlarmClear: %d, want %d", n, fillers)
			}
		},
		"ring":   func(e *kernel.Event) { got.tell("%d", e.Args[0]) },
		"filler": func(*kernel.Event) { t.Error("an alarm rings that was removed") },
	})
	runKernel(t, k)
	got.is(want...)
}

func alarmsByID(t *testing.T, loop kernel.Loop) {
	k := newKernel(t, loop)
	rung := &story{t: t}
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			s, began := e.Session, loop.Now()
			removed := s.AlarmSet("removed", began.Add(ms(1)), "a", 1)
			alarm, err := s.AlarmRemove(removed)
			if err != nil || alarm.Name != "removed" || !alarm.Due.Equal(began.Add(ms(1))) ||
				fmt.Sprint(alarm.Args...) != "a1" {
				t.Errorf("AlarmRemove: %+v, %v", alarm, err)
			}
			_, err = s.AlarmRemove(removed)
			wants(t, err, kernel.ErrNoAlarm)

			s.DelaySet("wiped", ms(2))
			s.AlarmSet("wiped", began.Add(ms(1)))
			if all := s.AlarmRemoveAll(); len(all) != 2 || all[0].Due.After(all[1].Due) {
				t.Errorf("AlarmRemoveAll: %v", all)
			}

			var ids [6]kernel.AlarmID
			for i := range ids {
				ids[i] = s.AlarmSet("ring", began.Add(ms(2+i)), i)
			}
			move := func(i, by, want int) {
				got, err := s.AlarmAdjust(ids[i], ms(by))
				if err != nil || !got.Equal(began.Add(ms(want))) {
					t.Errorf("AlarmAdjust: %v, %v, want %v", got, err, began.Add(ms(want)))
				}
			}
			move(0, 10, 12)
			move(5, -6, 1)
			move(3, 3, 8)
			move(3, -2, 6) // now with 4, and behind it
			move(2, 2, 6)  // and so is this
			due, err := s.DelayAdjust(ids[1], ms(15))
			if err != nil || due.Before(began.Add(ms(15))) {
				t.Errorf("DelayAdjust: %v, %v", due, err)
			}
			e.Session.Create(table{
				kernel.Start: func(e *kernel.Event) {
					_, err := e.Session.AlarmRemove(ids[0])
					wants(t, err, kernel.ErrNotOwner)
				},
			})
		},
		"ring": func(e *kernel.Event) { rung.tell("%d", e.Args[0]) },
	})
	runKernel(t, k)
	rung.is("5", "4", "3", "2", "0", "1")
}

// The queue has one order: alarms of the past, then whatever is due now in the order in which it
// was sent.
func pastGoesFirst(t *testing.T, loop kernel.Loop) {
	k := newKernel(t, loop)
	got := &story{t: t}
	note := func(e *kernel.Event) { got.tell("%s", e.Name) }
	events := table{
		kernel.Start: func(e *kernel.Event) {
			s, now := e.Session, loop.Now()
			s.Yield("yield 1")
			s.Delay("delay 0", 0)
			must(t, s.Post(s, "post"))
			s.Alarm("alarm 2 s ago", now.Add(-2*time.Second))
			s.Delay("delay of -1 s", -time.Second)
			s.Yield("yield 2")
			s.Alarm("alarm 3 s ago", now.Add(-3*time.Second))
			s.DelaySet("delay set 0", 0)
			s.Yield("yield 3")
		},
	}
	want := []string{
		"alarm 3 s ago", "alarm 2 s ago", "delay of -1 s",
		"yield 1", "delay 0", "post", "yield 2", "delay set 0", "yield 3",
	}
	for _, name := range want {
		events[name] = note
	}
	k.Create(events)
	runKernel(t, k)
	got.is(want...)
}

func alarmsAreNotEarly(t *testing.T, loop kernel.Loop) {
	k := newKernel(t, loop)
	var due time.Time
	k.Create(table{
		kernel.Start: func(e *kernel.Event) { e.Session.Yield("set", 5) },
		"set": func(e *kernel.Event) {
			due = loop.Now().Add(ms(1))
			e.Session.Alarm("ring", due, e.Args[0])
		},
		"ring": func(e *kernel.Event) {
			if now := loop.Now(); now.Before(due) {
				t.Errorf("an alarm rings %v too early", due.Sub(now))
			}
			if left := kernel.Arg[int](e, 0); left > 1 {
				e.Session.Yield("set", left-1)
			}
		},
	})
	runKernel(t, k)
}

// A session that sends itself one event after the other stops neither time nor others.
func yieldLetsTimePass(t *testing.T, loop kernel.Loop) {
	k := newKernel(t, loop)
	rung := false
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Yield("again")
			e.Session.Delay("ring", ms(3))
		},
		"again": func(e *kernel.Event) {
			if !rung {
				e.Session.Yield("again")
			}
		},
		"ring": func(*kernel.Event) { rung = true },
	})
	runKernel(t, k)
}

// A kernel that waits for an alarm takes what comes in before that.
func postInterruptsWait(t *testing.T, loop kernel.Loop) {
	k := newKernel(t, loop)
	got := &story{t: t}
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Delay("never", time.Hour)
			door := e.Session.Door()
			loop.Go(func() {
				if err := door.Post("knock", door); err != nil {
					t.Errorf("Post: %v", err)
				}
			})
		},
		"knock": func(e *kernel.Event) {
			got.tell("knock")
			kernel.Arg[*kernel.Door](e, 0).Close()
			e.Session.AlarmClear("never")
		},
		kernel.Stop: func(*kernel.Event) { got.tell("stop") },
	})
	runKernel(t, k)
	got.is("knock", "stop")
}
