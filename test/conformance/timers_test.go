package conformance

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// The ports of the cases about timers.
func init() {
	inBothWorlds("timer-id-adjust-remove", timersByID)
	inBothWorlds("timer-named-replace", timersByName)
	inBothWorlds("timer-remove-all", removeAllTimers)
	inBothWorlds("timer-remove-all-delay-time-bug", removedTimersAreDue)
}

// Where the original leaves out an argument that Go's compiler insists on, the port does so by
// reflection. Where it passes undef, the port passes the zero value.
func timersByID(p *program) {
	base := p.k.Now()
	rel := func(t time.Time) string { return fmt.Sprintf("%.2f", t.Sub(base).Seconds()) }
	entry := func(a kernel.Alarm) string { return Show([]any{a.Name, rel(a.Due), a.Args}) }
	var a, b, c kernel.AlarmID
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			s := e.Session
			a = s.AlarmSet("a", base.Add(ms(500)), "arg-a", 2)
			b = s.AlarmSet("b", base.Add(ms(600)))
			c = s.DelaySet("c", 5*time.Second)
			distinct := "no"
			if a != b && b != c && a != c {
				distinct = "yes"
			}
			p.Out("ids distinct", distinct)

			due, _ := s.AlarmAdjust(a, -ms(250)) // now 0.25
			p.Out("adjust a", rel(due))
			due, _ = s.AlarmAdjust(a, ms(50)) // now 0.30
			p.Out("adjust a", rel(due))
			due, _ = s.DelayAdjust(c, ms(200))
			p.Out("delay_adjust c", fmt.Sprintf("%.2f", due.Sub(p.k.Now()).Seconds()))

			gone, _ := s.AlarmRemove(b)
			p.Out("remove b", entry(gone))
			var twice []any
			gone, err := s.AlarmRemove(b)
			if err == nil {
				twice = []any{entry(gone)}
			}
			p.Out("remove b again", Show(twice), Errname(err))
			gone, _ = s.AlarmRemove(s.AlarmSet("d", base.Add(9*time.Second), "x", "y"))
			p.Out("remove d in scalar context", entry(gone))

			var none kernel.AlarmID
			_, err = s.AlarmRemove(none)
			p.result("remove undef", "alarm", err)
			due, err = s.AlarmAdjust(b, time.Second)
			p.result("adjust removed", rel(due), err)
			due, err = s.AlarmAdjust(none, time.Second)
			p.result("adjust undef id", rel(due), err)
			err = refusal(func() { without(s.AlarmAdjust, a) })
			p.result("adjust undef delta", "adjusted", err)
			_, err = s.DelayAdjust(b, time.Second)
			p.Out("delay_adjust removed", valueOr("adjusted", err))
			err = refusal(func() { s.AlarmSet("e", time.Time{}) })
			p.result("alarm_set without time", "set", err)
			err = refusal(func() { without(s.DelaySet, "e") })
			p.result("delay_set without time", "set", err)
			err = refusal(func() { s.AlarmSet("", time.Unix(1, 0)) })
			p.result("alarm_set without name", "set", err)
		},
		"a": func(e *kernel.Event) { p.Out("a fired", Show(e.Args)) },
		"b": func(*kernel.Event) { p.Out("b: must not happen") },
		"c": func(e *kernel.Event) {
			p.Out("c fired")
			_, err := e.Session.AlarmRemove(c)
			p.result("remove c after it fired", "alarm", err)
		},
	})
	p.run()
}

