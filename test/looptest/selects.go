package looptest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/go-poe/poe/kernel"
)

// selects is the suite for sessions that watch handles. It follows POE's k_selects, wheel_sf_tcp
// and connect_errors.
var selects = []test{
	{"PingPong", pingPong},
	{"ReadinessGoesFirst", readinessGoesFirst},
	{"SelectArguments", selectArguments},
	{"SelectAndForget", selectAndForget},
	{"SelectByTwoSessions", selectByTwoSessions},
	{"PausedInBatch", pausedInBatch},
	{"WatchKeepsAlive", watchKeepsAlive},
	{"YieldLetsHandlesIn", yieldLetsHandlesIn},
	{"PastLetsHandlesIn", pastLetsHandlesIn},
	{"StopFromReadHandler", stopFromReadHandler},
	{"Echo", echo},
	{"Refused", refused},
	{"BackPressure", backPressure},
}

// Pairs of sockets throw a ball to and fro. Who has thrown pauses writing and resumes reading.
func pingPong(t *testing.T, loop kernel.Loop) {
	const pairs, balls = 5, 5
	k := newKernel(t, loop)
	caught := 0
	player := func(h kernel.Handle, serves bool) table {
		seen := 0
		return table{
			kernel.Start: func(e *kernel.Event) {
				must(t, e.Session.Select(h, "readable", "writable", ""))
				if serves {
					must(t, e.Session.SelectPauseRead(h))
				} else {
					must(t, e.Session.SelectPauseWrite(h))
				}
			},
			"readable": func(e *kernel.Event) {
				var p [8]byte
				n, err := h.Read(p[:])
				if err == kernel.ErrAgain {
					return
				}
				if string(p[:n]) != "b" || err != nil {
					t.Errorf("Read: %q, %v", p[:n], err)
				}
				caught++
				seen++
				must(t, e.Session.SelectPauseRead(h))
				must(t, e.Session.SelectResumeWrite(h))
				if serves && seen == balls {
					must(t, e.Session.Select(h, "", "", ""))
				}
			},
			"writable": func(e *kernel.Event) {
				if n, err := h.Write([]byte("b")); n != 1 {
					if err != kernel.ErrAgain {
						t.Errorf("Write: %d, %v", n, err)
					}
					return
				}
				must(t, e.Session.SelectPauseWrite(h))
				must(t, e.Session.SelectResumeRead(h))
				if !serves && seen == balls {
					must(t, e.Session.Select(h, "", "", ""))
				}
			},
		}
	}
	for range pairs {
		a, b := pair(t, loop, "tcp4")
		k.Create(player(a, true))
		k.Create(player(b, false))
	}
	runKernel(t, k)
	if want := 2 * pairs * balls; caught != want {
		t.Errorf("caught %d balls, want %d", caught, want)
	}
}

// What is ready when a run begins goes ahead of what is due, and what its handler posts comes in
// the same turn, behind what was there before.
func readinessGoesFirst(t *testing.T, loop kernel.Loop) {
	_, b := pair(t, loop, "tcp4") // there is room to write
	k := newKernel(t, loop)
	got := &story{t: t}
	note := func(e *kernel.Event) { got.tell("%s", e.Name) }
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			must(t, e.Session.SelectWrite(b, "write"))
			e.Session.Yield("first")
			e.Session.Yield("second")
		},
		"write": func(e *kernel.Event) {
			note(e)
			e.Session.Yield("posted by write")
			must(t, e.Session.SelectWrite(b, ""))
		},
		"first":           note,
		"second":          note,
		"posted by write": note,
		kernel.Stop:       note,
	})
	runKernel(t, k)
	got.is("write", "first", "second", "posted by write", kernel.Stop)
}

