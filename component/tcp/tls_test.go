package tcp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/component/tcp"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// truncated is how a handshake fails whose other end is gone.
const truncated = "handshake: wheel: TLS ended without close_notify: unexpected EOF"

// hostname is what the certificates of servers are for.
const hostname = "mail.example.org"

// issue returns a certificate that a server has for its name, and that signs itself. It is good in
// the real world and in a simulated one.
func issue(t *testing.T, organization string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: hostname, Organization: []string{organization}},
		DNSNames:              []string{hostname},
		NotBefore:             time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:              time.Date(2120, time.January, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// configs returns the Configs of a server, and of clients that trust it. The clients' has no
// ServerName.
func configs(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	cert := issue(t, "example")
	return &tls.Config{Certificates: []tls.Certificate{cert}}, trusting(cert)
}

func trusting(certs ...tls.Certificate) *tls.Config {
	pool := x509.NewCertPool()
	for _, cert := range certs {
		pool.AddCert(cert.Leaf)
	}
	return &tls.Config{RootCAs: pool}
}

// namedPlace is a place in which hostname is this machine.
func namedPlace(t *testing.T, opts sim.Options) *place {
	t.Helper()
	opts.Descriptors = descriptors
	p := placeIn(t, sim.New(opts))
	p.world.AddHost(hostname, netip.MustParseAddr("127.0.0.1"))
	return p
}

// noteSecured notes what a handshake has settled, and whether the connection knows.
func noteSecured(p *place, end string, c *tcp.Conn, s *wheel.Secured) {
	p.note("%s: secured %s %v", end, tls.VersionName(s.Version), c.Secured() == s)
}

// Connected comes when the handshake is over, then Secured, then all the rest, as in plain text.
func TestTLS(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			p := namedPlace(t, sim.Options{
				Latency: tick, Faults: sim.Faults{Split: 0.3, Again: 0.1, Spurious: 0.1},
			})
			forServer, forClient := configs(t)
			forServer.MinVersion, forServer.MaxVersion = version, version
			var s *tcp.Server
			s = p.server(tcp.ServerOptions{
				TLS: forServer,
				ClientConnected: func(c *tcp.Conn) {
					p.note("server: connected %v", c.Secured().HandshakeComplete)
					c.PutString("welcome")
				},
				ClientSecured: func(c *tcp.Conn, s *wheel.Secured) { noteSecured(p, "server", c, s) },
				ClientInput: func(c *tcp.Conn, in *wheel.Input) {
					c.PutString("you said " + string(in.Bytes))
					c.Shutdown()
					s.Shutdown()
				},
			})
			var said []string
			p.client(p.at(s), tcp.ClientOptions{
				RemoteAddress: hostname, TLS: forClient,
				Connected: func(c *tcp.Client) {
					p.note("client: connected %s", c.Secured().ServerName)
					c.PutString("hello")
				},
				Secured:     func(c *tcp.Client, s *wheel.Secured) { noteSecured(p, "client", &c.Conn, s) },
				ServerInput: func(_ *tcp.Client, in *wheel.Input) { said = append(said, string(in.Bytes)) },
			})
			p.run()
			slices.SortStableFunc(p.lines, func(a, b string) int { return strings.Compare(a[:6], b[:6]) })
			name := tls.VersionName(version)
			p.want("client: connected "+hostname, "client: secured "+name+" true",
				"client: error read EOF", "client: disconnected",
				"server: connected true", "server: secured "+name+" true",
				"server: disconnected", "server: stopped")
			if want := []string{"welcome", "you said hello"}; !slices.Equal(said, want) {
				t.Errorf("the server said %q, want %q", said, want)
			}
		})
	}
}

// Who connects again resumes the session that there was, if it has a cache.
func TestTLSReconnect(t *testing.T) {
	p := namedPlace(t, sim.Options{})
	forServer, forClient := configs(t)
	forClient.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	s := p.server(tcp.ServerOptions{
		TLS:                forServer,
		ClientConnected:    func(c *tcp.Conn) { c.PutString("welcome") },
		ClientError:        func(*tcp.Conn, *wheel.Error) {},
		ClientDisconnected: func(*tcp.Conn) {},
	})
	n := 0
	p.client(p.at(s), tcp.ClientOptions{
		RemoteAddress: hostname, TLS: forClient,
		Secured:     func(_ *tcp.Client, s *wheel.Secured) { p.note("resumed %v", s.DidResume) },
		ServerInput: func(c *tcp.Client, _ *wheel.Input) { c.Shutdown() },
		Disconnected: func(c *tcp.Client) {
			if n++; n < 3 {
				c.Reconnect()
				return
			}
			s.Shutdown()
		},
	})
	p.run()
	p.want("client: connected", "resumed false", "client: connected", "resumed true",
		"client: connected", "resumed true", "server: stopped")
}

