package wheel_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// A stream that ends without close_notify was cut off, at whatever byte.
func TestTLSTruncated(t *testing.T) {
	const text, cut = "all of this", "wheel: TLS ended without close_notify: unexpected EOF"
	versions(t, func(t *testing.T, version uint16) {
		p := simulated(t, sim.Options{})
		for most, whole := 0, false; !whole; most++ {
			near, far := p.pair()
			tap := &handle{Handle: far}
			client, server := tlsPair(t, p.k, near, tap, version)
			left := most
			whole = true
			tap.write = func(b []byte) (int, error) {
				n := min(left, len(b))
				left -= n
				whole = whole && n == len(b)
				p.write(far, string(b[:n]))
				return len(b), nil
			}
			p.write(server, text)
			server.Close()
			switch got := p.read(client); {
			case whole && got != text+"EOF", !whole && got != cut && got != text+cut:
				t.Errorf("of %d bytes: read %q", most, got)
			}
			_, err := client.Read(make([]byte, 1))
			if errors.Is(err, io.ErrUnexpectedEOF) == whole {
				t.Errorf("of %d bytes: %v", most, err)
			}
			client.Close()
		}
	})
}

// Each direction ends for itself.
func TestTLSHalfClose(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		p := simulated(t, sim.Options{})
		near, far := p.pair()
		client, server := tlsPair(t, p.k, near, far, version)
		p.write(client, "question")
		for range 2 {
			if err := client.CloseWrite(); err != nil {
				t.Errorf("CloseWrite: %v", err)
			}
		}
		if _, err := client.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("Write after CloseWrite: %v", err)
		}
		p.note("%s", p.read(server))
		p.write(server, "answer")
		p.note("%s", p.read(client))
		server.Close()
		p.note("%s", p.read(client))
		client.Close()
		p.want("questionEOF", "answer", "EOF")
	})
}

// close_notify waits for room behind what was written, and so does the end of the stream below.
func TestTLSCloseWriteWaits(t *testing.T) {
	p := simulated(t, sim.Options{Buffer: 2000})
	near, far := p.pair()
	client, server := tlsPair(t, p.k, near, far, tls.VersionTLS13)
	_ = p.read(client) // the tickets
	if n, err := client.Write(make([]byte, 5000)); n != 5000 || err != nil {
		t.Errorf("Write: %d, %v", n, err)
	}
	if _, err := client.Write([]byte("x")); err != kernel.ErrAgain {
		t.Errorf("Write: %v, want %v", err, kernel.ErrAgain)
	}
	if err := client.CloseWrite(); err != nil {
		t.Errorf("CloseWrite: %v", err)
	}
	got := ""
	for !strings.HasSuffix(got, "EOF") {
		wants, err := client.Advance()
		if wants != 0 && wants != kernel.Write || err != nil {
			t.Errorf("Advance: %v, %v", wants, err)
		}
		got += p.read(server)
	}
	if got != strings.Repeat("\x00", 5000)+"EOF" {
		t.Errorf("got %d bytes, ending in %q", len(got), got[max(0, len(got)-3):])
	}
	client.Close()
	server.Close()
}

// The wheel tells that all is flushed when the stream has it, and not when it is encrypted; and
// Finish waits for close_notify.
func TestTLSFlushed(t *testing.T) {
	p := simulated(t, sim.Options{Buffer: 1000})
	forServer, forClient := configs(t, tls.VersionTLS13)
	near, far := p.pair()
	counted, taken, got := &handle{Handle: far}, 0, 0
	counted.read = func(p []byte) (int, error) {
		n, err := far.Read(p)
		taken += n
		return n, err
	}
	const size = 10_000
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w := p.readWrite(e.Session, p.secure(near, forClient, false))
			e.Session.State("flushed", func(e *kernel.Event) {
				p.note("flushed, and the peer has the last %v", taken > size-1000)
				if taken = 0; got < size {
					w.PutString(strings.Repeat("more", size/4))
					w.Finish()
				}
			})
			w.SetOutputFilter(filter.NewStream(filter.StreamOptions{}))
			w.Put(make([]byte, size))
		},
		"secured": func(*kernel.Event) { taken = 0 }, "error": p.failed,
		kernel.Stop: func(*kernel.Event) { p.note("closed %v", near.FD() < 0) },
	})
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			opts := p.secure(counted, forServer, true)
			opts.Filter = filter.NewStream(filter.StreamOptions{})
			w := p.readWrite(e.Session, opts)
			e.Session.State("error", func(e *kernel.Event) {
				p.failed(e)
				w.Close()
			})
		},
		"line":    session.On(func(e *kernel.Event, in *wheel.Input) { got += len(in.Bytes) }),
		"secured": func(*kernel.Event) {},
	})
	p.run()
	p.want("flushed, and the peer has the last true", "flushed, and the peer has the last true",
		"closed true", "error read: EOF")
	if got != 2*size {
		t.Errorf("got %d bytes, want %d", got, 2*size)
	}
}

