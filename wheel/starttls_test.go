package wheel_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// plain returns options of a ReadWrite in plain text.
func plain(h kernel.Handle) wheel.ReadWriteOptions {
	return wheel.ReadWriteOptions{
		Handle: h, InputEvent: "line", ErrorEvent: "error", SecuredEvent: "secured",
		Filter: filter.NewLine(filter.LineOptions{Newline: filter.NetNewline}),
	}
}

// starttls returns options for StartTLS.
func (p *place) starttls(config *tls.Config, server bool) wheel.TLSOptions {
	if p.world != nil {
		config.Time = p.k.Now
	}
	return wheel.TLSOptions{Config: config, Server: server}
}

// The two ends talk in plain text, change to TLS, and go on talking.
func TestStartTLS(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		everywhere(t, func(p *place) {
			near, far := p.pair()
			startTLS(p, version, near, far)
		})
	})
}

func TestStartTLSByteByByte(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		everywhere(t, func(p *place) {
			near, far := p.pair()
			startTLS(p, version, crawl(near), crawl(far))
		})
	})
}

// A stream that holds only a few bytes keeps the plain text waiting when TLS begins.
func TestStartTLSBehindOutput(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		p := simulated(t, sim.Options{Buffer: 3})
		near, far := p.pair()
		startTLS(p, version, near, far)
	})
}

// Plain text that waits for its room already when TLS begins gets it nevertheless.
func TestStartTLSWhileOutputIsBlocked(t *testing.T) {
	for _, server := range []bool{true, false} {
		t.Run(fmt.Sprintf("server %v", server), func(t *testing.T) {
			p := simulated(t, sim.Options{Buffer: 3})
			config, forClient := configs(t, 0)
			if !server {
				config = forClient
			}
			near, far := p.pair()
			var w *wheel.ReadWrite
			var got string
			p.create(session.Events{
				kernel.Start: func(e *kernel.Event) {
					w = p.readWrite(e.Session, plain(near))
					w.PutString("220 go ahead")
					e.Session.Delay("begin", tick)
				},
				"begin": func(e *kernel.Event) {
					if n := w.OutOctets(); n == 0 || n > 13 {
						t.Errorf("%d bytes wait", n)
					}
					if err := w.StartTLS(p.starttls(config, server)); err != nil {
						t.Error(err)
					}
					e.Session.Delay("take", tick, 10)
				},
				"take": session.On(func(e *kernel.Event, left int) {
					got += p.read(far)
					if left > 0 {
						e.Session.Delay("take", tick, left-1)
						return
					}
					w.Close()
					far.Close()
				}),
				"error": p.failed,
			})
			p.run()
			p.want()
			if !strings.HasPrefix(got, "220 go ahead\r\n") {
				t.Errorf("the far end got %q", got)
			}
		})
	}
}

func startTLS(p *place, version uint16, near, far kernel.Handle) {
	forServer, forClient := configs(p, version)
	var heard []string // by the server
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w := p.readWrite(e.Session, plain(far))
			e.Session.State("line", session.On(func(e *kernel.Event, in *wheel.Input) {
				heard = append(heard, string(in.Bytes))
				if string(in.Bytes) != "STARTTLS" {
					w.PutString("secret " + string(in.Bytes))
					return
				}
				w.PutString("220 go ahead")
				if err := w.StartTLS(p.starttls(forServer, true)); err != nil {
					p.Error(err)
				}
				w.PutString("250 this is for the secured ear")
			}))
			e.Session.State("error", func(*kernel.Event) { w.Close() })
		},
		"secured": func(*kernel.Event) {},
	})
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w := p.readWrite(e.Session, plain(near))
			w.PutString("STARTTLS")
			secured := false
			e.Session.State("line", session.On(func(e *kernel.Event, in *wheel.Input) {
				p.note("client got %q, secured %v", in.Bytes, secured)
				switch text := string(in.Bytes); {
				case strings.HasPrefix(text, "220"):
					if err := w.StartTLS(p.starttls(forClient, false)); err != nil {
						p.Error(err)
					}
				case strings.HasPrefix(text, "secret"):
					w.Finish()
				}
			}))
			e.Session.State("secured", session.On(func(e *kernel.Event, s *wheel.Secured) {
				secured = true
				if s.Version != version || s.ServerName != hostname || len(s.VerifiedChains) != 1 {
					p.Errorf("secured: %+v", s.ConnectionState)
				}
				w.PutString("password")
			}))
		},
		"error": p.failed,
	})
	p.run()
	p.want(`client got "220 go ahead", secured false`,
		`client got "250 this is for the secured ear", secured true`,
		`client got "secret password", secured true`)
	if want := []string{"STARTTLS", "password"}; !slices.Equal(heard, want) {
		p.Errorf("the server got %q, want %q", heard, want)
	}
}

