package wheel_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// A store is a certificate and its key on disk.
type store struct {
	testing.TB
	authority  *authority
	cert, key  string // the files
	generation int
}

func newStore(t testing.TB) *store {
	dir := t.TempDir()
	return &store{TB: t, authority: newAuthority(t),
		cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
}

// write puts text into a file, or another one in its place. No two have the same time.
func (s *store) write(name string, text []byte) {
	s.Helper()
	s.generation++
	when := time.Unix(int64(s.generation), 0)
	for _, err := range []error{
		os.WriteFile(name+".new", text, 0o600),
		os.Chtimes(name+".new", when, when),
		os.Rename(name+".new", name),
	} {
		if err != nil {
			s.Fatal(err)
		}
	}
}

// issue puts a new certificate into the files, or one of the two parts of it.
func (s *store) issue(name string, parts ...string) {
	s.Helper()
	issued := s.authority.issue(s, name)
	key, err := x509.MarshalPKCS8PrivateKey(issued.PrivateKey)
	if err != nil {
		s.Fatal(err)
	}
	for _, part := range parts {
		block := &pem.Block{Type: "CERTIFICATE", Bytes: issued.Certificate[0]}
		if part == s.key {
			block = &pem.Block{Type: "PRIVATE KEY", Bytes: key}
		}
		s.write(part, pem.EncodeToMemory(block))
	}
}

func (s *store) options() wheel.CertificateReloaderOptions {
	return wheel.CertificateReloaderOptions{
		CertFile: s.cert, KeyFile: s.key, LoadedEvent: "loaded", ErrorEvent: "error",
	}
}

func TestCertificateReloaderOptions(t *testing.T) {
	p := simulated(t, sim.Options{})
	for _, opts := range []wheel.CertificateReloaderOptions{
		{CertFile: "cert.pem"}, {KeyFile: "key.pem"},
	} {
		wantPanic(t, "wheel: CertificateReloaderOptions has no CertFile or no KeyFile",
			func() { _, _ = wheel.NewCertificateReloader(p.k.Root(), opts) })
	}
}

// The certificate is there when it is loaded, and is replaced when the files are. What cannot be
// loaded takes nothing away.
func TestCertificateReloader(t *testing.T) {
	p := simulated(t, sim.Options{WorkTime: time.Second})
	s := newStore(t)
	s.issue("one.example.org", s.cert, s.key)
	var r *wheel.CertificateReloader
	began := p.k.Now()
	steps := []func(){
		func() { s.issue("two.example.org", s.cert, s.key) },
		func() { s.issue("three.example.org", s.cert) }, // the key is not there yet
		func() { s.issue("four.example.org", s.cert, s.key) },
		func() { s.write(s.key, nil) },
		func() { s.write(s.cert, make([]byte, 2<<20)) },
		func() { os.Remove(s.cert) },
		func() { s.issue("five.example.org", s.cert, s.key) },
	}
	step := func(what string) {
		name := "nobody"
		if c, err := r.GetCertificate(nil); err == nil {
			name = c.Leaf.DNSNames[0]
		}
		p.note("%v %s: %s", p.k.Now().Sub(began), what, name)
		if len(steps) == 0 {
			r.Close()
			r.Close()
			r.Reload()
			return
		}
		steps[0]()
		steps = steps[1:]
	}
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			var err error
			if r, err = wheel.NewCertificateReloader(e.Session, s.options()); err != nil {
				t.Fatal(err)
			}
			if c, err := r.GetClientCertificate(nil); c != nil || err != wheel.ErrNoCertificate {
				t.Errorf("before it is loaded: %v, %v", c, err)
			}
			if r.Certificate() != nil {
				t.Error("there is a certificate before it is loaded")
			}
		},
		"loaded": session.On(func(e *kernel.Event, id wheel.ID) {
			if id != r.ID() {
				t.Errorf("loaded by wheel %d, want %d", id, r.ID())
			}
			step("loaded")
		}),
		"error": session.On(func(e *kernel.Event, err *wheel.Error) {
			text := err.Error()
			for _, dir := range []string{s.cert, s.key} {
				text = strings.ReplaceAll(text, filepath.Dir(dir)+string(filepath.Separator), "")
			}
			step(text)
			if len(steps) == 0 && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("error %v", err.Err)
			}
		}),
		kernel.Default: p.unknown,
	})
	p.run()
	p.want(
		"1s loaded: one.example.org",
		"1m2s loaded: two.example.org",
		"2m3s load: cert.pem and key.pem: tls: private key does not match public key: "+
			"two.example.org",
		"3m4s loaded: four.example.org",
		"4m5s load: cert.pem and key.pem: tls: failed to find any PEM data in key input: "+
			"four.example.org",
		"5m6s load: cert.pem: file has more than 1048576 bytes: four.example.org",
		"6m7s load: open cert.pem: no such file or directory: four.example.org",
		"7m8s loaded: five.example.org",
	)
}

