package wheel_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-poe/poe/filter"
	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/session"
	"github.com/go-poe/poe/test/sim"
	"github.com/go-poe/poe/wheel"
)

// filters are what two ends of a stream can agree on. Their names have five letters, so that the
// word to change to one of them is eight bytes, as any block of eight must be.
var filters = map[string]func() filter.Filter{
	"lines": func() filter.Filter { return filter.NewLine(filter.LineOptions{Literal: "\n"}) },
	"block": func() filter.Filter { return filter.NewBlock(filter.BlockOptions{}) },
	"eight": func() filter.Filter { return filter.NewBlock(filter.BlockOptions{BlockSize: 8}) },
	"value": func() filter.Filter { return filter.NewReference(filter.ReferenceOptions{}) },
	"strea": func() filter.Filter { return filter.NewStream(filter.StreamOptions{}) },
}

// changes returns the names of filters so that each follows each other one at least once.
func changes(names ...string) (list []string) {
	for _, from := range names {
		for _, to := range names {
			if from != to {
				list = append(list, from, to)
			}
		}
	}
	return list
}

// text returns the text of a record of any of the filters.
func text(in *wheel.Input) string {
	if s, ok := in.Value.(string); ok {
		return s
	}
	return string(in.Bytes)
}

// putText puts a text, as a record of any of the filters.
func (p *place) putText(w *wheel.ReadWrite, text string) {
	p.Helper()
	if err := w.PutRecord(filter.Record{Value: text}); err != nil {
		p.Errorf("put %q: %v", text, err)
	}
}

// A writer that changes its filter again and again, and waits for nothing, is understood by a
// reader that changes its own when it comes to that word, however the stream is cut (T-34).
func TestFilterChangesInTheStream(t *testing.T) {
	for _, buffer := range []int{1, 2, 3, 5, 8, 13, 100, 65536} {
		t.Run(fmt.Sprint(buffer), func(t *testing.T) {
			p := simulated(t, sim.Options{Buffer: buffer})
			near, far := p.pair()
			var want []string
			p.create(session.Events{kernel.Start: func(e *kernel.Event) {
				w := p.readWrite(e.Session, wheel.ReadWriteOptions{
					Handle: near, Filter: filters["lines"](),
				})
				put := func(text string) {
					p.putText(w, text)
					want = append(want, text)
				}
				for i, name := range changes("lines", "block", "eight", "value") {
					put("to " + name)
					w.SetOutputFilter(filters[name]())
					put(fmt.Sprintf("text %03d", 2*i))
					put(fmt.Sprintf("text %03d", 2*i+1))
				}
				w.Finish()
			}})
			var r *wheel.ReadWrite
			var got []string
			p.create(session.Events{
				kernel.Start: func(e *kernel.Event) {
					r = p.readWrite(e.Session, wheel.ReadWriteOptions{
						Handle: far, Filter: filters["lines"](),
						InputEvent: "record", ErrorEvent: "error",
					})
				},
				"record": session.On(func(_ *kernel.Event, in *wheel.Input) {
					got = append(got, text(in))
					if name, ok := strings.CutPrefix(text(in), "to "); ok {
						r.SetInputFilter(filters[name]())
					}
				}),
				"error": func(e *kernel.Event) {
					p.failed(e)
					p.note("left %q", r.InputFilter().Pending())
					r.Close()
				},
			})
			p.run()
			p.want("error read: EOF", `left ""`)
			if !slices.Equal(got, want) {
				t.Errorf("got\n\t%q\nwant\n\t%q", got, want)
			}
		})
	}
}

// Two ends that agree on each change before they make it may change to any filter, also to one
// that has no records (T-34).
func TestFilterChangesByAgreement(t *testing.T) {
	p := simulated(t, sim.Options{Latency: tick})
	near, far := p.pair()
	asked := changes("lines", "block", "eight", "value", "strea")
	all := len(asked)
	var client, server *wheel.ReadWrite
	next := ""
	ask := func() {
		if len(asked) == 0 {
			client.Close()
			return
		}
		next, asked = asked[0], asked[1:]
		p.putText(client, "to "+next)
	}
	agreed := 0
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			client = p.readWrite(e.Session, wheel.ReadWriteOptions{
				Handle: near, Filter: filters["lines"](), InputEvent: "record", ErrorEvent: "error",
			})
			ask()
		},
		"record": session.On(func(_ *kernel.Event, in *wheel.Input) {
			switch text(in) {
			case "ok " + next:
				client.SetFilter(filters[next]())
				p.putText(client, "as "+next)
			case "AS " + strings.ToUpper(next):
				agreed++
				ask()
			default:
				p.note("the client got %q", text(in))
				client.Close()
			}
		}),
		"error": p.failed,
	})
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			server = p.readWrite(e.Session, wheel.ReadWriteOptions{
				Handle: far, Filter: filters["lines"](), InputEvent: "record", ErrorEvent: "error",
			})
		},
		"record": session.On(func(_ *kernel.Event, in *wheel.Input) {
			name, ok := strings.CutPrefix(text(in), "to ")
			if !ok {
				p.putText(server, strings.ToUpper(text(in)))
				return
			}
			p.putText(server, "ok "+name)
			server.SetFilter(filters[name]())
		}),
		"error": func(e *kernel.Event) {
			p.failed(e)
			server.Close()
		},
	})
	p.run()
	p.want("error read: EOF")
	if agreed != all {
		t.Errorf("%d changes of %d were made", agreed, all)
	}
}

