package main

import (
	"context"
	"fmt"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// kernelMeasurements are what the kernel's users do most.
func kernelMeasurements(p *perl) []measurement {
	const million = 1_000_000
	list := []measurement{
		{"yield", "", func() float64 { return yield(million) }, p.peers("yield", 100_000)},
		{"post between two sessions", "", func() float64 { return post(million, 2) },
			append(floors(), p.peers("post", 100_000)...)},
		{"post around 10 sessions", "", func() float64 { return post(million, 10) }, nil},
		{"post around 100,000 sessions", "", func() float64 { return post(million, 100_000) }, nil},
		{"post by alias, one of 10", "", func() float64 { return byAlias(million, 10) }, nil},
		{"post by alias, one of 100,000", "", func() float64 { return byAlias(million, 100_000) }, nil},
		{"call", "", func() float64 { return call(million) }, p.peers("call", 100_000)},
		{"burst of 100,000", "", func() float64 { return burst(10, 100_000) },
			p.peers("burst", 100_000)},
		{"create and end a session", "", func() float64 { return sessions(200_000) },
			p.peers("session", 20_000)},
		{"an idle session", "bytes", func() float64 { return idleSession(100_000) }, nil},
		{"post through a door, batched", "", func() float64 { return door(million, 1000) }, nil},
		{"post through a door, there and back", "", func() float64 { return door(20_000, 1) },
			[]contender{{"channel", func() (float64, error) { return channel(20_000), nil }}}},
	}
	for _, pending := range []int{1000, million} {
		pending := pending
		with := fmt.Sprintf(", %d pending", pending)
		n := 200_000
		ours := func(what int) func() float64 {
			return func() float64 { return alarms(n, pending)[what] }
		}
		list = append(list,
			measurement{"delay set" + with, "", ours(0), append(timers(n, pending, 0),
				p.peers("delay_set", 20_000)...)},
			measurement{"delay adjust" + with, "", ours(1), nil},
			measurement{"delay remove" + with, "", ours(2), timers(n, pending, 1)},
		)
	}
	return append(list,
		measurement{"delay fires, 1,000 at once", "", func() float64 { return fire(200, 1000) }, nil},
		measurement{"delay fires, a million at once", "", func() float64 { return fire(1, million) },
			p.peers("fire", 20_000)},
	)
}

func nothing(*kernel.Event) {}

// run runs a new kernel, after setup has given it something to do.
func run(setup func(k *kernel.Kernel)) {
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		panic(err)
	}
	setup(k)
	if err := k.Run(context.Background()); err != nil {
		panic(err)
	}
}

// inSession runs f as the handler of a session, and what it has left behind.
func inSession(states session.Events, f func(s *kernel.Session)) {
	run(func(k *kernel.Kernel) {
		k.Create(session.Join(states, session.Events{
			kernel.Start: func(e *kernel.Event) { e.Session.Yield("go") },
			"go":         func(e *kernel.Event) { f(e.Session) },
		}))
	})
}

func yield(n int) float64 {
	left, arg := n, new(int)
	return perOperation(n, func() {
		inSession(session.Events{"tick": func(e *kernel.Event) {
			if left--; left > 0 {
				e.Session.Yield("tick", arg)
			}
		}}, func(s *kernel.Session) { s.Yield("tick", arg) })
	})
}

// post sends a ball around a ring of sessions. The clock runs while the ball does.
func post(n, players int) (cost float64) {
	type ball struct{ left int }
	run(func(k *kernel.Kernel) {
		ring := make([]*kernel.Session, players)
		var began time.Duration
		for i := range ring {
			ring[i] = k.Create(session.Events{
				kernel.Start: func(e *kernel.Event) { _, _ = e.Session.RefcountIncrement("plays") },
				"begin": session.On(func(e *kernel.Event, b *ball) {
					began = processorTime()
					_ = e.Session.Post(e.Session, "ball", b)
				}),
				"ball": func(e *kernel.Event) {
					b := kernel.Arg[*ball](e, 0)
					if b.left--; b.left <= 0 {
						cost = float64(processorTime()-began) / float64(n)
						e.Kernel.Stop()
						return
					}
					next := i + 1
					if next == len(ring) {
						next = 0
					}
					_ = e.Session.Post(ring[next], "ball", b)
				},
			})
		}
		_ = k.Post(ring[0], "begin", &ball{n})
	})
	return cost
}