// What somebody has put into the plain text before TLS never comes out of it: neither a command, at
// the server, nor a reply, at the client.
func TestStartTLSInjection(t *testing.T) {
	refused := []string{"StartTLS: " + wheel.ErrPlaintext.Error()}
	for _, test := range []struct {
		name   string
		pieces []string
		want   []string
	}{
		{"with the command", []string{"STARTTLS\r\nEVIL\r\n"}, refused},
		{"part of a line", []string{"STARTTLS\r\nE"}, refused},
		{"after the command", []string{"STARTTLS\r\n", "EVIL\r\n"}, []string{
			"StartTLS: <nil>",
			"handshake: tls: first record does not look like a TLS handshake",
		}},
	} {
		for _, server := range []bool{true, false} {
			t.Run(test.name, func(t *testing.T) {
				everywhere(t, func(p *place) {
					forServer, forClient := configs(p, 0)
					config := forServer
					if !server {
						config = forClient
					}
					near, far := p.pair()
					var w *wheel.ReadWrite
					pieces := test.pieces
					p.create(session.Events{
						kernel.Start: func(e *kernel.Event) {
							w = p.readWrite(e.Session, plain(near))
							e.Session.Yield("send")
						},
						"send": func(e *kernel.Event) {
							p.write(far, pieces[0])
							pieces = pieces[1:]
						},
						"line": session.On(func(e *kernel.Event, in *wheel.Input) {
							if string(in.Bytes) != "STARTTLS" {
								p.Errorf("line %q came through", in.Bytes)
							}
							err := w.StartTLS(p.starttls(config, server))
							p.note("StartTLS: %v", err)
							if err != nil {
								w.Close()
								far.Close()
								return
							}
							for _, piece := range pieces {
								p.write(far, piece)
							}
						}),
						"error": session.On(func(e *kernel.Event, err *wheel.Error) {
							p.note("%v", err)
							w.Close()
							far.Close()
						}),
						"secured": p.said,
					})
					p.run()
					p.want(test.want...)
				})
			})
		}
	}
}

// Input that was read and not delivered counts, too.
func TestStartTLSWithInputPending(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	opts := wheel.TLSOptions{Config: new(tls.Config)}
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w := p.readWrite(e.Session, plain(near))
			w.InputFilter().Feed([]byte("half a li"))
			if err := w.StartTLS(opts); err != wheel.ErrPlaintext {
				t.Errorf("StartTLS: %v, want %v", err, wheel.ErrPlaintext)
			}
			if w.InputHandle() != near {
				t.Error("the wheel has another handle")
			}
			w.Close()
			far.Close()
		},
	})
	p.run()
}

func TestStartTLSRefused(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(w *wheel.ReadWrite)
		want error
	}{
		{"closed", (*wheel.ReadWrite).Close, wheel.ErrClosed},
		{"finishing", func(w *wheel.ReadWrite) { w.PutString("x"); w.Finish() }, wheel.ErrClosed},
		{"input shut down", (*wheel.ReadWrite).ShutdownInput, wheel.ErrClosed},
		{"output shut down", (*wheel.ReadWrite).ShutdownOutput, wheel.ErrOutputShut},
		{"output being shut down", func(w *wheel.ReadWrite) {
			w.PutString("x")
			w.ShutdownOutput()
		}, wheel.ErrOutputShut},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := simulated(t, sim.Options{})
			near, far := p.pair()
			p.create(session.Events{
				kernel.Start: func(e *kernel.Event) {
					w := p.readWrite(e.Session, plain(near))
					test.do(w)
					err := w.StartTLS(wheel.TLSOptions{Config: new(tls.Config)})
					if err != test.want {
						t.Errorf("StartTLS: %v, want %v", err, test.want)
					}
					w.Close()
					far.Close()
				},
			})
			p.run()
		})
	}
}

func TestStartTLSMistakes(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	opts := wheel.TLSOptions{Config: new(tls.Config)}
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			two := p.readWrite(e.Session,
				wheel.ReadWriteOptions{InputHandle: near, OutputHandle: far})
			wantPanic(t, "wheel: StartTLS of a ReadWrite that has two handles",
				func() { _ = two.StartTLS(opts) })
			two.Detach()
			w := p.readWrite(e.Session, plain(near))
			wantPanic(t, "wheel: TLSOptions has no Config",
				func() { _ = w.StartTLS(wheel.TLSOptions{}) })
			if err := w.StartTLS(opts); err != nil {
				t.Error(err)
			}
			wantPanic(t, "wheel: StartTLS of a ReadWrite on a Layer",
				func() { _ = w.StartTLS(opts) })
			w.Close()
			far.Close()
		},
	})
	p.run()
}

// The end of the stream in the middle of the handshake is an error of the handshake.
func TestStartTLSEnds(t *testing.T) {
	everywhere(t, func(p *place) {
		_, forClient := configs(p, 0)
		near, far := p.pair()
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				w := p.readWrite(e.Session, plain(near))
				if err := w.StartTLS(p.starttls(forClient, false)); err != nil {
					p.Error(err)
				}
				w.PutString("this is never sent")
				e.Session.State("error", session.On(func(e *kernel.Event, err *wheel.Error) {
					p.note("%s %v", err.Op, errors.Is(err, io.ErrUnexpectedEOF))
					p.note("put %v", errors.Is(w.PutString("x"), io.ErrUnexpectedEOF))
					w.Close()
				}))
				e.Session.Delay("hang up", tick)
			},
			"hang up": func(*kernel.Event) {
				if strings.Contains(p.read(far), "never") {
					p.Error("output left in plain text")
				}
				far.Close()
			},
		})
		p.run()
		p.want("handshake true", "put true")
	})
}
