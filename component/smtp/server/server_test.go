package server_test

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/component/smtp/server"
	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// hello is a dialogue that stays open.
func hello() []step {
	return says("S: 220 mx.example.com ESMTP", "C: HELO c", "S: 250 mx.example.com")
}

// A client that is one too many, in all or of its address, is sent away, until another one leaves.
func TestTooManyClients(t *testing.T) {
	away := says("S: 421 4.3.2 Too many connections")
	for name, opts := range map[string]server.Options{
		"in all":         {MaxClients: 2, MaxPerAddress: 2},
		"of one address": {MaxClients: 10, MaxPerAddress: 2},
		"by default":     {MaxClients: 3},
	} {
		t.Run(name, func(t *testing.T) {
			st := newStage(t, sim.Options{}, opts, func(st *stage) {
				gone := 0
				left := func() {
					if gone++; gone == 4 {
						_ = st.s.Post(st.server, "shutdown")
					}
				}
				at := func(d time.Duration, f func()) { st.world.After(d, f) }
				stays := append(hello(), step{kind: 'T', wait: time.Minute})
				spawnPlayer(t, st.s, st.addr, stays, left)
				spawnPlayer(t, st.s, st.addr, stays, left)
				at(30*time.Second, func() { spawnPlayer(t, st.s, st.addr, away, left) })
				at(2*time.Minute, func() { spawnPlayer(t, st.s, st.addr, hello(), left) })
			})
			st.run(t)
		})
	}
}

// Addresses of IPv6 count as one if they may be of the same site, others do not.
func TestTooManyOfAnAddress(t *testing.T) {
	for name, test := range map[string]struct {
		listen, to          string
		first, other, again string
	}{
		"IPv4": {"0.0.0.0", "127.0.0.1", "10.1.0.1", "10.1.0.2", "10.1.0.1"},
		"IPv6": {"::", "::1", "2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:0:1::2"},
	} {
		t.Run(name, func(t *testing.T) {
			opts := server.Options{Address: test.listen, MaxPerAddress: 1}
			st := newStage(t, sim.Options{}, opts, func(st *stage) {
				st.addr = &net.TCPAddr{IP: net.ParseIP(test.to), Port: 25}
				gone := 0
				play := func(from string, steps []step) {
					st.world.AddAddress(netip.MustParseAddr(from))
					spawnPlayerAt(t, st.s, from, st.addr, steps, func() {
						if gone++; gone == 3 {
							_ = st.s.Post(st.server, "shutdown")
						}
					})
				}
				stays := append(hello(), step{kind: 'T', wait: time.Minute})
				play(test.first, stays)
				play(test.other, stays)
				st.world.After(time.Second, func() {
					play(test.again, says("S: 421 4.3.2 Too many connections"))
				})
			})
			st.run(t)
		})
	}
}

// A client that is refused before the greeting is told why.
func TestClientRefused(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		says string
	}{
		"with a reply": {&smtp.Reply{Code: 554, Enhanced: smtp.EnhancedCode{5, 7, 1},
			Lines: []string{"Not from there"}}, "S: 554 5.7.1 Not from there"},
		"for another reason": {errors.New("secret"),
			"S: 451 4.3.0 Something went wrong here; try again later"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked string
			opts := server.Options{CheckClient: func(client net.Addr) error {
				asked = client.String()
				return test.err
			}}
			st := newStage(t, sim.Options{}, opts, func(st *stage) {
				steps := append([]step{{kind: 'C', text: "HELO c\r\nQUIT\r\n"}}, says(test.says)...)
				st.play(t, steps)
			})
			st.run(t)
			if host, _, err := net.SplitHostPort(asked); err != nil || host != "127.0.0.1" {
				t.Errorf("asked about %q, want a port of 127.0.0.1", asked)
			}
		})
	}
}