// A handshake that fails costs its own connection, is told once, and nobody else notices.
func TestTLSClientFails(t *testing.T) {
	hello := func(p *place, far kernel.Handle) { // a record that is longer than what comes
		p.write(far, "\x16\x03\x01\x02\x00\x01\x00")
	}
	tests := []struct {
		name string
		do   func(p *place, far kernel.Handle)
		want string
	}{
		{"plain text", func(p *place, far kernel.Handle) { p.write(far, "GET / HTTP/1.1\r\n\r\n") },
			"handshake: tls: first record does not look like a TLS handshake"},
		{"the end at once", func(_ *place, far kernel.Handle) { far.Close() }, truncated},
		{"the end in the middle", func(p *place, far kernel.Handle) {
			hello(p, far)
			far.Close()
		}, truncated},
		{"a reset", func(p *place, far kernel.Handle) { p.world.Reset(far) },
			"handshake connection reset by peer"},
		{"silence", func(*place, kernel.Handle) {}, "handshake connection timed out"},
		{"silence in the middle", hello, "handshake connection timed out"},
		{"a byte a second", func(p *place, far kernel.Handle) {
			text := "\x16\x03\x01\x02\x00" + strings.Repeat("\x01", 512)
			p.trickle(far, text, time.Second)
		}, "handshake connection timed out"},
		{"a record that lies about its length", func(p *place, far kernel.Handle) {
			p.write(far, "\x16\x03\x01\xff\xff"+strings.Repeat("x", 60_000))
		}, "handshake: tls: oversized record received with length 65535"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := namedPlace(t, sim.Options{})
			forServer, forClient := configs(t)
			var bad string
			s := p.server(tcp.ServerOptions{
				TLS:             forServer,
				Concurrency:     2,
				ClientConnected: func(*tcp.Conn) {},
				ClientInput:     func(c *tcp.Conn, in *wheel.Input) { c.Put(in.Bytes) },
				ClientError: func(c *tcp.Conn, err *wheel.Error) {
					if c.RemoteAddr().String() == bad {
						p.note("%s, connected %v", what(err), c.Connected())
					}
				},
				ClientDisconnected: func(*tcp.Conn) { p.note("server: disconnected") },
			})
			echoes := 0
			good := p.client(p.at(s), tcp.ClientOptions{
				RemoteAddress: hostname, TLS: forClient,
				Connected: func(c *tcp.Client) {
					c.PutString("0")
					c.Session.Delay("more", time.Second)
				},
				ServerInput: func(*tcp.Client, *wheel.Input) { echoes++ },
				Events: session.Events{"more": func(e *kernel.Event) {
					_ = tcp.ClientOf(e).PutString("more")
					e.Session.Delay("more", time.Second)
				}},
			})
			p.step(func() {
				far := p.dial(s)
				local, _ := far.LocalAddr()
				bad = local.String()
				p.step(func() {}) // so that it is accepted
				p.step(func() { tt.do(p, far) })
			})
			p.k.Create(session.Events{
				kernel.Start: func(e *kernel.Event) { e.Session.Delay("later", time.Minute) },
				"later": func(*kernel.Event) {
					p.note("%d client", s.Connections())
					good.Session.AlarmClear("more")
					good.Close()
					s.Shutdown()
				},
			})
			p.run()
			p.want(tt.want+", connected false", "1 client", "client: disconnected",
				"server: disconnected", "server: stopped")
			if echoes < 55 {
				t.Errorf("the good client heard %d echoes in a minute", echoes)
			}
		})
	}
}

