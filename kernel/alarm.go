package kernel

import (
	"fmt"
	"slices"
	"time"
)

// An AlarmID names one alarm of a kernel. The zero value names none.
type AlarmID struct {
	e  *Event
	id uint64
}

// String returns the alarm's number.
func (id AlarmID) String() string { return fmt.Sprintf("alarm %d", id.id) }

// An Alarm is what the kernel knew of an alarm that was removed.
type Alarm struct {
	ID   AlarmID
	Name string
	Due  time.Time
	Args []any
}

// Alarm has an event delivered at a time. It takes the place of all alarms of the session with
// that name, however they were set. A time in the past goes ahead of all that is in the queue.
//
// POE: alarm.
func (s *Session) Alarm(name string, when time.Time, args ...any) {
	s.replaceAlarm("Alarm", name, s.when("Alarm", when), args)
}

// AlarmAdd is Alarm, but leaves other alarms of that name.
//
// POE: alarm_add.
func (s *Session) AlarmAdd(name string, when time.Time, args ...any) {
	s.setAlarm("AlarmAdd", name, s.when("AlarmAdd", when), args)
}

// AlarmSet is AlarmAdd, and returns a name by which the alarm can be changed and removed. If the
// session has ended it returns the zero AlarmID.
//
// POE: alarm_set.
func (s *Session) AlarmSet(name string, when time.Time, args ...any) AlarmID {
	return s.setAlarm("AlarmSet", name, s.when("AlarmSet", when), args)
}

// Delay has an event delivered after a while, in place of all alarms of the session with that
// name. A while of 0 is like Yield; one below 0 is in the past.
//
// POE: delay.
func (s *Session) Delay(name string, d time.Duration, args ...any) {
	s.replaceAlarm("Delay", name, after(s.kernel.tick(), d), args)
}

// DelayAdd is Delay, but leaves other alarms of that name.
//
// POE: delay_add.
func (s *Session) DelayAdd(name string, d time.Duration, args ...any) {
	s.setAlarm("DelayAdd", name, after(s.kernel.tick(), d), args)
}

// DelaySet is DelayAdd, and returns a name by which the alarm can be changed and removed. If the
// session has ended it returns the zero AlarmID.
//
// POE: delay_set.
func (s *Session) DelaySet(name string, d time.Duration, args ...any) AlarmID {
	return s.setAlarm("DelaySet", name, after(s.kernel.tick(), d), args)
}

// AlarmClear removes all alarms of the session with that name, and returns their number.
//
// POE: alarm, or delay, with no time.
func (s *Session) AlarmClear(name string) int {
	n := 0
	for e := s.alarms[name]; e != nil; n++ {
		next := e.nextNamed
		s.removeAlarm(e)
		e = next
	}
	return n
}

// AlarmAdjust moves an alarm by a difference, and returns its new time. It returns ErrNoAlarm if
// the alarm was delivered or removed, ErrNotOwner if it is another session's, and ErrInvalid for
// the zero AlarmID.
//
// POE: alarm_adjust.
func (s *Session) AlarmAdjust(id AlarmID, delta time.Duration) (time.Time, error) {
	e, err := s.alarm(id)
	if err != nil {
		return time.Time{}, err
	}
	return s.moveAlarm(e, after(e.due, delta)), nil
}

// DelayAdjust moves an alarm to a while from now. See AlarmAdjust.
//
// POE: delay_adjust.
func (s *Session) DelayAdjust(id AlarmID, d time.Duration) (time.Time, error) {
	e, err := s.alarm(id)
	if err != nil {
		return time.Time{}, err
	}
	return s.moveAlarm(e, after(s.kernel.tick(), d)), nil
}

// AlarmRemove removes an alarm, and returns what it was. Its errors are those of AlarmAdjust.
//
// POE: alarm_remove.
func (s *Session) AlarmRemove(id AlarmID) (Alarm, error) {
	e, err := s.alarm(id)
	if err != nil {
		return Alarm{}, err
	}
	a := s.describeAlarm(e)
	s.removeAlarm(e)
	return a, nil
}

// AlarmRemoveAll removes all alarms of the session, and returns what they were, first due first.
//
// POE: alarm_remove_all.
func (s *Session) AlarmRemoveAll() []Alarm {
	var list []*Event
	for _, e := range s.alarms {
		for ; e != nil; e = e.nextNamed {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b *Event) int {
		if (alarmAt{due: a.due, seq: a.seq}).before(alarmAt{due: b.due, seq: b.seq}) {
			return -1
		}
		return 1
	})
	removed := make([]Alarm, len(list))
	for i, e := range list {
		removed[i] = s.describeAlarm(e)
		s.removeAlarm(e)
	}
	return removed
}

// AlarmDue returns the time at which an alarm is due. Its errors are those of AlarmAdjust.
func (s *Session) AlarmDue(id AlarmID) (time.Time, error) {
	e, err := s.alarm(id)
	if err != nil {
		return time.Time{}, err
	}
	return s.kernel.epoch.Add(e.due), nil
}