// Files that do not change are looked at, and nobody hears of it; but Reload tells in any case.
func TestCertificateReload(t *testing.T) {
	p := simulated(t, sim.Options{WorkTime: time.Second})
	s := newStore(t)
	s.issue("one.example.org", s.cert, s.key)
	var r *wheel.CertificateReloader
	began := p.k.Now()
	loaded := 0
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			opts := s.options()
			opts.Interval = 10 * time.Second
			r, _ = wheel.NewCertificateReloader(e.Session, opts)
			e.Session.Delay("reload", time.Hour)
		},
		"loaded": func(e *kernel.Event) {
			p.note("%v %s", p.k.Now().Sub(began), r.Certificate().Leaf.DNSNames[0])
			if loaded++; loaded == 3 {
				r.Reload()
				r.Close() // while it reads
			}
		},
		"reload": func(e *kernel.Event) {
			r.Reload()
			e.Session.Delay("again", time.Minute)
		},
		"again": func(e *kernel.Event) {
			r.Reload()
			s.issue("two.example.org", s.cert, s.key)
			r.Reload() // the first has begun, and may have read the old ones
		},
		"error": p.failed, kernel.Default: p.unknown,
	})
	p.run()
	p.want("1s one.example.org", "1h0m1s one.example.org", "1h1m2s two.example.org")
}

// Without an interval nothing but Reload looks, and the wheel keeps its owner alive. Without an
// event for it, the log has what went wrong.
func TestCertificateReloadOnDemand(t *testing.T) {
	p := simulated(t, sim.Options{})
	s := newStore(t)
	var r *wheel.CertificateReloader
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			r, _ = wheel.NewCertificateReloader(e.Session, wheel.CertificateReloaderOptions{
				CertFile: s.cert, KeyFile: s.key, LoadedEvent: "loaded", Interval: -1,
			})
		},
		"loaded":    func(*kernel.Event) { p.note("loaded"); r.Close() },
		kernel.Stop: p.said,
	})
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Delay("issue", time.Hour) },
		"issue": func(*kernel.Event) {
			logs := p.logs.TakeAll()
			if len(logs) != 1 || logs[0].Message != "wheel: cannot load a certificate" {
				t.Errorf("the log has %v", logs)
			}
			s.issue("one.example.org", s.cert, s.key)
			r.Reload()
		},
	})
	p.run()
	p.want("loaded", "_stop")
}

// A server with a CertificateReloader shakes hands with the certificate that there is.
func TestCertificateReloaderServes(t *testing.T) {
	everywhere(t, func(p *place) {
		s := newStore(p)
		s.issue(hostname, s.cert, s.key)
		var r *wheel.CertificateReloader
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				r, _ = wheel.NewCertificateReloader(e.Session, s.options())
			},
			"loaded": func(*kernel.Event) { r.Close() },
			"error":  p.failed,
		})
		p.run()
		o := greet(p, &tls.Config{GetCertificate: r.GetCertificate},
			&tls.Config{RootCAs: s.authority.pool, ServerName: hostname})
		o.works(p.T)
		if o.client.PeerCertificates[0].SerialNumber.Cmp(r.Certificate().Leaf.SerialNumber) != 0 {
			p.Error("the server has another certificate")
		}
	})
}

// A session that ends takes the wheel with it, whatever that is about.
func TestCertificateReloaderOwnerEnds(t *testing.T) {
	for _, after := range []time.Duration{0, 500 * time.Millisecond, time.Minute} {
		p := simulated(t, sim.Options{WorkTime: time.Second})
		s := newStore(t)
		s.issue("one.example.org", s.cert, s.key)
		p.create(session.Events{
			kernel.Start: func(e *kernel.Event) {
				if _, err := wheel.NewCertificateReloader(e.Session, s.options()); err != nil {
					t.Fatal(err)
				}
				e.Session.Delay("end", after)
			},
			"end":    func(e *kernel.Event) { e.Session.End() },
			"loaded": func(*kernel.Event) {}, "error": p.failed, kernel.Default: p.unknown,
		})
		p.run()
		p.want()
	}
}
