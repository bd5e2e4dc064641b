package wheel_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/test/handletest"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// hostname is what the certificates of servers are for.
const hostname = "mail.example.org"

// An authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{pool: x509.NewCertPool()}
	issued := a.issue(t, "authority")
	a.cert, a.key = issued.Leaf, issued.PrivateKey.(*ecdsa.PrivateKey)
	a.pool.AddCert(a.cert)
	return a
}

// issue returns a certificate for a name, good in the real world and in a simulated one. The first
// is the authority's own.
func (a *authority) issue(t testing.TB, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(len(name))),
		Subject:      pkix.Name{CommonName: name},
		DNSNames:     []string{name},
		NotBefore:    time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(2120, time.January, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{
			x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth,
		},
		BasicConstraintsValid: true,
		IsCA:                  a.cert == nil,
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// configs returns the Configs of a server and of a client that trusts it, for one version of TLS.
func configs(t testing.TB, version uint16) (server, client *tls.Config) {
	t.Helper()
	a := newAuthority(t)
	server = &tls.Config{
		Certificates: []tls.Certificate{a.issue(t, hostname)},
		ClientCAs:    a.pool,
		MinVersion:   version,
		MaxVersion:   version,
	}
	client = &tls.Config{
		RootCAs:    a.pool,
		ServerName: hostname,
		MinVersion: version,
		MaxVersion: version,
	}
	return server, client
}

// versions runs a test for each version of TLS.
func versions(t *testing.T, test func(t *testing.T, version uint16)) {
	t.Helper()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) { test(t, version) })
	}
}

// shakeHands advances the two ends of a stream until both are ready for data.
func shakeHands(t testing.TB, a, b *wheel.TLS) {
	t.Helper()
	for range 100_000 {
		wantA, errA := a.Advance()
		wantB, errB := b.Advance()
		if errA != nil || errB != nil {
			t.Fatalf("Advance: %v; %v", errA, errB)
		}
		if wantA == 0 && wantB == 0 {
			return
		}
	}
	t.Fatal("the handshake does not end")
}

// tlsPair returns the two ends of a TLS over the two ends of a stream, after the handshake.
func tlsPair(t testing.TB, k *kernel.Kernel, near, far kernel.Handle, version uint16,
) (client, server *wheel.TLS) {
	t.Helper()
	forServer, forClient := configs(t, version)
	client = wheel.NewTLS(k, near, wheel.TLSOptions{Config: forClient})
	server = wheel.NewTLS(k, far, wheel.TLSOptions{Config: forServer, Server: true})
	shakeHands(t, client, server)
	return client, server
}

func TestTLSOptions(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	for _, test := range []struct {
		want string
		opts wheel.TLSOptions
	}{
		{"wheel: TLSOptions has no Config", wheel.TLSOptions{}},
		{"wheel: TLSOptions has a Config that allows renegotiation", wheel.TLSOptions{
			Config: &tls.Config{Renegotiation: tls.RenegotiateOnceAsClient},
		}},
	} {
		wantPanic(t, test.want, func() { wheel.NewTLS(p.k, near, test.opts) })
	}
	opts := wheel.TLSOptions{Config: new(tls.Config)}
	layer := wheel.NewTLS(p.k, near, opts)
	wantPanic(t, "wheel: TLS over a *wheel.TLS, which is a Layer itself",
		func() { wheel.NewTLS(p.k, layer, opts) })
	wantPanic(t, "wheel: ReadWriteOptions has a Layer as InputHandle or OutputHandle", func() {
		_, _ = wheel.NewReadWrite(p.k.Root(),
			wheel.ReadWriteOptions{InputHandle: layer, OutputHandle: near})
	})
	if layer.Under() != near || layer.FD() != near.FD() {
		t.Errorf("over %v, descriptor %d, want %v, %d", layer.Under(), layer.FD(), near, near.FD())
	}
	layer.Close()
	far.Close()
}

// A driven is a TLS whose other end has somebody who advances it, as a ReadWrite does.
type driven struct {
	*wheel.TLS
	peer *wheel.TLS
}

func (d *driven) Read(p []byte) (int, error) {
	_, _ = d.peer.Advance() // it may be closed, or broken
	return d.TLS.Read(p)
}

func TestTLSIsHandle(t *testing.T) {
	connect := func(version uint16, open func() (loop kernel.Loop, a, b kernel.Handle, err error),
	) handletest.Connector {
		return func(t *testing.T) (a, b kernel.Handle, loop kernel.Loop) {
			loop, near, far, err := open()
			if err != nil {
				t.Fatal(err)
			}
			k, err := kernel.New(kernel.Options{Loop: loop})
			if err != nil {
				t.Fatal(err)
			}
			client, server := tlsPair(t, k, near, far, version)
			return &driven{client, server}, &driven{server, client}, loop
		}
	}
	versions(t, func(t *testing.T, version uint16) {
		t.Run("real", func(t *testing.T) {
			handletest.Run(t, connect(version,
				func() (kernel.Loop, kernel.Handle, kernel.Handle, error) {
					a, b, err := kernel.SocketPair()
					return kernel.NewLoop(), a, b, err
				}))
		})
		t.Run("simulated", func(t *testing.T) {
			handletest.Run(t, connect(version,
				func() (kernel.Loop, kernel.Handle, kernel.Handle, error) {
					world := sim.New(sim.Options{Faults: sim.Faults{Split: 0.5}})
					a, b, err := world.SocketPair()
					return world, a, b, err
				}))
		})
	})
}