// After drain no client is accepted, and no message, but the clients that are there may finish
// theirs.
func TestDrain(t *testing.T) {
	st := newStage(t, sim.Options{}, server.Options{Alias: "smtpd"}, func(st *stage) {
		steps := append(envelope(), says(go354)...)
		steps = append(steps, step{kind: 'T', wait: time.Minute})
		steps = append(steps, says("C: x", "C: .", fine250, "C: NOOP", "S: 250 2.0.0 Ok",
			"C: MAIL FROM:<a@example.com>", "S: 421 4.3.2 Shutting down")...)
		spawnPlayer(t, st.s, st.addr, steps, func() {})
		idle := append(hello(), step{kind: 'T', wait: time.Minute})
		idle = append(idle, says("C: QUIT", bye221)...)
		spawnPlayer(t, st.s, st.addr, idle, func() {})
		st.world.After(30*time.Second, func() {
			_ = st.k.Post(kernel.Alias("smtpd"), "drain")
			_ = st.k.Post(kernel.Alias("smtpd"), "drain")
		})
		st.world.After(40*time.Second, func() {
			_, err := st.k.AliasResolve(kernel.Alias("smtpd"))
			if !errors.Is(err, kernel.ErrNoSession) {
				t.Errorf("the alias is still there: %v", err)
			}
			refused(t, st)
		})
	})
	st.run(t)
	if want := "> from <a@example.com> to <b@example.com>\nx\r\n"; st.stored.String() != want {
		t.Errorf("stored %q, want %q", st.stored.String(), want)
	}
}

// refused checks that nobody listens any more.
func refused(t *testing.T, st *stage) {
	t.Helper()
	host, port, _ := net.SplitHostPort(st.addr.String())
	st.s.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			wheel.NewSocketFactory(e.Session, wheel.SocketFactoryOptions{
				RemoteAddress: host,
				RemotePort:    port,
				SuccessEvent:  "connected",
				FailureEvent:  "failed",
			})
		},
		"connected": session.On(func(_ *kernel.Event, c *wheel.Connection) {
			t.Error("the server accepts another client")
			_ = c.Socket.Close()
		}),
		"failed": session.On(func(_ *kernel.Event, err *wheel.Error) {
			if !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("the connection failed with %v, want ECONNREFUSED", err)
			}
		}),
	})
}

// At shutdown, clients that are not about to send a message are sent away at once, one that is may
// end it, and one that takes too long may not.
func TestShutdown(t *testing.T) {
	const away = "S: 421 4.3.2 Shutting down"
	for _, test := range []struct {
		name   string
		wait   time.Duration // of the client, in the text, from the start
		grace  []any
		after  string // what the client gets
		stored int
		least  time.Duration // that it takes
		most   time.Duration
	}{
		{"in time", 75 * time.Second, nil, "250", 1, 75 * time.Second, 76 * time.Second},
		{"too late", 5 * time.Minute, nil, "421", 0, 90 * time.Second, 96 * time.Second},
		{"no grace", 75 * time.Second, []any{time.Duration(0)}, "421", 0, time.Minute,
			66 * time.Second},
		{"more grace", 4 * time.Minute, []any{time.Hour}, "250", 1, 4 * time.Minute,
			245 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			st := newStage(t, sim.Options{}, server.Options{}, func(st *stage) {
				spawnPlayer(t, st.s, st.addr, append(hello(), says(away)...), func() {})
				steps := append(envelope(), says(go354)...)
				if test.after == "250" {
					steps = append(steps, step{kind: 'T', wait: test.wait})
					steps = append(steps, says("C: x", "C: .", fine250)...)
				}
				spawnPlayer(t, st.s, st.addr, append(steps, says(away)...), func() {})
				st.world.After(time.Minute, func() {
					_ = st.s.Post(st.server, "shutdown", test.grace...)
				})
			})
			st.run(t)
			if got := strings.Count(st.stored.String(), ">"); got != 2*test.stored+test.stored {
				t.Errorf("stored %q, want %d messages", st.stored.String(), test.stored)
			}
			if took := st.world.Elapsed(); took < test.least || took > test.most {
				t.Errorf("it took %v, want %v to %v", took, test.least, test.most)
			}
		})
	}
}