func timersByName(p *program) {
	told := func(e *kernel.Event) { p.Out(e.Name, e.Args[0]) }
	never := func(e *kernel.Event) { p.Out(e.Name + ": must not happen") }
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			s := e.Session
			returns := func(what string, f func()) { p.Out(what, code(refusal(f))) }
			returns("delay returns", func() { s.Delay("tick", ms(50), "first") })
			returns("delay again", func() { s.Delay("tick", ms(150), "second") }) // replaces
			returns("alarm returns", func() { s.Alarm("ring", p.k.Now().Add(ms(50)), "first") })
			s.Delay("ring", ms(100), "second") // a delay replaces an alarm
			returns("delay_add returns", func() { s.DelayAdd("multi", ms(250), "m1") })
			s.DelayAdd("multi", ms(200), "m2")
			returns("alarm_add returns", func() {
				s.AlarmAdd("multi", p.k.Now().Add(ms(300)), "m3")
			})
			s.Delay("gone", ms(50))
			returns("delay without time", func() { s.AlarmClear("gone") })
			s.DelayAdd("gone2", ms(50))
			s.DelayAdd("gone2", ms(60))
			s.AlarmClear("gone2")     // clears both
			s.Yield("tick", "posted") // not a timer: survives a Delay
			returns("clear unknown", func() { s.AlarmClear("never_set") })
		},
		"tick": session.On(func(e *kernel.Event, text string) {
			told(e)
			if text == "posted" {
				e.Session.Yield("tick", "posted2")
				e.Session.Delay("tick", ms(150), "third") // replaces the second only
			}
		}),
		"ring":  told,
		"multi": told,
		"gone":  never,
		"gone2": never,
	})
	p.run()
	p.Out("done")
}

func removeAllTimers(p *program) {
	base := p.k.Now()
	in := func(seconds int) time.Time { return base.Add(time.Duration(seconds) * time.Second) }
	never := func(e *kernel.Event) { p.Out("A must not run", e.Name) }
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "A")
			s := e.Session
			s.AlarmAdd("named", in(7), "n")
			byID := s.DelaySet("byid", 5*time.Second, "i", 2)
			s.AlarmAdd("more", in(9))
			s.Alarm("abs", in(6), "abs-arg")
			s.Yield("posted", "still here")
			for _, a := range s.AlarmRemoveAll() {
				in := fmt.Sprintf("%.0f", a.Due.Sub(base).Seconds())
				p.Out("removed", a.Name, in, Show(a.Args))
			}
			_, err := s.AlarmRemove(byID)
			p.result("id afterwards", "alarm", err)
			p.Out("second time", len(s.AlarmRemoveAll()))
			s.Delay("fresh", ms(100))
		},
		"posted": func(e *kernel.Event) { p.Out("A posted", e.Args[0]) },
		"fresh": func(e *kernel.Event) {
			p.Out("A fresh")
			e.Session.Delay("x", 3*time.Second)
			list := e.Session.AlarmRemoveAll()
			p.Out("as reference", ref(list), len(list), list[0].Name)
		},
		"named":     never,
		"byid":      never,
		"more":      never,
		"abs":       never,
		"x":         never,
		kernel.Stop: func(*kernel.Event) { p.Out("A _stop") },
	})
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			p.name(e, "B")
			e.Session.Delay("mine", ms(200))
		},
		"mine": func(*kernel.Event) { p.Out("B timer untouched") },
	})
	p.run()
}

func removedTimersAreDue(p *program) {
	base := p.k.Now()
	when := func(t time.Time) string {
		if t.Unix() > 1e6 {
			return fmt.Sprintf("absolute, start+%.0f", t.Sub(base).Seconds())
		}
		return fmt.Sprintf("not absolute: %d", t.Unix())
	}
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			s := e.Session
			s.Alarm("alarm", base.Add(3*time.Second))
			s.AlarmSet("alarm_set", base.Add(4*time.Second))
			s.DelaySet("delay_set", 5*time.Second)
			s.Delay("delay", 7*time.Second)
			s.DelayAdd("delay_add", 9*time.Second)
			adjusted := s.DelaySet("delay_adjust", 30*time.Second)
			if _, err := s.DelayAdjust(adjusted, 11*time.Second); err != nil {
				p.T.Error(err)
			}
			got := map[string]time.Time{}
			for _, a := range s.AlarmRemoveAll() {
				got[a.Name] = a.Due
			}
			for _, name := range slices.Sorted(maps.Keys(got)) {
				p.Out(name, when(got[name]))
			}
		},
	})
	p.run()
}
