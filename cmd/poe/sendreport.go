package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"

	"github.com/go-poe/poe/component/smtp/client"
)

// An explainer says of a result what went wrong, whether it is worth another try, and what may
// help.
type explainer struct {
	at string // the server, for people
	to *client.Message
}

// err makes a failure of a result, or nil if all is well. The signal, if there was one, has ended
// the message.
func (x explainer) err(r *client.Result, signal string) error {
	stopped := signal != "" && r.Err != nil && r.Err.Kind == client.ShutDown
	switch {
	case stopped && r.Err.Stage == client.StageFinal:
		return fail(exitInterrupted, errors.New("interrupted; the server may have the message"))
	case stopped:
		return fail(exitInterrupted, errors.New("interrupted; the message was not sent"))
	case r.Err != nil && (r.Err.Stage != client.StageRcpt || refusals(r.Recipients) < 2):
		return x.explain(r.Err)
	case !r.OK():
		return refusedRecipients(r.Recipients)
	}
	return nil
}

// explain makes a failure of why nobody got the message.
func (x explainer) explain(f *client.Failure) error {
	switch f.Kind {
	case client.Configure:
		if f.Stage != client.StageConfigure { // the server cannot do what the message needs
			return failf(exitUnavailable, "%s: %w", x.at, f.Err)
		}
		return fail(exitData, f.Err)
	case client.NoFile, client.Lost:
		if file, ok := errors.AsType[*fs.PathError](f.Err); ok {
			return failf(exitNoInput, "cannot read %s: %w", file.Path, file.Err)
		}
		return failf(exitTempFail, "lost the connection to %s at %s: %w", x.at, f.Stage, f.Err)
	case client.NoConnect:
		if dns, ok := errors.AsType[*net.DNSError](f.Err); ok && dns.IsNotFound {
			return failf(exitNoHost, "there is no host %s", dns.Name)
		}
		return failf(exitTempFail, "cannot connect to %s: %w", x.at, f.Err)
	case client.TimedOut:
		text := strings.TrimPrefix(f.Error(), string(f.Stage)+": ")
		return failf(exitTempFail, "gave up on %s at %s: %s%s", x.at, f.Stage, text, x.silence(f))
	case client.NotSecure:
		return x.explainTLS(f)
	case client.ServerError:
		return x.explainReply(f)
	}
	return fail(exitTempFail, f)
}

// silence is what may be the matter with a server that does not even greet.
func (x explainer) silence(f *client.Failure) string {
	if f.Stage == client.StageGreeting && x.to != nil && x.to.TLS != client.Implicit {
		return "; if it waits for TLS, say --tls implicit"
	}
	return ""
}

// explainTLS makes a failure of a connection that is not as secure as it has to be.
func (x explainer) explainTLS(f *client.Failure) error {
	if f.Stage == client.StageAuth {
		return failf(exitUnavailable, "%s: %w; --tls required protects the password, and "+
			"--cleartext sends it all the same", x.at, f.Err)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](f.Err); ok {
		return failf(exitUnavailable, "%s is not to be trusted: %w; --ca FILE names another "+
			"authority, --tls-server-name NAME another name, and --insecure takes any certificate",
			x.at, f.Err)
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](f.Err); ok {
		return failf(exitProtocol, "%s does not begin with TLS: %w; --tls required is for STARTTLS",
			x.at, f.Err)
	}
	return failf(exitUnavailable, "%s: no TLS: %w", x.at, f.Err)
}

// explainReply makes a failure of what the server said.
func (x explainer) explainReply(f *client.Failure) error {
	switch r := f.Reply; {
	case r == nil && f.Err != nil:
		return failf(exitProtocol, "%s said at %s %q: %w", x.at, f.Stage, f.Line, f.Err)
	case r == nil:
		return failf(exitProtocol, "%s does not speak SMTP: at %s it said %q",
			x.at, f.Stage, f.Line)
	case f.Stage == client.StageAuth && r.Permanent():
		return failf(exitNoPerm, "%s refused to authenticate: %w%s", x.at, r, because(f.Err))
	case r.Code == codeAuthRequired && f.Stage != client.StageAuth:
		return failf(exitNoPerm, "%s refused at %s: %w; perhaps it wants a --user, or "+
			"--tls required", x.at, f.Stage, r)
	case r.Permanent():
		return failf(exitUnavailable, "%s refused at %s: %w", x.at, f.Stage, r)
	case r.Temporary():
		return failf(exitTempFail, "%s refused for now at %s: %w", x.at, f.Stage, r)
	default:
		return failf(exitProtocol, "%s said at %s what makes no sense: %w", x.at, f.Stage, r)
	}
}

// codeAuthRequired is for who is to authenticate, or to use TLS, first: RFC 4954, section 6.
const codeAuthRequired = 530

// because is what else is known, if anything is.
func because(err error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprintf(" (%v)", err)
}

// refusals returns how many recipients the server refused.
func refusals(recipients []client.Recipient) (n int) {
	for _, to := range recipients {
		if to.Reply != nil && !to.Reply.Positive() {
			n++
		}
	}
	return n
}

// refusedRecipients makes a failure of the recipients who do not have the message.
func refusedRecipients(recipients []client.Recipient) error {
	status := exitTempFail
	var refused []string
	for _, to := range recipients {
		if to.Verdict == client.Accepted {
			continue
		}
		why := to.Verdict.String()
		if to.Reply != nil && !to.Reply.Positive() {
			why = to.Reply.String()
		}
		refused = append(refused, fmt.Sprintf("%s: %s", to.Address, why))
		if to.Verdict == client.Refused {
			status = exitUnavailable
		}
	}
	return failf(status, "refused for %d of %d recipients: %s",
		len(refused), len(recipients), strings.Join(refused, "; "))
}

// A tally counts how messages went.
type tally struct {
	sent, failed int
	octets       int64 // of those that were sent
	moving       int64 // octets so far of those that are on their way
	status       int   // of those that were not sent
}

// add counts one message.
func (t *tally) add(octets int64, err error) {
	if err == nil {
		t.sent++
		t.octets += octets
		return
	}
	t.failed++
	status := statusOf(err)
	switch {
	case t.status == 0 || t.status == status:
		t.status = status
	case t.status == exitInterrupted || status == exitInterrupted:
		t.status = exitInterrupted
	default:
		t.status = exitUnavailable // some are not worth another try
	}
}

// statusOf returns the exit status of an error.
func statusOf(err error) int {
	if failed, ok := errors.AsType[*failure](err); ok {
		return failed.status
	}
	return exitUsage
}

// refusedNow makes a result of a message that could not even be prepared.
func refusedNow(m *client.Message, err error) *client.Result {
	f := &client.Failure{Kind: client.Configure, Stage: client.StageConfigure, Err: err}
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		f.Kind = client.NoFile
	}
	return &client.Result{Message: m, Err: f}
}