// byAlias posts to a session by one of its many names, each in turn.
func byAlias(n, names int) (cost float64) {
	targets := make([]kernel.Target, names)
	run(func(k *kernel.Kernel) {
		var began time.Duration
		i, arg := 0, new(int)
		k.Create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				for i := range targets {
					name := kernel.Alias(fmt.Sprint("name ", i))
					if err := e.Session.AliasSet(name); err != nil {
						panic(err)
					}
					targets[i] = name
				}
				e.Session.Yield("begin")
			},
			"begin": func(e *kernel.Event) {
				began = processorTime()
				e.Session.Yield("next", arg)
			},
			"next": func(e *kernel.Event) {
				if i++; i == n {
					cost = float64(processorTime()-began) / float64(n)
					e.Kernel.Stop()
					return
				}
				_ = e.Session.Post(targets[i%names], "next", arg)
			},
		})
	})
	return cost
}

func call(n int) (cost float64) {
	arg := new(int)
	run(func(k *kernel.Kernel) {
		to := k.Create(session.Events{
			kernel.Start: func(e *kernel.Event) { _ = e.Session.AliasSet("to") },
			"hello":      nothing,
		})
		k.Create(session.Events{
			kernel.Start: func(e *kernel.Event) { e.Session.Yield("go") },
			"go": func(e *kernel.Event) {
				cost = perOperation(n, func() {
					for range n {
						_, _ = e.Session.Call(to, "hello", arg)
					}
				})
			},
		})
	})
	return cost
}

// burst queues n events, lets them be delivered, and does it again.
func burst(times, n int) float64 {
	arg := new(int)
	return perOperation(times*n, func() {
		inSession(session.Events{
			"tick": nothing,
			"burst": func(e *kernel.Event) {
				for range n {
					e.Session.Yield("tick", arg)
				}
				if times--; times > 0 {
					e.Session.Yield("burst")
				}
			},
		}, func(s *kernel.Session) { s.Yield("burst") })
	})
}

func sessions(n int) float64 {
	states := session.Events{kernel.Start: nothing}
	return perOperation(n, func() {
		left := n
		inSession(session.Events{"create": func(e *kernel.Event) {
			for range min(100, left) {
				e.Session.Create(states)
			}
			if left -= 100; left > 0 {
				e.Session.Yield("create")
			}
		}}, func(s *kernel.Session) { s.Yield("create") })
	})
}

// idleSession returns the bytes that a session with an alias takes, its name and table included.
func idleSession(n int) float64 {
	var each float64
	inSession(session.Events{}, func(s *kernel.Session) {
		before := heap()
		for i := range n {
			c := s.Create(session.Events{kernel.Start: nothing, "hello": nothing})
			if err := c.AliasSet(kernel.Alias(fmt.Sprint("session ", i))); err != nil {
				panic(err)
			}
		}
		each = float64(heap()-before) / float64(n)
		s.Kernel().Stop()
	})
	return each
}

// alarms returns what it costs to set, to move and to remove an alarm while so many others are
// pending.
func alarms(n, pending int) (cost [3]float64) {
	const batch = 1000
	var spent [3]time.Duration
	var ids [batch]kernel.AlarmID
	inSession(session.Events{"ring": nothing}, func(s *kernel.Session) {
		for i := range pending {
			s.DelaySet("ring", hours(i, pending))
		}
		for range n / batch {
			at := [4]time.Duration{processorTime()}
			for i := range ids {
				ids[i] = s.DelaySet("ring", hours(i, batch))
			}
			at[1] = processorTime()
			for i, id := range ids {
				_, _ = s.DelayAdjust(id, hours(i*31, batch))
			}
			at[2] = processorTime()
			for _, id := range ids {
				_, _ = s.AlarmRemove(id)
			}
			at[3] = processorTime()
			for i := range spent {
				spent[i] += at[i+1] - at[i]
			}
		}
		s.AlarmRemoveAll()
	})
	for i := range cost {
		cost[i] = float64(spent[i]) / float64(n)
	}
	return cost
}

