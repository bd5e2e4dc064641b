//go:build interop

package interop

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A postfix is a running Postfix with a configuration and a queue of its own.
type postfix struct {
	mailServer

	small     string // an address at which a message may be small only, with few recipients
	proxied   string // an address for a proxy
	screening string // an address for a proxy, of postscreen
}

// Limits of the postfix.
const (
	smallSize  = 100_000 // octets of a message, where it has to be small
	recipients = 50      // of one transaction
)

// startPostfix starts a Postfix. An address for dovecot's authentication may be empty.
func startPostfix(t *testing.T, ca *authority, sasl string) *postfix {
	t.Helper()
	needRoot(t, "Postfix")
	master := tool(t, "/usr/lib/postfix/sbin/master", "postfix")
	owner := accountOf(t, "postfix", "postfix")
	boxes := accountOf(t, "mail", "base-passwd")

	p := newPlace(t)
	for _, name := range []string{"active", "bounce", "corrupt", "defer", "deferred", "flush",
		"hold", "incoming", "private", "public", "maildrop", "saved", "trace"} {
		p.folder(t, owner, 0o700, "queue", name)
	}
	p.folder(t, account{}, 0o755, "queue", "pid")
	p.folder(t, owner, 0o700, "data")
	p.folder(t, boxes, 0o700, "Maildir")

	addrs := freePorts(t, 5)
	s := &postfix{
		mailServer: mailServer{ca: ca, addr: addrs[0], implicit: addrs[1],
			maildir: p.path("Maildir"), stores: separated},
		small: addrs[2], proxied: addrs[3], screening: addrs[4],
	}
	p.write(t, "etc/main.cf", settings(
		"compatibility_level", "3.6",
		"queue_directory", p.path("queue"),
		"data_directory", p.path("data"),
		"maillog_file", p.path("log"),
		"maillog_file_prefixes", string(p),
		"myhostname", serverName,
		"inet_interfaces", "127.0.0.1",
		"disable_dns_lookups", "yes",
		"smtpd_peername_lookup", "no",
		"local_header_rewrite_clients", "",
		"mydestination", "",
		"local_recipient_maps", "",
		"virtual_mailbox_domains", "example.com",
		"virtual_mailbox_base", string(p),
		"virtual_mailbox_maps", "static:Maildir/",
		"virtual_mailbox_limit", "0",
		"virtual_minimum_uid", "1",
		"virtual_uid_maps", fmt.Sprint("static:", boxes.uid),
		"virtual_gid_maps", fmt.Sprint("static:", boxes.gid),
		"message_size_limit", fmt.Sprint(64<<20),
		"smtpd_recipient_limit", fmt.Sprint(recipients),
		"smtpd_recipient_overshoot_limit", "1000",
		"smtpd_recipient_restrictions", "check_recipient_access inline:{"+
			"{refused@example.com = 550 5.7.1 not to them} "+
			"{deferred@example.com = 450 4.7.1 not to them yet}}, permit",
		"smtpd_relay_restrictions", "reject_unauth_destination",
		"smtpd_error_sleep_time", "0",
		"smtpd_tls_security_level", "may",
		"smtpd_tls_chain_files", ca.path("server.key")+", "+ca.path("server.pem"),
		"smtpd_tls_CAfile", ca.path("ca.pem"),
		"smtpd_tls_ask_ccert", "yes",
		"smtpd_tls_received_header", "yes",
		"smtpd_sasl_type", "dovecot",
		"smtpd_sasl_path", "inet:"+sasl,
		"smtpd_sasl_auth_enable", yes(sasl != ""),
		"smtpd_sasl_authenticated_header", "yes",
		"smtpd_authorized_xclient_hosts", "127.0.0.1",
		"postscreen_access_list", "static:permit",
		"postscreen_upstream_proxy_protocol", "haproxy",
	))
	var services strings.Builder
	for _, line := range []string{
		addrs[0] + " inet n - n - - smtpd",
		addrs[1] + " inet n - n - - smtpd -o smtpd_tls_wrappermode=yes",
		addrs[2] + fmt.Sprint(" inet n - n - - smtpd -o message_size_limit=", smallSize),
		addrs[3] + " inet n - n - - smtpd -o smtpd_upstream_proxy_protocol=haproxy",
		addrs[4] + " inet n - n - 1 postscreen",
		"smtpd pass - - n - - smtpd",
		"tlsproxy unix - - n - 0 tlsproxy",
		"dnsblog unix - - n - 0 dnsblog",
		"cleanup unix n - n - 0 cleanup",
		"qmgr unix n - n 300 1 qmgr",
		"tlsmgr unix - - n 1000 1 tlsmgr",
		"rewrite unix - - n - - trivial-rewrite",
		"bounce unix - - n - 0 bounce",
		"defer unix - - n - 0 bounce",
		"trace unix - - n - 0 bounce",
		"flush unix n - n 1000 0 flush",
		"proxymap unix - - n - - proxymap",
		"error unix - - n - - error",
		"retry unix - - n - - error",
		"virtual unix - n n - - virtual",
		"anvil unix - - n - 1 anvil",
		"postlog unix-dgram n - n - 1 postlogd",
	} {
		fmt.Fprintln(&services, line)
	}
	p.write(t, "etc/master.cf", services.String())

	s.daemon = startDaemon(t, p, master, "-d", "-c", filepath.Join(string(p), "etc"))
	for _, addr := range addrs[:2] {
		s.listens(t, addr)
	}
	return s
}

// yes returns the word for a setting that is on or off.
func yes(on bool) string {
	if on {
		return "yes"
	}
	return "no"
}

func TestPostfix(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, newPlace(t))
	behind := startDovecot(t, ca)
	s := startPostfix(t, ca, behind.sasl)
	says := evidence{
		tls12:  "using TLSv1.2",
		tls13:  "using TLSv1.3",
		client: `Client CN "client", Issuer "authority" (verified OK)`,
		user:   "(Authenticated sender: " + userName + ")",
	}
	t.Run("messages", func(t *testing.T) { s.testMessages(t) })
	t.Run("TLS", func(t *testing.T) { s.testTLS(t, says) })
	t.Run("AUTH", func(t *testing.T) {
		s.testAuth(t, says, "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN")
	})
	t.Run("recipients", s.testRecipients)
	t.Run("many recipients", func(t *testing.T) {
		s.testMany(t, regexp.MustCompile(`(?m)^X-Original-To: (.*)$`))
	})
	t.Run("at once", func(t *testing.T) { s.testAtOnce(t, 10) })
	t.Run("too large", func(t *testing.T) { s.testTooLarge(t, s.small, smallSize) })
	t.Run("SMTPUTF8", func(t *testing.T) { s.testUTF8(t, true) })
	t.Run("DSN", func(t *testing.T) {
		s.testReport(t, "Original-Envelope-Id: an+id=1",
			"Original-Recipient: rfc822;origin+al@example.com", "Action: delivered")
	})
	t.Run("REQUIRETLS", s.testRequireTLS)
	t.Run("XCLIENT", func(t *testing.T) {
		m := s.message(t)
		m.XClient = []string{"ADDR=192.0.2.9", "NAME=gate.example.net", "HELO=gate"}
		s.testSeenAs(t, m, "(gate.example.net [192.0.2.9])")
	})
	t.Run("PROXY", func(t *testing.T) { s.testProxy(t, s.proxied, 1, 2) })
	t.Run("PROXY, postscreen", func(t *testing.T) { s.testProxy(t, s.screening, 1, 2) })
	s.none(t)
}