// A server that has nothing to say of TLS, or the wrong things, is a failure of the connect, after
// which the client may try again.
func TestTLSServerFails(t *testing.T) {
	good, other := issue(t, "good"), issue(t, "other")
	tests := []struct {
		name string
		opts tcp.ServerOptions
		want string
	}{
		{"plain text", tcp.ServerOptions{
			ClientConnected: func(c *tcp.Conn) { c.PutString("220 mail.example.org") },
		}, "handshake: tls: first record does not look like a TLS handshake"},
		{"silence", tcp.ServerOptions{}, "handshake connection timed out"},
		{"the end", tcp.ServerOptions{ClientConnected: (*tcp.Conn).Close},
			truncated},
		{"a certificate that is not trusted", tcp.ServerOptions{
			TLS: &tls.Config{Certificates: []tls.Certificate{other}},
		}, "handshake: tls: failed to verify certificate: x509: certificate signed by unknown authority"},
		{"no certificate yet", tcp.ServerOptions{TLS: &tls.Config{
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
				return nil, wheel.ErrNoCertificate
			},
		}}, "handshake: remote error: tls: internal error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := namedPlace(t, sim.Options{})
			tt.opts.ClientError = func(*tcp.Conn, *wheel.Error) {}
			tt.opts.ClientDisconnected = func(*tcp.Conn) {}
			tt.opts.Stopped = func(*tcp.Server) {}
			if tt.opts.ClientConnected == nil {
				tt.opts.ClientConnected = func(*tcp.Conn) {}
			}
			tt.opts.ClientInput = func(*tcp.Conn, *wheel.Input) {}
			bad := p.server(tt.opts)
			s := p.server(tcp.ServerOptions{
				TLS:                &tls.Config{Certificates: []tls.Certificate{good}},
				ClientConnected:    func(*tcp.Conn) {},
				ClientError:        func(*tcp.Conn, *wheel.Error) {},
				ClientDisconnected: func(*tcp.Conn) {},
				Stopped:            func(*tcp.Server) {},
			})
			p.client(p.at(bad), tcp.ClientOptions{
				Alias: alias, RemoteAddress: hostname, TLS: trusting(good),
				HandshakeTimeout: 3 * time.Second,
				ConnectError: func(c *tcp.Client, err *wheel.Error) {
					p.note("%s, connected %v, after %v", strings.SplitN(what(err), " (", 2)[0],
						c.Connected(), p.world.Elapsed())
					bad.Shutdown()
					c.Connect(hostname, p.at(s))
				},
				Connected: func(c *tcp.Client) {
					p.note("client: connected")
					c.Close()
					s.Shutdown()
				},
			})
			p.run()
			after := "0s"
			if tt.name == "silence" {
				after = "3s"
			}
			p.want(tt.want+", connected false, after "+after, "client: connected",
				"client: disconnected")
		})
	}
}

