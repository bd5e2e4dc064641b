package client_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/go-poe/poe/component/smtp"
	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/component/smtp/server"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// serve has a server take mail on this machine, until stop. It knows nobody by the name of nobody,
// and hands the texts over, unless texts is nil.
func serve(texts chan<- string) (host, port string, stop func()) {
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		log.Fatal(err)
	}
	listening := make(chan net.Addr, 1)
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			_, err := server.Spawn(e.Session, server.Options{
				Address: "127.0.0.1", Port: "0", ListenEvent: "listening",
				Sink: server.NewMemory(server.MemoryOptions{To: e.Session, Event: "got"}),
				CheckRecipient: func(_ *server.Envelope, to smtp.Rcpt) error {
					if to.To.Local == "nobody" {
						return &smtp.Reply{Code: smtp.CodeUnavailable, Lines: []string{"Nobody"}}
					}
					return nil
				},
			})
			if err != nil {
				log.Fatal(err)
			}
		},
		"listening": session.On(func(_ *kernel.Event, l *server.Listening) { listening <- l.Addr }),
		"got": session.On(func(_ *kernel.Event, m *server.Mail) {
			if texts != nil {
				texts <- string(m.Text)
			}
		}),
	})
	ctx, cancel := context.WithCancel(context.Background())
	wait := k.Go(ctx)
	host, port, _ = net.SplitHostPort((<-listening).String())
	return host, port, func() {
		cancel()
		if err := wait(); !errors.Is(err, context.Canceled) {
			log.Fatal(err)
		}
	}
}

// One message, with an event for what became of it.
func ExampleSend() {
	host, port, stop := serve(nil)
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		log.Fatal(err)
	}

	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			client.Send(e.Session, client.Message{
				Server: host, Port: port,
				From: "me@example.com", To: []string{"you@example.org", "nobody@example.org"},
				Body:        []byte("Subject: hello\n\nHello, world\n"),
				ResultEvent: "sent",
			})
		},
		"sent": session.On(func(_ *kernel.Event, r *client.Result) {
			for _, to := range r.Recipients {
				fmt.Println(to.Address, to.Verdict)
			}
			if r.Err != nil { // nobody has it
				fmt.Println("not sent:", r.Err)
			}
		}),
	})

	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
	stop()
	// Output:
	// you@example.org accepted
	// nobody@example.org refused
}

// A session that stays takes messages by its alias, from any session, and keeps its connections.
func ExampleSpawn() {
	host, port, stop := serve(nil)
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		log.Fatal(err)
	}

	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			_, err := client.Spawn(e.Session, client.Options{
				Alias:          "mail",
				MaxConnections: 1,
				Defaults:       client.Message{Server: host, Port: port, From: "me@example.com"},
			})
			if err != nil {
				log.Fatal(err)
			}
			for _, to := range []string{"one@example.org", "two@example.org"} {
				e.Session.Post(kernel.Alias("mail"), "send", &client.Message{
					To: []string{to}, Body: []byte("Subject: hello\n\nHello, world\n"),
					ResultEvent: "sent",
				})
			}
			e.Session.Post(kernel.Alias("mail"), "smtp_shutdown")
		},
		"sent": session.On(func(_ *kernel.Event, r *client.Result) {
			fmt.Println(r.Recipients[0].Address, r.Recipients[0].Verdict)
		}),
	})

	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
	stop()
	// Output:
	// one@example.org accepted
	// two@example.org accepted
}

// A program without a kernel of its own waits for the result, on any goroutine.
func ExampleClient() {
	host, port, stop := serve(nil)

	c, err := client.New(client.Options{Defaults: client.Message{Server: host, Port: port}}, nil)
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	_, err = c.Send(ctx, client.Message{
		From: "me@example.com", To: []string{"you@example.org", "nobody@example.org"},
		Body: []byte("Subject: hello\n\nHello, world\n"),
	})

	var partly *client.PartialError
	var failed *client.Failure
	switch {
	case err == nil:
		fmt.Println("all have it")
	case errors.As(err, &partly):
		fmt.Println("some do not have it:", partly.Recipients[0].Address)
	case errors.As(err, &failed):
		fmt.Println("nobody has it; to try again may help:", failed.Temporary())
	default:
		fmt.Println("not known:", err) // ctx is done, or the client is closed
	}

	if err := c.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
	cancel()
	stop()
	// Output:
	// some do not have it: nobody@example.org
}

