package client_test

import (
	"strings"
	"testing"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/component/smtp/client"
)

// maxQueueID is the length of the longest ID that counts.
const maxQueueID = 128

// reply reads the lines of a reply.
func reply(t *testing.T, lines ...string) *smtp.Reply {
	t.Helper()
	var p smtp.ReplyParser
	for _, line := range lines {
		if _, err := p.Add([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	return p.Reply()
}

func TestQueueID(t *testing.T) {
	for _, c := range []struct{ server, line, want string }{
		{"Postfix", "250 2.0.0 Ok: queued as 4F0DB1C2A3", "4F0DB1C2A3"},
		{"Postfix, long", "250 2.0.0 Ok: queued as 4Wq2Zy5gD5z9sWk", "4Wq2Zy5gD5z9sWk"},
		{"Postfix, BDAT", "250 2.0.0 Ok: 1234 bytes queued as ABCDEF", "ABCDEF"},
		{"Postfix, content filter",
			"250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 77F1B", "77F1B"},
		{"package server", "250 2.0.0 Message mwuwtb7j.4.1 accepted", "mwuwtb7j.4.1"},
		{"Exim", "250 OK id=1rT5ab-0004Cd-2e", "1rT5ab-0004Cd-2e"},
		{"Exim 4.97", "250 OK id=1tABCD-00000001xYz-3abc", "1tABCD-00000001xYz-3abc"},
		{"sendmail", "250 2.0.0 4AO3W5aB012345 Message accepted for delivery", "4AO3W5aB012345"},
		{"OpenSMTPD", "250 2.0.0 1f3a77c0 Message accepted for delivery", "1f3a77c0"},
		{"OpenSMTPD, letters only", "250 2.0.0 deadbeef Message accepted for delivery", "deadbeef"},
		{"CommuniGate", "250 12345678 message accepted for delivery", "12345678"},
		{"qmail", "250 ok 1700000000 qp 12345", "1700000000 qp 12345"},
		{"qmail, MessageLabs", "250 ok 1700000000 qp 12345 server-3.tower-1.example!1!2",
			"1700000000 qp 12345"},
		{"Exchange Online", "250 2.6.0 <a@example.com> [InternalId=12345678901234, " +
			"Hostname=X.EXAMPLE.COM] 1234 bytes in 0.123, 9.7 KB/sec Queued mail for delivery",
			"12345678901234"},
		{"Exchange 2010", "250 2.6.0 <a@example.com> [InternalId=42] Queued mail for delivery",
			"42"},
		{"Exchange 2003", "250 2.6.0 <EXS1abc@example.com> Queued mail for delivery",
			"EXS1abc@example.com"},
		{"Gmail", "250 2.0.0 OK  1700000000 v23-20020a17si1234567wrv.123 - gsmtp",
			"v23-20020a17si1234567wrv.123"},
		{"Gmail, DMARC", "250 2.0.0 OK DMARC:Quarantine 1700000000 abc12 - gsmtp", "abc12"},
		{"Amazon SES", "250 Ok 0102018c1234abcd-1234-5678-9abc-def012345678-000000",
			"0102018c1234abcd-1234-5678-9abc-def012345678-000000"},
		{"Momentum", "250 2.0.0 OK 5C/B0-12345-ABCDEF56", "5C/B0-12345-ABCDEF56"},
		{"Courier", "250 Ok. 00000000000A1B2C.0000000065A1B2C3.00001234",
			"00000000000A1B2C.0000000065A1B2C3.00001234"},
		{"Haraka", "250 Message Queued (8B0E7A5C-1234-4567-89AB-CDEF01234567.1)",
			"8B0E7A5C-1234-4567-89AB-CDEF01234567.1"},
		{"Dovecot LMTP", "250 2.0.0 <a@example.com> 8Ek+CxYZZmUXBQAAPgSrWA Saved",
			"8Ek+CxYZZmUXBQAAPgSrWA"},
		{"KumoMTA", "250 OK ids=8a1b2c3d4e5f11ee", "8a1b2c3d4e5f11ee"},
		{"GMX", "250 Requested mail action okay, completed: id=1MAbCd-1rT5ab0000-00AbCd",
			"1MAbCd-1rT5ab0000-00AbCd"},
		{"Stalwart", "250 2.0.0 Message queued with id 1a2b3c4d.", "1a2b3c4d"},
		{"ZoneMTA", "250 Message queued as 18c1234abcd0001", "18c1234abcd0001"},
		{"IronPort", "250 ok:  Message 12345678 accepted", "12345678"},

		// These give no ID.
		{"aiosmtpd", "250 OK", ""},
		{"emersion/go-smtp", "250 2.0.0 OK: queued", ""},
		{"hMailServer", "250 Queued (0.123 seconds)", ""},
		{"Yahoo", "250 ok dirdel", ""},
		{"Domino", "250 Message accepted for delivery", ""},
		{"Dovecot LMTP, old", "250 2.0.0 <a@example.com> Saved", ""},
		{"MailEnable", "250 Requested mail action okay, completed", ""},
		{"Exim, recipient", "250 Accepted", ""},
		{"words only", "250 thanks, message accepted for delivery", ""},
		{"nothing", "250", ""},
		{"no ID after all", "250 Ok: queued as", ""},
		{"punctuation only", "250 Ok: queued as ...", ""},

		// These are no acceptance.
		{"refused", "550 5.0.0 queued as 12345", ""},
		{"deferred", "451 4.0.0 queued as 12345", ""},

		// These do harm if they can.
		{"escape sequence", "250 Ok: queued as \x1b[31mABC", ""},
		{"control character within", "250 Ok: queued as ABC\x07DEF", "ABC"},
		{"NUL", "250 Ok: queued as \x00", ""},
		{"not ASCII", "250 Ok: queued as \xff\xfe", ""},
		{"as long as may be", "250 Ok: queued as " + strings.Repeat("1", maxQueueID),
			strings.Repeat("1", maxQueueID)},
		{"longer", "250 Ok: queued as " + strings.Repeat("1", maxQueueID+1), ""},
	} {
		t.Run(c.server, func(t *testing.T) {
			r := client.Result{Reply: reply(t, c.line)}
			if got := r.QueueID(); got != c.want {
				t.Errorf("%q: %q, want %q", c.line, got, c.want)
			}
		})
	}
}

// The ID is in the last line that has one.
func TestQueueIDOfManyLines(t *testing.T) {
	for _, c := range []struct {
		lines []string
		want  string
	}{
		{[]string{"250-2.0.0 Ok: queued as A1", "250 2.0.0 bye"}, "A1"},
		{[]string{"250-2.0.0 Ok: queued as A1", "250 2.0.0 Ok: queued as B2"}, "B2"},
		{[]string{"250-hello", "250 bye"}, ""},
	} {
		r := client.Result{Reply: reply(t, c.lines...)}
		if got := r.QueueID(); got != c.want {
			t.Errorf("%q: %q, want %q", c.lines, got, c.want)
		}
	}
}

// With LMTP there is no reply to all of the message, but one for each recipient.
func TestQueueIDOfRecipients(t *testing.T) {
	to := func(v client.Verdict, s client.Stage, line string) client.Recipient {
		return client.Recipient{Verdict: v, Stage: s, Reply: reply(t, line)}
	}
	r := client.Result{Recipients: []client.Recipient{
		{Verdict: client.Accepted, Stage: client.StageFinal},
		to(client.Refused, client.StageFinal, "550 5.0.0 <a@example.com> a1 Saved"),
		to(client.Accepted, client.StageRcpt, "250 2.0.0 <b@example.com> b2 Saved"),
		to(client.Accepted, client.StageFinal, "250 2.0.0 <c@example.com> c3 Saved"),
		to(client.Accepted, client.StageFinal, "250 2.0.0 <d@example.com> d4 Saved"),
	}}
	if got := r.QueueID(); got != "c3" {
		t.Errorf("got %q", got)
	}
	if got := new(client.Result).QueueID(); got != "" {
		t.Errorf("of nothing: %q", got)
	}
}

// Whatever a server says, an ID is short, and can be shown.
func FuzzQueueID(f *testing.F) {
	f.Add("2.0.0 Ok: queued as 4F0DB1C2A3")
	f.Add("<a@example.com> [InternalId=42, x] Queued mail for delivery")
	f.Add("OK  1700000000 abc - gsmtp")
	f.Add("ok 1 qp 2")
	f.Fuzz(func(t *testing.T, text string) {
		r := client.Result{Reply: &smtp.Reply{Code: smtp.CodeOK, Lines: []string{text}}}
		id := r.QueueID()
		if len(id) > maxQueueID || !strings.Contains(text, id) {
			t.Errorf("%q: %q", text, id)
		}
		for i := range len(id) {
			if id[i] < ' ' || id[i] > '~' {
				t.Errorf("%q: %q", text, id)
			}
		}
	})
}