// Where nobody listens for it, the log takes a handshake that failed, unless somebody only came to
// look.
func TestUnheardHandshake(t *testing.T) {
	p := namedPlace(t, sim.Options{})
	forServer, _ := configs(t)
	s, err := tcp.SpawnServer(p.k.Root(), tcp.ServerOptions{
		TLS: forServer, ClientInput: func(*tcp.Conn, *wheel.Input) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	looks, resets, talks := p.dial(s), p.dial(s), p.dial(s)
	p.step(func() { looks.Close() })
	p.step(func() { p.world.Reset(resets) })
	p.step(func() { p.write(talks, "HELO me\r\n") })
	p.step(s.Shutdown)
	p.run("tcp: the connection failed")
}

// Until the handshake is over, there is no connection, and whatever ends it, nothing is told; the
// slot of the client is free at once.
func TestShutdownWhileShakingHands(t *testing.T) {
	for name, end := range map[string]func(c *tcp.Conn){
		"Shutdown":  func(c *tcp.Conn) { c.Shutdown(); c.Shutdown() },
		"Close":     func(c *tcp.Conn) { c.Close(); c.Close() },
		"the event": func(c *tcp.Conn) { c.Session.Yield("shutdown") },
		"the end":   func(c *tcp.Conn) { c.Session.End() },
	} {
		t.Run(name, func(t *testing.T) {
			p := namedPlace(t, sim.Options{})
			forServer, _ := configs(t)
			var c *tcp.Conn
			s := p.server(tcp.ServerOptions{
				TLS: forServer,
				ClientPreConnect: func(conn *tcp.Conn, s kernel.Socket) kernel.Handle {
					c = conn
					conn.Session.Delay("late", time.Hour) // it keeps the session
					return s
				},
				ClientEvents: session.Events{"late": func(*kernel.Event) { p.note("late") }},
			})
			far := p.dial(s)
			p.step(func() {
				p.note("put %v, %d client", c.PutString("early"), s.Connections())
				c.PauseInput()
				c.ResumeInput()
				end(c)
			})
			p.step(func() {
				p.note("%d clients, the far end reads %s", s.Connections(), p.read(far))
				c.Session.AlarmClear("late")
				s.Shutdown()
			})
			p.run()
			p.want("put wheel: closed, 1 client", "0 clients, the far end reads EOF", "server: stopped")
		})
	}
}

// After Shutdown or Close nothing comes of a handshake that is under way, nor if it is told to
// connect anew.
func TestClientEndsWhileShakingHands(t *testing.T) {
	for name, end := range map[string]func(c *tcp.Client){
		"Shutdown": (*tcp.Client).Shutdown, "Close": (*tcp.Client).Close,
		"the end":   func(c *tcp.Client) { c.Session.End() },
		"Reconnect": (*tcp.Client).Reconnect,
	} {
		t.Run(name, func(t *testing.T) {
			p := namedPlace(t, sim.Options{})
			_, forClient := configs(t)
			n := 0
			s := p.server(tcp.ServerOptions{ // which says nothing
				ClientConnected:    func(*tcp.Conn) { n++ },
				ClientInput:        func(*tcp.Conn, *wheel.Input) {},
				ClientError:        func(*tcp.Conn, *wheel.Error) {},
				ClientDisconnected: func(*tcp.Conn) {},
			})
			c := p.client(p.at(s), tcp.ClientOptions{RemoteAddress: hostname, TLS: forClient})
			p.step(func() { p.note("connected %v", c.Connected()) })
			p.step(func() { end(c) })
			p.step(func() { p.note("ended %v, %d connections", c.Session.Ended(), s.Connections()) })
			p.step(c.Shutdown)
			p.step(s.Shutdown)
			p.run()
			again := name == "Reconnect"
			left, made := 0, 1
			if again {
				left, made = 1, 2
			}
			p.want("connected false", fmt.Sprintf("ended %v, %d connections", !again, left),
				"server: stopped")
			if n != made || p.world.Elapsed() > time.Second {
				t.Errorf("%d connections were made, and it took %v", n, p.world.Elapsed())
			}
		})
	}
}

// A Layer that PreConnect returns is waited for as TLS is.
func TestPreConnectTLS(t *testing.T) {
	p := namedPlace(t, sim.Options{})
	forServer, forClient := configs(t)
	forClient.ServerName = hostname
	s := p.server(tcp.ServerOptions{
		ClientPreConnect: func(_ *tcp.Conn, s kernel.Socket) kernel.Handle {
			return wheel.NewTLS(p.k, s, wheel.TLSOptions{Config: forServer, Server: true})
		},
		ClientSecured: func(*tcp.Conn, *wheel.Secured) { p.note("server: secured") },
		ClientInput:   func(c *tcp.Conn, _ *wheel.Input) { c.Shutdown() },
	})
	p.dial(s)
	p.client(p.at(s), tcp.ClientOptions{
		PreConnect: func(_ *tcp.Client, s kernel.Socket) kernel.Handle {
			return wheel.NewTLS(p.k, s, wheel.TLSOptions{Config: forClient})
		},
		Connected: func(c *tcp.Client) { c.PutString("hello") },
	})
	p.step(func() {})
	p.step(func() {
		p.want("server: connected", "server: secured", "server: disconnected",
			"client: error read EOF", "client: disconnected")
	})
	p.step(p.k.Stop)
	p.run()
	p.want("server: stopped")
}

// TLS in the middle of the stream is told by Secured, too, and does not connect a second time.
func TestStartTLS(t *testing.T) {
	p := namedPlace(t, sim.Options{})
	forServer, forClient := configs(t)
	forClient.ServerName = hostname
	s := p.server(tcp.ServerOptions{
		ClientInput: func(c *tcp.Conn, in *wheel.Input) {
			p.note("server: input %s, secured %v", in.Bytes, c.Secured() != nil)
			if string(in.Bytes) == "STARTTLS" {
				c.PutString("go")
				if err := c.Wheel().StartTLS(wheel.TLSOptions{Config: forServer, Server: true}); err != nil {
					t.Error(err)
				}
				return
			}
			c.Close()
		},
		ClientSecured: func(*tcp.Conn, *wheel.Secured) { p.note("server: secured") },
		ClientError:   func(*tcp.Conn, *wheel.Error) {},
	})
	p.client(p.at(s), tcp.ClientOptions{
		Connected: func(c *tcp.Client) { c.PutString("STARTTLS") },
		ServerInput: func(c *tcp.Client, in *wheel.Input) {
			if err := c.Wheel().StartTLS(wheel.TLSOptions{Config: forClient}); err != nil {
				t.Error(err)
			}
		},
		Secured:     func(c *tcp.Client, _ *wheel.Secured) { c.PutString("secret"); c.Shutdown() },
		ServerError: func(*tcp.Client, *wheel.Error) {},
	})
	p.step(func() {})
	p.step(s.Shutdown)
	p.run()
	p.lines = slices.DeleteFunc(p.lines, func(line string) bool { return line == "client: disconnected" })
	p.want("server: connected", "server: input STARTTLS, secured false", "server: secured",
		"server: input secret, secured true", "server: disconnected", "server: stopped")
}

// A server whose certificate is changed on disk shows the new one to the next client, and keeps the
// clients that it has.
func TestTLSCertificateReload(t *testing.T) {
	p := namedPlace(t, sim.Options{})
	dir := t.TempDir()
	first, second := issue(t, "first"), issue(t, "second")
	save(t, dir, first)
	var s *tcp.Server
	var r *wheel.CertificateReloader
	clients := map[string]*tcp.Client{}
	client := func(name string) {
		clients[name] = p.client(p.at(s), tcp.ClientOptions{
			RemoteAddress: hostname, TLS: trusting(first, second),
			Secured: func(_ *tcp.Client, s *wheel.Secured) {
				p.note("%s got the %s", name, s.PeerCertificates[0].Subject.Organization[0])
			},
			Connected:    func(*tcp.Client) {},
			ServerInput:  func(_ *tcp.Client, in *wheel.Input) { p.note("%s heard %s", name, in.Bytes) },
			Disconnected: func(*tcp.Client) {},
		})
	}
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			var err error
			r, err = wheel.NewCertificateReloader(e.Session, wheel.CertificateReloaderOptions{
				CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem"),
				Interval: -1, LoadedEvent: "loaded",
			})
			if err != nil {
				t.Fatal(err)
			}
		},
		"loaded": func(e *kernel.Event) {
			if s == nil {
				s = p.server(tcp.ServerOptions{
					TLS:                &tls.Config{GetCertificate: r.GetCertificate},
					ClientConnected:    func(*tcp.Conn) {},
					ClientInput:        func(c *tcp.Conn, in *wheel.Input) { c.Put(in.Bytes) },
					ClientError:        func(*tcp.Conn, *wheel.Error) {},
					ClientDisconnected: func(*tcp.Conn) {},
				})
				client("one")
				e.Session.Delay("change", tick)
				return
			}
			client("two")
			e.Session.Delay("talk", tick)
		},
		"change": func(*kernel.Event) {
			save(t, dir, second)
			r.Reload()
		},
		"talk": func(e *kernel.Event) {
			clients["one"].PutString("hello")
			e.Session.Delay("end", tick)
		},
		"end": func(*kernel.Event) { p.k.Stop() },
	})
	p.run()
	p.want("one got the first", "two got the second", "one heard hello", "server: stopped")
}

