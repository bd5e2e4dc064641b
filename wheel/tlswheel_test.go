package wheel_test

import (
	"bytes"
	"crypto/tls"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// secure returns options of a ReadWrite on a TLS over a handle.
func (p *place) secure(h kernel.Handle, config *tls.Config, server bool) wheel.ReadWriteOptions {
	if p.world != nil {
		config.Time = p.k.Now
	}
	return wheel.ReadWriteOptions{
		Handle:       wheel.NewTLS(p.k, h, wheel.TLSOptions{Config: config, Server: server}),
		InputEvent:   "line",
		SecuredEvent: "secured",
		ErrorEvent:   "error",
		FlushedEvent: "flushed",
	}
}

// crawl returns a handle that reads and writes one byte at a time.
func crawl(h kernel.Handle) kernel.Handle {
	return &handle{
		Handle: h,
		read:   func(p []byte) (int, error) { return h.Read(p[:min(1, len(p))]) },
		write:  func(p []byte) (int, error) { return h.Write(p[:min(1, len(p))]) },
	}
}

// A talk is what two sessions say to each other by TLS: the client puts lines before the handshake
// has begun, one of them a long one, the server echoes them, and the client goes when it has them
// all.
func talk(p *place, near, far kernel.Handle, forServer, forClient *tls.Config, long int) {
	p.Helper()
	lines := []string{"hello", strings.Repeat("x", long), "good bye"}
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w := p.readWrite(e.Session, p.secure(far, forServer, true))
			e.Session.State("line", session.On(func(e *kernel.Event, in *wheel.Input) {
				w.Put(in.Bytes)
			}))
			e.Session.State("error", func(e *kernel.Event) {
				p.note("server %v", kernel.Arg[*wheel.Error](e, 0))
				w.Close()
			})
		},
		"secured": session.On(func(e *kernel.Event, s *wheel.Secured) {
			p.note("server secured %v", s.HandshakeComplete)
		}),
		"flushed": func(*kernel.Event) {},
	})
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w := p.readWrite(e.Session, p.secure(near, forClient, false))
			for _, line := range lines {
				w.PutString(line)
			}
			got := 0
			e.Session.State("line", session.On(func(e *kernel.Event, in *wheel.Input) {
				if string(in.Bytes) != lines[got] {
					p.Errorf("line %d is %.100q, want %.100q", got, in.Bytes, lines[got])
				}
				if got++; got == len(lines) {
					w.Finish()
				}
			}))
			e.Session.State("secured", session.On(func(e *kernel.Event, s *wheel.Secured) {
				if s.Wheel != w.ID() {
					p.Errorf("secured by wheel %d, want %d", s.Wheel, w.ID())
				}
				p.note("client secured %s", tls.VersionName(s.Version))
			}))
		},
		"flushed": func(*kernel.Event) { p.note("client flushed") },
		"error": func(e *kernel.Event) {
			p.note("client %v", kernel.Arg[*wheel.Error](e, 0))
		},
	})
	p.run()
	slices.Sort(p.lines) // which end is secured first depends on the version
	p.want("client flushed", "client secured "+tls.VersionName(forClient.MaxVersion),
		"server read: EOF", "server secured true")
}

func TestTLS(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		everywhere(t, func(p *place) {
			forServer, forClient := configs(p, version)
			near, far := p.pair()
			talk(p, near, far, forServer, forClient, 200_000)
		})
	})
}

func TestTLSByteByByte(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		everywhere(t, func(p *place) {
			forServer, forClient := configs(p, version)
			near, far := p.pair()
			talk(p, crawl(near), crawl(far), forServer, forClient, 20_000)
		})
	})
}

// The conversation is the same whatever the world does to it, short of breaking it.
func TestTLSInRoughWorld(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		forServer, forClient := configs(t, version)
		for seed := range uint64(8) {
			p := simulated(t, sim.Options{
				Seed: seed, Latency: time.Millisecond, Jitter: time.Millisecond, Buffer: 5000,
				Faults: sim.Faults{Split: 0.8, Again: 0.3, Spurious: 0.3, Shuffle: true},
			})
			near, far := p.pair()
			talk(p, near, far, forServer, forClient, 200_000)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	})
}

// A wheel that reads few bytes at once gets all of a record, though the descriptor is ready but
// once.
func TestTLSBlockSize(t *testing.T) {
	everywhere(t, func(p *place) {
		forServer, forClient := configs(p, tls.VersionTLS13)
		near, far := p.pair()
		var w *wheel.ReadWrite
		var got bytes.Buffer
		text := strings.Repeat("0123456789", 10)
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				opts := p.secure(near, forClient, false)
				opts.BlockSize = 7
				opts.Filter = filter.NewStream(filter.StreamOptions{})
				w = p.readWrite(e.Session, opts)
			},
			"line": session.On(func(e *kernel.Event, in *wheel.Input) {
				if len(in.Bytes) > 7 {
					p.Errorf("read %d bytes at once", len(in.Bytes))
				}
				got.Write(in.Bytes)
				switch got.Len() {
				case 14:
					w.PauseInput()
					e.Session.Delay("resume", tick)
				case len(text):
					w.Close()
				}
			}),
			"resume": func(e *kernel.Event) {
				p.note("%d", got.Len())
				w.ResumeInput()
			},
			"secured": func(*kernel.Event) {}, "error": p.failed,
		})
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				w := p.readWrite(e.Session, p.secure(far, forServer, true))
				w.SetOutputFilter(filter.NewStream(filter.StreamOptions{}))
				w.PutString(text)
				e.Session.State("error", func(*kernel.Event) { w.Close() })
			},
			"flushed": func(*kernel.Event) {}, "secured": func(*kernel.Event) {},
		})
		p.run()
		p.want("14")
		if got.String() != text {
			p.Errorf("got %q, want %q", &got, text)
		}
	})
}