// Close in the middle of the handshake releases the coroutine, on either side.
func TestTLSCloseWhileShakingHands(t *testing.T) {
	p := simulated(t, sim.Options{})
	forServer, forClient := configs(t, tls.VersionTLS13)
	before := runtime.NumGoroutine()
	for range 100 {
		near, far := p.pair()
		client := wheel.NewTLS(p.k, near, wheel.TLSOptions{Config: forClient})
		server := wheel.NewTLS(p.k, far, wheel.TLSOptions{Config: forServer, Server: true})
		for i, h := range []*wheel.TLS{client, server} {
			if wants, err := h.Advance(); wants != kernel.Read || err != nil {
				t.Errorf("end %d: Advance: %v, %v", i, wants, err)
			}
			if _, err := h.Read(make([]byte, 1)); err != kernel.ErrAgain {
				t.Errorf("end %d: Read: %v", i, err)
			}
			if _, err := h.Write([]byte("x")); err != kernel.ErrAgain {
				t.Errorf("end %d: Write: %v", i, err)
			}
			if s := h.ConnectionState(); s.HandshakeComplete || s.Version != 0 {
				t.Errorf("end %d: %+v", i, s)
			}
		}
		client.Close()
		server.Close()
		if _, err := client.Advance(); err != net.ErrClosed {
			t.Errorf("Advance after Close: %v, want %v", err, net.ErrClosed)
		}
	}
	wantGoroutines(t, before)
}

// wantGoroutines checks that there are no more goroutines than there were. Those of earlier tests
// may have come to their end.
func wantGoroutines(t *testing.T, before int) {
	t.Helper()
	if n := runtime.NumGoroutine(); n > before {
		buf := make([]byte, 1<<16)
		buf = buf[:runtime.Stack(buf, true)]
		t.Errorf("%d goroutines, where %d were before\n%s", n, before, buf)
	}
}

// A function of the Config may close the wheel, which ends there and then, as if it had been closed
// from elsewhere.
func TestTLSClosedByConfig(t *testing.T) {
	everywhere(t, func(p *place) {
		before := runtime.NumGoroutine()
		forServer, forClient := configs(p, tls.VersionTLS13)
		near, far := p.pair()
		var w *wheel.ReadWrite
		certificate := forServer.Certificates[0]
		forServer.Certificates = nil
		forServer.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			p.note("asked for %s by %q", hello.ServerName, fmt.Sprint(hello.Conn.RemoteAddr()))
			w.Flush()
			w.Close()
			return &certificate, nil
		}
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				w = p.readWrite(e.Session, p.secure(far, forServer, true))
			},
			"secured": p.said, "error": p.failed,
		})
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				w := p.readWrite(e.Session, p.secure(near, forClient, false))
				e.Session.State("error", func(e *kernel.Event) {
					p.note("client %s", kernel.Arg[*wheel.Error](e, 0).Op)
					w.Close()
				})
			},
			"secured": p.said,
		})
		p.run()
		p.want("asked for "+hostname+` by ""`, "client handshake")
		wantGoroutines(p.T, before)
	})
}

// A panic in a function of the Config is one of the session, and the wheel is good for nothing
// after it.
func TestTLSPanicInConfig(t *testing.T) {
	p := simulated(t, sim.Options{})
	before := runtime.NumGoroutine()
	forServer, forClient := configs(t, tls.VersionTLS13)
	forClient.Time = p.k.Now
	forServer.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { panic("no") }
	near, far := p.pair()
	client := wheel.NewTLS(p.k, near, wheel.TLSOptions{Config: forClient})
	server := wheel.NewTLS(p.k, far, wheel.TLSOptions{Config: forServer, Server: true})
	if _, err := client.Advance(); err != nil {
		t.Error(err)
	}
	wantPanic(t, "no", func() { _, _ = server.Advance() })
	for range 2 {
		if _, err := server.Advance(); err == nil || !strings.Contains(err.Error(), "panic") {
			t.Errorf("Advance after a panic: %v", err)
		}
	}
	client.Close()
	server.Close()
	wantGoroutines(t, before)
}

// The owner of such a wheel hears of it, though nothing more comes from the peer.
func TestReadWriteOfTLSPanicInConfig(t *testing.T) {
	p := simulated(t, sim.Options{})
	forServer, forClient := configs(t, tls.VersionTLS13)
	forServer.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { panic("no") }
	near, far := p.pair()
	var client, server *wheel.ReadWrite
	p.create(session.Events{kernel.Start: func(e *kernel.Event) {
		client = p.readWrite(e.Session, p.secure(near, forClient, false))
	}})
	over := func() {
		client.Close()
		server.Close()
	}
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			e.Session.Sig("DIE", "died")
			server = p.readWrite(e.Session, p.secure(far, forServer, true))
			e.Session.Delay("in vain", tick)
		},
		"died": func(e *kernel.Event) {
			e.Kernel.SigHandled()
			p.said(e)
		},
		"error": func(e *kernel.Event) {
			p.failed(e)
			e.Session.AlarmClear("in vain")
			over()
		},
		"in vain": func(e *kernel.Event) {
			p.said(e)
			over()
		},
	})
	p.run()
	p.want("died", "error handshake: wheel: TLS handshake was broken off by a panic")
}

