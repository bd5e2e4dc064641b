//go:build interop

package interop

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/go-poe/poe/component/smtp/client"
)

// The user that all servers know.
const (
	userName = "user@example.com"
	password = "a pass\"word\\ of %some kind="
)

// A dovecot is a running Dovecot: its LMTP, and its authentication for other servers.
type dovecot struct {
	mailServer

	unix    string // its LMTP on a unix socket
	proxied string // its LMTP behind a proxy
	sasl    string // the address of its authentication
	socket  string // the same on a unix socket
}

// startDovecot starts a Dovecot.
func startDovecot(t *testing.T, ca *authority) *dovecot {
	t.Helper()
	needRoot(t, "Dovecot")
	path := tool(t, "dovecot", "dovecot-core dovecot-lmtpd")
	boxes := accountOf(t, "mail", "base-passwd")

	p := newPlace(t)
	p.folder(t, boxes, 0o755, "home")
	p.folder(t, account{}, 0o755, "run")
	addrs := freePorts(t, 4)
	s := &dovecot{
		mailServer: mailServer{ca: ca, protocol: client.LMTP, addr: addrs[0], implicit: addrs[1],
			maildir: p.path("home", "*", "Maildir")},
		unix: p.path("run", "lmtp"), proxied: addrs[2],
		sasl: addrs[3], socket: p.path("run", "sasl"),
	}
	p.write(t, "users", fmt.Sprintf("%s:{PLAIN}%s\n", userName, password))
	config := p.write(t, "dovecot.conf", settings(
		"base_dir", p.path("run"),
		"state_dir", p.path("run"),
		"log_path", p.path("log"),
		"protocols", "lmtp",
		"hostname", serverName,
		"auth_mechanisms", "plain login cram-md5 scram-sha-1 scram-sha-256",
		"auth_failure_delay", "0",
		"auth_verbose", "yes",
		"disable_plaintext_auth", "no",
		"first_valid_uid", fmt.Sprint(boxes.uid),
		"haproxy_trusted_networks", "127.0.0.0/8",
		"login_trusted_networks", "127.0.0.0/8",
		"mail_location", "maildir:~/Maildir",
		"ssl", "yes",
		"ssl_ca", "<"+ca.path("ca.pem"),
		"ssl_cert", "<"+ca.path("server.pem"),
		"ssl_key", "<"+ca.path("server.key"),
		"ssl_verify_client_cert", "yes",
		"ssl_require_crl", "no",
	)+fmt.Sprintf(`
passdb {
  driver = passwd-file
  args = %s
}
userdb {
  driver = static
  args = uid=mail gid=mail home=%s/%%u allow_all_users=yes
}
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
  inet_listener lmtp {
    address = 127.0.0.1
    port = %s
  }
  inet_listener lmtps {
    address = 127.0.0.1
    port = %s
    ssl = yes
  }
  inet_listener proxied {
    address = 127.0.0.1
    port = %s
    haproxy = yes
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service auth {
  inet_listener {
    address = 127.0.0.1
    port = %s
  }
  unix_listener sasl {
    mode = 0666
  }
}
`, p.path("users"), p.path("home"), port(t, addrs[0]), port(t, addrs[1]),
		port(t, addrs[2]), port(t, addrs[3])))

	s.daemon = startDaemon(t, p, path, "-F", "-c", config)
	for _, addr := range addrs {
		s.listens(t, addr)
	}
	return s
}

func TestDovecot(t *testing.T) {
	t.Parallel()
	s := startDovecot(t, newAuthority(t, newPlace(t)))
	says := evidence{tls12: "TLSv1.2", tls13: "TLSv1.3"}
	t.Run("messages", func(t *testing.T) { s.testMessages(t) })
	t.Run("TLS", func(t *testing.T) { s.testTLS(t, says) })
	t.Run("many recipients", func(t *testing.T) {
		s.testMany(t, regexp.MustCompile(`/home/(.*)/Maildir/`))
	})
	t.Run("at once", func(t *testing.T) { s.testAtOnce(t, 10) })
	t.Run("SMTPUTF8", func(t *testing.T) { s.testUTF8(t, false) })
	t.Run("REQUIRETLS", s.testRequireTLS)
	t.Run("XCLIENT", func(t *testing.T) {
		m := s.message(t)
		m.XClient = []string{"ADDR=192.0.2.9", "HELO=gate"}
		s.testSeenAs(t, m, "([192.0.2.9])")
	})
	t.Run("PROXY", func(t *testing.T) { s.testProxy(t, s.proxied, 1, 2) })
	t.Run("a unix socket", func(t *testing.T) {
		m := s.message(t)
		m.Server, m.Port = s.unix, ""
		for _, w := range ways {
			s.sent(t, w, m, m.Body)
		}
	})
	s.none(t)
}
