package client_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/chat"
)

// The notes of a conversation with a client that stays. A result begins with the number of its
// message, from 0.
const (
	posted  = 'M' // a message, with its changes, and semicolons between them: see change
	staying = 'K' // an option of the client: see stay
)

// Each conversation with a client that stays goes as its file says, and each message has one result.
func TestKeptConversations(t *testing.T) {
	for _, c := range chat.ReadAll(t, "testdata/kept/*.chat") {
		for name, world := range worlds(c) {
			t.Run(c.Name+"/"+name, func(t *testing.T) {
				p := newPlace(t, world)
				chat.Serve(t, p.k.Root(), "25", c)
				p.keeper(c)
				p.run()
				p.want(c.Note(result)...)
			})
		}
	}
}

// A later is a message that is posted so long after the result of those before it; 0 means together
// with them.
type later struct {
	m     client.Message
	after time.Duration
}

// keeper makes a client that stays, with one connection at a time, and a session that posts the
// messages of a conversation to it. When all have their results, it shuts the client down.
func (p *place) keeper(c *chat.Chat) {
	p.Helper()
	opts := client.Options{MaxConnections: 1, IdleTime: time.Hour}
	for _, text := range c.Note(staying) {
		if err := stay(&opts, text); err != nil {
			p.Fatalf("%s: option %q: %v", c.Name, text, err)
		}
	}
	p.spawn(opts)
	list := p.postedBy(c)
	next, results := 0, 0
	p.k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Yield("post") },
		"post": func(e *kernel.Event) {
			for first := next; next < len(list) && (next == first || list[next].after == 0); next++ {
				if err := e.Session.Post(mail, "send", &list[next].m); err != nil {
					p.Error(err)
				}
			}
		},
		"result": session.On(func(e *kernel.Event, r *client.Result) {
			for _, line := range describe(r) {
				p.note("%v %s", r.Message.Context, line)
			}
			switch results++; {
			case results == len(list):
				_ = e.Session.Post(mail, "smtp_shutdown") // it is there
			case results == next:
				e.Session.Delay("post", list[next].after)
			}
		}),
	})
}

// postedBy returns the messages of a conversation.
func (p *place) postedBy(c *chat.Chat) (list []later) {
	p.Helper()
	for i, text := range c.Note(posted) {
		next := later{m: message()}
		next.m.Context, next.m.ResultEvent = i, "result"
		next.m.Body = []byte(fmt.Sprint("message ", i))
		changes := append(c.Note(option), strings.Split(text, "; ")...)
		for _, one := range changes {
			wait, isWait := strings.CutPrefix(one, "after ")
			var err error
			switch {
			case isWait:
				next.after, err = time.ParseDuration(wait)
			case one != "":
				err = change(&next.m, one)
			}
			if err != nil {
				p.Fatalf("%s: message %q: %v", c.Name, text, err)
			}
		}
		if len(list) > 0 && next.m.TLSConfig != nil {
			next.m.TLSConfig = list[0].m.TLSConfig // with another, it would be another way to go
		}
		list = append(list, next)
	}
	return list
}

// stay changes a client's options as an option of the conversation says.
func stay(opts *client.Options, text string) (err error) {
	name, value, _ := strings.Cut(text, " ")
	switch name {
	case "idle":
		opts.IdleTime, err = time.ParseDuration(value)
	case "messages-per-connection":
		opts.MessagesPerConnection, err = strconv.Atoi(value)
	case "retry":
		opts.Retry.Times = 1
		opts.Retry.First, err = time.ParseDuration(value)
	default:
		err = strconv.ErrSyntax
	}
	return err
}