func selectArguments(t *testing.T, loop kernel.Loop) {
	a, b := pair(t, loop, "tcp4")
	k := newKernel(t, loop)
	got := &story{t: t}
	note := func(mode kernel.Mode, more ...any) kernel.HandlerFunc {
		return func(e *kernel.Event) {
			if mode == kernel.Read {
				var p [1]byte
				if _, err := b.Read(p[:]); err == kernel.ErrAgain {
					return
				}
			}
			if e.Args[0] != kernel.Handle(b) || e.Args[1] != mode || e.Sender != e.Session ||
				fmt.Sprint(e.Args[2:]...) != fmt.Sprint(more...) {
				t.Errorf("%s: %v from %v", e.Name, e.Args, e.Sender)
			}
			got.tell("%s", e.Name)
			if mode == kernel.Read {
				must(t, e.Session.SelectRead(b, ""))
				must(t, e.Session.SelectWrite(b, "write", 4, 5))
			} else {
				must(t, e.Session.SelectWrite(b, ""))
			}
		}
	}
	send(t, loop, a, "x")
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			must(t, e.Session.SelectRead(b, "replaced", "lost"))
			must(t, e.Session.SelectRead(b, "read", 1, "two", 3.0))
		},
		"read":      note(kernel.Read, 1, "two", 3.0),
		"write":     note(kernel.Write, 4, 5),
		kernel.Stop: func(*kernel.Event) { got.tell("stop") },
	})
	runKernel(t, k)
	got.is("read", "write", "stop")
}

func selectAndForget(t *testing.T, loop kernel.Loop) {
	a, b := pair(t, loop, "tcp4")
	send(t, loop, a, "x")
	await(t, loop, b, kernel.Read)
	k := newKernel(t, loop)
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			s := e.Session
			for range 3 {
				must(t, s.SelectRead(b, "ready"))
				must(t, s.SelectWrite(b, "ready"))
				must(t, s.Select(b, "", "", ""))
			}
			wants(t, s.SelectPauseRead(b), kernel.ErrNotWatched)
			wants(t, s.SelectResumeWrite(b), kernel.ErrNotWatched)
			s.Delay("rest", ms(2))
		},
		"rest":  nothing,
		"ready": func(e *kernel.Event) { t.Errorf("ready to %v, and not watched", e.Args[1]) },
	})
	runKernel(t, k)
}

func selectByTwoSessions(t *testing.T, loop kernel.Loop) {
	a, b := pair(t, loop, "tcp4")
	send(t, loop, a, "x")
	k := newKernel(t, loop)
	got := &story{t: t}
	watcher := func(name string) table {
		return table{
			kernel.Start: func(e *kernel.Event) { must(t, e.Session.SelectRead(b, "ready")) },
			"ready": func(e *kernel.Event) {
				got.tell("%s", name)
				must(t, e.Session.SelectRead(b, ""))
			},
		}
	}
	k.Create(watcher("first"))
	k.Create(watcher("second"))
	runKernel(t, k)
	got.is("first", "second")
}

// A descriptor is ready to read and to write at once. The handler of the first pauses the other.
func pausedInBatch(t *testing.T, loop kernel.Loop) {
	a, b := pair(t, loop, "tcp4")
	send(t, loop, a, "x")
	await(t, loop, b, kernel.Read)
	k := newKernel(t, loop)
	read := false
	k.Create(table{
		kernel.Start: func(e *kernel.Event) { must(t, e.Session.Select(b, "read", "write", "")) },
		"read": func(e *kernel.Event) {
			read = true
			must(t, e.Session.SelectRead(b, ""))
			must(t, e.Session.SelectPauseWrite(b))
			e.Session.Delay("resume", ms(2))
		},
		"write": func(e *kernel.Event) {
			if read {
				t.Error("a paused handle is ready to write")
			}
		},
		"resume": func(e *kernel.Event) { must(t, e.Session.SelectWrite(b, "")) },
	})
	runKernel(t, k)
	if !read {
		t.Error("nothing was read")
	}
}

// A watch keeps its session alive, even one that is paused, and so does an alias beside it.
func watchKeepsAlive(t *testing.T, loop kernel.Loop) {
	a, b := pair(t, loop, "tcp4")
	k := newKernel(t, loop)
	got := &story{t: t}
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			must(t, e.Session.SelectRead(b, "read"))
			must(t, e.Session.SelectPauseRead(b))
			must(t, e.Session.AliasSet("keeper"))
		},
		"resume": func(e *kernel.Event) {
			got.tell("resume")
			must(t, e.Session.SelectResumeRead(b))
		},
		"read": func(e *kernel.Event) {
			var p [8]byte
			if n, err := b.Read(p[:]); n > 0 || err == kernel.ErrAgain {
				return
			}
			got.tell("end")
			must(t, e.Session.SelectRead(b, ""))
		},
		kernel.Stop: func(*kernel.Event) { got.tell("stop") },
	})
	k.Create(table{
		kernel.Start: func(e *kernel.Event) { e.Session.Delay("close", ms(2)) },
		"close": func(e *kernel.Event) {
			must(t, a.Close())
			must(t, e.Session.Post(kernel.Alias("keeper"), "resume"))
		},
	})
	runKernel(t, k)
	got.is("resume", "end", "stop")
}

