//go:build interop

package interop

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/go-poe/poe/component/smtp/client"
)

// An opensmtpd is a running OpenSMTPD.
type opensmtpd struct {
	mailServer

	trusting string // an address for clients with a certificate only
	proxied  string // an address for a proxy that speaks version 2
}

// sizeLimit is how many octets a message may have for the opensmtpd.
const sizeLimit = 6 << 20

// startOpenSMTPD starts an OpenSMTPD. Its folders are part of the program, so it has a root of its
// own, in which there is nothing else.
func startOpenSMTPD(t *testing.T, ca *authority) *opensmtpd {
	t.Helper()
	needRoot(t, "OpenSMTPD")
	boxes := accountOf(t, "mail", "base-passwd")
	chroot := tool(t, "chroot", "coreutils")

	p := newPlace(t)
	for _, name := range []string{"sbin/smtpd", "libexec/opensmtpd/mail.maildir"} {
		p.install(t, unpacked(t, "opensmtpd", "usr/"+name), "usr/"+name)
	}
	p.install(t, "/bin/sh", "bin/sh")
	for _, name := range []string{"ca.pem", "server.pem", "server.key"} {
		p.write(t, "etc/"+name, read(t, ca.path(name)))
	}
	if err := os.Chmod(p.path("etc/server.key"), 0o600); err != nil { // it insists
		t.Fatal(err)
	}
	p.folder(t, account{}, 0o755, "var/lib/opensmtpd/empty")
	p.folder(t, account{}, 0o711, "var/spool/smtpd")
	p.folder(t, account{}, 0o755, "var/run")
	p.folder(t, account{}, 0o1777, "tmp")
	p.folder(t, boxes, 0o700, "Maildir")
	p.write(t, "etc/passwd", fmt.Sprintf("root:x:0:0::/:/bin/sh\nmail:x:%d:%d::/:/bin/sh\n"+
		"opensmtpd:x:901:901::/:/bin/sh\nopensmtpq:x:902:902::/:/bin/sh\n", boxes.uid, boxes.gid))
	p.write(t, "etc/group", fmt.Sprintf("root:x:0:\nmail:x:%d:\nopensmtpd:x:901:\n"+
		"opensmtpq:x:902:\n", boxes.gid))
	p.write(t, "etc/hosts", "127.0.0.1 localhost\n")
	p.write(t, "etc/resolv.conf", "nameserver 127.0.0.1\n")
	p.write(t, "etc/mailname", serverName+"\n")
	hash, err := exec.Command(unpacked(t, "opensmtpd", "usr/libexec/opensmtpd/encrypt"),
		password).Output()
	if err != nil {
		t.Fatal(err)
	}
	p.write(t, "etc/users", fmt.Sprintf("%s %s", userName, hash))

	addrs := freePorts(t, 4)
	s := &opensmtpd{
		mailServer: mailServer{ca: ca, addr: addrs[0], implicit: addrs[1],
			maildir: p.path("Maildir"),
			adds:    regexp.MustCompile(`(?m)^(Date|Message-ID): .*\n`)},
		trusting: addrs[2], proxied: addrs[3],
	}
	p.write(t, "etc/smtpd.conf", fmt.Sprintf(`
pki server cert "/etc/server.pem"
pki server key "/etc/server.key"
ca clients cert "/etc/ca.pem"
table users file:/etc/users
smtp max-message-size %d
smtp limit max-rcpt %d
listen on 127.0.0.1 port %s tls pki server auth-optional <users> received-auth
listen on 127.0.0.1 port %s smtps pki server auth-optional <users> received-auth
listen on 127.0.0.1 port %s tls-require verify pki server ca clients
listen on 127.0.0.1 port %s proxy-v2
action box maildir "/Maildir" virtual { "@" = mail }
match from any for domain "example.com" action box
`, sizeLimit, recipients, port(t, addrs[0]), port(t, addrs[1]), port(t, addrs[2]), port(t, addrs[3])))

	s.daemon = startDaemon(t, p, chroot, string(p), "/usr/sbin/smtpd", "-d", "-v")
	for _, addr := range addrs {
		s.listens(t, addr)
	}
	return s
}

