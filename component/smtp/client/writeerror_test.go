package client_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/go-poe/poe/component/smtp/client"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// A server that takes some messages, says so, and breaks the connection has taken them, also if the
// client notices first that it cannot write any more.
func TestAcceptedBeforeTheConnectionBroke(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	const (
		messages = 40
		known    = 8 // that are accepted when the client writes what it sends ahead next
	)
	told, broken := make(chan struct{}), make(chan struct{})
	served := make(chan error, 1)
	go func() {
		defer close(broken)
		served <- takeAndBreak(listener, known, told)
	}()

	k, err := kernel.New(kernel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := client.Spawn(k.Root(), client.Options{
		Alias: "mail", MaxConnections: 1,
		Defaults: client.Message{Server: host, Port: port, TLS: client.Off},
	})
	if err != nil {
		t.Fatal(err)
	}
	verdicts := make([]client.Verdict, messages)
	done := 0
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			for i := range messages {
				_ = e.Session.Post(s, "send", &client.Message{
					To: []string{"b@example.com"}, Body: []byte("text\r\n"),
					Context: i, ResultEvent: "result",
				})
			}
		},
		"result": session.On(func(e *kernel.Event, r *client.Result) {
			verdicts[r.Message.Context.(int)] = r.Recipients[0].Verdict
			if done++; done == known {
				close(told)
				<-broken // so what is put by now cannot be written
				listener.Close()
			}
			if done == messages {
				_ = e.Session.Post(s, "smtp_shutdown")
			}
		}),
	})
	if err := k.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	for i, v := range verdicts {
		if accepted := v == client.Accepted; accepted != (i < known+1) {
			t.Errorf("message %d: %v", i, v)
		}
	}
}

// takeAndBreak serves one connection, with CHUNKING. It accepts so many messages, and one more when
// it is told to. Then it breaks the connection.
func takeAndBreak(listener net.Listener, messages int, told <-chan struct{}) error {
	conn, err := listener.Accept()
	if err != nil {
		return err
	}
	in := bufio.NewReader(conn)
	fmt.Fprint(conn, "220 ready\r\n")
	for taken := 0; taken <= messages; {
		line, err := in.ReadString('\n')
		if err != nil {
			return err
		}
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch verb {
		case "EHLO":
			fmt.Fprint(conn, "250-mx.example.org\r\n250-PIPELINING\r\n250 CHUNKING\r\n")
		case "BDAT":
			var n int64
			if _, err := fmt.Sscan(rest, &n); err != nil {
				return err
			}
			if _, err := io.CopyN(io.Discard, in, n); err != nil {
				return err
			}
			if taken++; taken > messages {
				<-told
			}
			fmt.Fprint(conn, "250 queued\r\n")
		default:
			fmt.Fprint(conn, "250 fine\r\n")
		}
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	return conn.Close()
}
