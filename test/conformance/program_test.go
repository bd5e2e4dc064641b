package conformance

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/test/sim"
)

// A program is a Case with a kernel: what the ports of the cases about the kernel and its sessions
// are written with.
type program struct {
	*Case
	k *kernel.Kernel

	// warned takes what the kernel warns of, which fails the case unless it expects that.
	warned func(text string)
}

// newProgram returns a program whose kernel runs on a loop.
func newProgram(c *Case, loop kernel.Loop) *program {
	p := &program{Case: c}
	p.warned = func(text string) { c.T.Errorf("the kernel warns: %s", text) }
	core, _ := observer.New(zap.WarnLevel)
	log := zap.New(core, zap.Hooks(func(e zapcore.Entry) error {
		p.warned(e.Message)
		return nil
	}))
	k, err := kernel.New(kernel.Options{
		Loop:   loop,
		Log:    log,
		Getenv: func(string) string { return "" },
	})
	if err != nil {
		c.T.Fatal(err)
	}
	p.k = k
	c.Name(k.Root().ID(), "kernel")
	return p
}

// inBothWorlds registers the port of a case that needs nothing of the system but time. It runs in a
// simulated world, where that does not pass, and then again on the system's loop, where it does.
func inBothWorlds(name string, port func(p *program)) {
	Register(name, func(c *Case) {
		port(newProgram(c, sim.NewWorld()))
		want := c.Lines()
		const tries = 3 // on a busy machine, what is 50 ms later may come with what is not
		for n := 1; ; n++ {
			again := NewCase(c.T)
			port(newProgram(again, kernel.NewLoop()))
			got := again.Lines()
			if slices.Equal(got, want) {
				return
			}
			c.T.Logf("try %d on the system's loop, beside the simulated world:\n%s", n, diff(got, want))
			if n == tries {
				c.T.Error("prints other lines on the system's loop than in the simulated world")
				return
			}
		}
	})
}

// onSystem registers the port of a case that needs the system: signals, processes, pipes.
func onSystem(name string, port func(p *program)) {
	Register(name, func(c *Case) { port(newProgram(c, kernel.NewLoop())) })
}

// run runs the kernel to an end that has to be a good one.
func (p *program) run() {
	if err := p.k.Run(p.Context()); err != nil {
		p.T.Errorf("Run: %v", err)
	}
}

// name gives the session of e the name under which who prints it.
func (p *program) name(e *kernel.Event, name string) { p.Name(e.Session.ID(), name) }

// who returns the name of a session.
func (p *program) who(s *kernel.Session) string {
	if s == nil {
		return p.Who(nil)
	}
	return p.Who(s.ID())
}

// whoArg is who for an argument of an event.
func (p *program) whoArg(e *kernel.Event, i int) string {
	return p.who(kernel.Arg[*kernel.Session](e, i))
}

// result prints a line with what a method of the kernel returned: the value and no errno, or undef
// and the errno of the error.
func (p *program) result(what string, value any, err error) {
	p.Out(what, valueOr(value, err), Errname(err))
}

// valueOr returns the value, or undef if there is an error in its place.
func valueOr(value any, err error) any {
	if err != nil {
		return nil
	}
	return value
}

// code returns what POE returns where 0 is success, and an errno is none.
func code(err error) any {
	if err != nil {
		return Errname(err)
	}
	return 0
}

// from returns the event that the sender was handling, or nil for none.
func from(e *kernel.Event) any {
	if e.SenderEvent == "" {
		return nil
	}
	return e.SenderEvent
}

// arg returns an argument, or nil where there is none, as Perl does.
func arg(e *kernel.Event, i int) any { return kernel.ArgOr[any](e, i, nil) }

// refusal calls f and returns what it panics with: the kernel panics over a mistake of the
// programmer's where the original returns EINVAL, or dies.
func refusal(f func()) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case error:
			err = p
		case string:
			err = errors.New(p)
			if strings.HasPrefix(p, "reflect: ") {
				err = fmt.Errorf("%s: %w", p, syscall.EINVAL)
			}
		default:
			panic(p)
		}
	}()
	f()
	return nil
}

// without calls f with too few arguments. The compiler would not have it, and by reflection, it
// panics.
func without(f any, args ...any) {
	in := make([]reflect.Value, len(args))
	for i, a := range args {
		in[i] = reflect.ValueOf(a)
	}
	reflect.ValueOf(f).Call(in)
}

// ref returns what Perl's ref says of a value.
func ref(v any) string {
	switch reflect.ValueOf(v).Kind() {
	case reflect.Slice:
		return "ARRAY"
	case reflect.Map:
		return "HASH"
	default:
		return ""
	}
}

// ms returns so many milliseconds.
func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }
