package main

import (
	"errors"
	"io/fs"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/wheel"
)

// Each kind of failure has its exit status, and a text that says what to do about it.
func TestExplain(t *testing.T) {
	reply := func(code int, text string) *smtp.Reply {
		return &smtp.Reply{Code: code, Lines: []string{text}}
	}
	lost := func(op string, err error) error { return &wheel.Error{Op: op, Err: err} }
	refused := func(at client.Stage, r *smtp.Reply) client.Failure {
		return client.Failure{Kind: client.ServerError, Stage: at, Reply: r}
	}
	configure := func(at client.Stage, text string) client.Failure {
		return client.Failure{Kind: client.Configure, Stage: at, Err: errors.New(text)}
	}
	file := func(err error) error { return &fs.PathError{Op: "open", Path: "f", Err: err} }
	noHost := func(e net.DNSError) client.Failure {
		return client.Failure{Kind: client.NoConnect, Err: lost("resolve", &e)}
	}
	for _, test := range []struct {
		f      client.Failure
		status int
		text   string
	}{
		{configure(client.StageConfigure, "bad address"), exitData, "bad address"},
		{configure(client.StageAuth, "no AUTH"), exitUnavailable, "h:25: no AUTH"},
		{client.Failure{Kind: client.NoFile, Err: file(fs.ErrNotExist)},
			exitNoInput, "cannot read f: file does not exist"},
		{client.Failure{Kind: client.Lost, Err: lost("read", file(syscall.EIO))},
			exitNoInput, "cannot read f: input/output error"},
		{client.Failure{Kind: client.Lost, Stage: "mail", Err: lost("read", syscall.ECONNRESET)},
			exitTempFail, "lost the connection to h:25 at mail"},
		{client.Failure{Kind: client.NoConnect, Err: lost("connect", syscall.ECONNREFUSED)},
			exitTempFail, "cannot connect to h:25: connect: connection refused"},
		{noHost(net.DNSError{Name: "h", IsNotFound: true}), exitNoHost, "there is no host h"},
		{noHost(net.DNSError{Name: "h", IsTimeout: true}), exitTempFail, "cannot connect to h:25"},
		{client.Failure{Kind: client.TimedOut, Stage: client.StageData}, exitTempFail, "at data"},
		{client.Failure{Kind: client.TimedOut, Stage: client.StageText, Err: errors.New("no text")},
			exitTempFail, "no text for"},
		{client.Failure{Kind: client.ShutDown, Err: errors.New("halt")}, exitTempFail, "halt"},
		{refused("rcpt", reply(550, "no")), exitUnavailable, "h:25 refused at rcpt: 550 no"},
		{refused("final", reply(452, "no")), exitTempFail, "refused for now at final: 452 no"},
		{refused("data", reply(250, "what")), exitProtocol, "makes no sense: 250 what"},
		{client.Failure{Kind: client.ServerError, Stage: "greeting", Line: "HTTP/1.1"},
			exitProtocol, `does not speak SMTP: at greeting it said "HTTP/1.1"`},
	} {
		err := explainer{at: "h:25"}.explain(&test.f)
		wantFailure(t, err, test.status, test.text)
	}
}

// wantFailure checks the status of an error, and that it has a text in it.
func wantFailure(t *testing.T, err error, status int, text string) {
	t.Helper()
	failed, ok := errors.AsType[*failure](err)
	if !ok || failed.status != status || !strings.Contains(err.Error(), text) {
		t.Errorf("got %v, want status %d and %q", err, status, text)
	}
}

// If some recipients are refused, the status is that of the worst.
func TestRefusedRecipients(t *testing.T) {
	recipient := func(address string, code int, text string) client.Recipient {
		reply := &smtp.Reply{Code: code, Lines: []string{text}}
		verdict := client.Deferred
		switch {
		case code < 300:
			verdict = client.Accepted
		case code >= 500:
			verdict = client.Refused
		}
		return client.Recipient{Address: address, Verdict: verdict, Reply: reply}
	}
	good := recipient("a@x", 250, "ok")
	later := recipient("b@x", 450, "later")
	never := recipient("c@x", 550, "never")
	for _, test := range []struct {
		to     []client.Recipient
		status int
		text   string
	}{
		{[]client.Recipient{good, later}, exitTempFail,
			"refused for 1 of 2 recipients: b@x: 450 later"},
		{[]client.Recipient{later, never, good}, exitUnavailable,
			"refused for 2 of 3 recipients: b@x: 450 later; c@x: 550 never"},
	} {
		wantFailure(t, refusedRecipients(test.to), test.status, test.text)
	}
}

// What is known about a message decides what a person reads, and whether it is worth another try.
func TestExplainResult(t *testing.T) {
	refused := func(code int) client.Recipient {
		to := client.Recipient{Address: "r", Reply: &smtp.Reply{Code: code, Lines: []string{"no"}}}
		if code >= 500 {
			to.Verdict = client.Refused
		}
		return to
	}
	at := func(kind client.Kind, stage client.Stage) *client.Failure {
		return &client.Failure{Kind: kind, Stage: stage,
			Reply: &smtp.Reply{Code: 450, Lines: []string{"last"}}}
	}
	for _, test := range []struct {
		name   string
		signal string
		result *client.Result
		status int
		text   string
	}{
		{"interrupted before", "INT", &client.Result{Err: at(client.ShutDown, client.StageMail)},
			exitInterrupted, "was not sent"},
		{"interrupted while the server decides", "INT",
			&client.Result{Err: at(client.ShutDown, client.StageFinal)},
			exitInterrupted, "may have the message"},
		{"refused before the interruption", "INT",
			&client.Result{Err: at(client.ServerError, client.StageMail)},
			exitTempFail, "refused for now at mail"},
		{"all refused, the last for now", "",
			&client.Result{Err: at(client.ServerError, client.StageRcpt),
				Recipients: []client.Recipient{refused(550), refused(450)}},
			exitUnavailable, "refused for 2 of 2 recipients: r: 550 no; r: 450 no"},
		{"all refused for now", "",
			&client.Result{Err: at(client.ServerError, client.StageRcpt),
				Recipients: []client.Recipient{refused(450), refused(451)}},
			exitTempFail, "refused for 2 of 2 recipients"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := explainer{at: "h:25"}.err(test.result, test.signal)
			wantFailure(t, err, test.status, test.text)
		})
	}
}