// install copies a program and the libraries that it needs into a place that is to be a root.
func (p place) install(t *testing.T, path, name string) {
	t.Helper()
	p.copyFile(t, path, name)
	out, err := exec.Command("ldd", path).Output()
	if err != nil {
		t.Fatalf("ldd %s: %v", path, err)
	}
	for _, library := range regexp.MustCompile(`/[^ ]+`).FindAllString(string(out), -1) {
		p.copyFile(t, library, library)
	}
}

// copyFile copies a program into the place.
func (p place) copyFile(t *testing.T, path, name string) {
	t.Helper()
	from, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	if err := os.MkdirAll(filepath.Dir(p.path(name)), 0o755); err != nil {
		t.Fatal(err)
	}
	to, err := os.OpenFile(p.path(name), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
}

// read returns the text of a file.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestOpenSMTPD(t *testing.T) {
	t.Parallel()
	s := startOpenSMTPD(t, newAuthority(t, newPlace(t)))
	says := evidence{
		tls12: "with ESMTPS (TLSv1.2:",
		tls13: "with ESMTPS (TLSv1.3:",
		user:  "auth=yes user=" + userName,
	}
	t.Run("messages", func(t *testing.T) {
		// It loses what follows a NUL in a line, and refuses the others: see below.
		s.testMessages(t, "every byte but CR and LF", "lone dots", "long line")
	})
	t.Run("no header", func(t *testing.T) {
		m := s.message(t)
		m.Body = []byte(".\r\n")
		for _, w := range ways {
			s.refused(t, w, m, client.ServerError, client.StageFinal, "550 5.7.1")
		}
	})
	t.Run("long line", func(t *testing.T) {
		m := s.message(t)
		m.Body = append(m.Body, bytes.Repeat([]byte("x"), 1<<20)...)
		m.TransactionLog = false
		for _, w := range ways {
			s.refused(t, w, m, client.ServerError, client.StageFinal, "500 5.0.0")
		}
	})
	if s.speaksTLS(t) {
		t.Run("TLS", func(t *testing.T) { s.testTLS(t, says) })
		t.Run("AUTH", func(t *testing.T) { s.testAuth(t, says, "PLAIN", "LOGIN") })
		t.Run("a certificate", func(t *testing.T) {
			m := s.message(t)
			m.Port = port(t, s.trusting)
			m.TLS, m.TLSConfig = client.Required, s.ca.shows()
			s.testSeenAs(t, m, says.tls13)
		})
		t.Run("REQUIRETLS", s.testRequireTLS)
	} else {
		t.Run("TLS that fails", s.testFailingTLS)
	}
	t.Run("many recipients", func(t *testing.T) {
		s.testMany(t, regexp.MustCompile(`(?m)^Delivered-To: (.*)$`))
	})
	t.Run("at once", func(t *testing.T) { s.testAtOnce(t, 4) }) // more are too many for its backlog
	t.Run("too large", func(t *testing.T) { s.testTooLarge(t, s.addr, sizeLimit) })
	t.Run("SMTPUTF8", func(t *testing.T) { s.testUTF8(t, false) })
	t.Run("DSN", func(t *testing.T) {
		s.testReport(t, "Final-Recipient: rfc822; b@example.com", "Action: delivered")
	})
	t.Run("PROXY", func(t *testing.T) { s.testProxy(t, s.proxied, 2) })
	s.none(t)
}

// speaksTLS reports whether the server can do what it offers. The one of Debian 12 cannot: it does
// not get along with OpenSSL 3, and each handshake ends with "internal error".
func (s *opensmtpd) speaksTLS(t *testing.T) bool {
	t.Helper()
	conn, err := tls.Dial("tcp", s.implicit, s.ca.trusts())
	if err != nil {
		t.Logf("the server has no TLS: %v", err)
		return false
	}
	conn.Close()
	return true
}

// testFailingTLS sends to a server that offers STARTTLS, and fails with it. Who does not care gets
// the message through without.
func (s *opensmtpd) testFailingTLS(t *testing.T) {
	m := s.message(t)
	for _, w := range ways {
		m.TLS, m.TLSConfig = client.Opportunistic, nil
		s.sent(t, w, m, m.Body)
		m.TLSConfig = s.ca.trusts()
		s.refused(t, w, m, client.NotSecure, client.StageTLS, "internal error")
		m.TLS = client.Required
		s.refused(t, w, m, client.NotSecure, client.StageTLS, "internal error")
	}
}