// hours spreads the i-th of so many alarms over some time, not in order.
func hours(i, of int) time.Duration {
	return time.Hour + time.Duration(i*7919%of)*3600*time.Second/time.Duration(of)
}

// timers are those of package time, which set and stop.
func timers(n, pending, what int) []contender {
	const batch = 1000
	return []contender{{"time.AfterFunc", func() (float64, error) {
		others := make([]*time.Timer, pending)
		for i := range others {
			others[i] = time.AfterFunc(hours(i, pending), func() {})
		}
		var spent [2]time.Duration
		var mine [batch]*time.Timer
		for range n / batch {
			at := [3]time.Duration{processorTime()}
			for i := range mine {
				mine[i] = time.AfterFunc(hours(i, batch), func() {})
			}
			at[1] = processorTime()
			for _, t := range mine {
				t.Stop()
			}
			at[2] = processorTime()
			spent[0] += at[1] - at[0]
			spent[1] += at[2] - at[1]
		}
		for _, t := range others {
			t.Stop()
		}
		return float64(spent[what]) / float64(n), nil
	}}}
}

// fire lets n alarms fall due at once, so many times.
func fire(times, n int) float64 {
	var spent time.Duration
	left := times
	inSession(session.Events{
		"ring": nothing,
		"again": func(e *kernel.Event) {
			for i := range n {
				e.Session.DelaySet("ring", time.Duration(i*7919%n))
			}
			began := processorTime()
			e.Session.State("rung", func(e *kernel.Event) {
				spent += processorTime() - began
				if left--; left > 0 {
					e.Session.Yield("again")
				}
			})
			e.Session.Delay("rung", time.Duration(n))
		},
	}, func(s *kernel.Session) { s.Yield("again") })
	return float64(spent) / float64(n*times)
}

// door posts n events from another goroutine, and waits for the answer after each batch.
func door(n, batch int) float64 {
	arg := new(int)
	return perOperation(n, func() {
		run(func(k *kernel.Kernel) {
			got, answer := 0, make(chan bool, 1)
			k.Create(session.Events{
				kernel.Start: func(e *kernel.Event) {
					d := e.Session.Door()
					go func() {
						for range n / batch {
							for range batch {
								if err := d.Post("x", arg); err != nil {
									panic(err)
								}
							}
							<-answer
						}
						d.Close()
					}()
				},
				"x": func(*kernel.Event) {
					if got++; got%batch == 0 {
						answer <- true
					}
				},
			})
		})
	})
}

// channel is the same with two goroutines and two channels.
func channel(n int) float64 {
	return perOperation(n, func() {
		there, back := make(chan bool), make(chan bool)
		go func() {
			for range there {
				back <- true
			}
		}()
		for range n {
			there <- true
			<-back
		}
		close(there)
	})
}

// floors are the least that delivering an event by name can cost.
func floors() []contender {
	return []contender{{"ring and map", func() (float64, error) {
		const n = 1_000_000
		type item struct {
			name string
			to   int
			args [4]any
			n    int
		}
		ring := make([]item, 1024)
		head, tail, left := 0, 0, n
		push := func(it item) { ring[tail&1023] = it; tail++ }
		arg := new(int)
		tables := [2]map[string]func(it *item){}
		for i := range tables {
			tables[i] = map[string]func(it *item){
				"_start": func(*item) {}, "other": func(*item) {},
				"ball": func(*item) {
					if left--; left > 0 {
						push(item{name: "ball", to: 1 - i, args: [4]any{arg}, n: 1})
					}
				},
			}
		}
		return perOperation(n, func() {
			push(item{name: "ball", args: [4]any{arg}, n: 1})
			for head != tail {
				it := ring[head&1023]
				head++
				tables[it.to][it.name](&it)
			}
		}), nil
	}}}
}