// save writes a certificate and its key to the files that a server reads.
func save(t *testing.T, dir string, cert tls.Certificate) {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: cert.Certificate[0]},
		"key.pem":  {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTLSMistakes(t *testing.T) {
	renegotiates := &tls.Config{
		Renegotiation: tls.RenegotiateOnceAsClient, Certificates: make([]tls.Certificate, 1),
	}
	p := newPlace(t)
	for _, tt := range []struct {
		opts tcp.ServerOptions
		want string
	}{
		{tcp.ServerOptions{TLS: new(tls.Config)}, "tcp: ServerOptions has a TLS without a certificate"},
		{tcp.ServerOptions{TLS: renegotiates},
			"tcp: ServerOptions has a TLS that allows renegotiation"},
	} {
		tt.opts.ClientInput = func(*tcp.Conn, *wheel.Input) {}
		wantPanic(t, tt.want, func() { tcp.SpawnServer(p.k.Root(), tt.opts) })
	}
	wantPanic(t, "tcp: ServerOptions has an Acceptor, and functions for clients", func() {
		tcp.SpawnServer(p.k.Root(), tcp.ServerOptions{
			TLS:      &tls.Config{Certificates: make([]tls.Certificate, 1)},
			Acceptor: func(*tcp.Server, *wheel.Connection) {},
		})
	})
	for _, tt := range []struct {
		opts tcp.ClientOptions
		want string
	}{
		{tcp.ClientOptions{RemotePort: "1", TLS: renegotiates},
			"tcp: ClientOptions has a TLS that allows renegotiation"},
		{tcp.ClientOptions{Network: "unix", TLS: new(tls.Config)},
			"tcp: ClientOptions has a TLS without a ServerName, for a path"},
	} {
		tt.opts.RemoteAddress = "a"
		tt.opts.ServerInput = func(*tcp.Client, *wheel.Input) {}
		wantPanic(t, tt.want, func() { tcp.SpawnClient(p.k.Root(), tt.opts) })
	}
	p.run()
}