// waker returns a session that reads once, and says so.
func waker(t *testing.T, b kernel.Handle, read *bool) table {
	return table{
		kernel.Start: func(e *kernel.Event) { must(t, e.Session.SelectRead(b, "read")) },
		"read": func(e *kernel.Event) {
			if _, err := b.Read(make([]byte, 8)); err != kernel.ErrAgain {
				*read = true
				must(t, e.Session.SelectRead(b, ""))
			}
		},
	}
}

func yieldLetsHandlesIn(t *testing.T, loop kernel.Loop) {
	a, b := pair(t, loop, "tcp4")
	send(t, loop, a, "x")
	k := newKernel(t, loop)
	read := false
	k.Create(waker(t, b, &read))
	again := func(e *kernel.Event) {
		if !read {
			e.Session.Yield("again")
		}
	}
	k.Create(table{kernel.Start: again, "again": again})
	runKernel(t, k)
}

func pastLetsHandlesIn(t *testing.T, loop kernel.Loop) {
	a, b := pair(t, loop, "tcp4")
	send(t, loop, a, "x")
	k := newKernel(t, loop)
	read := false
	k.Create(waker(t, b, &read))
	again := func(e *kernel.Event) {
		if !read {
			e.Session.Delay("again", -ms(1000))
		}
	}
	k.Create(table{kernel.Start: again, "again": again})
	runKernel(t, k)
}

func stopFromReadHandler(t *testing.T, loop kernel.Loop) {
	a, b := pair(t, loop, "tcp4")
	send(t, loop, a, "x")
	k := newKernel(t, loop)
	got := &story{t: t}
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			must(t, e.Session.SelectRead(b, "read"))
			e.Session.Delay("never", ms(1000000))
		},
		"read": func(e *kernel.Event) {
			e.Session.Yield("never")
			e.Kernel.Stop()
			if !e.Session.Ended() || e.Kernel.ActiveSession() != e.Kernel.Root() {
				t.Error("the session is still there after Stop")
			}
			got.tell("read")
		},
		"never":     func(*kernel.Event) { t.Error("an event comes after Stop") },
		kernel.Stop: func(*kernel.Event) { got.tell("stop") },
	})
	runKernel(t, k)
	got.is("stop", "read")
}

// A server and clients, all of them sessions of one kernel.
func echo(t *testing.T, loop kernel.Loop) {
	const clients = 5
	k := newKernel(t, loop)
	l, addr := listen(t, loop, "tcp4")
	served := 0
	k.Create(table{
		kernel.Start: func(e *kernel.Event) { must(t, e.Session.SelectRead(l, "client")) },
		"client": func(e *kernel.Event) {
			s, err := l.Accept()
			if err == kernel.ErrAgain {
				return
			}
			must(t, err)
			e.Session.Create(echoes(t, closing(t, s)))
			if served++; served == clients {
				must(t, e.Session.SelectRead(l, ""))
				must(t, l.Close())
			}
		},
	})
	answers := make(map[int]string)
	for i := range clients {
		k.Create(asks(t, socket(t, loop, "tcp4"), addr, strings.Repeat(fmt.Sprint(i), 500),
			func(answer string) { answers[i] = answer }))
	}
	runKernel(t, k)
	for i := range clients {
		if want := strings.Repeat(fmt.Sprint(i), 500); answers[i] != want {
			t.Errorf("client %d got %q, want %q", i, answers[i], want)
		}
	}
}

// echoes returns a session that sends back what it gets, until the end.
func echoes(t *testing.T, h kernel.Handle) table {
	var pending []byte
	ended := false
	return table{
		kernel.Start: func(e *kernel.Event) { must(t, e.Session.SelectRead(h, "read")) },
		"read": func(e *kernel.Event) {
			var p [64]byte
			n, err := h.Read(p[:])
			switch {
			case err == kernel.ErrAgain:
				return
			case err == io.EOF:
				ended = true
				must(t, e.Session.SelectRead(h, ""))
			default:
				must(t, err)
			}
			pending = append(pending, p[:n]...)
			must(t, e.Session.SelectWrite(h, "write"))
		},
		"write": func(e *kernel.Event) {
			n, err := h.Write(pending)
			if err != nil && err != kernel.ErrAgain {
				t.Errorf("Write: %v", err)
			}
			pending = pending[n:]
			if len(pending) > 0 {
				return
			}
			must(t, e.Session.SelectWrite(h, ""))
			if ended {
				must(t, h.Close())
			}
		},
	}
}