// At shutdown, a client that has begun an envelope may end the message or give it up, and no more.
func TestShutdownInEnvelope(t *testing.T) {
	st := newStage(t, sim.Options{}, server.Options{}, func(st *stage) {
		steps := append(hello(), says("C: MAIL FROM:<a@example.com>", "S: 250 2.1.0 Sender ok")...)
		steps = append(steps, step{kind: 'T', wait: 10 * time.Second})
		steps = append(steps, says("C: NOOP", "S: 250 2.0.0 Ok",
			"C: RSET", "S: 250 2.0.0 Forgotten", "S: 421 4.3.2 Shutting down")...)
		st.play(t, steps)
		st.world.After(time.Second, func() { _ = st.k.Post(st.server, "shutdown") })
	})
	st.run(t)
	if took := st.world.Elapsed(); took > 11*time.Second {
		t.Errorf("it took %v, want 10s", took)
	}
}

// A message that is being stored is waited for, however long that takes, so that its client knows.
func TestShutdownWaitsForSink(t *testing.T) {
	sink := &testSink{t: t, takes: time.Minute}
	st := newStage(t, sim.Options{}, server.Options{Sink: sink}, func(st *stage) {
		steps := says(go354, "C: .", fine250, "S: 421 4.3.2 Shutting down")
		st.play(t, append(envelope(), steps...))
		st.world.After(time.Second, func() {
			_ = st.k.Post(st.server, "shutdown", time.Duration(0))
		})
	})
	st.run(t)
}

// A client that sends and does not read costs no more than some output, and no more than its time.
func TestRepliesNotRead(t *testing.T) {
	var rw *wheel.ReadWrite
	st := newStage(t, sim.Options{}, server.Options{MaxCommands: 1 << 30}, func(st *stage) {
		st.s.Create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				wheel.NewSocketFactory(e.Session, wheel.SocketFactoryOptions{
					RemoteAddress: "10.0.0.1",
					RemotePort:    "25",
					SuccessEvent:  "connected",
					FailureEvent:  "failed",
				})
			},
			"connected": session.On(func(e *kernel.Event, c *wheel.Connection) {
				var err error
				rw, err = wheel.NewReadWrite(e.Session, wheel.ReadWriteOptions{
					Handle:       c.Socket,
					OutputFilter: filter.NewStream(filter.StreamOptions{}),
					InputEvent:   "got_line",
					ErrorEvent:   "failed",
				})
				if err != nil {
					t.Error(err)
				}
				rw.PauseInput()
				if err := rw.PutString(strings.Repeat("EHLO client\r\n", 1<<20)); err != nil {
					t.Error(err)
				}
			}),
			"failed": func(*kernel.Event) { rw.Close() },
		})
		st.world.After(4*time.Minute, func() {
			if left := rw.OutOctets(); left < 12<<20 {
				t.Errorf("the server has read all but %d octets, want it to wait", left)
			}
			if n := len(st.server.Children()); n != 1 {
				t.Errorf("the server has %d clients after 4 minutes, want 1", n)
			}
		})
		st.world.After(6*time.Minute, func() {
			if n := len(st.server.Children()); n != 0 {
				t.Errorf("the server has %d clients after 6 minutes, want none", n)
			}
			rw.Close()
			_ = st.k.Post(st.server, "shutdown")
		})
	})
	st.run(t)
}

// Very many messages in one packet are served one after the other.
func TestManyMessagesAtOnce(t *testing.T) {
	const count = 1000
	one := "MAIL FROM:<>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n.\r\n"
	steps := []step{{kind: 'C', text: "HELO c\r\n" + strings.Repeat(one, count) + "QUIT\r\n"}}
	steps = append(steps, hello()[0], hello()[2])
	for range count {
		steps = append(steps, says("S: 250 2.1.0 Sender ok", "S: 250 2.1.5 Recipient ok",
			go354, fine250)...)
	}
	steps = append(steps, says(bye221)...)
	st := newStage(t, sim.Options{}, server.Options{}, func(st *stage) {
		st.play(t, steps)
	})
	st.run(t)
	if len(st.ids) != count {
		t.Errorf("%d messages with different IDs, want %d", len(st.ids), count)
	}
}

