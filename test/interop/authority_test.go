//go:build interop

package interop

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"
)

// serverName is the name in the servers' certificates.
const serverName = "mx.example.com"

// An authority makes certificates, in the files of a place: ca.pem, server.pem and server.key.
type authority struct {
	place

	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	serial int64
	client tls.Certificate // of somebody called client
}

// newAuthority makes an authority, and certificates for a server and a client.
func newAuthority(t *testing.T, p place) *authority {
	t.Helper()
	a := &authority{place: p, key: newKey(t)}
	a.cert = &x509.Certificate{
		Subject:               pkix.Name{CommonName: "authority"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	root := a.sign(t, a.cert, a.key)
	a.write(t, "ca.pem", root)
	block, _ := pem.Decode([]byte(root))
	var err error
	if a.cert, err = x509.ParseCertificate(block.Bytes); err != nil {
		t.Fatal(err)
	}
	key := newKey(t)
	a.write(t, "server.pem", a.sign(t, &x509.Certificate{
		Subject:     pkix.Name{CommonName: serverName},
		DNSNames:    []string{serverName},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, key))
	a.write(t, "server.key", inPEM(t, key))
	key = newKey(t)
	cert := a.sign(t, &x509.Certificate{
		Subject:        pkix.Name{CommonName: "client"},
		EmailAddresses: []string{"client@example.com"},
		KeyUsage:       x509.KeyUsageDigitalSignature,
		ExtKeyUsage:    []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, key)
	if a.client, err = tls.X509KeyPair([]byte(cert), []byte(inPEM(t, key))); err != nil {
		t.Fatal(err)
	}
	return a
}

// sign returns a certificate for a key, in PEM.
func (a *authority) sign(t *testing.T, c *x509.Certificate, key *ecdsa.PrivateKey) string {
	t.Helper()
	a.serial++
	c.SerialNumber = big.NewInt(a.serial)
	c.NotBefore = time.Now().Add(-time.Hour)
	c.NotAfter = time.Now().Add(24 * time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// trusts returns how a client knows the servers.
func (a *authority) trusts() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return &tls.Config{RootCAs: pool, ServerName: serverName}
}

// shows returns the same for a client that shows a certificate of its own.
func (a *authority) shows() *tls.Config {
	c := a.trusts()
	c.Certificates = []tls.Certificate{a.client}
	return c
}

// older returns config for TLS 1.2.
func older(config *tls.Config) *tls.Config {
	config.MaxVersion = tls.VersionTLS12
	return config
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func inPEM(t *testing.T, key *ecdsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}
