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
	line := k.inLine()
	for _, id := range slices.Sorted(maps.Keys(k.sessions)) {
		r.Sessions = append(r.Sessions, k.sessions[id].report(line))
	}
	return r
}

// WhyAlive reports what keeps s alive.
func (s *Session) WhyAlive() SessionReport { return s.report(s.kernel.inLine()) }

func (s *Session) report(line map[*Session]details) SessionReport {
	r := SessionReport{ID: s.id, Aliases: s.AliasList()}
	if s.parent != nil {
		r.Parent = s.parent.id
	}
	known := s.details(line[s])
	for why, n := range s.kept {
		if n == 0 {
			continue
		}
		list := known[reason(why)]
		if more := int(n) - len(list); len(list) >= maxDetail && more > 0 {
			list = append(list, fmt.Sprintf("and %d more", more))
		}
		r.Reasons = append(r.Reasons, Reason{reason(why).String(), int(n), list})
	}
	return r
}

// details name things that a session has, some of each kind.
type details map[reason][]string

// add names one more, if there is room for it.
func (d details) add(why reason, format string, args ...any) {
	if len(d[why]) < maxDetail {
		d[why] = append(d[why], fmt.Sprintf(format, args...))
	}
}

// inLine names the events of the line, for each session that they are to or from.
func (k *Kernel) inLine() map[*Session]details {
	line := make(map[*Session]details)
	of := func(s *Session) details {
		if line[s] == nil {
			line[s] = make(details)
		}
		return line[s]
	}
	for e := k.queue.first; e != nil; e = e.next {
		switch {
		case e.kind == fresh:
			of(e.Session).add(hasEvents, "its first turn")
			continue
		case e.Session != e.Sender:
			of(e.Sender).add(hasSent, "%q to %v", e.Name, e.Session)
		}
		of(e.Session).add(hasEvents, "%q from %v", e.Name, e.Sender)
	}
	return line
}

// details adds to those of the line what else the kernel knows.
func (s *Session) details(d details) details {
	k := s.kernel
	if d == nil {
		d = make(details)
	}
	for _, name := range s.names() {
		d.add(hasAlias, "%s", name)
	}
	for c := s.firstChild; c != nil && len(d[hasChildren]) < maxDetail; c = c.nextSibling {
		d.add(hasChildren, "%v", c)
	}
	for _, name := range slices.Sorted(maps.Keys(s.alarms)) {
		for e := s.alarms[name]; e != nil && len(d[hasEvents]) < maxDetail; e = e.nextNamed {
			in := (e.due - k.now).Round(time.Millisecond)
			d.add(hasEvents, "alarm %q, due in %v", name, in)
		}
	}
	for _, w := range s.watches {
		paused := ""
		if w.paused {
			paused = ", paused"
		}
		d.add(hasWatch, "descriptor %d, %v, for %q%s", w.fd, w.mode, w.event, paused)
	}
	if t := s.taken; t != nil {
		for _, tag := range slices.Sorted(maps.Keys(t.refcounts)) {
			d.add(hasRefcount, "%q, %d", tag, t.refcounts[tag])
		}
		for _, pid := range t.pids {
			d.add(hasPid, "process %d", pid)
		}
		for j := range t.work {
			d.add(hasWork, "for %q", j.event)
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
