package kernel

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Report says why a kernel still runs: for each session, what keeps it. Its sessions are in the
// order in which they were created.
type Report struct {
	Sessions []SessionReport
}

// A SessionReport says what keeps one session alive.
type SessionReport struct {
	ID      ID
	Aliases []Alias
	Parent  ID
	Reasons []Reason
}

// A Reason is one kind of thing that keeps a session alive.
type Reason struct {
	What   string   // "events to it", "handles", "child processes" and so on
	Count  int      // how many of them
	Detail []string // each of them, where the kernel knows more than the number
}

// maxDetail is how many things of one kind a report names.
const maxDetail = 20

// WhyAlive reports, for each session, what keeps it alive.
func (k *Kernel) WhyAlive() Report {
	var r Report
	for _, id := range slices.Sorted(maps.Keys(k.sessions)) {
		r.Sessions = append(r.Sessions, k.sessions[id].WhyAlive())
	}
	return r
}

// WhyAlive reports what keeps s alive.
func (s *Session) WhyAlive() SessionReport {
	r := SessionReport{ID: s.id, Aliases: s.AliasList()}
	if s.parent != nil {
		r.Parent = s.parent.id
	}
	details := s.details()
	for why, n := range s.kept {
		if n == 0 {
			continue
		}
		d := details[reason(why)]
		if len(d) > maxDetail {
			d = append(d[:maxDetail:maxDetail], fmt.Sprintf("and %d more", len(d)-maxDetail))
		}
		r.Reasons = append(r.Reasons, Reason{What: reason(why).String(), Count: int(n), Detail: d})
	}
	return r
}

// details names the things that the session has, as far as the kernel knows them.
func (s *Session) details() map[reason][]string {
	k := s.kernel
	d := make(map[reason][]string)
	add := func(why reason, format string, args ...any) {
		d[why] = append(d[why], fmt.Sprintf(format, args...))
	}
	for _, name := range s.aliases {
		add(hasAlias, "%s", name)
	}
	for c := s.firstChild; c != nil; c = c.nextSibling {
		add(hasChildren, "%v", c)
	}
	for _, name := range slices.Sorted(maps.Keys(s.alarms)) {
		for e := s.alarms[name]; e != nil; e = e.nextNamed {
			in := (e.due - k.now).Round(time.Millisecond)
			add(hasEvents, "alarm %q, due in %v", name, in)
		}
	}
	for e := k.queue.first; e != nil; e = e.next {
		if e.Session == s && e.kind == fresh {
			add(hasEvents, "its first turn")
		} else if e.Session == s {
			add(hasEvents, "%q from %v", e.Name, e.Sender)
		} else if e.Sender == s {
			add(hasSent, "%q to %v", e.Name, e.Session)
		}
	}
	for _, w := range s.watches {
		paused := ""
		if w.paused {
			paused = ", paused"
		}
		add(hasWatch, "descriptor %d, %v, for %q%s", w.fd, w.mode, w.event, paused)
	}
	if t := s.taken; t != nil {
		for _, tag := range slices.Sorted(maps.Keys(t.refcounts)) {
			add(hasRefcount, "%q, %d", tag, t.refcounts[tag])
		}
		for _, pid := range t.pids {
			add(hasPid, "process %d", pid)
		}
		for j := range t.work {
			add(hasWork, "for %q", j.event)
		}
		slices.Sort(d[hasWork])
	}
	return d
}

// String returns the report as text, a line for each session and below it one for each reason.
func (r Report) String() string {
	if len(r.Sessions) == 0 {
		return "no session is alive\n"
	}
	var b strings.Builder
	for _, s := range r.Sessions {
		b.WriteString(s.String())
	}
	return b.String()
}

// String returns the report as text.
func (r SessionReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "session %d", r.ID)
	for _, name := range r.Aliases {
		fmt.Fprintf(&b, " (%s)", name)
	}
	if r.Parent != 0 {
		fmt.Fprintf(&b, ", child of %d", r.Parent)
	}
	b.WriteString(":")
	if len(r.Reasons) == 0 {
		b.WriteString(" nothing keeps it")
	}
	b.WriteString("\n")
	for _, why := range r.Reasons {
		fmt.Fprintf(&b, "  %d %s", why.Count, why.What)
		if len(why.Detail) > 0 {
			fmt.Fprintf(&b, ": %s", strings.Join(why.Detail, "; "))
		}
		b.WriteString("\n")
	}
	return b.String()
}