// asks returns a session that connects, sends a question, and tells the answer.
func asks(
	t *testing.T, s kernel.Socket, addr net.Addr, question string, tell func(answer string),
) table {
	var answer []byte
	return table{
		kernel.Start: func(e *kernel.Event) {
			wants(t, s.Connect(addr), kernel.ErrAgain)
			must(t, e.Session.SelectWrite(s, "connected"))
		},
		"connected": func(e *kernel.Event) {
			if err := s.ConnectError(); err != kernel.ErrAgain {
				must(t, err)
				must(t, e.Session.SelectWrite(s, "write"))
				must(t, e.Session.SelectRead(s, "read"))
			}
		},
		"write": func(e *kernel.Event) {
			n, err := s.Write([]byte(question))
			if err != nil && err != kernel.ErrAgain {
				t.Errorf("Write: %v", err)
			}
			if question = question[n:]; question == "" {
				must(t, e.Session.SelectWrite(s, ""))
				must(t, s.CloseWrite())
			}
		},
		"read": func(e *kernel.Event) {
			var p [64]byte
			n, err := s.Read(p[:])
			answer = append(answer, p[:n]...)
			switch {
			case err == kernel.ErrAgain:
			case err == io.EOF:
				tell(string(answer))
				must(t, e.Session.SelectRead(s, ""))
				must(t, s.Close())
			default:
				must(t, err)
			}
		},
	}
}

func refused(t *testing.T, loop kernel.Loop) {
	l, addr := listen(t, loop, "tcp4")
	must(t, l.Close())
	k := newKernel(t, loop)
	got := &story{t: t}
	s := socket(t, loop, "tcp4")
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			err := s.Connect(addr)
			if errors.Is(err, syscall.ECONNREFUSED) {
				got.tell("refused")
				return
			}
			wants(t, err, kernel.ErrAgain)
			must(t, e.Session.SelectWrite(s, "outcome"))
		},
		"outcome": func(e *kernel.Event) {
			err := s.ConnectError()
			if err == kernel.ErrAgain {
				return
			}
			wants(t, err, syscall.ECONNREFUSED)
			got.tell("refused")
			must(t, e.Session.SelectWrite(s, ""))
			must(t, s.Close())
		},
	})
	runKernel(t, k)
	got.is("refused")
}

// A session writes as fast as it can to one that does not read for a while. What is under way is
// bounded, the writer goes on when there is room again, and nothing is lost.
func backPressure(t *testing.T, loop kernel.Loop) {
	const most = 64 << 20
	a, b := pair(t, loop, "tcp4")
	k := newKernel(t, loop)
	sent, got := 0, 0
	resumed := false
	chunk := make([]byte, 1<<15)
	k.Create(table{
		kernel.Start: func(e *kernel.Event) { must(t, e.Session.SelectWrite(a, "write")) },
		"write": func(e *kernel.Event) {
			n, err := a.Write(chunk)
			sent += n
			switch {
			case err == kernel.ErrAgain:
			case err != nil || sent > most:
				t.Errorf("Write: %v, after %d bytes", err, sent)
				e.Kernel.Stop()
			case resumed:
				must(t, e.Session.SelectWrite(a, ""))
				must(t, a.Close())
			}
		},
	})
	k.Create(table{
		kernel.Start: func(e *kernel.Event) {
			must(t, e.Session.SelectRead(b, "read"))
			must(t, e.Session.SelectPauseRead(b))
			e.Session.Delay("resume", ms(10))
		},
		"resume": func(e *kernel.Event) {
			resumed = true
			must(t, e.Session.SelectResumeRead(b))
		},
		"read": func(e *kernel.Event) {
			n, err := b.Read(chunk)
			got += n
			switch {
			case err == io.EOF:
				must(t, e.Session.SelectRead(b, ""))
			case err != kernel.ErrAgain:
				must(t, err)
			}
		},
	})
	runKernel(t, k)
	if got != sent {
		t.Errorf("read %d bytes of %d", got, sent)
	}
}
