package main

import (
	"fmt"
	"slices"
	"strings"
)

// What is sent in the SMTP trials.
const (
	letterSize = 4 << 10
	parcelSize = 10 << 20
)

// smtpTrials are messages that a sender, in a process of its own, sends to a sink: over
// connections that are kept, and over one for each message; long ones; and what memory those take
// that are being sent.
//
// The processor is that of the sender alone.
func smtpTrials(o smtpOptions) []trial {
	source, why := findSource()
	if source == nil {
		fmt.Println("smtp-source is left out:", why)
	}
	e := smtpEntrants{options: o, source: source}
	var list []trial
	for _, atOnce := range []int{10, 100, 1000} {
		list = append(list, e.messages(job{
			AtOnce: atOnce, Messages: 20_000 + 60*atOnce, Size: letterSize, Kept: true,
		}, "connection kept"))
	}
	for _, atOnce := range []int{10, 100, 1000} {
		list = append(list, e.messages(job{
			AtOnce: atOnce, Messages: 5000, Size: letterSize,
		}, "connection per message"))
	}
	return append(list, e.parcels(), e.heap(1000), e.resident(1000))
}

// smtpOptions are what the command line says about the SMTP trials.
type smtpOptions struct {
	profiles string // a folder for profiles of our sender; empty means none
}

// smtpEntrants make the trials: they know who takes part.
type smtpEntrants struct {
	options smtpOptions
	source  *source
}

// messages are many short messages.
func (e smtpEntrants) messages(j job, how string) trial {
	t := trial{
		name:    fmt.Sprintf("SMTP, 4 KiB, %s, %d at once", how, j.AtOnce),
		figures: []string{"messages/s", "processor"},
		rates:   1,
	}
	figures := func(r report) []float64 {
		n := float64(j.Messages)
		return []float64{n / r.Clock.Seconds(), float64(r.Processor) / n}
	}
	t.entrants = e.all(t.name, j, figures)
	if j.Kept {
		j.Sink = chunkingSink
		t.entrants = slices.Insert(t.entrants, 1, e.entrant(t.name, "ours, CHUNKING", j, figures))
	}
	return t
}

// parcels are long messages, one after the other.
func (e smtpEntrants) parcels() trial {
	j := job{AtOnce: 1, Messages: 30, Size: parcelSize, Kept: true}
	t := trial{
		name:    "SMTP, 10 MiB",
		figures: []string{"MB/s", "KiB resident at most", "processor for a KiB"},
		rates:   1,
	}
	figures := func(r report) []float64 {
		octets := float64(j.Messages) * float64(j.Size)
		return []float64{
			octets / 1e6 / r.Clock.Seconds(), float64(r.Peak) / 1024,
			float64(r.Processor) * 1024 / octets,
		}
	}
	t.entrants = e.all(t.name, j, figures)
	j.Whole = true
	t.entrants = slices.Insert(t.entrants, 1, e.entrant(t.name, "ours, from memory", j, figures))
	return t
}

// heap is what each of many messages that are being sent takes of a Go program's memory.
func (e smtpEntrants) heap(atOnce int) trial {
	t := trial{
		name:    fmt.Sprintf("SMTP, %d being sent, for each", atOnce),
		figures: []string{"bytes of heap and stacks"},
	}
	j := job{AtOnce: atOnce, Messages: atOnce, Size: letterSize, Hold: true}
	e.source = nil // whose heap nobody knows
	t.entrants = e.all(t.name, j, func(r report) []float64 {
		return []float64{float64(r.Heap) / float64(atOnce)}
	})
	return t
}

// resident is the same as the system sees it.
func (e smtpEntrants) resident(atOnce int) trial {
	t := trial{
		name:    fmt.Sprintf("SMTP, %d being sent, for each", atOnce),
		figures: []string{"bytes resident"},
	}
	j := job{AtOnce: atOnce, Messages: atOnce, Size: letterSize, Hold: true}
	t.entrants = e.all(t.name, j, func(r report) []float64 {
		return []float64{float64(r.Resident) / float64(atOnce)}
	})
	return t
}

// all are the entrants that do a job.
func (e smtpEntrants) all(trial string, j job, figures func(report) []float64) []entrant {
	var list []entrant
	for _, who := range []string{"ours", "floor"} {
		list = append(list, e.entrant(trial, who, j, figures))
	}
	if e.source != nil {
		list = append(list, entrant{"smtp-source", func() ([]float64, error) {
			r, err := j.beside(e.source.send)
			return figures(r), err
		}})
	}
	for _, who := range []string{"net/smtp", "go-smtp", "go-mail"} {
		list = append(list, e.entrant(trial, who, j, figures))
	}
	return list
}

// entrant is one sender of this program. What follows a comma in a name is how, and not who.
func (e smtpEntrants) entrant(trial, name string, j job, figures func(report) []float64) entrant {
	j.Who, _, _ = strings.Cut(name, ",")
	if e.options.profiles != "" && j.Who == "ours" {
		j.Profile = profileName(e.options.profiles, trial+" "+name)
	}
	return entrant{name, func() ([]float64, error) {
		r, err := j.beside(job.send)
		return figures(r), err
	}}
}
