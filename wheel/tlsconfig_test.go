package wheel_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// An outcome is what came of a handshake: the state at both ends, or their errors.
type outcome struct {
	client, server       *wheel.Secured
	clientErr, serverErr string
}

// greet has a client and a server shake hands, and the server say hello if that works.
func greet(p *place, forServer, forClient *tls.Config) (o outcome) {
	p.Helper()
	near, far := p.pair()
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w := p.readWrite(e.Session, p.secure(far, forServer, true))
			w.PutString("hello")
			e.Session.State("error", session.On(func(e *kernel.Event, err *wheel.Error) {
				o.serverErr += err.Error()
				w.Close()
			}))
		},
		"secured": session.On(func(e *kernel.Event, s *wheel.Secured) { o.server = s }),
		"flushed": func(*kernel.Event) {},
	})
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w := p.readWrite(e.Session, p.secure(near, forClient, false))
			e.Session.State("error", session.On(func(e *kernel.Event, err *wheel.Error) {
				o.clientErr += err.Error()
				w.Close()
			}))
			e.Session.State("line", func(*kernel.Event) { w.Close() })
		},
		"secured": session.On(func(e *kernel.Event, s *wheel.Secured) { o.client = s }),
	})
	p.run()
	return o
}

// fails checks that neither end has anything but an error.
func (o outcome) fails(t *testing.T, client, server string) {
	t.Helper()
	if o.clientErr != client || o.serverErr != server {
		t.Errorf("client: %s\nserver: %s\nwant: %s\nand: %s",
			o.clientErr, o.serverErr, client, server)
	}
}

// works checks that both ends are secured.
func (o outcome) works(t *testing.T) {
	t.Helper()
	if o.client == nil || o.server == nil || o.clientErr != "" || o.serverErr != "read: EOF" {
		t.Fatalf("client: %v %s; server: %v %s", o.client, o.clientErr, o.server, o.serverErr)
	}
}

// Each end hears once what is wrong.
func TestTLSBadCertificate(t *testing.T) {
	const unknown = "handshake: tls: failed to verify certificate: " +
		"x509: certificate signed by unknown authority"
	versions(t, func(t *testing.T, version uint16) {
		everywhere(t, func(p *place) {
			forServer, forClient := configs(p, version)
			forClient.RootCAs = x509.NewCertPool()
			greet(p, forServer, forClient).fails(p.T, unknown,
				"handshake: remote error: tls: bad certificate")

			forServer, forClient = configs(p, version)
			forClient.ServerName = "mail.example.com"
			greet(p, forServer, forClient).fails(p.T,
				"handshake: tls: failed to verify certificate: x509: certificate is valid for "+
					"mail.example.org, not mail.example.com",
				"handshake: remote error: tls: bad certificate")

			forServer, forClient = configs(p, version)
			forServer.Certificates = nil
			greet(p, forServer, forClient).fails(p.T,
				"handshake: remote error: tls: unrecognized name",
				"handshake: tls: no certificates configured")

			forServer, forClient = configs(p, version)
			forClient.ServerName = ""
			greet(p, forServer, forClient).fails(p.T, "handshake: tls: either ServerName or "+
				"InsecureSkipVerify must be specified in the tls.Config",
				"handshake: wheel: TLS ended without close_notify: unexpected EOF")
		})
	})
}

// In the simulated world it is the world's clock that says whether a certificate is good.
func TestTLSTimeOfWorld(t *testing.T) {
	p := simulated(t, sim.Options{Begin: newAuthority(t).cert.NotAfter.AddDate(0, 0, 1)})
	forServer, forClient := configs(t, tls.VersionTLS13)
	if o := greet(p, forServer, forClient); o.client != nil || o.clientErr == "" {
		t.Errorf("a certificate that has expired works: %v %s", o.client, o.clientErr)
	}
}

func TestTLSVersions(t *testing.T) {
	p := simulated(t, sim.Options{})
	forServer, _ := configs(t, tls.VersionTLS13)
	_, forClient := configs(t, tls.VersionTLS12)
	greet(p, forServer, forClient).fails(t,
		"handshake: remote error: tls: protocol version not supported",
		"handshake: tls: client offered only unsupported versions: [303]")
}

func TestTLSClientCertificate(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		p := simulated(t, sim.Options{})
		a := newAuthority(t)
		forServer, forClient := configs(t, version)
		forServer.ClientAuth, forServer.ClientCAs = tls.RequireAndVerifyClientCert, a.pool
		forClient.Certificates = []tls.Certificate{a.issue(t, "alice")}
		o := greet(p, forServer, forClient)
		o.works(t)
		if name := o.server.PeerCertificates[0].Subject.CommonName; name != "alice" {
			t.Errorf("the client is %q", name)
		}

		// A client of TLS 1.3 is through with its handshake when it hears that it failed.
		op := "handshake"
		if version == tls.VersionTLS13 {
			op = "read"
		}
		forClient.Certificates = nil
		required := "certificate required"
		if version == tls.VersionTLS12 {
			required = "handshake failure"
		}
		greet(p, forServer, forClient).fails(t, op+": remote error: tls: "+required,
			"handshake: tls: client didn't provide a certificate")

		mallory := new(authority).issue(t, "mallory") // signed by herself
		forClient.GetClientCertificate = func(
			*tls.CertificateRequestInfo,
		) (*tls.Certificate, error) {
			return &mallory, nil
		}
		greet(p, forServer, forClient).fails(t,
			op+": remote error: tls: unknown certificate authority",
			"handshake: tls: failed to verify certificate: "+
				"x509: certificate signed by unknown authority")
	})
}

func TestTLSResumption(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		p := simulated(t, sim.Options{})
		forServer, forClient := configs(t, version)
		forClient.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		for i := range 3 {
			o := greet(p, forServer, forClient)
			o.works(t)
			if want := i > 0; o.client.DidResume != want || o.server.DidResume != want {
				t.Errorf("connection %d: resumed %v at the client, %v at the server, want %v",
					i, o.client.DidResume, o.server.DidResume, want)
			}
		}
	})
}

func TestTLSProtocol(t *testing.T) {
	p := simulated(t, sim.Options{})
	forServer, forClient := configs(t, tls.VersionTLS13)
	forServer.NextProtos = []string{"smtp", "lmtp"}
	forClient.NextProtos = []string{"imap", "lmtp"}
	o := greet(p, forServer, forClient)
	o.works(t)
	for _, s := range []*wheel.Secured{o.client, o.server} {
		if s.NegotiatedProtocol != "lmtp" {
			t.Errorf("the protocol is %q", s.NegotiatedProtocol)
		}
	}
	forClient.NextProtos = []string{"imap"}
	greet(p, forServer, forClient).fails(t,
		"handshake: remote error: tls: no application protocol",
		fmt.Sprintf("handshake: tls: client requested unsupported application protocols (%q)",
			forClient.NextProtos))
}

// The server's Config may depend on whom it talks to.
func TestTLSConfigForClient(t *testing.T) {
	everywhere(t, func(p *place) {
		forServer, forClient := configs(p, tls.VersionTLS13)
		chooser := &tls.Config{
			GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
				p.note("%s", hello.ServerName)
				return forServer, nil
			},
		}
		greet(p, chooser, forClient).works(p.T)
		p.want(hostname)
	})
}
