package client

import (
	"regexp"
	"slices"
	"strings"

	"github.com/go-poe/poe/component/smtp"
)

// QueueID returns the name under which the server has the message in its queue, and perhaps in its
// log: what it said of that in its reply to the text. It is up to 128 printable ASCII characters,
// and empty if the server accepted nothing or gave no name, or has a wording that is not known.
//
// With LMTP, where each recipient has a reply, it is that of the first who was accepted.
func (r *Result) QueueID() string {
	if r.Reply != nil && (r.Message == nil || r.Message.Protocol != LMTP) {
		return queueID(r.Reply)
	}
	for _, to := range r.Recipients {
		if to.Verdict == Accepted && to.Stage == StageFinal && to.Reply != nil {
			return queueID(to.Reply)
		}
	}
	return ""
}

// maxQueueID is the length of the longest ID, in octets: no known server has one half as long.
const maxQueueID = 128

// queueID looks for an ID in the lines of a reply, from the last to the first.
func queueID(r *smtp.Reply) string {
	if !r.Positive() {
		return ""
	}
	for _, line := range slices.Backward(r.Lines) {
		line = strings.TrimSpace(line)
		for _, w := range queueWordings {
			if id := w.find(line); id != "" {
				return id
			}
		}
	}
	return ""
}

// A queueWording is how a server says that it has queued a message.
type queueWording struct {
	pattern *regexp.Regexp // its first group is the ID
	vague   bool           // other words fit as well: an ID is only what has a digit in it
}

// queueWordings are the known ones. The first that fits counts.
var queueWordings = []queueWording{
	// Exchange: its own number, and not the Message-ID that comes before. Old ones, and IIS, have
	// only that.
	{pattern: wording(`\[internalid=([!-~]+?)[],].* queued mail for delivery$`)},
	{pattern: wording(`^<([!-~]+)> queued mail for delivery$`)},

	// Postfix, also behind a content filter, and many others; Stalwart; Haraka.
	{pattern: wording(`\bqueued as ([!-~]+)`)},
	{pattern: wording(`\bqueued with id ([!-~]+)`)},
	{pattern: wording(`\bmessage queued \(([!-~]+)\)`)},

	// OpenSMTPD; sendmail, CommuniGate and Proofpoint; IronPort, and package server.
	{pattern: wording(`^([0-9a-f]{8}) message accepted for delivery`)},
	{pattern: wording(`^([!-~]+) message accepted for delivery`), vague: true},
	{pattern: wording(`^(?:ok: +)?message ([!-~]+) accepted`), vague: true},

	{pattern: wording(`(?:^|[ :(])ids?=([!-~]+)`)},         // Exim, GMX, KumoMTA
	{pattern: wording(`^ok ([0-9]+ qp [0-9]+)\b`)},         // qmail
	{pattern: wording(`^ok(?: .*)? ([!-~]+) - gsmtp$`)},    // Gmail
	{pattern: wording(`^<.*> ([!-~]+) saved$`)},            // Dovecot's LMTP
	{pattern: wording(`^ok\.? ([!-~]{6,})$`), vague: true}, // Amazon SES, Momentum, Courier
}

// wording compiles a pattern for any case of letters. It takes linear time to match.
func wording(pattern string) *regexp.Regexp { return regexp.MustCompile(`(?i)` + pattern) }

// find returns the ID in a line, without the punctuation behind it, and "" if there is none.
func (w queueWording) find(line string) string {
	groups := w.pattern.FindStringSubmatch(line)
	if groups == nil {
		return ""
	}
	id := strings.TrimRight(groups[1], ".,;:)>")
	if len(id) > maxQueueID || w.vague && !strings.ContainsAny(id, "0123456789") {
		return ""
	}
	return id
}