// when turns a point in time into one of the kernel's clock, now and once: a step of the wall
// clock after that does not move the alarm. Two alarms for the same time get the same.
func (s *Session) when(method string, t time.Time) time.Duration {
	if t.IsZero() {
		panic(fmt.Errorf("kernel: %s without a time: %w", method, ErrInvalid))
	}
	k := s.kernel
	now := k.loop.Now()
	elapsed := now.Sub(k.epoch)
	k.now = max(k.now, elapsed)
	if t != t.Round(0) { // it came from the monotonic clock, like the kernel's own
		return t.Sub(k.epoch)
	}
	wall := k.epoch.Round(0)
	if step := now.Round(0).Sub(wall) - elapsed; (step - k.stepped).Abs() > leastStep {
		k.stepped = step
	}
	return after(t.Sub(wall), -k.stepped)
}

// leastStep is the least difference between the wall clock and the monotonic one that is taken for
// a step of the wall clock. What is smaller would only disturb the order of alarms for the same
// time.
const leastStep = time.Millisecond

// after adds two durations, and stays at the end of time where the sum would pass it.
func after(t, d time.Duration) time.Duration {
	sum := t + d
	switch {
	case d > 0 && sum < t:
		return 1<<63 - 1
	case d < 0 && sum > t:
		return -1 << 63
	}
	return sum
}

// setAlarm puts an alarm into the queue. It keeps the session alive.
func (s *Session) setAlarm(method, name string, due time.Duration, args []any) AlarmID {
	if name == "" {
		panic(fmt.Errorf("kernel: %s without a name: %w", method, ErrInvalid))
	}
	if s == s.kernel.root {
		panic(fmt.Errorf("kernel: %s for the root, which handles nothing: %w", method, ErrInvalid))
	}
	if s.ended() {
		return AlarmID{}
	}
	k := s.kernel
	e := k.event(s, s, name)
	e.setArgs(args)
	k.stamp(e)
	e.due, e.id = due, e.seq
	k.queue.add(e)
	s.keep(hasEvents)
	s.nameAlarm(e)
	if k.trace&TraceEvents != 0 {
		k.traceQueued(e)
	}
	return AlarmID{e, e.id}
}

// replaceAlarm sets an alarm, and removes all others with its name. The common case, one alarm
// that is set again and again, only moves it.
func (s *Session) replaceAlarm(method, name string, due time.Duration, args []any) {
	e := s.alarms[name]
	if e == nil || e.nextNamed != nil {
		s.AlarmClear(name)
		s.setAlarm(method, name, due, args)
		return
	}
	k := s.kernel
	e.argv = [inPlace]any{}
	e.setArgs(args)
	e.SenderEvent = k.ActiveEvent()
	k.stamp(e)
	e.due, e.id = due, e.seq
	k.queue.moved(e)
}

// moveAlarm gives an alarm another time. It goes behind others of that time, unless it is its own.
func (s *Session) moveAlarm(e *Event, due time.Duration) time.Time {
	k := s.kernel
	if due != e.due {
		k.stamp(e)
		e.due = due
		k.queue.moved(e)
	}
	return k.epoch.Add(e.due)
}

// alarm returns the event that id names, if it waits, and is one of the session's.
func (s *Session) alarm(id AlarmID) (*Event, error) {
	switch {
	case id.e == nil:
		return nil, s.kernel.failed(fmt.Errorf("no alarm named: %w", ErrInvalid))
	case id.e.id != id.id:
		return nil, s.kernel.failed(fmt.Errorf("%v: %w", id, ErrNoAlarm))
	case id.e.Session != s:
		return nil, s.kernel.failed(fmt.Errorf("%v: %w", id, ErrNotOwner))
	}
	return id.e, nil
}

func (s *Session) describeAlarm(e *Event) Alarm {
	return Alarm{
		ID:   AlarmID{e, e.id},
		Name: e.Name,
		Due:  s.kernel.epoch.Add(e.due),
		Args: append([]any{}, e.Args...),
	}
}

// removeAlarm takes an alarm out of the queue.
func (s *Session) removeAlarm(e *Event) {
	k := s.kernel
	k.queue.remove(e)
	s.forgetAlarm(e)
	s.drop(hasEvents)
	k.pool.put(e)
}

// nameAlarm enters an alarm under its name.
func (s *Session) nameAlarm(e *Event) {
	if s.alarms == nil {
		s.alarms = make(map[string]*Event)
	}
	head := s.alarms[e.Name]
	if head == nil {
		s.alarms[e.Name] = e
		return
	}
	// Behind the first, so that the map is left as it is.
	e.prevNamed, e.nextNamed = head, head.nextNamed
	if head.nextNamed != nil {
		head.nextNamed.prevNamed = e
	}
	head.nextNamed = e
}

// forgetAlarm takes an alarm from under its name.
func (s *Session) forgetAlarm(e *Event) {
	if e.nextNamed != nil {
		e.nextNamed.prevNamed = e.prevNamed
	}
	switch {
	case e.prevNamed != nil:
		e.prevNamed.nextNamed = e.nextNamed
	case e.nextNamed != nil:
		s.alarms[e.Name] = e.nextNamed
	default:
		delete(s.alarms, e.Name)
	}
	e.prevNamed, e.nextNamed = nil, nil
	e.id = 0
}

// freeAlarms removes the alarms of a session that ends.
func (s *Session) freeAlarms() {
	for _, e := range s.alarms {
		for e != nil {
			next := e.nextNamed
			s.kernel.queue.remove(e)
			e.prevNamed, e.nextNamed, e.id = nil, nil, 0
			s.kernel.dead--
			s.kernel.pool.put(e)
			e = next
		}
	}
	s.alarms = nil
}
