//go:build interop

package interop

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/go-poe/poe/component/smtp/client"
)

// An exim is a running Exim.
type exim struct {
	mailServer

	small   string // an address at which a message may be small only
	proxied string // an address for a proxy
}

// startExim starts an Exim. An address for dovecot's authentication may be empty.
func startExim(t *testing.T, ca *authority, sasl string) *exim {
	t.Helper()
	needRoot(t, "Exim")
	path := unpacked(t, "exim4-daemon-heavy", "usr/sbin/exim4")
	owner := accountOf(t, "Debian-exim", "exim4-base")

	p := newPlace(t)
	p.folder(t, owner, 0o700, "spool")
	p.folder(t, owner, 0o700, "Maildir")
	p.folder(t, owner, 0o700, "logs")
	addrs := freePorts(t, 4)
	s := &exim{
		mailServer: mailServer{ca: ca, addr: addrs[0], implicit: addrs[1],
			maildir: p.path("Maildir")},
		small: addrs[2], proxied: addrs[3],
	}
	ports := make([]string, len(addrs))
	for i, addr := range addrs {
		ports[i] = "127.0.0.1." + port(t, addr)
	}
	config := p.write(t, "exim.conf", inserted.Replace(settings(
		"spool_directory", p.path("spool"),
		"log_file_path", p.path("logs", "%s"),
		"pid_file_path", p.path("pid"),
		"exim_path", path,
		"primary_hostname", serverName,
		"local_interfaces", "<; "+strings.Join(ports, ";"),
		"tls_on_connect_ports", port(t, addrs[1]),
		"hosts_proxy", "${if eq{$received_port}{"+port(t, addrs[3])+"}{127.0.0.1}}",
		"message_size_limit", "${if eq{$received_port}{"+port(t, addrs[2])+"}{"+
			fmt.Sprint(smallSize)+"}{64M}}",
		"recipients_max", fmt.Sprint(recipients),
		"recipients_max_reject", "false",
		"smtp_accept_max_per_connection", "1000",
		"smtp_accept_queue_per_connection", "0",
		"host_lookup", "",
		"keep_environment", "",
		"rfc1413_query_timeout", "0s",
		"deliver_drop_privilege", "true",
		"never_users", "",
		"smtputf8_advertise_hosts", "*",
		"dsn_advertise_hosts", "*",
		"chunking_advertise_hosts", "*",
		"tls_advertise_hosts", "*",
		"tls_certificate", ca.path("server.pem"),
		"tls_privatekey", ca.path("server.key"),
		"tls_verify_certificates", ca.path("ca.pem"),
		"tls_try_verify_hosts", "*",
		"auth_advertise_hosts", "*",
		"acl_smtp_rcpt", "rcpt",
		"acl_smtp_data", "accept",
		"log_selector", "+all",
		"received_header_text", "Received: from $sender_helo_name [$sender_host_address] "+
			"by $primary_hostname with $received_protocol id $message_exim_id"+
			"${if def:tls_in_ver{\\n\\ttls $tls_in_ver}}"+
			"${if bool{$tls_in_certificate_verified}{ verified $tls_in_peerdn}}"+
			"${if def:authenticated_id{ user $authenticated_id}}"+
			"\\n\\tfrom <$sender_address>; $tod_full",
	)+fmt.Sprintf(`
begin acl
rcpt:
  deny local_parts = refused
       message = 5.7.1 not to them
  defer local_parts = deferred
       message = 4.7.1 not to them yet
  accept

begin routers
all:
  driver = accept
  transport = maildir

begin transports
maildir:
  driver = appendfile
  directory = %s
  maildir_format
  envelope_to_add
  return_path_add
  user = %s
  check_string =
  escape_string =

begin authenticators
PLAIN:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{USER}}{eq{$auth3}{PASSWORD}}}}
  server_set_id = $auth2
LOGIN:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${if and{{eq{$auth1}{USER}}{eq{$auth2}{PASSWORD}}}}
  server_set_id = $auth1
CRAM:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${if eq{$auth1}{USER}{PASSWORD}fail}
  server_set_id = $auth1
EXTERNAL:
  driver = external
  public_name = EXTERNAL
  server_advertise_condition = $tls_in_certificate_verified
  server_param2 = ${certextract {subj_altname,mail,>:} {$tls_in_peercert}}
  server_condition = ${if inlisti{$auth1}{$auth2}}
  server_set_id = $auth1
`, p.path("Maildir"), owner.name)+eximBehind(sasl)))

	s.daemon = startDaemon(t, p, path, "-C", config, "-bdf")
	for _, addr := range addrs[:2] {
		s.listens(t, addr)
	}
	return s
}

// inserted puts the user into the configuration.
var inserted = strings.NewReplacer("USER", userName, "PASSWORD",
	strings.NewReplacer(`\`, `\\`, "$", `\$`, "{", `\{`, "}", `\}`).Replace(password))

// eximBehind returns the mechanisms that Exim leaves to Dovecot, by a unix socket.
func eximBehind(socket string) string {
	var b strings.Builder
	if socket != "" {
		for _, mechanism := range []string{"SCRAM-SHA-1", "SCRAM-SHA-256"} {
			fmt.Fprintf(&b, "%s:\n  driver = dovecot\n  public_name = %s\n"+
				"  server_socket = %s\n  server_set_id = $auth1\n",
				strings.ReplaceAll(mechanism, "-", "_"), mechanism, socket)
		}
	}
	return b.String()
}

func TestExim(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, newPlace(t))
	s := startExim(t, ca, startDovecot(t, ca).socket)
	says := evidence{
		tls12:  "tls TLS1.2",
		tls13:  "tls TLS1.3",
		client: "verified CN=client",
		user:   "user " + userName,
	}
	t.Run("messages", func(t *testing.T) { s.testMessages(t) })
	t.Run("TLS", func(t *testing.T) { s.testTLS(t, says) })
	t.Run("AUTH", func(t *testing.T) {
		s.testAuth(t, says, "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN")
	})
	t.Run("AUTH EXTERNAL", func(t *testing.T) {
		m := s.message(t)
		m.TLS, m.TLSConfig = client.Required, s.ca.shows()
		m.Auth = &client.Auth{Identity: "client@example.com"}
		s.testSeenAs(t, m, "user client@example.com")
	})
	t.Run("recipients", s.testRecipients)
	t.Run("many recipients", func(t *testing.T) {
		s.testMany(t, regexp.MustCompile(`(?m)^Envelope-to: (.*)$`))
	})
	t.Run("at once", func(t *testing.T) { s.testAtOnce(t, 10) })
	t.Run("too large", func(t *testing.T) { s.testTooLarge(t, s.small, smallSize) })
	t.Run("SMTPUTF8", func(t *testing.T) { s.testUTF8(t, true) })
	t.Run("DSN", func(t *testing.T) {
		// It does not decode what it passes on.
		s.testReport(t, "Original-Envelope-ID: an+2Bid+3D1",
			"Original-Recipient: rfc822;origin+2Bal@example.com", "Action: delivered")
	})
	t.Run("REQUIRETLS", s.testRequireTLS)
	t.Run("PROXY", func(t *testing.T) { s.testProxy(t, s.proxied, 1, 2) })
	s.none(t)
}