// Whoever cannot write any more still reads.
func TestTLSReadsAfterWriteFailed(t *testing.T) {
	p := simulated(t, sim.Options{})
	forServer, forClient := configs(t, tls.VersionTLS13)
	near, far := p.pair()
	odd := &handle{Handle: near}
	var w *wheel.ReadWrite
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, p.secure(odd, forClient, false))
		},
		"secured": func(e *kernel.Event) {
			odd.write = func([]byte) (int, error) { return 0, syscall.EPIPE }
			w.PutString("lost")
		},
		"line": p.input,
		"error": func(e *kernel.Event) {
			p.failed(e)
			if errors.Is(kernel.Arg[*wheel.Error](e, 0), io.EOF) {
				p.note("put %v", w.PutString("lost, too"))
				w.Close()
			}
		},
	})
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			server := p.readWrite(e.Session, p.secure(far, forServer, true))
			e.Session.State("later", func(*kernel.Event) {
				server.PutString("not lost")
				server.Finish()
			})
		},
		"secured": func(e *kernel.Event) { e.Session.Delay("later", tick) },
		"flushed": func(*kernel.Event) {},
	})
	p.run()
	p.want("error write: broken pipe", `line "not lost"`, "error read: EOF",
		"put write: broken pipe")
}

// A session that is ended takes its wheel with it, also one in the middle of a handshake.
func TestTLSOwnerEnds(t *testing.T) {
	everywhere(t, func(p *place) {
		before := runtime.NumGoroutine()
		_, forClient := configs(p, tls.VersionTLS13)
		near, far := p.pair()
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				p.readWrite(e.Session, p.secure(near, forClient, false))
				e.Session.Delay("end", tick)
			},
			"end": func(e *kernel.Event) {
				if len(p.read(far)) == 0 {
					p.Error("the handshake has not begun")
				}
				e.Session.End()
				far.Close()
			},
			"secured": p.said, "error": p.failed, kernel.Default: p.unknown,
		})
		p.run()
		p.want()
		wantGoroutines(p.T, before)
	})
}

// A handshake in which nothing can be written is over, and says why; where the peer has said why,
// that comes first.
func TestTLSWriteFailsInHandshake(t *testing.T) {
	for _, test := range []struct{ said, want string }{
		{"", "handshake broken pipe"},
		{"\x15\x03\x03\x00\x02\x02\x28", "handshake remote error: tls: handshake failure"},
	} {
		p := simulated(t, sim.Options{})
		_, forClient := configs(t, tls.VersionTLS12)
		near, far := p.pair()
		p.write(far, test.said)
		odd := &handle{Handle: near}
		odd.write = func([]byte) (int, error) { return 0, syscall.EPIPE }
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				w := p.readWrite(e.Session, p.secure(odd, forClient, false))
				w.ShutdownOutput() // of which the outcome is not to be lost
				e.Session.State("error", session.On(func(e *kernel.Event, err *wheel.Error) {
					p.note("%s %v", err.Op, err.Err)
					h := w.InputHandle()
					for range 2 {
						_, read := h.Read(make([]byte, 1))
						_, written := h.Write([]byte("x"))
						if read != err.Err || !errors.Is(written, read) &&
							!errors.Is(written, syscall.EPIPE) {
							t.Errorf("Read: %v, Write: %v, want %v", read, written, err.Err)
						}
					}
					w.Close()
					far.Close()
				}))
			},
			"secured": p.said, kernel.Default: p.unknown,
		})
		p.run()
		p.want(test.want)
	}
}

// After an alert nothing is read, and nothing is written.
func TestTLSAlert(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		p := simulated(t, sim.Options{})
		near, far := p.pair()
		client, server := tlsPair(t, p.k, near, far, version)
		_ = p.read(client) // tickets
		p.write(far, "\x17\x03\x03\x00\x20"+strings.Repeat("x", 32))
		for range 2 {
			_, read := client.Read(make([]byte, 1))
			_, written := client.Write([]byte("x"))
			p.note("%v %v", read, written == read)
		}
		for range 2 {
			_, read := server.Read(make([]byte, 1))
			_, written := server.Write([]byte("x"))
			p.note("%v %v", read, written == read)
		}
		p.want("local error: tls: bad record MAC true", "local error: tls: bad record MAC true",
			"remote error: tls: bad record MAC true", "remote error: tls: bad record MAC true")
		client.Close()
		server.Close()
	})
}