// A handshake goes on though the owner wants nothing to read, and output waits for it.
func TestTLSHandshakeWithoutInput(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(w *wheel.ReadWrite)
		want []string
	}{
		{"paused", (*wheel.ReadWrite).PauseInput,
			[]string{"secured", "put", "flushed", "late", "EOF"}},
		{"no event", func(w *wheel.ReadWrite) { _ = w.SetInputEvent("") },
			[]string{"secured", "put", "flushed", "late", "EOF"}},
		{"finish", func(w *wheel.ReadWrite) { w.PutString("early"); w.Finish() },
			[]string{"secured", "put wheel: closed", "flushed", "early", "EOF"}},
		{"shut down", func(w *wheel.ReadWrite) { w.PutString("early"); w.ShutdownOutput() },
			[]string{"secured", "flushed", "early", "EOF"}},
		{"shut down at once", (*wheel.ReadWrite).ShutdownOutput, []string{"secured", "EOF"}},
		{"input shut down", (*wheel.ReadWrite).ShutdownInput,
			[]string{"secured", "put", "flushed", "late", "EOF"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			everywhere(t, func(p *place) {
				forServer, forClient := configs(p, tls.VersionTLS12)
				near, far := p.pair()
				var w *wheel.ReadWrite
				p.create(session.Events{
					kernel.Start: func(e *kernel.Event) {
						w = p.readWrite(e.Session, p.secure(near, forClient, false))
						test.do(w)
					},
					"secured": func(e *kernel.Event) {
						p.note("secured")
						if strings.HasPrefix(test.name, "shut") {
							return
						}
						if err := w.PutString("late"); err != nil {
							p.note("put %v", err)
							return
						}
						p.note("put")
						w.ShutdownOutput()
					},
					"flushed": func(*kernel.Event) { p.note("flushed") },
					"error":   p.failed, "line": p.input,
				})
				p.create(session.Events{
					kernel.Start: func(e *kernel.Event) {
						server := p.readWrite(e.Session, p.secure(far, forServer, true))
						e.Session.State("error", func(e *kernel.Event) {
							p.note("%v", kernel.Arg[*wheel.Error](e, 0).Err)
							server.Close()
							w.Close()
						})
					},
					"line": session.On(func(e *kernel.Event, in *wheel.Input) {
						p.note("%s", in.Bytes)
					}),
					"secured": func(*kernel.Event) {},
				})
				p.run()
				p.want(test.want...)
			})
		})
	}
}

// A layer that refuses more, and then gets rid of what it held before anybody could wait for that,
// is asked again.
func TestTLSRefusesForAMoment(t *testing.T) {
	p := simulated(t, sim.Options{Buffer: 1 << 20})
	forServer, forClient := configs(p, tls.VersionTLS13)
	near, far := p.pair()
	odd, call := &handle{Handle: near}, 0
	odd.write = func(p []byte) (int, error) {
		if call == 0 && len(p) < 50_000 {
			return near.Write(p)
		}
		switch call++; call {
		case 1:
			return near.Write(p[:len(p)/2])
		case 2, 3: // at the end of the Write that it came with, and in the next
			return 0, kernel.ErrAgain
		default:
			call = 0
			return near.Write(p)
		}
	}
	talk(p, odd, far, forServer, forClient, 200_000)
}

// A TLS may change hands in the middle of its life. What it holds comes to whoever has it then.
func TestTLSDetach(t *testing.T) {
	everywhere(t, func(p *place) {
		forServer, forClient := configs(p, tls.VersionTLS13)
		near, far := p.pair()
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				w := p.readWrite(e.Session, p.secure(far, forServer, true))
				w.PutString("one\r\ntwo\r\nthree")
				e.Session.State("error", func(*kernel.Event) { w.Close() })
			},
			"flushed": func(*kernel.Event) {}, "secured": func(*kernel.Event) {},
		})
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				opts := p.secure(near, forClient, false)
				opts.BlockSize = 5 // one line at a time
				w := p.readWrite(e.Session, opts)
				e.Session.State("line", func(e *kernel.Event) {
					p.input(e)
					if strings.HasSuffix(p.lines[len(p.lines)-1], `three"`) {
						w.Close()
						return
					}
					h := w.InputHandle()
					if pending := w.Detach(); len(pending) > 0 {
						p.note("pending %q", pending)
					}
					opts.Handle = h
					w = p.readWrite(e.Session, opts)
				})
			},
			"secured": p.said, "error": p.failed,
		})
		p.run()
		p.want("secured", `line "one"`, "secured", `line "two"`, "secured", `line "three"`)
	})
}