// What holds for all messages of a client: how often it tries again, and what they leave out.
func ExampleOptions() {
	c, err := client.New(client.Options{
		MaxConnections: 5,  // to one destination
		Rate:           10, // messages per second to one destination
		Retry:          client.Retry{Times: 5, First: time.Minute, Most: 30 * time.Minute},
		Defaults: client.Message{
			Server: "smtp.example.com", Port: "587", TLS: client.Required,
			Auth:     &client.Auth{User: "me@example.com", Password: os.Getenv("MAIL_PASSWORD")},
			Timeouts: client.RFCTimeouts(),
			Deadline: 30 * time.Minute,
		},
	}, nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := c.Close(); err != nil {
		log.Fatal(err)
	}
	// Output:
}

// Mailboxes on this machine, by LMTP: each recipient has a verdict of its own.
func ExampleProtocol() {
	c, err := client.New(client.Options{}, nil)
	if err != nil {
		log.Fatal(err)
	}

	_, err = c.Send(context.Background(), client.Message{
		Server: "/run/no-such-program/lmtp", Protocol: client.LMTP,
		From: client.NullSender, To: []string{"me", "you"},
		Body: []byte("Subject: report\n\nAll is well.\n"),
	})

	var failed *client.Failure
	fmt.Println(errors.As(err, &failed), failed.Kind == client.NoConnect, failed.Temporary())
	if err := c.Close(); err != nil {
		log.Fatal(err)
	}
	// Output: true true true
}

// A signed message. The key's public half is in the DNS, at mail._domainkey.example.com.
func ExampleDKIM() {
	texts := make(chan string, 1)
	host, port, stop := serve(texts)
	c, err := client.New(client.Options{Defaults: client.Message{Server: host, Port: port}}, nil)
	if err != nil {
		log.Fatal(err)
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		log.Fatal(err)
	}

	_, err = c.Send(context.Background(), client.Message{
		From: "me@example.com", To: []string{"you@example.org"},
		Body: []byte("From: me@example.com\nSubject: hello\n\nHello, world\n"),
		DKIM: &client.DKIM{Domain: "example.com", Selector: "mail", Key: key},
	})
	if err != nil {
		log.Fatal(err)
	}

	field, _, _ := strings.Cut(<-texts, ";")
	fmt.Println(field)
	if err := c.Close(); err != nil {
		log.Fatal(err)
	}
	stop()
	// Output: DKIM-Signature: a=ed25519-sha256
}

// A report is wanted for the first recipient if the message is delayed or does not arrive, and for
// the second in no case. The server has no DSN, and the message is not sent without.
func ExampleMessage_report() {
	host, port, stop := serve(nil)
	c, err := client.New(client.Options{Defaults: client.Message{Server: host, Port: port}}, nil)
	if err != nil {
		log.Fatal(err)
	}

	_, err = c.Send(context.Background(), client.Message{
		From: "me@example.com", To: []string{"one@example.org", "two@example.org"},
		Body:       []byte("Subject: hello\n\nHello, world\n"),
		Return:     smtp.ReturnHeaders,
		EnvelopeID: "2024-0001",
		RcptParams: []smtp.RcptParams{
			{Notify: smtp.NotifyFailure | smtp.NotifyDelay},
			{Notify: smtp.NotifyNever},
		},
	})
	fmt.Println(err)

	if err := c.Close(); err != nil {
		log.Fatal(err)
	}
	stop()
	// Output: mail: a report needs DSN, which the server does not offer
}

// A message that go-mail has built is streamed as it writes itself.
func ExampleMessage_goMail() {
	texts := make(chan string, 1)
	host, port, stop := serve(texts)
	c, err := client.New(client.Options{Defaults: client.Message{Server: host, Port: port}}, nil)
	if err != nil {
		log.Fatal(err)
	}

	from, to := "me@example.com", []string{"you@example.org"}
	built := gomail.NewMsg()
	err = errors.Join(built.From(from), built.To(to...),
		built.AttachReader("plans.txt", strings.NewReader("the plans")))
	if err != nil {
		log.Fatal(err)
	}
	built.Subject("The plans")
	built.SetBodyString(gomail.TypeTextPlain, "Here they are.")

	_, err = c.Send(context.Background(), client.Message{From: from, To: to, Source: built})
	if err != nil {
		log.Fatal(err)
	}

	fmt.Println(strings.Contains(<-texts, "\r\nSubject: The plans\r\n"))
	if err := c.Close(); err != nil {
		log.Fatal(err)
	}
	stop()
	// Output: true
}
