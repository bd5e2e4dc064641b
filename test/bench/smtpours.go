package main

import (
	"context"
	"net/netip"
	"strconv"

	smtpclient "github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// ourSend posts messages to a client of ours. Some more than are sent at once wait for their turn.
func ourSend(j job) error {
	at, err := netip.ParseAddrPort(j.Addr)
	if err != nil {
		return err
	}
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		return err
	}
	perConnection := 1
	if j.Kept {
		perConnection = j.Messages
	}
	s, err := smtpclient.Spawn(k.Root(), smtpclient.Options{
		Alias:          "mail",
		MaxDeliveries:  j.AtOnce,
		MaxWaiting:     64 * j.AtOnce,
		MaxConnections: j.AtOnce, MessagesPerConnection: perConnection,
		Defaults: smtpclient.Message{
			Server: at.Addr().String(), Port: strconv.Itoa(int(at.Port())), MyHostname: ourName,
		},
	})
	if err != nil {
		return err
	}
	p := &postman{job: j, to: s, text: j.short()}
	if j.Whole {
		p.text = text{size: j.Size}.bytes()
	}
	k.Create(session.Events{
		kernel.Start: p.start,
		"sent":       session.On(p.sent),
	})
	if err := k.Run(context.Background()); err != nil {
		return err
	}
	return p.err
}

// A postman is the session that posts the messages.
type postman struct {
	job   job
	to    *kernel.Session
	text  []byte // of all messages; nil means that they are read
	begun int
	done  int
	err   error
}

func (p *postman) start(e *kernel.Event) {
	for range min(p.job.Messages, 20*p.job.AtOnce) {
		p.post(e)
	}
}

// post posts one more message.
func (p *postman) post(e *kernel.Event) {
	p.begun++
	m := &smtpclient.Message{
		From: fromAddress, To: []string{p.job.recipient()}, ResultEvent: "sent",
	}
	if m.Body = p.text; m.Body == nil {
		m.FileHandle = &text{size: p.job.Size}
	}
	if err := e.Session.Post(p.to, "send", m); err != nil {
		p.fail(e, err)
	}
}

func (p *postman) sent(e *kernel.Event, r *smtpclient.Result) {
	if r.Err != nil {
		p.fail(e, r.Err)
		return
	}
	p.done++
	switch {
	case p.begun < p.job.Messages:
		p.post(e)
	case p.done == p.job.Messages:
		_ = e.Session.Post(p.to, "smtp_shutdown") // it is there, or has ended already
	}
}

func (p *postman) fail(e *kernel.Event, err error) {
	p.err = err
	e.Kernel.Stop()
}