// What makes it impossible to listen comes as an event, and the server ends.
func TestCannotListen(t *testing.T) {
	for _, test := range []struct {
		name string
		opts server.Options
		op   string
	}{
		{"no such name", server.Options{Address: "nowhere.example.com"}, "resolve"},
		{"no such service", server.Options{Port: "no-such-service"}, "getservbyname"},
		{"port is taken", server.Options{Port: "2500"}, "listen"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var failed *wheel.Error
			k, err := kernel.New(kernel.Options{Loop: sim.NewWorld()})
			if err != nil {
				t.Fatal(err)
			}
			spawn := func(s *kernel.Session, opts server.Options) {
				opts.Sink, opts.FailureEvent = server.Discard{}, "failed"
				if _, err := server.Spawn(s, opts); err != nil {
					t.Error(err)
				}
			}
			k.Create(session.Events{
				kernel.Start: func(e *kernel.Event) {
					spawn(e.Session, server.Options{Port: "2500", Alias: "first"})
					spawn(e.Session, test.opts)
				},
				"failed": session.On(func(e *kernel.Event, err *wheel.Error) {
					failed = err
					_ = e.Session.Post(kernel.Alias("first"), "shutdown")
				}),
			})
			if err := k.Run(t.Context()); err != nil {
				t.Errorf("Run returned %v", err)
			}
			if failed == nil || failed.Op != test.op && failed.Op != "bind" {
				t.Errorf("failed with %v, want %s", failed, test.op)
			}
		})
	}
}

// A name is listened at by its address, that of IPv4 if it has one.
func TestListensAtName(t *testing.T) {
	st := newStage(t, sim.Options{WorkTime: time.Second}, server.Options{Address: "localhost"},
		func(st *stage) { _ = st.s.Post(st.server, "shutdown") })
	st.run(t)
	if want := "127.0.0.1:25"; st.addr == nil || st.addr.String() != want {
		t.Errorf("listens at %v, want %s", st.addr, want)
	}
}

// What is wrong with the values of options is an error; what is wrong with the program panics.
func TestSpawnRefuses(t *testing.T) {
	k, err := kernel.New(kernel.Options{Loop: sim.NewWorld()})
	if err != nil {
		t.Fatal(err)
	}
	good := server.Options{Sink: server.Discard{}, Alias: "smtpd"}
	k.Create(session.Events{kernel.Start: func(e *kernel.Event) {
		if _, err := server.Spawn(e.Session, good); err != nil {
			t.Errorf("Spawn returned %v", err)
		}
		if _, err := server.Spawn(e.Session, good); !errors.Is(err, kernel.ErrAliasTaken) {
			t.Errorf("Spawn with the same alias returned %v, want %v", err, kernel.ErrAliasTaken)
		}
		_, err := server.Spawn(e.Session, server.Options{Sink: server.Discard{}, Hostname: "a b"})
		var bad *smtp.ValueError
		if !errors.As(err, &bad) || bad.Field != "Hostname" {
			t.Errorf("Spawn with a bad name returned %v, want a ValueError", err)
		}
		for name, opts := range map[string]server.Options{
			"no sink":       {},
			"limit below 0": {Sink: server.Discard{}, MaxClients: -1},
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s: Spawn did not panic", name)
					}
				}()
				_, _ = server.Spawn(e.Session, opts)
			}()
		}
		_ = e.Session.Post(kernel.Alias("smtpd"), "shutdown")
	}})
	if err := k.Run(t.Context()); err != nil {
		t.Errorf("Run returned %v", err)
	}
}