// How many records a peer sends at once does not decide how deep their handlers are nested, where
// each of them changes the filter.
func TestFilterChangesWithEachRecord(t *testing.T) {
	const records = 3000
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	var w *wheel.ReadWrite
	depth, deepest, next := 0, 0, 0
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{
				Handle: near, Filter: filters["lines"](), InputEvent: "line", ErrorEvent: "error",
			})
			var all strings.Builder
			for i := range records {
				fmt.Fprintln(&all, i)
			}
			p.write(far, all.String())
			far.Close()
		},
		"line": session.On(func(_ *kernel.Event, in *wheel.Input) {
			if got, want := text(in), fmt.Sprint(next); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			next++
			depth++
			deepest = max(deepest, depth)
			w.SetInputFilter(filters["lines"]())
			depth--
		}),
		"error": func(e *kernel.Event) {
			p.failed(e)
			w.Close()
		},
	})
	p.run()
	p.want("error read: EOF")
	if next != records || deepest > 16 {
		t.Errorf("%d records of %d came, up to %d within each other", next, records, deepest)
	}
}

// Each direction has the filter that is meant for it, or else that for both, or else lines, and
// that is one filter for both if both lack one.
func TestReadWriteFilters(t *testing.T) {
	one, other, both := filters["eight"](), filters["block"](), filters["strea"]()
	for _, test := range []struct {
		opts    wheel.ReadWriteOptions
		in, out filter.Filter // nil means lines
	}{
		{wheel.ReadWriteOptions{}, nil, nil},
		{wheel.ReadWriteOptions{Filter: both}, both, both},
		{wheel.ReadWriteOptions{InputFilter: one}, one, nil},
		{wheel.ReadWriteOptions{OutputFilter: one}, nil, one},
		{wheel.ReadWriteOptions{InputFilter: one, OutputFilter: other}, one, other},
		{wheel.ReadWriteOptions{Filter: both, InputFilter: one}, one, both},
		{wheel.ReadWriteOptions{Filter: both, OutputFilter: one}, both, one},
		{wheel.ReadWriteOptions{Filter: both, InputFilter: one, OutputFilter: other}, one, other},
	} {
		p := simulated(t, sim.Options{})
		near, far := p.pair()
		p.create(session.Events{kernel.Start: func(e *kernel.Event) {
			opts := test.opts
			opts.Handle = near
			w := p.readWrite(e.Session, opts)
			in, out := w.InputFilter(), w.OutputFilter()
			if !isFilter(in, test.in) || !isFilter(out, test.out) {
				t.Errorf("%v: reads by %T, writes by %T", test.opts, in, out)
			}
			if test.in == nil && test.out == nil && in != out {
				t.Error("without any filter, the two directions have two")
			}
			w.Close()
			far.Close()
		}})
		p.run()
	}
}

// isFilter reports whether a filter is the wanted one, or one for lines if none is wanted.
func isFilter(got, want filter.Filter) bool {
	if want != nil {
		return got == want
	}
	_, ok := got.(*filter.Line)
	return ok
}

// While there is no event for it, input stays with the filter, and goes from filter to filter.
func TestSetInputFilterWithoutEvent(t *testing.T) {
	p := simulated(t, sim.Options{})
	near, far := p.pair()
	var w *wheel.ReadWrite
	p.create(session.Events{
		kernel.Start: func(e *kernel.Event) {
			w = p.readWrite(e.Session, wheel.ReadWriteOptions{Handle: near, InputEvent: "first"})
			p.write(far, "one\ntwo\n12345678")
		},
		"first": func(e *kernel.Event) {
			p.input(e)
			w.SetInputEvent("")
			w.SetInputFilter(filters["lines"]())
			w.SetInputFilter(filters["eight"]())
			p.note("held %q", w.InputFilter().Pending())
			e.Session.Yield("on")
		},
		"on": func(*kernel.Event) {
			w.SetInputEvent("second")
			w.Close()
			far.Close()
		},
		"second": p.input,
	})
	p.run()
	p.want(`first "one"`, `held "two\n12345678"`, `second "two\n1234"`)
}
