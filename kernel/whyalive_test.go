package kernel_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
)

// Each thing that keeps a session alive shows in the report, by what it is.
func TestWhyAlive(t *testing.T) {
	k := newKernel(t)
	r, _ := pipe(t)
	release := make(chan bool)
	cmd := exec.Command("cat")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	k.Create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			s := e.Session
			s.Yield("look")
			_ = s.AliasSet("busy")
			s.Delay("tea", time.Minute)
			_ = s.SelectRead(r, "got_line")
			_ = s.SelectPauseRead(r)
			_, _ = s.RefcountIncrement("held")
			_ = s.SigChild(cmd.Process.Pid, "ended")
			_ = s.Work(func(context.Context) (any, error) { <-release; return nil, nil }, "worked")
			pb, door := s.Postback("later"), s.Door()
			child := s.Create(session.Events{
				kernel.Start: func(e *kernel.Event) { e.Session.Delay("x", time.Minute) }})
			_ = child.Post(s, "from_child")
			s.State("end", func(*kernel.Event) {
				pb.Close()
				door.Close()
				child.End()
			})
		},
		"look": func(e *kernel.Event) {
			got := k.WhyAlive().String()
			for _, want := range []string{
				"session 1 (busy):\n", `alarm "tea", due in `, "its first turn",
				`"from_child" from session 2`,
				"1 children: session 2", "1 aliases: busy", `read, for "got_line", paused`,
				`1 reference counts: "held", 1`, "1 child processes: process ", "1 postbacks",
				"1 doors", `1 slow work: for "worked"`, "session 2, child of 1:", "1 events from it",
			} {
				if !strings.Contains(got, want) {
					t.Errorf("the report does not say %q:\n%s", want, got)
				}
			}
			s := e.Session
			_, _ = s.Call(s, "end")
			s.AlarmRemoveAll()
			_ = s.SelectRead(r, "")
			_, _ = s.RefcountDecrement("held")
			_ = s.SigChild(cmd.Process.Pid, "")
			close(release)
		},
		"from_child": nothing,
		"worked":     nothing,
	})
	run(t, k)
	_ = stdin.Close()
	_ = cmd.Wait()
	if got := k.WhyAlive().String(); got != "no session is alive\n" {
		t.Errorf("got %q", got)
	}
}

func TestWhyAliveNamesOnlySoMany(t *testing.T) {
	inSession(t, func(e *kernel.Event) {
		for range 1000 {
			e.Session.DelayAdd("x", time.Hour)
		}
		why := e.Session.WhyAlive()
		if got := why.Reasons[0]; got.Count < 1000 || len(got.Detail) > 21 {
			t.Errorf("got %d, with %d details", got.Count, len(got.Detail))
		}
		e.Session.AlarmRemoveAll()
	})
}
