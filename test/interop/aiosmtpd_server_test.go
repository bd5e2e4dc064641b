//go:build interop

package interop

import (
	"path/filepath"
	"regexp"
	"testing"
)

// startAiosmtpdMaildir starts an aiosmtpd as the other servers are started.
func startAiosmtpdMaildir(t *testing.T, ca *authority) *mailServer {
	t.Helper()
	path := python(t, "aiosmtpd", "python3-aiosmtpd")
	p := newPlace(t)
	script, err := filepath.Abs("testdata/aiosmtpd_maildir.py")
	if err != nil {
		t.Fatal(err)
	}
	addrs := freePorts(t, 2)
	s := &mailServer{ca: ca, addr: addrs[0], implicit: addrs[1], maildir: p.path("Maildir")}
	s.daemon = startDaemon(t, p, path, script, port(t, s.addr), port(t, s.implicit), s.maildir,
		ca.path("ca.pem"), ca.path("server.pem"), ca.path("server.key"), userName, password)
	for _, addr := range addrs {
		s.listens(t, addr)
	}
	return s
}

func TestAiosmtpd(t *testing.T) {
	t.Parallel()
	s := startAiosmtpdMaildir(t, newAuthority(t, newPlace(t)))
	says := evidence{
		tls12:  "tls TLSv1.2",
		tls13:  "tls TLSv1.3",
		client: "certificate commonName=client",
		user:   "user " + userName,
	}
	t.Run("messages", func(t *testing.T) { s.testMessages(t) })
	t.Run("TLS", func(t *testing.T) { s.testTLS(t, says) })
	t.Run("AUTH", func(t *testing.T) { s.testAuth(t, says, "CRAM-MD5", "PLAIN", "LOGIN") })
	t.Run("recipients", s.testRecipients)
	t.Run("many recipients", func(t *testing.T) {
		s.testMany(t, regexp.MustCompile(` to <(.*)>`))
	})
	t.Run("at once", func(t *testing.T) { s.testAtOnce(t, 10) })
	t.Run("too large", func(t *testing.T) { s.testTooLarge(t, s.addr, sizeLimit) })
	t.Run("SMTPUTF8", func(t *testing.T) { s.testUTF8(t, true) })
	t.Run("REQUIRETLS", s.testRequireTLS)
	s.none(t)
}
