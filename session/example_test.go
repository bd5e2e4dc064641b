package session_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// A session is a table from names to functions. Nothing keeps this one but the alarm that it
// sets, so when it sets none, it ends.
func ExampleEvents() {
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		log.Fatal(err)
	}
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) { e.Session.Yield("tick", 3) },
		"tick": session.On(func(e *kernel.Event, left int) {
			if left == 0 {
				return
			}
			fmt.Println(left)
			e.Session.Delay("tick", time.Millisecond, left-1)
		}),
		kernel.Stop: func(*kernel.Event) { fmt.Println("liftoff") },
	})
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 3
	// 2
	// 1
	// liftoff
}

// A component is a struct, its handlers are methods, and what all components have comes from a
// table of its own.
func ExampleJoin() {
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		log.Fatal(err)
	}
	life := session.Events{
		kernel.Start: func(*kernel.Event) { fmt.Println("hello") },
		kernel.Stop:  func(*kernel.Event) { fmt.Println("goodbye") },
	}
	c := new(counter)
	s := k.Create(session.Join(life, session.Events{"count": c.count}))
	for range 2 {
		n, err := k.Call(s, "count")
		fmt.Println(n, err)
	}
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// hello
	// 1 <nil>
	// 2 <nil>
	// goodbye
}

// What a line of input means depends on what was asked for.
func ExampleNFA() {
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		log.Fatal(err)
	}
	var user string
	input := []string{"alice", "plugh", "bob", "xyzzy"}
	var m *session.NFA
	prompt := func(text string) kernel.HandlerFunc {
		return func(e *kernel.Event) {
			fmt.Println(text, input[0])
			e.Session.Yield("line", input[0])
			input = input[1:]
		}
	}
	m = session.NewNFA(session.States{
		"login": {
			"prompt": prompt("Login:"),
			"line": session.On(func(_ *kernel.Event, line string) {
				user = line
				m.GotoState("password", "prompt")
			}),
		},
		"password": {
			"prompt": prompt("Password:"),
			"line": session.On(func(_ *kernel.Event, line string) {
				if line != "xyzzy" {
					m.GotoState("login", "prompt")
					return
				}
				fmt.Println("Welcome,", user)
				m.Stop()
			}),
		},
	}, session.NFAOptions{})

	k.Create(m)
	m.GotoState("login", "prompt")
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// Login: alice
	// Password: plugh
	// Login: bob
	// Password: xyzzy
	// Welcome, bob
}

// A state that several others need is called, and answers the one that has called it.
func ExampleNFA_CallState() {
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		log.Fatal(err)
	}
	var m *session.NFA
	m = session.NewNFA(session.States{
		"order": {
			kernel.Start: func(*kernel.Event) { m.CallState("sure", "confirm", "ask", "a pizza") },
			"sure": session.On(func(_ *kernel.Event, yes bool) {
				fmt.Println("in", m.CurrentState(), "again:", yes)
			}),
		},
		"confirm": {
			"ask": session.On(func(e *kernel.Event, what string) {
				fmt.Println("is it", what+"?")
				e.Session.Yield("line", "yes")
			}),
			"line": session.On(func(_ *kernel.Event, line string) { m.ReturnState(line == "yes") }),
		},
	}, session.NFAOptions{Initial: "order"})
	k.Create(m)
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// is it a pizza?
	// in order again: true
}

// Several parts of a program handle the same event, and one of them can spare the rest the
// trouble.
func ExampleMulti() {
	k, err := kernel.New(kernel.Options{})
	if err != nil {
		log.Fatal(err)
	}
	var m session.Multi
	m.Add(kernel.Start, "main", func(e *kernel.Event) {
		e.Session.Yield("request", "/index.html")
		e.Session.Yield("request", "/secret")
	})
	m.Add("request", "serve", session.On(func(_ *kernel.Event, path string) {
		fmt.Println("200", path)
	}))
	m.Add("request", "guard", session.On(func(_ *kernel.Event, path string) {
		if path == "/secret" {
			fmt.Println("403", path)
			m.Stop()
		}
	}))
	if err := m.First("request", "guard"); err != nil {
		log.Fatal(err)
	}
	k.Create(&m)
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 200 /index.html
	// 403 /secret
}
