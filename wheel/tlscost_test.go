package wheel_test

import (
	"crypto/tls"
	"runtime"
	"testing"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// maxIdleTLS is what one end of a TLS connection on which nothing happens may cost, in bytes.
const maxIdleTLS = 40 << 10

// heap returns how many bytes are in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what has a finalizer, or is in a sync.Pool, needs more than one
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// Connections cost no goroutines, and little memory, even after records of the largest size.
func TestTLSIdleConnections(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		connections := 1000
		if version != tls.VersionTLS13 {
			connections = 100
		}
		world := sim.New(sim.Options{})
		p := newPlace(t, world)
		forServer, forClient := configs(t, version)
		forServer.DynamicRecordSizingDisabled, forClient.DynamicRecordSizingDisabled = true, true
		forServer.Time, forClient.Time = p.k.Now, p.k.Now
		large, buf := make([]byte, 16384), make([]byte, 65536)
		goroutines, before := runtime.NumGoroutine(), heap()
		ends := make([]*wheel.TLS, 0, 2*connections)
		for range connections {
			near, far, err := world.SocketPair()
			if err != nil {
				t.Fatal(err)
			}
			a := wheel.NewTLS(p.k, near, wheel.TLSOptions{Config: forClient})
			b := wheel.NewTLS(p.k, far, wheel.TLSOptions{Config: forServer, Server: true})
			shakeHands(t, a, b)
			for range 2 {
				if n, err := a.Write(large); n != len(large) || err != nil {
					t.Fatalf("Write: %d, %v", n, err)
				}
				if n, err := b.Read(buf); n != len(large) || err != nil {
					t.Fatalf("Read: %d, %v", n, err)
				}
				a, b = b, a
			}
			ends = append(ends, a, b)
		}
		wantGoroutines(t, goroutines)
		each := (heap() - before) / int64(len(ends))
		t.Logf("%d bytes for each end, with that of the stream below", each)
		if each > maxIdleTLS {
			t.Errorf("one end costs %d bytes, want at most %d", each, maxIdleTLS)
		}
		for _, h := range ends {
			h.Close()
		}
		wantGoroutines(t, goroutines)
	})
}

// A fast sender and a session that pauses: no more is in memory than what the marks allow, and what
// one record takes.
func TestTLSBackPressure(t *testing.T) {
	const total, high = 64 << 20, 256 << 10
	everywhere(t, func(p *place) {
		forServer, forClient := configs(p, tls.VersionTLS13)
		near, far := p.pair()
		sent, got, pauses := 0, 0, 0
		chunk := make([]byte, 32<<10)
		stream := filter.NewStream(filter.StreamOptions{})
		var before, most int64
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				opts := p.secure(near, forClient, false)
				opts.Filter, opts.HighMark, opts.LowMark = stream.Clone(), high, high/2
				opts.LowEvent = "low"
				w := p.readWrite(e.Session, opts)
				more := func(*kernel.Event) {
					for !w.High() && sent < total {
						if err := w.Put(chunk); err != nil {
							p.Fatal(err)
						}
						sent += len(chunk)
					}
					if sent == total {
						w.Finish()
					}
				}
				e.Session.State("secured", more)
				e.Session.State("low", more)
			},
			"error": p.failed, "flushed": func(*kernel.Event) {},
		})
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				opts := p.secure(far, forServer, true)
				opts.Filter = stream.Clone()
				w := p.readWrite(e.Session, opts)
				e.Session.State("line", session.On(func(e *kernel.Event, in *wheel.Input) {
					got += len(in.Bytes)
					// Each time a megabyte has come, the session has enough for a while.
					if got>>20 == pauses {
						return
					}
					pauses = got >> 20
					w.PauseInput()
					e.Session.Delay("resume", tick)
					if pauses%16 == 1 {
						used := heap()
						if before == 0 {
							before = used
						}
						most = max(most, used-before)
					}
				}))
				e.Session.State("resume", func(*kernel.Event) {
					if waiting := sent - got; waiting > high+len(chunk)+512<<10 {
						p.Errorf("%d bytes are on their way", waiting)
					}
					w.ResumeInput()
				})
				e.Session.State("error", func(e *kernel.Event) {
					p.failed(e)
					w.Close()
				})
			},
			"secured": func(*kernel.Event) {},
		})
		p.run()
		p.want("error read: EOF")
		if got != total || pauses != total>>20 {
			p.Errorf("got %d bytes, want %d, with %d pauses", got, total, pauses)
		}
		if most > 4<<20 {
			p.Errorf("memory has grown by %d bytes", most)
		}
	})
}

// What is read and written costs no memory once all buffers have their size, beyond the one small
// thing that crypto/tls allocates for each piece of a record.
func TestTLSAllocations(t *testing.T) {
	p := newPlace(t, kernel.NewLoop())
	near, far := p.pair()
	client, server := tlsPair(t, p.k, near, far, tls.VersionTLS13)
	defer client.Close()
	defer server.Close()
	out, in := make([]byte, 1000), make([]byte, 65536)
	n := testing.AllocsPerRun(1000, func() {
		if _, err := client.Write(out); err != nil {
			t.Fatal(err)
		}
		if n, err := server.Read(in); n != len(out) || err != nil {
			t.Fatal(n, err)
		}
	})
	if n > 4 {
		t.Errorf("a record costs %v allocations, want at most 4", n)
	}
}
